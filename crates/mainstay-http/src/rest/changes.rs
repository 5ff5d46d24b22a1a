//! `GET /api/changes`: the change feed, for admins.
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use mainstay_core::{Feed, FeedFrom, Limits, write_change};
use tokio::time::{Instant, timeout_at};

use super::{find_named, list, once, request};
use crate::{
    app::World,
    body::Body,
    etag,
    params::Params,
    problem::{Code, Outcome, Problem},
    reply::{self, Response},
    service::Connection,
};

const KNOWN: &[&str] = &["after", "limit", "wait", "collection"];

/// The position behind which the next call goes on.
const MAINSTAY_POSITION: HeaderName = HeaderName::from_static("mainstay-position");

const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Room for a line of common size.
const LINE_BYTES: usize = 512;

/// Changes behind a position, one in a line; where there are none, those that come while the caller waits.
pub(crate) async fn changes(connection: &Connection, world: &World, parts: &Parts) -> Outcome<Response> {
    etag::refuse(&parts.headers, &[header::IF_MATCH, header::IF_NONE_MATCH, once::IDEMPOTENCY_KEY])?;
    let pass = world.core.feed_pass(&request(connection, world, parts)?.caller)?;
    let params = Params::parse(parts.uri.query(), KNOWN)?;
    let limits = world.core.limits();
    let from = params.get("after").map_or(Ok(FeedFrom::Start), position)?;
    let limit = limit(&params, limits)?;
    let wait = params.get("wait").map_or(Ok(0), |text| wait(text, limits.changes_wait_s_max))?;
    let of = params.get("collection").map(|path| find_named(world.core.schema(), path)).transpose()?;
    let mut feed = world.core.feed(&pass, from, of).await?;
    let wait = if parts.method == Method::HEAD { 0 } else { wait };
    let until = Instant::now() + Duration::from_secs(u64::from(wait));
    let lines = lines(connection, &mut feed, (limit, limits.changes_bytes_max), until).await?;
    let mut response = reply::with_body(StatusCode::OK, Body::Ready(lines.into()));
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, NDJSON);
    out.insert(header::CACHE_CONTROL, NO_STORE);
    if let Ok(position) = HeaderValue::from_str(&feed.position().to_string()) {
        out.insert(MAINSTAY_POSITION, position);
    }
    Ok(response)
}

/// The lines that are there, or the first that come until then. While it waits it holds nothing of the database.
async fn lines(
    connection: &Connection,
    feed: &mut Feed,
    (limit, bytes): (usize, usize),
    until: Instant,
) -> Outcome<Vec<u8>> {
    loop {
        let changes = feed.next(limit, bytes).await?;
        if !changes.is_empty() {
            let mut out = Vec::with_capacity(changes.len() * LINE_BYTES);
            for change in &changes {
                write_change(change, &mut out);
                out.push(b'\n');
            }
            return Ok(out);
        }
        if Instant::now() >= until || connection.app.is_leaving() {
            return Ok(Vec::new());
        }
        tokio::select! {
            waited = timeout_at(until, feed.wait()) => if let Ok(waited) = waited { waited?; },
            () = connection.app.left() => {}
        }
    }
}

fn position(text: &str) -> Outcome<FeedFrom> {
    if text == "end" {
        return Ok(FeedFrom::End);
    }
    text.parse().map(FeedFrom::After).map_err(|()| {
        let detail = format!("after: expected the position of a change, or end; found {text:?}");
        Problem::new(Code::InvalidArgument, detail)
    })
}

fn limit(params: &Params<'_>, limits: &Limits) -> Outcome<usize> {
    let most = limits.changes_max;
    let over = || format!("limit: at most {most} changes are answered at once");
    let limit = params.get("limit").map(|text| list::limit(text, most, over)).transpose()?;
    Ok(limit.unwrap_or(limits.changes_default.min(most)) as usize)
}

fn wait(text: &str, most: u32) -> Outcome<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match digits.then(|| text.parse().unwrap_or(u32::MAX)) {
        Some(seconds) if seconds > most => {
            Err(Problem::new(Code::LimitExceeded, format!("wait: at most {most} seconds are waited")))
        }
        Some(seconds) => Ok(seconds),
        None => {
            let detail = format!("wait: expected whole seconds from 0 to {most}, found {text:?}");
            Err(Problem::new(Code::InvalidArgument, detail))
        }
    }
}

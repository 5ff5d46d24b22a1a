//! Bodies as JSON.
use bytes::Bytes;
use http::{HeaderMap, header, request::Parts};
use hyper::body::Incoming;
use mainstay_schema::{Json, JsonLimits};

use super::Call;
use crate::{
    body::{self, BodyError},
    problem::{Code, Outcome, Problem},
    service::Connection,
};

const MERGE_PATCH: &str = "application/merge-patch+json";

/// Reads the bytes of a body that says it is JSON.
pub(super) async fn bytes(call: &Call<'_>, body: &mut Incoming, patch: bool) -> Outcome<Bytes> {
    bytes_of(call.connection, call.parts, body, patch).await
}

/// The same of a request that is about no single collection.
pub(super) async fn bytes_of(
    connection: &Connection,
    parts: &Parts,
    body: &mut Incoming,
    patch: bool,
) -> Outcome<Bytes> {
    check_type(&parts.headers, patch)?;
    let compressed = is_compressed(&parts.headers)?;
    let settings = connection.app.settings();
    let mut bytes = body::read(&parts.headers, body, settings.body_bytes_max, settings.body_timeout).await;
    if compressed {
        bytes = inflate(bytes, settings.body_bytes_max).await;
    }
    let bytes = bytes.map_err(|error| match error {
        BodyError::TooLarge => {
            Problem::new(Code::BodyTooLarge, format!("the body is larger than {} bytes", settings.body_bytes_max))
        }
        BodyError::TooSlow => {
            let seconds = settings.body_timeout.as_secs();
            Problem::new(Code::BodyTimeout, format!("the body did not come within {seconds} seconds"))
        }
        BodyError::Broken(cause) => Problem::new(Code::InvalidBody, format!("the body broke off: {cause}")),
    })?;
    if bytes.is_empty() {
        return Err(Problem::new(Code::InvalidBody, "the body is empty"));
    }
    Ok(bytes)
}

/// Reads JSON from the bytes of a body.
pub(super) fn parse<'b>(call: &Call<'_>, bytes: &'b Bytes) -> Outcome<Json<'b>> {
    parse_for(call.connection, bytes)
}

/// The same of a request that is about no single collection.
pub(super) fn parse_for<'b>(connection: &Connection, bytes: &'b Bytes) -> Outcome<Json<'b>> {
    let limits = JsonLimits { depth_max: connection.app.settings().json_depth_max };
    Json::parse(bytes, limits).map_err(|error| Problem::new(Code::InvalidBody, error.to_string()))
}

/// On a thread of its own: a few bytes may become many.
async fn inflate(bytes: Result<Bytes, BodyError>, bytes_max: usize) -> Result<Bytes, BodyError> {
    let bytes = bytes?;
    let inflated = tokio::task::spawn_blocking(move || body::inflate(&bytes, bytes_max)).await;
    inflated.unwrap_or_else(|error| Err(BodyError::Broken(error.to_string())))
}

/// Whether the body comes as gzip; other codings are refused.
fn is_compressed(headers: &HeaderMap) -> Outcome<bool> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let (first, second) = (encodings.next(), encodings.next());
    let text = first.map_or("identity", |first| first.to_str().unwrap_or_default().trim());
    match second {
        None if text.eq_ignore_ascii_case("identity") => return Ok(false),
        None if text.eq_ignore_ascii_case("gzip") || text.eq_ignore_ascii_case("x-gzip") => return Ok(true),
        _ => {}
    }
    let detail = match second {
        None => format!("the content encoding {text:?} is not read here"),
        Some(_) => "a body that is encoded twice is not read here".to_owned(),
    };
    let hint = Some("send the body as it is, or as gzip".to_owned());
    let mut problem = Problem::new(Code::UnsupportedMediaType, detail).hint(hint);
    problem.accept_encoding = Some("gzip");
    Err(problem)
}

fn check_type(headers: &HeaderMap, patch: bool) -> Outcome<()> {
    let sent = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let Some(sent) = sent else {
        return Err(Problem::new(Code::UnsupportedMediaType, "the body has no content type"));
    };
    if is_json(sent, patch) {
        return Ok(());
    }
    Err(Problem::new(Code::UnsupportedMediaType, format!("the content type {sent:?} is not read here")))
}

fn is_json(content_type: &str, patch: bool) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let named = name.eq_ignore_ascii_case("application/json") || (patch && name.eq_ignore_ascii_case(MERGE_PATCH));
    named
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn content_types() {
        for good in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\"; x=y"] {
            assert!(is_json(good, false), "{good}");
        }
        for bad in
            ["text/plain", "", "application/jsonp", "application/json; charset=latin1", "application/merge-patch+json"]
        {
            assert!(!is_json(bad, false), "{bad}");
        }
        assert!(is_json("application/merge-patch+json", true));
    }
}

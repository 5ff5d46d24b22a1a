//! `GET /api/{path}`: a page of records.
use std::sync::Arc;

use http::header;
use mainstay_core::{Answer, Limits, List, Operation, Selection};
use mainstay_schema::CollectionId;

use super::{Call, Selects, group, other_answer};
use crate::{
    etag, fields,
    params::Params,
    problem::{Code, Outcome, Problem},
    reply::{self, Response},
};

pub(super) const KNOWN: &[&str] = &["filter", "sort", "fields", "limit", "after", "count", "group", "select"];

/// A page of records.
pub(super) async fn list(call: &Call<'_>) -> Outcome<Response> {
    etag::refuse(&call.parts.headers, &[header::IF_MATCH])?;
    let params = Params::parse(call.parts.uri.query(), KNOWN)?;
    let selects = |text: &str| call.world.selection(text);
    match call.run(asked(call.world.core.limits(), &selects, call.id(), &params)?).await? {
        Answer::Page(page) => {
            let tag = etag::weak(&page.json);
            Ok(reply::read(&call.parts.headers, page.json, tag))
        }
        _ => Err(other_answer()),
    }
}

/// A page of records, or of figures, as the parameters ask for it.
pub(super) fn asked(
    limits: &Limits,
    selects: &Selects<'_>,
    of: CollectionId,
    params: &Params<'_>,
) -> Outcome<Operation<'static>> {
    if group::is_asked(params)? {
        return Ok(Operation::Group(group::operation(of, params, limits)?));
    }
    let selection = params.get("fields").map(selects).transpose()?;
    Ok(Operation::List(operation(of, params, limits, selection)?))
}

/// What the parameters ask for.
pub(super) fn operation(
    collection: CollectionId,
    params: &Params<'_>,
    limits: &Limits,
    selection: Option<Arc<Selection>>,
) -> Outcome<List> {
    Ok(List {
        collection,
        filter: params.all("filter").map(str::to_owned).collect(),
        params: bound(params),
        sort: params.get("sort").map(|text| fields::parse_sort(text, limits)).transpose()?.unwrap_or_default(),
        selection,
        limit: limit_of(params, limits)?,
        after: params.get("after").map(str::to_owned),
        count: params.get("count").map(count).transpose()?.unwrap_or(false),
    })
}

/// How many are asked for at most.
pub(super) fn limit_of(params: &Params<'_>, limits: &Limits) -> Outcome<Option<u32>> {
    let page_max = limits.page_max;
    let over = || format!("limit: at most {page_max} records make a page");
    params.get("limit").map(|text| limit(text, page_max, over)).transpose()
}

/// The values of `p.NAME`.
pub(super) fn bound(params: &Params<'_>) -> Vec<(String, String)> {
    params.bound().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A number of records from 1 to `max`; `over` says what is wrong with more.
pub(super) fn limit(text: &str, max: u32, over: impl FnOnce() -> String) -> Outcome<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let limit = if digits { Some(text.parse().unwrap_or(u32::MAX)) } else { None };
    match limit {
        Some(limit) if limit > max => Err(Problem::new(Code::LimitExceeded, over())),
        Some(limit) if limit > 0 => Ok(limit),
        _ => {
            let detail = format!("limit: expected a whole number from 1 to {max}, found {text:?}");
            Err(Problem::new(Code::InvalidArgument, detail))
        }
    }
}

fn count(text: &str) -> Outcome<bool> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Problem::new(Code::InvalidArgument, format!("count: expected true or false, found {text:?}"))),
    }
}

//! `PATCH /api/{path}?filter=…` and `DELETE /api/{path}?filter=…`: all records that match, or none.
use http::{StatusCode, header};
use hyper::body::Incoming;
use mainstay_core::{Answer, Limits, Matching, Operation, UpdateMatching};
use mainstay_schema::CollectionId;

use super::{
    Call, json,
    list::{bound, limit},
    other_answer,
    update::object,
};
use crate::{
    etag,
    params::Params,
    prefer::Return,
    problem::{Code, Outcome, Problem},
    reply::{self, Response},
};

pub(super) const KNOWN: &[&str] = &["filter", "limit"];

/// A change of all records that match.
pub(super) async fn update(call: &Call<'_>, body: &mut Incoming) -> Outcome<Response> {
    let (matching, wish) = asked(call)?;
    let bytes = json::bytes(call, body, true).await?;
    let patch = object(json::parse(call, &bytes)?)?;
    let operation = Operation::UpdateMatching(UpdateMatching { matching, patch });
    call.write(&bytes, operation, move |answer| respond(wish, answer)).await
}

/// The end of all records that match.
pub(super) async fn delete(call: &Call<'_>) -> Outcome<Response> {
    let (matching, wish) = asked(call)?;
    call.write(&[], Operation::DeleteMatching(matching), move |answer| respond(wish, answer)).await
}

/// Which records, and how much is answered. Several records have no version in common.
fn asked(call: &Call<'_>) -> Outcome<(Matching, Return)> {
    etag::refuse(&call.parts.headers, &[header::IF_MATCH, header::IF_NONE_MATCH])?;
    let params = Params::parse(call.parts.uri.query(), KNOWN)?;
    Ok((matching(call.id(), &params, call.world.core.limits())?, Return::of(&call.parts.headers)))
}

/// The records that the parameters name. A filter is required, so that a forgotten one is not taken for all records.
pub(super) fn matching(collection: CollectionId, params: &Params<'_>, limits: &Limits) -> Outcome<Matching> {
    let filter: Vec<String> = params.all("filter").map(str::to_owned).collect();
    if filter.iter().all(|filter| filter.trim().is_empty()) {
        let hint = "name the records: ?filter=stock==0; all that the caller may list: ?filter=true; one: /api/path/id";
        return Err(Problem::new(Code::InvalidArgument, "filter: required here").hint(Some(hint.into())));
    }
    let bulk_max = limits.bulk_max;
    let over = || format!("limit: at most {bulk_max} records are changed or deleted by one request");
    let limit = params.get("limit").map(|text| limit(text, bulk_max, over)).transpose()?;
    Ok(Matching { collection, filter, params: bound(params), limit })
}

fn respond(wish: Return, answer: Answer) -> Outcome<Response> {
    let Answer::Matched(json) = answer else { return Err(other_answer()) };
    if wish == Return::Minimal {
        let mut response = reply::silent(StatusCode::NO_CONTENT, None);
        wish.applied(&mut response);
        return Ok(response);
    }
    Ok(reply::written(StatusCode::OK, json, None))
}

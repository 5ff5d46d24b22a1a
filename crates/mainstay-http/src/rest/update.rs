//! `PATCH /api/{path}/{id}` and `…/by/…`: a JSON merge patch of one record.
use http::{StatusCode, header};
use hyper::body::Incoming;
use mainstay_core::{Answer, Operation, Target, Update};
use mainstay_schema::Json;

use super::{Call, json, other_answer};
use crate::{
    etag,
    params::Params,
    prefer::Return,
    problem::{Code, Outcome, Problem},
    reply::{self, Response},
};

pub(super) const KNOWN: &[&str] = &["fields", "p."];

/// A change of one record.
pub(super) async fn update(call: &Call<'_>, target: Target, body: &mut Incoming) -> Outcome<Response> {
    let headers = &call.parts.headers;
    etag::refuse(headers, &[header::IF_NONE_MATCH])?;
    let version = etag::version_wanted(headers)?;
    let params = Params::parse(call.parts.uri.query(), KNOWN)?;
    let (wish, answered) = call.answered(&params)?;
    let bytes = json::bytes(call, body, true).await?;
    let patch = object(json::parse(call, &bytes)?)?;
    let operation = Update { collection: call.id(), target, version, patch, answered };
    let answer = call.write(&bytes, Operation::Update(operation), move |answer| respond(wish, answer)).await;
    answer.map_err(|problem| etag::say_never(headers, problem))
}

/// A patch: an object.
pub(super) fn object(patch: Json<'_>) -> Outcome<Json<'_>> {
    if matches!(patch, Json::Object(_)) {
        return Ok(patch);
    }
    let detail = format!("expected an object of the fields that change, found {}", patch.kind());
    Err(Problem::new(Code::InvalidBody, detail))
}

fn respond(wish: Return, answer: Answer) -> Outcome<Response> {
    let Answer::Updated(record) = answer else { return Err(other_answer()) };
    let mut response = match wish {
        Return::Minimal => reply::silent(StatusCode::NO_CONTENT, record.version.map(etag::strong)),
        Return::Usual | Return::Representation => {
            reply::written(StatusCode::OK, record.json, record.version.filter(|_| record.own).map(etag::strong))
        }
    };
    wish.applied(&mut response);
    Ok(response)
}

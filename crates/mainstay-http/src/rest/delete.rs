//! `DELETE /api/{path}/{id}` and `…/by/…`: the end of one record.
use http::{StatusCode, header};
use mainstay_core::{Answer, Delete, Operation, Target};

use super::{Call, other_answer};
use crate::{
    etag,
    params::Params,
    problem::Outcome,
    reply::{self, Response},
};

/// The end of one record.
pub(super) async fn delete(call: &Call<'_>, target: Target) -> Outcome<Response> {
    let headers = &call.parts.headers;
    etag::refuse(headers, &[header::IF_NONE_MATCH])?;
    let version = etag::version_wanted(headers)?;
    Params::parse(call.parts.uri.query(), &[])?;
    let answer = call.run(Operation::Delete(Delete { collection: call.id(), target, version })).await;
    match answer.map_err(|problem| etag::say_never(headers, problem))? {
        Answer::Deleted => Ok(reply::empty(StatusCode::NO_CONTENT)),
        _ => Err(other_answer()),
    }
}

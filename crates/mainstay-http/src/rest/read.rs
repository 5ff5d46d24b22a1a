//! `GET /api/{path}/{id}` and `…/by/…`: one record.
use http::header;
use mainstay_core::{Answer, Operation, ReadOne, Target};

use super::{Call, list::bound, other_answer};
use crate::{
    etag,
    params::Params,
    problem::Outcome,
    reply::{self, Response},
};

pub(super) const KNOWN: &[&str] = &["fields", "p."];

/// One record.
pub(super) async fn read(call: &Call<'_>, target: Target) -> Outcome<Response> {
    etag::refuse(&call.parts.headers, &[header::IF_MATCH])?;
    let params = Params::parse(call.parts.uri.query(), KNOWN)?;
    let selection = params.get("fields").map(|text| call.world.selection(text)).transpose()?;
    let read = ReadOne { collection: call.id(), target, params: bound(&params), selection };
    match call.run(Operation::ReadOne(read)).await? {
        Answer::One(record) => {
            let version = record.version.filter(|_| record.own);
            let tag = version.map_or_else(|| etag::weak(&record.json), etag::strong);
            Ok(reply::read(&call.parts.headers, record.json, tag))
        }
        _ => Err(other_answer()),
    }
}

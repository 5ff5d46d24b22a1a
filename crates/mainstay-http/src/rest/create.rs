//! `POST /api/{path}`: one new record, or an array of them: all or nothing.
use http::{HeaderValue, StatusCode, header};
use hyper::body::Incoming;
use mainstay_core::{Answer, Create, Operation, Record};
use mainstay_expr::Value;
use mainstay_schema::Json;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Call, json, other_answer, target};
use crate::{
    etag,
    params::Params,
    prefer::Return,
    problem::{Code, Outcome, Problem},
    reply::{self, Response},
};

pub(super) const KNOWN: &[&str] = &["fields", "upsert", "p."];

/// What a key keeps in an address: all else is percent-encoded.
const IN_PATH: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// New records.
pub(super) async fn create(call: &Call<'_>, body: &mut Incoming) -> Outcome<Response> {
    etag::refuse(&call.parts.headers, &[header::IF_MATCH, header::IF_NONE_MATCH])?;
    let params = Params::parse(call.parts.uri.query(), KNOWN)?;
    let (wish, answered) = call.answered(&params)?;
    let admin = call.request.is_admin();
    let upsert = params.get("upsert").map(|names| target::unique(call.collection, admin, names)).transpose()?;
    let bytes = json::bytes(call, body, false).await?;
    let (records, many) = match json::parse(call, &bytes)? {
        Json::Array(records) => (records, true),
        record @ Json::Object(_) => (vec![record], false),
        other => {
            let detail = format!("expected an object or an array of objects, found {}", other.kind());
            return Err(Problem::new(Code::InvalidBody, detail));
        }
    };
    let operation = Create { collection: call.id(), records, many, upsert, answered };
    let path = call.collection.path.clone();
    call.write(&bytes, Operation::Create(operation), move |answer| respond(&path, wish, answer)).await
}

fn respond(path: &str, wish: Return, answer: Answer) -> Outcome<Response> {
    let Answer::Created { records, many, created } = answer else { return Err(other_answer()) };
    let status = match (created || records.is_empty(), wish) {
        (true, _) => StatusCode::CREATED,
        (false, Return::Minimal) => StatusCode::NO_CONTENT,
        (false, _) => StatusCode::OK,
    };
    let mut response = match (many, wish) {
        (true, Return::Minimal) => reply::silent(status, None),
        (true, _) => reply::written(status, joined(&records), None),
        (false, _) => one(path, wish, status, records.into_iter().next().ok_or_else(other_answer)?),
    };
    wish.applied(&mut response);
    Ok(response)
}

fn one(path: &str, wish: Return, status: StatusCode, record: Record) -> Response {
    let location = format!("/api/{}/{}", utf8_percent_encode(path, &IN_PATH), key_in_path(&record.key));
    let mut response = match wish {
        Return::Minimal => reply::silent(status, record.version.map(etag::strong)),
        _ => reply::written(status, record.json, record.version.filter(|_| record.own).map(etag::strong)),
    };
    if status == StatusCode::CREATED
        && let Ok(location) = HeaderValue::try_from(location)
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn key_in_path(key: &Value) -> String {
    match key {
        Value::Text(text) => utf8_percent_encode(text, &IN_PATH).to_string(),
        Value::Uuid(id) => id.to_string(),
        Value::Int(number) => number.to_string(),
        _ => String::new(),
    }
}

pub(super) fn joined(records: &[Record]) -> Vec<u8> {
    let length: usize = records.iter().map(|record| record.json.len() + 1).sum();
    let mut out = Vec::with_capacity(length + 2);
    out.push(b'[');
    for (at, record) in records.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&record.json);
    }
    out.push(b']');
    out
}

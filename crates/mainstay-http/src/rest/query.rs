//! `POST /api/query`: the same read as a page's address asks for, as a JSON body: when it is too long for an address.
use std::borrow::Cow;

use http::{Method, StatusCode, header, request::Parts};
use hyper::body::Incoming;
use mainstay_core::{Answer, Core, Operation, Request};
use mainstay_schema::{Json, nearest};

use super::{Selects, find_named, json, list, once, other_answer, request};
use crate::{
    app::World,
    etag,
    params::Params,
    problem::{Code, Outcome, Problem},
    reply::{self, Response},
    service::Connection,
};

/// A page of records, or of figures.
pub(crate) async fn query(
    connection: &Connection,
    world: &World,
    parts: &Parts,
    body: &mut Incoming,
) -> Outcome<Response> {
    etag::refuse(&parts.headers, &[header::IF_MATCH, header::IF_NONE_MATCH, once::IDEMPOTENCY_KEY])?;
    Params::parse(parts.uri.query(), &[])?;
    // Rules see the read that it is: the same as of a page.
    let request = Request { method: connection.app.method(&Method::GET), ..request(connection, world, parts)? };
    let bytes = json::bytes_of(connection, parts, body, false).await?;
    let selects = |text: &str| world.selection(text);
    let operation = operation(&world.core, &selects, json::parse_for(connection, &bytes)?)?;
    match world.core.run(&request, operation).await? {
        Answer::Page(page) => Ok(reply::written(StatusCode::OK, page.json, None)),
        _ => Err(other_answer()),
    }
}

/// What a body asks for.
pub(super) fn operation(core: &Core, selects: &Selects<'_>, body: Json<'_>) -> Outcome<Operation<'static>> {
    let Json::Object(members) = body else {
        return Err(wrong("expected an object with \"from\"".into()));
    };
    let mut from = None;
    let mut params = Params::default();
    for (name, value) in members {
        match &*name {
            "from" => from = Some(text("from", value)?),
            "filter" => each("filter", value, |filter| params.push("filter".into(), filter, list::KNOWN))?,
            "params" => bound(value, &mut params)?,
            "fields" | "sort" | "group" | "select" => {
                let mut parts = Vec::new();
                each(&name, value, |part| {
                    parts.push(part);
                    Ok(())
                })?;
                params.push(name, parts.join(",").into(), list::KNOWN)?;
            }
            "limit" | "after" | "count" => params.push(name.clone(), argument(&name, value)?, list::KNOWN)?,
            other => return Err(unknown(other)),
        }
    }
    let from = from.ok_or_else(|| wrong("\"from\" names the collection: \"skills\"".into()))?;
    list::asked(core.limits(), selects, find_named(core.schema(), &from)?, &params)
}

fn wrong(detail: String) -> Box<Problem> {
    let hint = "send {\"from\": \"skills\", \"filter\": \"name.contains(p.q)\", \"params\": {\"q\": \"x\"}}";
    Problem::new(Code::InvalidBody, detail).hint(Some(hint.into()))
}

fn unknown(name: &str) -> Box<Problem> {
    let known = list::KNOWN.iter().copied().chain(["from", "params"]);
    let near = nearest(name, known).map(|near| format!("did you mean {near:?}?"));
    wrong(format!("no member {name:?} in a query")).hint(near)
}

fn text<'a>(name: &str, value: Json<'a>) -> Outcome<Cow<'a, str>> {
    match value {
        Json::Text(text) => whole(name, text),
        other => Err(wrong(format!("{name:?} is a text, found {}", other.kind()))),
    }
}

/// A text that the database can hold.
fn whole<'a>(name: &str, text: Cow<'a, str>) -> Outcome<Cow<'a, str>> {
    match text.contains('\0') {
        true => Err(wrong(format!("{name:?} holds the character U+0000")).hint(Some("leave it out".to_owned()))),
        false => Ok(text),
    }
}

/// A text, or a list of texts.
fn each<'a>(name: &str, value: Json<'a>, mut take: impl FnMut(Cow<'a, str>) -> Outcome<()>) -> Outcome<()> {
    match value {
        Json::Array(items) => items.into_iter().try_for_each(|item| take(text(name, item)?)),
        one => take(text(name, one)?),
    }
}

/// A number, a cursor or a yes, each in its own type.
fn argument<'a>(name: &str, value: Json<'a>) -> Outcome<Cow<'a, str>> {
    let expected = match (name, &value) {
        ("limit", Json::Int(_) | Json::Float(_) | Json::Rounded(_))
        | ("count", Json::Bool(_))
        | ("after", Json::Text(_)) => None,
        ("limit", _) => Some("a number"),
        ("count", _) => Some("true or false"),
        _ => Some("a text"),
    };
    match expected {
        None => plain(name, value),
        Some(expected) => Err(wrong(format!("{name:?} is {expected}, found {}", value.kind()))),
    }
}

/// A value in the form that an address has for it.
fn plain<'a>(name: &str, value: Json<'a>) -> Outcome<Cow<'a, str>> {
    Ok(match value {
        Json::Text(text) => whole(name, text)?,
        Json::Bool(value) => value.to_string().into(),
        Json::Int(value) => value.to_string().into(),
        Json::Float(value) => value.to_string().into(),
        Json::Rounded(text) => text,
        // Lists are sent as JSON in an address too.
        Json::Array(_) => {
            let mut out = Vec::new();
            value.write_canonical(&mut out);
            String::from_utf8_lossy(&out).into_owned().into()
        }
        Json::Null => {
            let hint = format!("a filter asks for null itself: name == null, in place of p.{name}");
            return Err(wrong(format!("{name:?} is null, which no value of a filter is")).hint(Some(hint)));
        }
        other => return Err(wrong(format!("{name:?} has no such value: found {}", other.kind()))),
    })
}

/// The values `p.NAME` of the filters.
fn bound<'a>(value: Json<'a>, params: &mut Params<'a>) -> Outcome<()> {
    for (name, value) in values(value)? {
        params.push(format!("p.{name}").into(), value, list::KNOWN)?;
    }
    Ok(())
}

/// Values by their names, in the form that an address has for them.
pub(super) fn values(value: Json<'_>) -> Outcome<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let Json::Object(members) = value else {
        return Err(wrong(format!("\"params\" is an object, found {}", value.kind())));
    };
    let mut values = Vec::with_capacity(members.len());
    for (name, value) in members {
        let value = plain(&name, value)?;
        values.push((name, value));
    }
    Ok(values)
}

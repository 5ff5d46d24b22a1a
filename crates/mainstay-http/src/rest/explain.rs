//! A call that is explained instead of carried out: the same routes, parameters and bodies, without a connection.
use std::sync::Arc;

use http::Method;
use mainstay_core::{
    ClauseSeen, Core, Create, Delete, Explanation, Operation, ReadOne, Request, Selection, Update, UpdateMatching,
};
use mainstay_schema::{Collection, Json, JsonLimits};

use super::{find, group, list, matching, target, update::object};
use crate::{
    fields,
    params::Params,
    problem::{Code, Outcome, Problem},
    router::{self, Route},
};

/// Why a call cannot be explained: it is none that the API has.
#[derive(Debug)]
pub struct Refused {
    /// The code, of the one table.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// Explains what a call of this address would do, by the method of the request, and does nothing. The address may hold
/// characters that a client would have to encode.
pub async fn explain(core: &Core, request: &Request, address: &str, body: &[u8]) -> Result<Explanation, Refused> {
    let explained = async {
        let operation = operation(core, request, address, body)?;
        core.explain(request, operation).await.map_err(Box::<Problem>::from)
    };
    explained.await.map_err(|problem: Box<Problem>| {
        let row = problem.code.row();
        let message = problem.cause.as_deref().unwrap_or(&problem.detail).to_owned();
        let fields = problem.fields.iter().map(|field| format!("\n  {}: {}", field.pointer, field.message));
        let message = fields.fold(message, |message, field| message + &field);
        Refused { code: row.name, message, hint: problem.hint }
    })
}

/// What the clauses of the rules that a call asks come to, over the records as they are now: for rule tests. A call that the API
/// does not have asks none.
pub async fn coverage(core: &Core, request: &Request, address: &str, body: &[u8]) -> Vec<ClauseSeen> {
    match operation(core, request, address, body) {
        Ok(operation) => core.coverage(request, &operation).await.unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

fn operation<'a>(core: &Core, request: &Request, address: &str, body: &'a [u8]) -> Outcome<Operation<'a>> {
    let (path, query) = address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query)));
    let route = router::route(path);
    let (Route::Collection { path } | Route::Record { path, .. } | Route::Unique { path, .. }) = route else {
        let detail = format!("{path:?} is no address of records");
        return Err(Problem::new(Code::UnknownPath, detail).hint(Some("addresses of records begin with /api/".into())));
    };
    let method = Method::from_bytes(request.method.as_bytes()).unwrap_or(Method::TRACE);
    if !route.allows(&method) {
        let detail = format!("{method} is not allowed here; {} are", route.allow());
        return Err(Problem::new(Code::MethodNotAllowed, detail));
    }
    let schema = core.schema();
    let collection = schema.collection(find(schema, path)?);
    match (route, method.as_str()) {
        (Route::Collection { .. }, "GET" | "HEAD") => {
            let params = Params::parse(query, list::KNOWN)?;
            if group::is_asked(&params)? {
                return Ok(Operation::Group(group::operation(collection.id, &params, core.limits())?));
            }
            let selection = selection(core, &params)?;
            Ok(Operation::List(list::operation(collection.id, &params, core.limits(), selection)?))
        }
        (Route::Collection { .. }, "POST") => create(core, collection, query, body),
        (Route::Collection { .. }, "PATCH" | "DELETE") => {
            let matching = matching::matching(collection.id, &Params::parse(query, matching::KNOWN)?, core.limits())?;
            Ok(match method {
                Method::PATCH => Operation::UpdateMatching(UpdateMatching { matching, patch: object(json(body)?)? }),
                _ => Operation::DeleteMatching(matching),
            })
        }
        (_, "OPTIONS") => Err(Problem::new(Code::MethodNotAllowed, "OPTIONS asks the database nothing")),
        (route, _) => of_one(core, collection, (request, &route), query, body),
    }
}

fn create<'a>(core: &Core, collection: &Collection, query: Option<&str>, body: &'a [u8]) -> Outcome<Operation<'a>> {
    let params = Params::parse(query, super::create::KNOWN)?;
    if params.get("upsert").is_some() {
        let detail = "an upsert is not explained: whether it is a create or an update, the write alone finds out";
        let hint = "explain the POST without upsert, and the PATCH".to_owned();
        return Err(Problem::new(Code::InvalidArgument, detail).hint(Some(hint)));
    }
    let selection = selection(core, &params)?;
    let (records, many) = match json(body)? {
        Json::Array(records) => (records, true),
        record => (vec![record], false),
    };
    Ok(Operation::Create(Create { collection: collection.id, records, many, upsert: None, selection }))
}

fn of_one<'a>(
    core: &Core,
    collection: &Collection,
    (request, route): (&Request, &Route<'_>),
    query: Option<&str>,
    body: &'a [u8],
) -> Outcome<Operation<'a>> {
    let target = target::target(collection, request.is_admin(), route)?;
    let collection = collection.id;
    if &*request.method == "DELETE" {
        Params::parse(query, &[])?;
        return Ok(Operation::Delete(Delete { collection, target, version: None }));
    }
    let selection = selection(core, &Params::parse(query, &["fields"])?)?;
    if &*request.method == "PATCH" {
        let patch = json(body)?;
        return Ok(Operation::Update(Update { collection, target, version: None, patch, selection }));
    }
    Ok(Operation::ReadOne(ReadOne { collection, target, selection }))
}

fn selection(core: &Core, params: &Params<'_>) -> Outcome<Option<Arc<Selection>>> {
    let parse = |text| fields::parse_fields(text, core.limits()).map(Arc::new);
    params.get("fields").map(parse).transpose()
}

fn json(body: &[u8]) -> Outcome<Json<'_>> {
    if body.is_empty() {
        return Err(Problem::new(Code::InvalidBody, "the body is empty"));
    }
    Json::parse(body, JsonLimits::default()).map_err(|error| Problem::new(Code::InvalidBody, error.to_string()))
}

//! A call that is explained instead of carried out: the same routes, parameters, headers and bodies, without a connection.
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use mainstay_core::{
    Answer, Answered, Batch, Core, Covered, Create, Delete, Explanation, Operation, ReadOne, Request, Selection, Tried,
    Update, UpdateMatching,
};
use mainstay_schema::{Collection, Json, JsonLimits};

use super::{batch, find, list, matching, once, query, target, update::object};
use crate::{
    etag, fields,
    params::Params,
    prefer::Return,
    problem::{Code, Outcome, Problem},
    router::{self, Route},
};

/// A call, as it would be sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The address; it may hold characters that a client would have to encode.
    pub address: &'a str,
    /// Headers by name; who calls is not among them.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
    /// How often a page is run, to say what it takes; 0: not at all.
    pub runs: usize,
}

/// What a call comes to, and why.
#[derive(Debug)]
pub struct Explained {
    /// The status that it is answered with.
    pub status: u16,
    /// The code of a refusal.
    pub code: Option<&'static str>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Why.
    pub explanation: Explanation,
}

/// Why a call cannot be explained: it is none that the API has, or is wrong before any rule is asked.
#[derive(Debug)]
pub struct Refused {
    /// The status that it would be answered with.
    pub status: u16,
    /// The code, of the one table.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// Explains what a call would do, by the method of the request. Nothing is written: a store that rehearses carries a write out
/// and takes it back, any other store is only asked for its plans.
pub async fn explain(core: &Core, request: &Request, asked: &Asked<'_>) -> Result<Explained, Refused> {
    let explained = async {
        let request = Request { once: None, ..request.clone() };
        let operation = operation(core, &request, asked)?;
        let request = match operation {
            // Rules see the read that it is.
            Operation::List(_) | Operation::Group(_) if &*request.method == "POST" => {
                Request { method: "GET".into(), ..request }
            }
            _ => request,
        };
        let measured = match asked.runs {
            0 => None,
            runs => core.measure(&request, &operation, runs).await.ok().flatten(),
        };
        let usual = usual_status(&operation);
        // Who names fields wants them: over that the preference is not followed.
        let headers = headers(asked)?;
        let minimal = Return::of(&headers) == Return::Minimal && !asked.address.contains("fields=");
        let Tried { mut explanation, outcome } = core.explain_tried(&request, operation).await.map_err(problem)?;
        explanation.measured = measured;
        Ok(told(explanation, outcome, &headers, (usual, minimal)))
    };
    explained.await.map_err(|problem: Box<Problem>| refused(&problem))
}

fn problem(error: mainstay_core::Error) -> Box<Problem> {
    Box::<Problem>::from(error)
}

fn refused(problem: &Problem) -> Refused {
    let row = problem.code.row();
    let message = problem.cause.as_deref().unwrap_or(&problem.detail).to_owned();
    let fields = problem.fields.iter().map(|field| format!("\n  {}: {}", field.pointer, field.message));
    let message = fields.fold(message, |message, field| message + &field);
    Refused { status: row.status, code: row.name, message, hint: problem.hint.clone() }
}

fn told(
    mut explanation: Explanation,
    outcome: Option<Result<Answer, mainstay_core::Error>>,
    headers: &HeaderMap,
    (usual, minimal): (u16, bool),
) -> Explained {
    let (status, code, hint) = match outcome {
        Some(Err(error)) => {
            let problem = etag::say_never(headers, Box::<Problem>::from(error));
            if problem.code == Code::VersionMismatch {
                explanation.refused = Some(problem.detail.clone().into_owned());
            }
            let row = problem.code.row();
            (row.status, Some(row.name), Some(problem.hint.unwrap_or_else(|| row.hint.to_owned())))
        }
        Some(Ok(answer)) => (status_of(&answer, minimal), None, None),
        None if explanation.refused.is_some() => {
            let anonymous = explanation.caller == "anonymous";
            let row = if anonymous { Code::Unauthenticated } else { Code::Forbidden }.row();
            (row.status, Some(row.name), None)
        }
        None => (usual, None, None),
    };
    Explained { status, code, hint, explanation }
}

fn status_of(answer: &Answer, minimal: bool) -> u16 {
    match answer {
        Answer::Deleted => 204,
        Answer::Created { created, records, .. } if *created || records.is_empty() => 201,
        Answer::Created { .. } | Answer::Updated(_) | Answer::Batch(_) | Answer::Matched(_) if minimal => 204,
        _ => 200,
    }
}

fn usual_status(operation: &Operation<'_>) -> u16 {
    match operation {
        Operation::Create(_) => 201,
        Operation::Delete(_) => 204,
        _ => 200,
    }
}

/// What the clauses of the rules that a call asks come to, over the records as they are now: for rule tests. A call that the API
/// does not have asks none.
pub async fn coverage(core: &Core, request: &Request, address: &str, body: &[u8]) -> Covered {
    match operation(core, request, &Asked { address, body, ..Asked::default() }) {
        Ok(operation) => core.coverage(request, &operation).await.unwrap_or_default(),
        Err(_) => Covered::default(),
    }
}

fn headers(asked: &Asked<'_>) -> Outcome<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in asked.headers {
        let wrong = || Problem::new(Code::InvalidHeader, format!("the header {name:?} is none"));
        let name = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
        headers.append(name, HeaderValue::try_from(value.as_str()).map_err(|_| wrong())?);
    }
    Ok(headers)
}

fn operation<'a>(core: &Core, request: &Request, asked: &Asked<'a>) -> Outcome<Operation<'a>> {
    let headers = headers(asked)?;
    let (path, query) =
        asked.address.split_once('?').map_or((asked.address, None), |(path, query)| (path, Some(query)));
    let route = router::route(path);
    let method = Method::from_bytes(request.method.as_bytes()).unwrap_or(Method::TRACE);
    let known = matches!(
        route,
        Route::Collection { .. } | Route::Record { .. } | Route::Unique { .. } | Route::Batch | Route::Query
    );
    if !known {
        let detail = format!("{path:?} is no address of records");
        return Err(Problem::new(Code::UnknownPath, detail)
            .hint(Some("explained is what asks for records: /api/ and a collection, /api/query, /api/batch".into())));
    }
    if !route.allows(&method) {
        let detail = format!("{method} is not allowed here; {} are", route.allow());
        return Err(Problem::new(Code::MethodNotAllowed, detail));
    }
    if method == Method::OPTIONS {
        return Err(Problem::new(Code::MethodNotAllowed, "OPTIONS asks the database nothing"));
    }
    let call = Call { core, request, headers: &headers, query, body: asked.body };
    match (route, method.as_str()) {
        (Route::Batch, _) => call.batch(),
        (Route::Query, _) => call.query(),
        (Route::Collection { path }, "GET" | "HEAD") => call.list(core.schema().collection(find(core.schema(), path)?)),
        (Route::Collection { path }, "PATCH" | "DELETE") => {
            call.matching(core.schema().collection(find(core.schema(), path)?), &method)
        }
        (Route::Collection { path }, _) => call.create(core.schema().collection(find(core.schema(), path)?)),
        (Route::Record { path, .. } | Route::Unique { path, .. }, method) => {
            let collection = core.schema().collection(find(core.schema(), path)?);
            call.of_one(collection, method, &route)
        }
        _ => Err(Problem::new(Code::UnknownPath, "no collection")),
    }
}

/// A call that is read as the handlers read it.
struct Call<'c, 'a> {
    core: &'c Core,
    request: &'c Request,
    headers: &'c HeaderMap,
    query: Option<&'c str>,
    body: &'a [u8],
}

impl<'a> Call<'_, 'a> {
    fn batch(&self) -> Outcome<Operation<'a>> {
        etag::refuse(self.headers, &[header::IF_MATCH, header::IF_NONE_MATCH])?;
        Params::parse(self.query, &[])?;
        let selects = |text: &str| select(self.core, text);
        let operations = batch::read_all(self.core, &selects, self.request.is_admin(), self.json()?)?;
        Ok(Operation::Batch(Batch { operations }))
    }

    fn query(&self) -> Outcome<Operation<'a>> {
        etag::refuse(self.headers, &[header::IF_MATCH, header::IF_NONE_MATCH, once::IDEMPOTENCY_KEY])?;
        Params::parse(self.query, &[])?;
        query::operation(self.core, &|text: &str| select(self.core, text), self.json()?)
    }

    fn list(&self, collection: &Collection) -> Outcome<Operation<'a>> {
        etag::refuse(self.headers, &[once::IDEMPOTENCY_KEY, header::IF_MATCH])?;
        let params = Params::parse(self.query, list::KNOWN)?;
        list::asked(self.core.limits(), &|text: &str| select(self.core, text), collection.id, &params)
    }

    fn create(&self, collection: &Collection) -> Outcome<Operation<'a>> {
        etag::refuse(self.headers, &[header::IF_MATCH, header::IF_NONE_MATCH])?;
        let params = Params::parse(self.query, super::create::KNOWN)?;
        let answered = self.answered(&params)?;
        let admin = self.request.is_admin();
        let upsert = params.get("upsert").map(|names| target::unique(collection, admin, names)).transpose()?;
        let (records, many) = match self.json()? {
            Json::Array(records) => (records, true),
            record @ Json::Object(_) => (vec![record], false),
            other => {
                let detail = format!("expected an object or an array of objects, found {}", other.kind());
                return Err(Problem::new(Code::InvalidBody, detail));
            }
        };
        Ok(Operation::Create(Create { collection: collection.id, records, many, upsert, answered }))
    }

    fn matching(&self, collection: &Collection, method: &Method) -> Outcome<Operation<'a>> {
        etag::refuse(self.headers, &[header::IF_MATCH, header::IF_NONE_MATCH])?;
        let params = Params::parse(self.query, matching::KNOWN)?;
        let matching = matching::matching(collection.id, &params, self.core.limits())?;
        Ok(match *method {
            Method::PATCH => Operation::UpdateMatching(UpdateMatching { matching, patch: object(self.json()?)? }),
            _ => Operation::DeleteMatching(matching),
        })
    }

    fn of_one(&self, collection: &Collection, method: &str, route: &Route<'_>) -> Outcome<Operation<'a>> {
        let target = target::target(collection, self.request.is_admin(), route)?;
        let collection = collection.id;
        match method {
            "DELETE" => {
                etag::refuse(self.headers, &[once::IDEMPOTENCY_KEY, header::IF_NONE_MATCH])?;
                let version = etag::version_wanted(self.headers)?;
                Params::parse(self.query, &[])?;
                Ok(Operation::Delete(Delete { collection, target, version }))
            }
            "PATCH" => {
                etag::refuse(self.headers, &[header::IF_NONE_MATCH])?;
                let version = etag::version_wanted(self.headers)?;
                let answered = self.answered(&Params::parse(self.query, super::update::KNOWN)?)?;
                let patch = object(self.json()?)?;
                Ok(Operation::Update(Update { collection, target, version, patch, answered }))
            }
            _ => {
                etag::refuse(self.headers, &[once::IDEMPOTENCY_KEY, header::IF_MATCH])?;
                let params = Params::parse(self.query, super::read::KNOWN)?;
                let Answered { selection, params } = self.answered(&params)?;
                Ok(Operation::ReadOne(ReadOne { collection, target, params, selection }))
            }
        }
    }

    fn answered(&self, params: &Params<'_>) -> Outcome<Answered> {
        let selection = params.get("fields").map(|text| select(self.core, text)).transpose()?;
        Ok(Answered { selection, params: list::bound(params) })
    }

    fn json(&self) -> Outcome<Json<'a>> {
        if self.body.is_empty() {
            return Err(Problem::new(Code::InvalidBody, "the body is empty"));
        }
        Json::parse(self.body, JsonLimits::default())
            .map_err(|error| Problem::new(Code::InvalidBody, error.to_string()))
    }
}

fn select(core: &Core, text: &str) -> Outcome<Arc<Selection>> {
    fields::parse_fields(text, core.limits()).map(Arc::new)
}

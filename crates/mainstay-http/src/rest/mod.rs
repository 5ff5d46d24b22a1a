//! REST: each call of a collection becomes an operation of the core, and its answer a response.
mod batch;
mod changes;
mod create;
mod delete;
mod explain;
mod group;
mod json;
mod list;
mod matching;
mod once;
mod query;
mod read;
mod target;
mod update;

use std::sync::Arc;

use http::{Method, header, request::Parts};
use hyper::body::Incoming;
use mainstay_core::{Answer, Answered, Caller, Operation, Request, Selection};
use mainstay_schema::{Collection, CollectionId, Schema, nearest};

use crate::{
    app::World,
    etag,
    params::{Params, decode_path},
    prefer::Return,
    problem::{Code, Outcome, Problem},
    reply::{Response, X_REQUEST_ID},
    router::Route,
    service::Connection,
};

pub(crate) use batch::batch;
pub(crate) use changes::changes;
pub use explain::{Asked, Explained, Refused, coverage, explain};
pub(crate) use query::query;

/// What reads the text of `fields=`.
pub(crate) type Selects<'a> = dyn Fn(&str) -> Outcome<Arc<Selection>> + 'a;

/// One call of a collection.
pub(crate) struct Call<'a> {
    connection: &'a Connection,
    world: &'a World,
    parts: &'a Parts,
    collection: &'a Collection,
    request: Request,
}

/// Answers a call of a collection.
pub(crate) async fn answer(
    connection: &Connection,
    world: &World,
    route: Route<'_>,
    parts: &Parts,
    body: &mut Incoming,
) -> Outcome<Response> {
    let keyed = match parts.method {
        Method::POST | Method::PATCH => true,
        Method::DELETE => matches!(route, Route::Collection { .. }),
        _ => false,
    };
    if !keyed {
        etag::refuse(&parts.headers, &[once::IDEMPOTENCY_KEY])?;
    }
    let path = match route {
        Route::Collection { path } | Route::Record { path, .. } | Route::Unique { path, .. } => path,
        _ => return Err(Problem::new(Code::UnknownPath, "no collection")),
    };
    let schema = world.core.schema().clone();
    let collection = schema.collection(find(&schema, path)?);
    let request = request(connection, world, parts)?;
    let call = Call { connection, world, parts, collection, request };
    let read = parts.method == Method::GET || parts.method == Method::HEAD;
    match route {
        Route::Collection { .. } if read => list::list(&call).await,
        Route::Collection { .. } => match parts.method {
            Method::PATCH => matching::update(&call, body).await,
            Method::DELETE => matching::delete(&call).await,
            _ => create::create(&call, body).await,
        },
        _ => {
            let target = target::target(collection, call.request.caller.is_admin(), &route)?;
            match parts.method {
                Method::PATCH => update::update(&call, target, body).await,
                Method::DELETE => delete::delete(&call, target).await,
                _ => read::read(&call, target).await,
            }
        }
    }
}

fn find(schema: &Schema, path: &str) -> Outcome<CollectionId> {
    find_named(schema, &decode_path(path, "the path")?)
}

fn find_named(schema: &Schema, path: &str) -> Outcome<CollectionId> {
    if let Some(id) = schema.by_path.get(path) {
        return Ok(*id);
    }
    let near = nearest(path, schema.collections.iter().map(|collection| &*collection.path));
    let near = near.map(|near| format!("did you mean /api/{near}?"));
    Err(Problem::new(Code::UnknownPath, format!("no collection {path:?}")).hint(near))
}

/// Who calls, when and how. A token that is there and wrong is refused, never taken as none.
fn request(connection: &Connection, world: &World, parts: &Parts) -> Outcome<Request> {
    let time_micros = connection.app.now_micros();
    let mut tokens = parts.headers.get_all(header::AUTHORIZATION).iter();
    let token = tokens.next();
    if tokens.next().is_some() {
        return Err(Problem::new(Code::InvalidToken, "the header \"authorization\" comes twice"));
    }
    let caller: Caller = world
        .authenticator
        .authenticate(token.map(|token| token.as_bytes()), time_micros)
        .map_err(|error| Problem::new(Code::InvalidToken, error.to_string()))?;
    Ok(Request {
        caller,
        time_micros,
        ip: connection.ip(parts),
        method: connection.app.method(&parts.method),
        host: connection.host(parts),
        id: request_id(parts),
        once: None,
    })
}

/// The id that a write has; nothing of others.
fn request_id(parts: &Parts) -> Option<Arc<str>> {
    if parts.method.is_safe() {
        return None;
    }
    parts.headers.get(X_REQUEST_ID).and_then(|id| id.to_str().ok()).map(Arc::from)
}

impl Call<'_> {
    fn id(&self) -> CollectionId {
        self.collection.id
    }

    async fn run(&self, operation: Operation<'_>) -> Outcome<Answer> {
        Ok(self.world.core.run(&self.request, operation).await?)
    }

    /// Runs a write, once for its key where it has one; `respond` makes the response of its answer.
    async fn write(
        &self,
        body: &[u8],
        operation: Operation<'_>,
        respond: impl Fn(Answer) -> Outcome<Response> + Clone + Send + Sync + 'static,
    ) -> Outcome<Response> {
        let (connection, world, parts) = (self.connection, self.world, self.parts);
        once::Sent { connection, world, parts, request: &self.request, body }.run(operation, respond).await
    }

    /// How much a write answers, and what: the selection of `fields`, or nothing where the caller prefers no more than that.
    /// Who names fields wants them: over that the preference is not followed.
    fn answered(&self, params: &Params<'_>) -> Outcome<(Return, Answered)> {
        let selection = params.get("fields").map(|text| self.world.selection(text)).transpose()?;
        let (wish, selection) = match (Return::of(&self.parts.headers), selection) {
            (Return::Minimal, None) => (Return::Minimal, Some(self.world.nothing.clone())),
            (Return::Minimal, selection) => (Return::Usual, selection),
            (wish, selection) => (wish, selection),
        };
        Ok((wish, Answered { selection, params: list::bound(params) }))
    }
}

/// The core answered something else than was asked: a defect.
fn other_answer() -> Box<Problem> {
    let mut problem = Problem::new(Code::Internal, "");
    problem.cause = Some("the core answered another operation than the one that it was given".into());
    problem
}

//! A hand-written server for the bench's messages in PostgreSQL and nothing else: what a specialist would write for one table.
//!
//! It serves the very table that Mainstay made: read, page of 20, create, patch (the two also with their change for the feed), with prepared statements in the binary protocol over
//! a pool; word by word Mainstay's own statements, in the same isolation, run again where others got in the way. No auth, no validation.
//! The environment: `DATABASE_URL`, `PORT`, `WORKERS` (threads), `CONNECTIONS`, `ISOLATION` (of writes; `serializable`).
use std::{sync::Arc, time::SystemTime};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
    routing::{self, get, post},
    serve::ListenerExt,
};
use mainstay_bench::Outcome;
use serde::Deserialize;
use uuid::Uuid;

mod messages;
mod noted;

use messages::{Create, Messages, Patch};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Records of a page, where nothing else is said.
const PAGE: i64 = 20;
/// At most.
const PAGE_MAX: i64 = 500;

#[derive(Deserialize)]
struct List {
    limit: Option<i64>,
}

async fn read(State(messages): State<Arc<Messages>>, Path(id): Path<String>) -> Response {
    match Uuid::try_parse(&id) {
        Ok(id) => answer(StatusCode::OK, messages.read(id).await),
        Err(_) => error(StatusCode::NOT_FOUND),
    }
}

async fn list(State(messages): State<Arc<Messages>>, Query(list): Query<List>) -> Response {
    let limit = list.limit.unwrap_or(PAGE).min(PAGE_MAX);
    answer(StatusCode::OK, messages.page(limit).await.map(Some))
}

async fn create(State(messages): State<Arc<Messages>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Create>(&body) {
        Ok(create) => {
            let created = messages.create(Uuid::now_v7(), SystemTime::now(), &create).await;
            answer(StatusCode::CREATED, created.map(Some))
        }
        Err(_) => error(StatusCode::BAD_REQUEST),
    }
}

async fn patch(State(messages): State<Arc<Messages>>, Path(id): Path<String>, body: Bytes) -> Response {
    match (Uuid::try_parse(&id), serde_json::from_slice::<Patch>(&body)) {
        (Ok(id), Ok(patch)) => answer(StatusCode::OK, messages.patch(id, SystemTime::now(), &patch).await),
        _ => error(StatusCode::BAD_REQUEST),
    }
}

async fn create_told(State(messages): State<Arc<Messages>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Create>(&body) {
        Ok(create) => {
            let created = messages.create_told(Uuid::now_v7(), SystemTime::now(), &create).await;
            answer(StatusCode::CREATED, created.map(Some))
        }
        Err(_) => error(StatusCode::BAD_REQUEST),
    }
}

async fn patch_told(State(messages): State<Arc<Messages>>, Path(id): Path<String>, body: Bytes) -> Response {
    match (Uuid::try_parse(&id), serde_json::from_slice::<Patch>(&body)) {
        (Ok(id), Ok(patch)) => answer(StatusCode::OK, messages.patch_told(id, SystemTime::now(), &patch).await),
        _ => error(StatusCode::BAD_REQUEST),
    }
}

fn answer(good: StatusCode, outcome: Outcome<Option<Vec<u8>>>) -> Response {
    match outcome {
        Ok(Some(body)) => reply(good, body),
        Ok(None) => error(StatusCode::NOT_FOUND),
        Err(failure) => {
            mainstay_bench::say(&failure.to_string());
            error(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

fn error(status: StatusCode) -> Response {
    reply(status, "{}")
}

fn reply(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn serve(url: &str, port: u16, connections: usize, isolation: &str) -> Outcome<()> {
    let messages = Arc::new(Messages::new(url, connections, isolation)?);
    let router = Router::new()
        .route("/messages", get(list).post(create))
        .route("/messages/{id}", get(read).patch(patch))
        .route("/told", post(create_told))
        .route("/told/{id}", routing::patch(patch_told))
        .with_state(messages);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let listener = listener.tap_io(|stream| {
        // A connection that cannot be set up ends by itself.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

fn main() -> Outcome<()> {
    let given = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let (url, port) = (given("DATABASE_URL")?, given("PORT")?.parse()?);
    let (workers, connections) = (given("WORKERS")?.parse()?, given("CONNECTIONS")?.parse()?);
    let isolation = given("ISOLATION").unwrap_or_else(|_| "serializable".to_owned());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    runtime.block_on(serve(&url, port, connections, &isolation))
}

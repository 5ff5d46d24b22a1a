//! From one request to one answer: the only function that every request passes.
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, Version, header, request::Parts};
use hyper::body::Incoming;
use parking_lot::Mutex;

use crate::{
    app::{App, World},
    body, compress, cors, docs, files,
    metrics::Kind,
    problem::{Code, Outcome, Problem},
    reply::{self, Response, X_REQUEST_ID},
    rest,
    router::{self, Route},
};

/// The name of the node that answered.
const MAINSTAY_NODE: HeaderName = HeaderName::from_static("mainstay-node");

const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What all requests of one connection share.
pub(crate) struct Connection {
    pub(crate) app: Arc<App>,
    /// The other end's address: the client's, or that of a proxy.
    ip: Arc<str>,
    /// Whether the other end is a trusted proxy.
    is_proxy: bool,
    /// The address that the proxy told last, most often also that of the next request.
    client: Mutex<Arc<str>>,
    was_asked: AtomicBool,
    /// The last request's `Host`, most often also that of the next one.
    host: Mutex<Arc<str>>,
}

/// Counts a request while it runs, also when its client goes away in the middle.
struct InFlight<'a>(&'a App);

impl<'a> InFlight<'a> {
    fn new(app: &'a App) -> InFlight<'a> {
        app.metrics().in_flight.fetch_add(1, Relaxed);
        InFlight(app)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.metrics().in_flight.fetch_sub(1, Relaxed);
    }
}

impl Connection {
    pub(crate) fn new(app: Arc<App>, address: IpAddr) -> Connection {
        let is_proxy = app.settings().forwarded.trusts(address);
        let ip: Arc<str> = Arc::from(address.to_string());
        Connection {
            app,
            client: Mutex::new(ip.clone()),
            ip,
            is_proxy,
            was_asked: AtomicBool::new(false),
            host: Mutex::new(Arc::from("")),
        }
    }

    /// Whether a request has come.
    pub(crate) fn was_asked(&self) -> bool {
        self.was_asked.load(Relaxed)
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: http::Request<Incoming>) -> Response {
        self.was_asked.store(true, Relaxed);
        let started = Instant::now();
        let _in_flight = InFlight::new(&self.app);
        let (mut parts, mut body) = request.into_parts();
        let request_id = self.app.request_id(&parts.headers);
        if !parts.method.is_safe() {
            // A write tells the change feed which request it was.
            parts.headers.insert(X_REQUEST_ID, request_id.clone());
        }
        let route = router::route(parts.uri.path());
        let mut response = match self.dispatch(route, &parts, &mut body).await {
            Ok(response) => response,
            Err(problem) => {
                let request_id = request_id.to_str().unwrap_or_default();
                self.log_problem(&problem, &parts, request_id);
                reply::problem(&problem, request_id)
            }
        };
        compress::answer(self.app.settings().compress_bytes_min, &parts.headers, &mut response).await;
        cors::allow(&self.app.settings().cors, &parts.headers, &mut response);
        reply::without_body(&parts.method, &mut response);
        self.finish(kind(&route, &parts.method), &parts, &request_id, &response, started.elapsed());
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, request_id);
        if let Some(node) = self.app.node() {
            headers.insert(MAINSTAY_NODE, node.clone());
        }
        // Told, and not only done: else a client sends its next request into a connection that closes.
        if !body::drain(&parts.headers, &mut body).await || self.app.is_leaving() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn dispatch(&self, route: Route<'_>, parts: &Parts, body: &mut Incoming) -> Outcome<Response> {
        check_host(parts)?;
        if let Some(answer) = cors::preflight(&self.app.settings().cors, &parts.method, &parts.headers, route.allow()) {
            return Ok(answer);
        }
        let world = self.app.world();
        if parts.method == Method::OPTIONS && route != Route::Unknown {
            return Ok(reply::allow(route.allow()));
        }
        if let Route::Later { name } = route {
            return Err(Problem::new(Code::PathNotAvailable, format!("{name} is not available yet")));
        }
        if route == Route::Unknown {
            let path = parts.uri.path();
            let hint = path.ends_with('/').then(|| "leave the slash at the end out, or put a key behind it".to_owned());
            return Err(Problem::new(Code::UnknownPath, format!("nothing is served at {path:?}")).hint(hint));
        }
        if !route.allows(&parts.method) {
            return Err(method_not_allowed(&route, &parts.method));
        }
        if parts.uri.path().starts_with("/api/")
            && let Some(why) = self.app.unfit()
        {
            return Err(unfit(&why));
        }
        match route {
            Route::Collection { .. } | Route::Record { .. } | Route::Unique { .. } => {
                rest::answer(self, &world, route, parts, body).await
            }
            Route::Batch => rest::batch(self, &world, parts, body).await,
            Route::Changes => rest::changes(self, &world, parts).await,
            Route::Query => rest::query(self, &world, parts, body).await,
            Route::File => files::answer(&self.app, parts).await,
            Route::Readyz => ready(&self.app, &world).await,
            _ => Ok(self.own_page(&world, route, parts)),
        }
    }

    /// The pages that do not depend on a record.
    fn own_page(&self, world: &World, route: Route<'_>, parts: &Parts) -> Response {
        let headers = &parts.headers;
        match route {
            Route::OpenApi => reply::asset(headers, "application/json", world.openapi(&self.app.settings().title)),
            Route::Docs => docs::page(headers),
            Route::DocsCss => docs::css(headers),
            Route::DocsJs => docs::js(headers),
            Route::DocsErrors => docs::errors(headers),
            Route::Metrics => {
                reply::text(StatusCode::OK, PROMETHEUS, self.app.metrics().text(world.core.store().is_elected()))
            }
            _ => reply::text(StatusCode::OK, "text/plain; charset=utf-8", Bytes::from_static(b"ok\n")),
        }
    }

    /// `request.ip`: where the other end is a trusted proxy, what it says.
    pub(crate) fn ip(&self, parts: &Parts) -> Arc<str> {
        if !self.is_proxy {
            return self.ip.clone();
        }
        let Some(client) = self.app.settings().forwarded.client(&parts.headers) else { return self.ip.clone() };
        let client = client.to_string();
        let mut last = self.client.lock();
        if **last != *client {
            *last = Arc::from(client);
        }
        last.clone()
    }

    /// `request.host`: the allocation of the last request serves, as long as the client names the same host.
    pub(crate) fn host(&self, parts: &Parts) -> Arc<str> {
        // A target in absolute form wins over the header (RFC 9112, 3.2.2); who signs in there is no part of the host.
        let target = parts.uri.authority().map(|authority| authority.as_str().rsplit('@').next().unwrap_or_default());
        let named = || parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = target.or_else(named).unwrap_or_default();
        let mut last = self.host.lock();
        if **last != *host {
            *last = Arc::from(host);
        }
        last.clone()
    }

    /// A failure on our side is logged once, here, with its cause; a refusal where that is wanted.
    fn log_problem(&self, problem: &Problem, parts: &Parts, request_id: &str) {
        let row = problem.code.row();
        if row.status < 500 || problem.code == Code::PathNotAvailable {
            if self.app.settings().log_refusals {
                log_refusal(problem, parts);
            }
            return;
        }
        self.app.metrics().database_errors.fetch_add(1, Relaxed);
        tracing::error!(
            request_id,
            code = row.name,
            cause = problem.cause.as_deref().unwrap_or(&problem.detail),
            method = parts.method.as_str(),
            path = parts.uri.path(),
            "a request failed"
        );
    }

    fn finish(&self, kind: Kind, parts: &Parts, request_id: &HeaderValue, response: &Response, took: Duration) {
        let status = response.status().as_u16();
        self.app.metrics().observe(kind, status, took);
        let took_us = took.as_micros() as u64;
        if took > self.app.settings().slow_request && kind != Kind::Changes {
            let request_id = request_id.to_str().unwrap_or_default();
            tracing::warn!(
                request_id,
                method = parts.method.as_str(),
                path = parts.uri.path(),
                status,
                took_us,
                "slow"
            );
        } else {
            tracing::debug!(method = parts.method.as_str(), path = parts.uri.path(), status, took_us, "answered");
        }
    }
}

/// A request of HTTP/1.1 names its host, once (RFC 9112 § 3.2): what two readers may understand differently is refused.
fn check_host(parts: &Parts) -> Outcome<()> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let detail = match (hosts.next(), hosts.next()) {
        (Some(_), None) => return Ok(()),
        (None, _) if parts.version < Version::HTTP_11 => return Ok(()),
        (None, _) => "the header \"host\" is missing",
        (Some(_), Some(_)) => "the header \"host\" comes twice",
    };
    Err(Problem::new(Code::InvalidHeader, detail).hint(Some("send it once: Host: api.example.com".into())))
}

/// What the caller is told, in one line of the log.
fn log_refusal(problem: &Problem, parts: &Parts) {
    let row = problem.code.row();
    let fields = problem.fields.iter().map(|field| match field.pointer.is_empty() {
        true => format!("; {}", field.message),
        false => format!("; {}: {}", field.pointer, field.message),
    });
    let detail = fields.fold(problem.detail.to_string(), |detail, field| detail + &field);
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let hint = problem.hint.as_deref().unwrap_or(row.hint);
    tracing::info!("refused {method} {path}: {} {}: {detail}; {hint}", row.status, row.name);
}

/// Whether requests should be sent here: the server stays, and its database answers.
async fn ready(app: &App, world: &World) -> Outcome<Response> {
    if app.is_leaving() {
        return Err(Problem::new(Code::NotReady, "the server is about to stop"));
    }
    if let Some(why) = app.unfit() {
        return Err(unfit(&why));
    }
    match world.core.store().ping().await {
        Ok(()) => Ok(reply::text(StatusCode::OK, "text/plain; charset=utf-8", Bytes::from_static(b"ready\n"))),
        Err(error) => {
            let mut problem = Problem::new(Code::NotReady, "the database does not answer");
            problem.cause = Some(error.to_string());
            Err(problem)
        }
    }
}

/// The tables are not those of the schema.
fn unfit(why: &str) -> Box<Problem> {
    Problem::new(Code::SchemaOutdated, format!("the tables do not fit this node's schema: {why}"))
}

fn kind(route: &Route<'_>, method: &Method) -> Kind {
    match (route, method.as_str()) {
        (Route::Collection { .. }, "GET" | "HEAD") | (Route::Query, "POST") => Kind::List,
        (Route::Collection { .. }, "POST") => Kind::Create,
        (Route::Record { .. } | Route::Unique { .. }, "GET" | "HEAD") => Kind::Read,
        (Route::Collection { .. } | Route::Record { .. } | Route::Unique { .. }, "PATCH") => Kind::Update,
        (Route::Collection { .. } | Route::Record { .. } | Route::Unique { .. }, "DELETE") => Kind::Delete,
        (Route::Changes, _) => Kind::Changes,
        _ => Kind::Other,
    }
}

fn method_not_allowed(route: &Route<'_>, method: &Method) -> Box<Problem> {
    let put = *method == Method::PUT && matches!(route, Route::Record { .. } | Route::Unique { .. });
    let hint = put.then(|| "PATCH changes a record: send the fields that change".into());
    let mut problem = Problem::new(Code::MethodNotAllowed, format!("{method} is not allowed here")).hint(hint);
    problem.allow = Some(route.allow());
    problem
}

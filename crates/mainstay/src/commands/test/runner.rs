//! Tests run: a fresh database each, its requests one after the other, and what each clause of the rules came to.
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use mainstay_auth::{NewToken, SigningKey, TokenMaker, random_secret};
use mainstay_core::{Core, Covered, Request, Verdict};
use mainstay_schema::{CollectionId, Schema};
use serde_json::Value as Json;
use tempfile::TempDir;

use super::{
    callers::TTL_S,
    compare::{differences, shown},
    coverage::Coverage,
    file::{Step, Test, TestFile},
    given::Given,
    report::{Failed, Tested},
    wire::{self, Reply, Server},
};
use crate::{
    commands::{
        explain::text::{self as explain_text, Paint},
        token::now_micros,
    },
    failure::Failure,
    project::Project,
};

/// Records by their keys.
type Keys = BTreeSet<(CollectionId, String)>;

/// Runs tests.
pub(super) struct Runner<'a> {
    pub(super) project: &'a Project,
    pub(super) schema: Arc<Schema>,
    pub(super) tokens: TokenMaker,
    secret: String,
    pub(super) folder: TempDir,
    /// Databases with the same records, made once: by what is in them.
    pub(super) templates: BTreeMap<String, PathBuf>,
    pub(super) databases: usize,
    pub(super) coverage: Coverage,
    /// Whether each request is explained before it is sent.
    pub(super) explained: bool,
}

/// A test that runs.
struct Running<'a> {
    file: &'a TestFile,
    server: Server,
    folder: PathBuf,
    time: Option<i64>,
    given: Given,
}

/// A request with its values put in.
struct Call {
    method: &'static str,
    path: String,
    body: Option<Json>,
    request: Request,
    headers: Vec<(String, String)>,
}

impl Call {
    fn bytes(&self) -> Vec<u8> {
        self.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default()
    }
}

impl<'a> Runner<'a> {
    pub(super) fn new(project: &'a Project, schema: Arc<Schema>) -> Result<Runner<'a>, Failure> {
        let keys = |error: &dyn std::fmt::Display| Failure::new("keys", error.to_string());
        let secret = random_secret().map_err(|error| keys(&error))?;
        let tokens = TokenMaker::new(&SigningKey::Secret(&secret), &schema.claims).map_err(|error| keys(&error))?;
        let folder = tempfile::Builder::new().prefix("mainstay-test-").tempdir();
        let folder = folder.map_err(|error| Failure::io("a folder for the databases", &error))?;
        let (templates, coverage) = (BTreeMap::new(), Coverage::default());
        Ok(Runner { project, schema, tokens, secret, folder, templates, databases: 0, coverage, explained: false })
    }

    /// Runs one test. Fails when it cannot be run; a test that fails is a result.
    pub(super) async fn run(&mut self, file: &TestFile, test: &Test) -> Result<Tested, Failure> {
        let folder = self.database(file, test).await?;
        let server = Server::start(self.project, &self.schema, &folder, &self.secret).await?;
        self.coverage.note_clauses(&server.core);
        let mut running = Running { file, server, folder, time: test.time, given: Given::default() };
        let mut tested = Tested {
            file: file.name.clone(),
            line: test.line,
            name: test.name.clone(),
            passed: true,
            requests: 0,
            failure: None,
        };
        for step in &test.steps {
            tested.requests += 1;
            tested.failure = self.step(&mut running, step).await?;
            if tested.failure.is_some() {
                tested.passed = false;
                break;
            }
        }
        running.server.stop().await;
        Ok(tested)
    }

    /// Sends one request; what is not as expected comes back.
    async fn step(&mut self, running: &mut Running<'_>, step: &Step) -> Result<Option<Failed>, Failure> {
        let call = match self.call(running, step) {
            Ok(call) => call,
            Err(reason) => return Ok(Some(failed(step, &step.path, vec![reason?], String::new()))),
        };
        let answer = match step.answer.as_ref().map(|answer| running.given.json(answer)).transpose() {
            Ok(answer) => answer,
            Err(reason) => return Ok(Some(failed(step, &call.path, vec![reason], String::new()))),
        };
        let foreseen = if self.explained { Some(self.foreseen(running, &call).await?) } else { None };
        let reply = self.observed(running, &call).await?;
        let mut differences = differences(step, answer.as_ref(), &reply);
        if let Some((status, why)) = foreseen.filter(|(status, _)| *status != reply.status) {
            differences.push(format!("explain foresees {status}{why}, the answer is {}", reply.status));
        }
        if !differences.is_empty() {
            let body = if reply.json.is_null() { shown(&Json::String(reply.text)) } else { shown(&reply.json) };
            let mut failed = failed(step, &call.path, differences, body);
            if [401, 403, 404].contains(&reply.status) {
                failed.why = why(&running.server.core, &call).await;
            }
            return Ok(Some(failed));
        }
        if let Some(name) = &step.keep {
            running.given.keep(name, reply.json);
        }
        Ok(None)
    }

    /// The status that explaining a request foresees, and why: over the same database, where nothing is written.
    async fn foreseen(&self, running: &Running<'_>, call: &Call) -> Result<(u16, String), Failure> {
        let (store, core) = wire::explaining_core(self.project, &self.schema, &running.folder)?;
        let body = call.bytes();
        let asked = mainstay_http::Asked { address: &call.path, headers: &call.headers, body: &body, runs: 0 };
        let explained = mainstay_http::explain(&core, &call.request, &asked).await;
        store.close();
        let why = |why: Option<String>| why.map(|why| format!(" ({why})")).unwrap_or_default();
        Ok(match explained {
            Ok(explained) => (explained.status, why(explained.explanation.refused)),
            Err(refused) => (refused.status, why(Some(refused.message))),
        })
    }

    /// The request with its values put in; the inner reason is a value that is not there.
    fn call(&self, running: &Running<'_>, step: &Step) -> Result<Call, Result<String, Failure>> {
        let given = &running.given;
        let time = step.time.or(running.time);
        match time {
            Some(time) => running.server.app.freeze(time),
            None => running.server.app.freeze(now_micros()),
        }
        let time_micros = time.unwrap_or_else(now_micros);
        let path = given.text(&step.path).map_err(Ok)?;
        let body = step.body.as_ref().map(|body| given.json(body)).transpose().map_err(Ok)?;
        let mut headers = Vec::new();
        for (name, value) in &step.headers {
            headers.push((name.clone(), given.text(value).map_err(Ok)?));
        }
        let declares_type = step.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        if body.is_some() && !declares_type {
            headers.push(("content-type".into(), "application/json".into()));
        }
        let token = self.token(running.file, step, false, time_micros).map_err(Err)?;
        headers.extend(token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
        let caller = self.caller(&running.server, running.file, step, time_micros).map_err(Err)?;
        let request = Request {
            caller,
            time_micros,
            ip: "127.0.0.1".into(),
            method: step.method.into(),
            host: "localhost".into(),
            id: None,
            once: None,
        };
        Ok(Call { method: step.method, path, body, request, headers })
    }

    /// Sends a request and notes what the clauses of the rules that it asks come to.
    async fn observed(&mut self, running: &Running<'_>, call: &Call) -> Result<Reply, Failure> {
        if call.request.caller.is_admin() {
            return self.send(&running.server, call, &call.headers).await;
        }
        let core = &running.server.core;
        let covered = mainstay_http::coverage(core, &call.request, &call.path, &call.bytes()).await;
        let writes = !["GET", "DELETE"].contains(&call.method);
        let before = if covered.makes { keys(core).await } else { Keys::new() };
        let reply = self.send(&running.server, call, &call.headers).await?;
        if reply.status >= 500 || [400, 409, 412].contains(&reply.status) {
            return Ok(reply);
        }
        // A link to a hidden record is refused before a rule is asked, which would refuse as well.
        if reply.status != 422 {
            self.coverage.add(&covered.seen);
        }
        if writes && reply.status < 300 {
            self.after(core, call, &covered, &before).await;
        } else if writes {
            self.as_if(running, call, &covered, &before).await?;
        }
        Ok(reply)
    }

    async fn send(&self, server: &Server, call: &Call, headers: &[(String, String)]) -> Result<Reply, Failure> {
        let body = call.body.is_some().then(|| call.bytes());
        server.send(call.method, &call.path, headers, body.as_deref()).await
    }

    /// Notes what the rules come to of the records as a write has left them.
    async fn after(&mut self, core: &Core, call: &Call, covered: &Covered, before: &Keys) {
        let behind = if covered.makes { keys(core).await } else { Keys::new() };
        for (collection, id) in behind.difference(before) {
            let seen = core.created_coverage(&call.request, *collection, id).await;
            self.coverage.add(&seen.unwrap_or_default());
        }
        let seen = core.changed_coverage(&call.request, &covered.changing).await;
        self.coverage.add(&seen.unwrap_or_default());
    }

    /// A write that a rule refused, done all the same in a copy of the database: which clauses do not hold of what it would make?
    async fn as_if(
        &mut self,
        running: &Running<'_>,
        call: &Call,
        covered: &Covered,
        before: &Keys,
    ) -> Result<(), Failure> {
        // What is refused leaves no trace, so that the copy holds what was there before.
        let folder = self.copy(&running.folder)?;
        let server = Server::start(self.project, &self.schema, &folder, &self.secret).await?;
        server.app.freeze(call.request.time_micros);
        let id = call.request.caller.identity().map_or("anonymous", |identity| &identity.id);
        let new = NewToken { sub: id, admin: true, ttl_s: TTL_S, ..NewToken::default() };
        let token = self.tokens.make(&new, call.request.time_micros);
        let token = token.map_err(|error| running.file.failure(0, error))?;
        let mut headers: Vec<_> = call.headers.iter().filter(|(name, _)| name != "authorization").cloned().collect();
        headers.push(("authorization".into(), format!("Bearer {token}")));
        let reply = self.send(&server, call, &headers).await?;
        if reply.status < 300 {
            self.after(&server.core, call, covered, before).await;
        }
        server.stop().await;
        Ok(())
    }
}

/// The records where making one asks a clause.
async fn keys(core: &Core) -> Keys {
    core.keys_covered().await.unwrap_or_default()
}

fn failed(step: &Step, path: &str, differences: Vec<String>, answered: String) -> Failed {
    let request = format!("{} {path} as {}", step.method, step.caller);
    Failed { line: step.line, request, differences, answered, why: Vec::new() }
}

/// The rules that refuse, with their clauses and values.
async fn why(core: &Core, call: &Call) -> Vec<String> {
    let body = call.bytes();
    let asked = mainstay_http::Asked { address: &call.path, headers: &call.headers, body: &body, runs: 0 };
    let Ok(explained) = mainstay_http::explain(core, &call.request, &asked).await else {
        return Vec::new();
    };
    let refusing = explained.explanation.rules.iter().filter(|rule| rule.outcome != Verdict::True);
    refusing
        .flat_map(|rule| explain_text::rule(rule, Paint::PLAIN).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

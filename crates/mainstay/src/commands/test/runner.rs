//! Tests run: a fresh database each, its requests one after the other, and what each clause of the rules came to.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use mainstay_auth::{NewToken, SigningKey, TokenMaker, random_secret};
use mainstay_core::{
    AdminPass, Answer, Caller, Core, List, Operation, Request, Sort, Verdict,
    import::{Options, Report},
};
use mainstay_schema::{CollectionId, Schema};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{
    compare::{differences, shown},
    coverage::Coverage,
    file::{Step, Test, TestFile, Who},
    given::Given,
    report::{Failed, Tested},
    wire::{self, DATABASE, Reply, Server},
};
use crate::{
    commands::{
        explain::text::{self as explain_text, Paint},
        token::now_micros,
    },
    database::{Allowed, Way},
    failure::{Detail, Failure},
    loading,
    project::Project,
};

/// How long the callers' tokens hold.
const TTL_S: u32 = 3_600;

/// Records of one page, where the keys of a collection are looked at.
const KEYS_PAGE: u32 = 1_000;

/// Runs tests.
pub(super) struct Runner<'a> {
    project: &'a Project,
    schema: Arc<Schema>,
    tokens: TokenMaker,
    secret: String,
    folder: TempDir,
    /// Databases with the same records, made once: by what is in them.
    templates: BTreeMap<String, PathBuf>,
    databases: usize,
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

    /// A folder with a database that holds what the test begins with.
    async fn database(&mut self, file: &TestFile, test: &Test) -> Result<PathBuf, Failure> {
        let key = json!([test.seed, test.records]).to_string();
        let template = match self.templates.get(&key) {
            Some(template) => template.clone(),
            None => {
                let folder = self.fresh()?;
                self.fill(file, test, &folder).await?;
                self.templates.insert(key, folder.clone());
                folder
            }
        };
        self.copy(&template)
    }

    fn fresh(&mut self) -> Result<PathBuf, Failure> {
        self.databases += 1;
        let folder = self.folder.path().join(self.databases.to_string());
        fs::create_dir_all(&folder).map_err(|error| Failure::io(folder.display(), &error))?;
        Ok(folder)
    }

    fn copy(&mut self, from: &Path) -> Result<PathBuf, Failure> {
        let folder = self.fresh()?;
        // The log first: what is brought into the file meanwhile is in both then.
        for ending in ["-wal", ""] {
            let name = format!("{DATABASE}{ending}");
            if from.join(&name).exists() {
                let copied = fs::copy(from.join(&name), folder.join(&name));
                copied.map_err(|error| Failure::io("the copy of a database", &error))?;
            }
        }
        Ok(folder)
    }

    /// Makes the tables and loads the records.
    async fn fill(&self, file: &TestFile, test: &Test, folder: &Path) -> Result<(), Failure> {
        let (store, core) = wire::core(self.project, &self.schema, folder)?;
        Way::to_schema(&store, &self.schema)?.apply(&store, Allowed::ALL)?;
        let mut sources = Vec::new();
        for name in &test.seed {
            let path = self.seed_file(file, test, name)?;
            sources.push(loading::source(&path, name, None, None, &self.schema)?);
        }
        if !test.records.is_empty() {
            let path = folder.join("records.json");
            fs::write(&path, json!(test.records).to_string()).map_err(|error| Failure::io("records", &error))?;
            sources.push(loading::source(&path, "records", None, None, &self.schema)?);
        }
        let pass = AdminPass::for_command("the records of a rule test");
        let loaded = match sources.is_empty() {
            true => Ok(Report::default()),
            false => loading::load(&core, pass, sources, &Options::default(), &mut |_| {}).await,
        };
        store.close();
        let report = loaded?;
        if report.errors.is_empty() {
            return Ok(());
        }
        let json = serde_json::to_value(&report).unwrap_or_default();
        let failure = file.failure(test.line, "the records to begin with cannot be loaded");
        Err(failure.detail(Detail::Lines(loading::lines(&report), json)))
    }

    fn seed_file(&self, file: &TestFile, test: &Test, name: &str) -> Result<PathBuf, Failure> {
        let path = self.project.path(name);
        if path.is_file() {
            return Ok(path);
        }
        let known = self.project.folder_files("seed", &["json", "ndjson", "jsonl", "csv"])?;
        let hint = match mainstay_schema::nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("do you mean \"{near}\"?"),
            None => "paths begin at the project's folder".to_owned(),
        };
        Err(file.failure(test.line, format!("there is no seed file \"{name}\"")).hint(hint))
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

    /// The token of the step's caller; `as_admin`: of the same person with the right to do everything.
    fn token(&self, file: &TestFile, step: &Step, as_admin: bool, now: i64) -> Result<Option<String>, Failure> {
        if step.caller == "anonymous" && !as_admin {
            return Ok(None);
        }
        let admin = Who { admin: true, ..Who::default() };
        let who = file.callers.get(&step.caller).unwrap_or(&admin);
        let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let claims: Vec<(String, String)> =
            who.claims.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let new = NewToken {
            sub: who.id.as_deref().unwrap_or(&step.caller),
            roles: &who.roles,
            claims: &claims,
            admin: who.admin || as_admin,
            ttl_s: TTL_S,
        };
        self.tokens
            .make(&new, now)
            .map(Some)
            .map_err(|error| file.failure(step.line, format!("the caller \"{}\": {error}", step.caller)))
    }

    /// The caller as the server will know it.
    fn caller(&self, server: &Server, file: &TestFile, step: &Step, now: i64) -> Result<Caller, Failure> {
        match self.token(file, step, false, now)? {
            None => Ok(Caller::Anonymous),
            Some(token) => server
                .authenticator
                .authenticate_token(&token, now)
                .map_err(|error| file.failure(step.line, format!("the caller \"{}\": {error}", step.caller))),
        }
    }

    /// Sends a request and notes what the clauses of the rules that it asks come to.
    async fn observed(&mut self, running: &Running<'_>, call: &Call) -> Result<Reply, Failure> {
        if call.request.caller.is_admin() {
            return self.send(&running.server, call, &call.headers).await;
        }
        let core = &running.server.core;
        let asked = asked(call);
        let mut seen = Vec::new();
        for part in &asked {
            seen.extend(part.coverage(core, &call.request).await);
        }
        let writes = call.method != "GET";
        let before = if writes { keys(core).await } else { BTreeSet::new() };
        let copy = if writes { Some(self.copy(&running.folder)?) } else { None };
        let reply = self.send(&running.server, call, &call.headers).await?;
        if reply.status >= 500 || [400, 409, 412].contains(&reply.status) {
            return Ok(reply);
        }
        // A link to a hidden record is refused before a rule is asked, which would refuse as well.
        if reply.status != 422 {
            self.coverage.add(&seen);
        }
        if reply.status < 300 && writes {
            self.after(core, call, &asked, &before).await;
        } else if let Some(folder) = copy.filter(|_| call.method != "DELETE") {
            self.as_if(running, call, &asked, &before, &folder).await?;
        }
        Ok(reply)
    }

    async fn send(&self, server: &Server, call: &Call, headers: &[(String, String)]) -> Result<Reply, Failure> {
        let body = call.body.is_some().then(|| call.bytes());
        server.send(call.method, &call.path, headers, body.as_deref()).await
    }

    /// Notes what the rules come to of the records as a write has left them.
    async fn after(&mut self, core: &Core, call: &Call, asked: &[Asked], before: &BTreeSet<(u32, String)>) {
        for (collection, id) in keys(core).await.difference(before) {
            let seen = core.created_coverage(&call.request, CollectionId(*collection), id).await;
            self.coverage.add(&seen.unwrap_or_default());
        }
        for part in asked.iter().filter(|part| part.method == "PATCH") {
            let seen = part.coverage(core, &call.request).await;
            self.coverage.add(&seen);
        }
    }

    /// A write that a rule refused, done all the same in a copy of the database: which clauses do not hold of what it would make?
    async fn as_if(
        &mut self,
        running: &Running<'_>,
        call: &Call,
        asked: &[Asked],
        before: &BTreeSet<(u32, String)>,
        folder: &Path,
    ) -> Result<(), Failure> {
        let server = Server::start(self.project, &self.schema, folder, &self.secret).await?;
        server.app.freeze(call.request.time_micros);
        let id = call.request.caller.identity().map_or("anonymous", |identity| &identity.id);
        let new = NewToken { sub: id, admin: true, ttl_s: TTL_S, ..NewToken::default() };
        let token = self.tokens.make(&new, call.request.time_micros);
        let token = token.map_err(|error| running.file.failure(0, error))?;
        let mut headers: Vec<_> = call.headers.iter().filter(|(name, _)| name != "authorization").cloned().collect();
        headers.push(("authorization".into(), format!("Bearer {token}")));
        let reply = self.send(&server, call, &headers).await?;
        if reply.status < 300 {
            self.after(&server.core, call, asked, before).await;
        }
        server.stop().await;
        Ok(())
    }
}

/// A call whose rules are asked: the request itself, or an operation of a batch.
struct Asked {
    method: &'static str,
    path: String,
    body: Vec<u8>,
}

impl Asked {
    async fn coverage(&self, core: &Core, request: &Request) -> Vec<mainstay_core::ClauseSeen> {
        let request = Request { method: self.method.into(), ..request.clone() };
        mainstay_http::coverage(core, &request, &self.path, &self.body).await
    }
}

/// What a request asks the rules of, as far as it is about records that are there.
fn asked(call: &Call) -> Vec<Asked> {
    let own = Asked { method: call.method, path: call.path.clone(), body: call.bytes() };
    if call.path != "/api/batch" {
        return vec![own];
    }
    let operations = call.body.as_ref().and_then(|body| body.get("ops")?.as_array());
    operations.into_iter().flatten().filter_map(operation).collect()
}

fn operation(operation: &Json) -> Option<Asked> {
    let text = |name: &str| operation.get(name)?.as_str();
    let collection = text("in")?;
    let body = operation.get("data").map_or_else(Vec::new, |data| data.to_string().into_bytes());
    let method = match text("op")? {
        "create" => return Some(Asked { method: "POST", path: format!("/api/{collection}"), body }),
        "update" => "PATCH",
        "delete" => "DELETE",
        _ => return None,
    };
    let path = match (text("id"), operation.get("by").and_then(Json::as_object)) {
        (Some(id), _) => format!("/api/{collection}/{id}"),
        (None, Some(by)) => {
            let fields: Vec<&str> = by.keys().map(String::as_str).collect();
            let values: Vec<&str> = by.values().filter_map(Json::as_str).collect();
            format!("/api/{collection}/by/{}/{}", fields.join(","), values.join(","))
        }
        _ => return None,
    };
    Some(Asked { method, path, body })
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

/// The keys of all records.
async fn keys(core: &Core) -> BTreeSet<(u32, String)> {
    let mut keys = BTreeSet::new();
    for collection in core.schema().collections.iter().filter(|collection| collection.system.id.is_some()) {
        let mut after = None;
        loop {
            let list = List {
                collection: collection.id,
                filter: Vec::new(),
                params: Vec::new(),
                sort: Vec::<Sort>::new(),
                selection: None,
                limit: Some(KEYS_PAGE.min(core.limits().page_max)),
                after: after.take(),
                count: false,
            };
            let request = Request {
                caller: Caller::Admin(AdminPass::for_command("a rule test looks at what is there")),
                time_micros: 0,
                ip: "".into(),
                method: "GET".into(),
                host: "".into(),
                id: None,
                once: None,
            };
            let Ok(Answer::Page(page)) = core.run(&request, Operation::List(list)).await else { break };
            let json: Json = serde_json::from_slice(&page.json).unwrap_or_default();
            let items = json.get("items").and_then(Json::as_array).into_iter().flatten();
            let ids = items.filter_map(|item| item.get("id")?.as_str());
            keys.extend(ids.map(|id| (collection.id.0, id.to_owned())));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    keys
}

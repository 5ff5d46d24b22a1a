//! Runs the binary: once, or as a server that is stopped in the end.
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Condvar, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mainstay_test_db::{Engine, TestDatabase, beside, engine};
use reqwest::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before it is called hung.
const HUNG: Duration = Duration::from_secs(60);

/// A project in a folder of its own; free ports, and none of our settings from outside. Its database is in the folder, or on
/// the server of the run.
pub(crate) struct Project {
    folder: TempDir,
    variables: Vec<(String, String)>,
    /// Made when it is needed first.
    database: OnceLock<TestDatabase>,
}

/// The file of an embedded database.
const FILE: &str = "data/mainstay.db";
/// The setting that says where the database is.
const DATABASE: &str = "MAINSTAY_DATABASE_URL";

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    /// An empty folder.
    pub(crate) fn empty() -> Project {
        let variables = vec![("MAINSTAY_SERVER_LISTEN".to_owned(), "127.0.0.1:0".to_owned())];
        Project { folder: TempDir::new().unwrap(), variables, database: OnceLock::new() }
    }

    /// A project with this schema.
    pub(crate) fn with_schema(schema: &str) -> Project {
        let project = Project::empty();
        project.write("schema.graphql", schema);
        project
    }

    /// The same, with its tables.
    pub(crate) fn applied(schema: &str) -> Project {
        let project = Project::with_schema(schema);
        project.ok(&["apply", "--yes"]);
        project
    }

    /// A copy of the example.
    pub(crate) fn skillmap() -> Project {
        Project::template("skillmap")
    }

    /// A copy of one of the examples.
    pub(crate) fn template(name: &str) -> Project {
        let project = Project::empty();
        let ran = project.run(&["new", ".", "--template", name]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        project
    }

    /// The same with a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Project {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its database on a server.
    fn database(&self) -> &TestDatabase {
        self.database.get_or_init(|| TestDatabase::on(Engine::Postgres))
    }

    /// Runs SQL in its database, beside the program.
    pub(crate) fn sql(&self, sql: &str) {
        match engine() {
            Engine::Sqlite => beside::execute(&self.path(FILE), sql),
            Engine::Postgres => self.database().execute(sql),
        }
    }

    /// Rows of its database, asked for in the words of each engine.
    pub(crate) fn rows(&self, sqlite: &str, postgres: &str) -> Vec<Vec<Option<String>>> {
        match engine() {
            Engine::Sqlite => beside::rows(&self.path(FILE), sqlite),
            Engine::Postgres => self.database().rows(postgres),
        }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // In place at once, as editors do it.
        let beside = path.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::rename(&beside, &path).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_of(env!("CARGO_BIN_EXE_mainstay"));
        command.args(arguments);
        command
    }

    /// A program in the project's folder, with its settings.
    pub(crate) fn command_of(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MAINSTAY_")) {
            command.env_remove(name);
        }
        if engine() == Engine::Postgres {
            command.env(DATABASE, self.database().url());
        }
        command.current_dir(self.folder.path()).envs(self.variables.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments))
    }

    /// The same with another database.
    pub(crate) fn run_at(&self, url: &str, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.env(DATABASE, url);
        ran(command)
    }

    /// Starts a command that serves with another database, and waits for its address.
    pub(crate) fn start_at(&self, url: &str, arguments: &[&str]) -> Server {
        let mut command = self.command(arguments);
        command.env(DATABASE, url);
        let server = Server::of(command);
        server.wait_for("listening on ");
        server
    }

    /// Runs a command that must succeed, and gives what it prints.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran.stdout
    }

    /// The JSON of a command, with its exit code.
    pub(crate) fn json(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let ran = self.run(&[arguments, &["--json"]].concat());
        let json = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        (ran.code, json)
    }

    /// A token for somebody.
    pub(crate) fn token(&self, arguments: &[&str]) -> String {
        self.ok(&[&["token"], arguments].concat()).trim().to_owned()
    }

    /// Starts a command that serves, and waits for its address.
    pub(crate) fn start(&self, arguments: &[&str]) -> Server {
        let server = self.spawn(arguments);
        server.wait_for("listening on ");
        server
    }

    /// Starts a command.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Server {
        Server::of(self.command(arguments))
    }
}

fn ran(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

impl Server {
    /// A command that was started, with its outputs collected.
    pub(crate) fn of(mut command: Command) -> Server {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Said::default());
        collect(child.stdout.take().unwrap(), said.clone());
        collect(child.stderr.take().unwrap(), said.clone());
        Server { child, said, client: reqwest::Client::new() }
    }
}

/// What a server has said so far, on both of its outputs.
#[derive(Default)]
struct Said {
    lines: Mutex<Vec<String>>,
    more: Condvar,
    /// How many of the two outputs have ended.
    ended: AtomicUsize,
}

fn collect(from: impl Read + Send + 'static, said: Arc<Said>) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            said.lines.lock().unwrap().push(line);
            said.more.notify_all();
        }
        let _lines = said.lines.lock().unwrap();
        said.ended.fetch_add(1, Ordering::SeqCst);
        said.more.notify_all();
    });
}

/// A running server; killed when the test is over.
pub(crate) struct Server {
    child: Child,
    said: Arc<Said>,
    client: reqwest::Client,
}

impl Server {
    /// Waits for a line that holds this text, and gives it.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let end = Instant::now() + HUNG;
        let mut lines = self.said.lines.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            assert!(self.said.ended.load(Ordering::SeqCst) < 2, "it ended and never said {text:?}, but: {lines:#?}");
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it never said {text:?}, but: {lines:#?}");
            lines = self.said.more.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// Waits until what it has said fits.
    pub(crate) fn wait_until(&self, what: &str, fits: impl Fn(&str) -> bool) {
        let end = Instant::now() + HUNG;
        let mut lines = self.said.lines.lock().unwrap();
        while !fits(&lines.join("\n")) {
            assert!(self.said.ended.load(Ordering::SeqCst) < 2, "it ended and never said {what}, but: {lines:#?}");
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it never said {what}, but: {lines:#?}");
            lines = self.said.more.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// All that it has said.
    pub(crate) fn said(&self) -> String {
        self.said.lines.lock().unwrap().join("\n")
    }

    /// Where it listens: `http://127.0.0.1:4711`.
    pub(crate) fn address(&self) -> String {
        let line = self.wait_for("listening on ");
        line.split("listening on ").nth(1).unwrap().trim().to_owned()
    }

    /// Asks; the path may bring a query of its own.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)], token: Option<&str>) -> (StatusCode, Value) {
        let mut request = self.client.get(format!("{}{path}", self.address())).query(query);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        answer(request).await
    }

    /// Creates.
    pub(crate) async fn post(&self, path: &str, body: &Value, token: Option<&str>) -> (StatusCode, Value) {
        let mut request = self.client.post(format!("{}{path}", self.address())).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        answer(request).await
    }

    /// Changes.
    pub(crate) async fn patch(&self, path: &str, body: &Value, token: Option<&str>) -> (StatusCode, Value) {
        let mut request = self.client.patch(format!("{}{path}", self.address())).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        answer(request).await
    }

    /// Deletes.
    pub(crate) async fn delete(&self, path: &str) -> (StatusCode, Value) {
        answer(self.client.delete(format!("{}{path}", self.address()))).await
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal: `TERM`, `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end, and until all that it has said is here.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let ended = self.child.wait().unwrap();
        let lines = self.said.lines.lock().unwrap();
        let talking = |_: &mut Vec<String>| self.said.ended.load(Ordering::SeqCst) < 2;
        let (lines, late) = self.said.more.wait_timeout_while(lines, HUNG, talking).unwrap();
        assert!(!late.timed_out(), "its outputs stayed open, and said: {lines:#?}");
        ended
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The example's facts, as they are in its seed.
pub(crate) fn facts() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/skillmap/seed/skillmap.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

//! Which engine the tests run on, and which tests are about one of them alone.
use std::{env, fs::OpenOptions, io::Write as _, thread};

/// The engine of this run.
const ENGINE_VARIABLE: &str = "MAINSTAY_TEST_ENGINE";
/// The file that is told which tests were left out.
const LEFT_OUT_VARIABLE: &str = "MAINSTAY_TEST_LEFT_OUT";

/// An engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Engine {
    /// Its name, as the environment says it.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgres",
        }
    }
}

/// The engine that the tests of this run are for.
pub fn engine() -> Engine {
    match env::var(ENGINE_VARIABLE).as_deref() {
        Err(_) | Ok("" | "sqlite") => Engine::Sqlite,
        Ok("postgres") => Engine::Postgres,
        Ok(other) => panic!("{ENGINE_VARIABLE}: no engine named \"{other}\": \"sqlite\" or \"postgres\""),
    }
}

/// Whether a test that is about one engine alone runs now. Where it does not, that is counted, with the reason.
pub fn is_for(of: Engine, reason: &str) -> bool {
    let runs = engine() == of;
    if !runs && let Some(file) = env::var_os(LEFT_OUT_VARIABLE) {
        let mut file = OpenOptions::new().create(true).append(true).open(file).expect("the list of tests left out");
        let name = thread::current().name().unwrap_or("a test").to_owned();
        // One write, so that the lines of several processes stay whole.
        file.write_all(format!("{} only: {name}: {reason}\n", of.name()).as_bytes()).expect("a line in the list");
    }
    runs
}

/// Ends a test that is about SQLite alone where another engine runs: `sqlite_only!("damages its file")`.
#[macro_export]
macro_rules! sqlite_only {
    ($reason:literal) => {
        if !$crate::is_for($crate::Engine::Sqlite, $reason) {
            return;
        }
    };
}

/// Ends a test that is about PostgreSQL alone where another engine runs: `postgres_only!("cuts its connections")`.
#[macro_export]
macro_rules! postgres_only {
    ($reason:literal) => {
        if !$crate::is_for($crate::Engine::Postgres, $reason) {
            return;
        }
    };
}

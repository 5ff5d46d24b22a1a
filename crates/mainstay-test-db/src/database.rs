//! The database of one test.
use std::path::{Path, PathBuf};

use mainstay_store::{Location, Pgbouncer, Settings};
use tempfile::TempDir;

use crate::{Engine, Held, beside, engine, server};

/// Connections of a store: several tests run at the same time on one server.
const CONNECTIONS: usize = 8;

/// An empty database that is the test's own, until the value is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    folder: TempDir,
    /// Its name on the server; `None` for a file.
    name: Option<String>,
}

impl TestDatabase {
    /// An empty database on the engine of this run.
    #[expect(clippy::new_without_default, reason = "it makes something outside of the process")]
    pub fn new() -> TestDatabase {
        TestDatabase::on(engine())
    }

    /// An empty database on a certain engine.
    pub fn on(engine: Engine) -> TestDatabase {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let name = (engine == Engine::Postgres).then(server::take);
        TestDatabase { folder, name }
    }

    /// How a store opens it: the defaults, but a commit does not wait for the disk, and connections are few.
    pub fn settings(&self) -> Settings {
        let at = match &self.name {
            Some(name) => Location::Postgres(server::pooled_url(name).unwrap_or_else(|| server::url(name))),
            None => Location::File(self.file()),
        };
        let mut settings = Settings { durable: false, ..Settings::of(at) };
        settings.postgres.connections = CONNECTIONS;
        if server::is_pooled() {
            settings.postgres.pgbouncer = Pgbouncer::Transaction;
        }
        settings
    }

    /// What `[database] url` says of it.
    pub fn url(&self) -> String {
        match &self.name {
            Some(name) => server::url(name),
            None => format!("sqlite:{}", self.file().display()),
        }
    }

    /// A folder of the test's own, with the database in it where that is a file.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of the embedded database.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("data/test.db")
    }

    /// Runs SQL beside whoever has it open; several statements may stand behind each other.
    pub fn execute(&self, sql: &str) {
        match &self.name {
            Some(name) => drop(server::rows(name, sql)),
            None => beside::execute(&self.file(), sql),
        }
    }

    /// Runs SQL in a transaction that stays open until the value is dropped; on PostgreSQL alone.
    pub fn hold(&self, sql: &str) -> Held {
        let name = self.name.clone().expect("an embedded database has one writer");
        Held::begin(name, sql.to_owned())
    }

    /// Asks beside whoever has it open: rows of texts, as the engine writes them.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        match &self.name {
            Some(name) => server::rows(name, sql),
            None => beside::rows(&self.file(), sql),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            server::give_back(name);
        }
    }
}

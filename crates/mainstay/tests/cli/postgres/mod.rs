//! A PostgreSQL as others set it up: certificates, passwords, rights, limits.
mod crowded;
mod pooled;
mod standby;
mod start;
mod tls;

use mainstay_servers::{Keeps, Postgres};
use tempfile::TempDir;

use crate::support::{Project, Ran};

const SCHEMA: &str = r#"type Note @rules(read: "true", write: "true") { text: String! }"#;

/// A server of the test's own, stopped before its folder goes.
struct Site {
    server: Postgres,
    _folder: TempDir,
}

impl Site {
    fn new() -> Site {
        let folder = TempDir::new().unwrap();
        let server = Postgres::start(folder.path(), Keeps::Promises).unwrap();
        Site { server, _folder: folder }
    }

    /// Opens a database of it as this user (`name` or `name:password`), with what stands behind the `?` of the address.
    fn open(&self, user: &str, host: &str, database: &str, query: &str) -> Ran {
        let url = format!("postgres://{user}@{host}:{}/{database}?{query}", self.server.port());
        open(&url)
    }
}

/// Lists the nodes of a database, for which it is opened as for everything else.
fn open(url: &str) -> Ran {
    Project::with_schema(SCHEMA).env("MAINSTAY_DATABASE_URL", url).run(&["apply", "--yes"])
}

/// It is opened, or the reason why not holds these words; a password is never told.
fn check(ran: &Ran, refused: Option<&str>, case: &str) {
    match refused {
        None => assert_eq!(ran.code, Some(0), "{case}: {ran:?}"),
        Some(words) => assert!(ran.code == Some(1) && ran.stderr.contains(words), "{case}: {ran:?}"),
    }
    assert!(!ran.stderr.contains("geheim"), "{case}: {ran:?}");
}

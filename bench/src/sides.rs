//! The two servers: how each is prepared, started and addressed.
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Outcome,
    postgres::Database,
    process::{Process, free_address, run},
    project,
};

/// Threads that serve requests, in both.
pub const WORKERS: &str = "2";

/// Connections to PostgreSQL of each process, in both; Mainstay's default.
pub const CONNECTIONS: usize = 16;

/// The hand-written server, with its database in a folder of its own.
#[derive(Clone, Debug)]
pub struct Yardstick {
    binary: PathBuf,
    folder: PathBuf,
    rows: u64,
}

impl Yardstick {
    /// Where its records are.
    pub const PATH: &str = "/messages";

    /// A yardstick that will fill its table up to so many rows when it starts first.
    pub fn new(binary: &Path, folder: &Path, rows: u64) -> Outcome<Self> {
        fs::create_dir_all(folder)?;
        Ok(Yardstick { binary: fs::canonicalize(binary)?, folder: folder.to_owned(), rows })
    }

    /// Its database file.
    pub fn database(&self) -> PathBuf {
        self.folder.join("yardstick.db")
    }

    /// Starts it, durable as Mainstay is.
    pub fn start(&self) -> Outcome<Process> {
        let address = free_address()?;
        let mut command = Command::new(&self.binary);
        command.env("DB", self.database()).env("PORT", address.port().to_string()).env("ROWS", self.rows.to_string());
        command.env("SYNC", "FULL").env("WORKERS", WORKERS);
        Process::start(command, address, &self.folder.join("yardstick.log"))
    }
}

/// The hand-written server on PostgreSQL, in front of the table that Mainstay made.
#[derive(Clone, Debug)]
pub struct BareServer {
    binary: PathBuf,
    url: String,
    log: PathBuf,
    /// The most connections to the database.
    connections: usize,
}

impl BareServer {
    /// Where its records are.
    pub const PATH: &str = "/messages";

    /// The same, where writes leave their change in the feed.
    pub const TOLD_PATH: &str = "/told";

    /// A server on this database, which speaks into a file of this folder.
    pub fn new(binary: &Path, folder: &Path, database: &Database) -> Outcome<Self> {
        fs::create_dir_all(folder)?;
        let binary = fs::canonicalize(binary).map_err(|error| format!("no program at {binary:?}: {error}"))?;
        Ok(BareServer {
            binary,
            url: database.url().to_owned(),
            log: folder.join("bare-postgres.log"),
            connections: CONNECTIONS,
        })
    }

    /// The same with other connections to PostgreSQL.
    pub fn with_connections(self, connections: usize) -> Self {
        BareServer { connections, ..self }
    }

    /// Starts it.
    pub fn start(&self) -> Outcome<Process> {
        let address = free_address()?;
        let mut command = Command::new(&self.binary);
        command.env("DATABASE_URL", &self.url).env("PORT", address.port().to_string());
        command.env("WORKERS", WORKERS).env("CONNECTIONS", self.connections.to_string());
        Process::start(command, address, &self.log)
    }
}

/// A Mainstay with the bench's project in a folder of its own.
#[derive(Clone, Debug)]
pub struct Mainstay {
    binary: PathBuf,
    folder: PathBuf,
    /// The address of its database, where that is no file of the folder.
    url: Option<String>,
    /// The most connections to it.
    connections: usize,
}

impl Mainstay {
    /// Writes the project of the bench and has its tables made.
    pub fn prepare(binary: &Path, folder: &Path) -> Outcome<Self> {
        Mainstay::prepare_project(binary, folder, project::SCHEMA, project::SETTINGS)
    }

    /// The same of another project.
    pub fn prepare_project(binary: &Path, folder: &Path, schema: &str, settings: &str) -> Outcome<Self> {
        Mainstay::prepare_at(binary, folder, [schema, settings], None)
    }

    /// Has the tables of the bench's project made in a PostgreSQL database.
    pub fn prepare_in(binary: &Path, folder: &Path, database: &Database) -> Outcome<Self> {
        Mainstay::prepare_at(binary, folder, [project::SCHEMA, project::SETTINGS], Some(database))
    }

    fn prepare_at(
        binary: &Path,
        folder: &Path,
        [schema, settings]: [&str; 2],
        database: Option<&Database>,
    ) -> Outcome<Self> {
        project::write_into(folder, schema, settings)?;
        let binary = fs::canonicalize(binary).map_err(|error| format!("no program at {binary:?}: {error}"))?;
        let url = database.map(|database| database.url().to_owned());
        let mainstay = Mainstay { binary, folder: folder.to_owned(), url, connections: CONNECTIONS };
        run(mainstay.command().args(["apply", "--yes"]))?;
        Ok(mainstay)
    }

    /// The same with other connections to PostgreSQL.
    pub fn with_connections(self, connections: usize) -> Self {
        Mainstay { connections, ..self }
    }

    /// Its database file.
    pub fn database(&self) -> PathBuf {
        self.folder.join(project::DATABASE)
    }

    /// A bearer token for a person, good for longer than any run.
    pub fn token(&self, person: &str) -> Outcome<String> {
        Ok(run(self.command().args(["token", "--sub", person, "--ttl", "7d"]))?.trim().to_owned())
    }

    /// The same for an admin.
    pub fn admin_token(&self) -> Outcome<String> {
        Ok(run(self.command().args(["token", "--sub", "ops", "--admin", "--ttl", "7d"]))?.trim().to_owned())
    }

    /// Imports a file into a collection.
    pub fn import(&self, collection: &str, file: &Path) -> Outcome<()> {
        run(self.command().args(["import", collection]).arg(file)).map(drop)
    }

    /// Starts it.
    pub fn start(&self) -> Outcome<Process> {
        self.start_at(free_address()?)
    }

    /// Starts it there.
    pub fn start_at(&self, address: SocketAddr) -> Outcome<Process> {
        let mut command = self.command();
        command.arg("serve").env("MAINSTAY_SERVER_LISTEN", address.to_string());
        command.env("MAINSTAY_SERVER_THREADS", WORKERS);
        Process::start(command, address, &self.folder.join("mainstay.log"))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder);
        if let Some(url) = &self.url {
            command.env("MAINSTAY_DATABASE_URL", url);
            command.env("MAINSTAY_DATABASE_CONNECTIONS", self.connections.to_string());
        }
        command
    }
}

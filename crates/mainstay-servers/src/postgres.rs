//! A private PostgreSQL from Debian's package, with settings that not every server has: what depends on them shows.
use std::{
    fs::{self, Permissions},
    io,
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
};

/// Where Debian puts it, one folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The account that runs it where we are root, which it refuses to be.
const ACCOUNT: &str = "postgres";
/// How often another port is tried: somebody may take the one that was free.
const PORTS_TRIED_MAX: usize = 5;

/// How the cluster is made: its own order of texts is not that of their bytes.
const INITDB: &[&str] = &[
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--locale-provider=icu",
    "--icu-locale=en-US",
];

/// Its settings. Those of a session are what no program should count on.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 300
shared_buffers = '256MB'
max_locks_per_transaction = 256
timezone = 'Asia/Kathmandu'
datestyle = 'SQL, DMY'
intervalstyle = 'iso_8601'
bytea_output = 'escape'
extra_float_digits = 0
default_transaction_isolation = 'repeatable read'
";

/// What spares the disk, where nothing has to outlive a crash of the machine or of the server.
const FORGETFUL: &str = "
fsync = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = '4GB'
checkpoint_timeout = '1h'
autovacuum_naptime = '10min'
";

/// What a server keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// What is committed, whatever happens.
    Promises,
    /// Nothing once it has ended: for tests that do not end it.
    Nothing,
}

/// A running server; it is stopped with the value.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    account: Option<(u32, u32)>,
    port: u16,
}

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Sessions are ended, what is committed is written down.
    Fast,
    /// As a crash: the next start recovers from the log.
    Immediate,
}

/// Whether its programs are there.
pub fn is_installed() -> bool {
    programs().is_some()
}

/// The programs of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).ok()?.filter_map(|entry| {
        let version = entry.ok()?;
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let programs = version.path().join("bin");
        programs.join("initdb").is_file().then_some((number, programs))
    });
    versions.max().map(|(_, programs)| programs)
}

impl Postgres {
    /// Makes a cluster in this folder and starts it; comes back when it answers.
    pub fn start(folder: &Path, keeps: Keeps) -> Result<Postgres, Vec<String>> {
        let programs = programs().ok_or_else(|| vec![format!("{VERSIONS}: no PostgreSQL: cargo xtask tools")])?;
        let account = account()?;
        if let Some((user, group)) = account {
            chown(folder, Some(user), Some(group)).map_err(|error| vec![format!("{}: {error}", folder.display())])?;
        }
        let mut server = Postgres { programs, folder: folder.to_owned(), account, port: 0 };
        server.run("initdb", &[INITDB, &["--no-sync", "--pgdata", &server.data()]].concat())?;
        let file = server.folder.join("data/postgresql.auto.conf");
        let more = if keeps == Keeps::Nothing { FORGETFUL } else { "" };
        fs::write(&file, format!("{SETTINGS}{more}")).map_err(|error| vec![format!("{}: {error}", file.display())])?;
        let mut failed = Vec::new();
        for _ in 0..PORTS_TRIED_MAX {
            server.port = free_port().map_err(|error| vec![error.to_string()])?;
            match server.begin() {
                Ok(()) => return Ok(server),
                Err(problems) => failed = problems,
            }
            failed.push(fs::read_to_string(server.folder.join("log")).unwrap_or_default());
        }
        Err(failed)
    }

    /// Starts what was stopped, on the same port; comes back when it answers.
    pub fn begin(&self) -> Result<(), Vec<String>> {
        let (log, data) = (self.folder.join("log").display().to_string(), self.data());
        let options = format!("-p {} -k {}", self.port, self.folder.display());
        self.run("pg_ctl", &["start", "--wait", "--pgdata", &data, "--log", &log, "--options", &options])
    }

    /// Stops it; comes back when it has ended.
    pub fn end(&self, how: Stop) -> Result<(), Vec<String>> {
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        self.run("pg_ctl", &["stop", "--wait", "--mode", mode, "--pgdata", &self.data()])
    }

    /// Stops it, adds settings, says who is let in (the lines of `pg_hba.conf`, unless there are none), and starts it again.
    pub fn reconfigure(&self, settings: &str, admitted: &str) -> Result<(), Vec<String>> {
        self.end(Stop::Fast)?;
        let file = self.folder.join("data/postgresql.auto.conf");
        let known = fs::read_to_string(&file).map_err(|error| vec![error.to_string()])?;
        self.put("postgresql.auto.conf", &format!("{known}{settings}\n"))?;
        if !admitted.is_empty() {
            self.put("pg_hba.conf", admitted)?;
        }
        self.begin()
    }

    /// Writes a file into the folder of its data, for its account alone.
    pub fn put(&self, name: &str, text: &str) -> Result<(), Vec<String>> {
        let file = self.folder.join("data").join(name);
        let failed = |error: io::Error| vec![format!("{}: {error}", file.display())];
        fs::write(&file, text).map_err(failed)?;
        fs::set_permissions(&file, Permissions::from_mode(0o600)).map_err(failed)?;
        match self.account {
            Some((user, group)) => chown(&file, Some(user), Some(group)).map_err(failed),
            None => Ok(()),
        }
    }

    /// Runs SQL as who may do everything, each statement for itself; what comes out, as psql writes it.
    pub fn sql(&self, database: &str, statements: &[&str]) -> Result<String, Vec<String>> {
        let (port, folder) = (self.port.to_string(), self.folder.display().to_string());
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres"]);
        command.args(["-h", folder.as_str(), "-p", port.as_str(), "-d", database]);
        statements.iter().for_each(|statement| {
            command.args(["-c", statement]);
        });
        let output = command.output().map_err(|error| vec![format!("psql: {error}")])?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(vec![text(&output.stderr)]) }
    }

    /// Its address, for who may do everything.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), Vec<String>> {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(&self.folder).env("LC_ALL", "C.UTF-8");
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        let log = self.folder.join(format!("{program}.log"));
        let failed = |error: io::Error| vec![format!("{program}: {error}")];
        // Into a file: a server that is started keeps its outputs open.
        let out = fs::File::create(&log).map_err(failed)?;
        command.stdout(out.try_clone().map_err(failed)?).stderr(out);
        let status = command.status().map_err(failed)?;
        let said = || fs::read_to_string(&log).unwrap_or_default();
        if status.success() { Ok(()) } else { Err(vec![format!("{program}: {status}"), said()]) }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Nothing of it is kept, so nothing has to be put in order.
        let _ = self.end(Stop::Immediate);
    }
}

pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The account that runs servers, where we are root.
pub(crate) fn account() -> Result<Option<(u32, u32)>, Vec<String>> {
    Ok(if id("-u", None)? == 0 { Some((id("-u", Some(ACCOUNT))?, id("-g", Some(ACCOUNT))?)) } else { None })
}

/// The number of an account or of its group; without a name, our own.
fn id(which: &str, of: Option<&str>) -> Result<u32, Vec<String>> {
    let output = Command::new("id").arg(which).args(of).output().map_err(|error| vec![format!("id: {error}")])?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| vec![format!("id {which} {}: no such account", of.unwrap_or_default())])
}

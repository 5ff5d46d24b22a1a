//! `cargo xtask servers -- COMMAND…`: runs a command beside a private PostgreSQL.
//!
//! The server belongs to a keeper: another process of this program, in a group of its own, that reads its input until that
//! ends. So the server is stopped and its folder removed however the command and we come to an end, by a signal too.
use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{self, Child, Command, ExitCode, ExitStatus, Stdio},
};

use crate::steps::Outcome;
pub(crate) use mainstay_servers::{Keeps, has_pgbouncer, is_installed};
use mainstay_servers::{Pgbouncer, Postgres};

/// What tells the tests where the server is.
const POSTGRES_VARIABLE: &str = "MAINSTAY_TEST_POSTGRES";
/// The step of the keeper.
pub(crate) const KEEP: &str = "keep-servers";
/// The same for servers that spare the disk.
pub(crate) const KEEP_NOTHING: &str = "keep-servers-of-tests";

/// Private servers; they end with the value.
pub(crate) struct Servers {
    keeper: Child,
    url: String,
}

impl Servers {
    /// Starts them, and waits until they answer.
    pub(crate) fn start(keeps: Keeps) -> Result<Servers, Vec<String>> {
        let failed = |error: io::Error| vec![format!("the keeper of the servers: {error}")];
        let mut keeper = Command::new(std::env::current_exe().map_err(failed)?)
            .arg(if keeps == Keeps::Nothing { KEEP_NOTHING } else { KEEP })
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let mut line = String::new();
        if let Some(says) = keeper.stdout.take() {
            BufReader::new(says).read_line(&mut line).map_err(failed)?;
        }
        let servers = Servers { keeper, url: line.trim().to_owned() };
        if servers.url.is_empty() { Err(vec!["PostgreSQL did not start".to_owned()]) } else { Ok(servers) }
    }

    /// The variables that name them.
    pub(crate) fn variables(&self) -> [(&'static str, &str); 1] {
        [(POSTGRES_VARIABLE, &self.url)]
    }
}

/// A pgbouncer before them; it ends with the value, before its folder goes.
pub(crate) struct Pooled {
    pub(crate) address: String,
    _pool: Pgbouncer,
    _folder: Folder,
}

impl Servers {
    /// Starts a pgbouncer before PostgreSQL.
    pub(crate) fn pooled(&self) -> Result<Pooled, Vec<String>> {
        let port = self.url.rsplit(':').next().and_then(|rest| rest.split('/').next()?.parse().ok());
        let port = port.ok_or_else(|| vec![format!("{}: no port", self.url)])?;
        let folder = Folder::new()?;
        let pool = Pgbouncer::start(&folder.0, port)?;
        Ok(Pooled { address: format!("127.0.0.1:{}", pool.port()), _pool: pool, _folder: folder })
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Runs a command beside the servers; its exit code is ours.
pub(crate) fn run(command: &[&str]) -> ExitCode {
    let [program, arguments @ ..] = command else {
        eprintln!("name the command: cargo xtask servers -- COMMAND");
        return ExitCode::FAILURE;
    };
    let ran = Servers::start(Keeps::Promises).and_then(|servers| {
        let mut command = Command::new(program);
        let status = command.args(arguments).envs(servers.variables()).status();
        status.map_err(|error| vec![format!("{program}: {error}")])
    });
    match ran {
        Ok(status) => code(status),
        Err(problems) => {
            eprintln!("{}", problems.join("\n"));
            ExitCode::FAILURE
        }
    }
}

fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Keeps the servers until the input ends: says where they are, in one line.
pub(crate) fn keep(keeps: Keeps) -> Outcome {
    let folder = Folder::new()?;
    let server = Postgres::start(&folder.0, keeps)?;
    println!("{}", server.url());
    let said = io::stdout().flush();
    let _ = io::stdin().read_to_end(&mut Vec::new());
    said.map_err(|error| vec![error.to_string()])
}

/// A temporary folder; it is removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder, Vec<String>> {
        let folder = std::env::temp_dir().join(format!("mainstay-servers-{}", process::id()));
        std::fs::create_dir(&folder).map_err(|error| vec![format!("{}: {error}", folder.display())])?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

//! A private pgbouncer from Debian's package before a PostgreSQL of this machine, in transaction mode.
use std::{
    fs,
    io::{self, BufRead as _, BufReader},
    os::unix::{fs::chown, process::CommandExt as _},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use crate::postgres::{account, free_port};

/// Where Debian puts it.
const PROGRAM: &str = "/usr/sbin/pgbouncer";
/// What it says once it answers.
const UP: &str = "process up";

/// Whether it is there.
pub fn has_pgbouncer() -> bool {
    Path::new(PROGRAM).is_file()
}

/// A running pgbouncer; it is stopped with the value.
#[derive(Debug)]
pub struct Pgbouncer {
    child: Child,
    port: u16,
}

impl Pgbouncer {
    /// Starts it in this folder before the PostgreSQL on a port of 127.0.0.1; comes back when it answers.
    pub fn start(folder: &Path, postgres: u16) -> Result<Pgbouncer, Vec<String>> {
        let failed = |error: io::Error| vec![format!("{PROGRAM}: {error}")];
        let port = free_port().map_err(failed)?;
        let (settings, users) = (folder.join("pgbouncer.ini"), folder.join("pgbouncer.users"));
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={postgres}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             auth_type = trust\nauth_file = {}\npool_mode = transaction\nmax_client_conn = 2000\ndefault_pool_size = 8\n\
             unix_socket_dir =\nserver_idle_timeout = 5\n",
            users.display()
        );
        fs::write(&settings, text).and_then(|()| fs::write(&users, "\"postgres\" \"\"\n")).map_err(failed)?;
        let mut command = Command::new(PROGRAM);
        command.arg(&settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        if let Some((user, group)) = account()? {
            for path in [folder, &settings, &users] {
                chown(path, Some(user), Some(group)).map_err(failed)?;
            }
            command.uid(user).gid(group);
        }
        let mut child = command.spawn().map_err(failed)?;
        let said = child.stderr.take();
        let server = Pgbouncer { child, port };
        let mut lines = BufReader::new(said.ok_or_else(|| vec![format!("{PROGRAM} has no output")])?).lines();
        let mut all = Vec::new();
        for line in lines.by_ref().map_while(Result::ok) {
            let is_up = line.contains(UP);
            all.push(line);
            if is_up {
                // What it says later has to go somewhere, or it stops.
                thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
                return Ok(server);
            }
        }
        Err(all)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The example, running on a free port on a fresh database.
use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio, id},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use super::setup::Tools;
use crate::{cargo::root, steps::Outcome};

static STARTED: AtomicU32 = AtomicU32::new(0);

/// A running server; it and its folders are gone when this is dropped.
pub(super) struct Example {
    /// Holds both folders.
    outer: PathBuf,
    /// The project's folder.
    pub(super) project: PathBuf,
    /// The folder in which a judge works; `node_modules` is there.
    pub(super) work: PathBuf,
    /// `http://127.0.0.1:PORT`.
    pub(super) address: String,
    server: Child,
}

impl Example {
    /// Starts `mainstay dev` on a copy of an example, and waits for the address that it prints.
    pub(super) fn start(tools: &Tools, name: &str) -> Result<Example, Vec<String>> {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let outer = env::temp_dir().join(format!("mainstay-outside-{}-{number}", id()));
        let (project, work) = (outer.join("project"), outer.join("work"));
        let failed = |error: std::io::Error| vec![format!("the example cannot be started: {error}")];
        copy(&root().join("examples").join(name), &project).map_err(failed)?;
        fs::create_dir(&work).map_err(failed)?;
        symlink(tools.cache.join("node_modules"), work.join("node_modules")).map_err(failed)?;
        let log = fs::File::create(outer.join("log")).map_err(failed)?;
        let mut server = Command::new(&tools.mainstay)
            .args(["dev", "--project"])
            .arg(&project)
            .env("MAINSTAY_SERVER_LISTEN", "127.0.0.1:0")
            // Judges that make up requests ask for changes with any wait that is described, and have no time to wait.
            .env("MAINSTAY_LIMITS_CHANGES_WAIT_S_MAX", "1")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        let address = address(&mut server);
        let example = Example { outer, project, work, address: address.clone().unwrap_or_default(), server };
        match address {
            Some(_) => Ok(example),
            None => Err(vec![format!("the example ended before it printed its address\n{}", example.log())]),
        }
    }

    /// What the server told the terminal.
    fn log(&self) -> String {
        fs::read_to_string(self.outer.join("log")).unwrap_or_default()
    }

    /// What is wrong with the server after a judge: it must live, and no request may have failed on its side.
    pub(super) fn wrong(&mut self) -> Outcome {
        if let Ok(Some(status)) = self.server.try_wait() {
            return Err(vec![format!("the server ended: {status}\n{}", self.log())]);
        }
        let failures: Vec<String> =
            self.log().lines().filter(|line| line.contains("ERROR")).map(str::to_owned).collect();
        if failures.is_empty() { Ok(()) } else { Err(failures) }
    }

    /// The address of its description.
    pub(super) fn openapi(&self) -> String {
        format!("{}/openapi.json", self.address)
    }

    /// A token for somebody; `more` says what else the caller is: `["--role", "editor"]`, `["--admin"]`.
    pub(super) fn token(&self, tools: &Tools, sub: &str, more: &[&str]) -> Result<String, Vec<String>> {
        let mut command = Command::new(&tools.mainstay);
        command.args(["token", "--sub", sub]).args(more).arg("--project").arg(&self.project);
        let output = command.output().map_err(|error| vec![format!("mainstay token: {error}")])?;
        if !output.status.success() {
            return Err(vec![format!("mainstay token: {}", String::from_utf8_lossy(&output.stderr))]);
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Copies scripts of `tests/outside` into the working folder.
    pub(super) fn take(&self, tools: &Tools, names: &[&str]) -> Outcome {
        for name in names {
            let copied = fs::copy(tools.here.join(name), self.work.join(name));
            copied.map_err(|error| vec![format!("tests/outside/{name}: {error}")])?;
        }
        Ok(())
    }

    /// What a command of the program prints, written to a file in the working folder.
    pub(super) fn printed(&self, tools: &Tools, arguments: &[&str], file: &str) -> Result<PathBuf, Vec<String>> {
        let output = Command::new(&tools.mainstay).args(arguments).arg("--project").arg(&self.project).output();
        let output = output.map_err(|error| vec![format!("mainstay {arguments:?}: {error}")])?;
        if !output.status.success() {
            return Err(vec![format!("mainstay {arguments:?}: {}", String::from_utf8_lossy(&output.stderr))]);
        }
        let path = self.work.join(file);
        fs::write(&path, output.stdout).map_err(|error| vec![format!("{}: {error}", path.display())])?;
        Ok(path)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // Nothing can be done about a failure here: the server has ended by itself, or the folder is gone.
        drop(self.server.kill());
        drop(self.server.wait());
        drop(fs::remove_dir_all(&self.outer));
    }
}

/// Reads until the address comes; the rest is read away, so that the server never waits for us.
fn address(server: &mut Child) -> Option<String> {
    let mut lines = BufReader::new(server.stdout.take()?).lines().map_while(Result::ok);
    let address = lines.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
    thread::spawn(move || lines.for_each(drop));
    address
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        match path.is_dir() {
            true if name == "data" => {}
            true => copy(&path, &to.join(name))?,
            false => fs::copy(&path, to.join(name)).map(|_| ())?,
        }
    }
    Ok(())
}

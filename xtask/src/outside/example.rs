//! The example, running on a free port on a fresh database.
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio, id},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use super::setup::Tools;
use crate::cargo::root;

static STARTED: AtomicU32 = AtomicU32::new(0);

/// A running server; it and its folder are gone when this is dropped.
pub(super) struct Example {
    /// The project's folder.
    pub(super) folder: PathBuf,
    /// `http://127.0.0.1:PORT`.
    pub(super) address: String,
    server: Child,
}

impl Example {
    /// Starts `mainstay dev` on a copy of the example, and waits for the address that it prints.
    pub(super) fn start(tools: &Tools) -> Result<Example, Vec<String>> {
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("mainstay-outside-{}-{number}", id()));
        let failed = |error: std::io::Error| vec![format!("the example cannot be started: {error}")];
        copy(&root().join("examples/skillmap"), &folder).map_err(failed)?;
        let mut server = Command::new(&tools.mainstay)
            .args(["dev", "--project"])
            .arg(&folder)
            .env("MAINSTAY_SERVER_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let address = address(&mut server);
        let example = Example { folder, address: address.clone().unwrap_or_default(), server };
        address.map(|_| ()).ok_or_else(|| vec!["the example ended before it printed its address".to_owned()])?;
        Ok(example)
    }

    /// The address of its description.
    pub(super) fn openapi(&self) -> String {
        format!("{}/openapi.json", self.address)
    }

    /// A token for somebody, with a role where one is named.
    pub(super) fn token(&self, tools: &Tools, sub: &str, role: Option<&str>) -> Result<String, Vec<String>> {
        let mut command = Command::new(&tools.mainstay);
        command.args(["token", "--sub", sub, "--project"]).arg(&self.folder);
        role.map(|role| command.args(["--role", role]));
        let output = command.output().map_err(|error| vec![format!("mainstay token: {error}")])?;
        if !output.status.success() {
            return Err(vec![format!("mainstay token: {}", String::from_utf8_lossy(&output.stderr))]);
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// What a command of the program prints, written to a file in the example's folder.
    pub(super) fn printed(&self, tools: &Tools, arguments: &[&str], file: &str) -> Result<PathBuf, Vec<String>> {
        let output = Command::new(&tools.mainstay).args(arguments).arg("--project").arg(&self.folder).output();
        let output = output.map_err(|error| vec![format!("mainstay {arguments:?}: {error}")])?;
        let path = self.folder.join(file);
        fs::write(&path, output.stdout).map_err(|error| vec![format!("{}: {error}", path.display())])?;
        Ok(path)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // Nothing can be done about a failure here: the server has ended by itself, or the folder is gone.
        drop(self.server.kill());
        drop(self.server.wait());
        drop(fs::remove_dir_all(&self.folder));
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

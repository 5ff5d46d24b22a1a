//! What the judges are installed into: a folder in the cache, one for each state of the requirement files.
use std::{
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use super::run;
use crate::{cargo::root, steps::Outcome};

/// The files that say what is installed.
const REQUIREMENTS: &[&str] = &["requirements.txt", "attackers.txt", "package.json", "package-lock.json"];
/// The Python environments: each with its file.
const ENVIRONMENTS: [(&str, &str); 2] = [("venv", "requirements.txt"), ("attackers", "attackers.txt")];

/// Where everything is.
pub(super) struct Tools {
    /// `tests/outside`.
    pub(super) here: PathBuf,
    /// The folder in the cache: `venv/`, `attackers/` and `node_modules/`.
    pub(super) cache: PathBuf,
    /// The program.
    pub(super) mainstay: PathBuf,
}

impl Tools {
    /// A program of the Python environment.
    pub(super) fn python(&self, program: &str) -> Command {
        Command::new(self.cache.join("venv/bin").join(program))
    }

    /// A program that looks for holes.
    pub(super) fn attacker(&self, program: &str) -> Command {
        Command::new(self.cache.join("attackers/bin").join(program))
    }

    /// A program of the npm packages.
    pub(super) fn npm(&self, program: &str) -> Command {
        let mut command = Command::new(self.cache.join("node_modules/.bin").join(program));
        command.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
        command
    }
}

/// Installs what is not there yet; a second run installs nothing.
pub(super) fn tools() -> Result<Tools, Vec<String>> {
    let here = root().join("tests/outside");
    let cache = cache_root().join("outside").join(state(&here)?);
    let done = cache.join("installed");
    if !done.is_file() {
        install(&here, &cache)?;
        fs::write(&done, "").map_err(|error| vec![format!("{}: {error}", done.display())])?;
    }
    let mainstay = env::current_exe().map_err(|error| vec![error.to_string()])?.with_file_name("mainstay");
    Ok(Tools { here, cache, mainstay })
}

fn install(here: &Path, cache: &Path) -> Outcome {
    let failed = |error: std::io::Error| vec![format!("{}: {error}", cache.display())];
    fs::create_dir_all(cache).map_err(failed)?;
    for name in REQUIREMENTS {
        fs::copy(here.join(name), cache.join(name)).map_err(failed)?;
    }
    for (name, requirements) in ENVIRONMENTS {
        run(Command::new("python3").args(["-m", "venv", name]), cache)?;
        let pip = cache.join(name).join("bin/pip");
        run(Command::new(pip).args(["install", "--quiet", "-r", requirements]), cache)?;
    }
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]), cache)
}

fn cache_root() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_else(|| "/tmp".into()));
    cache.unwrap_or_else(|| home().join(".cache")).join("mainstay")
}

/// A name for this state of the requirement files.
fn state(here: &Path) -> Result<String, Vec<String>> {
    let mut hasher = DefaultHasher::new();
    for name in REQUIREMENTS {
        let path = here.join(name);
        fs::read(&path).map_err(|error| vec![format!("{}: {error}", path.display())])?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

//! Runs cargo in the root of the workspace.
use std::{env, path::PathBuf, process::Command};

use crate::steps::Outcome;

/// The root of the workspace: where cargo runs this program, and not where it was built, which another checkout may have done.
pub(crate) fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().unwrap_or(&here).to_path_buf()
}

/// The cargo that runs us.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs cargo with its output shown.
pub(crate) fn cargo(arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let line = format!("cargo {}", arguments.join(" "));
    let status = command().args(arguments).envs(variables.iter().copied()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(vec![format!("{line}: {status}")]),
        Err(error) => Err(vec![format!("{line}: {error}")]),
    }
}

/// What cargo prints.
pub(crate) fn printed(arguments: &[&str]) -> Result<String, Vec<String>> {
    let line = format!("cargo {}", arguments.join(" "));
    let output = command().args(arguments).output().map_err(|error| vec![format!("{line}: {error}")])?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(vec![format!("{line}: {}", String::from_utf8_lossy(&output.stderr))]),
    }
}

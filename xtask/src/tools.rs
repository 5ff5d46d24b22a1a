//! The programs that the tests call: installed by their Debian names where they are missing.
use std::{env, path::Path, process::Command};

use crate::{servers, steps::Outcome};

/// A program and the Debian package that has it.
const TOOLS: &[(&str, &str)] = &[
    ("cc", "gcc"),
    ("curl", "curl"),
    ("openssl", "openssl"),
    ("sqlite3", "sqlite3"),
    ("strace", "strace"),
    ("nginx", "nginx-light"),
    ("haproxy", "haproxy"),
    ("unshare", "util-linux"),
    ("mount", "mount"),
    ("python3", "python3"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("java", "default-jre-headless"),
];

pub(crate) fn install() -> Outcome {
    let mut packages: Vec<&str> = TOOLS.iter().filter(|(tool, _)| !found(tool)).map(|(_, package)| *package).collect();
    if found("python3") && !runs("python3", &["-c", "import ensurepip, venv"]) {
        packages.push("python3-venv");
    }
    if !servers::is_installed() {
        packages.push("postgresql");
    }
    if !servers::has_pgbouncer() {
        packages.push("pgbouncer");
    }
    if packages.is_empty() {
        return Ok(());
    }
    let missing = packages.join(" ");
    let as_root = runs("sh", &["-c", "test \"$(id -u)\" = 0"]) && found("apt-get");
    if !as_root {
        return Err(vec![format!("missing: install these packages: {missing}")]);
    }
    let install: Vec<&str> = ["install", "--yes", "--no-install-recommends"].into_iter().chain(packages).collect();
    if runs("apt-get", &["update"]) && runs("apt-get", &install) {
        Ok(())
    } else {
        Err(vec![format!("apt-get could not install: {missing}")])
    }
}

/// Whether a program is on the path.
fn found(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| Path::new(&folder).join(tool).is_file())
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found() {
        assert!(found("sh"));
        assert!(!found("no-such-program"));
    }
}

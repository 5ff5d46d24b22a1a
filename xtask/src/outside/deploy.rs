//! Judges of what stands in deploy/ and cannot be executed in a test: nginx and HAProxy are, by the tests of the binary.
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{run, setup::Tools};
use crate::{cargo::root, steps::Outcome};

/// One judge: its name, and what it says, a line each.
type Judge = (&'static str, fn(&Tools) -> Outcome);

pub(super) const JUDGES: &[Judge] = &[
    ("hadolint on the Dockerfile", hadolint),
    ("the schema of compose files", compose),
    ("the schemas of Kubernetes", kubernetes),
    ("systemd on the unit", systemd),
];

fn folder() -> PathBuf {
    root().join("deploy")
}

fn hadolint(tools: &Tools) -> Outcome {
    run(tools.python("hadolint").arg("docker/Dockerfile"), &folder())
}

fn compose(tools: &Tools) -> Outcome {
    let mut command = tools.python("check-jsonschema");
    run(command.args(["--builtin-schema", "vendor.compose-spec", "docker/compose.yaml"]), &folder())
}

fn kubernetes(tools: &Tools) -> Outcome {
    let manifests = fs::read_dir(folder().join("kubernetes")).map_err(|error| vec![error.to_string()])?;
    let manifests: Vec<PathBuf> = manifests.flatten().map(|entry| entry.path()).collect();
    run(tools.python("kubernetes-validate").arg("--strict").args(manifests), &folder())
}

/// Where systemd is: its checker wants the program to be there, so that another one stands in its place.
fn systemd(tools: &Tools) -> Outcome {
    if !Path::new("/usr/bin/systemd-analyze").exists() {
        println!("   systemd is not here: its unit is not judged");
        return Ok(());
    }
    let unit =
        fs::read_to_string(folder().join("systemd/mainstay@.service")).map_err(|error| vec![error.to_string()])?;
    let judged = tools.cache.join("mainstay@.service");
    fs::write(&judged, unit.replace("/usr/local/bin/mainstay", "/bin/true"))
        .map_err(|error| vec![error.to_string()])?;
    run(Command::new("systemd-analyze").arg("verify").arg(&judged), &folder())
}

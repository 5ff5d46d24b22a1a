//! Programs that look for holes: they are told what the API takes, and try what breaks others.
use std::{fs, path::Path, process::Command};

use serde_json::Value;

use super::{example::Example, run, setup::Tools};
use crate::steps::Outcome;

/// The operations that sqlmap tries; those of the other collections are made by the same code.
const SQLMAP_TAG: &str = "Product";
/// What it says of a parameter that is a hole.
const HOLE: &str = "is vulnerable.";
/// What it says of something that looked like a hole until it tried.
const NO_HOLE: &str = "false positive or unexploitable";
/// Wapiti's modules that need nothing but the server.
const WAPITI_MODULES: &str = "sql,timesql,exec,file,xss,crlf,redirect";

/// sqlmap tries every parameter, member and header of a collection's operations.
pub(super) fn sqlmap(tools: &Tools, example: &Example) -> Outcome {
    let token = example.token(tools, "eva", &["--role", "staff"])?;
    let results = example.work.join("sqlmap.csv");
    let mut command = tools.attacker("sqlmap");
    command.args(["--batch", "--disable-coloring", "--ignore-code", "*", "--openapi", &example.openapi()]);
    command.args(["--openapi-tags", SQLMAP_TAG, "--headers", &format!("Authorization: Bearer {token}")]);
    command.arg("--output-dir").arg(example.work.join("sqlmap")).arg("--results-file").arg(&results);
    let said = run_for(&mut command, &example.work)?;
    if !said.contains("does not seem to be injectable") {
        return Err(vec![format!("sqlmap tried nothing:\n{said}")]);
    }
    // Without anything that looked like a hole there may be no file, nor with a hole of a single address.
    let found = fs::read_to_string(&results).unwrap_or_default();
    let listed = found.lines().skip(1).filter(|line| !line.contains(NO_HOLE));
    let holes: Vec<String> = said.lines().filter(|line| line.contains(HOLE)).chain(listed).map(str::to_owned).collect();
    if holes.is_empty() { Ok(()) } else { Err(holes) }
}

/// Wapiti goes through all operations.
pub(super) fn wapiti(tools: &Tools, example: &Example) -> Outcome {
    let token = example.token(tools, "eva", &["--role", "staff"])?;
    let report = example.work.join("wapiti.json");
    let mut command = tools.attacker("wapiti");
    command.args(["--url", &format!("{}/", example.address), "--swagger", &example.openapi(), "-m", WAPITI_MODULES]);
    command.args(["-H", &format!("Authorization: Bearer {token}"), "--no-bugreport", "-f", "json"]);
    command.arg("-o").arg(&report).arg("--store-session").arg(example.work.join("wapiti"));
    run(&mut command, &example.work)?;
    let text = fs::read_to_string(&report).map_err(|error| vec![format!("{}: {error}", report.display())])?;
    let report: Value = serde_json::from_str(&text).map_err(|error| vec![format!("wapiti's report: {error}")])?;
    if report["infos"]["crawled_pages_nbr"].as_u64().unwrap_or_default() < OPERATIONS_MIN {
        return Err(vec![format!("wapiti saw too little: {}", report["infos"])]);
    }
    let kinds = ["vulnerabilities", "anomalies"].into_iter().filter_map(|kind| report[kind].as_object()).flatten();
    let found = kinds.flat_map(|(name, found)| found.as_array().into_iter().flatten().map(move |one| (name, one)));
    let holes: Vec<String> = found.map(|(name, one)| format!("{name}: {one}")).collect();
    if holes.is_empty() { Ok(()) } else { Err(holes) }
}

/// Fewer operations than this were not all of them.
const OPERATIONS_MIN: u64 = 30;

/// Runs a command whose status says little: what it prints.
fn run_for(command: &mut Command, folder: &Path) -> Result<String, Vec<String>> {
    let output = command.current_dir(folder).output().map_err(|error| vec![format!("{command:?}: {error}")])?;
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

//! The tests on each engine, beside a private server.
use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    time::Instant,
};

use crate::{cargo::cargo, servers::Servers, steps::Outcome, tools};

/// Which engine the databases of tests are of.
const ENGINE_VARIABLE: &str = "MAINSTAY_TEST_ENGINE";
/// The file in which tests that are about another engine say so.
const LEFT_OUT_VARIABLE: &str = "MAINSTAY_TEST_LEFT_OUT";

pub(crate) fn test() -> Outcome {
    tools::install()?;
    let servers = Servers::start()?;
    on("sqlite", &servers, &["test", "--workspace", "--locked"])
}

fn on(engine: &str, servers: &Servers, arguments: &[&str]) -> Outcome {
    println!("   on {engine}");
    let start = Instant::now();
    let left_out = LeftOut::new(engine);
    let list = left_out.0.display().to_string();
    let variables = [&servers.variables()[..], &[(ENGINE_VARIABLE, engine), (LEFT_OUT_VARIABLE, &list)]].concat();
    let outcome = cargo(arguments, &variables);
    println!("   on {engine}: {:.1} s", start.elapsed().as_secs_f64());
    println!("{}", told(engine, &left_out.lines()));
    outcome
}

/// The tests that were left out, and why.
fn told(engine: &str, lines: &[String]) -> String {
    let mut told = format!("   on {engine}: {} tests left out, that are about another engine alone", lines.len());
    for line in lines {
        told += &format!("\n     {line}");
    }
    told
}

/// The list of the tests that were left out; the file is removed with the value.
struct LeftOut(PathBuf);

impl LeftOut {
    fn new(engine: &str) -> LeftOut {
        LeftOut(env::temp_dir().join(format!("mainstay-left-out-{engine}-{}", process::id())))
    }

    fn lines(&self) -> Vec<String> {
        lines(&self.0)
    }
}

impl Drop for LeftOut {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn lines(file: &Path) -> Vec<String> {
    let mut lines: Vec<String> = fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

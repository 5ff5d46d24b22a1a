//! The tests on each engine, beside a private server: all of them on the embedded one, those with a database on PostgreSQL too.
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

const EVERY: &[&str] = &["test", "--workspace", "--locked"];

/// Where pgbouncer is, for tests.
const POOLED_VARIABLE: &str = "MAINSTAY_TEST_PGBOUNCER";
/// Tests of the API that are about the way to the server itself.
const NOT_POOLED: &[&str] = &["away::"];

/// The programs whose tests have a database: the same that ran before, with nothing built for them.
const WITH_DATABASE: &[&str] = &["store", "suite", "api", "cli"];

/// Tests that do not pass on PostgreSQL yet, by the beginning or a part of their names, and why. Nothing is added here.
const NOT_ON_POSTGRES: &[(&str, &str)] = &[
    ("add::what_cannot_be_added_is_refused_by_its_field", "a decimal out of its range is told of the request"),
    ("bounds::lists_inside_of_lists_are_counted_over_the_whole_answer", "records in lists in lists are not counted"),
    ("idempotency::many_at_once_with_one_key_act_once", "one of many at once is not answered as the others"),
];

/// All tests, on the embedded engine.
pub(crate) fn test() -> Outcome {
    tools::install()?;
    on("sqlite", &Servers::start()?, EVERY)
}

/// The tests with a database, on PostgreSQL.
pub(crate) fn postgres() -> Outcome {
    tools::install()?;
    for (name, why) in NOT_ON_POSTGRES {
        println!("   not on postgres yet: {name}: {why}");
    }
    let with_database = WITH_DATABASE.iter().flat_map(|target| ["--test", *target]);
    let but = NOT_ON_POSTGRES.iter().flat_map(|(name, _)| ["--skip", *name]);
    let arguments: Vec<&str> = EVERY.iter().copied().chain(with_database).chain(["--"]).chain(but).collect();
    on("postgres", &Servers::start()?, &arguments)
}

/// The tests of the API, on PostgreSQL through pgbouncer in transaction mode.
pub(crate) fn pgbouncer() -> Outcome {
    tools::install()?;
    let servers = Servers::start()?;
    let pooled = servers.pooled()?;
    let variables =
        [&servers.variables()[..], &[(POOLED_VARIABLE, &pooled.address), (ENGINE_VARIABLE, "postgres")]].concat();
    let but = NOT_POOLED.iter().flat_map(|name| ["--skip", *name]);
    let arguments: Vec<&str> = EVERY.iter().copied().chain(["--test", "api", "--"]).chain(but).collect();
    cargo(&arguments, &variables)
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

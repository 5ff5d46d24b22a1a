//! The tests on each engine, beside a private server: all of them on the embedded one, those with a database on PostgreSQL too.
use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    time::Instant,
};

use crate::{
    cargo::cargo,
    servers::{Keeps, Servers},
    steps::Outcome,
    tools,
};

/// Which engine the databases of tests are of.
const ENGINE_VARIABLE: &str = "MAINSTAY_TEST_ENGINE";
/// The file in which tests that are about another engine say so.
const LEFT_OUT_VARIABLE: &str = "MAINSTAY_TEST_LEFT_OUT";

const EVERY: &[&str] = &["test", "--workspace", "--locked"];

/// Where pgbouncer is, for tests.
const POOLED_VARIABLE: &str = "MAINSTAY_TEST_PGBOUNCER";
/// The groups of tests of the API that go through it: each kind of read and write.
const POOLED: &[&str] = &[
    "batch::",
    "bulk::",
    "create::",
    "delete::",
    "figures::",
    "group::",
    "idempotency::",
    "list::",
    "nested",
    "paging::",
    "query::",
    "races::",
    "read::",
    "rules::",
    "shop::",
    "uniques::",
    "update::",
    "upsert::",
];

/// The programs whose tests have a database: the same that ran before, with nothing built for them.
const WITH_DATABASE: &[&str] = &["store", "suite", "api", "cli"];

/// The tests inside of the crates that have one, by a part of their names.
const WITHIN: &[&str] = &["postgres::", "databases_of_a_server"];

/// Cases of the property tests, on a server and in a debug build: each has a database of its own and its statements prepared.
const CASES: &[(&str, &str)] = &[("AGREEMENT_CASES", "40"), ("EVOLUTION_CASES", "40"), ("EVOLUTION_SHRINK", "0")];

/// All tests, on the embedded engine.
pub(crate) fn test() -> Outcome {
    tools::install()?;
    on("sqlite", &[EVERY])
}

/// The tests with a database, on PostgreSQL.
pub(crate) fn postgres() -> Outcome {
    tools::install()?;
    let targets: Vec<&str> = WITH_DATABASE.iter().flat_map(|target| ["--test", *target]).collect();
    let within = [EVERY, &["--lib", "--"], WITHIN].concat();
    on("postgres", &[&within, &[EVERY, &targets].concat()])
}

/// The tests of the API, on PostgreSQL through pgbouncer in transaction mode.
pub(crate) fn pgbouncer() -> Outcome {
    tools::install()?;
    let servers = Servers::start(Keeps::Nothing)?;
    let pooled = servers.pooled()?;
    let variables =
        [&servers.variables()[..], &[(POOLED_VARIABLE, &pooled.address), (ENGINE_VARIABLE, "postgres")]].concat();
    let groups = POOLED.iter().copied();
    let arguments: Vec<&str> = EVERY.iter().copied().chain(["--test", "api", "--"]).chain(groups).collect();
    cargo(&arguments, &variables)
}

/// Runs the tests that cargo is asked for, beside servers of their own.
fn on(engine: &str, asked: &[&[&str]]) -> Outcome {
    println!("   on {engine}");
    let (start, servers) = (Instant::now(), Servers::start(Keeps::Nothing)?);
    let left_out = LeftOut::new(engine);
    let list = left_out.0.display().to_string();
    let mut variables = [&servers.variables()[..], &[(ENGINE_VARIABLE, engine), (LEFT_OUT_VARIABLE, &list)]].concat();
    if engine == "postgres" {
        variables.extend(CASES.iter().filter(|(name, _)| env::var_os(name).is_none()));
    }
    let outcome = asked.iter().try_for_each(|arguments| cargo(arguments, &variables));
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

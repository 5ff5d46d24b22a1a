//! What is automated in this repository. `cargo xtask ci` runs everything; `cargo xtask NAME` one step of it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a tool for a terminal")]

mod cargo;
mod checks;
mod engines;
mod fuzz;
mod metadata;
mod outside;
mod servers;
mod sources;
mod steps;
mod tools;

use std::{env, process::ExitCode, time::Instant};

use servers::Keeps;
use steps::{STEPS, Step};

fn main() -> ExitCode {
    let names: Vec<String> = env::args().skip(1).collect();
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    if let ["fuzz", target, seconds] = wanted.as_slice() {
        return report("fuzz", fuzz::run(target, seconds));
    }
    match wanted.as_slice() {
        ["servers", "--", command @ ..] | ["servers", command @ ..] => return servers::run(command),
        ["pgbouncer"] => return report("pgbouncer", engines::pgbouncer()),
        [servers::KEEP] => return report(servers::KEEP, servers::keep(Keeps::Promises)),
        [servers::KEEP_NOTHING] => return report(servers::KEEP, servers::keep(Keeps::Nothing)),
        _ => {}
    }
    let steps = match wanted.as_slice() {
        ["ci"] => STEPS.iter().collect(),
        [name] => STEPS.iter().filter(|step| step.name == *name).collect(),
        _ => Vec::new(),
    };
    if steps.is_empty() {
        usage();
        return ExitCode::FAILURE;
    }
    run(&steps)
}

/// Runs the steps in order and stops at the first that fails.
fn run(steps: &[&Step]) -> ExitCode {
    for step in steps {
        let start = Instant::now();
        println!("── {}: {}", step.name, step.about);
        if report(step.name, (step.run)()) != ExitCode::SUCCESS {
            return ExitCode::FAILURE;
        }
        println!("── {} passed in {:.1} s", step.name, start.elapsed().as_secs_f64());
    }
    ExitCode::SUCCESS
}

fn report(name: &str, outcome: steps::Outcome) -> ExitCode {
    let Err(problems) = outcome else { return ExitCode::SUCCESS };
    eprintln!("{}", problems.join("\n"));
    eprintln!("── {name} failed");
    ExitCode::FAILURE
}

fn usage() {
    println!("cargo xtask ci      all steps, in order");
    println!("cargo xtask fuzz TARGET SECONDS    feeds made-up bytes, see fuzz/README.md");
    println!("cargo xtask servers -- COMMAND     runs a command beside a private PostgreSQL");
    println!("cargo xtask pgbouncer   the tests of the API, on PostgreSQL through pgbouncer");
    println!("cargo xtask STEP    one of these:\n");
    for step in STEPS {
        println!("  {:<10} {}", step.name, step.about);
    }
}

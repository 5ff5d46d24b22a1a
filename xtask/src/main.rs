//! What is automated in this repository. `cargo xtask ci` runs everything; `cargo xtask NAME` one step of it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a tool for a terminal")]

mod cargo;
mod checks;
mod metadata;
mod outside;
mod sources;
mod steps;
mod tools;

use std::{env, process::ExitCode, time::Instant};

use steps::{STEPS, Step};

fn main() -> ExitCode {
    let names: Vec<String> = env::args().skip(1).collect();
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
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
        if let Err(problems) = (step.run)() {
            eprintln!("{}", problems.join("\n"));
            eprintln!("── {} failed", step.name);
            return ExitCode::FAILURE;
        }
        println!("── {} passed in {:.1} s", step.name, start.elapsed().as_secs_f64());
    }
    ExitCode::SUCCESS
}

fn usage() {
    println!("cargo xtask ci      all steps, in order\ncargo xtask STEP    one of these:\n");
    for step in STEPS {
        println!("  {:<10} {}", step.name, step.about);
    }
}

//! `mainstay test`: the tests of a project's rules, each against a fresh database of its own.
mod callers;
mod compare;
mod coverage;
mod databases;
mod file;
mod given;
mod report;
mod runner;
mod wire;

use std::{process::ExitCode, sync::Arc};

use clap::Args;

use self::{coverage::Coverage, report::Report, runner::Runner};
use super::Outcome;
use crate::{build, failure::Failure, output::Output, project::Project};

/// Run the tests of the rules: tests/*.toml, each against a fresh database
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay test\n  mainstay test \"a guest\"        only tests with that in their name\n  mainstay test --clauses 100    fail unless every clause was seen true and false"
)]
pub(crate) struct Arguments {
    /// Run only tests whose name or file holds this text.
    name: Option<String>,
    /// Fail when less than this percentage of the clauses was seen to hold and not to hold.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    clauses: Option<u8>,
    /// Explain each request before it is sent, and fail where that foresees another answer.
    #[arg(long)]
    explained: bool,
}

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let schema = Arc::new(project.schema()?);
    let files = file::read_all(project)?;
    let wanted = |file: &str, name: &str| {
        arguments.name.as_ref().is_none_or(|part| name.contains(part.as_str()) || file.contains(part.as_str()))
    };
    let mut report = Report::default();
    let coverage = build::runtime(project)?.block_on(async {
        let mut runner = Runner::new(project, schema.clone())?;
        runner.explained = arguments.explained;
        for file in &files {
            for test in file.tests.iter().filter(|test| wanted(&file.name, &test.name)) {
                report.add(runner.run(file, test).await?);
            }
        }
        Ok::<Coverage, Failure>(runner.coverage)
    })?;
    if report.results.is_empty() {
        let what = arguments.name.as_ref().map_or(String::new(), |name| format!(" with {name:?} in its name"));
        return Err(Failure::new("no_tests", format!("there is no test{what}"))
            .hint("tests stand in tests/*.toml of the project: each [[test]] has a name and requests"));
    }
    // A part of the tests says nothing about what all of them reach.
    if arguments.name.is_none() {
        report.coverage = Some(coverage.summary(&schema));
    }
    output.result(report.text(), &report);
    let reached = report
        .coverage
        .as_ref()
        .is_none_or(|summary| arguments.clauses.is_none_or(|wanted| summary.percent >= f64::from(wanted)));
    Ok(if report.failed() == 0 && reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

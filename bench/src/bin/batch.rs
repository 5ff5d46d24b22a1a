//! Measures what a batch costs: `batch --mainstay PROGRAM [--rounds N] [--requests N]`.
//!
//! The same 100 creates as one array and as one batch, sent in turns to one server: the server's CPU time for each request. Exit
//! code 2: a batch costs more than 1.5 times an array.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use mainstay_bench::{
    Outcome,
    cpu::{Rounds, Text},
    http::request,
    sides::Mainstay,
};

/// Records of a request.
const RECORDS: usize = 100;

/// What a batch may cost, in arrays of the same records.
const RATIO_MAX: f64 = 1.5;

/// What to measure.
#[derive(Parser)]
struct Options {
    /// The program `mainstay`.
    #[arg(long, env = "MAINSTAY_BINARY")]
    mainstay: PathBuf,
    /// Interleaved rounds; the median is printed.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Requests of each kind in a round.
    #[arg(long, default_value_t = 300)]
    requests: usize,
}

fn main() -> Outcome<ExitCode> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(&options))
}

async fn measure(options: &Options) -> Outcome<ExitCode> {
    let folder = tempfile::tempdir()?;
    let mainstay = Mainstay::prepare(&options.mainstay, folder.path())?;
    let mut server = mainstay.start()?;
    server.ready("/readyz").await?;
    let token = mainstay.token("bench")?;
    let bodies = [("array", "/api/messages", array()), ("batch", "/api/batch", batch())];
    let requests = bodies.map(|(name, path, body)| (name, request("POST", path, Some(&token), &body)));
    let texts = requests.each_ref().map(|(_, text)| move |_: usize| text.clone());
    let rounds = Rounds { rounds: options.rounds, requests: options.requests };
    let medians = rounds.cpu_of_each(&server, &texts.each_ref().map(|text| text as Text<'_>)).await?;
    server.stop()?;
    println!("{RECORDS} creates, {} rounds of {} requests, CPU µs each (median)\n", options.rounds, options.requests);
    println!("| as | a request | a record | ratio |\n|---|--:|--:|--:|");
    for ((name, _), figure) in requests.iter().zip(&medians) {
        println!("| {name} | {figure:.0} | {:.1} | {:.2} |", figure / RECORDS as f64, figure / medians[0]);
    }
    let over = medians.iter().any(|figure| figure / medians[0] > RATIO_MAX);
    Ok(if over { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn message(number: usize) -> String {
    format!(r#"{{"room": "r{}", "author": "a{number}", "body": "{}"}}"#, number % 7, "some text ".repeat(10))
}

fn array() -> String {
    let records: Vec<String> = (0..RECORDS).map(message).collect();
    format!("[{}]", records.join(","))
}

fn batch() -> String {
    let operation = |number| format!(r#"{{"op": "create", "in": "messages", "data": {}}}"#, message(number));
    let operations: Vec<String> = (0..RECORDS).map(operation).collect();
    format!(r#"{{"ops": [{}]}}"#, operations.join(","))
}

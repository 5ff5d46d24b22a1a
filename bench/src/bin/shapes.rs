//! Measures what a shape costs: `shapes --mainstay PROGRAM [--rounds N] [--requests N]`.
//!
//! A page of an empty table without a filter, with one of ten clauses that was asked before, and with one that never was; creates in
//! a type without checks and in one with ten. Sent in turns to one server: its CPU time for each request.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::path::PathBuf;

use clap::Parser;
use mainstay_bench::{
    Outcome,
    cpu::{Rounds, Text},
    http::{percent_encode, request},
    project::BARE_SETTINGS,
    sides::Mainstay,
};

/// Ten checks on five fields.
const CHECKS: &str = r#"
  @check(expr: "size(a) <= 80") @check(expr: "size(b) <= 80") @check(expr: "a != b")
  @check(expr: "n >= 0") @check(expr: "n <= 100") @check(expr: "m >= 0 && m <= 100") @check(expr: "n + m <= 200")
  @check(expr: "x >= 0.0") @check(expr: "x < 1000000.0") @check(expr: "!(a.startsWith('!') || b.endsWith('!'))")
"#;
const FIELDS: &str = "{ a: String! b: String! n: Int! m: Int! x: Float! }";

/// Ten clauses; `NUMBER` makes each text another.
const FILTER: &str = "a == 'core' && b.startsWith('x') && n >= 10 && n <= NUMBER && m != 7 && x > 0.5 && x < 9.5 \
                      && a.contains('or') && (m in [1, 2, 3] || n == 4) && size(b) < 80";

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
    #[arg(long, default_value_t = 4_000)]
    requests: usize,
}

/// A kind of request: its name, which row of the table it is compared with, and its text.
struct Case {
    name: &'static str,
    base: usize,
    text: Box<dyn Fn(usize) -> String>,
}

fn main() -> Outcome<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(&options))
}

async fn measure(options: &Options) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let mainstay = Mainstay::prepare_project(&options.mainstay, folder.path(), &schema(), BARE_SETTINGS)?;
    let mut server = mainstay.start()?;
    server.ready("/readyz").await?;
    let cases = cases();
    let rounds = Rounds { rounds: options.rounds, requests: options.requests };
    let medians = rounds.cpu_of_each(&server, &cases.each_ref().map(|case| &*case.text as Text<'_>)).await?;
    server.stop()?;
    println!("{} rounds of {} requests, the server's CPU µs each (median)\n", options.rounds, options.requests);
    println!("| request | CPU µs | more | ratio |\n|---|--:|--:|--:|");
    for (case, figure) in cases.iter().zip(&medians) {
        let base = medians[case.base];
        println!("| {} | {figure:.1} | {:.1} | {:.2} |", case.name, figure - base, figure / base);
    }
    Ok(())
}

fn cases() -> [Case; 5] {
    let page = |filter: String| {
        let filter = if filter.is_empty() { String::new() } else { format!("&filter={}", percent_encode(&filter)) };
        request("GET", &format!("/api/empties?limit=20{filter}"), None, "")
    };
    let create = |path: &'static str| {
        move |number: usize| {
            let body = format!(r#"{{"a":"a{number}","b":"b{number}","n":{},"m":5,"x":0.25}}"#, number % 100);
            request("POST", path, None, &body)
        }
    };
    [
        Case { name: "page, no filter", base: 0, text: Box::new(move |_| page(String::new())) },
        Case {
            name: "page, ten clauses, seen before",
            base: 0,
            text: Box::new(move |_| page(FILTER.replace("NUMBER", "90"))),
        },
        Case {
            name: "page, ten clauses, never seen",
            base: 0,
            text: Box::new(move |number| page(FILTER.replace("NUMBER", &(1_000 + number).to_string()))),
        },
        Case { name: "create, no checks", base: 3, text: Box::new(create("/api/plains")) },
        Case { name: "create, ten checks", base: 3, text: Box::new(create("/api/checkeds")) },
    ]
}

fn schema() -> String {
    let rules = r#"@rules(read: "true", write: "true")"#;
    format!("type Empty {rules} {FIELDS}\ntype Plain {rules} {FIELDS}\ntype Checked {rules} {CHECKS} {FIELDS}\n")
}

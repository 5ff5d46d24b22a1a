//! Measures four ways of keeping UUIDv7 record ids in SQLite: `ids [--rows N] [--rounds N] [--dir FOLDER]`.
//!
//! TEXT or BLOB keys, with and without rowid, each in CPU microseconds per operation (this thread's time on the
//! processor, so that a busy machine does not blur it). Rounds are interleaved; the medians are printed.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::path::PathBuf;

use candidate::Candidate;
use clap::Parser;
use mainstay_bench::{Outcome, compare::median};

mod candidate;
mod tables;

/// What to measure.
#[derive(Parser)]
struct Options {
    /// Rows in `messages`; there are a tenth as many threads and half as many posts.
    #[arg(long, default_value_t = 1_000)]
    rows: u64,
    /// Interleaved rounds; the median is printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Bytes in a body.
    #[arg(long, default_value_t = 108)]
    body: usize,
    /// Where the four files go: a fresh temporary folder unless told.
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// One candidate: how a key is kept.
#[derive(Clone, Copy)]
struct Layout {
    name: &'static str,
    blob: bool,
    without_rowid: bool,
}

const LAYOUTS: [Layout; 4] = [
    Layout { name: "text", blob: false, without_rowid: false },
    Layout { name: "text, without rowid", blob: false, without_rowid: true },
    Layout { name: "blob", blob: true, without_rowid: false },
    Layout { name: "blob, without rowid", blob: true, without_rowid: true },
];

const OPERATIONS: [&str; 5] = ["read by id", "page of 20", "insert, 32 a commit", "update by id", "nested page"];

fn main() -> Outcome<()> {
    let options = Options::parse();
    let folder = tempfile::tempdir()?;
    let dir = options.dir.as_deref().unwrap_or(folder.path());
    let mut candidates = Vec::new();
    for (number, layout) in LAYOUTS.into_iter().enumerate() {
        candidates.push(Candidate::seeded(layout, &dir.join(format!("ids-{number}.db")), &options)?);
    }
    let sizes: Vec<f64> = candidates.iter().map(Candidate::file_mib).collect();
    let mut figures = vec![vec![Vec::new(); OPERATIONS.len()]; candidates.len()];
    for _ in 0..options.rounds {
        for operation in 0..OPERATIONS.len() {
            for (candidate, row) in candidates.iter_mut().zip(&mut figures) {
                row[operation].push(candidate.measure(operation)?);
            }
        }
    }
    println!("{} rows, {} rounds, CPU µs each (median)\n", options.rows, options.rounds);
    println!("| keys | {} | file MiB |", OPERATIONS.join(" | "));
    println!("|---|{}", "--:|".repeat(OPERATIONS.len() + 1));
    for ((candidate, row), size) in candidates.iter().zip(&figures).zip(sizes) {
        let cells: Vec<String> = row.iter().map(|runs| format!("{:.2}", median(runs.iter().copied()))).collect();
        println!("| {} | {} | {size:.1} |", candidate.layout.name, cells.join(" | "));
    }
    Ok(())
}

//! Measures how fast a reader catches up that is far behind: `changes --mainstay PROGRAM [--postgres URL] [--records N]`.
//!
//! Records are imported, each of which leaves a change; then a reader reads the feed from its beginning, and what it is told is counted
//! and must be there once, in the order of positions that the server gives. Exit code 2: fewer than 100,000 changes a second.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use clap::Parser;
use mainstay_bench::{
    Outcome,
    compare::median,
    http::{Connection, request},
    postgres::Database,
    process::{Process, cpu_us},
    requests::BODY_BYTES,
    say,
    sides::Mainstay,
};
use serde::Deserialize;

/// Changes a second, at least.
const RATE_MIN: f64 = 100_000.0;

/// What to measure.
#[derive(Parser)]
struct Options {
    /// The program `mainstay`.
    #[arg(long, env = "MAINSTAY_BINARY")]
    mainstay: PathBuf,
    /// A PostgreSQL whose user may make databases; without it SQLite is measured.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Records, and so changes.
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Changes of one answer.
    #[arg(long, default_value_t = 10_000)]
    limit: u64,
    /// Times that a reader begins; the median is printed.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// What a reader needs of a change.
#[derive(Deserialize)]
struct Change {
    position: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<ExitCode> {
    let options = Options::parse();
    let folder = tempfile::tempdir()?;
    let database = match &options.postgres {
        Some(url) => Some(Database::create(url).await?),
        None => None,
    };
    let mainstay = match &database {
        Some(database) => Mainstay::prepare_in(&options.mainstay, folder.path(), database)?,
        None => Mainstay::prepare(&options.mainstay, folder.path())?,
    };
    let file = folder.path().join("messages.ndjson");
    write_messages(&file, options.records)?;
    let began = Instant::now();
    mainstay.import("messages", &file)?;
    let seconds = began.elapsed().as_secs_f64();
    say(&format!("{} records imported in {seconds:.1} s", options.records));
    let mut server = mainstay.start()?;
    server.ready("/readyz").await?;
    let token = mainstay.admin_token()?;
    let (mut rates, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let (rate, cpu) = catch_up(&server, &token, &options).await?;
        say(&format!("{rate:.0} changes a second, {cpu:.2} µs of the server's time for each"));
        rates.push(rate);
        cpus.push(cpu);
    }
    server.stop()?;
    let (rate, cpu) = (median(rates.into_iter()), median(cpus.into_iter()));
    println!("{} changes: {rate:.0} a second, {cpu:.2} µs of the server's time for each", options.records);
    Ok(if rate < RATE_MIN { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

/// Reads from the beginning to the end: changes a second, and microseconds of the server's time for each.
async fn catch_up(server: &Process, token: &str, options: &Options) -> Outcome<(f64, f64)> {
    let mut connection = Connection::open(server.address).await?;
    let (mut after, mut seen) = (String::new(), 0);
    let (cpu, began) = (cpu_us(server.pid())?, Instant::now());
    loop {
        let path = format!("/api/changes?limit={}{after}", options.limit);
        let answer = connection.exchange(request("GET", &path, Some(token), "").as_bytes()).await?;
        if answer.status != 200 {
            return Err(format!("{} {}", answer.status, String::from_utf8_lossy(answer.body)).into());
        }
        let lines = answer.body.iter().filter(|byte| **byte == b'\n').count() as u64;
        let Some(last) =
            answer.body.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().filter(|line| !line.is_empty())
        else {
            break;
        };
        seen += lines;
        after = format!("&after={}", serde_json::from_slice::<Change>(last)?.position);
    }
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_us(server.pid())? - cpu);
    if seen != options.records {
        return Err(format!("{seen} changes of {} records", options.records).into());
    }
    Ok((seen as f64 / seconds, cpu as f64 / seen as f64))
}

fn write_messages(file: &Path, records: u64) -> Outcome<()> {
    let mut out = BufWriter::new(File::create(file)?);
    let body = "lorem ipsum dolor ".repeat(BODY_BYTES / 18);
    for nth in 0..records {
        let (room, author) = (nth % 100, nth % 1000);
        writeln!(out, r#"{{"room":"room-{room}","author":"author-{author:03}","body":"{body}"}}"#)?;
    }
    Ok(out.flush()?)
}

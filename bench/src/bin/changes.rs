//! Measures how fast a reader catches up that is far behind: `changes --mainstay PROGRAM [--postgres URL] [--records N]`.
//!
//! Records are imported, each of which leaves a change. A first reader looks at each change: there is one of each record, and positions
//! rise. Then others read the feed from its beginning, and only count. Exit code 2: fewer than 100,000 changes a second.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::{
    collections::HashSet,
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
use uuid::Uuid;

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
struct Change<'a> {
    position: &'a str,
    id: &'a str,
    op: &'a str,
}

/// What the reader has seen that looks at each change.
#[derive(Default)]
struct Seen {
    records: HashSet<Uuid>,
    last: (u64, u64),
}

impl Seen {
    /// Takes the next change; fails in words where it cannot be the next.
    fn take(&mut self, line: &[u8]) -> Outcome<()> {
        let wrong = |why: &str| format!("{why}: {}", String::from_utf8_lossy(line));
        let change: Change<'_> = serde_json::from_slice(line).map_err(|error| wrong(&error.to_string()))?;
        let position = place(change.position).ok_or_else(|| wrong("this position is unknown"))?;
        if position <= self.last {
            return Err(wrong(&format!("this position is not behind the one before it, {:?}", self.last)).into());
        }
        self.last = position;
        if change.op != "create" {
            return Err(wrong("nothing was asked for but creates").into());
        }
        if !self.records.insert(change.id.parse().map_err(|_| wrong("this is no id"))?) {
            return Err(wrong("this record is created twice").into());
        }
        Ok(())
    }
}

/// A position as numbers: the change's, or those of its transaction and its own.
fn place(position: &str) -> Option<(u64, u64)> {
    match position.split_once('.') {
        Some((transaction, change)) => Some((transaction.parse().ok()?, change.parse().ok()?)),
        None => Some((0, position.parse().ok()?)),
    }
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
    let mut seen = Seen::default();
    catch_up(&server, &token, &options, |answer| lines(answer).try_for_each(|line| seen.take(line))).await?;
    let (mut rates, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let (rate, cpu) = catch_up(&server, &token, &options, |_| Ok(())).await?;
        say(&format!("{rate:.0} changes a second, {cpu:.2} µs of the server's time for each"));
        rates.push(rate);
        cpus.push(cpu);
    }
    server.stop()?;
    let (rate, cpu) = (median(rates.into_iter()), median(cpus.into_iter()));
    println!("{} changes: {rate:.0} a second, {cpu:.2} µs of the server's time for each", options.records);
    Ok(if rate < RATE_MIN { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

/// Reads from the beginning to the end, and shows each answer: changes a second, and microseconds of the server's time for each.
async fn catch_up(
    server: &Process,
    token: &str,
    options: &Options,
    mut show: impl FnMut(&[u8]) -> Outcome<()>,
) -> Outcome<(f64, f64)> {
    let mut connection = Connection::open(server.address).await?;
    let (mut after, mut seen) = (String::new(), 0);
    let (cpu, began) = (cpu_us(server.pid())?, Instant::now());
    loop {
        let path = format!("/api/changes?limit={}{after}", options.limit);
        let answer = connection.exchange(request("GET", &path, Some(token), "").as_bytes()).await?;
        if answer.status != 200 {
            return Err(format!("{} {}", answer.status, String::from_utf8_lossy(answer.body)).into());
        }
        show(answer.body)?;
        let Some(last) = lines(answer.body).next_back() else { break };
        seen += answer.body.iter().filter(|byte| **byte == b'\n').count() as u64;
        after = format!("&after={}", serde_json::from_slice::<Change<'_>>(last)?.position);
    }
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_us(server.pid())? - cpu);
    if seen != options.records {
        return Err(format!("{seen} changes of {} records", options.records).into());
    }
    Ok((seen as f64 / seconds, cpu as f64 / seen as f64))
}

/// The changes of an answer, each on a line.
fn lines(answer: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    answer.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn all(changes: &[(&str, u128)]) -> Result<usize, String> {
        let mut seen = Seen::default();
        for (position, id) in changes {
            let line = format!(r#"{{"position":"{position}","id":"{}","op":"create"}}"#, Uuid::from_u128(*id));
            seen.take(line.as_bytes()).map_err(|error| error.to_string())?;
        }
        Ok(seen.records.len())
    }

    #[test]
    fn what_is_told_twice_or_in_another_order_is_found() {
        assert_eq!(all(&[("7.9", 1), ("7.10", 2), ("8.3", 3)]), Ok(3));
        assert_eq!(all(&[("9", 1), ("10", 2)]), Ok(2));
        // One is missing and one is there twice: as many as there should be.
        let twice = all(&[("1", 1), ("2", 1)]).expect_err("twice");
        assert!(twice.contains("this record is created twice"), "{twice}");
        for changes in [[("2", 1), ("1", 2)], [("2", 1), ("2", 2)], [("8.3", 1), ("7.9", 2)]] {
            let order = all(&changes).expect_err("another order");
            assert!(order.contains("not behind the one before it"), "{order}");
        }
        assert!(all(&[("x", 1)]).expect_err("a position").contains("this position is unknown"));
    }
}

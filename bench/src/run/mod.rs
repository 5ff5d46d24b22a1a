//! A whole run: for each engine and size both servers are made, filled, started, and asked everything.
use std::{path::PathBuf, time::Duration};

use crate::{
    Outcome,
    cases::Case,
    compare::{Plan, compare, median},
    process::{Process, rss_kib, rss_peak_kib},
    report::{Report, Resident},
    seed::Sizes,
};

mod postgres;
mod sqlite;

/// Starts of each server, for the median of the time to the first answer.
const STARTS: usize = 5;
/// How long an idle server is left alone before its memory is read.
const IDLE: Duration = Duration::from_millis(500);
/// Documents under the rule through a link, whatever the size.
const DOCS: u64 = 100_000;

const NEWEST: &str = "?limit=20&sort=-createdAt";
const NEWEST_NESTED: &str = "?limit=20&sort=-createdAt&fields=*,author(id,name),posts(id,text;limit:5;sort:createdAt)";

/// What to run.
#[derive(Debug)]
pub struct Setup {
    /// The hand-written server on SQLite; without it nothing is measured there.
    pub yardstick: Option<PathBuf>,
    /// PostgreSQL; without it nothing is measured there.
    pub postgres: Option<Postgres>,
    /// The server to measure; without it, a second hand-written one.
    pub mainstay: Option<PathBuf>,
    /// Where the databases go.
    pub folder: PathBuf,
    /// Numbers of records.
    pub sizes: Vec<u64>,
    /// Only the cases whose name holds one of these; all when there are none.
    pub only: Vec<String>,
    /// How.
    pub plan: Plan,
}

/// A PostgreSQL to measure on.
#[derive(Debug)]
pub struct Postgres {
    /// A database of it; the bench makes others beside it, and drops them.
    pub url: String,
    /// The hand-written server.
    pub bare: PathBuf,
}

/// A server that runs, with what its start has shown.
struct Running {
    process: Process,
    resident: Resident,
}

/// Runs everything and gives the figures.
pub async fn run(setup: Setup) -> Outcome<Report> {
    let subject = if setup.mainstay.is_some() { "mainstay" } else { "a second one" };
    let mut report = Report {
        names: ["a hand-written server".into(), subject.into()],
        plan: setup.plan.clone(),
        processors: std::thread::available_parallelism()?.get(),
        servers: Vec::new(),
        comparisons: Vec::new(),
    };
    for &rows in &setup.sizes {
        let folder = setup.folder.join(format!("rows-{rows}"));
        if let Some(yardstick) = &setup.yardstick {
            sqlite::size(&setup, yardstick, &folder, rows, &mut report).await?;
        }
        if let Some(of) = &setup.postgres {
            postgres::size(&setup, of, &folder.join("postgres"), rows, &mut report).await?;
        }
    }
    Ok(report)
}

impl Setup {
    /// Compares what is wanted of the cases.
    async fn compare(&self, cases: &[Case], at: (&'static str, u64), report: &mut Report) -> Outcome<()> {
        for case in cases.iter().filter(|case| self.wants(case)) {
            report.comparisons.extend(compare(case, at, &self.plan).await?);
        }
        Ok(())
    }

    fn wants(&self, case: &Case) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| case.name.contains(part.as_str()))
    }
}

impl Running {
    /// Stops it and notes what it held.
    fn stop(self, report: &mut Report) -> Outcome<()> {
        let loaded_mib = mib(rss_peak_kib(self.process.pid())?);
        self.process.stop()?;
        report.servers.push(Resident { loaded_mib, ..self.resident });
        Ok(())
    }
}

fn sizes(rows: u64) -> Sizes {
    Sizes { messages: rows, threads: (rows / 10).max(100), docs: DOCS }
}

/// Starts a server some times, gives the last one, the median time to its first page, and its memory at rest.
async fn running(
    name: &str,
    rows: u64,
    judged: bool,
    page: &str,
    start: impl Fn() -> Outcome<Process>,
) -> Outcome<Running> {
    // The first start may fill or migrate: it does not count.
    let mut process = start()?;
    process.ready(page).await?;
    let mut times = Vec::new();
    for _ in 0..STARTS {
        process.stop()?;
        process = start()?;
        times.push(process.ready(page).await?.as_secs_f64() * 1000.0);
    }
    tokio::time::sleep(IDLE).await;
    let idle_mib = mib(rss_kib(process.pid())?);
    let start_ms = median(times.into_iter());
    let resident = Resident { name: name.into(), rows, start_ms, idle_mib, loaded_mib: 0.0, judged };
    Ok(Running { process, resident })
}

fn page(path: &str, query: &str) -> String {
    format!("{path}{query}")
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

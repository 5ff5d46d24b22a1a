//! The harness that kills: many writers, SIGKILL at a random moment, a restart, and a look at what is left.
//!
//! What must hold after each kill:
//! 1. What was acknowledged is there: records created, patches, deletions.
//! 2. What was under way is there whole or not at all: a patch with both its fields and its version, an array or batch of
//!    records with all of them or none, and nothing twice.
//! 3. Nothing is there that nobody asked for.
//! 4. What was under way with an idempotency key and is sent again has acted once, and gets one answer.
//!
//! After the last kill the whole table is held against everything that was ever written, the change feed must tell of what is there
//! and of nothing else, and SQLite's own `integrity_check` must be content.
use std::{
    fmt::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};

use crate::{
    Outcome,
    process::{Process, free_address},
    project,
    random::Random,
    say,
    sides::Mainstay,
};

mod asked;
mod check;
mod feed;
mod ledger;
mod listing;
mod writer;

pub use check::Violation;
use ledger::{Counts, Ledger};

/// The writers have so many milliseconds, at least and at most, before the server is killed.
const LIFE_MS: (u64, u64) = (30, 800);
/// One restart in so many is killed too, at most so many milliseconds after its start.
const START_KILL_ONE_IN: u64 = 4;
const START_KILL_MS_MAX: u64 = 40;
/// The caller whose idempotency keys these are.
const WRITER: &str = "writer";
/// What a server that is up answers.
const READY_PATH: &str = "/api/entries?limit=1";

/// What to do.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program `mainstay`.
    pub mainstay: PathBuf,
    /// An empty folder for the project.
    pub folder: PathBuf,
    /// How often the server is killed under load.
    pub times: u64,
    /// Writers at a time.
    pub writers: u64,
    /// Where the random numbers begin: the requests and the moments of the kills come from it.
    pub seed: u64,
    /// Whether the server keeps a change feed; the one that the harness itself is tried with has none.
    pub feed: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Kills under load.
    pub kills: u64,
    /// Kills of a server that had only begun to start.
    pub start_kills: u64,
    /// What was acknowledged, and what was under way when it was cut off.
    pub counts: Counts,
    /// The longest time from a restart to its first answer.
    pub restart_ms_max: f64,
    /// What was found to be wrong.
    pub violations: Vec<Violation>,
}

/// Kills a server again and again; what is wrong afterwards is in the report, an error is what stopped the harness.
pub async fn run(setup: &Setup) -> Outcome<Report> {
    tokio::task::LocalSet::new().run_until(Harness::new(setup)?.run()).await
}

/// The feed keeps all that it was ever told, however many kills there are: in the end it is held against the records.
const ALL_CHANGES: &str = "\n[changes]\nkeep = \"365d\"\nsize_max_mib = 1000000\n";

struct Harness<'a> {
    setup: &'a Setup,
    mainstay: Mainstay,
    token: String,
    random: Random,
    report: Report,
    ledgers: Vec<Ledger>,
}

impl<'a> Harness<'a> {
    fn new(setup: &'a Setup) -> Outcome<Self> {
        let settings = [project::SETTINGS, ALL_CHANGES].concat();
        let mainstay = Mainstay::prepare_project(&setup.mainstay, &setup.folder, project::SCHEMA, &settings)?;
        let (token, random) = (mainstay.token(WRITER)?, Random::new(setup.seed));
        Ok(Harness { setup, mainstay, token, random, report: Report::default(), ledgers: Vec::new() })
    }

    async fn run(mut self) -> Outcome<Report> {
        let mut server = self.start().await?;
        for run in 0..self.setup.times {
            let mut ledger = self.write_until_killed(server, run).await?;
            server = self.start().await?;
            self.report.violations.extend(asked::send_again(server.address, &mut ledger).await?);
            self.report.counts.add(&ledger.counts());
            let found = listing::of_run(server.address, run).await?;
            let violations = check::settle(&mut ledger, found);
            say(&format!("kill {} of {}: {} wrong", run + 1, self.setup.times, violations.len()));
            self.report.violations.extend(violations);
            self.ledgers.push(ledger);
        }
        self.check_everything(&server).await?;
        server.stop()?;
        self.check_file()?;
        Ok(self.report)
    }

    /// Starts the server, now and then after killing a start, and waits for its first answer.
    async fn start(&mut self) -> Outcome<Process> {
        if self.random.below(START_KILL_ONE_IN) == 0 {
            let early = self.mainstay.start_at(free_address()?)?;
            tokio::time::sleep(Duration::from_millis(self.random.below(START_KILL_MS_MAX))).await;
            early.kill()?;
            self.report.start_kills += 1;
        }
        let mut server = self.mainstay.start()?;
        let ms = server.ready(READY_PATH).await?.as_secs_f64() * 1000.0;
        self.report.restart_ms_max = self.report.restart_ms_max.max(ms);
        Ok(server)
    }

    /// Sets the writers loose and kills the server under them; what they know of is the ledger.
    async fn write_until_killed(&mut self, server: Process, run: u64) -> Outcome<Ledger> {
        let life = Duration::from_millis(self.random.between(LIFE_MS.0, LIFE_MS.1));
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..self.setup.writers {
            let random = self.random.split(run << 32 | number);
            writers.spawn_local(writer::write(server.address, run, number, self.token.clone(), random));
        }
        let began = Instant::now();
        tokio::time::sleep(life).await;
        server.kill()?;
        self.report.kills += 1;
        let mut ledger = Ledger::new(run);
        for written in writers.join_all().await {
            ledger.take(written, &mut self.report.violations);
        }
        if ledger.entries.is_empty() {
            return Err(format!("nothing was written in {} ms", began.elapsed().as_millis()).into());
        }
        Ok(ledger)
    }

    /// All runs once more: a later crash must not lose what an earlier one has spared.
    async fn check_everything(&mut self, server: &Process) -> Outcome<()> {
        let mut found = listing::of_all(server.address).await?;
        for ledger in &mut self.ledgers {
            let (mine, others) = found.into_iter().partition(|record| record.run == ledger.run);
            found = others;
            self.report.violations.extend(check::settle(ledger, mine));
        }
        self.report.violations.extend(found.iter().map(check::never_asked_for));
        Ok(())
    }

    fn check_file(&mut self) -> Outcome<()> {
        let db = Connection::open_with_flags(self.mainstay.database(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let verdict: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        if verdict != "ok" {
            self.report.violations.push(Violation(format!("integrity_check says: {verdict}")));
        }
        if self.setup.feed {
            self.report.violations.extend(feed::check(&db)?);
        }
        Ok(())
    }
}

impl Report {
    /// The report in words.
    pub fn text(&self) -> String {
        let Report { kills, start_kills, counts, restart_ms_max, violations } = self;
        let Counts { creates, arrays, patches, deletes, under_way, sent_again } = counts;
        let mut out = format!(
            "{kills} kills under load, {start_kills} during a start; slowest restart {restart_ms_max:.0} ms\n\
             acknowledged: {creates} creates, {arrays} arrays and batches, {patches} patches, {deletes} deletes; \
             {under_way} requests were under way, {sent_again} of them were sent again\n\
             {} lost, half there or unasked for\n",
            violations.len()
        );
        for Violation(text) in violations.iter().take(20) {
            // A String cannot fail to be written to.
            let _ = writeln!(out, "  {text}");
        }
        out
    }
}

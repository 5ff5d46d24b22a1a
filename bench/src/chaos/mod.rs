//! The harness that breaks things: three nodes on one PostgreSQL behind nginx, under writers that send each write until it is
//! acknowledged, while nodes are killed and stopped, the database is restarted, and nodes are cut off from it.
//!
//! What must hold in the end:
//! 1. Each acknowledged write is there, once: entries and counters, alone and in batches.
//! 2. Nothing is there that was not acknowledged (every write is sent until it is).
//! 3. A reader of the change feed at each node gets every change once, each record's in the order of versions, all in one order.
//! 4. While a node stops gracefully, and nothing else is broken, no client is refused.
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fmt::Write as _,
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use mainstay_servers::Stop;
use reqwest::Client;
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use crate::{Outcome, random::Random, say};

mod check;
mod reader;
mod relay;
mod site;
mod writer;

use relay::Way;
use site::{NODES, Site};
use writer::{Acknowledged, Shared};

/// Accounts that all writers count up: few, so that they meet.
const ACCOUNTS: usize = 4;
/// How long nothing is broken between two events, in milliseconds.
const REST_MS: (u64, u64) = (300, 1_500);
/// How long a node stays away, or cut off, in milliseconds.
const AWAY_MS: (u64, u64) = (200, 3_000);
/// How long one attempt may take: a client's patience.
const ATTEMPT: Duration = Duration::from_secs(15);

/// Something that must not be, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation(pub String);

/// What to do.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program `mainstay`.
    pub mainstay: PathBuf,
    /// The configuration of nginx: `deploy/nginx/nginx.conf`.
    pub nginx: PathBuf,
    /// An empty folder.
    pub folder: PathBuf,
    /// How long things are broken.
    pub time: Duration,
    /// Writers at a time.
    pub writers: u64,
    /// Where the random numbers begin.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// How often what was broken.
    pub events: BTreeMap<&'static str, u64>,
    /// Entries that were acknowledged.
    pub entries: u64,
    /// Batches among them, which count an account up too.
    pub batches: u64,
    /// Changes that each reader of the feed is to get.
    pub changes: u64,
    /// Attempts that came to nothing and were made again, by what was told.
    pub again: BTreeMap<String, u64>,
    /// The longest that a write took over all its attempts.
    pub slowest: Duration,
    /// The longest that nodes took to be ready after what was broken was mended.
    pub mended: Duration,
    /// What was found to be wrong.
    pub violations: Vec<Violation>,
}

/// What is broken.
#[derive(Clone, Copy, Debug)]
enum Event {
    Kill,
    Stop,
    Restart(Stop),
    Cut(Way),
}

const EVENTS: [Event; 8] = [
    Event::Kill,
    Event::Stop,
    Event::Cut(Way::Broken),
    Event::Restart(Stop::Fast),
    Event::Kill,
    Event::Stop,
    Event::Cut(Way::Silent),
    Event::Restart(Stop::Immediate),
];

impl Event {
    fn name(self) -> &'static str {
        match self {
            Event::Kill => "a node killed",
            Event::Stop => "a node stopped",
            Event::Restart(Stop::Fast) => "the database restarted",
            Event::Restart(Stop::Immediate) => "the database crashed",
            Event::Cut(Way::Silent) => "a node's way to the database silent",
            Event::Cut(_) => "a node's way to the database broken",
        }
    }
}

/// Breaks things for a while; what is wrong afterwards is in the report, an error is what stopped the harness.
pub async fn run(setup: &Setup) -> Outcome<Report> {
    tokio::task::LocalSet::new().run_until(break_things(setup)).await
}

async fn break_things(setup: &Setup) -> Outcome<Report> {
    let mut site = Site::start(&setup.mainstay, &setup.nginx, &setup.folder).await?;
    let (token, client) = (site.token(&[])?, Client::builder().no_proxy().timeout(ATTEMPT).build()?);
    let accounts = make_accounts(&client, &site.url("/api/accounts"), &token).await?;
    let shared = Rc::new(Shared {
        client: client.clone(),
        entries: site.url("/api/entries"),
        batch: site.url("/api/batch"),
        token: token.clone(),
        accounts,
        over: Cell::new(false),
        failures: RefCell::default(),
        violations: RefCell::default(),
    });
    let mut random = Random::new(setup.seed);
    let mut writers = JoinSet::new();
    for number in 0..setup.writers {
        writers.spawn_local(writer::write(shared.clone(), number, random.split(number)));
    }
    let wanted = Rc::new(Cell::new(None));
    let readers = start_readers(&site, &wanted)?;
    let mut report = Report::default();
    let began = Instant::now();
    for event in EVENTS.iter().cycle() {
        if began.elapsed() >= setup.time {
            break;
        }
        let away = Duration::from_millis(random.between(AWAY_MS.0, AWAY_MS.1));
        let node = random.below(NODES as u64) as usize;
        happen(&mut site, *event, node, away, &shared, &mut report).await?;
        *report.events.entry(event.name()).or_default() += 1;
        say(&format!("{:.0} s: {}", began.elapsed().as_secs_f64(), event.name()));
        tokio::time::sleep(Duration::from_millis(random.between(REST_MS.0, REST_MS.1))).await;
    }
    shared.over.set(true);
    let acknowledged = writers.join_all().await;
    judge(&site, &shared, &acknowledged, &mut report).await?;
    report.changes = report.entries + report.batches + ACCOUNTS as u64;
    wanted.set(Some(usize::try_from(report.changes)?));
    report.violations.extend(reader::judge(&mut readers.join_all().await, usize::try_from(report.changes)?));
    Ok(report)
}

/// Begins to read the change feed at each node.
fn start_readers(site: &Site, wanted: &Rc<Cell<Option<usize>>>) -> Outcome<JoinSet<reader::Got>> {
    let token = site.token(&["--admin"])?;
    let mut readers = JoinSet::new();
    for number in 0..NODES {
        let client = Client::builder().no_proxy().timeout(ATTEMPT).build()?;
        let url = site.node_url(number, "/api/changes");
        readers.spawn_local(reader::read(client, url, token.clone(), wanted.clone()));
    }
    Ok(readers)
}

/// Breaks something, mends it, and waits until everything is ready again.
async fn happen(
    site: &mut Site,
    event: Event,
    node: usize,
    away: Duration,
    shared: &Shared,
    report: &mut Report,
) -> Outcome<()> {
    match event {
        Event::Kill => {
            site.kill(node)?;
            tokio::time::sleep(away).await;
            site.begin(node).await?;
        }
        Event::Stop => {
            let asked = Instant::now();
            site.stop(node).await?;
            // Writes that get in each other's way do so with or without a stop.
            let refuses = |(at, why): &&(Instant, String)| *at >= asked && !why.contains("write_conflict");
            let refused = shared.failures.borrow().iter().filter(refuses).cloned().collect::<Vec<_>>();
            report.violations.extend(refused.into_iter().map(|(at, why)| {
                Violation(format!("{} ms after a graceful stop had begun: {why}", (at - asked).as_millis()))
            }));
            site.begin(node).await?;
        }
        Event::Restart(how) => site.restart_database(how)?,
        Event::Cut(way) => {
            site.way(node, way);
            tokio::time::sleep(away).await;
            site.way(node, Way::Open);
        }
    }
    report.mended = report.mended.max(site.all_ready().await?);
    Ok(())
}

async fn make_accounts(client: &Client, url: &str, token: &str) -> Outcome<Vec<String>> {
    let accounts: Vec<Json> =
        (0..ACCOUNTS).map(|at| json!({ "name": format!("account {at}"), "counter": 0 })).collect();
    let made = client.post(url).bearer_auth(token).json(&accounts).send().await?.error_for_status()?.text().await?;
    let made: Json = serde_json::from_str(&made)?;
    Ok(made.as_array().into_iter().flatten().filter_map(|one| Some(one["id"].as_str()?.to_owned())).collect())
}

async fn judge(site: &Site, shared: &Shared, acknowledged: &[Acknowledged], report: &mut Report) -> Outcome<()> {
    let entries = check::all(&shared.client, &shared.entries, &shared.token).await?;
    report.violations.append(&mut shared.violations.borrow_mut());
    report.violations.extend(check::entries(&entries, acknowledged));
    let accounts = check::all(&shared.client, &site.url("/api/accounts"), &shared.token).await?;
    report.violations.extend(check::accounts(&accounts, &shared.accounts, acknowledged));
    for (_, why) in shared.failures.borrow_mut().drain(..) {
        *report.again.entry(why).or_default() += 1;
    }
    report.entries = acknowledged.iter().map(|of| of.entries).sum();
    report.batches = acknowledged.iter().flat_map(|of| &of.counted).sum();
    report.slowest = acknowledged.iter().map(|of| of.slowest).max().unwrap_or_default();
    Ok(())
}

impl Report {
    /// The report in words.
    pub fn text(&self) -> String {
        let Report { events, entries, batches, changes, again, slowest, mended, violations } = self;
        let mut out = String::new();
        // A String cannot fail to be written to.
        for (event, times) in events {
            let _ = writeln!(out, "{event}: {times} times");
        }
        let _ =
            writeln!(out, "acknowledged: {entries} entries, {batches} of them in batches with an account counted up");
        let _ = writeln!(out, "changes for each of {NODES} readers of the feed: {changes}");
        let (slowest, mended) = (slowest.as_millis(), mended.as_millis());
        let _ =
            writeln!(out, "slowest write, over all its attempts: {slowest} ms; slowest to be ready again: {mended} ms");
        for (why, times) in again {
            let _ = writeln!(out, "sent again {times} times: {why}");
        }
        let _ = writeln!(out, "{} lost, done twice, unasked for or refused", violations.len());
        for Violation(text) in violations.iter().take(20) {
            let _ = writeln!(out, "  {text}");
        }
        out
    }
}

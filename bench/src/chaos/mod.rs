//! The harness that breaks things: three nodes on one PostgreSQL behind nginx, under writers that send each write until it is
//! acknowledged, while nodes are killed and stopped, the database is restarted, and nodes are cut off from it.
//!
//! What must hold in the end:
//! 1. Each acknowledged write is there, once: entries and counters, alone and in batches.
//! 2. Nothing is there that was not acknowledged (every write is sent until it is).
//! 3. A reader of the change feed at each node gets every change once, each record's in the order of versions, all in one order.
//! 4. While nothing is broken no client is refused, also while a node stops gracefully, is away, and comes back.
//! 5. Where the elected node is cut off another one is elected, and no two believe to be.
use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use crate::{Outcome, random::Random, say};

mod calm;
mod check;
mod election;
mod event;
mod reader;
mod relay;
mod report;
mod site;
mod writer;

use calm::Calm;
use event::EVENTS;
pub use report::Report;
use site::{NODES, Site};
use writer::{Acknowledged, Shared};

/// Accounts that all writers count up: few, so that they meet.
const ACCOUNTS: usize = 4;
/// How long nothing is broken between two events, in milliseconds.
const REST_MS: (u64, u64) = (300, 1_500);
/// Kinds of what is broken: on a slow machine it goes on until each has been.
const KINDS: usize = 7;
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
    /// How long things are broken, at least: until each of them was, unless the database is not to be trusted.
    pub time: Duration,
    /// Writers at a time.
    pub writers: u64,
    /// Where the random numbers begin.
    pub seed: u64,
    /// Whether the database loses and makes up what it likes, and nodes are killed where they should be stopped: a harness that
    /// finds nothing proves nothing unless it is known to find something.
    pub sabotage: bool,
}

/// Breaks things for a while; what is wrong afterwards is in the report, an error is what stopped the harness.
pub async fn run(setup: &Setup) -> Outcome<Report> {
    tokio::task::LocalSet::new().run_until(break_things(setup)).await
}

async fn break_things(setup: &Setup) -> Outcome<Report> {
    let mut site = Site::start(setup).await?;
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
    let (mut report, mut calms) = (Report::default(), vec![Calm::begin()]);
    let began = Instant::now();
    for event in EVENTS.iter().cycle() {
        if began.elapsed() >= setup.time && (setup.sabotage || report.events.len() == KINDS) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(random.between(REST_MS.0, REST_MS.1))).await;
        let (least, most) = event.lasts_ms();
        let lasts = Duration::from_millis(random.between(least, most));
        let node = random.below(NODES as u64) as usize;
        event.happen(&mut site, (node, lasts), (&mut calms, &mut report)).await?;
        *report.events.entry(event.name()).or_default() += 1;
        say(&format!("{:.0} s: {}", began.elapsed().as_secs_f64(), event.name()));
    }
    shared.over.set(true);
    let acknowledged = writers.join_all().await;
    let writes = acknowledged.iter().map(|of| of.entries).sum::<u64>();
    report.violations.extend(calm::refused(
        &shared.failures.borrow(),
        &calms,
        (acknowledged.len(), usize::try_from(writes)?),
    ));
    if setup.sabotage {
        site.sabotage().await?;
    }
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

async fn make_accounts(client: &Client, url: &str, token: &str) -> Outcome<Vec<String>> {
    let accounts: Vec<Json> =
        (0..ACCOUNTS).map(|at| json!({ "name": format!("account {at}"), "counter": 0 })).collect();
    let made = client.post(url).bearer_auth(token).json(&accounts).send().await?.error_for_status()?.text().await?;
    let made: Json = serde_json::from_str(&made)?;
    let ids = made.as_array().into_iter().flatten().map(|one| Some(one["id"].as_str()?.to_owned()));
    let ids: Option<Vec<String>> = ids.collect();
    ids.filter(|ids| ids.len() == ACCOUNTS).ok_or_else(|| format!("these are no {ACCOUNTS} accounts: {made}").into())
}

async fn judge(site: &Site, shared: &Shared, acknowledged: &[Acknowledged], report: &mut Report) -> Outcome<()> {
    let entries = check::all(&shared.client, &shared.entries, &shared.token).await?;
    report.violations.append(&mut shared.violations.borrow_mut());
    report.violations.extend(check::entries(&entries, acknowledged));
    let accounts = check::all(&shared.client, &site.url("/api/accounts"), &shared.token).await?;
    report.violations.extend(check::accounts(&accounts, &shared.accounts, acknowledged));
    for failure in shared.failures.borrow_mut().drain(..) {
        *report.again.entry(failure.why).or_default() += 1;
    }
    report.entries = acknowledged.iter().map(|of| of.entries).sum();
    report.batches = acknowledged.iter().flat_map(|of| &of.counted).sum();
    report.slowest = acknowledged.iter().map(|of| of.slowest).max().unwrap_or_default();
    Ok(())
}

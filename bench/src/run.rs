//! A whole run: for each size both servers are made, filled, started, and asked everything.
use std::{path::PathBuf, time::Duration};

use crate::{
    Outcome,
    bare::{Bare, NESTED_PAGE},
    cases::{AGAINST_YARDSTICK, Case, Goal, NESTED, Place, Side, THROUGH_A_LINK, WITH_OWNER_RULE, four},
    compare::{Plan, compare, median},
    process::{Process, rss_kib, rss_peak_kib},
    report::{Report, Resident},
    say,
    seed::{self, OUTSIDER, PERSON, Sizes},
    sides::{Mainstay, Yardstick},
};

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
    /// The hand-written server.
    pub yardstick: PathBuf,
    /// The server to measure; without it, a second yardstick.
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

/// A server that runs, with what its start has shown.
struct Running {
    process: Process,
    resident: Resident,
}

/// Runs everything and gives the figures.
pub async fn run(setup: Setup) -> Outcome<Report> {
    let subject = if setup.mainstay.is_some() { "mainstay" } else { "a second yardstick" };
    let mut report = Report {
        names: ["yardstick".into(), subject.into()],
        plan: setup.plan.clone(),
        processors: std::thread::available_parallelism()?.get(),
        servers: Vec::new(),
        comparisons: Vec::new(),
    };
    for &rows in &setup.sizes {
        size(&setup, rows, &mut report).await?;
    }
    Ok(report)
}

async fn size(setup: &Setup, rows: u64, report: &mut Report) -> Outcome<()> {
    let folder = setup.folder.join(format!("rows-{rows}"));
    say(&format!("{rows} rows: filling the databases in {}", folder.display()));
    let yardstick = Yardstick::new(&setup.yardstick, &folder.join("yardstick"), rows)?;
    let base = running("yardstick", rows, false, &page(Yardstick::PATH, "?limit=20"), || yardstick.start()).await?;
    let records = seed::ids(&yardstick.database(), "messages", "true")?;
    let base_place = Place::new(&base.process, Yardstick::PATH, "?limit=20").with_ids(records);
    let (subject, cases) = match &setup.mainstay {
        None => {
            let second = Yardstick::new(&setup.yardstick, &folder.join("second"), rows)?;
            let ready = page(Yardstick::PATH, "?limit=20");
            let subject = running("a second yardstick", rows, false, &ready, || second.start()).await?;
            let records = seed::ids(&second.database(), "messages", "true")?;
            let place = Place::new(&subject.process, Yardstick::PATH, "?limit=20").with_ids(records);
            (subject, four("", &base_place, &place, [Goal::default(); 4]))
        }
        Some(binary) => {
            let mainstay = Mainstay::prepare(binary, &folder.join("mainstay"))?;
            seed::fill(&mainstay.database(), Sizes { messages: rows, threads: (rows / 10).max(100), docs: DOCS })?;
            let ready = page("/api/messages", NEWEST);
            let subject = running("mainstay", rows, true, &ready, || mainstay.start()).await?;
            let cases = mainstay_cases(&base_place, &mainstay, &subject.process)?;
            (subject, cases)
        }
    };
    for case in cases.iter().filter(|case| wanted(case, &setup.only)) {
        report.comparisons.extend(compare(case, rows, &setup.plan).await?);
    }
    for server in [base, subject] {
        let loaded_mib = mib(rss_peak_kib(server.process.pid())?);
        server.process.stop()?;
        report.servers.push(Resident { loaded_mib, ..server.resident });
    }
    Ok(())
}

/// Everything that is asked of Mainstay. Creates go last, for they let the tables grow.
fn mainstay_cases(yardstick: &Place, mainstay: &Mainstay, server: &Process) -> Outcome<Vec<Case>> {
    let ids = |table, condition: &str| seed::ids(&mainstay.database(), table, condition);
    let (person, outsider) = (mainstay.token(PERSON)?, mainstay.token(OUTSIDER)?);
    let open = Place::new(server, "/api/messages", NEWEST).with_ids(ids("messages", "true")?);
    let mine = ids("owned_messages", &format!("owner = '{PERSON}'"))?;
    let owned = Place::new(server, "/api/ownedMessages", NEWEST).with_ids(mine).with_token(&person);
    let mut cases = four("", yardstick, &open, AGAINST_YARDSTICK);
    cases.extend(four(" (owner rule, of without)", &open, &owned, [WITH_OWNER_RULE; 4]));
    cases.sort_by_key(|case| case.name.starts_with("create"));

    let docs = Place::new(server, "/api/docs", NEWEST);
    let lists = [
        ("page under a rule through a link, 1 in 2 seen (of without)", &person, THROUGH_A_LINK),
        ("page under a rule through a link, 1 in 100 seen (of without)", &outsider, Goal::default()),
    ];
    let mut reads: Vec<Case> = Vec::new();
    for (name, token, goal) in lists {
        let twin = Place::new(server, "/api/openDocs", NEWEST).with_token(token);
        let subject = docs.clone().with_token(token).page();
        reads.push(Case { name: name.into(), base: twin.page(), subject, goal, holds: Some(("\"id\":", 20)) });
    }
    reads.push(Case {
        name: "nested page (of the bare statement)".into(),
        base: Side::Bare(Bare::open(&mainstay.database(), NESTED_PAGE)?),
        subject: Place::new(server, "/api/threads", NEWEST_NESTED).page(),
        goal: NESTED,
        holds: Some(("\"text\":", 100)),
    });
    reads.append(&mut cases);
    Ok(reads)
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

fn wanted(case: &Case, only: &[String]) -> bool {
    only.is_empty() || only.iter().any(|part| case.name.contains(part.as_str()))
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

//! Against the hand-written server on PostgreSQL, in front of the same table.
use std::{path::Path, rc::Rc};

use uuid::Uuid;

use super::{NEWEST, NEWEST_NESTED, Postgres, Setup, page, running, sizes};
use crate::{
    Outcome,
    bare::BarePostgres,
    cases::{AGAINST_BARE_POSTGRES, Case, NESTED_POSTGRES, Place, SEVERAL_PROCESSES, Side, feed, four},
    load::Target,
    postgres::Database,
    process::Process,
    report::Report,
    say, seed,
    sides::{BareServer, CONNECTIONS, Mainstay},
};

/// The engine's name in the table.
const ENGINE: &str = "postgres";
/// Processes on one database.
const PROCESSES: [usize; 2] = [2, 4];
/// A page of the hand-written server.
const PAGE: &str = "?limit=20";
/// Mainstay's messages.
const MESSAGES: &str = "/api/messages";

/// All cases with so many records.
pub(super) async fn size(setup: &Setup, of: &Postgres, folder: &Path, rows: u64, report: &mut Report) -> Outcome<()> {
    say(&format!("{rows} rows: filling a database of PostgreSQL"));
    let database = Rc::new(Database::create(&of.url).await?);
    let binary = setup.mainstay.as_deref().ok_or("PostgreSQL needs --mainstay, which makes the tables")?;
    let mainstay = Mainstay::prepare_in(binary, folder, &database)?;
    seed::copy(&database, sizes(rows)).await?;
    let bare = BareServer::new(&of.bare, folder, &database)?;
    let ready = page(BareServer::PATH, PAGE);
    let base = running("bare-postgres", rows, false, &ready, || bare.start()).await?;
    let ready = page(MESSAGES, NEWEST);
    let node = running("mainstay on postgres", rows, false, &ready, || mainstay.start()).await?;
    let alone = cases(&database, &base.process, &node.process).await?;
    setup.compare(&alone, (ENGINE, rows), report).await?;
    drop(alone);
    let own = Kind { name: "processes", path: MESSAGES, page: NEWEST, one: &node.process, rows };
    let hand_written = Kind { name: "bare processes", path: BareServer::PATH, page: PAGE, one: &base.process, rows };
    for count in PROCESSES {
        let (mainstay, bare) = (mainstay.clone(), bare.clone());
        let share = CONNECTIONS / count;
        own.several(setup, &database, count, || mainstay.clone().with_connections(share).start(), report).await?;
        hand_written.several(setup, &database, count, || bare.clone().with_connections(share).start(), report).await?;
    }
    base.stop(report)?;
    node.stop(report)
}

/// What one process is asked.
async fn cases(database: &Rc<Database>, base: &Process, subject: &Process) -> Outcome<Vec<Case>> {
    let ids = database.ids("messages", "true").await?;
    let target = |process: &Process| Target::new(process).with_database(database);
    let place = Place::at(target(base), BareServer::PATH, PAGE).with_ids(ids.clone());
    let told = Place::at(target(base), BareServer::TOLD_PATH, PAGE).with_ids(ids.clone());
    let own = Place::at(target(subject), MESSAGES, NEWEST).with_ids(ids);
    let quiet = Place::at(target(subject), "/api/quietMessages", NEWEST);
    let quiet = quiet.with_ids(database.ids("quiet_messages", "true").await?);
    let mut cases = vec![Case {
        name: "nested page (of the bare statement)".into(),
        base: Side::BarePostgres(BarePostgres::open(database).await?),
        subject: Place::at(target(subject), "/api/threads", NEWEST_NESTED).page(),
        goal: NESTED_POSTGRES,
        holds: Some(("\"text\":", 100)),
    }];
    cases.extend(four("", &place, &own, AGAINST_BARE_POSTGRES));
    cases.extend(four(" (without change feed)", &place, &quiet, AGAINST_BARE_POSTGRES).split_off(2));
    cases.extend(four(" (same statement, with its change)", &told, &own, AGAINST_BARE_POSTGRES).split_off(2));
    cases.extend(feed(&quiet, &own));
    cases.sort_by_key(|case| case.name.starts_with("create"));
    Ok(cases)
}

/// Servers of one kind, of which several stand on one database.
struct Kind<'a> {
    /// What its rows are called.
    name: &'static str,
    path: &'static str,
    page: &'static str,
    /// The one that several are held against.
    one: &'a Process,
    /// With so many records.
    rows: u64,
}

impl Kind<'_> {
    /// So many processes on one database, against one alone. Together they have as many connections as that: what is compared is how they
    /// are divided, and a server as it was installed takes 100.
    async fn several(
        &self,
        setup: &Setup,
        database: &Rc<Database>,
        count: usize,
        start: impl Fn() -> Outcome<Process>,
        report: &mut Report,
    ) -> Outcome<()> {
        let suffix = format!(" ({count} {}, of one)", self.name);
        if !setup.only.is_empty() && !setup.only.iter().any(|part| suffix.contains(part.as_str())) {
            return Ok(());
        }
        let mut nodes = Vec::with_capacity(count);
        for _ in 0..count {
            nodes.push(running("one of several", 0, false, &page(self.path, self.page), &start).await?.process);
        }
        let ids: Vec<Uuid> = database.ids("messages", "true").await?;
        let target = |process: &Process| Target::new(process).with_database(database);
        let all = nodes[1..].iter().fold(target(&nodes[0]), |all, node| all.and(node));
        let place = |target: Target| Place::at(target, self.path, self.page).with_ids(ids.clone());
        let cases = four(&suffix, &place(target(self.one)), &place(all), [SEVERAL_PROCESSES; 4]);
        setup.compare(&cases, (ENGINE, self.rows), report).await?;
        nodes.into_iter().try_for_each(Process::stop)
    }
}

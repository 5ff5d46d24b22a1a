//! Against the hand-written server on PostgreSQL, in front of the same table.
use std::{path::Path, rc::Rc};

use uuid::Uuid;

use super::{NEWEST, NEWEST_NESTED, Postgres, Running, Setup, page, running, sizes};
use crate::{
    Outcome,
    bare::BarePostgres,
    cases::{AGAINST_BARE_POSTGRES, Case, Goal, NESTED_POSTGRES, Place, SEVERAL_PROCESSES, Side, feed, four},
    load::Target,
    postgres::Database,
    process::Process,
    report::Report,
    say, seed,
    sides::{BareServer, Mainstay},
};

/// The engine's name in the table.
const ENGINE: &str = "postgres";
/// Processes on one database, the most that are tried.
const PROCESSES: usize = 4;
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
    let mut nodes =
        vec![running("mainstay on postgres", rows, false, &page(MESSAGES, NEWEST), || mainstay.start()).await?];
    let cases = cases(&database, &base.process, &nodes[0].process).await?;
    setup.compare(&cases, (ENGINE, rows), report).await?;

    let several = several_cases(setup, &database, &mainstay, &mut nodes).await?;
    setup.compare(&several, (ENGINE, rows), report).await?;
    base.stop(report)?;
    for (place, node) in nodes.into_iter().enumerate() {
        match place {
            0 => node.stop(report)?,
            _ => node.process.stop()?,
        }
    }
    Ok(())
}

/// What one process is asked.
async fn cases(database: &Rc<Database>, base: &Process, subject: &Process) -> Outcome<Vec<Case>> {
    let ids = database.ids("messages", "true").await?;
    let target = |process: &Process| Target::new(process).with_database(database);
    let place = Place::at(target(base), BareServer::PATH, PAGE).with_ids(ids.clone());
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
    cases.extend(feed(&quiet, &own));
    cases.sort_by_key(|case| case.name.starts_with("create"));
    Ok(cases)
}

/// Two and four processes on one database, against the first of them alone.
async fn several_cases(
    setup: &Setup,
    database: &Rc<Database>,
    mainstay: &Mainstay,
    nodes: &mut Vec<Running>,
) -> Outcome<Vec<Case>> {
    let suffix = |count: usize| format!(" ({count} processes, of one)");
    let wanted = |count: usize| {
        let suffix = suffix(count);
        setup.only.is_empty() || setup.only.iter().any(|part| suffix.contains(part.as_str()))
    };
    if ![2, PROCESSES].into_iter().any(wanted) {
        return Ok(Vec::new());
    }
    while nodes.len() < PROCESSES {
        nodes.push(running("another", 0, false, &page(MESSAGES, NEWEST), || mainstay.start()).await?);
    }
    let ids: Vec<Uuid> = database.ids("messages", "true").await?;
    let target = |count: usize| {
        let one = Target::new(&nodes[0].process).with_database(database);
        nodes[1..count].iter().fold(one, |target, node| target.and(&node.process))
    };
    let place = |count: usize| Place::at(target(count), MESSAGES, NEWEST).with_ids(ids.clone());
    let goals: [Goal; 4] = [SEVERAL_PROCESSES; 4];
    Ok([2, PROCESSES].into_iter().flat_map(|count| four(&suffix(count), &place(1), &place(count), goals)).collect())
}

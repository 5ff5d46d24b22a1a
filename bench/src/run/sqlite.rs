//! Against the hand-written server on SQLite.
use std::path::Path;

use super::{NEWEST, NEWEST_NESTED, Setup, page, running, sizes};
use crate::{
    Outcome,
    bare::{Bare, NESTED_PAGE},
    cases::{AGAINST_YARDSTICK, Case, Goal, NESTED, Place, Side, THROUGH_A_LINK, WITH_OWNER_RULE, feed, four},
    process::Process,
    report::Report,
    say,
    seed::{self, OUTSIDER, PERSON},
    sides::{Mainstay, Yardstick},
};

/// All cases with so many records.
pub(super) async fn size(
    setup: &Setup,
    yardstick: &Path,
    folder: &Path,
    rows: u64,
    report: &mut Report,
) -> Outcome<()> {
    say(&format!("{rows} rows: filling the databases in {}", folder.display()));
    let binary = yardstick;
    let yardstick = Yardstick::new(binary, &folder.join("yardstick"), rows)?;
    let base = running("yardstick", rows, false, &page(Yardstick::PATH, "?limit=20"), || yardstick.start()).await?;
    let records = seed::ids(&yardstick.database(), "messages", "true")?;
    let base_place = Place::new(&base.process, Yardstick::PATH, "?limit=20").with_ids(records);
    let (subject, cases) = match &setup.mainstay {
        None => {
            let second = Yardstick::new(binary, &folder.join("second"), rows)?;
            let ready = page(Yardstick::PATH, "?limit=20");
            let subject = running("a second yardstick", rows, false, &ready, || second.start()).await?;
            let records = seed::ids(&second.database(), "messages", "true")?;
            let place = Place::new(&subject.process, Yardstick::PATH, "?limit=20").with_ids(records);
            (subject, four("", &base_place, &place, [Goal::default(); 4]))
        }
        Some(binary) => {
            let mainstay = Mainstay::prepare(binary, &folder.join("mainstay"))?;
            seed::fill(&mainstay.database(), sizes(rows))?;
            let ready = page("/api/messages", NEWEST);
            let subject = running("mainstay", rows, true, &ready, || mainstay.start()).await?;
            let cases = mainstay_cases(&base_place, &mainstay, &subject.process)?;
            (subject, cases)
        }
    };
    setup.compare(&cases, ("sqlite", rows), report).await?;
    for server in [base, subject] {
        server.stop(report)?;
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
    let quiet = Place::new(server, "/api/quietMessages", NEWEST).with_ids(ids("quiet_messages", "true")?);
    // The hand-written server has no feed.
    cases.extend(four(" (without change feed)", yardstick, &quiet, AGAINST_YARDSTICK).split_off(2));
    cases.extend(feed(&quiet, &open));
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

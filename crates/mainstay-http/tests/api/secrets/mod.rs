//! What may not be read has no influence on any answer.
//!
//! Three worlds that a caller must not be able to tell apart: one as it is; one in which the records that the rule hides from
//! that caller say something else; one in which they are not there at all. Every request of [`positions`], on every surface,
//! by every kind of rule and caller, must be answered alike in all three. So whatever a caller can name — a filter, a sort key,
//! a nested list, a cursor, a group, a unique, a link — is asked whether it tells of what is hidden.
//!
//! What is told on purpose (docs/rules.md) is in [`positions::TOLD`].
mod positions;

use mainstay_testing::{Client, Reply, TestApp};
use serde_json::{Value as Json, json};

use positions::{Call, POSITIONS, Position};

/// A rule, and whom it hides a record from; a caller whom it refuses outright is the same in every world.
struct Rule {
    text: &'static str,
    hides: fn(&str, &Thing) -> bool,
}

/// The records: two owners, open and shut, in an open and in a shut holder.
struct Thing {
    id: &'static str,
    code: &'static str,
    owner: &'static str,
    open: bool,
    holder: usize,
}

/// The last has one thing alone, which is shut.
const HOLDERS: [&str; 3] = [
    "00000000-0000-4000-8000-0000000000f0",
    "00000000-0000-4000-8000-0000000000f1",
    "00000000-0000-4000-8000-0000000000f2",
];

const THINGS: [Thing; 7] = [
    Thing { id: "00000000-0000-4000-8000-00000000000a", code: "a", owner: "anna", open: true, holder: 0 },
    Thing { id: "00000000-0000-4000-8000-00000000000b", code: "b", owner: "bert", open: true, holder: 1 },
    Thing { id: "00000000-0000-4000-8000-00000000000c", code: "c", owner: "anna", open: false, holder: 1 },
    Thing { id: "00000000-0000-4000-8000-00000000000d", code: "d", owner: "bert", open: false, holder: 0 },
    Thing { id: "00000000-0000-4000-8000-00000000000e", code: "e", owner: "anna", open: true, holder: 1 },
    Thing { id: "00000000-0000-4000-8000-000000000010", code: "f", owner: "bert", open: false, holder: 1 },
    Thing { id: "00000000-0000-4000-8000-000000000011", code: "g", owner: "bert", open: false, holder: 2 },
];

/// Who asks: nobody, two owners, somebody with a role.
const CALLERS: [&str; 4] = ["", "anna", "bert", "eva"];

const RULES: [Rule; 6] = [
    Rule { text: "auth != null", hides: |_, _| false },
    Rule { text: "owner == auth.id", hides: |who, thing| thing.owner != who },
    Rule { text: "open", hides: |_, thing| !thing.open },
    Rule { text: "holder.open", hides: |_, thing| thing.holder != 0 },
    Rule { text: "open || owner == auth.id", hides: |who, thing| !thing.open && thing.owner != who },
    Rule {
        text: "holder.things.exists(t, t.owner == auth.id && t.open)",
        hides: |who, thing| {
            !THINGS.iter().any(|other| other.holder == thing.holder && other.open && other.owner == who)
        },
    },
];

/// What becomes of hidden records.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Hidden {
    AsTheyAre,
    SayingSomethingElse,
    NotThere,
}

fn schema(rule: &str) -> String {
    format!(
        r#"
        type Thing @rules(read: "{rule}", create: "auth != null", update: "'nobody' in auth.roles") {{
          code: String! @unique  owner: ID!  open: Boolean!  holder: Holder!
          label: String  score: Int  price: Decimal @decimal(precision: 8, scale: 2)  seen: DateTime  friends: [Thing!]! @many
        }}
        type Holder @rules(read: "true", write: "true") {{
          name: String! @unique  open: Boolean!  number: Int
          things: [Thing!]! @inverse(field: "holder")  main: Thing  picked: [Thing!]! @many
        }}"#
    )
}

async fn world(rule: &Rule, who: &str, hidden: Hidden) -> TestApp {
    let app = TestApp::with_schema(&schema(rule.text)).await;
    let holder = |at: usize| json!({"id": HOLDERS[at], "name": format!("h{at}"), "open": at == 0, "number": at});
    app.seed("holders", (0..HOLDERS.len()).map(holder)).await;
    let is_hidden = |thing: &Thing| (rule.hides)(who, thing);
    let there: Vec<&Thing> = THINGS.iter().filter(|thing| hidden != Hidden::NotThere || !is_hidden(thing)).collect();
    let record = |(at, thing): (usize, &Thing)| {
        let other = hidden == Hidden::SayingSomethingElse && is_hidden(thing);
        let code = if other { format!("z{}", thing.code) } else { thing.code.to_owned() };
        let at = if other { 40 - at } else { at };
        json!({
            "id": thing.id, "code": code, "owner": thing.owner, "open": thing.open, "holder": HOLDERS[thing.holder],
            "label": format!("label {}", at % 4), "score": at * 10, "price": format!("{at}.50"),
            "seen": format!("2026-01-{:02}T00:00:00Z", 30 - at % 29),
        })
    };
    app.seed(
        "things",
        THINGS.iter().enumerate().filter(|(_, thing)| there.iter().any(|one| one.id == thing.id)).map(record),
    )
    .await;
    let links: Vec<&str> = there.iter().map(|thing| thing.id).collect();
    let main = |at: usize| there.iter().find(|thing| thing.id == THINGS[at].id).map(|thing| thing.id);
    for (holder, main) in [(0, main(3)), (1, main(0))] {
        let patch = json!({"main": main, "picked": links});
        assert_eq!(app.admin().patch(&format!("/api/holders/{}", HOLDERS[holder]), patch).await.status, 200);
    }
    for thing in &there {
        let friends: Vec<&str> = links.iter().copied().filter(|id| *id != thing.id).collect();
        let reply = app.admin().patch(&format!("/api/things/{}", thing.id), json!({"friends": friends})).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    app
}

fn caller(app: &TestApp, who: &str) -> Client {
    match who {
        "" => app.anonymous(),
        "eva" => app.user_with("eva", &["editor"], &[]),
        who => app.user(who),
    }
}

/// What a request is answered, without what differs from run to run.
async fn ask(client: &Client, position: &Position) -> String {
    match position.call {
        Call::Get { path, query } => shown(&client.query(path, query).await),
        Call::Pages { path, query } => pages(client, path, query).await,
        Call::Send { method, path, body } => {
            let body = body.replace('\'', "\"");
            shown(&client.bytes(method, path, "application/json", body.into_bytes()).await)
        }
    }
}

fn shown(reply: &Reply) -> String {
    let etag = if reply.header("etag").is_empty() { "" } else { " tagged" };
    format!("{reply}{etag}")
}

/// Every page, one record each.
async fn pages(client: &Client, path: &str, query: &[(&str, &str)]) -> String {
    let (mut all, mut after) = (String::new(), String::new());
    loop {
        let mut asked = [query, &[("limit", "1")]].concat();
        if !after.is_empty() {
            asked.push(("after", &after));
        }
        let reply = client.query(path, &asked).await;
        all += &format!("{}\n", shown(&reply));
        match serde_json::from_str::<Json>(&reply.text).ok().and_then(|json| json["next"].as_str().map(str::to_owned)) {
            Some(next) => after = next,
            None => return all,
        }
    }
}

#[tokio::test]
async fn what_is_hidden_has_no_influence_on_any_answer() {
    let mut differences = Vec::new();
    for rule in &RULES {
        for who in CALLERS {
            let worlds = [Hidden::AsTheyAre, Hidden::SayingSomethingElse, Hidden::NotThere];
            let mut apps = Vec::new();
            for hidden in worlds {
                apps.push((hidden, world(rule, who, hidden).await));
            }
            for position in POSITIONS {
                let (_, first) = &apps[0];
                let expected = ask(&caller(first, who), position).await;
                assert!(!expected.starts_with('5'), "{}: {expected}", position.name);
                for (hidden, app) in &apps[1..] {
                    let answer = ask(&caller(app, who), position).await;
                    if answer != expected {
                        differences.push(format!(
                            "{:?} as {who:?}, {}: hidden records {hidden:?}\n  {expected}\n  {answer}",
                            rule.text, position.name
                        ));
                    }
                }
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{} answers tell of what is hidden:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// A position that never is answered well would prove nothing.
#[tokio::test]
async fn every_position_is_a_request_that_is_understood() {
    let app = world(&RULES[2], "anna", Hidden::AsTheyAre).await;
    for position in POSITIONS.iter().filter(|position| !position.refused) {
        let answer = ask(&caller(&app, "anna"), position).await;
        assert!(answer.starts_with('2'), "{}: {answer}", position.name);
    }
}

/// What docs/rules.md says that an answer tells: it must go on being true, or the page must change.
#[tokio::test]
async fn what_is_told_on_purpose_is_told() {
    for (call, there, absent) in positions::TOLD {
        for (hidden, expected) in [(Hidden::AsTheyAre, there), (Hidden::NotThere, absent)] {
            let app = world(&RULES[2], "anna", hidden).await;
            let position = Position { name: "told", call: *call, refused: true };
            let answer = ask(&caller(&app, "anna"), &position).await;
            assert!(answer.starts_with(expected), "{call:?}, {hidden:?}: {answer}");
        }
    }
}

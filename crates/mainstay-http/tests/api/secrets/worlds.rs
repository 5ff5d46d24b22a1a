//! The worlds that must not be told apart: a schema under one rule, and records in three editions.
use mainstay_testing::{Client, TestApp};
use serde_json::{Value as Json, json};

use super::rules::Rule;

/// The records: two owners, open and shut, in an open and in shut holders, of two organisations, of two times.
pub(super) struct Thing {
    pub(super) id: &'static str,
    pub(super) code: &'static str,
    pub(super) owner: &'static str,
    pub(super) open: bool,
    pub(super) holder: usize,
    pub(super) org: &'static str,
    pub(super) until: &'static str,
}

/// The last has one thing alone, which is shut.
pub(super) const HOLDERS: [&str; 3] = [
    "00000000-0000-4000-8000-0000000000f0",
    "00000000-0000-4000-8000-0000000000f1",
    "00000000-0000-4000-8000-0000000000f2",
];

/// Long past, and long to come.
pub(super) const PAST: &str = "2001-01-01T00:00:00Z";
pub(super) const TO_COME: &str = "2999-01-01T00:00:00Z";

const fn thing(id: &'static str, code: &'static str, owner: &'static str, open: bool, holder: usize) -> Thing {
    Thing { id, code, owner, open, holder, org: "west", until: PAST }
}

impl Thing {
    const fn east(self) -> Thing {
        Thing { org: "east", ..self }
    }

    const fn lasting(self) -> Thing {
        Thing { until: TO_COME, ..self }
    }
}

pub(super) const THINGS: [Thing; 7] = [
    thing("00000000-0000-4000-8000-00000000000a", "a", "anna", true, 0).east().lasting(),
    thing("00000000-0000-4000-8000-00000000000b", "b", "bert", true, 1).lasting(),
    thing("00000000-0000-4000-8000-00000000000c", "c", "anna", false, 1).east(),
    thing("00000000-0000-4000-8000-00000000000d", "d", "bert", false, 0),
    thing("00000000-0000-4000-8000-00000000000e", "e", "anna", true, 1).lasting(),
    thing("00000000-0000-4000-8000-000000000010", "f", "bert", false, 1).east(),
    thing("00000000-0000-4000-8000-000000000011", "g", "bert", false, 2),
];

/// Who asks: nobody, two owners, somebody with a role, somebody of an organisation.
pub(super) const CALLERS: [&str; 5] = ["", "anna", "bert", "eva", "emil"];

/// What a rule stands on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Guarded {
    /// On things: it hides whole records.
    Records,
    /// On the pages of things: it keeps them out of lists alone.
    Lists,
    /// On the fields of things that say something: it hides their values.
    Fields,
}

/// What becomes of what is hidden.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hidden {
    AsItIs,
    SayingSomethingElse,
    NotThere,
}

pub(super) const EDITIONS: [Hidden; 3] = [Hidden::AsItIs, Hidden::SayingSomethingElse, Hidden::NotThere];

fn schema(guarded: Guarded, rule: &Rule) -> String {
    let text = rule.text;
    let (record, field) = match guarded {
        Guarded::Records => (format!("read: \"{text}\""), String::new()),
        Guarded::Lists => (format!("read: \"true\", list: \"{text}\""), String::new()),
        Guarded::Fields if text.starts_with('@') => ("read: \"true\"".to_owned(), text.to_owned()),
        Guarded::Fields => ("read: \"true\"".to_owned(), format!("@rules(read: \"{text}\")")),
    };
    format!(
        r#"
        extend schema @claim(name: "org", type: String)
        type Thing @rules({record}, write: "auth != null") {{
          code: String! @unique  owner: ID!  open: Boolean!  org: String!  until: DateTime!  holder: Holder!
          label: String {field}  score: Int {field}  price: Decimal @decimal(precision: 8, scale: 2) {field}
          seen: DateTime {field}  badge: String @unique {field}  tags: [String!] {field}  mate: Holder {field}
          friends: [Thing!]! @many {field}  more: Int @computed(expr: "score") {field}
        }}
        type Holder @rules(read: "true", write: "true", delete: "open || name == 'h2'") {{
          name: String! @unique  open: Boolean!  number: Int
          things: [Thing!]! @inverse(field: "holder")  mated: [Thing!]! @inverse(field: "mate")
          main: Thing  picked: [Thing!]! @many
        }}
        type Log {{ text: String! }}"#
    )
}

/// A record of an edition.
fn record(at: usize, thing: &Thing, guarded: Guarded, other: bool, gone: bool) -> Json {
    let code = if other && guarded != Guarded::Fields { format!("z{}", thing.code) } else { thing.code.to_owned() };
    let mut record = json!({
        "id": thing.id, "code": code, "owner": thing.owner, "open": thing.open, "holder": HOLDERS[thing.holder],
        "org": thing.org, "until": thing.until,
    });
    let at = if other { 40 - at } else { at };
    let said = json!({
        "label": format!("label {}", at % 4), "score": at * 10, "price": format!("{at}.50"),
        "seen": format!("2026-01-{:02}T00:00:00Z", 30 - at % 29), "badge": format!("b{}{}", thing.code, at / 30),
        "tags": [format!("tag {}", at % 3)], "mate": HOLDERS[at % 3],
    });
    if let (false, Json::Object(all), Json::Object(said)) = (gone, &mut record, said) {
        all.extend(said);
    }
    record
}

pub(super) async fn world(guarded: Guarded, rule: &Rule, who: &str, hidden: Hidden) -> TestApp {
    let app = TestApp::with_schema(&schema(guarded, rule)).await;
    let holder = |at: usize| json!({"id": HOLDERS[at], "name": format!("h{at}"), "open": at == 0, "number": at});
    app.seed("holders", (0..HOLDERS.len()).map(holder)).await;
    let is_hidden = |thing: &Thing| (rule.hides)(who, thing);
    let is_gone = |thing: &Thing| hidden == Hidden::NotThere && is_hidden(thing);
    let there: Vec<&Thing> = THINGS.iter().filter(|thing| guarded == Guarded::Fields || !is_gone(thing)).collect();
    let other = |thing: &Thing| hidden == Hidden::SayingSomethingElse && is_hidden(thing);
    let records = THINGS.iter().enumerate().filter(|(_, thing)| there.iter().any(|one| one.id == thing.id));
    app.seed("things", records.map(|(at, thing)| record(at, thing, guarded, other(thing), is_gone(thing)))).await;
    link(&app, guarded, &there, other, is_gone).await;
    if hidden != Hidden::NotThere {
        // Somebody else's key.
        let key = app.admin().header("idempotency-key", "\"once\"");
        assert_eq!(key.post("/api/logs", json!({"text": "an admin's"})).await.status, 201);
    }
    app
}

/// Sets the links: everybody is a friend of everybody.
async fn link(
    app: &TestApp,
    guarded: Guarded,
    there: &[&Thing],
    other: impl Fn(&Thing) -> bool,
    gone: impl Fn(&Thing) -> bool,
) {
    let links: Vec<&str> = there.iter().map(|thing| thing.id).collect();
    let main = |at: usize| there.iter().find(|thing| thing.id == THINGS[at].id).map(|thing| thing.id);
    for (holder, main) in [(0, main(3)), (1, main(0))] {
        let patch = json!({"main": main, "picked": links});
        assert_eq!(app.admin().patch(&format!("/api/holders/{}", HOLDERS[holder]), patch).await.status, 200);
    }
    for thing in there {
        let mut friends: Vec<&str> = links.iter().copied().filter(|id| *id != thing.id).collect();
        if guarded == Guarded::Fields && other(thing) {
            friends.truncate(1);
        } else if guarded == Guarded::Fields && gone(thing) {
            friends.clear();
        }
        // A version that counts the same in all worlds.
        let patch = json!({"friends": friends, "open": thing.open, "org": thing.org});
        let reply = app.admin().patch(&format!("/api/things/{}", thing.id), patch).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
}

pub(super) fn caller(app: &TestApp, who: &str) -> Client {
    match who {
        "" => app.anonymous(),
        "eva" => app.user_with("eva", &["editor"], &[]),
        "emil" => app.user_with("emil", &[], &[("org", "east")]),
        "admin" => app.admin(),
        who => app.user(who),
    }
}

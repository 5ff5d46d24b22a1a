//! What may not be read has no influence on any answer.
//!
//! Three worlds that a caller must not be able to tell apart: one as it is; one in which what the rule hides from that caller says
//! something else; one in which it is not there at all. What is hidden are whole records, or the values of fields. Every request of
//! [`positions`] and [`writes`], by every kind of rule and caller, must be answered alike in all three. So whatever a caller can
//! name — a filter, a sort key, a nested list, a cursor, a group, a unique, a link — is asked whether it tells of what is hidden.
//!
//! What is told on purpose is in [`writes::TOLD`]; docs/access.md is made of all of this.
mod acts;
mod page;
mod positions;
mod rules;
mod worlds;
mod writes;

use mainstay_testing::{Client, Reply};
use serde_json::Value as Json;

use positions::{Call, Position, READS};
use rules::{HIDDEN, RULES, Rule};
use worlds::{CALLERS, EDITIONS, Guarded, Hidden, caller, world};
use writes::{TOLD, WRITES};

fn positions() -> impl Iterator<Item = &'static Position> {
    READS.iter().chain(WRITES)
}

/// What a request is answered, without what differs from run to run.
async fn ask(client: &Client, position: &Position) -> String {
    match position.call {
        Call::Get { path, query } => shown(&client.query(path, query).await),
        Call::Pages { path, query } => pages(client, path, query).await,
        Call::Send { method, path, body, headers } => {
            let client = headers.iter().fold(client.clone(), |client, (name, value)| client.header(name, value));
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

/// The answers that tell the worlds of a rule and a caller apart.
async fn told(guarded: Guarded, rule: &Rule, who: &str) -> Vec<String> {
    let mut clients = Vec::new();
    for hidden in EDITIONS {
        let app = world(guarded, rule, who, hidden).await;
        clients.push((hidden, caller(&app, who), app));
    }
    let mut differences = Vec::new();
    for position in positions().filter(|position| guarded != Guarded::Lists || position.is_page()) {
        let expected = ask(&clients[0].1, position).await;
        assert!(!expected.starts_with('5'), "{}: {expected}", position.name);
        for (hidden, client, _) in &clients[1..] {
            let answer = ask(client, position).await;
            if answer != expected {
                differences.push(format!(
                    "{guarded:?} under {:?} as {who:?}, {}: {hidden:?}\n  {expected}\n  {answer}",
                    rule.text, position.name
                ));
            }
        }
    }
    differences
}

async fn nothing_is_told(guarded: Guarded, rules: impl Iterator<Item = &'static Rule>) {
    let mut differences = Vec::new();
    for rule in rules {
        for who in CALLERS {
            differences.extend(told(guarded, rule, who).await);
        }
    }
    let count = differences.len();
    assert!(count == 0, "{count} answers tell of what is hidden:\n{}", differences.join("\n"));
}

#[tokio::test]
async fn hidden_records_have_no_influence_on_any_answer() {
    nothing_is_told(Guarded::Records, RULES.iter()).await;
}

#[tokio::test]
async fn hidden_values_have_no_influence_on_any_answer() {
    nothing_is_told(Guarded::Fields, RULES.iter().chain([&HIDDEN])).await;
}

#[tokio::test]
async fn what_is_kept_out_of_lists_has_no_influence_on_any_page() {
    nothing_is_told(Guarded::Lists, RULES.iter()).await;
}

/// A position that never is answered well would prove nothing.
#[tokio::test]
async fn every_position_is_a_request_that_is_understood() {
    let app = world(Guarded::Records, &RULES[4], "anna", Hidden::AsItIs).await;
    for position in positions() {
        let answer = ask(&caller(&app, "anna"), position).await;
        assert_eq!(answer.starts_with('2'), !position.refused, "{}: {answer}", position.name);
    }
}

/// What the page says that an answer tells: it must go on being true, or the page must change.
#[tokio::test]
async fn what_is_told_on_purpose_is_told() {
    for told in TOLD {
        for (hidden, expected) in [(Hidden::AsItIs, told.there), (Hidden::NotThere, told.absent)] {
            let app = world(told.guarded, &RULES[4], "anna", hidden).await;
            let position = Position { name: "told", call: told.call, refused: true };
            let answer = ask(&caller(&app, "anna"), &position).await;
            assert!(answer.starts_with(expected), "{}, {hidden:?}: {answer}", told.what);
        }
    }
}

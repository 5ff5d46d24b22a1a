//! docs/access.md, made of the positions, the rules and the answers. `UPDATE_DOCS=1` writes it.
use std::{collections::BTreeMap, env, fs, path::Path};

use super::{
    acts::{ACTS, may},
    ask, positions,
    positions::{Call, Position},
    rules::{HIDDEN, RULES, Rule},
    worlds::{CALLERS, Guarded, Hidden, THINGS, caller, world},
    writes::TOLD,
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/access.md");
const ADMIN: &str = "admin";

const BEGINNING: &str = "\
# Access: who is told what

This page is made by a test, of the answers of a server. The test asks every question below in three worlds: one as it is; one in which
what the caller may not read says something else; one in which it is not there at all. **All three must be answered alike**: by
status, by whether there is an `ETag`, and by every character of the body (keys, times, cursors and request ids aside, which differ from
one answer to the next). So no filter, sort, figure, page, error or refusal tells what a rule hides.
[rules.md](rules.md) says what the rules mean.

The callers: nobody (no token), Anna and Bert, who own records, Eva, who has a role, Emil, who has a claim; and an admin, who is asked
too but from whom nothing is hidden.
";

/// What stands above a table.
fn rules_of(guarded: Guarded) -> Vec<&'static Rule> {
    match guarded {
        Guarded::Fields => [&HIDDEN].into_iter().chain(&RULES).collect(),
        Guarded::Records | Guarded::Lists => RULES.iter().collect(),
    }
}

/// By rule and position: the statuses for the callers in their order.
type Statuses = BTreeMap<(usize, usize), Vec<String>>;

async fn statuses(guarded: Guarded) -> Statuses {
    let mut all = Statuses::new();
    for (number, rule) in rules_of(guarded).into_iter().enumerate() {
        for who in CALLERS.into_iter().chain([ADMIN]) {
            let app = world(guarded, rule, who, Hidden::AsItIs).await;
            let client = caller(&app, who);
            for (at, position) in positions().enumerate() {
                let answer = ask(&client, position).await;
                all.entry((number, at)).or_default().push(answer.chars().take(3).collect());
            }
        }
    }
    all
}

/// One number where all agree, two where only being signed in makes a difference, else one for each.
fn cell(statuses: &[String]) -> String {
    let Some((nobody, signed_in)) = statuses.split_first() else { return String::new() };
    let Some((admin, callers)) = signed_in.split_last() else { return nobody.clone() };
    let Some(first) = callers.first() else { return nobody.clone() };
    let alike = callers.iter().all(|status| status == first);
    match alike {
        true if nobody == first && first == admin => first.clone(),
        true => format!("{nobody} {first} {admin}"),
        false => statuses.join(" "),
    }
}

fn shown(call: &Call) -> String {
    let text = match call {
        Call::Get { path, query } => format!("GET {path}{}", parameters(query)),
        Call::Pages { path, query } => format!("GET {path}{}, page by page", parameters(query)),
        Call::Send { method, path, body, headers } => {
            let headers: String = headers.iter().map(|(name, value)| format!(" {name}: {value}")).collect();
            format!("{method} {path}{headers} {}", body.replace('\'', "\""))
        }
    };
    let text = text.trim().replace("00000000-0000-4000-8000-00000000", "…").replace("2001-01-01T00:00:00Z", "…");
    format!("`{}`", text.replace('|', "\\|"))
}

fn parameters(query: &[(&str, &str)]) -> String {
    let parts: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
}

fn table(guarded: Guarded, statuses: &Statuses) -> String {
    let rules = rules_of(guarded);
    let kinds: Vec<&str> = rules.iter().map(|rule| rule.kind).collect();
    let mut text = format!("| position | {} |\n| --- |{}\n", kinds.join(" | "), " --- |".repeat(rules.len()));
    for (at, position) in positions().enumerate() {
        let cells: Vec<String> =
            (0..rules.len()).map(|rule| statuses.get(&(rule, at)).map_or_else(String::new, |all| cell(all))).collect();
        text += &format!("| {} | {} |\n", position.name, cells.join(" | "));
    }
    text
}

fn kinds() -> String {
    let mut text = "| rule | as it stands in the schema |\n| --- | --- |\n".to_owned();
    for rule in RULES.iter() {
        text += &format!("| {} | `{}` |\n", rule.kind, rule.text.replace('|', "\\|"));
    }
    text + "| hidden | `@hidden`, on a field |\n"
}

/// How many of the records each caller may write under each rule, and all ways to write that ask one.
fn acts() -> String {
    let mut text =
        "| rule | nobody | Anna | Bert | Eva | Emil | an admin |\n| --- |".to_owned() + &" --- |".repeat(6) + "\n";
    for rule in &RULES {
        let count = |who| THINGS.iter().filter(|thing| may(rule, who, thing)).count().to_string();
        let counts: Vec<String> = CALLERS.into_iter().chain([ADMIN]).map(count).collect();
        text += &format!("| {} | {} |\n", rule.kind, counts.join(" | "));
    }
    text += "\n| the rule stands as | it is asked of | way | request |\n| --- | --- | --- | --- |\n";
    for act in &ACTS {
        for (way, method, path, body) in act.ways {
            let body = body.replace('\'', "\"").replace("{new}", "…");
            let request = format!("{method} {path} {body}");
            text += &format!("| `{}` | {} | {way} | `{}` |\n", act.rule, act.of, request.trim());
        }
    }
    text
}

fn requests() -> String {
    let mut text = "| position | request |\n| --- | --- |\n".to_owned();
    for Position { name, call, .. } in positions() {
        text += &format!("| {name} | {} |\n", shown(call));
    }
    text
}

fn told() -> String {
    let mut text =
        "| what is told | why | request | where it is | where not |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for told in TOLD {
        let status = |answer: &str| answer.chars().take(3).collect::<String>();
        let (there, absent) = (status(told.there), status(told.absent));
        let differs = if there == absent { ["a key", "null"].map(str::to_owned) } else { [there, absent] };
        text +=
            &format!("| {} | {} | {} | {} | {} |\n", told.what, told.why, shown(&told.call), differs[0], differs[1]);
    }
    text
}

async fn page() -> String {
    let (records, fields) =
        (table(Guarded::Records, &statuses(Guarded::Records).await), statuses(Guarded::Fields).await);
    format!(
        "{BEGINNING}
## What is told on purpose

{}
Besides: a record's `version` and `updatedAt` count all of its changes, also those of fields and links that the caller may not read.
Rules, checks, defaults and `@computed` are the schema's own: they see everything, and what they come to is told. The time that an
answer takes is not part of the promise.

## The rules

{}
## Where records are hidden

The rule is the `read` of things. One status: all are answered so. Three: nobody, everybody who is signed in, an admin. Six: nobody,
Anna, Bert, Eva, Emil, an admin. 200 says that there is an answer; what it holds is what that caller may read.

{records}
## Where fields are hidden

The rule is the `read` of the fields label, score, price, seen, badge, tags, mate, friends and more (computed of score) of things, which everybody may read.

{}
## Where writes are refused

Under each rule, of how many of the seven things each caller may write. Every way below was tried for every rule, every caller and every
one of the seven: it is done, or refused with 401 (nobody) or 403 (all others) by the name of the rule, and then nothing is changed.

{}
## The requests

`holders` have a list of `things`, a `main` one and a list of `picked` ones; a thing's `mate` is a holder, whose `mated` is the other side.

{}",
        told(),
        kinds(),
        table(Guarded::Fields, &fields),
        acts(),
        requests(),
    )
}

#[tokio::test]
async fn the_page_says_what_the_server_answers() {
    let made = page().await;
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, &made).expect("the page can be written");
    }
    let stands = fs::read_to_string(Path::new(PAGE)).unwrap_or_default();
    for (made, stands) in made.lines().zip(stands.lines()) {
        assert_eq!(made, stands, "docs/access.md: UPDATE_DOCS=1 writes it anew");
    }
    assert!(made == stands, "docs/access.md is not whole: UPDATE_DOCS=1 writes it anew");
}

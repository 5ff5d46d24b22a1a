//! `mainstay move`: into another file in every run, to PostgreSQL and back where the run has a server.
use std::{fs, path::Path};

use mainstay_test_db::{Engine, TestDatabase, beside, postgres_only};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc::{Sender, channel};

use crate::{
    export::{self, SCHEMA},
    support::{Project, Ran, Server},
};

mod stopped;

const OLD: &str = "sqlite:data/mainstay.db";
const FILE: &str = "data/mainstay.db";
const SECRET: &str = "a secret of the tests that is long enough";

/// One of everything, in a file.
fn filled() -> Project {
    export::fill(in_file(Project::with_schema(SCHEMA)))
}

fn in_file(project: Project) -> Project {
    project.env("MAINSTAY_DATABASE_URL", OLD).env("MAINSTAY_AUTH_JWT_SECRET", SECRET)
}

/// Every file of an export of a database.
fn exported(project: &Project, url: &str) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let ran = project.run_at(url, &["export", "--out", folder.path().to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn moved(project: &Project, from: &str, to: &str) -> Ran {
    let ran = project.run_at(from, &["move", "--to", to]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

fn refused(ran: &Ran, told: &str) {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains(told), "{told}: {ran:?}");
}

/// There and back again; each step is the same, byte for byte, with tables as a fresh `apply` makes them.
fn there_and_back(project: &Project, there: &str) {
    let original = exported(project, OLD);
    let ran = moved(project, OLD, there);
    assert!(ran.stdout.contains("Thing: 2 records, checksum "), "{ran:?}");
    assert!(ran.stdout.contains("writers were paused for "), "{ran:?}");
    assert_eq!(exported(project, there), original);
    assert_eq!(project.run_at(there, &["plan"]).stdout.trim(), "the database matches the schema: nothing to do");
    moved(project, there, "sqlite:data/back.db");
    assert_eq!(exported(project, "sqlite:data/back.db"), original);
    let plan = project.run_at("sqlite:data/back.db", &["plan"]);
    assert_eq!(plan.stdout.trim(), "the database matches the schema: nothing to do");
    // Both that were left are read still.
    assert_eq!(exported(project, OLD), original);
    assert_eq!(exported(project, there), original);
}

#[test]
fn everything_that_a_field_can_hold_moves_into_another_file_and_back() {
    there_and_back(&filled(), "sqlite:data/there.db");
}

#[test]
fn everything_that_a_field_can_hold_moves_to_a_server_and_back() {
    postgres_only!("moves to a server");
    there_and_back(&filled(), &TestDatabase::on(Engine::Postgres).url());
}

#[tokio::test]
async fn what_was_left_takes_no_writes_until_it_is_reopened() {
    let project = filled();
    let admin = project.token(&["--sub", "ops", "--admin"]);
    let server = project.start(&["serve"]);
    moved(&project, OLD, "sqlite:data/there.db");
    let refused_write = async |server: &Server| {
        let (status, problem) = server.post("/api/groups", &json!({"name": "new"}), Some(&admin)).await;
        assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("moved")), "{problem}");
    };
    refused_write(&server).await;
    let (_, page) = server.get("/api/groups", &[], Some(&admin)).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2, "{page}");
    drop(server);
    let server = project.start(&["serve"]);
    refused_write(&server).await;
    drop(server);
    refused(&project.run(&["move", "--to", "sqlite:data/other.db"]), "this database has moved already");
    refused(&project.run(&["import", "groups.ndjson", "--again"]), "has moved");
    assert!(project.ok(&["move", "--reopen"]).contains("takes writes again"));
    assert!(project.ok(&["move", "--reopen"]).contains("was not moved"));
    let server = project.start(&["serve"]);
    let (status, _) = server.post("/api/groups", &json!({"name": "new"}), Some(&admin)).await;
    assert_eq!(status, StatusCode::CREATED);
}

#[test]
fn targets_that_are_not_empty_are_refused() {
    let project = filled();
    refused(&project.run(&["move", "--to", OLD]), "the target is the database that the project has");
    refused(&project.run(&["move", "--to", "sqlite:./data/../data/mainstay.db"]), "the target is the database that");
    refused(&project.run(&["move", "--to", "mysql://here"]), "--to: there is no kind of database \"mysql\"");
    refused(&project.run(&["move", "--to", "env:NOT_SET"]), "the variable \"NOT_SET\" is not set");
    beside::execute(&project.path("data/used.db"), "CREATE TABLE own (a)");
    refused(
        &project.run(&["move", "--to", "sqlite:data/used.db"]),
        "the target is not empty: there is a table \"own\"",
    );
    assert_eq!(beside::rows(&project.path("data/used.db"), "SELECT name FROM sqlite_schema").len(), 1);
    project.write("schema.graphql", &SCHEMA.replace("text: String", "text: String more: Int"));
    refused(&project.run(&["move", "--to", "sqlite:data/new.db"]), "the database does not match the schema");
    assert!(!project.path("data/new.db").exists());
}

/// A move that a row of the last table ends: what is no text in a database server.
#[tokio::test]
async fn an_unfinished_move_goes_on_and_finds_what_was_changed_beside_it() {
    postgres_only!("what ends the move is refused by a server alone");
    let project = in_file(Project::with_schema(
        "type Bad @rules(read: \"true\", write: \"true\") { text: String! bads: [Bad!]! @many }
         type Good @rules(read: \"true\", write: \"true\") { text: String! }",
    ));
    let server = project.start(&["serve", "--apply", "safe"]);
    let target = TestDatabase::on(Engine::Postgres);
    let (move_it, file) = (["move", "--to", &target.url()], project.path(FILE));
    for text in ["one", "two"] {
        for path in ["/api/goods", "/api/bads"] {
            assert_eq!(server.post(path, &json!({"text": text}), None).await.0, StatusCode::CREATED);
        }
    }
    beside::execute(&file, "UPDATE goods SET text = 'o' || char(0) WHERE text = 'one'");
    let ran = project.run(&move_it);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    refused(&project.run_at(&target.url(), &["serve"]), "a move has not filled it to its end");
    refused(&project.run_at(&target.url(), &["export", "--out", "-", "goods"]), "a move has not filled it to its end");
    // The source goes on.
    assert_eq!(server.post("/api/bads", &json!({"text": "three"}), None).await.0, StatusCode::CREATED);
    beside::execute(&file, "UPDATE goods SET text = 'one' WHERE text LIKE 'o%'");
    target.execute("UPDATE bads SET text = 'tampered' WHERE text = 'two'");
    refused(&project.run(&move_it), "\"Bad\" differs: 3 records and checksum ");
    assert_eq!(server.post("/api/bads", &json!({"text": "four"}), None).await.0, StatusCode::CREATED);
    let ran = project.run(&["move", "--restart", "--to", &target.url()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("goes on where an earlier move was stopped"), "{ran:?}");
    assert_eq!(exported(&project, &target.url()), exported(&project, OLD));
}

/// Writes until the database has moved; what was acknowledged. The first of it is told.
async fn write((address, token): (String, String), number: usize, first: Sender<()>) -> Vec<String> {
    let (client, mut acknowledged) = (Client::new(), Vec::new());
    for at in 0.. {
        let name = format!("{number}-{at}");
        let create = client.post(format!("{address}/api/groups")).json(&json!({"name": name})).bearer_auth(&token);
        let response = create.header("idempotency-key", &name).send().await.unwrap();
        let status = response.status();
        let answer: Value = response.json().await.unwrap();
        match status {
            StatusCode::CREATED => acknowledged.push(name),
            _ if answer["code"] == json!("moved") => return acknowledged,
            _ => panic!("{status} {answer}"),
        }
        if at == 0 {
            first.send(()).await.unwrap();
        }
        if at % 3 == 0 {
            let old = format!("{address}/api/groups/by/name/{number}-{}", at / 2);
            let response = client.patch(old).json(&json!({"words": [at.to_string()]})).send().await.unwrap();
            assert!(response.status() != StatusCode::INTERNAL_SERVER_ERROR);
            let silent = format!("silent {number}-{at}");
            let create = client.post(format!("{address}/api/silents")).json(&json!({"name": silent}));
            if create.send().await.unwrap().status() == StatusCode::CREATED {
                acknowledged.push(silent);
            }
        }
    }
    acknowledged
}

const GROUPS: &str = r#"
type Group @rules(read: "true", write: "true") { name: String! @unique words: [String!] }
type Silent @changes(off: true) @rules(read: "true", write: "true") { name: String! @unique }
"#;

/// Moves while writers write; nothing of theirs is lost or there twice.
async fn under_load(from: &str, to: &str, kills: bool) {
    let project = Project::with_schema(GROUPS).env("MAINSTAY_AUTH_JWT_SECRET", SECRET);
    let project = project.env("MAINSTAY_DATABASE_URL", from);
    let server = project.start(&["serve", "--apply", "safe"]);
    let seed: Vec<Value> = (0..100).map(|at| json!({"name": format!("s{at}")})).collect();
    for path in ["/api/groups", "/api/silents"] {
        assert_eq!(server.post(path, &json!(seed), None).await.0, StatusCode::CREATED);
    }
    let token = project.token(&["--sub", "anna"]);
    let (first, mut begun) = channel(3);
    let writer = |number| tokio::spawn(write((server.address(), token.clone()), number, first.clone()));
    let writers: Vec<_> = (1..=3).map(writer).collect();
    for _ in &writers {
        begun.recv().await.unwrap();
    }
    for phase in ["copy", "indexes", "compare", "pause"].into_iter().filter(|_| kills) {
        let mut killed = project.spawn(&["move", "--json", "--to", to]);
        let wanted = format!("\"phase\":\"{phase}\"");
        let fits = |said: &str| [wanted.as_str(), "tookMs", "moved already"].iter().any(|text| said.contains(*text));
        killed.wait_until(phase, fits);
        killed.signal("KILL");
        killed.wait();
    }
    let ran = project.run(&["move", "--to", to]);
    assert!(ran.code == Some(0) || kills && ran.stderr.contains("has moved already"), "{ran:?}");
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    let (status, problem) = server.post("/api/silents", &json!({"name": "late"}), None).await;
    assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("moved")), "{problem}");
    drop(server);
    let (old, new) = (exported(&project, from), exported(&project, to));
    assert_eq!(old, new);
    assert!(acknowledged.len() >= 3);
    for name in acknowledged {
        let found: usize = new.iter().map(|(_, file)| file.matches(&format!("\"name\":\"{name}\"")).count()).sum();
        assert_eq!(found, 1, "{name}");
    }
    // The next server goes on: keys of writes that were done are known, and new records are taken.
    let server = project.start_at(to, &["serve"]);
    let again = Client::new().post(format!("{}/api/groups", server.address())).json(&json!({"name": "1-0"}));
    let again = again.header("idempotency-key", "1-0").bearer_auth(&token).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::CREATED, "{:?}", again.text().await);
    assert_eq!(server.post("/api/silents", &json!({"name": "late"}), None).await.0, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_project_moves_into_another_file() {
    under_load(OLD, "sqlite:data/there.db", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_project_moves_to_a_server() {
    postgres_only!("moves to a server");
    under_load(OLD, &TestDatabase::on(Engine::Postgres).url(), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_killed_again_and_again_comes_to_its_end() {
    postgres_only!("moves to a server");
    under_load(OLD, &TestDatabase::on(Engine::Postgres).url(), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_project_moves_from_a_server() {
    postgres_only!("moves from a server");
    let (from, to) = (TestDatabase::on(Engine::Postgres), TestDatabase::on(Engine::Postgres));
    under_load(&from.url(), "sqlite:data/there.db", false).await;
    let from = TestDatabase::on(Engine::Postgres);
    under_load(&from.url(), &to.url(), true).await;
}

/// Cursors, counted keys and the positions of the feed.
async fn goes_on(from: &str, to: &str) {
    let schema = "type Counted @rules(read: \"true\", write: \"true\") { id: Int! name: String! }";
    let project = Project::with_schema(schema).env("MAINSTAY_AUTH_JWT_SECRET", SECRET);
    let project = project.env("MAINSTAY_DATABASE_URL", from);
    let admin = project.token(&["--sub", "ops", "--admin"]);
    let server = project.start(&["serve", "--apply", "safe"]);
    for name in ["one", "two", "three"] {
        assert_eq!(server.post("/api/counteds", &json!({"name": name}), None).await.0, StatusCode::CREATED);
    }
    let last = Client::new().delete(format!("{}/api/counteds/3", server.address())).send().await.unwrap();
    assert_eq!(last.status(), StatusCode::NO_CONTENT);
    let (_, page) = server.get("/api/counteds", &[("limit", "1")], None).await;
    let end = Client::new().get(format!("{}/api/changes?after=end", server.address())).bearer_auth(&admin).send().await;
    let end = end.unwrap().headers()["mainstay-position"].to_str().unwrap().to_owned();
    moved(&project, from, to);
    drop(server);
    let server = project.start_at(to, &["serve"]);
    let next = page["next"].as_str().unwrap();
    let (status, rest) = server.get("/api/counteds", &[("limit", "1"), ("after", next)], None).await;
    assert_eq!((status, &rest["items"][0]["name"]), (StatusCode::OK, &json!("two")), "{rest}");
    let (_, made) = server.post("/api/counteds", &json!({"name": "four"}), None).await;
    assert_eq!(made["id"], json!("4"), "{made}");
    for old in [end.as_str(), "0"] {
        let (status, problem) = server.get("/api/changes", &[("after", old)], Some(&admin)).await;
        assert_eq!((status, &problem["code"]), (StatusCode::GONE, &json!("changes_gone")), "{old}: {problem}");
    }
    let (status, change) = server.get("/api/changes", &[("wait", "30")], Some(&admin)).await;
    assert_eq!((status, &change["after"]["name"]), (StatusCode::OK, &json!("four")), "{change}");
}

#[tokio::test]
async fn cursors_counters_and_readers_go_on_in_another_file() {
    goes_on(OLD, "sqlite:data/there.db").await;
}

#[tokio::test]
async fn cursors_counters_and_readers_go_on_on_a_server_and_back() {
    postgres_only!("moves to a server");
    goes_on(OLD, &TestDatabase::on(Engine::Postgres).url()).await;
    goes_on(&TestDatabase::on(Engine::Postgres).url(), "sqlite:data/there.db").await;
    goes_on(&TestDatabase::on(Engine::Postgres).url(), &TestDatabase::on(Engine::Postgres).url()).await;
}

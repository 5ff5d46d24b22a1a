//! Servers as nodes of one database, and `mainstay nodes`.
use mainstay_test_db::{postgres_only, sqlite_only};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Project, Server};

mod lag;

const SCHEMA: &str = r#"type Note @rules(read: "true", write: "true") { text: String! }"#;
const SECRET: &str = "a secret of the tests that is long enough";

fn project() -> Project {
    Project::with_schema(SCHEMA).env("MAINSTAY_AUTH_JWT_SECRET", SECRET).env("MAINSTAY_SERVER_NODE", "one")
}

/// The nodes that are listed.
fn nodes(project: &Project) -> Vec<Value> {
    let (code, json) = project.json(&["nodes"]);
    assert_eq!(code, Some(0), "{json}");
    json["nodes"].as_array().unwrap().clone()
}

async fn seed(server: &Server, count: usize) {
    let notes: Vec<Value> = (0..count).map(|at| json!({"text": format!("note {at}")})).collect();
    let (status, answer) = server.post("/api/notes", &json!(notes), None).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

/// A page behind a cursor, or the first one: its texts, and the next cursor.
async fn page(server: &Server, after: Option<&str>) -> (Vec<Value>, Option<String>) {
    let mut query = vec![("fields", "text"), ("limit", "2"), ("sort", "text")];
    query.extend(after.map(|after| ("after", after)));
    let (status, page) = server.get("/api/notes", &query, None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let texts = page["items"].as_array().unwrap().iter().map(|item| item["text"].clone());
    (texts.collect(), page["next"].as_str().map(str::to_owned))
}

#[test]
fn without_a_server_there_is_no_node() {
    let project = project();
    assert_eq!(project.ok(&["nodes"]).trim(), "no node serves this database");
    project.ok(&["apply", "--yes"]);
    assert_eq!(project.ok(&["nodes"]).trim(), "no node serves this database");
    let (_, json) = project.json(&["nodes"]);
    assert_eq!(json["nodes"], json!([]));
}

#[test]
fn a_server_is_listed_beside_it_until_it_stops() {
    let project = project();
    for command in [&["serve", "--apply", "safe"][..], &["dev"]] {
        let mut server = project.start(command);
        let (_, json) = project.json(&["nodes"]);
        let node = &json["nodes"][0];
        assert_eq!((&node["name"], &node["leader"]), (&json!("one"), &json!(true)), "{command:?}: {json}");
        assert_eq!((&node["version"], &node["current"]), (&json!(env!("CARGO_PKG_VERSION")), &json!(true)), "{json}");
        assert_eq!(node["schema"], json["schema"], "{json}");
        assert!(node["since"].as_str().unwrap().ends_with('Z') && node["seenMs"].is_u64(), "{json}");
        let text = project.ok(&["nodes"]);
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("one") && line.contains("leader")), "{text}");
        server.signal("TERM");
        assert_eq!(server.wait().code(), Some(0), "{}", server.said());
        assert_eq!(nodes(&project), [] as [Value; 0], "{command:?}");
    }
}

#[test]
fn a_server_that_was_killed_is_not_listed() {
    sqlite_only!("on a server a node is given up after a while");
    let project = project();
    let mut server = project.start(&["serve", "--apply", "safe"]);
    server.signal("KILL");
    server.wait();
    assert_eq!(nodes(&project), [] as [Value; 0]);
    let _again = project.start(&["serve"]);
    assert_eq!(nodes(&project).len(), 1);
}

#[tokio::test]
async fn a_cursor_outlives_the_server_and_its_folder_data() {
    let project = project();
    let server = project.start(&["serve", "--apply", "safe"]);
    seed(&server, 5).await;
    let (first, next) = page(&server, None).await;
    assert_eq!(first, [json!("note 0"), json!("note 1")]);
    drop(server);
    assert!(!project.path("data/cursor_key").exists());
    let server = project.start(&["serve"]);
    assert_eq!(page(&server, next.as_deref()).await.0, [json!("note 2"), json!("note 3")]);
}

#[tokio::test]
async fn the_key_of_an_earlier_version_is_adopted() {
    let project = project();
    project.write("data/cursor_key", &"5a".repeat(32));
    let server = project.start(&["serve", "--apply", "safe"]);
    seed(&server, 5).await;
    let (_, next) = page(&server, None).await;
    drop(server);
    assert_eq!(
        project.rows("SELECT lower(hex(value)) FROM mainstay_keys", "SELECT encode(value, 'hex') FROM mainstay_keys"),
        [[Some("5a".repeat(32))]]
    );
    std::fs::remove_file(project.path("data/cursor_key")).unwrap();
    let server = project.start(&["serve"]);
    assert_eq!(page(&server, next.as_deref()).await.0, [json!("note 2"), json!("note 3")]);
    drop(server);
    project.write("data/cursor_key", "no key");
    let ran = project.run(&["serve"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("cursor_key: it does not hold 64 hexadecimal digits"), "{}", ran.stderr);
}

#[test]
fn heartbeats_that_leave_no_time_are_refused() {
    for (name, value, told) in [
        ("MAINSTAY_NODES_HEARTBEAT_MS", "0", "nodes.heartbeat_ms: 0 leaves no time"),
        ("MAINSTAY_NODES_HEARTBEAT_MS", "5001", "nodes.gone_after_ms: 10000 is less than two heartbeats of 5001"),
        ("MAINSTAY_NODES_GONE_AFTER_MS", "3999", "nodes.gone_after_ms: 3999 is less than two heartbeats of 2000"),
    ] {
        let ran = project().env(name, value).run(&["check"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    for (name, value) in [("MAINSTAY_NODES_HEARTBEAT_MS", "5000"), ("MAINSTAY_NODES_GONE_AFTER_MS", "4000")] {
        assert_eq!(project().env(name, value).run(&["check"]).code, Some(0));
    }
}

/// Quick to see who is gone.
fn quick() -> Project {
    let project = project().env("MAINSTAY_NODES_HEARTBEAT_MS", "50").env("MAINSTAY_NODES_GONE_AFTER_MS", "2000");
    project.env("MAINSTAY_SERVER_NODE_HEADER", "true")
}

#[tokio::test]
async fn two_servers_that_start_at_once_on_an_empty_database_both_serve() {
    postgres_only!("several nodes need a server");
    let project = quick();
    let servers: Vec<Server> = (0..3).map(|_| project.spawn(&["serve", "--apply", "safe"])).collect();
    for server in &servers {
        server.wait_for("listening on ");
    }
    seed(&servers[0], 5).await;
    let (first, next) = page(&servers[1], None).await;
    assert_eq!(first, [json!("note 0"), json!("note 1")]);
    // A cursor of one node goes on at another one.
    assert_eq!(page(&servers[2], next.as_deref()).await.0, [json!("note 2"), json!("note 3")]);
    let all = nodes(&project);
    assert_eq!((all.len(), all.iter().filter(|node| node["leader"] == json!(true)).count()), (3, 1), "{all:?}");
}

#[tokio::test]
async fn another_server_takes_over_when_the_leader_is_killed() {
    postgres_only!("several nodes need a server");
    let project = quick();
    let mut leader = project.start(&["serve", "--apply", "safe"]);
    leader.wait_for("this node is elected");
    let next = project.start(&["serve"]);
    assert_eq!(nodes(&project).len(), 2);
    leader.signal("KILL");
    leader.wait();
    next.wait_for("this node is elected");
    next.wait_for("a node is gone");
    assert_eq!(nodes(&project).len(), 1);
    assert_eq!(next.get("/api/notes", &[], None).await.0, StatusCode::OK);
}

/// What additive steps make of the notes: a field that the database fills, one that it does not, an index, values of an enum, and a
/// type that links to them.
const MORE: &str = r#"
type Note @rules(read: "true", write: "true") {
  text: String!
  state: State @index
  more: Int
  rank: Int! @default(value: 7)
  tags: [Tag!]! @many
  pins: [Pin!]! @inverse(field: "note")
}
type Tag @rules(read: "true", write: "true") { id: String! }
type Pin @rules(read: "true", write: "true") { note: Note! }
enum State { open done later }
"#;

const STATES: &str = r#"
type Note @rules(read: "true", write: "true") { text: String! state: State }
enum State { open done }
"#;

#[tokio::test]
async fn a_server_reads_and_writes_while_additive_steps_are_carried_out_and_behind_them() {
    postgres_only!("several nodes need a server");
    let project = quick();
    project.write("schema.graphql", STATES);
    let old = project.start(&["serve", "--apply", "safe"]);
    let (_, first) = old.post("/api/notes", &json!({"text": "first", "state": "open"}), None).await;
    let path = format!("/api/notes/{}", first["id"].as_str().unwrap());
    project.write("schema.graphql", MORE);
    let mut new = project.spawn(&["serve", "--apply", "safe"]);
    // The old one answers from before the steps until it has noticed them, and behind.
    let mut texts = vec!["first".to_owned()];
    while !old.said().contains("this one goes on with its schema") {
        assert!(!new.has_ended(), "{}", new.said());
        texts.push(format!("text {}", texts.len()));
        let (status, answer) = old.post("/api/notes", &json!({"text": texts.last()}), None).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        let (status, answer) = old.patch(&path, &json!({"state": "done"}), None).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(old.get("/api/notes", &[("filter", "state == 'done'")], None).await.1["items"][0]["text"], "first");
    }
    new.wait_for("listening on ");
    let (_, page) = new.get("/api/notes", &[("fields", "text,rank,more"), ("limit", "1000")], None).await;
    let found: Vec<&Value> = page["items"].as_array().unwrap().iter().collect();
    assert_eq!(found.len(), texts.len(), "{page}");
    assert!(found.iter().all(|note| note["rank"] == json!(7) && note["more"].is_null()), "{page}");
    both_write(&old, &new, &path).await;
}

/// What one of them writes the other one reads, and what it does not know stays.
async fn both_write(old: &Server, new: &Server, path: &str) {
    let (status, answer) = new.patch(path, &json!({"state": "later", "rank": 1, "more": 2}), None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(old.get(path, &[], None).await.1["state"], "later");
    assert_eq!(old.patch(path, &json!({"text": "by the old one"}), None).await.0, StatusCode::OK);
    let (_, note) = new.get(path, &[("fields", "text,state,rank,more,version")], None).await;
    let version = note["version"].as_i64().unwrap();
    let expected = json!({"text": "by the old one", "state": "later", "rank": 1, "more": 2, "version": version});
    assert_eq!(note, expected);
    let ops = json!({"ops": [
        {"op": "create", "in": "notes", "as": "n", "data": {"text": "in a batch"}},
        {"op": "update", "in": "notes", "id": {"ref": "n"}, "data": {"state": "open"}},
    ]});
    let (status, answer) = old.post("/api/batch", &ops, None).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    // What the old one does not know may hold on to a record: it does not go.
    let id = path.rsplit('/').next().unwrap();
    let (status, pin) = new.post("/api/pins", &json!({"note": id}), None).await;
    assert_eq!(status, StatusCode::CREATED, "{pin}");
    let (status, problem) = old.delete(path).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("restricted")), "{problem}");
    assert_eq!(new.delete(&format!("/api/pins/{}", pin["id"].as_str().unwrap())).await.0, StatusCode::NO_CONTENT);
    assert_eq!(old.delete(path).await.0, StatusCode::NO_CONTENT);
    assert_eq!(new.get(path, &[], None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_server_goes_on_behind_an_additive_step_and_refuses_behind_another() {
    postgres_only!("several nodes need a server");
    let project = quick();
    let old = project.start(&["serve", "--apply", "safe"]);
    seed(&old, 1).await;
    project.write("schema.graphql", &SCHEMA.replace("text: String!", "text: String! more: Int"));
    let new = project.start(&["serve", "--apply", "safe"]);
    old.wait_for("this one goes on with its schema");
    seed(&old, 1).await;
    assert_eq!(new.get("/api/notes", &[("fields", "more")], None).await.0, StatusCode::OK);
    assert_eq!(old.get("/readyz", &[], None).await.0, StatusCode::OK);
    assert!(project.ok(&["nodes"]).contains("(not the database's"));
    drop(new);
    project
        .write("schema.graphql", &SCHEMA.replace("text: String!", "text: String! must: Int! @backfill(expr: \"1\")"));
    project.ok(&["apply", "--yes", "--destructive"]);
    old.wait_for("it answers nothing from now on");
    let (status, problem) = old.get("/api/notes", &[], None).await;
    assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("schema_outdated")));
    assert_eq!(old.get("/readyz", &[], None).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(old.get("/healthz", &[], None).await.0, StatusCode::OK);
}

//! `mainstay serve`
use mainstay_test_db::sqlite_only;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::Project;

const SCHEMA: &str = "type Note @rules(read: \"true\", write: \"owner == auth.id\") { owner: ID! @set(create: \"auth.id\") text: String! }";
const SECRET: &str = "a secret of the tests that is long enough";

fn project() -> Project {
    Project::with_schema(SCHEMA).env("MAINSTAY_AUTH_JWT_SECRET", SECRET)
}

#[test]
fn without_a_key_it_does_not_start() {
    let ran = Project::with_schema(SCHEMA).run(&["serve", "--apply", "safe"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("no key is configured to verify callers with"), "{}", ran.stderr);
    assert!(ran.stderr.contains("auth.jwt_secret"), "{}", ran.stderr);
}

#[test]
fn a_short_secret_is_refused() {
    let ran = Project::with_schema(SCHEMA).env("MAINSTAY_AUTH_JWT_SECRET", "short").run(&["serve", "--apply", "safe"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("the token secret has 5 bytes, at least 32 are needed"), "{}", ran.stderr);
}

#[tokio::test]
async fn without_any_key_callers_stay_anonymous_where_that_is_wanted() {
    let project = Project::with_schema(SCHEMA).env("MAINSTAY_AUTH_ANONYMOUS_ONLY", "true");
    let server = project.start(&["serve", "--apply", "safe"]);
    assert_eq!(server.get("/api/notes", &[], None).await.0, StatusCode::OK);
    assert_eq!(server.get("/api/notes", &[], Some("a.b.c")).await.0, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_database_that_does_not_match_is_refused() {
    let project = project();
    let ran = project.run(&["serve"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("the database does not match the schema"), "{}", ran.stderr);
    assert!(ran.stderr.contains("create table"), "{}", ran.stderr);
    assert!(ran.stderr.contains("mainstay plan"), "{}", ran.stderr);
}

#[tokio::test]
async fn it_serves_and_what_was_written_is_there_the_next_time() {
    let project = project();
    project.ok(&["apply", "--yes"]);
    let anna = project.token(&["--sub", "anna"]);
    let mut server = project.start(&["serve"]);
    let (status, note) = server.post("/api/notes", &json!({"text": "hello"}), Some(&anna)).await;
    assert_eq!((status, &note["owner"]), (StatusCode::CREATED, &json!("anna")));
    assert_eq!(server.post("/api/notes", &json!({"text": "x"}), None).await.0, StatusCode::UNAUTHORIZED);
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
    let server = project.start(&["serve"]);
    let (_, page) = server.get("/api/notes", &[("fields", "text")], None).await;
    assert_eq!(page["items"], json!([{"text": "hello"}]));
}

#[test]
fn it_stops_on_signals_with_zero() {
    let project = project();
    for signal in ["TERM", "INT"] {
        let mut server = project.start(&["serve", "--apply", "safe"]);
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0), "{signal}: {}", server.said());
    }
}

#[test]
fn a_second_process_on_the_folder_is_refused() {
    sqlite_only!("one process owns its file");
    let project = project();
    let _server = project.start(&["serve", "--apply", "safe"]);
    for command in [&["serve"][..], &["dev"], &["apply", "--yes"], &["dev", "--reset"]] {
        let ran = project.run(command);
        assert_eq!(ran.code, Some(1), "{command:?}");
        assert!(ran.stderr.contains("another process") || ran.stderr.contains("in use"), "{command:?}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn what_only_reads_may_look_while_it_serves() {
    let project = project();
    let server = project.start(&["serve", "--apply", "safe"]);
    let anna = project.token(&["--sub", "anna"]);
    let (_, note) = server.post("/api/notes", &json!({"text": "x"}), Some(&anna)).await;
    assert_eq!(project.json(&["plan"]).0, Some(0));
    let path = format!("/api/notes/{}", note["id"].as_str().unwrap());
    let (code, json) = project.json(&["explain", "--as", "bob", "PATCH", &path, r#"{"text": "y"}"#]);
    assert_eq!(code, Some(0), "{json}");
    let rule = json["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == "Note.update").unwrap();
    let shown = rule["clauses"][0]["values"].to_string();
    assert!(shown.contains("anna") && shown.contains("bob"), "{json}");
    assert_eq!(server.post("/api/notes", &json!({"text": "z"}), Some(&anna)).await.0, StatusCode::CREATED);
}

#[test]
fn the_address_comes_as_json_too() {
    let project = project();
    let server = project.spawn(&["serve", "--apply", "safe", "--json"]);
    assert!(server.wait_for("\"address\"").contains("http://127.0.0.1:"));
}

#[tokio::test]
async fn slow_reads_are_logged_where_that_is_wanted_and_without_values() {
    let schema = "type Note @rules(read: \"true\") { text: String! rank: Int! }";
    let project = Project::with_schema(schema).env("MAINSTAY_AUTH_JWT_SECRET", SECRET);
    let notes: Vec<_> = (0..20_000).map(|rank| json!({"text": "hidden words", "rank": rank})).collect();
    project.write("notes.json", &json!({ "notes": notes }).to_string());
    project.ok(&["apply", "--yes"]);
    project.ok(&["import", "notes.json"]);
    let slow = [("sort", "rank"), ("filter", "text.contains('hidden')")];
    let project = project.env("MAINSTAY_LOG_SLOW_MS", "1");
    let server = project.start(&["serve"]);
    assert_eq!(server.get("/api/notes", &slow, None).await.0, StatusCode::OK);
    server.wait_for("slow read");
    assert!(!server.said().contains("hidden"), "{}", server.said());
    drop(server);
    let project = project.env("MAINSTAY_LOG_SLOW_MS", "0");
    let mut server = project.start(&["serve"]);
    assert_eq!(server.get("/api/notes", &slow, None).await.0, StatusCode::OK);
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
    assert!(!server.said().contains("slow read"), "{}", server.said());
}

#[tokio::test]
async fn a_database_that_is_ahead_by_additive_steps_is_served() {
    let old = r#"type Note @rules(read: "true", write: "true") { text: String! }"#;
    let new = old.replace("text: String!", "text: String! more: Int rank: Int! @default(value: 7)");
    let project = Project::with_schema(&new).env("MAINSTAY_AUTH_ANONYMOUS_ONLY", "true");
    project.ok(&["apply", "--yes"]);
    project.write("schema.graphql", old);
    for command in [&["serve"][..], &["serve", "--apply", "safe"]] {
        let server = project.start(command);
        server.wait_for("the database is ahead of this schema by additive steps");
        let (status, note) = server.post("/api/notes", &json!({"text": "a"}), None).await;
        assert_eq!(status, StatusCode::CREATED, "{note}");
        assert_eq!(server.get("/readyz", &[], None).await.0, StatusCode::OK);
    }
    // What the newer release has is there still.
    assert_eq!(
        project.rows("SELECT DISTINCT rank FROM notes", "SELECT DISTINCT rank FROM notes"),
        [[Some("7".to_owned())]]
    );
    project.write("schema.graphql", &old.replace("text", "other"));
    let ran = project.run(&["serve"]);
    assert!(ran.code == Some(1) && ran.stderr.contains("the database does not match the schema"), "{}", ran.stderr);
}

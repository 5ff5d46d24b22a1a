//! `mainstay changes`
use mainstay_test_db::postgres_only;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::Project;

const SCHEMA: &str = r#"
type Note @rules(read: "true", write: "true") { text: String! }
type Tag @rules(read: "true", write: "true") { name: String! }
"#;

fn project() -> Project {
    Project::with_schema(SCHEMA).env("MAINSTAY_AUTH_JWT_SECRET", "a secret of the tests that is long enough")
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The changes that are told, once there are so many: on a server readers wait for whoever else runs there.
fn told(project: &Project, arguments: &[&str], count: usize) -> Vec<Value> {
    loop {
        let told = lines(&project.ok(&[&["changes"], arguments].concat()));
        if told.len() >= count {
            return told;
        }
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    let project = project();
    let refused = |arguments: &[&str]| {
        let ran = project.run(arguments);
        assert_ne!(ran.code, Some(0), "{arguments:?}");
        ran.stderr
    };
    assert!(refused(&["changes"]).contains("the database does not match the schema"));
    project.ok(&["apply", "--yes"]);
    let wrong = refused(&["changes", "--after", "soon"]);
    assert!(wrong.contains("expected the position of a change, or end; found \"soon\""), "{wrong}");
    let wrong = refused(&["changes", "--collection", "nots"]);
    assert!(wrong.contains("there is no collection \"nots\"") && wrong.contains("\"notes\""), "{wrong}");
    let wrong = refused(&["changes", "--after", "999999999.1"]);
    assert!(wrong.contains("the changes behind this position are kept no more"), "{wrong}");
}

#[test]
fn what_was_written_is_told_from_any_position() {
    let project = project();
    project.ok(&["apply", "--yes"]);
    assert_eq!(project.ok(&["changes"]), "");
    project.write("notes.ndjson", "{\"text\": \"a\"}\n{\"text\": \"b\"}\n");
    project.write("tags.ndjson", "{\"name\": \"x\"}\n");
    project.ok(&["import", "notes.ndjson"]);
    project.ok(&["import", "tags.ndjson"]);
    let all = told(&project, &[], 3);
    assert!(all.iter().all(|of| of["caller"] == "command"), "{all:?}");
    let kinds = all.iter().map(|of| (of["collection"].clone(), of["op"].clone()));
    assert_eq!(kinds.collect::<Vec<_>>(), ["notes", "notes", "tags"].map(|path| (json!(path), json!("create"))));
    let behind = all[0]["position"].as_str().unwrap();
    assert_eq!(told(&project, &["--after", behind], 2), all[1..]);
    assert_eq!(told(&project, &["--after", behind, "--collection", "tags"], 1), all[2..]);
    assert_eq!(project.ok(&["changes", "--after", "end"]), "");
}

/// Links that wait are written behind their record, whose version stays.
#[test]
fn links_of_an_import_that_come_later_are_told() {
    let project = Project::applied("type Note { text: String! @unique related: [Note!]! @many }");
    project.write("notes.ndjson", "{\"text\": \"a\", \"related\": [\"b\"]}\n{\"text\": \"b\"}\n");
    project.ok(&["import", "notes.ndjson"]);
    let all = told(&project, &[], 3);
    let ops: Vec<_> = all.iter().map(|of| json!([of["op"], of["version"]])).collect();
    assert_eq!(ops, [json!(["create", 1]), json!(["create", 1]), json!(["update", 1])]);
    let id = |text: &str| &all[..2].iter().find(|of| of["after"]["text"] == text).unwrap()["id"];
    let (waited, linked) = (&all[2], id("b"));
    assert_eq!(waited["id"], *id("a"));
    assert_eq!((&waited["before"]["related"], &waited["after"]["related"]), (&json!([]), &json!([linked])));
    assert_eq!(waited["after"]["text"], "a");
}

#[test]
fn who_holds_the_feed_back_is_told() {
    postgres_only!("nobody holds it back on the embedded database");
    let project = project().env("MAINSTAY_CHANGES_TRIM_EVERY_MS", "50");
    let server = project.start(&["serve", "--apply", "safe"]);
    std::thread::scope(|scope| {
        // As long as the server has not told of it, and never for long.
        scope.spawn(|| {
            project.sql("SET application_name = 'report'; BEGIN; SELECT pg_current_xact_id(), pg_sleep(2); ROLLBACK")
        });
        let line = server.wait_for("holds the change feed back");
        assert!(line.contains("report"), "{line}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn it_follows_a_server_that_writes() {
    let project = project();
    let mut server = project.start(&["serve", "--apply", "safe"]);
    let following = project.spawn(&["changes", "--follow"]);
    for text in ["first", "second"] {
        let (status, answer) = server.post("/api/notes", &json!({ "text": text }), None).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        following.wait_for(&format!("\"text\":\"{text}\""));
    }
    server.signal("TERM");
    server.wait();
}

//! Moves that are stopped at a certain place, by a lock on a table of the target: what others do meanwhile is not lost.
use std::process::ExitStatus;

use mainstay_test_db::{Engine, Held, TestDatabase, beside, postgres_only};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::{FILE, OLD, exported, in_file, moved, refused};
use crate::support::{Project, Server};

const SCHEMA: &str = r#"
type First @rules(read: "true", write: "true") { text: String! @unique more: String @unique }
type Second @rules(read: "true", write: "true") { text: String! @unique more: String @unique first: First firsts: [First!]! @many }
"#;

/// A project in a file, and a target whose tables are there, with `seconds` not copied yet.
struct Begun {
    project: Project,
    target: TestDatabase,
}

impl Begun {
    /// The same, and a server of the project.
    async fn new() -> (Begun, Server) {
        Begun::of(SCHEMA).await
    }

    async fn of(schema: &str) -> (Begun, Server) {
        let project = in_file(Project::with_schema(schema));
        let server = project.start(&["serve", "--apply", "safe"]);
        let target = TestDatabase::on(Engine::Postgres);
        for text in ["one", "two"] {
            for path in ["/api/firsts", "/api/seconds"] {
                let record = json!({"text": text, "more": text});
                assert_eq!(server.post(path, &record, None).await.0, StatusCode::CREATED);
            }
        }
        let begun = Begun { project, target };
        // What is no text in a database server ends the first move.
        begun.change("UPDATE seconds SET text = 'o' || char(0) WHERE text = 'one'");
        let ran = begun.project.run(&["move", "--to", &begun.target.url()]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        begun.change("UPDATE seconds SET text = 'one' WHERE text LIKE 'o%'");
        (begun, server)
    }

    /// Runs SQL in the source, beside its server.
    fn change(&self, sql: &str) {
        beside::execute(&self.project.path(FILE), sql);
    }

    /// Goes on until a lock stops it: `ACCESS EXCLUSIVE` while records are copied, `ROW EXCLUSIVE` while indexes are made.
    fn go_on_until(&self, table: &str, lock: &str) -> Waiting {
        let held = self.target.hold(&format!("LOCK TABLE {table} IN {lock} MODE"));
        let mut moving = self.project.spawn(&["move", "--json", "--to", &self.target.url()]);
        let waits = "SELECT FROM pg_locks WHERE NOT granted AND relation IS NOT NULL AND database = (SELECT oid FROM \
                     pg_database WHERE datname = current_database())";
        moving.wait_for(if lock == "ROW EXCLUSIVE" { "\"phase\":\"indexes\"" } else { "\"phase\":\"copy\"" });
        while self.target.rows(waits).is_empty() {
            assert!(!moving.has_ended(), "{}", moving.said());
        }
        Waiting { held, moving }
    }

    /// The statements that the target keeps to make its indexes and references again.
    fn makes(&self) -> Vec<String> {
        let sql = "SELECT value FROM mainstay_move WHERE name LIKE 'makes:%' ORDER BY name";
        self.target.rows(sql).into_iter().flatten().flatten().collect()
    }

    /// A table whose indexes are not the first to be made.
    fn late(&self) -> &'static str {
        if self.makes()[0].contains("firsts") { "seconds" } else { "firsts" }
    }

    fn is_the_same(&self) {
        assert_eq!(exported(&self.project, &self.target.url()), exported(&self.project, OLD));
        let plan = self.project.run_at(&self.target.url(), &["plan"]);
        assert_eq!(plan.stdout.trim(), "the database matches the schema: nothing to do", "{plan:?}");
    }
}

/// A move that waits for a lock.
struct Waiting {
    held: Held,
    moving: Server,
}

impl Waiting {
    /// Lets it go on to its end: how it ended, and what it said.
    fn end(mut self) -> (ExitStatus, String) {
        drop(self.held);
        let ended = self.moving.wait();
        (ended, self.moving.said())
    }
}

/// Creates a record once for a key.
async fn once(server: &Server, token: &str, key: &str, text: &str) -> (StatusCode, Value) {
    let create = Client::new().post(format!("{}/api/firsts", server.address())).json(&json!({"text": text}));
    let response = create.header("idempotency-key", key).bearer_auth(token).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_schema_that_is_applied_meanwhile_ends_a_move() {
    postgres_only!("holds tables of the target");
    let (begun, server) = Begun::new().await;
    drop(server);
    let waiting = begun.go_on_until("seconds", "ACCESS EXCLUSIVE");
    let silent = "type Silent @changes(off: true) @rules(read: \"true\", write: \"true\") { text: String! }";
    let schema = format!("{}{silent}", SCHEMA.replace("first: First ", "added: String first: First "));
    begun.project.write("schema.graphql", &schema);
    begun.project.ok(&["apply", "--yes"]);
    let server = begun.project.start(&["serve"]);
    let record = json!({"text": "three", "added": "much"});
    assert_eq!(server.post("/api/seconds", &record, None).await.0, StatusCode::CREATED);
    let (ended, said) = waiting.end();
    assert_eq!(ended.code(), Some(1), "{said}");
    assert!(said.contains("the schema has changed since the move began"), "{said}");
    // The source goes on, and moves as it is now.
    assert_eq!(server.post("/api/silents", &json!({"text": "four"}), None).await.0, StatusCode::CREATED);
    let again = begun.project.run(&["move", "--to", &begun.target.url()]);
    refused(&again, "the schema has changed since the move began");
    let begun = Begun { target: TestDatabase::on(Engine::Postgres), ..begun };
    moved(&begun.project, OLD, &begun.target.url());
    begun.is_the_same();
}

#[tokio::test]
async fn a_restart_after_a_kill_between_two_indexes_loses_none_of_them() {
    postgres_only!("holds tables of the target");
    let (begun, _server) = Begun::new().await;
    let all = begun.makes();
    let waiting = begun.go_on_until(begun.late(), "ROW EXCLUSIVE");
    waiting.moving.signal("KILL");
    waiting.end();
    let left = begun.makes();
    assert!(!left.is_empty() && left.len() < all.len(), "{left:#?}");
    let ran = begun.project.run(&["move", "--restart", "--to", &begun.target.url()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    begun.is_the_same();
}

#[tokio::test]
async fn a_target_that_is_not_as_it_should_be_is_refused_each_time() {
    postgres_only!("loses an index of the target");
    let (begun, server) = Begun::new().await;
    let index = begun.makes().remove(0);
    begun.target.execute("DELETE FROM mainstay_move WHERE name = 'makes:00000'");
    for _ in 0..2 {
        let ran = begun.project.run(&["move", "--to", &begun.target.url()]);
        refused(&ran, "in the target, ");
        refused(&ran, "empty the target, and move again");
        let record = json!({"text": "still"});
        assert_ne!(server.post("/api/firsts", &record, None).await.0, StatusCode::SERVICE_UNAVAILABLE);
    }
    begun.target.execute(&index);
    moved(&begun.project, OLD, &begun.target.url());
    begun.is_the_same();
}

#[tokio::test]
async fn an_import_that_begins_meanwhile_comes_along_with_its_notes() {
    postgres_only!("holds tables of the target");
    let (begun, server) = Begun::new().await;
    drop(server);
    let waiting = begun.go_on_until("seconds", "ACCESS EXCLUSIVE");
    begun.project.write("firsts.ndjson", "{\"text\": \"imported\"}\n");
    begun.project.ok(&["import", "firsts.ndjson"]);
    let (ended, said) = waiting.end();
    assert_eq!(ended.code(), Some(0), "{said}");
    begun.is_the_same();
    let notes = "SELECT id FROM mainstay_import";
    assert_eq!(begun.target.rows(notes), beside::rows(&begun.project.path(FILE), notes));
    assert_eq!(begun.target.rows(notes).len(), 1);
}

#[tokio::test]
async fn answers_of_a_node_whose_clock_is_late_are_kept() {
    postgres_only!("holds tables of the target");
    let (begun, server) = Begun::new().await;
    let token = begun.project.token(&["--sub", "anna"]);
    // As a node has written it whose clock is an hour ahead of the other's.
    assert_eq!(once(&server, &token, "ahead", "ahead").await.0, StatusCode::CREATED);
    begun.change("UPDATE mainstay_idempotency SET time = time + 3600000000");
    let waiting = begun.go_on_until(begun.late(), "ROW EXCLUSIVE");
    let (status, answer) = once(&server, &token, "late", "late").await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let (ended, said) = waiting.end();
    assert_eq!(ended.code(), Some(0), "{said}");
    let server = begun.project.start_at(&begun.target.url(), &["serve"]);
    for key in ["late", "ahead"] {
        let (status, again) = once(&server, &token, key, key).await;
        assert_eq!(status, StatusCode::CREATED, "{key}: {again}");
        assert!(key != "late" || again == answer, "{again}");
    }
}

/// References lead from what the feed tells to what it does not tell, and back.
#[tokio::test]
async fn what_the_feed_does_not_tell_is_there_for_those_who_refer_to_it() {
    postgres_only!("holds tables of the target");
    let silent =
        "type Silent @changes(off: true) @rules(read: \"true\", write: \"true\") { text: String! first: First }";
    let schema = SCHEMA.replace("first: First firsts", "silent: Silent firsts");
    let (begun, server) = Begun::of(&format!("{schema}{silent}")).await;
    let create = async |path: &str, record: Value| {
        let (status, made) = server.post(path, &record, None).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        made["id"].as_str().unwrap().to_owned()
    };
    // Silent ones are copied; they come before who refers to them.
    let waiting = begun.go_on_until("seconds", "ACCESS EXCLUSIVE");
    let gone = create("/api/firsts", json!({"text": "gone"})).await;
    let silent = create("/api/silents", json!({"text": "new", "first": gone})).await;
    create("/api/seconds", json!({"text": "three", "silent": silent})).await;
    begun.change("UPDATE seconds SET text = 'o' || char(0) WHERE text = 'one'");
    let (ended, said) = waiting.end();
    assert_eq!(ended.code(), Some(1), "{said}");
    begun.change("UPDATE seconds SET text = 'one' WHERE text LIKE 'o%'");
    // While references are made, one side of each goes.
    let waiting = begun.go_on_until(begun.late(), "ROW EXCLUSIVE");
    assert_eq!(server.delete(&format!("/api/firsts/{gone}")).await.0, StatusCode::NO_CONTENT);
    let silent = create("/api/silents", json!({"text": "newer"})).await;
    create("/api/seconds", json!({"text": "four", "silent": silent})).await;
    let (ended, said) = waiting.end();
    assert_eq!(ended.code(), Some(0), "{said}");
    begun.is_the_same();
}

/// Two projects, each in a namespace of its own of one database.
#[tokio::test]
async fn a_project_that_is_reopened_leaves_others_of_the_database_closed() {
    postgres_only!("moves from a server");
    let database = TestDatabase::on(Engine::Postgres);
    database.execute("CREATE SCHEMA one; CREATE SCHEMA other");
    let project = in_file(Project::with_schema(SCHEMA));
    let url = |name: &str| format!("{}?options=-c%20search_path%3D{name}", database.url());
    for name in ["one", "other"] {
        drop(project.start_at(&url(name), &["serve", "--apply", "safe"]));
        moved(&project, &url(name), &format!("sqlite:data/{name}.db"));
    }
    let ran = project.run_at(&url("one"), &["move", "--reopen"]);
    assert!(ran.stdout.contains("takes writes again"), "{ran:?}");
    for (name, status) in [("one", StatusCode::CREATED), ("other", StatusCode::SERVICE_UNAVAILABLE)] {
        let server = project.start_at(&url(name), &["serve"]);
        let (answered, problem) = server.post("/api/firsts", &json!({"text": "new"}), None).await;
        assert_eq!(answered, status, "{name}: {problem}");
    }
}

//! Bounds on reads: lists inside of lists, the wait for a thread, and clients that go away.
use std::time::Duration;

use mainstay_testing::{Reply, Setup, TestApp};
use serde_json::json;
use tokio::task::JoinSet;

const SCHEMA: &str = r#"
type Board @rules(read: "auth.id == 'anna'", write: "false") {
  name: String!
  notes: [Note!]! @inverse(field: "board")
}
type Note @rules(read: "true") {
  text: String!
  board: Board!
  marks: [Mark!]! @inverse(field: "note")
}
type Mark @rules(read: "true") { word: String! note: Note! }
"#;

/// Two boards with two notes of three marks each: 4 notes, 12 marks.
async fn boards(setup: Setup, word: &str) -> TestApp {
    let app = setup.start().await;
    let boards = app.seed("boards", [json!({"name": "a"}), json!({"name": "b"})]).await;
    let notes = boards.iter().flat_map(|board| [("x", board), ("y", board)]);
    let notes = app.seed("notes", notes.map(|(text, board)| json!({"text": text, "board": board}))).await;
    let marks = notes.iter().flat_map(|note| [note; 3]);
    app.seed("marks", marks.map(|note| json!({"word": word, "note": note}))).await;
    app
}

async fn deep(app: &TestApp, limit: &str) -> Reply {
    let fields = "name,notes(text,marks(word;sort:word))";
    app.user("anna").query("/api/boards", &[("fields", fields), ("limit", limit)]).await
}

#[tokio::test]
async fn lists_inside_of_lists_are_counted_over_the_whole_answer() {
    let setup = |most: usize| Setup::new(SCHEMA).store(move |settings| settings.answer_nested_max = most);
    let app = boards(setup(16), "w").await;
    let fields = [("fields", "name,notes(text,marks(word))")];
    assert_eq!(app.anonymous().query("/api/boards", &fields).await.status, 401);
    assert_eq!(app.user("bert").query("/api/boards", &fields).await.status, 403);
    let reply = deep(&app, "50").await;
    assert_eq!((reply.status, reply.items().len()), (200, 2), "{}", reply.text);
    // Again, by the same connection: each statement counts for itself.
    assert_eq!(deep(&app, "50").await.status, 200);
    assert_eq!(
        reply.json()["items"][1]["notes"][1],
        json!({"text": "y", "marks": [{"word": "w"}, {"word": "w"}, {"word": "w"}]})
    );

    let app = boards(setup(15), "w").await;
    let reply = deep(&app, "50").await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["code"], "limit_exceeded");
    assert_eq!(reply.json()["detail"], "the answer would hold more than 15 records in lists inside of lists");
    // A list of its own does not multiply.
    let flat = app.user("anna").query("/api/boards", &[("fields", "name,notes(text)")]).await;
    assert_eq!((flat.status, flat.json()["items"][0]["notes"].as_array().map(Vec::len)), (200, Some(2)));
    assert_eq!(app.user("anna").query("/api/boards", &[("fields", "name,n:size(notes)")]).await.status, 200);
}

#[tokio::test]
async fn lists_inside_of_lists_are_counted_for_each_answer_of_a_batch() {
    let app = boards(Setup::new(SCHEMA).store(|settings| settings.answer_nested_max = 8), "w").await;
    let ids: Vec<String> = app.user("anna").get("/api/boards").await.column("id");
    let fields = "notes(text,marks(word))";
    let op = |id: &String| json!({"op": "update", "in": "boards", "id": id, "data": {"name": "c"}, "fields": fields});
    let many: Vec<_> = ids.iter().cycle().take(6).map(op).collect();
    let reply = app.admin().post("/api/batch", json!({ "ops": many })).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

#[tokio::test]
async fn bytes_that_are_held_level_by_level_are_counted_together() {
    let word = "w".repeat(1_000);
    let bounded = |bytes: u32| Setup::new(SCHEMA).store(move |settings| settings.answer_bytes_max = bytes);
    // Twelve thousand bytes of words, of which no value of its own holds more than half.
    let app = boards(bounded(14_000), &word).await;
    assert_eq!(deep(&app, "50").await.status, 200);
    let app = boards(bounded(11_000), &word).await;
    let reply = deep(&app, "50").await;
    assert_eq!((reply.status, reply.json()["detail"].as_str()), (400, Some("the answer would be too large")));
}

#[tokio::test]
async fn what_a_write_answers_is_bounded_as_what_is_read() {
    let setup = Setup::new(SCHEMA).store(|settings| settings.answer_bytes_max = 3_000);
    let app = setup.start().await;
    let board = app.seed("boards", [json!({"name": "a"})]).await.remove(0);
    let text = "w".repeat(2_000);
    app.seed("notes", (0..2).map(|_| json!({"text": text, "board": board}))).await;
    let patch = |fields: &str| {
        let path = format!("/api/boards/{board}?fields={fields}");
        let admin = app.admin();
        async move { admin.patch(&path, json!({"name": "b"})).await }
    };
    let reply = patch("name,notes(text)").await;
    assert_eq!((reply.status, reply.json()["detail"].as_str()), (400, Some("the answer would be too large")));
    assert_eq!(app.user("anna").query("/api/boards", &[("fields", "name")]).await.items()[0], json!({"name": "a"}));
    assert_eq!(patch("name").await.status, 200);
}

/// One thread for slow reads, and a board on which a condition takes minutes.
async fn slow() -> TestApp {
    let setup = Setup::new(SCHEMA).store(|settings| {
        settings.sqlite.inline_budget_us = 1;
        settings.statement_ms_max = 600_000;
        settings.sqlite.readers = 1;
        settings.sqlite.readers_wait_ms_max = 20;
        settings.postgres.connections = 1;
        settings.postgres.connections_wait_ms_max = 20;
    });
    let app = setup.start().await;
    let board = app.seed("boards", [json!({"name": "a"})]).await.remove(0);
    app.seed("notes", (0..1_000).map(|note| json!({"text": format!("note {note}"), "board": board}))).await;
    app
}

fn ask(app: &TestApp, filter: &'static str) -> impl Future<Output = Reply> + Send + 'static {
    let anna = app.user("anna");
    async move { anna.query("/api/boards", &[("filter", filter)]).await }
}

#[tokio::test]
async fn a_read_waits_for_a_thread_only_so_long_and_one_that_nobody_waits_for_ends() {
    let app = slow().await;
    // What every two or three notes have to be asked for: no index and no join helps.
    const MINUTES: &str =
        "notes.exists(a, notes.exists(b, notes.exists(c, size(a.text) + size(b.text) + size(c.text) == 0)))";
    const SOME_MS: &str = "notes.exists(a, notes.exists(b, size(a.text) + size(b.text) == 0))";
    let mut reads = JoinSet::new();
    for _ in 0..3 {
        reads.spawn(ask(&app, MINUTES));
    }
    // One of them runs.
    for _ in 0..2 {
        let reply = reads.join_next().await.expect("three were asked").expect("an answer");
        assert_eq!((reply.status, reply.json()["code"].as_str()), (503, Some("overloaded")));
        assert_eq!(reply.header("retry-after"), "1");
    }
    assert_eq!(ask(&app, SOME_MS).await.status, 503);
    // The client of the third goes away: its thread is free again.
    reads.shutdown().await;
    let free = async { while ask(&app, SOME_MS).await.status == 503 {} };
    tokio::time::timeout(Duration::from_secs(120), free).await.expect("the read goes on without its client");
}

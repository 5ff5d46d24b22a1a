//! A database server that is slow, full or away: what callers are told, and what is left running there.
mod way;

use mainstay_test_db::postgres_only;
use mainstay_testing::{Reply, Setup, TestApp};
use serde_json::{Value as Json, json};

use way::{CANCEL, Way};

const NOTES: &str = r#"type Note @rules(read: "true", write: "true") { text: String! }"#;
/// Nobody else comes to the table.
const LOCK: &str = "LOCK TABLE notes IN ACCESS EXCLUSIVE MODE";

/// A server with one note, whose way to the database is watched.
async fn notes(way: &Way, change: impl FnOnce(&mut mainstay_store::Settings) + Send + 'static) -> (TestApp, String) {
    let lead = way.lead();
    let app = Setup::new(NOTES)
        .store(move |settings| {
            lead(settings);
            change(settings);
        })
        .start()
        .await;
    let id = app.seed("notes", [json!({"text": "a"})]).await.remove(0);
    way.forget();
    (app, format!("/api/notes/{id}"))
}

fn is_told_to_try_again(reply: &Reply, code: &str) {
    assert_eq!((reply.status, reply.code()), (503, code.to_owned()), "{}", reply.text);
    assert!(reply.header("retry-after").parse::<u32>().is_ok(), "{:?}", reply.headers);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_ends_its_statement_at_the_server() {
    postgres_only!("cancels at the server");
    for write in [true, false] {
        // Anew: what is prepared already is not sent again.
        let way = Way::open();
        let (app, note) = notes(&way, |_| ()).await;
        let held = app.database().hold(LOCK);
        let (client, path) = (app.user("anna"), note.clone());
        let asking = tokio::spawn(async move {
            match write {
                true => client.patch(&path, json!({"text": "b"})).await,
                false => client.get(&path).await,
            }
        });
        way.sent(b"notes").await;
        asking.abort();
        way.sent(CANCEL).await;
        drop(held);
        // Behind whatever would still wait for the table.
        app.database().execute("UPDATE notes SET version = version + 1");
        let reply = app.get(&note).await;
        assert_eq!(reply.json()["text"], json!("a"), "{}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_takes_too_long_is_ended() {
    postgres_only!("waits for a lock of another session");
    let way = Way::open();
    let (app, note) = notes(&way, |settings| settings.statement_ms_max = 300).await;
    let held = app.database().hold(LOCK);
    let reply = app.user("anna").patch(&note, json!({"text": "b"})).await;
    assert_eq!((reply.status, reply.code()), (503, "timed_out".to_owned()), "{}", reply.text);
    let reply = app.get(&note).await;
    assert_eq!((reply.status, reply.code()), (503, "timed_out".to_owned()), "{}", reply.text);
    drop(held);
    app.database().execute("UPDATE notes SET version = version + 1");
    assert_eq!(app.get(&note).await.json()["text"], json!("a"));
}

/// Asks something while the only connection waits for a lock; says what the note is afterwards.
async fn while_all_are_taken(
    change: impl FnOnce(&mut mainstay_store::PostgresSettings) + Send + 'static,
    ask: impl AsyncFnOnce(&TestApp, &str),
) -> Json {
    let way = Way::open();
    let few = |settings: &mut mainstay_store::Settings| {
        settings.postgres.connections = 1;
        change(&mut settings.postgres);
    };
    let (app, note) = notes(&way, few).await;
    let held = app.database().hold(LOCK);
    let (client, path) = (app.user("anna"), note.clone());
    let first = tokio::spawn(async move { client.patch(&path, json!({"text": "b"})).await });
    way.sent(b"notes").await;
    ask(&app, &note).await;
    drop(held);
    assert_eq!(first.await.expect("an answer").status, 200);
    app.get(&note).await.json()["text"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_free_connection_callers_are_told_when_to_come_again() {
    postgres_only!("fills its connections");
    let ask = async |app: &TestApp, note: &str| {
        is_told_to_try_again(&app.get(note).await, "overloaded");
        is_told_to_try_again(&app.user("bob").patch(note, json!({"text": "c"})).await, "overloaded");
    };
    assert_eq!(while_all_are_taken(|settings| settings.connections_queue_max = 0, ask).await, json!("b"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_for_a_connection_ends() {
    postgres_only!("fills its connections");
    let ask = async |app: &TestApp, note: &str| is_told_to_try_again(&app.get(note).await, "overloaded");
    assert_eq!(while_all_are_taken(|settings| settings.connections_wait_ms_max = 100, ask).await, json!("b"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_away_everybody_is_told_and_then_all_goes_on() {
    postgres_only!("cuts its connections");
    const ASKED: usize = 200;
    let way = Way::open();
    let (app, note) = notes(&way, |_| ()).await;
    way.shut();
    let before = way.came();
    for _ in 0..ASKED {
        is_told_to_try_again(&app.get(&note).await, "not_ready");
    }
    assert_eq!(app.get("/readyz").await.status, 503);
    assert_eq!(app.get("/healthz").await.status, 200);
    is_told_to_try_again(&app.user("anna").patch(&note, json!({"text": "b"})).await, "not_ready");
    // Not each of them has knocked: there are pauses, and they grow.
    let came = way.came() - before;
    assert!((1..ASKED / 2).contains(&came), "{came}");
    way.open_again();
    while app.get(&note).await.status != 200 {}
    assert_eq!(app.user("anna").patch(&note, json!({"text": "b"})).await.status, 200);
    assert_eq!(app.get("/readyz").await.status, 200);
}

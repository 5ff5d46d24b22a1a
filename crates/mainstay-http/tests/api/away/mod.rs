//! A database server that is slow, full or away: what callers are told, and what is left running there.
mod way;
mod wire;

use std::{sync::Arc, time::Duration};

use mainstay_store::{Member, MemberSettings, Pgbouncer, Store};
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

/// Each write of a note takes a while.
const SLOW: &str = "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$; \
    CREATE TRIGGER slow BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION slowly()";
/// What is sent to explain a statement.
const EXPLAIN: &[u8] = b"PREPARE mainstay_explain";

#[tokio::test]
async fn nobody_waits_for_the_explanation_of_a_slow_write() {
    postgres_only!("explanations of the embedded engine wait for nobody");
    let way = Way::open();
    let slow = |settings: &mut mainstay_store::Settings| {
        settings.slow_ms = 1;
        settings.statement_ms_max = 600_000;
    };
    let (app, note) = notes(&way, slow).await;
    app.database().execute(SLOW);
    way.lose(EXPLAIN);
    for text in ["b", "c", "d"] {
        assert_eq!(app.user("anna").patch(&note, json!({ "text": text })).await.status, 200);
    }
    way.sent(EXPLAIN).await;
    assert_eq!(app.get(&note).await.json()["text"], json!("d"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_is_waited_for_no_longer_than_a_statement_may_take() {
    postgres_only!("hears nothing of its server");
    let way = Way::open();
    let (app, note) = notes(&way, |settings| settings.statement_ms_max = 300).await;
    assert_eq!(app.get("/readyz").await.status, 200);
    way.fall_silent();
    assert_eq!(app.get("/readyz").await.status, 503);
    let reply = app.get(&note).await;
    assert_eq!((reply.status, reply.code()), (503, "timed_out".to_owned()), "{}", reply.text);
    let client = app.user("anna").header("idempotency-key", "k");
    let reply = client.post("/api/notes", json!({"text": "b"})).await;
    assert_eq!((reply.status, reply.code()), (503, "timed_out".to_owned()), "{}", reply.text);
}

fn settings_of_member() -> MemberSettings {
    MemberSettings {
        name: "one".to_owned(),
        version: "1.2.3".to_owned(),
        heartbeat: Duration::from_millis(20),
        gone_after: Duration::from_secs(1),
        kept: Duration::from_secs(60),
        watches_schema: true,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_leaves_a_server_that_does_not_answer() {
    postgres_only!("hears nothing of its server");
    let way = Way::open();
    let (app, _) = notes(&way, |_| ()).await;
    let store: Arc<Store> = app.app().core().store().clone();
    let member = Member::join(store, settings_of_member(), app.schema().clone()).await.expect("it joins");
    way.fall_silent();
    member.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_pgbouncer_nothing_is_prepared_outside_of_a_transaction() {
    postgres_only!("sees what is sent to its server");
    let way = Way::open();
    let pooled = |settings: &mut mainstay_store::Settings| {
        settings.postgres.pgbouncer = Pgbouncer::Transaction;
        settings.slow_ms = 1;
    };
    let (app, note) = notes(&way, pooled).await;
    app.database().execute(SLOW);
    let client = app.user("anna").header("idempotency-key", "k");
    assert_eq!(client.post("/api/notes", json!({"text": "b"})).await.status, 201);
    assert_eq!(app.user("anna").patch(&note, json!({"text": "c"})).await.status, 200);
    assert_eq!(app.get("/api/notes?count=true").await.items().len(), 2);
    // The last that an explanation asks for.
    way.sent(b"pg_index").await;
    let core = app.app().core();
    let store = core.store().clone();
    let asked = tokio::task::spawn_blocking(move || {
        store.prepare_notes().expect("the tables of notes");
        store.noted_sources().expect("sources");
        store.noted_waiting("s", 0, false, 10).expect("what waits");
        store.snapshot().expect("the schema").expect("one that was applied")
    });
    assert_eq!(asked.await.expect("no panic"), app.schema().snapshot());
    assert_eq!(way.prepared_alone(), Vec::<String>::new());
}

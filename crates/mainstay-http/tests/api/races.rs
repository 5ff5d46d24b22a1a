//! Clients that race: what one of them was told holds, whoever else wrote at the same time.
use mainstay_test_db::postgres_only;
use mainstay_testing::{Client, Reply, TestApp};
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use crate::changes::feed;

/// Clients that do the same at once.
const CLIENTS: usize = 16;
/// Buyers of one thing.
const BUYERS: usize = 64;

const SHOP: &str = r#"
type Article @rules(read: "true", write: "true") {
  name: String! @unique
  stock: Int! @check(expr: "stock >= 0")
  note: String
}
"#;

const WARD: &str = r#"
type Ward @rules(read: "true", write: "true") {
  name: String!
  doctors: [Doctor!]! @inverse(field: "ward")
  beds: [Bed!]! @inverse(field: "ward")
}

type Doctor @rules(read: "true", create: "true",
  update: "new.onCall || old.ward.doctors.exists(d, d.onCall && d.name != old.name)") {
  ward: Ward!
  name: String!
  onCall: Boolean!
}

type Bed @rules(read: "true", create: "size(ward.beds) <= 3") {
  ward: Ward!
  number: Int!
}
"#;

/// Sends the same from several clients at once, and gathers how they were answered.
async fn race<F>(clients: usize, send: impl Fn(usize) -> F) -> Vec<Reply>
where
    F: Future<Output = Reply> + Send + 'static,
{
    let mut racing = JoinSet::new();
    for number in 0..clients {
        racing.spawn(send(number));
    }
    racing.join_all().await
}

fn with_status(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

async fn patch(client: Client, path: String, body: Json) -> Reply {
    client.patch(&path, body).await
}

async fn post(client: Client, path: &'static str, body: Json) -> Reply {
    client.post(path, body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_is_lost_behind_if_match() {
    let app = TestApp::with_schema(SHOP).await;
    let id = app.seed("articles", [json!({"name": "a", "stock": 1})]).await.remove(0);
    let replies = race(CLIENTS, |number| {
        let client = app.user("anna").header("if-match", "\"1\"");
        patch(client, format!("/api/articles/{id}"), json!({"note": number.to_string()}))
    });
    let replies = replies.await;
    assert_eq!((with_status(&replies, 200), with_status(&replies, 412)), (1, CLIENTS - 1));
    assert_eq!(app.get(&format!("/api/articles/{id}")).await.json()["version"], json!(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_if_match_each_change_is_done_once_and_counted() {
    let app = TestApp::with_schema(SHOP).await;
    let id = app.seed("articles", [json!({"name": "a", "stock": 0})]).await.remove(0);
    let replies = race(CLIENTS, |number| {
        let body = if number % 2 == 0 { json!({"stock": {"add": 1}}) } else { json!({"note": number.to_string()}) };
        patch(app.user("anna"), format!("/api/articles/{id}"), body)
    });
    assert_eq!(with_status(&replies.await, 200), CLIENTS);
    let now = app.get(&format!("/api/articles/{id}")).await.json();
    assert_eq!((&now["stock"], &now["version"]), (&json!(CLIENTS / 2), &json!(CLIENTS + 1)), "{now}");
    assert!(!now["note"].is_null(), "{now}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_is_sold_than_there_is() {
    let app = TestApp::with_schema(SHOP).await;
    let id = app.seed("articles", [json!({"name": "a", "stock": 10})]).await.remove(0);
    let replies = race(BUYERS, |number| {
        patch(app.user(&format!("buyer{number}")), format!("/api/articles/{id}"), json!({"stock": {"add": -1}}))
    });
    let replies = replies.await;
    assert_eq!((with_status(&replies, 200), with_status(&replies, 422)), (10, BUYERS - 10));
    assert_eq!(app.get(&format!("/api/articles/{id}")).await.json()["stock"], json!(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unique_is_taken_once() {
    let app = TestApp::with_schema(SHOP).await;
    let replies = race(CLIENTS, |_| post(app.user("anna"), "/api/articles", json!({"name": "a", "stock": 1}))).await;
    assert_eq!((with_status(&replies, 201), with_status(&replies, 409)), (1, CLIENTS - 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_reads_other_records_sees_what_they_become() {
    let app = TestApp::with_schema(WARD).await;
    for round in 0..8 {
        let ward = app.seed("wards", [json!({"name": format!("w{round}")})]).await.remove(0);
        let doctor = |number: usize| json!({"ward": ward, "name": format!("d{number}"), "onCall": true});
        let doctors = app.seed("doctors", (0..4).map(doctor)).await;
        let replies = race(4, |number| {
            patch(app.user("anna"), format!("/api/doctors/{}", doctors[number]), json!({"onCall": false}))
        });
        let replies = replies.await;
        assert_eq!((with_status(&replies, 200), with_status(&replies, 403)), (3, 1), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_counts_sees_records_that_appear() {
    let app = TestApp::with_schema(WARD).await;
    for round in 0..8 {
        let ward = app.seed("wards", [json!({"name": format!("w{round}")})]).await.remove(0);
        let replies =
            race(8, |number| post(app.user("anna"), "/api/beds", json!({"ward": ward, "number": number}))).await;
        assert_eq!((with_status(&replies, 201), with_status(&replies, 403)), (3, 5), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_used_once_by_all_that_send_it_together() {
    let app = TestApp::with_schema(SHOP).await;
    let replies = race(CLIENTS, |_| {
        let client = app.user("anna").header("idempotency-key", "k");
        post(client, "/api/articles", json!({"name": "a", "stock": 1}))
    });
    let replies = replies.await;
    assert_eq!(with_status(&replies, 201), CLIENTS, "{}", replies[0].text);
    assert!(replies.iter().all(|reply| reply.text == replies[0].text));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upsert_changes_what_was_made_while_it_looked() {
    postgres_only!("waits for another session's record");
    let app = TestApp::with_schema(SHOP).await;
    let make = "INSERT INTO articles (id, created_at, updated_at, version, name, stock) \
                VALUES (gen_random_uuid(), now(), now(), 1, 'a', 1)";
    let made = app.database().hold(make);
    let upsert = tokio::spawn(post(app.user("anna"), "/api/articles?upsert=name", json!({"name": "a", "stock": 7})));
    // It has found none, and waits for what becomes of the other one.
    let waits =
        "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while app.database().rows(waits).is_empty() {}
    drop(made);
    let reply = upsert.await.expect("an answer");
    assert_eq!((reply.status, &reply.json()["stock"]), (200, &json!(7)), "{}", reply.text);
    assert_eq!(app.get("/api/articles").await.items().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upsert_is_never_told_that_the_record_is_there() {
    let app = TestApp::with_schema(SHOP).await;
    for round in 0..8 {
        let name = format!("a{round}");
        let replies = race(CLIENTS, |number| {
            let path = if number % 2 == 0 { "/api/articles?upsert=name" } else { "/api/articles" };
            post(app.user("anna"), path, json!({"name": name, "stock": number}))
        });
        let replies = replies.await;
        let (made, changed) = (with_status(&replies, 201), with_status(&replies, 200));
        assert_eq!(made, 1, "round {round}");
        assert!((CLIENTS / 2 - 1..=CLIENTS / 2).contains(&changed), "round {round}: {changed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_kept_without_a_wait_for_those_that_are_old() {
    postgres_only!("holds rows of another session");
    let app = TestApp::with_schema(SHOP).await;
    app.database().execute(
        "INSERT INTO mainstay_idempotency (caller, number, key, request, body, time, answer) \
         SELECT 'bert', n, n::text, '', '', n, '' FROM generate_series(1, 20) AS n",
    );
    let held = app.database().hold("SELECT 1 FROM mainstay_idempotency FOR UPDATE");
    let client = app.user("anna").header("idempotency-key", "k");
    let reply = post(client, "/api/articles", json!({"name": "a", "stock": 1})).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    drop(held);
    assert_eq!(app.database().rows("SELECT key FROM mainstay_idempotency WHERE caller <> 'bert'").len(), 1);
}

/// Has no room for the first two articles, as where too many write at once. What a sequence has given, it does not give again.
const IS_FULL: &str = "CREATE SEQUENCE tries; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF \
    nextval('tries') < 3 THEN RAISE 'not enough elements in RWConflictPool' USING ERRCODE = '53200'; END IF; RETURN NEW; END $$; \
    CREATE TRIGGER crowded BEFORE INSERT ON articles FOR EACH ROW EXECUTE FUNCTION refuse()";

#[tokio::test]
async fn a_server_that_is_full_for_a_moment_is_asked_again() {
    postgres_only!("has the server refuse");
    let app = TestApp::with_schema(SHOP).await;
    app.database().execute(IS_FULL);
    let reply = post(app.user("anna"), "/api/articles", json!({"name": "a", "stock": 1})).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    app.database().execute("ALTER SEQUENCE tries INCREMENT -1 MINVALUE -1000 RESTART 0");
    let reply = post(app.user("anna"), "/api/articles", json!({"name": "b", "stock": 1})).await;
    assert_eq!((reply.status, reply.code()), (503, "write_conflict".to_owned()), "{}", reply.text);
}

const SEATS: &str = r#"
type Turn @rules(read: "true", write: "true") { name: String! }
type Seat @rules(read: "true", write: "true") { id: String! }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_taken_again_is_told_behind_its_delete() {
    postgres_only!("waits for another session's lock");
    let app = TestApp::with_schema(SEATS).await;
    let turn = app.seed("turns", [json!({"name": "a"})]).await.remove(0);
    app.seed("seats", [json!({"id": "r"})]).await;
    let held = app.database().hold("SELECT 1 FROM turns FOR UPDATE");
    let ops = json!({"ops": [
        {"op": "create", "in": "turns", "data": {"name": "b"}},
        {"op": "update", "in": "turns", "id": turn, "data": {"name": "c"}},
        {"op": "create", "in": "seats", "data": {"id": "r"}},
    ]});
    let batch = tokio::spawn(post(app.user("anna"), "/api/batch", ops));
    // It has written, so that its place in the feed is given, and waits.
    let waits =
        "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while app.database().rows(waits).is_empty() {}
    assert_eq!(app.user("bert").delete("/api/seats/r").await.status, 204);
    drop(held);
    let reply = batch.await.expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.text);
    let changes = feed(&app, "?collection=seats").await;
    let op = |line: &str| serde_json::from_str::<Json>(line).expect("a change")["op"].as_str().map(str::to_owned);
    let told: Vec<String> = changes.text.lines().filter_map(op).collect();
    assert_eq!(told, ["create", "delete", "create"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_end_lose_nothing_that_was_acknowledged() {
    postgres_only!("ends its connections");
    let app = TestApp::with_schema(SHOP).await;
    let mut acknowledged = 0;
    for round in 0..5 {
        let writes = race(CLIENTS, |number| {
            let body = json!({"name": format!("{round}-{number}"), "stock": 1});
            post(app.user("anna"), "/api/articles", body)
        });
        let ends = async {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
            app.database().execute(end);
        };
        let (replies, ()) = tokio::join!(writes, ends);
        acknowledged += with_status(&replies, 201);
        let others = replies.iter().filter(|reply| reply.status != 201);
        others.for_each(|reply| assert_eq!((reply.status, reply.code()), (503, "not_ready".to_owned())));
    }
    let reply = app.get("/api/articles?count=true&limit=1").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let count = reply.json()["count"].as_u64();
    assert!(count >= u64::try_from(acknowledged).ok(), "{count:?} of {acknowledged}");
    assert!(count <= u64::try_from(5 * CLIENTS).ok());
}

//! `Idempotency-Key`: a write that is done once, however often it is sent.
use std::sync::Arc;

use mainstay_testing::{Client, Reply, Setup, TestApp};
use serde_json::{Value, json};

const NOTES: &str = r#"
type Visit @rules(create: "true") { page: String! }

type Note @rules(read: "owner == auth.id", write: "owner == auth.id") {
  owner: ID! @set(create: "auth.id")
  title: String! @unique
  times: Int! @default(value: 0)
}
"#;

async fn notes() -> TestApp {
    TestApp::with_schema(NOTES).await
}

fn keyed(client: Client, key: &str) -> Client {
    client.header("idempotency-key", key)
}

/// Status, headers that are kept, body.
fn told(reply: &Reply) -> String {
    let headers = ["location", "etag", "content-type", "cache-control", "preference-applied"];
    let headers: Vec<&str> = headers.iter().map(|name| reply.header(name)).collect();
    format!("{} {headers:?} {}", reply.status, reply.text)
}

async fn count(app: &TestApp) -> Value {
    app.admin().get("/api/notes?count=true&limit=1").await.json()["count"].clone()
}

#[tokio::test]
async fn who_is_refused() {
    let app = notes().await;
    let body = json!({"title": "a"});
    assert_eq!(keyed(app.anonymous(), "k").post("/api/notes", body.clone()).await.code(), "unauthenticated");
    let nobody = keyed(app.anonymous(), "k").post("/api/visits", json!({"page": "/"})).await;
    assert_eq!(
        nobody.problem(),
        "401 unauthenticated: an anonymous caller has no idempotency key: it would be everybody's"
    );
    assert_eq!(app.anonymous().post("/api/visits", json!({"page": "/"})).await.status, 201);
    for key in ["", "a b", "\"a", "a\"b", "a\\b"] {
        let refused = keyed(app.user("anna"), key).post("/api/notes", body.clone()).await;
        assert_eq!((refused.status, refused.code()), (400, "invalid_header".into()), "{key:?}");
    }
    let twice = keyed(keyed(app.user("anna"), "a"), "b").post("/api/notes", body.clone()).await;
    assert_eq!(twice.problem(), "400 invalid_header: Idempotency-Key comes twice");
    let long = keyed(app.user("anna"), &"k".repeat(256)).post("/api/notes", body.clone()).await;
    assert_eq!(long.problem(), "400 invalid_header: Idempotency-Key has 256 characters, at most 255 are taken");
    assert_eq!(count(&app).await, 0);
    assert_eq!(keyed(app.user("anna"), &"k".repeat(255)).post("/api/notes", body).await.status, 201);
    let id = app.user("anna").get("/api/notes").await.column("id").remove(0);
    for refused in [
        keyed(app.user("anna"), "k").get("/api/notes").await,
        keyed(app.user("anna"), "k").get(&format!("/api/notes/{id}")).await,
        keyed(app.user("anna"), "k").delete(&format!("/api/notes/{id}")).await,
    ] {
        assert_eq!(
            refused.problem(),
            "400 invalid_header: the header \"idempotency-key\" has no meaning for this call"
        );
    }
}

#[tokio::test]
async fn a_retry_gets_the_same_answer_and_does_nothing() {
    let app = notes().await;
    let anna = keyed(app.user("anna"), "\"first\"");
    let first = anna.post("/api/notes", json!({"title": "a"})).await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(first.header("idempotent-replayed"), "");
    // The record changes, and its title is taken: the answer stays what it was. The quotes of the key do not matter.
    let path = first.header("location").to_owned();
    assert_eq!(app.user("anna").patch(&path, json!({"times": 7})).await.status, 200);
    let again = keyed(app.user("anna"), "first").post("/api/notes", json!({"title": "a"})).await;
    assert_eq!(told(&again), told(&first));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(app.user("anna").delete(&path).await.status, 204);
    assert_eq!(told(&anna.post("/api/notes", json!({"title": "a"})).await), told(&first));
    assert_eq!(count(&app).await, 0);
}

#[tokio::test]
async fn another_body_is_refused_and_changes_nothing() {
    let app = notes().await;
    let anna = keyed(app.user("anna"), "k");
    assert_eq!(anna.post("/api/notes", json!({"title": "a"})).await.status, 201);
    let other = anna.post("/api/notes", json!({"title": "b"})).await;
    assert_eq!(other.problem(), "422 idempotency_mismatch: this idempotency key was used for another content");
    assert_eq!(count(&app).await, 1);
}

#[tokio::test]
async fn a_key_is_of_one_caller_one_method_and_one_address() {
    let app = notes().await;
    let post = |client: Client, path: &'static str, title: &'static str| async move {
        keyed(client, "k").post(path, json!({"title": title})).await
    };
    let first = post(app.user("anna"), "/api/notes", "a").await;
    assert_eq!(first.status, 201);
    assert_eq!(post(app.user("ben"), "/api/notes", "b").await.status, 201);
    // An admin of the same name is somebody else.
    assert_eq!(post(app.admin(), "/api/notes", "c").await.status, 201);
    assert_eq!(post(app.user("admin"), "/api/notes", "d").await.status, 201);
    let path = first.header("location").to_owned();
    let patched = keyed(app.user("anna"), "k").patch(&path, json!({"title": "a"})).await;
    assert_eq!((patched.status, patched.header("etag")), (200, "\"2\""));
    assert_eq!(count(&app).await, 4);
}

/// The query is of what is written: another one under the same key is another write, and refused.
#[tokio::test]
async fn another_query_is_refused_and_changes_nothing() {
    let app = notes().await;
    let anna = keyed(app.user("anna"), "k");
    assert_eq!(anna.post("/api/notes?fields=id", json!({"title": "a"})).await.status, 201);
    assert_eq!(anna.post("/api/notes?fields=id", json!({"title": "a"})).await.header("idempotent-replayed"), "true");
    for other in ["/api/notes", "/api/notes?fields=title", "/api/notes?upsert=title"] {
        let refused = anna.post(other, json!({"title": "a"})).await;
        assert_eq!((refused.status, refused.code()), (422, "idempotency_mismatch".into()), "{other}");
    }
    let notes = json!([{"title": "b"}, {"title": "c"}]);
    assert_eq!(app.user("anna").post("/api/notes", notes).await.status, 201);
    let change = |title: &str| format!("/api/notes?filter=title=='{title}'");
    assert_eq!(anna.patch(&change("b"), json!({"times": 1})).await.to_string(), r#"200 {"matched":1,"changed":1}"#);
    assert_eq!(anna.patch(&change("b"), json!({"times": 1})).await.header("idempotent-replayed"), "true");
    assert_eq!(anna.patch(&change("c"), json!({"times": 1})).await.code(), "idempotency_mismatch");
    assert_eq!(anna.delete(&change("b")).await.status, 200);
    assert_eq!(anna.delete(&change("c")).await.code(), "idempotency_mismatch");
    let left = app.admin().get("/api/notes?fields=title,times&sort=title").await;
    assert_eq!(left.column("title"), ["a", "c"]);
    assert_eq!(left.json()["items"][1]["times"], 0);
}

#[tokio::test]
async fn what_is_refused_is_not_kept() {
    let app = notes().await;
    app.seed("notes", [json!({"title": "taken"})]).await;
    let anna = keyed(app.user("anna"), "k");
    assert_eq!(anna.post("/api/notes", json!({"title": "taken"})).await.status, 409);
    assert_eq!(anna.post("/api/notes", json!({"title": 3})).await.status, 422);
    let created = anna.post("/api/notes", json!({"title": "free"})).await;
    assert_eq!((created.status, created.header("idempotent-replayed")), (201, ""));
}

#[tokio::test]
async fn arrays_silent_answers_and_changes_are_done_once() {
    let app = notes().await;
    let anna = keyed(app.user("anna"), "many");
    let body = json!([{"title": "a"}, {"title": "b"}]);
    let first = anna.post("/api/notes", body.clone()).await;
    assert_eq!(told(&anna.post("/api/notes", body).await), told(&first));
    assert_eq!(first.json().as_array().map(Vec::len), Some(2));
    let empty = keyed(app.user("anna"), "none");
    assert_eq!(empty.post("/api/notes", json!([])).await.to_string(), "201 []");
    assert_eq!(empty.post("/api/notes", json!([])).await.header("idempotent-replayed"), "true");
    assert_eq!(empty.post("/api/notes", json!([{"title": "c"}])).await.code(), "idempotency_mismatch");
    let silent = keyed(app.user("anna"), "silent").header("prefer", "return=minimal");
    let first = silent.post("/api/notes", json!({"title": "d"})).await;
    assert_eq!((first.status, first.text.as_str(), first.header("preference-applied")), (201, "", "return=minimal"));
    assert_eq!(told(&silent.post("/api/notes", json!({"title": "d"})).await), told(&first));
    let path = first.header("location").to_owned();
    let change = keyed(app.user("anna"), "change");
    let changed = change.patch(&path, json!({"times": 1})).await;
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""));
    let again = change.patch(&path, json!({"times": 1})).await;
    assert_eq!((told(&again), again.header("idempotent-replayed")), (told(&changed), "true"));
    assert_eq!(count(&app).await, 3);
}

#[tokio::test]
async fn many_at_once_with_one_key_act_once() {
    let app = Arc::new(notes().await);
    let mut running = Vec::new();
    for at in 0..64 {
        let anna = keyed(app.user("anna"), &format!("k{}", at % 4));
        let body = json!({"title": format!("t{}", at % 4)});
        running.push(tokio::spawn(async move { anna.post("/api/notes", body).await }));
    }
    let mut answers = std::collections::HashMap::<String, usize>::new();
    let mut replayed = 0;
    for reply in running {
        let reply = reply.await.expect("an answer");
        assert_eq!(reply.status, 201, "{}", reply.text);
        replayed += usize::from(reply.header("idempotent-replayed") == "true");
        *answers.entry(told(&reply)).or_default() += 1;
    }
    assert_eq!((answers.len(), replayed), (4, 60));
    assert!(answers.values().all(|times| *times == 16));
    assert_eq!(count(&app).await, 4);
}

#[tokio::test]
async fn keys_of_one_caller_are_not_in_each_others_way() {
    // Nothing is run again: who met another would be told so.
    let app = Arc::new(Setup::new(NOTES).store(|settings| settings.postgres.retries_max = 0).start().await);
    for replayed in ["", "true"] {
        let mut running = Vec::new();
        for at in 0..128 {
            let anna = keyed(app.user("anna"), &format!("k{at}"));
            let body = json!({"title": format!("t{at}")});
            running.push(tokio::spawn(async move { anna.post("/api/notes", body).await }));
        }
        for reply in running {
            let reply = reply.await.expect("an answer");
            assert_eq!((reply.status, reply.header("idempotent-replayed")), (201, replayed), "{}", reply.text);
        }
    }
    assert_eq!(count(&app).await, 128);
}

#[tokio::test]
async fn what_is_known_no_more_is_taken_out() {
    let app = Setup::new(NOTES).limits(|limits| limits.idempotency_keys_max = 2).start().await;
    for at in 0..128 {
        let anna = keyed(app.user("anna"), &format!("k{at}"));
        assert_eq!(anna.post("/api/notes", json!({"title": format!("t{at}")})).await.status, 201);
    }
    // Beside the writes, on PostgreSQL: it comes to that.
    let kept = || app.database().rows("SELECT count(*) FROM mainstay_idempotency")[0][0].clone();
    while kept() != Some("2".to_owned()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_caller_has_so_many_keys() {
    let app = Setup::new(NOTES).limits(|limits| limits.idempotency_keys_max = 2).start().await;
    let post = |key: &'static str| {
        let anna = keyed(app.user("anna"), key);
        async move { anna.post("/api/notes", json!({"title": key})).await }
    };
    for key in ["a", "b", "c"] {
        assert_eq!(post(key).await.status, 201);
    }
    // The third took the first one's place; those of others stay.
    for key in ["c", "b"] {
        assert_eq!(post(key).await.header("idempotent-replayed"), "true", "{key}");
    }
    assert_eq!(post("a").await.code(), "not_unique");
}

#[tokio::test]
async fn keys_are_forgotten() {
    let app = Setup::new(NOTES).limits(|limits| limits.idempotency_ttl_s = 0).start().await;
    let anna = keyed(app.user("anna"), "k");
    let path = anna.post("/api/notes", json!({"title": "a"})).await.header("location").to_owned();
    assert_eq!(app.user("anna").delete(&path).await.status, 204);
    // The key may be used again, also for something else.
    let again = anna.post("/api/notes", json!({"title": "b"})).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, ""));
    assert_eq!(count(&app).await, 1);
}

#[tokio::test]
async fn an_answer_that_is_too_large_to_be_kept_is_refused_before_anything_is_done() {
    let app = Setup::new(NOTES).limits(|limits| limits.idempotency_answer_bytes_max = 1_000).start().await;
    let body = |count: usize| Value::Array((0..count).map(|at| json!({"title": format!("t{at}")})).collect());
    let refused = keyed(app.user("anna"), "k").post("/api/notes", body(20)).await;
    assert_eq!(
        refused.problem(),
        "400 limit_exceeded: the answer has more than the 1000 bytes that are kept for an idempotency key"
    );
    assert_eq!(count(&app).await, 0);
    let silent = keyed(app.user("anna"), "k").header("prefer", "return=minimal").post("/api/notes", body(20)).await;
    assert_eq!((silent.status, count(&app).await), (201, json!(20)));
}

#[tokio::test]
async fn who_may_no_longer_write_still_gets_what_was_answered() {
    let app = TestApp::with_schema(
        r#"type Note @rules(read: "true", create: "'editor' in auth.roles") { title: String! @unique }"#,
    )
    .await;
    let editor = keyed(app.user_with("anna", &["editor"], &[]), "k");
    let first = editor.post("/api/notes", json!({"title": "a"})).await;
    let later = keyed(app.user("anna"), "k").post("/api/notes", json!({"title": "a"})).await;
    assert_eq!(told(&later), told(&first));
    assert_eq!(app.user("anna").post("/api/notes", json!({"title": "b"})).await.status, 403);
}

#[tokio::test]
async fn batches_and_upserts_are_done_once() {
    let app = notes().await;
    let batch = json!({"ops": [
        {"op": "create", "in": "notes", "as": "a", "data": {"title": "a"}},
        {"op": "update", "in": "notes", "id": {"ref": "a"}, "data": {"times": 1}},
    ]});
    let anna = keyed(app.user("anna"), "k");
    let first = anna.post("/api/batch", batch.clone()).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let again = anna.post("/api/batch", batch).await;
    assert_eq!((told(&again), again.header("idempotent-replayed")), (told(&first), "true"));
    let upsert = json!({"title": "u", "times": 3});
    let first = anna.post("/api/notes?upsert=title", upsert.clone()).await;
    let again = anna.post("/api/notes?upsert=title", upsert).await;
    assert_eq!((first.status, told(&again)), (201, told(&first)));
    assert_eq!(app.user("anna").get("/api/notes/by/title/u").await.json()["version"], 1);
    let nobody = keyed(app.anonymous(), "k").post("/api/batch", json!({"ops": []})).await;
    assert_eq!((nobody.status, nobody.code().as_str()), (401, "unauthenticated"));
    let silent = app.user("anna").header("prefer", "return=minimal");
    let silent =
        silent.post("/api/batch", json!({"ops": [{"op": "create", "in": "notes", "data": {"title": "s"}}]})).await;
    assert_eq!((silent.status, silent.text.as_str()), (204, ""));
    assert_eq!(count(&app).await, 3);
}

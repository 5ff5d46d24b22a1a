//! `{"stock": {"add": -1}}`: numbers that are added to in the database.
use std::sync::Arc;

use mainstay_testing::{Setup, TestApp};
use serde_json::{Value, json};

const ITEMS: &str = r#"
type Item @rules(read: "true", create: "true", update: "auth.id == owner && stock < 1000") {
  owner: ID! @default(value: "anna")
  name: String! @unique
  stock: Int! @check(expr: "stock >= 0", message: "none is left", code: "stock")
  sold: Long! @default(value: 0)
  weight: Float
  price: Decimal @decimal(precision: 5, scale: 2)
  limit: Int @check(expr: "limit == null || sold <= limit", message: "more is sold than may be")
  made: Int @immutable
  counted: Int @set(write: "7")
}
"#;

async fn items() -> TestApp {
    let app = TestApp::with_schema(ITEMS).await;
    app.seed("items", [json!({"name": "book", "stock": 50, "weight": 0.5, "price": "10.00", "made": 1})]).await;
    app
}

const BOOK: &str = "/api/items/by/name/book";

async fn refused(app: &TestApp, patch: Value) -> String {
    let before = app.get(BOOK).await.text;
    let reply = app.user("anna").patch(BOOK, patch).await;
    assert_eq!(app.get(BOOK).await.text, before, "nothing changed");
    reply.problem()
}

#[tokio::test]
async fn who_is_refused() {
    let app = items().await;
    let add = json!({"stock": {"add": 1}});
    assert_eq!(app.anonymous().patch(BOOK, add.clone()).await.status, 401);
    assert_eq!(app.user("ben").patch(BOOK, add).await.status, 403);
    // The rule holds of the record as it becomes, too.
    let too_many = refused(&app, json!({"stock": {"add": 950}})).await;
    assert_eq!(too_many, "403 forbidden: the rule \"update\" of \"Item\" refuses");
    for (patch, problem) in [
        (json!({"made": {"add": 1}}), "/made immutable: \"made\" never changes after the create"),
        (json!({"counted": {"add": 1}}), "/counted read_only: \"counted\" is written by the server"),
        (json!({"version": {"add": 1}}), "/version read_only: \"version\" is written by the server"),
        (json!({"name": {"add": "x"}}), "/name wrong_type: expected a text, got an object"),
    ] {
        let refused = refused(&app, patch.clone()).await;
        assert_eq!(refused, format!("422 invalid_record: this is no valid \"Item\"\n{problem}"), "{patch}");
    }
}

#[tokio::test]
async fn what_cannot_be_added_is_refused_by_its_field() {
    let app = items().await;
    app.user("anna").patch(BOOK, json!({"sold": "9223372036854775800", "weight": 1.7e308})).await;
    for (patch, problem) in [
        (json!({"stock": {"add": -51}}), "/stock stock: none is left"),
        (json!({"stock": {"add": 2_147_483_647}}), "/stock overflow: \"stock\" would go out of its range"),
        (json!({"sold": {"add": "8"}}), "/sold overflow: \"sold\" would go out of its range"),
        (json!({"weight": {"add": 1.7e308}}), "/weight overflow: \"weight\" would go out of its range"),
        (json!({"price": {"add": "990.00"}}), "/price overflow: \"price\" would go out of its range"),
        (json!({"limit": {"add": 1}}), "/limit null: \"limit\" is null: nothing can be added to it"),
        (json!({"stock": {"add": null}}), "/stock required: null cannot be added"),
        (json!({"stock": {}}), "/stock wrong_type: expected one member, \"add\""),
        (json!({"stock": {"add": 1, "sub": 1}}), "/stock wrong_type: expected one member, \"add\""),
        (json!({"stock": {"sub": 1}}), "/stock wrong_type: no member \"sub\": a number takes \"add\""),
    ] {
        let refused = refused(&app, patch.clone()).await;
        assert_eq!(refused, format!("422 invalid_record: this is no valid \"Item\"\n{problem}"), "{patch}");
    }
    for patch in [json!({"stock": {"add": 1.5}}), json!({"stock": {"add": "1"}}), json!({"price": {"add": "0.001"}})] {
        let refused = refused(&app, patch.clone()).await;
        assert!(refused.starts_with("422 invalid_record"), "{patch}: {refused}");
    }
    let created = app.user("anna").post("/api/items", json!({"name": "new", "stock": {"add": 1}})).await;
    assert_eq!(
        created.problem(),
        "422 invalid_record: this is no valid \"Item\"\n/stock wrong_type: only a change of a record adds to a number"
    );
}

/// A sum is asked the rule that reads the field, too: the one that refuses is named, in development with its clauses.
#[tokio::test]
async fn it_is_refused_by_the_rule_that_refuses() {
    const PARTS: &str = r#"type Part @rules(read: "true", write: "auth != null") {
      owner: ID!
      n: Int! @rules(read: "owner == auth.id", write: "owner != ''")
      m: Int! @rules(read: "owner != ''", write: "owner == auth.id")
    }"#;
    for setup in [Setup::new(PARTS), Setup::new(PARTS).explained()] {
        let app = setup.start().await;
        let id = app.seed("parts", [json!({"owner": "anna", "n": 1, "m": 1})]).await.remove(0);
        let path = format!("/api/parts/{id}");
        for (field, rule) in [("n", "read"), ("m", "write")] {
            let reply = app.user("bob").patch(&path, json!({field: {"add": 1}})).await;
            let problem = reply.json();
            assert_eq!(
                (reply.status, &problem["rule"]),
                (403, &json!(format!("Part.{field}.{rule}"))),
                "{}",
                reply.text
            );
            assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"));
            let hint = problem["hint"].as_str().unwrap_or_default();
            let told = format!("Part.{field}.{rule}: `owner == auth.id` is false");
            assert!(hint == "the rule stands in the schema" || hint.starts_with(&told), "{hint}");
        }
    }
}

#[tokio::test]
async fn numbers_of_every_kind_are_added_to() {
    let app = items().await;
    let all = json!({"stock": {"add": -1}, "sold": {"add": "3000000000"}, "weight": {"add": 0.25}, "price": {"add": "-0.01"}});
    let patched = app.user("anna").patch(&format!("{BOOK}?fields=stock,sold,weight,price,version"), all).await;
    assert_eq!(patched.text, r#"{"stock":49,"sold":"3000000000","weight":0.75,"price":"9.99","version":2}"#);
    // One field added to, another set; nothing added counts too.
    let patched = app.user("anna").patch(BOOK, json!({"stock": {"add": 0}, "limit": null})).await.json();
    assert_eq!((&patched["stock"], &patched["version"]), (&json!(49), &json!(3)));
    // A check that reads both sees the outcome.
    assert_eq!(app.user("anna").patch(BOOK, json!({"sold": "5", "limit": 6})).await.status, 200);
    assert_eq!(app.user("anna").patch(BOOK, json!({"sold": {"add": 1}})).await.status, 200);
    assert!(refused(&app, json!({"sold": {"add": 1}})).await.contains("more is sold than may be"));
    // Only where the version is the one that was read.
    let stale = app.user("anna").header("if-match", "\"1\"").patch(BOOK, json!({"sold": {"add": -1}})).await;
    assert_eq!(stale.code(), "version_mismatch");
}

#[tokio::test]
async fn in_batches_and_upserts_too() {
    let app = items().await;
    let sell = json!({"op": "update", "in": "items", "by": {"name": "book"}, "data": {"stock": {"add": -20}, "sold": {"add": 20}}});
    let twice = app.user("anna").post("/api/batch", json!({"ops": [sell, sell]})).await;
    assert_eq!(twice.status, 200, "{}", twice.text);
    let thrice = app.user("anna").post("/api/batch", json!({"ops": [sell]})).await;
    assert_eq!(
        thrice.problem(),
        "422 invalid_record: this is no valid \"Item\"\n/ops/0/data/stock stock: none is left"
    );
    let upsert = json!({"name": "book", "stock": {"add": 5}});
    assert_eq!(app.user("anna").post("/api/items?upsert=name", upsert).await.json()["stock"], 15);
    let upsert = json!({"name": "other", "stock": {"add": 5}});
    let refused = app.user("anna").post("/api/items?upsert=name", upsert).await;
    assert!(refused.problem().contains("only a change of a record adds to a number"), "{}", refused.text);
}

#[tokio::test]
async fn of_sixty_four_buyers_fifty_get_one() {
    let app = Arc::new(items().await);
    let buy = |_| {
        let anna = app.user("anna");
        tokio::spawn(async move { anna.patch(BOOK, json!({"stock": {"add": -1}, "sold": {"add": "1"}})).await })
    };
    let mut statuses = Vec::new();
    for buyer in (0..64).map(buy).collect::<Vec<_>>() {
        statuses.push(buyer.await.expect("an answer").status);
    }
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(200), count(422)), (50, 14));
    let book = app.get(BOOK).await.json();
    assert_eq!((&book["stock"], &book["sold"], &book["version"]), (&json!(0), &json!("50"), &json!(51)));
}

//! `POST /api/{path}?upsert=slug`: creates the record with these values, or changes the one that is there.
use insta::assert_snapshot;
use mainstay_testing::TestApp;
use serde_json::{Value as Json, json};

use crate::{SKILLS, skills, told};

const NOTES: &str = r#"
type Note
  @rules(read: "owner == auth.id || shared", create: "title != 'forbidden'", update: "owner == auth.id", delete: "owner == auth.id")
  @unique(fields: ["kind", "number"])
{
  slug: String @unique
  kind: String number: Int
  owner: ID! @set(create: "auth.id")
  changedBy: ID @set(update: "auth.id")
  shared: Boolean! @default(value: false)
  title: String! @check(expr: "size(title) <= 10", message: "short")
  born: String @immutable
}
"#;

fn note(slug: &str, title: &str) -> Json {
    json!({"slug": slug, "title": title})
}

#[tokio::test]
async fn who_is_refused() {
    let app = skills().await;
    let body = json!({"slug": "rust", "name": "x"});
    assert_eq!(app.anonymous().post("/api/skills?upsert=slug", body.clone()).await.code(), "unauthenticated");
    let anna = app.user("anna").post("/api/skills?upsert=slug", body).await;
    assert_eq!((anna.code(), anna.json()["rule"].clone()), ("forbidden".into(), json!("Skill.create")));
    for (upsert, detail) in [
        ("name", "upsert: \"name\" is no unique of \"Skill\""),
        ("slg", "upsert: no field \"slg\" in \"Skill\""),
        ("", "upsert: no field \"\" in \"Skill\""),
        ("slug,name", "upsert: \"slug,name\" is no unique of \"Skill\""),
    ] {
        let refused = app.admin().post(&format!("/api/skills?upsert={upsert}"), json!({})).await;
        assert_eq!((refused.status, refused.json()["detail"].clone()), (400, json!(detail)));
    }
}

/// A record that is hidden is met as a create meets it: another one has the value, and nothing more is said.
#[tokio::test]
async fn a_hidden_record_is_a_conflict() {
    let app = TestApp::with_schema(NOTES).await;
    app.user("anna").post("/api/notes", note("a", "mine")).await;
    let bob = app.user("bob");
    let conflict = bob.post("/api/notes", note("a", "his")).await;
    let upsert = bob.post("/api/notes?upsert=slug", note("a", "his")).await;
    assert_eq!(upsert.status, 409);
    assert_eq!(told(&conflict), told(&upsert));
    // One that may be read, but not changed, is refused by the rule's name.
    app.user("anna").patch("/api/notes/by/slug/a", json!({"shared": true})).await;
    let refused = bob.post("/api/notes?upsert=slug", note("a", "his")).await;
    assert_eq!((refused.status, refused.json()["rule"].clone()), (403, json!("Note.update")));
    assert_eq!(bob.get("/api/notes/by/slug/a").await.json()["title"], "mine");
    let refused = bob.post("/api/notes?upsert=slug", note("b", "forbidden")).await;
    assert_eq!((refused.status, refused.json()["rule"].clone()), (403, json!("Note.create")));
}

/// Who may not create learns nothing of hidden records from an upsert that they could not learn from a create.
#[tokio::test]
async fn an_upsert_tells_no_more_than_a_create() {
    const SCHEMA: &str = r#"
type Account @rules(read: "owner == auth.id", create: "'clerk' in auth.roles", update: "owner == auth.id && plan != 'closed'") {
  email: String! @unique
  owner: ID!
  plan: String! @immutable
}
"#;
    let app = TestApp::with_schema(SCHEMA).await;
    app.seed(
        "accounts",
        [
            json!({"email": "anna@x", "owner": "anna", "plan": "a"}),
            json!({"email": "bob@x", "owner": "bob", "plan": "b"}),
        ],
    )
    .await;
    let bob = app.user("bob");
    let clerk = app.user_with("carl", &["clerk"], &[]);
    let body = |email: &str| json!({"email": email, "owner": "bob"});
    for extra in
        [json!({}), json!({"plan": "x"}), json!({"plan": 7}), json!({"id": "01890000-0000-7000-8000-000000000000"})]
    {
        let ask = async |client: &mainstay_testing::Client, email: &str| {
            let mut body = body(email);
            body.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
            told(&client.post("/api/accounts?upsert=email", body).await)
        };
        assert_eq!(ask(&bob, "anna@x").await, ask(&bob, "nobody@x").await, "{extra}");
        let plain =
            app.user("bob").post("/api/accounts", json!({"email": "anna@x", "owner": "bob", "plan": "x"})).await;
        assert_eq!(plain.status, 403);
        let clerks = ask(&clerk, "anna@x").await["status"].clone();
        let complete = extra.get("plan").is_some_and(Json::is_string);
        assert_eq!(clerks, json!(if complete { 409 } else { 422 }), "{extra}");
    }
    // Of one that may be read, the rule or the field that refuses is told.
    let mine = bob.post("/api/accounts?upsert=email", json!({"email": "bob@x", "plan": "x", "owner": "bob"})).await;
    assert_eq!((mine.status, mine.json()["errors"][0]["code"].clone()), (422, json!("immutable")));
}

/// Nobody finds a record by what they may not read, in a batch either.
#[tokio::test]
async fn a_field_that_may_not_be_read_finds_nothing() {
    const SCHEMA: &str = r#"
type Account @rules(read: "true", write: "true") {
  email: String! @unique @rules(read: "'clerk' in auth.roles")
  plan: String!
}
"#;
    let app = TestApp::with_schema(SCHEMA).await;
    let (bob, clerk) = (app.user("bob"), app.user_with("carl", &["clerk"], &[]));
    let data = json!({"email": "a@x", "plan": "a"});
    let batch = json!({"ops": [{"op": "upsert", "in": "accounts", "by": "email", "data": data}]});
    for (at, body) in [("/api/accounts?upsert=email", &data), ("/api/batch", &batch)] {
        let refused = bob.post(at, body.clone()).await;
        assert_eq!((refused.status, &refused.json()["rule"]), (403, &json!("Account.email.read")), "{}", refused.text);
        assert!(clerk.post(at, body.clone()).await.status < 300, "{at}");
    }
}

#[tokio::test]
async fn created_then_changed() {
    let app = TestApp::with_schema(NOTES).await;
    let anna = app.user("anna");
    let at = "/api/notes?upsert=slug&fields=slug,title,owner,changedBy,born,version";
    let created = anna.post(at, json!({"slug": "a", "title": "one", "born": "then"})).await;
    assert_snapshot!(created, @r#"201 {"slug":"a","title":"one","owner":"anna","changedBy":null,"born":"then","version":1}"#);
    assert!(created.header("location").starts_with("/api/notes/"));
    assert_eq!(created.header("etag"), "\"1\"");
    let changed = anna.post(at, note("a", "two")).await;
    assert_snapshot!(changed, @r#"200 {"slug":"a","title":"two","owner":"anna","changedBy":"anna","born":"then","version":2}"#);
    assert_eq!(changed.header("etag"), "\"2\"");
    // What never changes is refused as in any change; where the record is new, it may be sent.
    let refused = anna.post(at, json!({"slug": "a", "title": "two", "born": "now"})).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["code"].clone()), (422, json!("immutable")));
    // A required field may be missing where the record is there.
    let partly = anna.post(at, json!({"slug": "a"})).await;
    assert_eq!((partly.status, partly.json()["title"].clone()), (200, json!("two")), "{}", partly.text);
    let refused = anna.post(at, json!({"slug": "b"})).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["pointer"].clone()), (422, json!("/title")));
}

#[tokio::test]
async fn what_is_wrong_either_way() {
    let app = TestApp::with_schema(NOTES).await;
    let anna = app.user("anna");
    for (body, pointer) in [
        (json!({"title": "x"}), "/slug"),
        (json!({"slug": null, "title": "x"}), "/slug"),
        (json!({"slug": 7, "title": "x"}), "/slug"),
        (json!({"slug": "a", "title": "far too long a title"}), "/title"),
        (json!({"slug": "a", "owner": "bob"}), "/owner"),
        (json!({"slug": "a", "nothing": 1}), "/nothing"),
    ] {
        let refused = anna.post("/api/notes?upsert=slug", body.clone()).await;
        assert_eq!(
            (refused.status, refused.json()["errors"][0]["pointer"].clone()),
            (422, json!(pointer)),
            "{body} {}",
            refused.text
        );
        assert_eq!(refused.json()["errors"].as_array().expect("errors").len(), 1, "{body} {}", refused.text);
    }
    assert_eq!(app.admin().get("/api/notes").await.items().len(), 0);
}

#[tokio::test]
async fn several_fields_one_of_them_the_servers() {
    let app = skills().await;
    let anna = app.user("anna");
    let progress = |percent: i32| json!({"skill": {"by": {"slug": "rust"}}, "percent": percent});
    let at = "/api/progress?upsert=skill,owner&fields=owner,skill(slug),percent,version";
    assert_snapshot!(anna.post(at, progress(10)).await, @r#"201 {"owner":"anna","skill":{"slug":"rust"},"percent":10,"version":1}"#);
    assert_snapshot!(anna.post(at, progress(20)).await, @r#"200 {"owner":"anna","skill":{"slug":"rust"},"percent":20,"version":2}"#);
    assert_eq!(app.user("bob").post(at, progress(30)).await.status, 201);
    let hidden = app.user("bob").post(at, json!({"skill": {"by": {"slug": "drafts"}}, "percent": 1})).await;
    assert_eq!((hidden.status, hidden.json()["errors"][0]["pointer"].clone()), (422, json!("/skill/by")));
}

#[tokio::test]
async fn arrays_are_all_or_nothing() {
    let app = TestApp::with_schema(NOTES).await;
    let anna = app.user("anna");
    anna.post("/api/notes", note("a", "one")).await;
    let mixed = anna
        .post(
            "/api/notes?upsert=slug&fields=slug,title,version",
            json!([note("a", "two"), note("b", "new"), note("b", "newer")]),
        )
        .await;
    assert_snapshot!(mixed, @r#"201 [{"slug":"a","title":"two","version":2},{"slug":"b","title":"new","version":1},{"slug":"b","title":"newer","version":2}]"#);
    let changed = anna.post("/api/notes?upsert=slug&fields=slug", json!([note("a", "x"), note("b", "y")])).await;
    assert_eq!(changed.status, 200);
    app.user("bob").post("/api/notes", note("c", "his")).await;
    let refused = anna.post("/api/notes?upsert=slug", json!([note("a", "z"), note("c", "mine")])).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["pointer"].clone()), (409, json!("/1/slug")));
    assert_eq!(anna.get("/api/notes/by/slug/a").await.json()["title"], "x");
}

/// What is wrong with a field whose name begins with the unique's name is not about the unique.
#[tokio::test]
async fn a_field_with_a_longer_name_is_another_one() {
    const SCHEMA: &str = r#"
type Page @rules(read: "true", write: "true") { slug: String! @unique slugLong: String! views: Int }
"#;
    let app = TestApp::with_schema(SCHEMA).await;
    let caller = app.anonymous();
    let fields = "/api/pages?upsert=slug&fields=slug,slugLong,views";
    assert_eq!(caller.post(fields, json!({"slug": "a", "slugLong": "aa"})).await.status, 201);
    let changed = caller.post(fields, json!({"slug": "a", "views": 1})).await;
    assert_snapshot!(changed, @r#"200 {"slug":"a","slugLong":"aa","views":1}"#);
    let missing = caller.post(fields, json!({"slug": "b", "views": 1})).await;
    assert_eq!((missing.status, missing.json()["errors"][0]["pointer"].clone()), (422, json!("/slugLong")));
}

#[tokio::test]
async fn another_unique_is_a_conflict() {
    let app = TestApp::with_schema(NOTES).await;
    let anna = app.user("anna");
    anna.post("/api/notes", json!({"slug": "a", "kind": "k", "number": 1, "title": "a"})).await;
    let refused =
        anna.post("/api/notes?upsert=slug", json!({"slug": "b", "kind": "k", "number": 1, "title": "b"})).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["pointer"].clone()), (409, json!("/kind")));
    let found =
        anna.post("/api/notes?upsert=number,kind", json!({"slug": "b", "kind": "k", "number": 1, "title": "b"})).await;
    assert_eq!((found.status, found.json()["slug"].clone()), (200, json!("b")));
}

/// 64 callers at once: one record, nobody refused, no change lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once() {
    let app = TestApp::with_schema(SKILLS).await;
    app.seed("categories", [json!({"slug": "core", "name": "Core"})]).await;
    let mut running = tokio::task::JoinSet::new();
    for at in 0..64 {
        let client = app.admin();
        running.spawn(async move {
            let body = json!({"slug": "rust", "name": format!("Rust {at}"), "category": {"by": {"slug": "core"}}, "technologies": []});
            client.post("/api/skills?upsert=slug", body).await.status
        });
    }
    let mut statuses = running.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 63, "{statuses:?}");
    let rust = app.get("/api/skills").await.items();
    assert_eq!((rust.len(), rust[0]["version"].clone()), (1, json!(64)));
}

/// A list may be sent as a change, whether the record is there or not: a new one has no links yet.
#[tokio::test]
async fn lists_are_changed_either_way() {
    const SCHEMA: &str = r#"
type Room @rules(read: "true", write: "true") {
  code: String! @unique
  near: [Room!]! @many @rules(add: "item.code != 'x'", remove: "item.code != 'b'")
}
"#;
    let app = TestApp::with_schema(SCHEMA).await;
    app.seed("rooms", [json!({"code": "a"}), json!({"code": "b"}), json!({"code": "x"})]).await;
    let caller = app.anonymous();
    let by = |code: &str| json!({"by": {"code": code}});
    let at = "/api/rooms?upsert=code&fields=code,near(code;sort:code),version";
    let body = json!({"code": "c", "near": {"add": [by("a"), by("b")], "remove": [by("a"), by("nothing")]}});
    assert_snapshot!(caller.post(at, body.clone()).await, @r#"201 {"code":"c","near":[{"code":"b"}],"version":1}"#);
    assert_snapshot!(caller.post(at, body).await, @r#"200 {"code":"c","near":[{"code":"b"}],"version":2}"#);
    for near in [json!({"add": [by("x")]}), json!({"remove": [by("b")], "add": [by("x")]})] {
        let refused = caller.post(at, json!({"code": "d", "near": near})).await;
        assert_eq!((refused.status, refused.json()["rule"].clone()), (401, json!("Room.near.add")), "{}", refused.text);
    }
    assert_eq!(caller.post(at, json!({"code": "d", "near": {"remove": [by("b")]}})).await.status, 201);
    for (near, pointer) in [
        (json!({"add": [by("nothing")]}), "/near/add/0/by"),
        (json!({"add": "x"}), "/near"),
        (json!({"ad": []}), "/near"),
        (json!({"add": [{"code": "new"}]}), "/near/add/0"),
    ] {
        let refused = caller.post(at, json!({"code": "e", "near": near})).await;
        assert_eq!(
            (refused.status, refused.json()["errors"][0]["pointer"].clone()),
            (422, json!(pointer)),
            "{}",
            refused.text
        );
    }
    let batch = json!({"ops": [
        {"op": "create", "in": "rooms", "as": "f", "data": {"code": "f"}},
        {"op": "upsert", "in": "rooms", "by": "code", "data": {"code": "g", "near": {"add": [{"ref": "f"}, by("a")]}}, "fields": "near(code;sort:code)"},
        {"op": "upsert", "in": "rooms", "by": "code", "data": {"code": "g", "near": {"remove": [{"ref": "f"}]}}, "fields": "near(code)"},
    ]});
    let done = caller.post("/api/batch", batch).await;
    assert_eq!(done.json()["results"][1], json!({"near": [{"code": "a"}, {"code": "f"}]}), "{}", done.text);
    assert_eq!(done.json()["results"][2], json!({"near": [{"code": "a"}]}));
    // A create makes a new record, and takes a list.
    let refused = caller.post("/api/rooms", json!({"code": "h", "near": {"add": []}})).await;
    assert_eq!(refused.json()["errors"][0]["hint"], "a new record has no links yet: send the whole list");
}

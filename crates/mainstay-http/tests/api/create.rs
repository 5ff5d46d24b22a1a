//! `POST /api/{path}`: one record or several, checked whole.
use insta::assert_snapshot;
use mainstay_testing::{Setup, TestApp};
use serde_json::{Value as Json, json};

use crate::{SKILLS, seed_skills, skills};

const TYPES: &str = r#"
enum Color { RED GREEN }
type Point @embedded { x: Float! y: Float! label: String }
type All @rules(read: "true") {
  string: String int: Int float: Float boolean: Boolean id2: ID long: Long
  decimal: Decimal @decimal(precision: 6, scale: 2)
  date: Date time: Time dateTime: DateTime uuid: UUID email: Email url: URL json: JSON bytes: Bytes
  color: Color point: Point points: [Point!] strings: [String!] ints: [Int!] colors: [Color!]
}
"#;

#[tokio::test]
async fn who_is_refused() {
    let app = skills().await;
    assert_eq!(app.anonymous().post("/api/skills", json!({})).await.code(), "unauthenticated");
    assert_eq!(app.user("anna").post("/api/skills", json!({})).await.code(), "forbidden");
    // A body that is no JSON is the same for everybody; whoever may not create learns nothing from its fields.
    assert_eq!(app.anonymous().bytes("POST", "/api/skills", "application/json", b"{".to_vec()).await.status, 400);
}

#[tokio::test]
async fn one_record() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let editor = app.user_with("eva", &["editor"], &[]);
    let body =
        json!({"slug": "sql", "name": "SQL", "category": ids[0], "technologies": ["sqlite"], "requires": [ids[2]]});
    let created = editor.post("/api/skills", body).await;
    assert_snapshot!(created, @r#"201 {"id":"[id]","slug":"sql","name":"SQL","published":true,"level":null,"category":"[id]","monthsMin":null,"monthsMax":null,"technologies":["sqlite"],"createdAt":"[time]","updatedAt":"[time]","version":1}"#);
    assert_eq!(created.header("location"), format!("/api/skills/{}", created.id()));
    assert_eq!(created.header("etag"), "\"1\"");
    assert_eq!(created.header("cache-control"), "no-store");
    assert_eq!(app.get(created.header("location")).await.text, created.text);
    let linked = app.get(&format!("/api/skills/{}?fields=requires(slug)", created.id())).await;
    assert_eq!(linked.json(), json!({"requires": [{"slug": "logic"}]}));
}

#[tokio::test]
async fn the_answer_is_what_was_asked_for() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let body = json!({"slug": "sql", "name": "SQL", "category": ids[0], "technologies": []});
    let created = app.admin().post("/api/skills?fields=slug,category(slug)", body).await;
    assert_snapshot!(created, @r#"201 {"slug":"sql","category":{"slug":"core"}}"#);
}

#[tokio::test]
async fn a_record_that_may_be_written_but_not_read_answers_its_id() {
    let schema = r#"type Report @rules(read: "'staff' in auth.roles", create: "true") { text: String! }"#;
    let app = TestApp::with_schema(schema).await;
    let created = app.anonymous().post("/api/reports", json!({"text": "it broke"})).await;
    assert_snapshot!(created, @r#"201 {"id":"[id]"}"#);
    let many = app.user("anna").post("/api/reports", json!([{"text": "a"}, {"text": "b"}])).await;
    assert_snapshot!(many, @r#"201 [{"id":"[id]"},{"id":"[id]"}]"#);
}

#[tokio::test]
async fn several_records_all_or_nothing() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let skill = |slug: &str| json!({"slug": slug, "name": slug, "category": ids[0], "technologies": []});
    let good = app.admin().post("/api/skills?fields=slug", json!([skill("a"), skill("b")])).await;
    assert_snapshot!(good, @r#"201 [{"slug":"a"},{"slug":"b"}]"#);
    assert_eq!(good.header("location"), "");
    let bad = app.admin().post("/api/skills", json!([skill("c"), skill("D"), {"slug": "e"}])).await;
    assert_snapshot!(bad.problem(), @r#"
        422 invalid_record: this is no valid "Skill"
        /1/slug check: small letters, digits and dashes
        /2/name required: "name" is required
        /2/category required: "category" is required
        /2/technologies required: "technologies" is required
        "#);
    let conflict = app.admin().post("/api/skills", json!([skill("c"), skill("a")])).await;
    assert_snapshot!(conflict.problem(), @r#"
        409 not_unique: another "Skill" has the same "slug"
        /1/slug unique: another "Skill" has the same "slug"
        "#);
    let twice = app.admin().post("/api/skills", json!([skill("c"), skill("c")])).await;
    assert_snapshot!(twice.problem(), @r#"
        409 not_unique: another "Skill" has the same "slug"
        /1/slug unique: another "Skill" has the same "slug"
        "#);
    assert_eq!(app.get("/api/skills/by/slug/c").await.status, 404);
    let empty = app.admin().post("/api/skills", json!([])).await;
    assert_eq!((empty.status, empty.text.as_str()), (201, "[]"));
}

#[tokio::test]
async fn a_batch_is_bounded() {
    let app = Setup::new("type Note { text: String! }").limits(|limits| limits.batch_max = 3).start().await;
    let notes = |count: usize| Json::Array(vec![json!({"text": "x"}); count]);
    assert_eq!(app.admin().post("/api/notes", notes(3)).await.status, 201);
    assert_snapshot!(app.admin().post("/api/notes", notes(4)).await.problem(), @"400 limit_exceeded: 4 records are more than the 3 of one request");
}

#[tokio::test]
async fn wrong_fields_come_all_at_once() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let post = async |body: Json| app.admin().post("/api/skills", body).await.problem();
    assert_snapshot!(post(json!({})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /slug required: "slug" is required
        /name required: "name" is required
        /category required: "category" is required
        /technologies required: "technologies" is required
        "#);
    assert_snapshot!(post(json!({"slug": "Bad Slug", "nam": "x", "name": 3, "category": "x", "technologies": ["a", 1, null], "version": 7})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /nam unknown_field: no field named "nam" in "Skill"
        /name wrong_type: expected a text, got a number
        /category invalid_value: "x" is no UUID: expected a form like 019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f
        /technologies/1 wrong_type: expected a text, got a number
        /technologies/2 wrong_type: an element of a list is never null
        /version read_only: "version" is written by the server
        "#);
    let whole = json!({"slug": "x", "name": "x".repeat(81), "category": ids[0], "technologies": [], "monthsMin": 5, "monthsMax": 3});
    assert_snapshot!(post(whole).await, @r#"
        422 invalid_record: this is no valid "Skill"
         check: the longest time is below the shortest
        /name check: at most 80 characters
        "#);
    assert_snapshot!(post(json!("x")).await, @"400 invalid_body: expected an object or an array of objects, found a text");
    assert_snapshot!(post(json!([1])).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /0 wrong_type: expected an object, got a number
        "#);
}

#[tokio::test]
async fn a_taken_unique_is_a_conflict() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let body = json!({"slug": "rust", "name": "Rust", "category": ids[0], "technologies": []});
    assert_snapshot!(app.admin().post("/api/skills", body).await, @r#"409 {"type":"/docs/errors#not_unique","title":"not unique","status":409,"code":"not_unique","detail":"another \"Skill\" has the same \"slug\"","hint":"change the fields that errors names, or change the other record","errors":[{"pointer":"/slug","code":"unique","detail":"another \"Skill\" has the same \"slug\""}],"requestId":"[request]"}"#);
    let anna = app.user("anna");
    assert_eq!(anna.post("/api/progress", json!({"skill": ids[3], "percent": 1})).await.status, 201);
    assert_snapshot!(anna.post("/api/progress", json!({"skill": ids[3], "percent": 2})).await, @r#"409 {"type":"/docs/errors#not_unique","title":"not unique","status":409,"code":"not_unique","detail":"another \"Progress\" has the same \"owner\", \"skill\"","hint":"change the fields that errors names, or change the other record","errors":[{"pointer":"/owner","code":"unique","detail":"another \"Progress\" has the same \"owner\", \"skill\""},{"pointer":"/skill","code":"unique","detail":"another \"Progress\" has the same \"owner\", \"skill\""}],"requestId":"[request]"}"#);
    let id = json!({"id": ids[3], "slug": "other", "name": "x", "category": ids[0], "technologies": []});
    assert_snapshot!(app.admin().post("/api/skills", id).await.problem(), @r#"
        409 not_unique: another "Skill" has the same "id"
        /id unique: another "Skill" has the same "id"
        "#);
}

#[tokio::test]
async fn an_id_may_be_chosen() {
    let app = TestApp::with_schema("type Note @rules(read: \"true\") { text: String! }").await;
    let id = "5f0c2f0e-7c5e-4b5e-9d3c-0f7a3f1f2b11";
    assert_eq!(app.admin().post("/api/notes", json!({"id": id, "text": "x"})).await.id(), id);
    assert_eq!(app.get(&format!("/api/notes/{id}")).await.json()["text"], "x");
    assert_eq!(app.admin().post("/api/notes", json!({"id": "x", "text": "x"})).await.status, 422);
    assert_eq!(app.admin().post("/api/notes", json!({"id": null, "text": "x"})).await.status, 422);
}

#[tokio::test]
async fn what_the_server_writes_may_not_be_sent() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let anna = app.user("anna");
    let body = json!({"skill": ids[3], "percent": 1, "owner": "bert"});
    assert_snapshot!(anna.post("/api/progress", body).await.problem(), @r#"
        422 invalid_record: this is no valid "Progress"
        /owner read_only: "owner" is written by the server
        "#);
    let body = json!({"skill": ids[3], "percent": 1, "createdAt": "2020-01-01T00:00:00Z"});
    assert_snapshot!(anna.post("/api/progress", body).await.problem(), @r#"
        422 invalid_record: this is no valid "Progress"
        /createdAt read_only: "createdAt" is written by the server
        "#);
    assert_eq!(anna.post("/api/progress", json!({"skill": ids[3], "percent": 1})).await.json()["owner"], "anna");
}

#[tokio::test]
async fn links_must_lead_somewhere() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let body = |category: &str| json!({"slug": "x", "name": "x", "category": category, "technologies": []});
    let missing = "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f";
    assert_snapshot!(app.admin().post("/api/skills", body(missing)).await.problem(), @r#"
        422 invalid_record: this is no valid "Skill"
        /category link: no such "Category", or the caller may not read it
        "#);
    let mut with_links = body(&ids[0]);
    with_links["requires"] = json!([ids[2], missing]);
    assert_snapshot!(app.admin().post("/api/skills", with_links.clone()).await.problem(), @r#"
        422 invalid_record: this is no valid "Skill"
        /requires link: no such "Skill", or the caller may not read it
        "#);
    with_links["requires"] = json!([ids[2], ids[2]]);
    let twice = app.admin().post("/api/skills?fields=size(requires)", with_links).await;
    assert!(twice.status == 422 || twice.json()["requires"] == 1, "{}", twice.text);
}

#[tokio::test]
async fn every_type_comes_back_as_it_was_sent() {
    let app = TestApp::with_schema(TYPES).await;
    let sent = json!({
        "string": "a\u{7f}ž", "int": -2147483648_i64, "float": 0.1, "boolean": false, "id2": "x", "long": "-9223372036854775808",
        "decimal": "-1234.50", "date": "2024-02-29", "time": "23:59:59.999999", "dateTime": "2026-11-21T02:50:45.123456Z",
        "uuid": "0b9e4f0a-5f3e-4c2b-9a3e-0d6f1e2a3b4c", "email": "anna@example.com", "url": "https://example.com/a?b=c#d",
        "json": {"a": [1, 2.5, null, "x", {"b": true}]}, "bytes": "AAH/", "color": "RED",
        "point": {"x": 1.5, "y": -2.0, "label": null}, "points": [{"x": 0.0, "y": 1e300, "label": "p"}],
        "strings": ["", "a"], "ints": [1, -1], "colors": ["GREEN", "RED", "GREEN"],
    });
    let created = app.admin().post("/api/alls", sent.clone()).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let got = app.get(created.header("location")).await.json();
    for (name, value) in sent.as_object().expect("an object") {
        assert_eq!(&got[name], value, "{name}");
    }
    let filters = [
        "string == 'a\u{7f}ž'",
        "int == -2147483648",
        "float == 0.1",
        "boolean == false",
        "long < -9223372036854775807",
        "decimal < -1234.4",
        "date == date('2024-02-29')",
        "dateTime < timestamp('2026-11-21T02:50:46Z')",
        "uuid == '0b9e4f0a-5f3e-4c2b-9a3e-0d6f1e2a3b4c'",
        "email.endsWith('example.com')",
        "json != null",
        "color == 'RED'",
        "point.x == 1.5",
        "'a' in strings",
        "-1 in ints",
        "'RED' in colors",
        "size(points) == 1",
    ];
    for filter in filters {
        let found = app.anonymous().query("/api/alls", &[("filter", filter)]).await;
        assert!(found.status == 400 || found.items().len() == 1, "{filter}: {}", found.text);
        if found.status == 400 {
            assert!(["date == date('2024-02-29')", "size(points) == 1"].contains(&filter), "{filter}: {}", found.text);
        }
    }
}

#[tokio::test]
async fn values_out_of_their_range_are_refused() {
    let app = TestApp::with_schema(TYPES).await;
    let wrong = [
        ("string", json!(1)),
        ("string", json!("\u{0}")),
        ("int", json!(2147483648_i64)),
        ("int", json!(1.5)),
        ("int", json!("1")),
        ("float", json!("1")),
        ("boolean", json!(1)),
        ("boolean", json!("true")),
        ("long", json!("9223372036854775808")),
        ("long", json!("1.0")),
        ("decimal", json!("12345.00")),
        ("decimal", json!("1.234")),
        ("decimal", json!("1e3")),
        ("decimal", json!(1.5)),
        ("date", json!("2023-02-29")),
        ("date", json!("2023-2-9")),
        ("time", json!("24:00:00")),
        ("dateTime", json!("2026-11-21T02:50:45")),
        ("dateTime", json!("2026-11-21")),
        ("uuid", json!("x")),
        ("email", json!("x")),
        ("url", json!("/a")),
        ("bytes", json!("A")),
        ("color", json!("BLUE")),
        ("color", json!("red")),
        ("point", json!({"x": 1})),
        ("point", json!({"x": 1, "y": 2, "z": 3})),
        ("point", json!([])),
        ("strings", json!("x")),
        ("strings", json!([null])),
        ("ints", json!([1, "2"])),
        ("json", json!("\u{0}")),
        ("json", json!({"\u{0}": 1})),
    ];
    for (name, value) in wrong {
        let reply = app.admin().post("/api/alls", json!({name: value})).await;
        assert_eq!((reply.status, reply.code()), (422, "invalid_record".into()), "{name}: {}", reply.text);
        let pointer = reply.json()["errors"][0]["pointer"].as_str().expect("a pointer").to_owned();
        assert!(pointer.starts_with(&format!("/{name}")), "{name}: {pointer}");
    }
    assert_eq!(app.get("/api/alls").await.items().len(), 0);
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let app = Setup::new("type Note { text: String! }").http(|http| http.json_depth_max = 5).start().await;
    let check =
        async |body: &[u8]| app.admin().bytes("POST", "/api/notes", "application/json", body.to_vec()).await.problem();
    assert_snapshot!(check(b"").await, @"400 invalid_body: the body is empty");
    assert_snapshot!(check(b"{").await, @"400 invalid_body: the JSON ends too early at line 1 column 1");
    assert_snapshot!(check(b"{\"text\":\"x\"} x").await, @"400 invalid_body: something stands behind the JSON value at line 1 column 14");
    assert_snapshot!(check(b"{\"text\":\"x\",\"text\":\"y\"}").await, @r#"400 invalid_body: the key "text" comes twice at line 1 column 18"#);
    assert_snapshot!(check(b"{\"text\":\"\xff\"}").await, @"400 invalid_body: this is not valid UTF-8 at line 1 column 10");
    assert_snapshot!(check(b"{\"text\":\"\\ud800\"}").await, @"400 invalid_body: half of a surrogate pair is no character at line 1 column 16");
    assert_snapshot!(check(b"[[[[[[[]]]]]]]").await, @"400 invalid_body: this nests deeper than 5 at line 1 column 6");
    assert_snapshot!(check(&b"[".repeat(100_000)).await, @"400 invalid_body: this nests deeper than 5 at line 1 column 6");
    assert_snapshot!(check(b"{\"text\":NaN}").await, @"400 invalid_body: this is no JSON value at line 1 column 9");
    assert_snapshot!(check(b"null").await, @"400 invalid_body: expected an object or an array of objects, found null");
}

#[tokio::test]
async fn bodies_of_another_type() {
    let app = TestApp::with_schema("type Note { text: String! }").await;
    let check =
        async |kind: &str| app.admin().bytes("POST", "/api/notes", kind, b"{\"text\":\"x\"}".to_vec()).await.status;
    assert_eq!(check("application/json; charset=utf-8").await, 201);
    for wrong in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/merge-patch+json",
        "application/json; charset=latin1",
    ] {
        assert_eq!(check(wrong).await, 415, "{wrong}");
    }
    let zipped = app.admin().header("content-encoding", "br").post("/api/notes", json!({"text": "x"})).await;
    assert_snapshot!(zipped.problem(), @r#"415 unsupported_media_type: the content encoding "br" is not read here"#);
    let untyped =
        app.raw(b"POST /api/notes HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await;
    assert!(untyped.starts_with("HTTP/1.1 415 "), "{untyped}");
}

#[tokio::test]
async fn what_comes_later_is_refused_by_name() {
    let app = TestApp::with_schema("type Note { text: String! }").await;
    let body = json!({"text": "x"});
    let admin = app.admin();
    assert_snapshot!(admin.clone().header("if-match", "\"1\"").post("/api/notes", body.clone()).await.problem(), @r#"400 invalid_header: the header "if-match" has no meaning for this call"#);
}

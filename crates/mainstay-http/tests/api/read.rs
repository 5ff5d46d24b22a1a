//! `GET /api/{path}/{id}` and `…/by/…`: one record.
use insta::assert_snapshot;
use mainstay_testing::TestApp;
use serde_json::json;

use crate::{SKILLS, seed_skills, skills};

#[tokio::test]
async fn what_is_not_there() {
    let app = skills().await;
    assert_snapshot!(app.get("/api/skills/019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f").await, @r#"404 {"type":"/docs/errors#not_found","title":"not found","status":404,"code":"not_found","detail":"no such \"Skill\"","hint":"check the key","requestId":"[request]"}"#);
    for key in
        ["x", "%20", "1", "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8", "019a9f3e7c1d7b528a6e3f4b5c6d7e8f", "null", "by"]
    {
        assert_eq!(app.get(&format!("/api/skills/{key}")).await.code(), "not_found", "{key}");
    }
    assert_eq!(app.get("/api/skills/").await.code(), "unknown_path");
    assert_eq!(app.get("/api/skills/%ff").await.code(), "invalid_encoding");
    assert_eq!(app.get("/api/skills/%00").await.code(), "invalid_encoding");
}

#[tokio::test]
async fn by_key_and_by_unique() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let by_key = app.get(&format!("/api/skills/{}", ids[3])).await;
    assert_snapshot!(by_key, @r#"200 {"id":"[id]","slug":"rust","name":"Rust","published":true,"level":"EXPERT","category":"[id]","monthsMin":6,"monthsMax":24,"technologies":["cargo","rustc"],"createdAt":"[time]","updatedAt":"[time]","version":1}"#);
    assert_eq!(app.get("/api/skills/by/slug/rust").await.text, by_key.text);
    assert_eq!(app.get(&format!("/api/skills/{}", ids[3].to_uppercase())).await.status, 200);
    assert_eq!(app.get("/api/skills/by/slug/nothing").await.code(), "not_found");
    assert_eq!(by_key.header("content-type"), "application/json");
    assert_eq!(by_key.header("cache-control"), "private, no-cache");
    assert_eq!(by_key.header("vary"), "authorization, accept-encoding");
}

#[tokio::test]
async fn by_a_unique_of_two_fields_in_any_order() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let anna = app.user("anna, the first/one");
    assert_eq!(anna.post("/api/progress", json!({"skill": ids[3], "percent": 40})).await.status, 201);
    let owner = "anna%2C%20the%20first%2Fone";
    for path in [
        format!("owner,skill/{owner},{}", ids[3]),
        format!("skill,owner/{},{owner}", ids[3]),
        format!("owner%2Cskill/{owner},{}", ids[3]),
    ] {
        let reply = anna.get(&format!("/api/progress/by/{path}")).await;
        assert_eq!((reply.status, &reply.json()["percent"]), (200, &json!(40)), "{path}");
    }
    let problem = async |path: &str| anna.get(&format!("/api/progress/by/{path}")).await.problem();
    assert_snapshot!(problem("owner,skill/x").await, @"400 invalid_argument: 2 fields are named and 1 values given");
    assert_snapshot!(problem("owner/x").await, @r#"404 unknown_path: "owner" is no unique of "Progress""#);
    assert_snapshot!(problem("ownr,skill/x,y").await, @r#"404 unknown_path: no field "ownr" in "Progress""#);
    assert_eq!(app.get("/api/skills/by/name/x").await.code(), "unknown_path");
    assert_eq!(anna.get("/api/progress/by/owner,skill/x,y").await.code(), "not_found");
}

#[tokio::test]
async fn only_fields_is_taken() {
    let app = skills().await;
    assert_snapshot!(app.get("/api/skills/by/slug/rust?field=name").await.problem(), @r#"400 unknown_parameter: no parameter "field" here"#);
    assert_snapshot!(app.get("/api/skills/by/slug/rust?filter=true").await.problem(), @r#"400 unknown_parameter: no parameter "filter" here"#);
    assert_snapshot!(app.get("/api/skills/by/slug/rust?fields=name").await, @r#"200 {"name":"Rust"}"#);
}

#[tokio::test]
async fn a_strong_tag_comes_from_the_version() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let path = format!("/api/skills/{}", ids[3]);
    let first = app.get(&path).await;
    assert_eq!(first.header("etag"), "\"1\"");
    let again = app.anonymous().header("if-none-match", "\"1\"").get(&path).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert_eq!(app.anonymous().header("if-none-match", "\"0\", W/\"1\"").get(&path).await.status, 304);
    assert_eq!(app.admin().patch(&path, json!({"name": "Rust!"})).await.header("etag"), "\"2\"");
    assert_eq!(app.anonymous().header("if-none-match", "\"1\"").get(&path).await.status, 200);
    assert_eq!(app.anonymous().header("if-match", "\"1\"").get(&path).await.code(), "invalid_header");
}

#[tokio::test]
async fn keys_of_every_kind() {
    let schema = r#"
        type Country @rules(read: "true") { id: String! name: String! }
        type Ticket @rules(read: "true") { id: Int! title: String! country: Country }
    "#;
    let app = TestApp::with_schema(schema).await;
    let countries = app.seed("countries", [json!({"id": "cz/č ?", "name": "Czechia"})]).await;
    assert_eq!(countries, ["cz/č ?"]);
    assert_eq!(app.get("/api/countries/cz%2F%C4%8D%20%3F").await.json()["name"], "Czechia");
    let created = app.admin().post("/api/countries", json!({"id": "a b", "name": "x"})).await;
    assert_eq!(created.header("location"), "/api/countries/a%20b");
    // An address that ends with one of these leads elsewhere.
    for nowhere in [".", ".."] {
        let refused = app.admin().post("/api/countries", json!({"id": nowhere, "name": "x"})).await;
        let detail = format!("\"{nowhere}\" is no key: no address leads to it");
        assert_eq!((refused.status, &refused.json()["errors"][0]["detail"]), (422, &json!(detail)), "{}", refused.text);
    }
    assert_eq!(app.admin().post("/api/countries", json!({"id": "...", "name": "x"})).await.status, 201);
    let ticket = app.admin().post("/api/tickets", json!({"id": "7", "title": "seven", "country": "cz/č ?"})).await;
    assert_snapshot!(ticket, @r#"201 {"id":"7","title":"seven","country":"cz/č ?","createdAt":"[time]","updatedAt":"[time]","version":1}"#);
    assert_eq!(ticket.header("location"), "/api/tickets/7");
    assert_eq!(app.get("/api/tickets/7").await.json()["id"], "7");
    for other in ["07", "+7", "7.0", "seven", "99999999999999999999"] {
        assert_eq!(app.get(&format!("/api/tickets/{other}")).await.code(), "not_found", "{other}");
    }
    let counted = app.admin().post("/api/tickets", json!({"title": "next"})).await;
    assert_eq!((counted.status, counted.id()), (201, "8".into()), "{}", counted.text);
    assert_eq!(app.admin().post("/api/countries", json!({"name": "x"})).await.status, 422);
}

#[tokio::test]
async fn nobody_uses_up_the_keys_that_are_counted() {
    let schema = r#"type Ticket @rules(read: "true", create: "true") { id: Int! title: String! }"#;
    let app = TestApp::with_schema(schema).await;
    let largest = mainstay_schema::KEY_INT_MAX;
    for beyond in [json!("9223372036854775807"), json!(i64::MAX), json!((largest + 1).to_string())] {
        let refused = app.anonymous().post("/api/tickets", json!({"id": beyond, "title": "x"})).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(refused.text.contains("9223372032559808511"), "{}", refused.text);
        let batch = json!({"ops": [{"op": "create", "in": "tickets", "data": {"id": beyond, "title": "x"}}]});
        assert_eq!(app.anonymous().post("/api/batch", batch).await.status, 422);
    }
    let last = app.anonymous().post("/api/tickets", json!({"id": largest.to_string(), "title": "x"})).await;
    assert_eq!(last.status, 201, "{}", last.text);
    let counted = app.anonymous().post("/api/tickets", json!({"title": "next"})).await;
    assert_eq!(counted.id(), (largest + 1).to_string(), "{}", counted.text);
    assert_eq!(app.get(&format!("/api/tickets/{}", largest + 1)).await.json()["title"], "next");
}

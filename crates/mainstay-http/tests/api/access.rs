//! Who may do what: each surface, each kind of rule, each caller.
use insta::assert_snapshot;
use mainstay_testing::{Client, TestApp};
use serde_json::json;

use crate::{SKILLS, seed_skills, skills};

#[tokio::test]
async fn without_a_rule_only_admins_may() {
    let app = TestApp::with_schema("type Secret { text: String! }").await;
    let id = app.seed("secrets", [json!({"text": "x"})]).await.remove(0);
    let one = format!("/api/secrets/{id}");
    for (caller, status) in [(app.anonymous(), 401), (app.user("anna"), 403)] {
        assert_eq!(caller.get("/api/secrets").await.status, status);
        assert_eq!(caller.get(&one).await.status, status);
        assert_eq!(caller.post("/api/secrets", json!({"text": "y"})).await.status, status);
        assert_eq!(caller.patch(&one, json!({"text": "y"})).await.status, status);
        assert_eq!(caller.delete(&one).await.status, status);
    }
    assert_eq!(app.admin().get(&one).await.status, 200);
    assert_eq!(app.admin().delete(&one).await.status, 204);
}

#[tokio::test]
async fn a_refused_write_names_the_rule_and_no_values() {
    let app = skills().await;
    let body = json!({"slug": "new", "name": "New", "category": "x", "technologies": []});
    assert_snapshot!(app.anonymous().post("/api/skills", body.clone()).await, @r#"401 {"type":"/docs/errors#unauthenticated","title":"sign in first","status":401,"code":"unauthenticated","detail":"the rule \"create\" of \"Skill\" refuses","hint":"sign in: send a bearer token","rule":"Skill.create","requestId":"[request]"}"#);
    assert_snapshot!(app.user("anna").post("/api/skills", body).await, @r#"403 {"type":"/docs/errors#forbidden","title":"forbidden","status":403,"code":"forbidden","detail":"the rule \"create\" of \"Skill\" refuses","hint":"the rule stands in the schema","rule":"Skill.create","requestId":"[request]"}"#);
}

#[tokio::test]
async fn a_refusal_asks_for_a_token_only_where_one_would_help() {
    let app = skills().await;
    let body = json!({});
    assert_eq!(app.anonymous().post("/api/skills", body.clone()).await.header("www-authenticate"), "Bearer");
    assert_eq!(app.user("anna").post("/api/skills", body).await.header("www-authenticate"), "");
}

#[tokio::test]
async fn a_hidden_record_is_not_found() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let drafts = format!("/api/skills/{}", ids[5]);
    for path in [drafts.as_str(), "/api/skills/by/slug/drafts"] {
        for caller in [app.anonymous(), app.user("anna")] {
            assert_eq!(caller.get(path).await.status, 404, "{path}");
        }
        assert_eq!(app.user_with("eva", &["editor"], &[]).get(path).await.status, 200, "{path}");
    }
    // Writing to it tells no more than reading it.
    assert_eq!(app.user("anna").patch(&drafts, json!({"name": "x"})).await.status, 403);
    let missing = "/api/skills/019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f";
    assert_eq!(app.user("anna").patch(missing, json!({"name": "x"})).await.status, 403);
}

/// The owner's record as another one sees it: not at all.
#[tokio::test]
async fn what_belongs_to_another_is_absent() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let anna = app.user("anna");
    let mine = anna.post("/api/progress", json!({"skill": ids[3], "percent": 40})).await;
    assert_eq!(mine.status, 201, "{}", mine.text);
    let path = format!("/api/progress/{}", mine.id());
    let refused = async |caller: Client, name: &str| {
        assert_eq!(caller.get(&path).await.status, 404, "{name}");
        assert_eq!(caller.patch(&path, json!({"percent": 1})).await.status, 404, "{name}");
        assert_eq!(caller.delete(&path).await.status, 404, "{name}");
        assert_eq!(caller.get("/api/progress").await.items().len(), 0, "{name}");
    };
    refused(app.user("bert"), "another").await;
    assert_eq!(anna.get("/api/progress").await.items().len(), 1);
    assert_eq!(app.admin().get("/api/progress").await.items().len(), 1);
}

#[tokio::test]
async fn nobody_is_the_owner_of_what_has_none() {
    let schema = r#"type Note @rules(read: "owner == auth.id", write: "owner == auth.id") { owner: ID text: String! }"#;
    let app = TestApp::with_schema(schema).await;
    app.seed("notes", [json!({"text": "without an owner"}), json!({"text": "anna's", "owner": "anna"})]).await;
    let nobody = app.anonymous().get("/api/notes").await;
    assert_eq!(nobody.status, 401, "{}", nobody.text);
    assert_eq!(app.user("anna").get("/api/notes").await.column("text"), ["anna's"]);
    assert_eq!(app.user("bert").get("/api/notes").await.items().len(), 0);
}

#[tokio::test]
async fn an_update_rule_holds_before_and_after() {
    let schema = r#"type Note @rules(read: "true", write: "owner == auth.id") { owner: ID! text: String! }"#;
    let app = TestApp::with_schema(schema).await;
    let ids = app.seed("notes", [json!({"text": "a", "owner": "anna"}), json!({"text": "b", "owner": "bert"})]).await;
    let anna = app.user("anna");
    let (own, other) = (format!("/api/notes/{}", ids[0]), format!("/api/notes/{}", ids[1]));
    assert_snapshot!(anna.patch(&other, json!({"owner": "anna"})).await, @r#"403 {"type":"/docs/errors#forbidden","title":"forbidden","status":403,"code":"forbidden","detail":"the rule \"update\" of \"Note\" refuses","hint":"the rule stands in the schema","rule":"Note.update","requestId":"[request]"}"#);
    assert_snapshot!(anna.patch(&own, json!({"owner": "bert"})).await, @r#"403 {"type":"/docs/errors#forbidden","title":"forbidden","status":403,"code":"forbidden","detail":"the rule \"update\" of \"Note\" refuses","hint":"the rule stands in the schema","rule":"Note.update","requestId":"[request]"}"#);
    assert_eq!(anna.post("/api/notes", json!({"text": "c", "owner": "bert"})).await.status, 403);
    assert_eq!(anna.patch(&own, json!({"text": "A"})).await.status, 200);
    assert_eq!(anna.delete(&other).await.status, 403);
    assert_eq!(app.admin().get(&own).await.json()["owner"], "anna");
}

#[tokio::test]
async fn claims_are_values_of_their_declared_types() {
    let schema = r#"
        extend schema @claim(name: "org", type: UUID)
        type Doc @rules(read: "org == auth.claims.org", create: "true") { org: UUID! title: String! }
    "#;
    let app = TestApp::with_schema(schema).await;
    let org = "0b9e4f0a-5f3e-4c2b-9a3e-0d6f1e2a3b4c";
    app.seed(
        "docs",
        [
            json!({"org": org, "title": "ours"}),
            json!({"org": "1b9e4f0a-5f3e-4c2b-9a3e-0d6f1e2a3b4c", "title": "theirs"}),
        ],
    )
    .await;
    let member = app.user_with("anna", &[], &[("org", &org.to_uppercase())]);
    assert_eq!(member.get("/api/docs").await.column("title"), ["ours"]);
    // A claim that is missing is an error, and an error refuses.
    assert_eq!(app.user("bert").get("/api/docs").await.code(), "forbidden");
}

#[tokio::test]
async fn a_refusal_is_explained_in_development() {
    let app = mainstay_testing::Setup::new(SKILLS).explained().start().await;
    let body = json!({"slug": "new", "name": "New", "category": "x", "technologies": []});
    assert_snapshot!(app.user("anna").post("/api/skills", body).await, @r#"403 {"type":"/docs/errors#forbidden","title":"forbidden","status":403,"code":"forbidden","detail":"the rule \"create\" of \"Skill\" refuses","hint":"Skill.create: `isEditor` is false, where 'editor' in auth.roles is false","rule":"Skill.create","requestId":"[request]"}"#);
}

/// Why a request is refused, by which clause and by which values, is for who runs the server: no address and no header gives it.
#[tokio::test]
async fn nothing_is_explained_over_http() {
    let app = skills().await;
    for caller in [app.anonymous(), app.user("anna"), app.user_with("eva", &["editor"], &[])] {
        for path in ["/api/explain", "/api/explain/skills", "/explain", "/api/skills/explain"] {
            assert_eq!(caller.get(path).await.status, 404, "{path}");
        }
        for parameter in ["explain=true", "explain", "debug=1", "sql=1"] {
            let reply = caller.get(&format!("/api/skills?{parameter}")).await;
            assert_eq!((reply.status, reply.code()), (400, "unknown_parameter".to_owned()), "{parameter}");
        }
        let plain = caller.get("/api/skills").await;
        let wished = caller.header("prefer", "explain").header("accept", "application/vnd.explain+json");
        let wished = wished.get("/api/skills").await;
        assert_eq!((wished.status, &wished.text), (plain.status, &plain.text));
        assert!(!plain.text.contains("SELECT") && !plain.text.contains("auth.roles"), "{}", plain.text);
    }
}

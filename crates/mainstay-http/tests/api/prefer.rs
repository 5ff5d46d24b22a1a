//! `Prefer: return=minimal`: writes that answer nothing but headers.
use mainstay_testing::Client;
use serde_json::json;

use super::{seed_skills, skills};

fn minimal(client: Client) -> Client {
    client.header("prefer", "return=minimal")
}

#[tokio::test]
async fn refusals_have_a_body_all_the_same() {
    let app = skills().await;
    let refused = minimal(app.anonymous()).post("/api/categories", json!({"slug": "x", "name": "X"})).await;
    assert_eq!((refused.status, refused.header("preference-applied")), (401, ""));
    assert_eq!(refused.code(), "unauthenticated");
    let editor = minimal(app.user_with("ed", &["editor"], &[]));
    assert_eq!(editor.post("/api/categories", json!({"slug": "x"})).await.code(), "invalid_record");
}

#[tokio::test]
async fn a_create_answers_location_and_tag() {
    let app = skills().await;
    let editor = app.user_with("ed", &["editor"], &[]);
    let created = minimal(editor.clone()).post("/api/categories", json!({"slug": "x", "name": "X"})).await;
    assert_eq!((created.status, created.text.as_str()), (201, ""));
    assert_eq!(created.header("preference-applied"), "return=minimal");
    assert_eq!((created.header("etag"), created.header("content-type")), ("\"1\"", ""));
    assert_eq!(editor.get(created.header("location")).await.json()["slug"], "x");
    let many = minimal(editor.clone()).post("/api/categories", json!([{"slug": "y", "name": "Y"}])).await;
    assert_eq!((many.status, many.text.as_str(), many.header("location")), (201, "", ""));
    assert_eq!(editor.get("/api/categories/by/slug/y").await.status, 200);
}

#[tokio::test]
async fn a_change_answers_its_tag_alone_also_where_rules_look_further() {
    let app = skills().await;
    let editor = app.user_with("ed", &["editor"], &[]);
    let rust = "/api/skills/by/slug/rust";
    for (change, tag) in [
        (json!({"name": "Rust!"}), "\"2\""),
        (json!({"monthsMin": 7}), "\"3\""),
        (json!({"requires": []}), "\"4\""),
        (json!({}), "\"4\""),
    ] {
        let changed = minimal(editor.clone()).patch(rust, change.clone()).await;
        assert_eq!((changed.status, changed.text.as_str(), changed.header("etag")), (204, "", tag), "{change}");
        assert_eq!(changed.header("preference-applied"), "return=minimal");
    }
    assert_eq!(editor.get(rust).await.json()["monthsMin"], 7);
}

#[tokio::test]
async fn other_preferences_are_ignored() {
    let app = mainstay_testing::TestApp::with_schema(super::SKILLS).await;
    seed_skills(&app).await;
    let editor = app.user_with("ed", &["editor"], &[]);
    let rust = "/api/skills/by/slug/rust";
    for (prefer, applied) in [
        ("return=representation", "return=representation"),
        ("respond-async, wait=10", ""),
        ("handling=lenient", ""),
        ("return=whatever", ""),
        (",;=", ""),
    ] {
        let reply = editor.clone().header("prefer", prefer).patch(rust, json!({"name": "R"})).await;
        assert_eq!((reply.status, reply.header("preference-applied")), (200, applied), "{prefer}");
        assert_eq!(editor.clone().header("prefer", prefer).get(rust).await.status, 200);
    }
}

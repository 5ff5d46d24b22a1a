//! `PATCH`: a JSON merge patch, with versions and link lists.
use insta::assert_snapshot;
use mainstay_testing::TestApp;
use serde_json::{Value as Json, json};

use crate::{SKILLS, seed_skills};

async fn rust() -> (TestApp, Vec<String>, String) {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let path = format!("/api/skills/{}", ids[3]);
    (app, ids, path)
}

#[tokio::test]
async fn who_is_refused() {
    let (app, _, path) = rust().await;
    assert_eq!(app.anonymous().patch(&path, json!({"name": "x"})).await.code(), "unauthenticated");
    assert_eq!(app.user("anna").patch(&path, json!({"name": "x"})).await.code(), "forbidden");
    assert_eq!(app.admin().patch("/api/skills/x", json!({"name": "x"})).await.code(), "not_found");
}

#[tokio::test]
async fn null_clears_and_what_is_not_sent_stays() {
    let (app, _, path) = rust().await;
    let editor = app.user_with("eva", &["editor"], &[]);
    let patched = editor.patch(&path, json!({"name": "Rust!", "monthsMax": null, "technologies": ["x"]})).await;
    assert_snapshot!(patched, @r#"200 {"id":"[id]","slug":"rust","name":"Rust!","published":true,"level":"EXPERT","category":"[id]","monthsMin":6,"monthsMax":null,"technologies":["x"],"createdAt":"[time]","updatedAt":"[time]","version":2}"#);
    assert_eq!(patched.header("etag"), "\"2\"");
    assert_eq!(app.get(&path).await.text, patched.text);
    assert_ne!(patched.json()["updatedAt"], patched.json()["createdAt"]);
    let by_unique = editor.patch("/api/skills/by/slug/rust?fields=name,version", json!({"name": "Rust"})).await;
    assert_snapshot!(by_unique, @r#"200 {"name":"Rust","version":3}"#);
}

#[tokio::test]
async fn wrong_patches() {
    let (app, ids, path) = rust().await;
    let patch = async |body: Json| app.admin().patch(&path, body).await.problem();
    assert_snapshot!(patch(json!({"name": null})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /name required: "name" is never null
        "#);
    assert_snapshot!(patch(json!({"slug": "new"})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /slug immutable: "slug" never changes after the create
        "#);
    assert_snapshot!(patch(json!({"id": ids[2]})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /id immutable: "id" never changes after the create
        "#);
    assert_snapshot!(patch(json!({"version": 9})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /version read_only: "version" is written by the server
        "#);
    assert_snapshot!(patch(json!({"monthsMin": 100})).await, @r#"
        422 invalid_record: this is no valid "Skill"
         check: the longest time is below the shortest
        "#);
    assert_snapshot!(patch(json!({"nme": "x", "monthsMin": "x"})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /nme unknown_field: no field named "nme" in "Skill"
        /monthsMin wrong_type: expected a whole number, got a text
        "#);
    assert_snapshot!(patch(json!({"category": null})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /category required: "category" is never null
        "#);
    assert_snapshot!(patch(json!({"progress": []})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /progress read_only: "progress" is the other side of "skill" of "Progress"
        "#);
    assert_snapshot!(patch(json!([])).await, @"400 invalid_body: expected an object of the fields that change, found an array");
    assert_eq!(app.get(&path).await.json()["version"], 1, "nothing was done");
}

#[tokio::test]
async fn a_patch_that_changes_nothing() {
    let (app, _, path) = rust().await;
    let empty = app.admin().patch(&path, json!({})).await;
    assert_eq!(empty.status, 200, "{}", empty.text);
    assert_eq!(app.get(&path).await.text, empty.text);

    // Its version stays, so that a rule about it says the same of it afterwards.
    let app = TestApp::with_schema("type Draft @rules(read: \"version < 2\", write: \"true\") { text: String }").await;
    let made = app.anonymous().post("/api/drafts", json!({"text": "a"})).await;
    let path = format!("/api/drafts/{}", made.json()["id"].as_str().unwrap_or_default());
    let empty = app.anonymous().patch(&path, json!({})).await;
    assert_eq!((empty.status, &empty.text), (200, &made.text));
}

#[tokio::test]
async fn the_version_is_checked_where_it_is_sent() {
    let (app, _, path) = rust().await;
    let with = |tag: &str| app.admin().header("if-match", tag);
    assert_eq!(with("\"1\"").patch(&path, json!({"name": "2"})).await.status, 200);
    let stale = with("\"1\"").patch(&path, json!({"name": "3"})).await;
    assert_snapshot!(stale, @r#"412 {"type":"/docs/errors#version_mismatch","title":"the record has another version","status":412,"code":"version_mismatch","detail":"this \"Skill\" has the version 2 by now","hint":"read it again, then write","version":2,"requestId":"[request]"}"#);
    assert_eq!(with("*").patch(&path, json!({"name": "3"})).await.status, 200);
    // A tag that no version can meet is no sign of somebody who was faster.
    let weak = with("W/\"3\"").patch(&path, json!({"name": "4"})).await;
    assert_snapshot!(weak, @r#"412 {"type":"/docs/errors#version_mismatch","title":"the record has another version","status":412,"code":"version_mismatch","detail":"the tag W/\"3\" of If-Match is weak, and no weak tag ever matches; the record has the version 3","hint":"read the record with its \"version\", and send that, in quotes: If-Match: \"3\"","version":3,"requestId":"[request]"}"#);
    let never = with("\"x\"").patch(&path, json!({"name": "4"})).await;
    assert_snapshot!(never.problem(), @r#"412 version_mismatch: the tag "x" of If-Match is of no version; the record has the version 3"#);
    assert_snapshot!(with("x").patch(&path, json!({"name": "4"})).await.problem(), @r#"400 invalid_header: If-Match is no entity tag: "x""#);
    assert_snapshot!(with("\"3\", \"4\"").patch(&path, json!({"name": "4"})).await.problem(), @"400 invalid_header: If-Match takes one version here");
    assert_eq!(
        app.admin().header("if-none-match", "*").patch(&path, json!({"name": "4"})).await.code(),
        "invalid_header"
    );
    assert_eq!(with("\"1\"").patch("/api/skills/by/slug/nothing", json!({"name": "4"})).await.code(), "not_found");
    assert_eq!(app.get(&path).await.json()["name"], "3");
}

#[tokio::test]
async fn link_lists() {
    let (app, ids, path) = rust().await;
    let editor = app.user_with("eva", &["editor"], &[]);
    let slugs = async |body: Json| {
        let reply = editor.patch(&format!("{path}?fields=version,requires(slug;sort:slug)"), body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let json = reply.json();
        let slugs: Vec<&str> =
            json["requires"].as_array().expect("a list").iter().filter_map(|one| one["slug"].as_str()).collect();
        format!("{} {}", json["version"], slugs.join(" "))
    };
    assert_eq!(slugs(json!({"requires": {"add": [ids[4]]}})).await, "2 git logic");
    assert_eq!(slugs(json!({"requires": {"remove": [ids[2]]}})).await, "3 git");
    assert_eq!(slugs(json!({"requires": {"add": [ids[2]], "remove": [ids[4]]}})).await, "4 logic");
    assert_eq!(slugs(json!({"requires": [ids[4], ids[5]]})).await, "5 drafts git");
    assert_eq!(slugs(json!({"requires": []})).await, "6 ");
    let patch = async |body: Json| editor.patch(&path, body).await.problem();
    assert_snapshot!(patch(json!({"requires": ["x"]})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /requires/0 invalid_value: "x" is no UUID: expected a form like 019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f
        "#);
    assert_snapshot!(patch(json!({"requires": {"add": ["019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f"]}})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /requires link: no such "Skill", or the caller may not read it
        "#);
    assert_snapshot!(patch(json!({"requires": {"ad": []}})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /requires wrong_type: "ad" is neither "add" nor "remove"
        "#);
    assert_snapshot!(patch(json!({"requires": null})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /requires wrong_type: expected a list of ids, got null
        "#);
    assert_snapshot!(patch(json!({"requires": "x"})).await, @r#"
        422 invalid_record: this is no valid "Skill"
        /requires wrong_type: expected a list of ids, got a text
        "#);
}

#[tokio::test]
async fn a_list_that_is_replaced_leaves_links_to_hidden_records() {
    let schema = r#"
        type Team @rules(read: "true", write: "auth != null") { name: String! members: [Person!]! @many }
        type Person @path(name: "people") @rules(read: "open || 'staff' in auth.roles") { name: String! open: Boolean! }
    "#;
    let app = TestApp::with_schema(schema).await;
    let people = app.seed("people", [json!({"name": "a", "open": true}), json!({"name": "b", "open": false})]).await;
    let team = app.seed("teams", [json!({"name": "t", "members": people})]).await.remove(0);
    let path = format!("/api/teams/{team}?fields=members(name;sort:name),n:size(members)");
    assert_snapshot!(app.user("anna").get(&path).await, @r#"200 {"members":[{"name":"a"}],"n":1}"#);
    assert_snapshot!(app.user("anna").patch(&path, json!({"members": []})).await, @r#"200 {"members":[],"n":0}"#);
    assert_snapshot!(app.admin().get(&path).await, @r#"200 {"members":[{"name":"b"}],"n":1}"#);
    let add = app.user("anna").patch(&path, json!({"members": {"add": [people[1]]}})).await;
    assert_eq!(add.status, 422, "{}", add.text);
}

#[tokio::test]
async fn a_merge_patch_may_say_so() {
    let (app, _, path) = rust().await;
    let patch = async |kind: &str| app.admin().bytes("PATCH", &path, kind, b"{\"name\":\"x\"}".to_vec()).await.status;
    assert_eq!(patch("application/merge-patch+json").await, 200);
    assert_eq!(patch("application/json").await, 200);
    assert_eq!(patch("application/json-patch+json").await, 415);
}

#[tokio::test]
async fn a_unique_that_is_taken() {
    let schema = r#"type User @rules(read: "true") { email: Email! @unique name: String }"#;
    let app = TestApp::with_schema(schema).await;
    let ids = app.seed("users", [json!({"email": "a@x.cz"}), json!({"email": "b@x.cz"})]).await;
    let reply = app.admin().patch(&format!("/api/users/{}", ids[1]), json!({"email": "a@x.cz"})).await;
    assert_snapshot!(reply.problem(), @r#"
        409 not_unique: another "User" has the same "email"
        /email unique: another "User" has the same "email"
        "#);
    assert_eq!(app.admin().patch(&format!("/api/users/{}", ids[0]), json!({"email": "a@x.cz"})).await.status, 200);
}

#[tokio::test]
async fn an_embedded_value_is_replaced_whole() {
    let schema = r#"
        type Point @embedded { x: Int! y: Int }
        type Place @rules(read: "true") { at: Point! data: JSON }
    "#;
    let app = TestApp::with_schema(schema).await;
    let id = app.seed("places", [json!({"at": {"x": 1, "y": 2}, "data": {"a": 1, "b": 2}})]).await.remove(0);
    let path = format!("/api/places/{id}?fields=at,data");
    let reply = app.admin().patch(&path, json!({"at": {"x": 5}, "data": {"a": null}})).await;
    assert_snapshot!(reply, @r#"200 {"at":{"x":5,"y":null},"data":{"a":null}}"#);
    assert_snapshot!(app.admin().patch(&path, json!({"at": {"y": 5}})).await.problem(), @r#"
        422 invalid_record: this is no valid "Place"
        /at/x required: this member is required
        "#);
}

#[tokio::test]
async fn who_may_not_change_a_record_may_not_change_nothing_of_it_either() {
    let schema = r#"type Note @rules(read: "true", update: "owner == auth.id") { owner: ID! text: String }"#;
    let app = TestApp::with_schema(schema).await;
    let id = app.seed("notes", [json!({"owner": "anna", "text": "x"})]).await.remove(0);
    let path = format!("/api/notes/{id}");
    assert_eq!(app.anonymous().patch(&path, json!({})).await.status, 401);
    assert_eq!(app.user("ben").patch(&path, json!({})).await.status, 403);
    let nothing = app.user("anna").patch(&path, json!({})).await;
    assert_eq!((nothing.status, nothing.header("etag"), &nothing.json()["version"]), (200, "\"1\"", &json!(1)));
    let stale = app.user("anna").header("if-match", "\"2\"").patch(&path, json!({})).await;
    assert_eq!((stale.status, &stale.json()["version"]), (412, &json!(1)));
    let missing = "/api/notes/01890000-0000-7000-8000-000000000000";
    assert_eq!(app.user("anna").patch(missing, json!({})).await.status, 404);
}

//! `mainstay dev`
use mainstay_test_db::{Engine, engine, postgres_only};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::Project;

const SCHEMA: &str = "type Note @rules(read: \"owner == auth.id\", write: \"owner == auth.id\") { owner: ID! @set(create: \"auth.id\") text: String! }";

#[tokio::test]
async fn it_prints_its_address_and_serves_the_seed() {
    let project = Project::skillmap();
    let mut server = project.start(&["dev"]);
    let (status, page) = server.get("/api/skills", &[("count", "true"), ("limit", "1")], None).await;
    assert_eq!((status, &page["count"]), (StatusCode::OK, &json!(32)));
    server.wait_for("seed/skillmap.json: 32 Skill created");
    server.signal("INT");
    assert_eq!(server.wait().code(), Some(0));
    let again = project.start(&["dev"]);
    let (_, page) = again.get("/api/skills", &[("count", "true"), ("limit", "1")], None).await;
    assert_eq!(page["count"], json!(32), "the seed is loaded once");
}

#[tokio::test]
async fn a_changed_schema_is_served_at_once() {
    let project = Project::with_schema(SCHEMA);
    let anna = project.token(&["--sub", "anna"]);
    let server = project.start(&["dev"]);
    let (_, note) = server.post("/api/notes", &json!({"text": "a"}), Some(&anna)).await;
    project.write(
        "schema.graphql",
        &SCHEMA.replace("text: String!", "text: String! done: Boolean! @default(value: false)"),
    );
    server.wait_for("the schema has changed: it is served");
    assert!(server.said().contains("add column \"done\" to \"notes\""), "{}", server.said());
    let (_, page) = server.get("/api/notes", &[("fields", "id,done")], Some(&anna)).await;
    assert_eq!(page["items"], json!([{"id": note["id"], "done": false}]));
}

#[tokio::test]
async fn a_broken_schema_is_shown_and_the_old_one_goes_on() {
    let project = Project::with_schema(SCHEMA);
    let anna = project.token(&["--sub", "anna"]);
    let server = project.start(&["dev"]);
    project.write("schema.graphql", &SCHEMA.replace("String!", "Strng!"));
    server.wait_for("the schema as it was goes on serving");
    assert!(server.said().contains("--> schema.graphql:1:"), "{}", server.said());
    assert_eq!(server.get("/api/notes", &[], Some(&anna)).await.0, StatusCode::OK);
    project.write("schema.graphql", &format!("{SCHEMA} type Tag @rules(read: \"true\") {{ name: String }}"));
    server.wait_for("the schema has changed: it is served");
    assert_eq!(server.get("/api/tags", &[], None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn steps_that_are_not_safe_are_not_taken() {
    let project = Project::with_schema(SCHEMA);
    let anna = project.token(&["--sub", "anna"]);
    let mut server = project.start(&["dev"]);
    server.post("/api/notes", &json!({"text": "a"}), Some(&anna)).await;
    project.write("schema.graphql", &SCHEMA.replace("text: String!", "body: String"));
    server.wait_for("the schema as it was goes on serving");
    assert!(server.said().contains("drop column \"text\" of \"notes\", with its values"), "{}", server.said());
    let renamed = SCHEMA.replace("text: String!", "body: String! @was(name: \"text\")");
    project.write("schema.graphql", &renamed);
    server.wait_for("the schema has changed: it is served");
    let (_, page) = server.get("/api/notes", &[("fields", "body")], Some(&anna)).await;
    assert_eq!(page["items"], json!([{"body": "a"}]));
    project.write("schema.graphql", &SCHEMA.replace("text: String!", "head: String"));
    server.wait_until("a refusal", |said| said.contains("drop column \"body\""));
    if engine() == Engine::Postgres {
        // Nothing is deleted on a server.
        assert!(
            server.said().contains("apply --destructive") && !server.said().contains("--reset"),
            "{}",
            server.said()
        );
        return;
    }
    assert!(server.said().contains("mainstay dev --reset"), "{}", server.said());
    server.signal("TERM");
    server.wait();
    if engine() == Engine::Postgres {
        let ran = project.run(&["dev", "--reset"]);
        assert!(ran.stderr.contains("--reset deletes an embedded database alone"), "{ran:?}");
        return;
    }
    let server = project.start(&["dev", "--reset"]);
    let (_, page) = server.get("/api/notes", &[("fields", "head")], Some(&anna)).await;
    assert_eq!(page["items"], json!([]));
}

#[tokio::test]
async fn a_schema_that_is_wrong_from_the_start_is_waited_for() {
    let project = Project::with_schema("type Note {");
    let server = project.spawn(&["dev"]);
    server.wait_for("waiting for the schema to be repaired");
    project.write("schema.graphql", SCHEMA);
    let anna = project.token(&["--sub", "anna"]);
    assert_eq!(server.get("/api/notes", &[], Some(&anna)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_refused_request_is_explained_in_the_terminal() {
    let project = Project::with_schema(SCHEMA);
    let anna = project.token(&["--sub", "anna"]);
    let bob = project.token(&["--sub", "bob"]);
    let server = project.start(&["dev"]);
    let (_, note) = server.post("/api/notes", &json!({"text": "a"}), Some(&anna)).await;
    let path = format!("/api/notes/{}", note["id"].as_str().unwrap());
    assert_eq!(server.get(&path, &[], Some(&bob)).await.0, StatusCode::NOT_FOUND);
    assert_eq!(server.post("/api/notes", &json!({"text": "a"}), None).await.0, StatusCode::UNAUTHORIZED);
    server.wait_for("owner == auth.id");
}

#[tokio::test]
async fn a_slow_request_is_told_with_its_plan_and_the_missing_index_and_no_values() {
    let project = Project::with_schema("type Note @rules(read: \"true\") { text: String! rank: Int! other: Int }");
    // Enough to be slow.
    let count = if engine() == Engine::Postgres { 500 } else { 20_000 };
    let notes: Vec<_> = (0..count).map(|rank| json!({"text": "secret words", "rank": rank})).collect();
    project.write("seed/notes.json", &json!({ "notes": notes }).to_string());
    project.write("mainstay.toml", "[dev]\nslow_ms = 1\n");
    let server = project.start(&["dev"]);
    server.get("/api/notes", &[("sort", "rank"), ("filter", "other == null || text.contains('secret')")], None).await;
    server.wait_for("slow read");
    server.wait_for("missing: type Note @index(fields: [");
    assert!(server.said().contains("because no index gives rank"), "{}", server.said());
    assert!(!server.said().contains("secret"), "{}", server.said());
}

#[test]
fn a_database_of_another_machine_is_asked_for() {
    let project = Project::with_schema(SCHEMA).env("MAINSTAY_DATABASE_URL", "postgres://app:geheim@db.invalid/shop");
    let ran = project.run(&["dev"]);
    assert_eq!(ran.code, Some(1));
    let told = "the database \"shop\" on db.invalid:5432 is on another machine";
    assert!(ran.stderr.contains(told) && ran.stderr.contains("--remote says that it may"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("geheim"), "{}", ran.stderr);
    let ran = project.run(&["dev", "--remote"]);
    assert!(ran.code == Some(1) && ran.stderr.contains("there is no host \"db.invalid\""), "{}", ran.stderr);
    let ran = project.run(&["dev", "--reset", "--remote"]);
    assert!(ran.code == Some(1) && ran.stderr.contains("--reset deletes an embedded database alone"), "{}", ran.stderr);
}

#[tokio::test]
async fn beside_other_nodes_it_takes_additive_steps_alone() {
    postgres_only!("several nodes need a server");
    let secret = "a secret of the tests that is long enough";
    let project = Project::with_schema(SCHEMA).env("MAINSTAY_AUTH_JWT_SECRET", secret);
    let _node = project.start(&["serve", "--apply", "safe"]);
    let dev = project.start(&["dev"]);
    dev.wait_for("database          \"mainstay_test_");
    project.write("schema.graphql", &SCHEMA.replace("text: String!", "text: String! more: Int"));
    dev.wait_for("the schema has changed: it is served");
    project.write("schema.graphql", &SCHEMA.replace("text: String!", "text: String! more: Int @unique"));
    dev.wait_for("other nodes serve this database");
}

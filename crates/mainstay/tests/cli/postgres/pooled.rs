//! Through pgbouncer in transaction mode: what a session would remember is never used.
use mainstay_servers::Pgbouncer;
use mainstay_test_db::postgres_only;
use reqwest::StatusCode;
use serde_json::json;

use super::Site;
use crate::support::Project;

const SCHEMA: &str = r#"
type Note @rules(read: "true", write: "true") {
  text: String! @unique
  weight: Float!
  day: DateTime
  parts: [Part!]! @inverse(field: "note")
}
type Part @rules(read: "true", write: "true") { note: Note! @onDelete(do: CASCADE) weight: Float! }
"#;

#[tokio::test]
async fn everything_goes_through_a_pool_of_transactions() {
    postgres_only!("pgbouncer before a server");
    let site = Site::new();
    let folder = tempfile::tempdir().unwrap();
    let pool = Pgbouncer::start(folder.path(), site.server.port()).unwrap();
    let project = Project::with_schema(SCHEMA)
        .env("MAINSTAY_DATABASE_URL", &format!("postgres://postgres@127.0.0.1:{}/postgres", pool.port()))
        .env("MAINSTAY_DATABASE_PGBOUNCER", "transaction")
        .env("MAINSTAY_AUTH_JWT_SECRET", "a secret of the tests that is long enough")
        .env("MAINSTAY_SERVER_NODE", "one");
    let token = project.token(&["--sub", "anna"]);
    let anna = Some(token.as_str());
    let server = project.start(&["serve", "--apply", "safe"]);
    let third = 1.0 / 3.0;
    let body = json!({"text": "a", "weight": third, "day": "2026-03-29T01:30:00Z", "parts": [{"weight": third}]});
    let (status, note) = server.post("/api/notes", &body, anna).await;
    assert_eq!(status, StatusCode::CREATED, "{note}");
    let path = format!("/api/notes/{}", note["id"].as_str().unwrap());
    for round in 0..20 {
        let text = format!("a{round}");
        let (status, answer) = server.patch(&path, &json!({ "text": text }), anna).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        // The server's own settings would cut digits and tell other days.
        let asked = [("fields", "text,weight,day,parts(weight)"), ("count", "true"), ("filter", "weight > 0.3")];
        let (status, page) = server.get("/api/notes", &asked, anna).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let expected =
            json!({"text": text, "weight": third, "day": "2026-03-29T01:30:00.000000Z", "parts": [{"weight": third}]});
        assert_eq!((&page["items"], &page["count"]), (&json!([expected]), &json!(1)), "round {round}");
    }
    let (status, answer) = server.post("/api/notes", &json!({"text": "a19", "weight": 1}), anna).await;
    assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!("not_unique")));
    let ops = json!({"ops": [{"op": "delete", "in": "notes", "id": note["id"]}]});
    let (status, answer) = server.post("/api/batch", &ops, anna).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(server.get("/api/parts", &[], anna).await.1["items"], json!([]));
    let (_, nodes) = project.json(&["nodes"]);
    assert_eq!(nodes["nodes"][0]["name"], json!("one"), "{nodes}");
    drop(server);
    project.write("notes.ndjson", "{\"text\": \"i\", \"weight\": 0.1}\n{\"text\": \"j\", \"weight\": 1e300}\n");
    project.ok(&["import", "notes.ndjson"]);
    let exported = project.ok(&["export", "notes", "--out", "-"]);
    assert!(exported.contains("0.1") && exported.contains("1e300"), "{exported}");
    project.write("schema.graphql", &SCHEMA.replace("weight: Float!\n  day", "weight: Float! @index more: Int\n  day"));
    project.ok(&["apply", "--yes"]);
    assert!(project.ok(&["plan"]).contains("nothing to do"));
}

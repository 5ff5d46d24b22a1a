//! A server that comes back as a standby while a node runs: it is read, and takes no writes until it is promoted.
use mainstay_servers::Stop;
use mainstay_test_db::postgres_only;
use serde_json::json;

use super::{SCHEMA, Site};
use crate::support::Project;

#[tokio::test]
async fn a_standby_is_read_and_whoever_writes_is_told_to_come_again() {
    postgres_only!("a server of its own becomes a standby");
    let site = Site::new();
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", site.server.port());
    let project =
        Project::with_schema(SCHEMA).env("MAINSTAY_DATABASE_URL", &url).env("MAINSTAY_AUTH_ANONYMOUS_ONLY", "true");
    let project = project.env("MAINSTAY_DATABASE_CONNECTIONS", "1");
    let session = || {
        let asks = "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE query LIKE '%FROM \"notes\"%'";
        site.server.sql("postgres", &[&format!("{asks} AND pid <> pg_backend_pid()")]).unwrap()
    };
    let server = project.start(&["serve", "--apply", "safe"]);
    let (status, answer) = server.post("/api/notes", &json!({"text": "a"}), None).await;
    assert_eq!(status.as_u16(), 201, "{answer}");
    site.server.end(Stop::Fast).unwrap();
    site.server.put("standby.signal", "").unwrap();
    site.server.begin().unwrap();
    let batch = json!({"ops": [
        {"op": "create", "in": "notes", "data": {"text": "b"}},
        {"op": "create", "in": "notes", "data": {"text": "c"}},
    ]});
    // Until a connection is tried again, everybody is told that the database is away.
    while server.get("/api/notes", &[], None).await.0.as_u16() != 200 {}
    let before = session();
    for (path, body) in [("/api/notes", json!({"text": "b"})), ("/api/batch", batch)] {
        let (status, answer) = server.post(path, &body, None).await;
        assert_eq!((status.as_u16(), &answer["code"]), (503, &json!("not_ready")), "{path}: {answer}");
    }
    // Where there is another primary by then, a new connection finds it.
    assert_eq!(server.get("/api/notes", &[], None).await.0.as_u16(), 200);
    let after = session();
    assert!(!before.is_empty() && !after.is_empty() && before != after, "{before}, {after}");
    site.server.sql("postgres", &["SELECT pg_promote()"]).unwrap();
    let (status, answer) = server.post("/api/notes", &json!({"text": "d"}), None).await;
    assert_eq!(status.as_u16(), 201, "{answer}");
    let (_, answer) = server.get("/api/notes", &[("fields", "text"), ("sort", "text")], None).await;
    assert_eq!(answer["items"], json!([{"text": "a"}, {"text": "d"}]));
}

//! A server that has no room for as many connections as a process may want.
use std::sync::Arc;

use mainstay_test_db::postgres_only;
use serde_json::json;

use super::{SCHEMA, Site};
use crate::support::Project;

#[tokio::test]
async fn who_finds_no_room_for_one_more_connection_waits_for_those_that_there_are() {
    postgres_only!("connections that are counted");
    let site = Site::new();
    let few = ["CREATE ROLE few LOGIN CONNECTION LIMIT 8", "CREATE DATABASE few OWNER few"];
    site.server.sql("postgres", &few).unwrap();
    let url = format!("postgres://few@127.0.0.1:{}/few?sslmode=disable", site.server.port());
    let project =
        Project::with_schema(SCHEMA).env("MAINSTAY_DATABASE_URL", &url).env("MAINSTAY_AUTH_ANONYMOUS_ONLY", "true");
    let server = Arc::new(project.start(&["serve", "--apply", "safe"]));
    for round in 0..4 {
        let mut running = Vec::new();
        for at in 0..64 {
            let server = server.clone();
            running.push(tokio::spawn(async move {
                let (status, answer) =
                    server.post("/api/notes", &json!({ "text": format!("{round} {at}") }), None).await;
                assert_eq!(status.as_u16(), 201, "{answer}");
                let (status, answer) = server.get("/api/notes", &[("limit", "20")], None).await;
                assert_eq!(status.as_u16(), 200, "{answer}");
            }));
        }
        for one in running {
            one.await.unwrap();
        }
    }
    let said = server.said();
    assert!(said.contains("has no room for more connections: too many connections for role"), "{said}");
    assert!(said.contains("database.connections") && !said.contains("cannot be reached"), "{said}");
}

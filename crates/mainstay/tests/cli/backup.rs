//! A copy of the database that is made while the server writes.
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use mainstay_test_db::sqlite_only;
use reqwest::StatusCode;
use rusqlite::Connection;
use serde_json::json;

use crate::support::Project;

const SCHEMA: &str = r#"type Pair @rules(read: "true", write: "true") { left: Int! right: Int! }"#;

/// The pairs of a copy: how many, and how many different numbers they hold. All are written at once, so that it is one.
fn look(copy: &std::path::Path) -> (i64, i64) {
    let copy = Connection::open(copy).unwrap();
    let sound: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let sql = r#"SELECT count(*) / 2, count(DISTINCT n) FROM (SELECT "left" n FROM pairs UNION ALL SELECT "right" FROM pairs)"#;
    copy.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_under_writes_is_whole_and_starts() {
    sqlite_only!("copies its file");
    let project = Project::with_schema(SCHEMA).env("MAINSTAY_AUTH_ANONYMOUS_ONLY", "true");
    let mut server = project.start(&["serve", "--apply", "safe"]);
    let pairs: Vec<_> = (0..100).map(|_| json!({"left": 0, "right": 0})).collect();
    assert_eq!(server.post("/api/pairs", &json!(pairs), None).await.0, StatusCode::CREATED);
    let (ended, address) = (Arc::new(AtomicBool::new(false)), server.address());
    let writes = {
        let (ended, client) = (ended.clone(), reqwest::Client::builder().no_proxy().build().unwrap());
        tokio::spawn(async move {
            let mut number = 0;
            while !ended.load(Relaxed) {
                number += 1;
                let body = json!({"left": number, "right": number}).to_string();
                let call = client.patch(format!("{address}/api/pairs?filter=true"));
                let answer = call.header("content-type", "application/json").body(body).send().await.unwrap();
                assert_eq!(answer.status(), StatusCode::OK);
            }
            number
        })
    };
    let database = project.path("data/mainstay.db");
    for number in 0..5 {
        let copy = project.path(&format!("copy{number}.db"));
        let text = copy.display().to_string();
        let database = database.clone();
        let made = tokio::task::spawn_blocking(move || {
            let connection = Connection::open(database).unwrap();
            connection.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
            connection.execute("VACUUM INTO ?1", [text]).unwrap();
        });
        made.await.unwrap();
        assert_eq!(look(&copy), (100, 1));
    }
    ended.store(true, Relaxed);
    assert!(writes.await.unwrap() > 0);
    server.signal("TERM");
    server.wait();
    for behind in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(project.path(&format!("data/mainstay.db{behind}")));
    }
    std::fs::copy(project.path("copy4.db"), &database).unwrap();
    let server = project.start(&["serve"]);
    let (_, page) = server.get("/api/pairs", &[("count", "true"), ("limit", "1")], None).await;
    assert_eq!(page["count"], 100);
}

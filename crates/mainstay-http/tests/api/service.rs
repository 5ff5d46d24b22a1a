//! Probes, counters, the page.
use mainstay_testing::TestApp;

use crate::skills;

#[tokio::test]
async fn probes() {
    let app = skills().await;
    let live = app.get("/healthz").await;
    assert_eq!((live.status, live.text.as_str(), live.header("cache-control")), (200, "ok\n", "no-store"));
    let ready = app.get("/readyz").await;
    assert_eq!((ready.status, ready.text.as_str()), (200, "ready\n"));
}

#[tokio::test]
async fn counters() {
    let app = skills().await;
    app.get("/api/skills").await;
    app.get("/api/skills/x").await;
    let metrics = app.get("/metrics").await;
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "mainstay_http_requests_total{kind=\"list\",status=\"2xx\"} 1",
        "mainstay_http_requests_total{kind=\"read\",status=\"4xx\"} 1",
        "mainstay_http_requests_total{kind=\"create\",status=\"2xx\"} 3",
        "mainstay_http_requests_in_flight 1",
        "mainstay_database_errors_total 0",
    ] {
        assert!(metrics.text.lines().any(|found| found == line), "{line} is not in\n{}", metrics.text);
    }
}

#[tokio::test]
async fn the_page_asks_no_other_address() {
    let app = TestApp::with_schema("type Note { text: String! }").await;
    let page = app.get("/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    for path in ["/docs", "/docs/page.css", "/docs/page.js", "/docs/errors"] {
        let part = app.get(path).await;
        assert_eq!(part.status, 200, "{path}");
        assert!(!part.text.contains("http://") && !part.text.contains("https://cdn"), "{path} names an address");
        assert_eq!(part.header("x-content-type-options"), "nosniff");
        let again = app.anonymous().header("if-none-match", part.header("etag")).get(path).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
    }
}

#[tokio::test]
async fn every_code_has_an_entry_where_its_type_points() {
    let app = TestApp::with_schema("type Note { text: String! }").await;
    let problem = app.get("/nothing").await.json();
    let (page, anchor) = problem["type"].as_str().expect("a type").split_once('#').expect("an anchor");
    assert!(app.get(page).await.text.contains(&format!("id=\"{anchor}\"")));
    let markdown = mainstay_http::problem::errors_markdown();
    assert!(markdown.contains(&format!("\n## {anchor}\n")));
}

#[tokio::test]
async fn another_schema_is_served_from_the_next_request_on() {
    let app = TestApp::with_schema(r#"type Note @rules(read: "true") { text: String! }"#).await;
    let other = TestApp::with_schema(r#"type Task @rules(read: "true") { text: String! }"#).await;
    assert_eq!(app.get("/api/tasks").await.status, 404);
    let settings = mainstay_auth::AuthSettings::default();
    let authenticator = mainstay_auth::Authenticator::new(&settings, &[]).expect("no keys are fine");
    app.app().swap(other.app().core(), std::sync::Arc::new(authenticator));
    assert_eq!(app.get("/api/tasks").await.status, 200);
    assert_eq!(app.get("/api/notes").await.status, 404);
    assert!(app.get("/openapi.json").await.text.contains("/api/tasks"));
}

#[tokio::test]
async fn tables_that_do_not_fit_are_told_instead_of_answers() {
    let app = skills().await;
    app.app().set_unfit(Some("make \"name\" of \"skills\" required"));
    for path in ["/readyz", "/api/skills", "/api/skills/x", "/api/query"] {
        let reply = match path {
            "/api/query" => app.anonymous().post(path, serde_json::json!({"from": "skills"})).await,
            path => app.get(path).await,
        };
        assert_eq!((reply.status, reply.header("retry-after")), (503, "1"), "{path}: {}", reply.text);
        // Which step it is stands in the log.
        assert_eq!(reply.json()["code"], "schema_outdated", "{path}");
        assert!(!reply.text.contains("skills"), "{path}: {}", reply.text);
    }
    for path in ["/healthz", "/openapi.json", "/metrics"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
    app.app().set_unfit(None);
    assert_eq!(app.get("/readyz").await.status, 200);
    assert_eq!(app.get("/api/skills").await.status, 200);
}

#[tokio::test]
async fn a_node_that_alone_writes_its_database_is_elected() {
    mainstay_test_db::sqlite_only!("on a server who is elected is asked of it");
    let metrics = skills().await.get("/metrics").await;
    assert!(metrics.text.lines().any(|line| line == "mainstay_node_leader 1"), "{}", metrics.text);
}

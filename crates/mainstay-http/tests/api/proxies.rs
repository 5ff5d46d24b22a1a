//! Behind proxies: whose address is believed, which node answered, and how a node goes.
use std::time::Duration;

use mainstay_http::{ForwardedHeader, HttpSettings};
use mainstay_testing::{Setup, TestApp};

/// Readable from one address alone.
const OFFICE: &str = r#"type Note @rules(read: "request.ip == '203.0.113.9'", create: "true") { text: String! }"#;

async fn office(http: impl FnOnce(&mut HttpSettings)) -> TestApp {
    let app = Setup::new(OFFICE).http(http).start().await;
    app.seed("notes", [serde_json::json!({ "text": "a" })]).await;
    app
}

fn trusts_this_machine(http: &mut HttpSettings) {
    http.forwarded.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
}

async fn seen(app: &TestApp, header: &str, value: &str) -> usize {
    let page = app.anonymous().header(header, value).get("/api/notes").await;
    if page.status == 200 { page.items().len() } else { 0 }
}

#[tokio::test]
async fn without_trusted_proxies_no_header_is_believed() {
    let app = office(|_| {}).await;
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        assert_eq!(seen(&app, header, "203.0.113.9").await, 0, "{header}");
    }
    let elsewhere =
        office(|http| http.forwarded.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")]).await;
    assert_eq!(seen(&elsewhere, "x-forwarded-for", "203.0.113.9").await, 0);
}

#[tokio::test]
async fn a_trusted_proxy_tells_the_address_of_the_client() {
    let app = office(trusts_this_machine).await;
    assert_eq!(seen(&app, "x-forwarded-for", "203.0.113.9").await, 1);
    assert_eq!(seen(&app, "x-forwarded-for", "203.0.113.9, 127.0.0.2").await, 1);
    // The client wrote the first, the proxy the last.
    assert_eq!(seen(&app, "x-forwarded-for", "203.0.113.9, 198.51.100.1").await, 0);
    for other in [("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "office"), ("x-forwarded-for", "")] {
        assert_eq!(seen(&app, other.0, other.1).await, 0, "{other:?}");
    }
}

#[tokio::test]
async fn the_standard_header_is_read_where_it_is_chosen() {
    let app = office(|http| {
        trusts_this_machine(http);
        http.forwarded.header = ForwardedHeader::Forwarded;
    })
    .await;
    assert_eq!(seen(&app, "forwarded", "for=203.0.113.9;proto=https").await, 1);
    assert_eq!(seen(&app, "x-forwarded-for", "203.0.113.9").await, 0);
}

#[tokio::test]
async fn the_node_is_told_where_that_is_wanted() {
    assert!(office(|_| {}).await.get("/healthz").await.headers.get("mainstay-node").is_none());
    let app = office(|http| http.node = Some("a-1".to_owned())).await;
    for path in ["/healthz", "/api/notes", "/api/nothing", "/nowhere"] {
        assert_eq!(app.get(path).await.header("mainstay-node"), "a-1", "{path}");
    }
}

#[tokio::test]
async fn a_node_that_is_about_to_go_says_so_and_still_answers() {
    let mut app = office(|http| http.drain_delay = Duration::from_secs(600)).await;
    assert_eq!(app.get("/readyz").await.status, 200);
    app.begin_stop();
    let leaving = loop {
        let ready = app.get("/readyz").await;
        if ready.status != 200 {
            break ready;
        }
    };
    assert_eq!((leaving.status, leaving.code().as_str()), (503, "not_ready"));
    for _ in 0..3 {
        let created = app.anonymous().post("/api/notes", serde_json::json!({ "text": "b" })).await;
        assert_eq!((created.status, created.header("connection")), (201, "close"));
    }
    assert_eq!(app.get("/healthz").await.status, 200);
}

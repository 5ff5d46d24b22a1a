//! CORS: which pages of other origins may call.
use mainstay_testing::{Reply, Setup, TestApp};
use reqwest::Method;
use serde_json::json;

const NOTES: &str = r#"type Note @rules(read: "true", create: "true") { text: String }"#;

async fn app(origins: &[&str], credentials: bool) -> TestApp {
    let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
    let set =
        |http: &mut mainstay_http::HttpSettings| (http.cors.origins, http.cors.credentials) = (origins, credentials);
    Setup::new(NOTES).http(set).start().await
}

async fn preflight(app: &TestApp, origin: &str, path: &str) -> Reply {
    let page = app.anonymous().header("origin", origin).header("access-control-request-method", "PATCH");
    page.send(Method::OPTIONS, path, None).await
}

/// The headers of CORS that an answer has.
fn told(reply: &Reply) -> Vec<String> {
    let names = reply.headers.keys().filter(|name| name.as_str().starts_with("access-control"));
    names.map(|name| format!("{name}: {}", reply.header(name.as_str()))).collect()
}

#[tokio::test]
async fn nobody_may_unless_the_settings_say_so() {
    let app = app(&[], false).await;
    for reply in [
        preflight(&app, "https://a.example", "/api/notes").await,
        app.anonymous().header("origin", "https://a.example").get("/api/notes").await,
    ] {
        assert!(told(&reply).is_empty(), "{:?}", reply.headers);
    }
    let app = self::app(&["https://a.example"], true).await;
    for origin in ["https://b.example", "http://a.example", "https://a.example.evil", "null", "*", ""] {
        let reply = preflight(&app, origin, "/api/notes").await;
        assert!(told(&reply).is_empty(), "{origin}: {:?}", reply.headers);
        let reply = app.anonymous().header("origin", origin).get("/api/notes").await;
        assert!(told(&reply).is_empty(), "{origin}: {:?}", reply.headers);
        assert!(reply.headers.get_all("vary").iter().any(|vary| vary == "origin"), "{:?}", reply.headers);
    }
}

#[tokio::test]
async fn a_page_of_a_named_origin_may_call_and_read_what_it_needs() {
    let app = app(&["https://a.example", "https://b.example"], true).await;
    for path in ["/api/notes", "/api/notes/x", "/api/batch", "/api/query", "/openapi.json", "/healthz"] {
        let reply = preflight(&app, "https://b.example", path).await;
        assert_eq!(reply.status, 204, "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), "https://b.example", "{path}");
        assert_eq!(reply.header("access-control-allow-methods"), reply.header("allow"), "{path}");
        assert_eq!(reply.header("access-control-allow-credentials"), "true");
        assert_eq!(reply.header("access-control-max-age"), "600");
        assert!(reply.header("access-control-allow-headers").contains("idempotency-key"));
    }
    let page = app.anonymous().header("origin", "https://a.example");
    for reply in
        [page.post("/api/notes", json!({"text": "x"})).await, page.post("/api/notes", json!({"text": 3})).await]
    {
        assert_eq!(reply.header("access-control-allow-origin"), "https://a.example", "{}", reply.status);
        for name in ["etag", "location", "retry-after", "x-request-id"] {
            assert!(reply.header("access-control-expose-headers").contains(name), "{name}");
        }
    }
}

#[tokio::test]
async fn all_origins_never_come_with_credentials() {
    let open = app(&["*"], false).await;
    let reply = open.anonymous().header("origin", "https://x.example").get("/api/notes").await;
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("access-control-allow-credentials"), "");
    let wrong = app(&["*"], true).await;
    let reply = wrong.anonymous().header("origin", "https://x.example").get("/api/notes").await;
    assert!(told(&reply).is_empty(), "{:?}", reply.headers);
}

//! Tokens: a wrong one is 401, never taken as none.
use insta::assert_snapshot;
use mainstay_auth::NewToken;
use mainstay_testing::TestApp;

const OPEN: &str = r#"type Note @rules(read: "true", create: "auth != null") { text: String! }"#;

#[tokio::test]
async fn a_wrong_token_is_refused_even_where_none_is_needed() {
    let app = TestApp::with_schema(OPEN).await;
    let reply = app.bearer("x.y.z").get("/api/notes").await;
    assert_snapshot!(reply, @r#"401 {"type":"/docs/errors#invalid_token","title":"invalid token","status":401,"code":"invalid_token","detail":"the token is malformed: a part is not base64url","hint":"sign in again","requestId":"[request]"}"#);
    assert_eq!(reply.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    assert_eq!(app.anonymous().get("/api/notes").await.status, 200);
}

#[tokio::test]
async fn forged_and_expired_tokens_are_refused() {
    let app = TestApp::with_schema(OPEN).await;
    let good = app.token(&NewToken { sub: "anna", ttl_s: 60, ..NewToken::default() });
    assert_eq!(app.bearer(&good).get("/api/notes").await.status, 200);
    let (head, signature) = good.rsplit_once('.').expect("a signature");
    let (header, payload) = head.split_once('.').expect("a payload");
    let none = "eyJhbGciOiJub25lIn0";
    for forged in [
        format!("{head}."),
        head.to_owned(),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        format!("{header}.{payload}x.{signature}"),
        format!("{good}x"),
    ] {
        assert_eq!(app.bearer(&forged).get("/api/notes").await.status, 401, "{forged}");
    }
}

#[tokio::test]
async fn only_bearer_is_understood() {
    let app = TestApp::with_schema(OPEN).await;
    for header in ["Basic YTpi", "Bearer", "Bearer ", "x"] {
        let reply = app.anonymous().header("authorization", header).get("/api/notes").await;
        assert_eq!((reply.status, reply.code()), (401, "invalid_token".into()), "{header}");
    }
    let token = app.token(&NewToken { sub: "anna", ttl_s: 60, ..NewToken::default() });
    let twice = format!(
        "GET /api/notes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    assert!(app.raw(twice.as_bytes()).await.starts_with("HTTP/1.1 401 "));
    let small = app.anonymous().header("authorization", &format!("bearer {token}")).get("/api/notes").await;
    assert_eq!(small.status, 200);
}

//! What sent values become, on writes and on look-ups alike.
use mainstay_testing::{TestApp, refused_schema};
use serde_json::json;

const SCHEMA: &str = r#"
    type Account @rules(read: "true", write: "true") {
      email: String! @unique @normalize(expr: "email.trim().lowerAscii()") @check(expr: "size(email) < 20")
      nick: String @normalize(expr: "size(nick.trim()) == 0 ? null : nick.trim()")
      level: Int @normalize(expr: "100 / level")
      name: String! @default(value: "x") @normalize(expr: "size(name) > 3 ? null : name")
      posts: [Post!]! @inverse(field: "author")
    }
    type Post @rules(read: "true", write: "true") { title: String  author: Account }
"#;

#[tokio::test]
async fn what_cannot_be_normalized_is_refused() {
    let app = TestApp::with_schema(SCHEMA).await;
    for (body, pointer) in [
        (json!({"email": "a", "level": 0}), "/level"),
        (json!({"email": "a", "name": "long name"}), "/name"),
        (json!({"email": "123456789012345678901"}), "/email"),
        (json!({"email": 7}), "/email"),
    ] {
        let refused = app.anonymous().post("/api/accounts", body.clone()).await;
        assert!(refused.status == 422 && refused.text.contains(pointer), "{body}: {}", refused.text);
    }
}

#[tokio::test]
async fn lengths_and_forms_are_those_of_what_it_becomes() {
    let schema = r#"type A @rules(read: "true", write: "true") {
      code: String @unique @normalize(expr: "code.trim()") @check(expr: "size(code) <= 3", message: "three", code: "len")
      mail: Email @unique @normalize(expr: "size(mail.trim()) == 0 ? null : mail.trim().lowerAscii()")
      site: URL @normalize(expr: "'https://' + site")
      plain: String @check(expr: "size(plain) <= 3")
    }"#;
    let app = TestApp::with_schema(schema).await;
    let client = app.anonymous();
    for (body, expected) in [
        (json!({"code": "abcd"}), "\"len\""),
        (json!({"plain": "abcd"}), "\"too_long\""),
        (json!({"mail": " no mail "}), "/mail"),
        (json!({"site": "a b"}), "/site"),
        (json!({"code": "\u{0}"}), "/code"),
        (json!({"code": ["a"]}), "/code"),
    ] {
        let refused = client.post("/api/as", body.clone()).await;
        assert!(refused.status == 422 && refused.text.contains(expected), "{body}: {}", refused.text);
    }
    let spaces = " ".repeat(1000);
    let body = json!({"code": format!("{spaces}abc"), "mail": format!("{spaces}Ann@X.org "), "site": "x.org"});
    let made = client.post("/api/as", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let json = made.json();
    assert_eq!(
        (&json["code"], &json["mail"], &json["site"]),
        (&json!("abc"), &json!("ann@x.org"), &json!("https://x.org"))
    );
    assert_eq!(client.get("/api/as/by/mail/%20ANN@x.org").await.id(), made.id());
    assert_eq!(client.get("/api/as/by/code/abcd").await.status, 404);
    assert_eq!(client.post("/api/as", json!({"mail": "  "})).await.json()["mail"], json!(null));
}

#[tokio::test]
async fn writes_and_look_ups_agree() {
    let app = TestApp::with_schema(SCHEMA).await;
    let client = app.anonymous();
    let made = client.post("/api/accounts", json!({"email": "  Ann@X.org ", "nick": "  ", "level": 5})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let json = made.json();
    assert_eq!((&json["email"], &json["nick"], &json["level"]), (&json!("ann@x.org"), &json!(null), &json!(20)));
    // Unique is what it becomes.
    assert_eq!(client.post("/api/accounts", json!({"email": "ANN@x.org"})).await.status, 409);
    assert_eq!(client.get("/api/accounts/by/email/ANN@X.ORG").await.id(), made.id());
    let post = client.post("/api/posts", json!({"title": "t", "author": {"by": {"email": "Ann@x.ORG"}}})).await;
    assert_eq!(post.json()["author"], made.id().as_str(), "{}", post.text);
    let upsert = client.post("/api/accounts?upsert=email", json!({"email": "ANN@X.org", "nick": " a "})).await;
    assert_eq!((upsert.status, upsert.id(), &upsert.json()["nick"]), (200, made.id(), &json!("a")));
    let ops =
        json!({"ops": [{"op": "update", "in": "accounts", "by": {"email": " ann@X.org"}, "data": {"nick": "b "}}]});
    assert_eq!(client.post("/api/batch", ops).await.json()["results"][0]["nick"], "b");
    let changed = client.patch("/api/accounts/by/email/Ann@x.org", json!({"email": "BOB@x.org"})).await;
    assert_eq!(changed.json()["email"], "bob@x.org");
    // Filters compare what is stored.
    assert_eq!(client.get("/api/accounts?filter=email == 'BOB@x.org'").await.items().len(), 0);
    assert_eq!(client.get("/api/accounts?filter=email == 'bob@x.org'").await.items().len(), 1);
}

#[test]
fn it_reads_its_own_field_alone() {
    let check = |fields: &str, expected: &str| {
        let text = format!("type A @rules(read: \"true\") {{ {fields} }}");
        let errors = refused_schema(&text);
        assert!(errors.contains(expected), "{errors}");
    };
    check("n: String m: String @normalize(expr: \"n\")", "reads \"m\" alone");
    check("n: String @normalize(expr: \"n + auth.id\")", "reads \"n\" alone");
    check("n: String @set(create: \"auth.id\") @normalize(expr: \"n\")", "nobody sends \"A.n\"");
    check("n: [String!] @normalize(expr: \"n\")", "does nothing here");
}

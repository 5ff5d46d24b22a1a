//! `@hidden`: a field that only admins and the schema's own expressions see. No other caller reads it, names it, or learns that
//! it is there; who may write the record may send it.
use mainstay_testing::TestApp;
use serde_json::{Value as Json, json};

const SCHEMA: &str = r#"
extend schema @define(name: "isSecretive", expr: "'x' == 'x'")
type Account @rules(read: "true", write: "auth != null")
  @define(name: "isRich", expr: "secretCode == 'gold'")
  @check(expr: "secretCode == null || size(secretCode) <= 8", message: "the code is too long")
  @unique(fields: ["name", "secretCode"])
{
  name: String!
  email: String @unique
  secretCode: String @hidden
  secretNumber: Int! @hidden @unique @default(value: 7)
  secretFriend: Account @hidden
  secretFriends: [Account!]! @hidden @many
  seenByCode: Boolean! @default(value: false)
  notes: [Note!]! @inverse(field: "account")
}
type Note @rules(read: "account.secretCode == 'gold'", write: "auth != null") {
  account: Account!
  text: String!
}
"#;

async fn world() -> (TestApp, Vec<String>) {
    let app = TestApp::with_schema(SCHEMA).await;
    let accounts = [
        json!({"name": "anna", "email": "a@b.c", "secretCode": "gold", "secretNumber": 1}),
        json!({"name": "bert", "secretCode": "iron", "secretNumber": 2}),
    ];
    let ids = app.seed("accounts", accounts).await;
    let notes = [json!({"account": ids[0], "text": "of anna"}), json!({"account": ids[1], "text": "of bert"})];
    app.seed("notes", notes).await;
    (app, ids)
}

/// The answer to a name that is hidden is word for word that to a name that is not there, with the name itself replaced.
async fn same_as_unknown(app: &TestApp, path: &str) {
    for name in ["secretCode", "secretNumber", "secretFriend"] {
        let hidden = app.user("anna").get(&path.replace("NAME", name)).await;
        let unknown = app.user("anna").get(&path.replace("NAME", "zzzzzzzzzz")).await;
        assert!(hidden.status >= 400, "{path} {name}: {}", hidden.text);
        assert_eq!(hidden.status, unknown.status, "{path} {name}: {}", hidden.text);
        let words = |text: &str| text.replace(name, "…").replace("zzzzzzzzzz", "…");
        let parts = |reply: &mainstay_testing::Reply| {
            let problem: Json = reply.json();
            ["code", "detail", "hint"].map(|part| words(problem[part].as_str().unwrap_or_default()))
        };
        let column = |text: String| text.split(" at column").next().unwrap_or_default().to_owned();
        assert_eq!(parts(&hidden).map(column), parts(&unknown).map(column), "{path} {name}");
    }
}

#[tokio::test]
async fn nobody_but_admins_names_it() {
    let (app, ids) = world().await;
    for path in [
        "/api/accounts?filter=NAME%20==%20null",
        "/api/accounts?sort=NAME",
        "/api/accounts?sort=NAME.name",
        "/api/accounts?fields=name,NAME",
        "/api/accounts?fields=n:NAME",
        "/api/accounts?fields=NAME(id)",
        "/api/accounts?fields=size(NAME)",
        "/api/accounts/by/NAME/1",
        "/api/accounts/by/name,NAME/anna,gold",
        "/api/notes?filter=account.NAME%20==%20null",
        "/api/notes?sort=account.NAME",
        "/api/notes?fields=account(NAME)",
        "/api/accounts?fields=notes(text;filter:account.NAME==null)",
        "/api/accounts?fields=notes(text;sort:account.NAME)",
        "/api/accounts?group=NAME&select=count",
        "/api/accounts?group=x:NAME&select=count",
        "/api/accounts?group=name&select=x:max(NAME)",
        "/api/accounts?group=name&select=x:countDistinct(NAME)",
        "/api/notes?group=account.NAME&select=count",
        "/api/notes?group=text&select=x:min(account.NAME)",
        "/api/accounts?fields=x:max(notes.account.NAME)",
        "/api/accounts?fields=x:count(notes.account.NAME)",
        "/api/accounts?fields=x:size(notes;filter:account.NAME==null)",
    ] {
        same_as_unknown(&app, path).await;
    }
    same_as_unknown(&app, &format!("/api/accounts/{}?fields=NAME", ids[0])).await;
    // A to-many link is no field either.
    let reply = app.user("anna").get("/api/accounts?fields=secretFriends(id)").await;
    assert_eq!(
        reply.problem(),
        "400 invalid_argument: no field named \"secretFriends\" in \"Account\"",
        "{}",
        reply.text
    );
}

#[tokio::test]
async fn no_hint_offers_its_name() {
    let (app, ids) = world().await;
    let anna = app.user("anna");
    for path in [
        "/api/accounts?filter=secretCod%20==%20null",
        "/api/accounts?sort=secretNumbe",
        "/api/accounts?fields=secretCod",
        "/api/accounts/by/secretNumbr/1",
        "/api/accounts/by/name/1",
        "/api/accounts?filter=isRich",
        "/api/accounts?filter=isRich%20%7C%7C%20true",
    ] {
        let reply = anna.get(path).await;
        assert!(reply.status >= 400, "{path}: {}", reply.text);
        let sent: Vec<&str> =
            ["secretCod", "secretNumbe", "secretNumbr"].into_iter().filter(|s| path.contains(s)).collect();
        let text = sent.iter().fold(reply.text.clone(), |text, sent| text.replace(&format!("{sent}\\\""), ""));
        assert!(!text.contains("secretCode") && !text.contains("secretNumber"), "{path}: {}", reply.text);
    }
    for body in [json!({"secretCod": "a"}), json!({"name": "x", "secretNumbr": 2})] {
        let reply = anna.post("/api/accounts", body.clone()).await;
        assert!(!reply.text.contains("secretCode") && !reply.text.contains("secretNumber\\"), "{body}: {}", reply.text);
    }
    let reply = anna.patch(&format!("/api/accounts/{}", ids[0]), json!({"secretFriendz": []})).await;
    assert!(!reply.text.contains("secretFriends"), "{}", reply.text);
    let link = json!({"account": {"by": {"secretNumber": 1}}, "text": "by what is hidden"});
    let reply = anna.post("/api/notes", link).await;
    assert_eq!(reply.status, 422, "{}", reply.text);
    assert!(reply.text.contains("no field named"), "{}", reply.text);
}

#[tokio::test]
async fn no_answer_holds_it() {
    let (app, ids) = world().await;
    let anna = app.user("anna");
    let record = format!("/api/accounts/{}", ids[0]);
    let created = anna.post("/api/accounts", json!({"name": "carl", "secretCode": "tin", "secretNumber": 3})).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let several = anna.post("/api/accounts", json!([{"name": "dora", "secretCode": "tin", "secretNumber": 4}])).await;
    let upserted =
        anna.post("/api/accounts?upsert=email", json!({"name": "anna", "email": "a@b.c", "secretCode": "gold"})).await;
    let changed = anna.patch(&record, json!({"secretCode": "gold", "name": "anne"})).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let batch = json!({"ops": [{"op": "create", "in": "accounts", "data": {"name": "eva", "secretCode": "tin", "secretNumber": 5}}]});
    let batch = anna.post("/api/batch", batch).await;
    assert_eq!(batch.status, 200, "{}", batch.text);
    let mut replies = vec![created, several, upserted, changed, batch];
    for path in [
        "/api/accounts",
        "/api/accounts?fields=*",
        "/api/accounts/by/email/a@b.c",
        "/api/notes?fields=account(*)",
        "/api/notes?fields=account()",
        "/api/accounts?fields=notes(account(*))",
        &record,
    ] {
        replies.push(anna.get(path).await);
    }
    for reply in replies {
        assert!(!reply.text.contains("secret") && !reply.text.contains("gold"), "{}", reply.text);
    }
}

#[tokio::test]
async fn a_message_of_a_conflict_tells_no_value() {
    let (app, _) = world().await;
    let taken = app.user("anna").post("/api/accounts", json!({"name": "carl", "secretNumber": 1})).await;
    assert_eq!(taken.status, 409, "{}", taken.text);
    assert!(!taken.text.contains("gold") && !taken.text.contains("anna"), "{}", taken.text);
}

#[tokio::test]
async fn who_may_write_the_record_may_send_it() {
    let (app, ids) = world().await;
    let anna = app.user("anna");
    let changed = anna.patch(&format!("/api/accounts/{}", ids[1]), json!({"secretCode": "gold"})).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert!(
        app.anonymous().patch(&format!("/api/accounts/{}", ids[1]), json!({"secretCode": "x"})).await.status == 401
    );
    // The schema's own expressions read it: the note is seen now, and the check asks it.
    assert_eq!(anna.get("/api/notes?sort=text").await.column("text"), ["of anna", "of bert"]);
    let long = anna.patch(&format!("/api/accounts/{}", ids[1]), json!({"secretCode": "much too long"})).await;
    assert_eq!(long.status, 422, "{}", long.text);
    let wrong = anna.patch(&format!("/api/accounts/{}", ids[1]), json!({"secretNumber": "x"})).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
}

#[tokio::test]
async fn admins_read_and_name_it() {
    let (app, ids) = world().await;
    let admin = app.admin();
    assert_eq!(admin.get("/api/accounts?filter=secretCode=='gold'").await.column("name"), ["anna"]);
    assert_eq!(admin.get("/api/accounts?filter=isRich").await.column("name"), ["anna"]);
    assert_eq!(admin.get("/api/accounts?sort=-secretNumber").await.column("name"), ["bert", "anna"]);
    assert_eq!(admin.get("/api/accounts/by/secretNumber/2").await.json()["name"], "bert");
    let record = admin.get(&format!("/api/accounts/{}", ids[0])).await.json();
    assert_eq!((&record["secretCode"], &record["secretNumber"]), (&json!("gold"), &json!(1)));
    // Plans of admins are nobody else's.
    assert_eq!(app.user("anna").get("/api/accounts?filter=secretCode=='gold'").await.status, 400);
    assert!(app.user("anna").get("/api/accounts").await.items()[0].get("secretCode").is_none());
}

#[tokio::test]
async fn openapi_says_that_it_may_be_sent_and_nothing_else() {
    let (app, _) = world().await;
    let api = app.anonymous().get("/openapi.json").await.json();
    let schemas = &api["components"]["schemas"];
    assert!(schemas["Account"]["properties"].get("secretCode").is_none());
    assert!(schemas["AccountCreate"]["properties"].get("secretCode").is_some());
    assert!(schemas["AccountUpdate"]["properties"].get("secretCode").is_some());
    let paths = serde_json::to_string(&api["paths"]).expect("JSON");
    assert!(!paths.contains("secretCode") && !paths.contains("secretNumber"), "{paths}");
}

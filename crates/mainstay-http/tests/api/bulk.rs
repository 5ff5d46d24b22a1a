//! `PATCH /api/{path}?filter=…` and `DELETE /api/{path}?filter=…`: all records that match, or none.
use std::sync::Arc;

use mainstay_testing::{Reply, Setup, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

const SHOP: &str = r#"
type Shelf @rules(read: "true", write: "auth.id == 'anna'") {
  name: String! @unique
  items: [Item!]! @inverse(field: "shelf")
}

type Item @rules(read: "open || owner == auth.id", list: "'clerk' in auth.roles", create: "true",
                 update: "owner == auth.id && stock < 1000", delete: "owner == auth.id && stock == 0") {
  owner: ID!
  name: String! @unique
  open: Boolean! @default(value: true)
  stock: Int! @check(expr: "stock >= 0", message: "none is left", code: "stock")
  limit: Int @check(expr: "limit == null || stock <= limit", message: "more than may be")
  note: String @rules(write: "auth.id == 'anna'")
  by: String @set(update: "auth.id")
  shelf: Shelf
  tags: [Tag!]! @many
  parts: [Part!]! @inverse(field: "item")
}

type Tag @rules(read: "shown", write: "true") { name: String! @unique  shown: Boolean! @default(value: true) }

type Part @rules(read: "true", write: "true") { name: String!  item: Item! @onDelete(do: CASCADE) }

type Safe { code: String! }
"#;

/// Of Anna: a, b and c, of which c is not open; of Ben: d, and e, which is not open.
async fn shop() -> TestApp {
    let app = TestApp::with_schema(SHOP).await;
    seed(&app).await;
    app
}

async fn seed(app: &TestApp) -> Vec<String> {
    let item = |name: &str, owner: &str, open: bool, stock: i32| json!({"name": name, "owner": owner, "open": open, "stock": stock});
    let items = [
        item("a", "anna", true, 1),
        item("b", "anna", true, 2),
        item("c", "anna", false, 3),
        item("d", "ben", true, 4),
        item("e", "ben", false, 5),
    ];
    app.seed("items", items).await
}

fn clerk(app: &TestApp, id: &str) -> mainstay_testing::Client {
    app.user_with(id, &["clerk"], &[])
}

async fn all(app: &TestApp) -> String {
    let page = "/api/items?fields=name,stock,limit,note,version,tags(name),shelf(name)&sort=name";
    app.admin().get(page).await.text
}

/// A call that is refused, and changes nothing.
async fn refused(app: &TestApp, who: &mainstay_testing::Client, method: &str, query: &str, body: Value) -> String {
    let before = all(app).await;
    let body = (method == "PATCH").then_some(body);
    let reply = who.send(method.parse().expect("a method"), &format!("/api/items?{query}"), body).await;
    assert_eq!(all(app).await, before, "{method} {query} changes nothing");
    problem(&reply)
}

/// The problem, with the ids replaced.
fn problem(reply: &Reply) -> String {
    assert!(reply.status >= 400, "{}", reply.text);
    let shown = reply.to_string();
    let json: Value = serde_json::from_str(&shown[4..]).expect("a problem");
    let fields =
        json["errors"].as_array().into_iter().flatten().map(|field| format!(" {} {}", field["pointer"], field["code"]));
    format!(
        "{} {}: {}{}",
        reply.status,
        json["code"].as_str().expect("a code"),
        json["detail"].as_str().expect("a detail"),
        fields.collect::<String>()
    )
}

#[tokio::test]
async fn who_is_refused() {
    let app = shop().await;
    let one = json!({"stock": 9});
    for method in ["PATCH", "DELETE"] {
        let nobody = refused(&app, &app.anonymous(), method, "filter=true", one.clone()).await;
        let word = if method == "PATCH" { "update" } else { "delete" };
        assert_eq!(nobody, format!("401 unauthenticated: the rule \"{word}\" of \"Item\" refuses"));
        let no_clerk = refused(&app, &app.user("anna"), method, "filter=true", one.clone()).await;
        assert_eq!(no_clerk, "403 forbidden: the rule \"list\" of \"Item\" refuses", "{method}");
        let safe = clerk(&app, "anna")
            .send(method.parse().expect("a method"), "/api/safes?filter=true", Some(one.clone()))
            .await;
        assert_eq!(safe.status, 403, "{}", safe.text);
        let of_ben = refused(&app, &clerk(&app, "anna"), method, "filter=name=='d'", one.clone()).await;
        assert_eq!(of_ben, format!("403 forbidden: the rule \"{word}\" of \"Item\" refuses: record \"[id]\""));
    }
    // The first two may be changed, and are not.
    let some = refused(&app, &clerk(&app, "anna"), "PATCH", "filter=open", one.clone()).await;
    assert_eq!(some, "403 forbidden: the rule \"update\" of \"Item\" refuses: record \"[id]\"");
    // Neither does the rule hold of what they become.
    let after = refused(&app, &clerk(&app, "anna"), "PATCH", "filter=name=='a'", json!({"stock": 1000})).await;
    assert_eq!(after, "403 forbidden: the rule \"update\" of \"Item\" refuses: record \"[id]\"");
    let given = refused(&app, &clerk(&app, "anna"), "PATCH", "filter=name=='a'", json!({"owner": "ben"})).await;
    assert_eq!(given, "403 forbidden: the rule \"update\" of \"Item\" refuses: record \"[id]\"");
}

#[tokio::test]
async fn the_record_that_refuses_is_named_and_is_one_that_the_caller_reads() {
    let app = TestApp::with_schema(SHOP).await;
    let ids = seed(&app).await;
    let reply = clerk(&app, "anna").patch("/api/items?filter=stock>0", json!({"stock": {"add": 1}})).await;
    assert_eq!(reply.status, 403);
    assert!(reply.text.contains(&ids[3]), "{}", reply.text);
    assert!(!reply.text.contains(&ids[4]), "{}", reply.text);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused() {
    let app = shop().await;
    let anna = clerk(&app, "anna");
    for (query, problem) in [
        ("", "400 invalid_argument: filter: required here"),
        ("filter=", "400 invalid_argument: filter: required here"),
        ("filter=%20&filter=", "400 invalid_argument: filter: required here"),
        ("limit=3", "400 invalid_argument: filter: required here"),
        ("filter=true&limit=0", "400 invalid_argument: limit: expected a whole number from 1 to 1000, found \"0\""),
        ("filter=true&limit=x", "400 invalid_argument: limit: expected a whole number from 1 to 1000, found \"x\""),
        (
            "filter=true&limit=1001",
            "400 limit_exceeded: limit: at most 1000 records are changed or deleted by one request",
        ),
        ("filter=true&sort=name", "400 unknown_parameter: no parameter \"sort\" here"),
        ("filter=true&fields=name", "400 unknown_parameter: no parameter \"fields\" here"),
        ("filter=true&after=x", "400 unknown_parameter: no parameter \"after\" here"),
        ("filter=true&count=true", "400 unknown_parameter: no parameter \"count\" here"),
        (
            "filter=nam=='a'",
            "400 invalid_argument: the filter is not valid: no field named \"nam\" in \"Item\" at column 1 (\"nam\") of \"nam=='a'\"",
        ),
        (
            "filter=name",
            "400 invalid_argument: the filter is not valid: this is a String, a Boolean is expected at column 1 (\"name\") of \"name\"",
        ),
        ("filter=true&p.x=1", "400 invalid_argument: the value \"p.x\" is not used by any filter"),
    ] {
        for method in ["PATCH", "DELETE"] {
            assert_eq!(refused(&app, &anna, method, query, json!({"stock": 1})).await, problem, "{method} {query}");
        }
    }
    for (body, problem) in [
        (json!([]), "400 invalid_body: expected an object of the fields that change, found an array"),
        (json!({"stok": 1}), "422 invalid_record: this is no valid \"Item\" \"/stok\" \"unknown_field\""),
        (json!({"stock": "1"}), "422 invalid_record: this is no valid \"Item\" \"/stock\" \"wrong_type\""),
        (json!({"stock": -1}), "422 invalid_record: this is no valid \"Item\" \"/stock\" \"stock\""),
        (json!({"by": "me"}), "422 invalid_record: this is no valid \"Item\" \"/by\" \"read_only\""),
        (
            json!({"shelf": {"by": {"name": "none"}}}),
            "422 invalid_record: this is no valid \"Item\" \"/shelf/by\" \"link\"",
        ),
    ] {
        assert_eq!(refused(&app, &anna, "PATCH", "filter=name=='a'", body.clone()).await, problem, "{body}");
    }
    for header in ["if-match", "if-none-match"] {
        let told = refused(&app, &anna.clone().header(header, "\"1\""), "PATCH", "filter=true", json!({})).await;
        assert_eq!(told, format!("400 invalid_header: the header \"{header}\" has no meaning for this call"));
    }
}

#[tokio::test]
async fn all_that_match_change_and_hidden_ones_do_not_count() {
    let app = shop().await;
    let anna = clerk(&app, "anna");
    let reply = anna.patch("/api/items?filter=stock<=p.n&filter=stock!=0&p.n=3", json!({"stock": {"add": 10}})).await;
    assert_eq!(reply.to_string(), "200 {\"matched\":3,\"changed\":3}");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(app.admin().get("/api/items?sort=name").await.column("stock"), ["11", "12", "13", "4", "5"]);
    assert_eq!(app.admin().get("/api/items?sort=name").await.column("by"), ["anna", "anna", "anna", "null", "null"]);
    assert_eq!(app.admin().get("/api/items?sort=name").await.column("version"), ["2", "2", "2", "1", "1"]);
    // What is not open and of somebody else is not there; a count of it is none.
    let hidden = anna.patch("/api/items?filter=stock==5", json!({"stock": 6})).await;
    assert_eq!(hidden.to_string(), "200 {\"matched\":0,\"changed\":0}");
    let deleted = anna.delete("/api/items?filter=name=='e'").await;
    assert_eq!(deleted.to_string(), "200 {\"matched\":0,\"changed\":0}");
    // A patch of nothing changes nothing.
    let nothing = anna.patch("/api/items?filter=stock>10", json!({})).await;
    assert_eq!(nothing.to_string(), "200 {\"matched\":3,\"changed\":0}");
    let quiet =
        anna.clone().header("prefer", "return=minimal").patch("/api/items?filter=stock>10", json!({"stock": 1})).await;
    assert_eq!((quiet.status, quiet.text.as_str(), quiet.header("preference-applied")), (204, "", "return=minimal"));
    let admin = app.admin().patch("/api/items?filter=true", json!({"limit": 7})).await;
    assert_eq!(admin.to_string(), "200 {\"matched\":5,\"changed\":5}");
}

#[tokio::test]
async fn one_that_cannot_change_keeps_all_as_they_were() {
    let app = shop().await;
    let anna = clerk(&app, "anna");
    app.admin().patch("/api/items?filter=name=='b'", json!({"limit": 3})).await;
    for (body, problem) in [
        (
            json!({"stock": {"add": -2}}),
            "422 invalid_record: this is no valid \"Item\": record \"[id]\" \"/stock\" \"stock\"",
        ),
        (json!({"stock": 4}), "422 invalid_record: this is no valid \"Item\": record \"[id]\" \"/limit\" \"check\""),
        (
            json!({"limit": {"add": 1}}),
            "422 invalid_record: this is no valid \"Item\": record \"[id]\" \"/limit\" \"null\"",
        ),
        (
            json!({"stock": {"add": 2147483647}}),
            "422 invalid_record: this is no valid \"Item\": record \"[id]\" \"/stock\" \"overflow\"",
        ),
        (
            json!({"name": "z"}),
            "409 not_unique: another \"Item\" has the same \"name\": record \"[id]\" \"/name\" \"unique\"",
        ),
    ] {
        assert_eq!(refused(&app, &anna, "PATCH", "filter=owner==auth.id", body.clone()).await, problem, "{body}");
    }
    app.admin().patch("/api/items?filter=true", json!({"owner": "ben"})).await;
    let note = refused(&app, &clerk(&app, "ben"), "PATCH", "filter=true", json!({"note": "x"})).await;
    assert_eq!(note, "403 forbidden: the rule \"write\" of \"note\" of \"Item\" refuses \"/note\" \"rule\"");
}

#[tokio::test]
async fn links_are_set_added_and_removed() {
    let app = shop().await;
    let anna = clerk(&app, "anna");
    let tags =
        app.seed("tags", [json!({"name": "x"}), json!({"name": "y"}), json!({"name": "z", "shown": false})]).await;
    app.seed("shelfs", [json!({"name": "top"})]).await;
    let body = json!({"shelf": {"by": {"name": "top"}}, "tags": {"add": [tags[0], {"by": {"name": "y"}}]}});
    let reply = anna.patch("/api/items?filter=owner==auth.id", body).await;
    assert_eq!(reply.to_string(), "200 {\"matched\":3,\"changed\":3}");
    let of_items = "/api/items?fields=n:size(tags),shelf(name)&filter=owner=='anna'";
    for item in app.admin().get(of_items).await.items() {
        assert_eq!(item, json!({"n": 2, "shelf": {"name": "top"}}));
    }
    let hidden = refused(&app, &anna, "PATCH", "filter=owner==auth.id", json!({"tags": {"add": [tags[2]]}})).await;
    assert_eq!(hidden, "422 invalid_record: this is no valid \"Item\": record \"[id]\" \"/tags\" \"link\"");
    let behind = anna
        .patch(
            "/api/items?filter=shelf.name=='top'&filter=tags.exists(t,t.name=='y')",
            json!({"tags": {"remove": [tags[0]]}}),
        )
        .await;
    assert_eq!(behind.to_string(), "200 {\"matched\":3,\"changed\":3}");
    assert_eq!(
        app.admin().get("/api/items?fields=n:size(tags)&sort=name").await.column("n"),
        ["1", "1", "1", "0", "0"]
    );
}

#[tokio::test]
async fn more_than_the_limit_is_refused() {
    let app = Setup::new(SHOP).limits(|limits| limits.bulk_max = 4).start().await;
    seed(&app).await;
    let anna = clerk(&app, "anna");
    for method in ["PATCH", "DELETE"] {
        let many = refused(&app, &app.admin(), method, "filter=true", json!({"stock": 0})).await;
        assert_eq!(many, "400 limit_exceeded: more than 4 records of \"Item\" match; nothing was done");
        let wanted = refused(&app, &anna, method, "filter=owner==auth.id&limit=2", json!({"stock": 0})).await;
        assert_eq!(wanted, "400 limit_exceeded: more than 2 records of \"Item\" match; nothing was done");
    }
    // Hidden ones do not count: of five the caller sees four.
    let four = refused(&app, &anna, "PATCH", "filter=true", json!({"stock": 0})).await;
    assert_eq!(four, "403 forbidden: the rule \"update\" of \"Item\" refuses: record \"[id]\"");
    let three = anna.patch("/api/items?filter=owner==auth.id&limit=3", json!({"stock": 0})).await;
    assert_eq!(three.to_string(), "200 {\"matched\":3,\"changed\":3}");
    let three = anna.delete("/api/items?filter=owner==auth.id&limit=3").await;
    assert_eq!(three.to_string(), "200 {\"matched\":3,\"changed\":3}");
    assert_eq!(app.admin().get("/api/items?sort=name").await.column("name"), ["d", "e"]);
}

#[tokio::test]
async fn deletes_take_with_them_what_hangs_on_them() {
    let app = TestApp::with_schema(SHOP).await;
    let ids = seed(&app).await;
    app.seed("parts", [json!({"name": "p", "item": ids[0]}), json!({"name": "q", "item": ids[3]})]).await;
    app.admin().patch("/api/items?filter=true", json!({"stock": 0})).await;
    let some = refused(&app, &clerk(&app, "anna"), "DELETE", "filter=true", json!({})).await;
    assert_eq!(some, "403 forbidden: the rule \"delete\" of \"Item\" refuses: record \"[id]\"");
    let own = clerk(&app, "anna").delete("/api/items?filter=owner==auth.id").await;
    assert_eq!(own.to_string(), "200 {\"matched\":3,\"changed\":3}");
    assert_eq!(app.get("/api/parts").await.column("name"), ["q"]);
}

const TREE: &str = r#"
type Node @rules(read: "true", write: "true") {
  name: String! @unique
  parent: Node @onDelete(do: RESTRICT)
  home: Node @onDelete(do: CASCADE)
  next: Node
}
"#;

#[tokio::test]
async fn records_that_end_together_do_not_hold_on_to_each_other() {
    let app = TestApp::with_schema(TREE).await;
    let root = app.seed("nodes", [json!({"name": "root"})]).await.remove(0);
    let child =
        app.seed("nodes", [json!({"name": "child", "parent": root, "home": root, "next": root})]).await.remove(0);
    app.seed("nodes", [json!({"name": "leaf", "parent": child})]).await;
    let held = app.anonymous().delete("/api/nodes?filter=name!='leaf'").await;
    assert_eq!(problem(&held), "409 restricted: records of \"Node\" link to this one by \"parent\"");
    let gone = app.anonymous().delete("/api/nodes?filter=true").await;
    assert_eq!(gone.to_string(), "200 {\"matched\":3,\"changed\":3}");
    assert_eq!(app.get("/api/nodes").await.items().len(), 0);
}

#[tokio::test]
async fn a_key_makes_it_happen_once() {
    let app = shop().await;
    let anna = clerk(&app, "anna").header("idempotency-key", "once");
    let add = json!({"stock": {"add": 1}});
    for replayed in ["", "true"] {
        let reply = anna.patch("/api/items?filter=owner==auth.id", add.clone()).await;
        assert_eq!(reply.to_string(), "200 {\"matched\":3,\"changed\":3}");
        assert_eq!(reply.header("idempotent-replayed"), replayed);
    }
    assert_eq!(app.admin().get("/api/items?sort=name").await.column("stock"), ["2", "3", "4", "4", "5"]);
    app.admin().patch("/api/items?filter=true", json!({"stock": 0})).await;
    for replayed in ["", "true"] {
        let reply = anna.delete("/api/items?filter=name=='a'").await;
        assert_eq!(
            (reply.to_string().as_str(), reply.header("idempotent-replayed")),
            ("200 {\"matched\":1,\"changed\":1}", replayed)
        );
        app.seed("items", [json!({"name": format!("again{replayed}"), "owner": "anna", "stock": 0})]).await;
    }
}

#[tokio::test]
async fn a_thousand_records_at_once() {
    let app = TestApp::with_schema(SHOP).await;
    let items = (0..1_000).map(|at| json!({"name": format!("n{at}"), "owner": "anna", "stock": 1}));
    app.seed("items", items).await;
    let reply = clerk(&app, "anna").patch("/api/items?filter=true", json!({"stock": {"add": -1}})).await;
    assert_eq!(reply.to_string(), "200 {\"matched\":1000,\"changed\":1000}");
    let one_more = json!({"name": "more", "owner": "anna", "stock": 0});
    app.seed("items", [one_more]).await;
    let many = refused(&app, &clerk(&app, "anna"), "DELETE", "filter=true", json!({})).await;
    assert_eq!(many, "400 limit_exceeded: more than 1000 records of \"Item\" match; nothing was done");
    let reply = clerk(&app, "anna").delete("/api/items?filter=name!='more'").await;
    assert_eq!(reply.to_string(), "200 {\"matched\":1000,\"changed\":1000}");
}

#[tokio::test]
async fn nothing_is_lost_between_writes_of_many_and_of_one() {
    let app = Arc::new(TestApp::with_schema(SHOP).await);
    let ids = seed(&app).await;
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let (app, id) = (app.clone(), ids[task % 3].clone());
            tokio::spawn(async move {
                let (anna, add) = (clerk(&app, "anna"), json!({"stock": {"add": 1}}));
                let reply = match task % 4 {
                    0 => anna.patch(&format!("/api/items/{id}"), add).await,
                    // Refused in the middle: what it had changed by then is as it was.
                    1 => anna.patch("/api/items?filter=open", add).await,
                    _ => anna.patch("/api/items?filter=owner==auth.id", add).await,
                };
                (task, id, reply.status)
            })
        })
        .collect();
    let mut expected = [1, 2, 3];
    for task in tasks {
        let (task, id, status) = task.await.expect("a task ends");
        assert_eq!(status, if task % 4 == 1 { 403 } else { 200 });
        match task % 4 {
            0 => expected[ids.iter().position(|known| *known == id).expect("a known one")] += 1,
            1 => {}
            _ => expected.iter_mut().for_each(|stock| *stock += 1),
        }
    }
    let stock = app.admin().get("/api/items?sort=name&filter=owner=='anna'").await.column("stock");
    assert_eq!(stock, expected.map(|stock| stock.to_string()));
}

#[tokio::test]
async fn records_counted_by_whole_numbers_and_records_without_versions() {
    let app = TestApp::with_schema(r#"type Row @rules(read: "true", write: "true") { id: Int!  name: String! }"#).await;
    app.seed("rows", [json!({"name": "a"}), json!({"name": "b"}), json!({"id": 9, "name": "c"})]).await;
    let reply = app.anonymous().patch("/api/rows?filter=id>1", json!({"name": "x"})).await;
    assert_eq!(reply.status, 400, "keys have no order in filters: {}", reply.text);
    let reply = app.anonymous().patch("/api/rows?filter=name!='a'", json!({"name": "x"})).await;
    assert_eq!(reply.to_string(), "200 {\"matched\":2,\"changed\":2}");
    assert_eq!(app.get("/api/rows").await.column("name"), ["a", "x", "x"]);
    let reply = app.anonymous().send(Method::DELETE, "/api/rows?filter=id=='9'", None).await;
    assert_eq!(reply.to_string(), "200 {\"matched\":1,\"changed\":1}");
}

#[tokio::test]
async fn in_development_the_clause_that_refuses_one_is_told() {
    let app = Setup::new(SHOP).explained().start().await;
    seed(&app).await;
    let reply = clerk(&app, "anna").patch("/api/items?filter=name=='d'", json!({"stock": 1})).await;
    let hint = reply.json()["hint"].as_str().unwrap_or_default().to_owned();
    assert!(hint.contains("owner == auth.id") && hint.contains("\"ben\""), "{hint}");
}

const CHAIN: &str = r#"
type Step @rules(read: "previous == null || previous.open", write: "true") {
  name: String! @unique
  open: Boolean! @default(value: true)
  previous: Step
}
"#;

#[tokio::test]
async fn what_an_earlier_change_hides_refuses_the_whole() {
    let app = TestApp::with_schema(CHAIN).await;
    let first = app.seed("steps", [json!({"name": "first"})]).await.remove(0);
    app.seed("steps", [json!({"name": "second", "previous": first})]).await;
    let reply = app.anonymous().patch("/api/steps?filter=true", json!({"open": false})).await;
    assert_eq!(problem(&reply), "404 not_found: no such \"Step\": record \"[id]\"");
    assert_eq!(app.admin().get("/api/steps").await.column("open"), ["true", "true"]);
    let gone = app.anonymous().delete("/api/steps?filter=true").await;
    assert_eq!(gone.to_string(), "200 {\"matched\":2,\"changed\":2}");
}

//! `GET /api/{path}?group=…`: records in groups, with figures over each.
use insta::assert_snapshot;
use mainstay_testing::{Setup, TestApp};
use serde_json::{Value as Json, json};

const SCHEMA: &str = r#"
enum Format { SMALL LARGE }
type Shelf @path(name: "shelves") @rules(read: "open", write: "true") { name: String! open: Boolean! }
type Book @path(name: "books") @rules(read: "owner == auth.id || owner == 'all'", write: "true") {
  owner: ID!
  shelf: Shelf
  format: Format
  pages: Int
  sold: Long
  weight: Float
  price: Decimal @decimal(precision: 8, scale: 2)
  bought: DateTime
  day: Date
  tags: [String!]
}
"#;

async fn books() -> TestApp {
    let app = TestApp::with_schema(SCHEMA).await;
    let shelves =
        app.seed("shelves", [json!({"name": "front", "open": true}), json!({"name": "back", "open": false})]).await;
    let book = |owner: &str,
                shelf: Option<usize>,
                format: Option<&str>,
                pages: Option<i64>,
                price: &str,
                bought: &str| {
        json!({
            "owner": owner, "shelf": shelf.map(|at| shelves[at].clone()), "format": format, "pages": pages, "price": price,
            "sold": pages.map(|pages| (pages * 10).to_string()), "weight": pages.map(|pages| pages as f64 / 100.0),
            "bought": format!("{bought}T10:30:00Z"), "day": bought,
        })
    };
    app.seed(
        "books",
        [
            book("all", Some(0), Some("SMALL"), Some(100), "10.00", "2026-01-05"),
            book("all", Some(0), Some("LARGE"), Some(300), "20.50", "2026-01-20"),
            book("all", Some(1), Some("LARGE"), None, "30.00", "2026-02-01"),
            book("all", None, None, Some(50), "1.25", "2025-12-31"),
            book("anna", Some(0), Some("SMALL"), Some(1_000), "99.99", "2026-01-05"),
        ],
    )
    .await;
    app
}

async fn groups(app: &TestApp, who: &str, query: &str) -> String {
    let client = if who.is_empty() { app.anonymous() } else { app.user(who) };
    let reply = client.get(&format!("/api/books?{query}")).await;
    if reply.status == 200 { Json::Array(reply.items()).to_string() } else { reply.problem() }
}

#[tokio::test]
async fn who_is_refused() {
    let app = TestApp::with_schema(
        "type Secret { word: String! }  type Own @rules(read: \"owner == auth.id\") { owner: ID! }",
    )
    .await;
    assert_eq!(app.anonymous().get("/api/secrets?group=word").await.status, 401);
    assert_eq!(app.user("anna").get("/api/secrets?group=word").await.status, 403);
    assert_eq!(app.user("anna").get("/api/secrets?group=wrod").await.status, 403, "no names for whom it is not");
    assert_eq!(app.anonymous().get("/api/owns?group=owner").await.status, 401);
    assert_eq!(app.admin().get("/api/secrets?group=word").await.status, 200);
}

#[tokio::test]
async fn hidden_records_are_in_no_group() {
    let app = books().await;
    assert_snapshot!(groups(&app, "bert", "group=format&select=count,sum(pages)").await, @r#"[{"format":null,"count":1,"sumPages":50},{"format":"LARGE","count":2,"sumPages":300},{"format":"SMALL","count":1,"sumPages":100}]"#);
    assert_snapshot!(groups(&app, "anna", "group=format&select=count,sum(pages)&filter=format=='SMALL'").await, @r#"[{"format":"SMALL","count":2,"sumPages":1100}]"#);
}

#[tokio::test]
async fn a_key_behind_a_hidden_record_is_null() {
    let app = books().await;
    // The back shelf may not be read: it and no shelf are the same.
    assert_snapshot!(groups(&app, "bert", "group=shelf.name").await, @r#"[{"name":null,"count":2},{"name":"front","count":2}]"#);
    let admin = app.admin().get("/api/books?group=where:shelf.name&select=n:count").await;
    assert_snapshot!(Json::Array(admin.items()), @r#"[{"where":null,"n":1},{"where":"back","n":1},{"where":"front","n":3}]"#);
}

#[tokio::test]
async fn every_figure() {
    let app = books().await;
    let select = "count,p:sum(pages),s:sum(sold),w:sum(weight),m:sum(price),a:avg(pages),b:avg(price),lo:min(price),hi:max(bought),d:countDistinct(format),f:max(format)";
    assert_snapshot!(groups(&app, "bert", &format!("group=owner&select={select}")).await, @r#"[{"owner":"all","count":4,"p":450,"s":"4500","w":4.5,"m":"61.75","a":150.0,"b":15.4375,"lo":"1.25","hi":"2026-02-01T10:30:00.000000Z","d":2,"f":"SMALL"}]"#);
    // Of no values: sums are 0, all else is null.
    assert_snapshot!(groups(&app, "bert", "filter=shelf==null&group=owner&select=sum(weight),avg(weight)&filter=false").await, @"[]");
    let none =
        "filter=pages==null&group=owner&select=count,p:sum(pages),s:sum(sold),w:sum(weight),a:avg(pages),lo:min(pages)";
    assert_snapshot!(groups(&app, "bert", none).await, @r#"[{"owner":"all","count":1,"p":0,"s":"0","w":0.0,"a":null,"lo":null}]"#);
}

#[tokio::test]
async fn moments_by_their_parts() {
    let app = books().await;
    assert_snapshot!(groups(&app, "bert", "group=month(bought)").await, @r#"[{"monthBought":"2025-12","count":1},{"monthBought":"2026-01","count":2},{"monthBought":"2026-02","count":1}]"#);
    assert_snapshot!(groups(&app, "bert", "group=y:year(day)&sort=-y").await, @r#"[{"y":"2026","count":3},{"y":"2025","count":1}]"#);
    assert_snapshot!(groups(&app, "bert", "group=hour(bought),day(day)&limit=1").await, @r#"[{"hourBought":"2025-12-31T10","dayDay":"2025-12-31","count":1}]"#);
    assert_snapshot!(groups(&app, "bert", "group=hour(day)").await, @r#"400 invalid_argument: "day" of "Book" has no hour"#);
    assert_snapshot!(groups(&app, "bert", "group=month(pages)").await, @r#"400 invalid_argument: "pages" of "Book" has no month"#);
}

#[tokio::test]
async fn pages_of_groups() {
    let app = books().await;
    for sort in ["", "&sort=-count", "&sort=sumPages,-format", "&sort=-name,count", "&sort=avgPages"] {
        let query = format!("/api/books?group=format,shelf.name&select=count,sum(pages),avg(pages){sort}");
        let whole = app.user("anna").get(&query).await.items();
        assert_eq!(whole.len(), 4, "{sort}");
        let (mut paged, mut after) = (Vec::new(), String::new());
        loop {
            let reply = app.user("anna").get(&format!("{query}&limit=1{after}")).await;
            paged.extend(reply.items());
            match reply.json()["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(paged, whole, "{sort}");
    }
    let first = app.user("anna").get("/api/books?group=format&limit=1").await.json();
    let next = first["next"].as_str().expect("there are more").to_owned();
    let other = app.user("anna").get(&format!("/api/books?group=owner&limit=1&after={next}")).await;
    assert_eq!(other.code(), "invalid_cursor");
    assert_eq!(
        app.user("bert").get(&format!("/api/books?group=format&limit=1&after={next}")).await.code(),
        "invalid_cursor"
    );
}

#[tokio::test]
async fn what_cannot_be_grouped_is_named() {
    let app = books().await;
    for (query, expected) in [
        ("group=", "400 invalid_argument: group: expected the name of a field, found the end (at character 1)"),
        ("group=formt", "400 invalid_argument: no field named \"formt\" in \"Book\""),
        ("group=tags", "400 invalid_argument: \"tags\" of \"Book\" is a list, which has no order"),
        ("group=shelf.name.x", "400 invalid_argument: \"name\" of \"Shelf\" is no to-one link to go through"),
        ("group=owner,owner", "400 invalid_argument: \"owner\" is answered twice"),
        (
            "group=owner&select=sum(owner)",
            "400 invalid_argument: \"owner\" of \"Book\" is no number, so that it has no sum",
        ),
        ("group=owner&select=min(shelf)", "400 invalid_argument: \"shelf\" of \"Book\" is a key, which has no min"),
        (
            "group=owner&select=total(pages)",
            "400 invalid_argument: select: no function \"total\" here; there are count, countDistinct, sum, avg, min, max (at character 1)",
        ),
        (
            "group=owner&select=sum(pages))",
            "400 invalid_argument: select: expected \",\" or the end, found \")\" (at character 11)",
        ),
        (
            "group=week(bought)",
            "400 invalid_argument: group: no function \"week\" here; there are year, month, day, hour (at character 1)",
        ),
        ("group=owner&sort=pages", "400 invalid_argument: no \"pages\" is answered of the groups to sort them by"),
        ("group=owner&fields=owner", "400 invalid_argument: fields: groups have none"),
        ("group=owner&count=true", "400 invalid_argument: count: groups have none"),
        ("select=count", "400 invalid_argument: select: these are figures of groups, and no group is asked for"),
        ("group=owner&limit=0", "400 invalid_argument: limit: expected a whole number from 1 to 1000, found \"0\""),
    ] {
        assert_eq!(groups(&app, "bert", query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn keys_and_figures_are_bounded() {
    let app = Setup::new("type Note @rules(read: \"true\") { text: String }")
        .limits(|limits| limits.group_max = 2)
        .start()
        .await;
    assert_eq!(app.get("/api/notes?group=text&select=count").await.status, 200);
    assert_eq!(app.get("/api/notes?group=text&select=count,n:count").await.code(), "limit_exceeded");
    assert_eq!(app.get("/api/notes?group=text,createdAt,version").await.code(), "limit_exceeded");
}

#[tokio::test]
async fn a_sum_that_overflows_is_said() {
    let app = TestApp::with_schema(
        "type Big @rules(read: \"true\", write: \"true\") { of: Int long: Long float: Float bigs: [Big!]! @many }",
    )
    .await;
    let big = || json!({"long": i64::MAX.to_string(), "float": 1.7e308});
    let ids = app.seed("bigs", [big(), big()]).await;
    for figure in ["sum(long)", "sum(float)", "avg(float)"] {
        let reply = app.get(&format!("/api/bigs?group=of&select={figure}")).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "overflow"), "{figure}: {}", reply.text);
    }
    let linked = app.user("anna").patch(&format!("/api/bigs/{}", ids[0]), json!({"bigs": ids})).await;
    assert_eq!(linked.status, 200);
    assert_eq!(app.get("/api/bigs?fields=s:sum(bigs.long)").await.code(), "overflow");
    assert_eq!(
        app.get("/api/bigs?fields=s:max(bigs.long)&sort=id").await.column("s"),
        [i64::MAX.to_string(), "null".to_owned()]
    );
}

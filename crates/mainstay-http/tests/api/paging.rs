//! Paging by cursor: every row once, cursors that belong to their request alone.
use insta::assert_snapshot;
use mainstay_testing::{Client, TestApp};
use serde_json::json;

const SCHEMA: &str = r#"
enum Level { LOW HIGH }
type Item @rules(read: "size(auth.id) > 0") {
  number: Int!
  score: Float
  level: Level
  day: Date
  title: String!
  box: Box
}
type Box @rules(read: "true") { name: String! }
"#;

const ITEMS: usize = 57;

async fn items() -> TestApp {
    let app = TestApp::with_schema(SCHEMA).await;
    let boxes = app.seed("boxes", [json!({"name": "a"}), json!({"name": "b"})]).await;
    let item = |at: usize| {
        let score = [None, Some(0.5), Some(-1.25), Some(1e300)][at % 4];
        let level = [None, Some("LOW"), Some("HIGH")][at % 3];
        let day = [None, Some("2026-01-31"), Some("1999-12-31")][at % 3];
        let in_box = [None, Some(&boxes[0]), Some(&boxes[1])][at % 3];
        json!({"number": at, "score": score, "level": level, "day": day, "title": format!("t{}", at % 5), "box": in_box})
    };
    app.seed("items", (0..ITEMS).map(item)).await;
    app
}

/// All pages from the first to the last; panics when a row comes twice or never.
async fn walk(caller: &Client, parameters: &[(&str, &str)], limit: &str) -> Vec<String> {
    let mut numbers = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut all = parameters.to_vec();
        all.push(("limit", limit));
        all.extend(after.as_deref().map(|after| ("after", after)));
        let page = caller.query("/api/items", &all).await;
        numbers.extend(page.column("number"));
        match page.json()["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return numbers,
        }
    }
}

#[tokio::test]
async fn every_row_comes_exactly_once_in_every_order() {
    let app = items().await;
    let anna = app.user("anna");
    for sort in [
        "number",
        "-number",
        "score",
        "-score",
        "level,-score",
        "-day,title",
        "box.name,-title",
        "-box.name,level",
        "title",
        "box",
        "id",
        "-id",
        "createdAt",
    ] {
        let whole = anna.query("/api/items", &[("sort", sort), ("limit", "1000")]).await.column("number");
        assert_eq!(whole.len(), ITEMS);
        for limit in ["1", "7", "56", "57"] {
            assert_eq!(walk(&anna, &[("sort", sort)], limit).await, whole, "sort={sort} limit={limit}");
        }
    }
}

#[tokio::test]
async fn a_filter_and_a_count_stay_with_the_pages() {
    let app = items().await;
    let anna = app.user("anna");
    let filtered = [("filter", "level != null && number >= p.least"), ("p.least", "10"), ("sort", "-level,number")];
    let whole = anna.query("/api/items", &[&filtered[..], &[("limit", "1000"), ("count", "true")]].concat()).await;
    let numbers = whole.column("number");
    assert_eq!(whole.json()["count"], numbers.len());
    assert_eq!(walk(&anna, &filtered, "4").await, numbers);
    let page = anna.query("/api/items", &[&filtered[..], &[("limit", "4"), ("count", "true")]].concat()).await;
    let next = page.json()["next"].as_str().expect("more").to_owned();
    let second = anna
        .query("/api/items", &[&filtered[..], &[("limit", "4"), ("count", "true"), ("after", &next)]].concat())
        .await;
    assert_eq!(second.json()["count"], numbers.len(), "the count is of all pages");
}

#[tokio::test]
async fn rows_that_come_and_go_do_not_shift_the_others() {
    let app = items().await;
    let anna = app.user("anna");
    let first = anna.query("/api/items", &[("sort", "number"), ("limit", "10")]).await;
    let next = first.json()["next"].as_str().expect("more").to_owned();
    let gone = first.items()[9]["id"].as_str().expect("an id").to_owned();
    assert_eq!(app.admin().delete(&format!("/api/items/{gone}")).await.status, 204);
    app.seed("items", [json!({"number": -5, "title": "new"})]).await;
    let second = anna.query("/api/items", &[("sort", "number"), ("limit", "3"), ("after", &next)]).await;
    assert_eq!(second.column("number"), ["10", "11", "12"]);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_request_and_caller() {
    let app = items().await;
    let anna = app.user("anna");
    let page = anna.query("/api/items", &[("sort", "number"), ("limit", "2")]).await;
    let next = page.json()["next"].as_str().expect("more").to_owned();
    let with = |parameters: &[(&'static str, &'static str)]| {
        let mut all: Vec<(&str, String)> =
            parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        all.push(("after", next.clone()));
        all
    };
    let status = async |caller: &Client, parameters: Vec<(&str, String)>| {
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        caller.query("/api/items", &parameters).await.status
    };
    assert_eq!(status(&anna, with(&[("sort", "number")])).await, 200);
    assert_eq!(status(&anna, with(&[("sort", "number"), ("limit", "9")])).await, 200);
    assert_eq!(status(&anna, with(&[("sort", "-number")])).await, 404);
    assert_eq!(status(&anna, with(&[])).await, 404);
    assert_eq!(status(&anna, with(&[("sort", "number"), ("filter", "number > 1")])).await, 404);
    assert_eq!(status(&app.user("bert"), with(&[("sort", "number")])).await, 404);
    assert_eq!(anna.query("/api/boxes", &[("after", &next)]).await.status, 404);
}

#[tokio::test]
async fn a_cursor_that_is_not_ours_is_refused() {
    let app = items().await;
    let anna = app.user("anna");
    let page = anna.query("/api/items", &[("limit", "2")]).await;
    let next = page.json()["next"].as_str().expect("more").to_owned();
    let changed = format!("{}{}", if next.starts_with('A') { "B" } else { "A" }, &next[1..]);
    for wrong in ["", "x", "AAAA", &changed, &next[..next.len() - 2], &format!("{next}AA"), "žluť", &"A".repeat(20_000)]
    {
        let reply = anna.query("/api/items", &[("after", wrong)]).await;
        assert_eq!((reply.status, reply.code()), (404, "invalid_cursor".into()), "{wrong}");
    }
    assert_snapshot!(anna.query("/api/items", &[("after", "x")]).await.problem(), @"404 invalid_cursor: the cursor does not belong to this request");
}

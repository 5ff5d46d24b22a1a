//! `POST /api/query`: the same read as a page's address asks for, as a JSON body.
use mainstay_testing::{Reply, TestApp};
use serde_json::{Value, json};

use super::skills;

async fn query(app: &TestApp, body: Value) -> Reply {
    app.anonymous().post("/api/query", body).await
}

#[tokio::test]
async fn who_is_refused() {
    let app = skills().await;
    assert_eq!(query(&app, json!({"from": "progress"})).await.code(), "unauthenticated");
    let hidden = query(&app, json!({"from": "skills", "filter": "slug == 'drafts'"})).await;
    assert_eq!(hidden.items().len(), 0);
    for (body, status, code) in [
        (json!([]), 400, "invalid_body"),
        (json!({}), 400, "invalid_body"),
        (json!({"from": 3}), 400, "invalid_body"),
        (json!({"from": "skils"}), 404, "unknown_path"),
        (json!({"from": "skills", "fliter": "true"}), 400, "invalid_body"),
        (json!({"from": "skills", "filter": 3}), 400, "invalid_body"),
        (json!({"from": "skills", "filter": [["x"]]}), 400, "invalid_body"),
        (json!({"from": "skills", "filter": "slug =="}), 400, "invalid_argument"),
        (json!({"from": "skills", "filter": "slug == p.q"}), 400, "invalid_argument"),
        (json!({"from": "skills", "params": {"q": 1}}), 400, "invalid_argument"),
        (json!({"from": "skills", "params": ["q"]}), 400, "invalid_body"),
        (json!({"from": "skills", "filter": "monthsMin == p.q", "params": {"q": "x"}}), 400, "invalid_argument"),
        (json!({"from": "skills", "filter": "monthsMin == p.q", "params": {"q": null}}), 400, "invalid_body"),
        (json!({"from": "skills", "limit": 0}), 400, "invalid_argument"),
        (json!({"from": "skills", "limit": 1_000_000}), 400, "limit_exceeded"),
        (json!({"from": "skills", "count": "yes"}), 400, "invalid_body"),
        (json!({"from": "skills", "count": "true"}), 400, "invalid_body"),
        (json!({"from": "skills", "limit": "5"}), 400, "invalid_body"),
        (json!({"from": "skills", "limit": true}), 400, "invalid_body"),
        (json!({"from": "skills", "after": 5}), 400, "invalid_body"),
        (json!({"from": "skills", "after": "x"}), 404, "invalid_cursor"),
        (json!({"from": "skills", "filter": vec!["true"; 101]}), 400, "limit_exceeded"),
        (json!({"from": "skills", "filter": "name == 'a\u{0}'"}), 400, "invalid_body"),
    ] {
        let reply = query(&app, body.clone()).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{body}: {}", reply.text);
    }
    let null = query(&app, json!({"from": "skills", "filter": "monthsMin == p.q", "params": {"q": null}})).await;
    assert_eq!(null.json()["hint"], "a filter asks for null itself: name == null, in place of p.q");
    let text = query(&app, json!({"from": "skills", "limit": "5"})).await;
    assert_eq!(text.problem(), "400 invalid_body: \"limit\" is a number, found a text");
    let nul = query(&app, json!({"from": "skills", "filter": "name == 'a\u{0}'"})).await;
    assert_eq!(nul.problem(), "400 invalid_body: \"filter\" holds the character U+0000");
    let nul = query(&app, json!({"from": "skills", "filter": "name == p.q", "params": {"q": "a\u{0}"}})).await;
    assert_eq!(nul.problem(), "400 invalid_body: \"q\" holds the character U+0000");
    assert_eq!(app.anonymous().get("/api/query").await.status, 405);
    assert_eq!(app.anonymous().post("/api/query?limit=1", json!({"from": "skills"})).await.status, 400);
    let keyed = app.user("anna").header("idempotency-key", "k").post("/api/query", json!({"from": "skills"})).await;
    assert_eq!(keyed.code(), "invalid_header");
}

#[tokio::test]
async fn it_answers_what_the_address_answers() {
    let app = skills().await;
    for (address, body) in [
        ("/api/skills", json!({"from": "skills"})),
        (
            "/api/skills?filter=monthsMin>p.q&p.q=2&sort=-name&fields=name,category(slug)&count=true",
            json!({"from": "skills", "filter": "monthsMin>p.q", "params": {"q": 2}, "sort": "-name",
                "fields": "name,category(slug)", "count": true}),
        ),
        (
            "/api/skills?filter=slug in p.list&filter=size(name)>2&p.list=[\"git\",\"rust\"]&sort=category.slug,name",
            json!({"from": "skills", "filter": ["slug in p.list", "size(name)>2"], "params": {"list": ["git", "rust"]},
                "sort": ["category.slug", "name"]}),
        ),
        (
            "/api/skills?group=category&select=count,avg(monthsMin)",
            json!({"from": "skills", "group": "category", "select": ["count", "avg(monthsMin)"]}),
        ),
    ] {
        let (get, post) = (app.get(address).await, query(&app, body.clone()).await);
        assert_eq!((post.status, &post.text), (200, &get.text), "{body}");
        assert_eq!(post.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_cursor_of_one_works_with_the_other() {
    let app = skills().await;
    let first = app.get("/api/skills?filter=size(name)>p.n&p.n=2&sort=name&limit=1").await.json();
    let body = json!({"from": "skills", "filter": "size(name)>p.n", "params": {"n": 2}, "sort": "name", "limit": 1,
        "after": first["next"]});
    let second = query(&app, body.clone()).await;
    assert_eq!(second.items().len(), 1, "{}", second.text);
    let next = second.json()["next"].as_str().expect("one more").to_owned();
    let third = app.get(&format!("/api/skills?filter=size(name)>p.n&p.n=2&sort=name&limit=1&after={next}")).await;
    assert_eq!(third.items().len(), 1);
    let mut other = body;
    other["params"]["n"] = json!(3);
    assert_eq!(query(&app, other).await.code(), "invalid_cursor");
}

//! `GET /api/{path}`: filter, sort, fields, limit, count.
use insta::assert_snapshot;
use mainstay_testing::TestApp;
use serde_json::json;

use crate::skills;

#[tokio::test]
async fn an_empty_list() {
    let app = TestApp::with_schema(r#"type Post @rules(read: "true") { title: String! }"#).await;
    assert_snapshot!(app.anonymous().get("/api/posts").await, @r#"200 {"items":[],"next":null}"#);
}

#[tokio::test]
async fn all_own_fields_come_unless_asked_otherwise() {
    let app = skills().await;
    assert_snapshot!(app.anonymous().get("/api/skills?filter=slug=='rust'").await, @r#"200 {"items":[{"id":"[id]","slug":"rust","name":"Rust","published":true,"level":"EXPERT","category":"[id]","monthsMin":6,"monthsMax":24,"technologies":["cargo","rustc"],"createdAt":"[time]","updatedAt":"[time]","version":1}],"next":null}"#);
}

#[tokio::test]
async fn a_reader_does_not_see_drafts() {
    let app = TestApp::with_schema(r#"type Post @rules(read: "!draft") { title: String! draft: Boolean! }"#).await;
    app.seed("posts", [json!({"title": "a", "draft": true}), json!({"title": "b", "draft": false})]).await;
    assert_snapshot!(app.user("anna").get("/api/posts?fields=title").await, @r#"200 {"items":[{"title":"b"}],"next":null}"#);
}

#[tokio::test]
async fn filters() {
    let app = skills().await;
    let check = async |filter: &str, expected: &[&str]| {
        let reply =
            app.anonymous().query("/api/skills", &[("filter", filter), ("sort", "slug"), ("fields", "slug")]).await;
        assert_eq!(reply.column("slug"), expected, "{filter}");
    };
    check("true", &["git", "logic", "rust"]).await;
    check("false", &[]).await;
    check("slug == 'rust'", &["rust"]).await;
    check("slug in ['rust', 'git', 'nothing']", &["git", "rust"]).await;
    check("name.startsWith('R') || name.endsWith('t')", &["git", "rust"]).await;
    check("name.contains('og')", &["logic"]).await;
    check("monthsMin > 1", &["rust"]).await;
    check("monthsMin == null", &["git"]).await;
    check("monthsMin != null && monthsMin < 3", &["logic"]).await;
    check("!(monthsMin > 1)", &["logic"]).await;
    check("level == 'EXPERT'", &["rust"]).await;
    check("category.slug == 'core'", &["logic", "rust"]).await;
    check("'cargo' in technologies", &["rust"]).await;
    check("size(technologies) == 0", &["logic"]).await;
    check("size(requires) > 0", &["rust"]).await;
    check("requires.exists(r, r.slug == 'logic')", &["rust"]).await;
    check("requires.all(r, r.slug == 'none')", &["git", "logic"]).await;
    check("createdAt < timestamp('2020-01-01T00:00:00Z')", &[]).await;
    check("size(name) == 4 && name == 'Rust'", &["rust"]).await;
}

#[tokio::test]
async fn several_filters_all_hold_and_values_are_sent_beside() {
    let app = skills().await;
    let two = [("filter", "monthsMin != null"), ("filter", "slug != 'rust'"), ("fields", "slug")];
    assert_eq!(app.anonymous().query("/api/skills", &two).await.column("slug"), ["logic"]);
    let quoted = [
        ("filter", "name == p.name && monthsMin >= p.least"),
        ("p.name", "Rust"),
        ("p.least", "6"),
        ("fields", "slug"),
    ];
    assert_eq!(app.anonymous().query("/api/skills", &quoted).await.column("slug"), ["rust"]);
    let hostile = [("filter", "name == p.name"), ("p.name", "' || true || '")];
    assert_eq!(app.anonymous().query("/api/skills", &hostile).await.items().len(), 0);
}

#[tokio::test]
async fn wrong_filters_are_named() {
    let app = skills().await;
    let check = async |parameters: &[(&str, &str)]| app.anonymous().query("/api/skills", parameters).await.problem();
    assert_snapshot!(check(&[("filter", "nme == 'x'")]).await, @r#"400 invalid_argument: the filter is not valid: no field named "nme" in "Skill" at column 1 ("nme") of "nme == 'x'""#);
    assert_snapshot!(check(&[("filter", "name == ")]).await, @r#"400 invalid_argument: the filter is not valid: the expression ends too early at column 9 of "name == ""#);
    assert_snapshot!(check(&[("filter", "name")]).await, @r#"400 invalid_argument: the filter is not valid: this is a String, a Boolean is expected at column 1 ("name") of "name""#);
    assert_snapshot!(check(&[("filter", "name == 3")]).await, @r#"400 invalid_argument: the filter is not valid: a String is compared with an Int at column 1 ("name == 3") of "name == 3""#);
    assert_snapshot!(check(&[("filter", "")]).await, @r#"400 invalid_argument: the filter is not valid: the expression is empty at column 1 of """#);
    assert_snapshot!(check(&[("filter", "level == 'EXPRT'")]).await, @r#"400 invalid_argument: the filter is not valid: "EXPRT" is no value of Level at column 10 ("'EXPRT'") of "level == 'EXPRT'""#);
    assert_snapshot!(check(&[("filter", "name == p.q")]).await, @r#"400 invalid_argument: the filter reads "p.q", which was not sent"#);
    assert_snapshot!(check(&[("filter", "monthsMin == p.q"), ("p.q", "x")]).await, @r#"400 invalid_argument: the value "p.q" does not fit: "x" is no whole number of 64 bits"#);
    assert_snapshot!(check(&[("filter", "name == 'x'"), ("p.q", "x")]).await, @r#"400 invalid_argument: the value "p.q" is not used by any filter"#);
    assert_snapshot!(check(&[("p.q", "x")]).await, @r#"400 invalid_argument: the value "p.q" is not used by any filter"#);
}

#[tokio::test]
async fn sorts() {
    let app = skills().await;
    let check = async |sort: &str| {
        app.anonymous().query("/api/skills", &[("sort", sort), ("fields", "slug")]).await.column("slug").join(" ")
    };
    assert_eq!(check("slug").await, "git logic rust");
    assert_eq!(check("-slug").await, "rust logic git");
    assert_eq!(check("monthsMin").await, "git logic rust", "null sorts first");
    assert_eq!(check("-monthsMin").await, "rust logic git", "null sorts last");
    assert_eq!(check("category.slug,-name").await, "rust logic git");
    assert_eq!(check("-category.slug,name").await, "git logic rust");
    assert_eq!(check("createdAt").await.split(' ').count(), 3);
}

#[tokio::test]
async fn wrong_sorts_are_named() {
    let app = skills().await;
    let check = async |sort: &str| app.anonymous().query("/api/skills", &[("sort", sort)]).await.problem();
    assert_snapshot!(check("slg").await, @r#"400 invalid_argument: no field named "slg" in "Skill""#);
    assert_snapshot!(check("technologies").await, @r#"400 invalid_argument: "technologies" of "Skill" is a list, which has no order"#);
    assert_snapshot!(check("requires.slug").await, @r#"400 invalid_argument: "requires" of "Skill" is no to-one link to go through"#);
    assert_snapshot!(check("category.nme").await, @r#"400 invalid_argument: no field named "nme" in "Category""#);
    assert_snapshot!(check("").await, @"400 invalid_argument: sort: expected a field's name, found the end (at character 1)");
}

#[tokio::test]
async fn limits_are_whole_numbers_in_their_range() {
    let app = skills().await;
    let check = async |limit: &str| app.anonymous().query("/api/skills", &[("limit", limit)]).await;
    assert_eq!(check("2").await.items().len(), 2);
    assert_eq!(check("1000").await.items().len(), 3);
    for wrong in ["0", "-1", "x", "", "1.5", "+1", " 1"] {
        assert_eq!(check(wrong).await.code(), "invalid_argument", "{wrong}");
    }
    assert_snapshot!(check("1001").await.problem(), @"400 limit_exceeded: limit: at most 1000 records make a page");
    assert_snapshot!(check("99999999999999999999").await.problem(), @"400 limit_exceeded: limit: at most 1000 records make a page");
}

#[tokio::test]
async fn a_count_is_made_only_when_asked() {
    let app = skills().await;
    let get =
        async |query: &str| app.anonymous().get(&format!("/api/skills?limit=1&fields=slug&sort=slug{query}")).await;
    assert_snapshot!(get("&count=true").await, @r#"200 {"items":[{"slug":"git"}],"next":"[cursor]","count":3}"#);
    assert_snapshot!(get("&count=false").await, @r#"200 {"items":[{"slug":"git"}],"next":"[cursor]"}"#);
    assert_eq!(get("&count=yes").await.code(), "invalid_argument");
    let filtered = app.anonymous().query("/api/skills", &[("count", "true"), ("filter", "monthsMin > 1")]).await;
    assert_eq!(filtered.json()["count"], 1);
}

#[tokio::test]
async fn what_is_not_known_is_refused() {
    let app = skills().await;
    let check = async |query: &str| app.anonymous().get(&format!("/api/skills?{query}")).await.problem();
    assert_snapshot!(check("lmit=3").await, @r#"400 unknown_parameter: no parameter "lmit" here"#);
    assert_snapshot!(check("limit=3&limit=4").await, @r#"400 repeated_parameter: the parameter "limit" comes twice"#);
    assert_snapshot!(check("group=level&having=count").await, @r#"400 not_available: the parameter "having" is not available yet"#);
    assert_snapshot!(check("filter=%ff").await, @r#"400 invalid_encoding: the parameter "filter" is not percent-encoded UTF-8, or holds U+0000"#);
    assert_snapshot!(check("filter=name=='%00'").await, @r#"400 invalid_encoding: the parameter "filter" is not percent-encoded UTF-8, or holds U+0000"#);
    assert_snapshot!(app.anonymous().get("/api/skils").await.problem(), @r#"404 unknown_path: no collection "skils""#);
}

#[tokio::test]
async fn a_list_that_is_the_same_is_not_sent_again() {
    let app = skills().await;
    let first = app.anonymous().get("/api/skills").await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let again = app.anonymous().header("if-none-match", &tag).get("/api/skills").await;
    assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", &*tag));
    app.seed("categories", [json!({"slug": "new", "name": "New"})]).await;
    assert_eq!(app.anonymous().header("if-none-match", &tag).get("/api/skills").await.status, 304);
    let editor = app.user_with("eva", &["editor"], &[]);
    assert_eq!(editor.header("if-none-match", &tag).get("/api/skills").await.status, 200);
}

#[tokio::test]
async fn texts_come_back_as_they_were_sent() {
    let app = TestApp::with_schema(r#"type Post @rules(read: "true") { title: String! }"#).await;
    let texts = [
        "",
        "\"quoted\" \\ back",
        "line\nbreak\ttab\u{1}",
        "žluťoučký kůň 🐎",
        "</script>",
        "\u{feff}\u{2028}\u{200d}",
        "'; DROP TABLE posts; --",
    ];
    app.seed("posts", texts.map(|text| json!({"title": text}))).await;
    assert_eq!(app.anonymous().get("/api/posts").await.column("title"), texts);
    for text in texts {
        let found = app.anonymous().query("/api/posts", &[("filter", "title == p.t"), ("p.t", text)]).await;
        assert_eq!(found.column("title"), [text]);
    }
}

//! `fields=`: links as deep as the limit allows, in one statement.
use insta::assert_snapshot;
use mainstay_testing::{Setup, TestApp};
use serde_json::json;

use crate::{SKILLS, seed_skills, skills};

async fn fields(app: &TestApp, fields: &str) -> String {
    app.anonymous().query("/api/skills/by/slug/rust", &[("fields", fields)]).await.to_string()
}

#[tokio::test]
async fn what_may_not_be_read_is_absent() {
    let app = TestApp::with_schema(SKILLS).await;
    let ids = seed_skills(&app).await;
    let anna = app.user("anna");
    assert_eq!(anna.post("/api/progress", json!({"skill": ids[3], "percent": 40})).await.status, 201);
    let own = anna.query("/api/skills/by/slug/rust", &[("fields", "slug,progress(percent),n:size(progress)")]).await;
    assert_snapshot!(own, @r#"200 {"slug":"rust","progress":[{"percent":40}],"n":1}"#);
    let others = app
        .user("bert")
        .query("/api/skills/by/slug/rust", &[("fields", "slug,progress(percent),n:size(progress)")])
        .await;
    assert_snapshot!(others, @r#"200 {"slug":"rust","progress":[],"n":0}"#);
}

#[tokio::test]
async fn a_link_to_a_hidden_record_is_null() {
    let schema = r#"
        type Doc @rules(read: "true") { title: String! folder: Folder }
        type Folder @rules(read: "open") { name: String! open: Boolean! docs: [Doc!]! @inverse(field: "folder") }
    "#;
    let app = TestApp::with_schema(schema).await;
    let folders =
        app.seed("folders", [json!({"name": "open", "open": true}), json!({"name": "shut", "open": false})]).await;
    app.seed(
        "docs",
        [
            json!({"title": "a", "folder": folders[0]}),
            json!({"title": "b", "folder": folders[1]}),
            json!({"title": "c"}),
        ],
    )
    .await;
    let reply = app.anonymous().query("/api/docs", &[("fields", "title,folder(name)"), ("sort", "title")]).await;
    assert_snapshot!(reply, @r#"200 {"items":[{"title":"a","folder":{"name":"open"}},{"title":"b","folder":null},{"title":"c","folder":null}],"next":null}"#);
}

#[tokio::test]
async fn selections() {
    let app = skills().await;
    assert_snapshot!(fields(&app, "slug").await, @r#"200 {"slug":"rust"}"#);
    assert_snapshot!(fields(&app, "slug,label:name,category(slug,name)").await, @r#"200 {"slug":"rust","label":"Rust","category":{"slug":"core","name":"Core"}}"#);
    assert_snapshot!(fields(&app, "slug,requires(slug,category(slug,skills(slug;sort:-slug;limit:2)))").await, @r#"200 {"slug":"rust","requires":[{"slug":"logic","category":{"slug":"core","skills":[{"slug":"rust"},{"slug":"logic"}]}}]}"#);
    assert_snapshot!(fields(&app, "slug,size(requires),needs:size(requires)").await, @r#"200 {"slug":"rust","requires":1,"needs":1}"#);
    assert_snapshot!(fields(&app, "category(skills(slug;filter:slug != 'rust' && name != ')';sort:slug))").await, @r#"200 {"category":{"skills":[{"slug":"logic"}]}}"#);
    assert_snapshot!(fields(&app, "*,category(slug)").await, @r#"200 {"id":"[id]","slug":"rust","name":"Rust","published":true,"level":"EXPERT","monthsMin":6,"monthsMax":24,"technologies":["cargo","rustc"],"createdAt":"[time]","updatedAt":"[time]","version":1,"category":{"slug":"core"}}"#);
}

#[tokio::test]
async fn wrong_selections_are_named() {
    let app = skills().await;
    let check = async |fields: &str| app.anonymous().query("/api/skills", &[("fields", fields)]).await.problem();
    assert_snapshot!(check("").await, @r#"400 invalid_argument: fields: expected a field's name or "*", found the end (at character 1)"#);
    assert_snapshot!(check("nme").await, @r#"400 invalid_argument: no field named "nme" in "Skill""#);
    assert_snapshot!(check("name(x)").await, @r#"400 invalid_argument: "name" of "Skill" is no link"#);
    assert_snapshot!(check("requires").await, @r#"400 invalid_argument: "requires" of "Skill" is a to-many link"#);
    assert_snapshot!(check("category(nme)").await, @r#"400 invalid_argument: no field named "nme" in "Category""#);
    assert_snapshot!(check("size(name)").await, @r#"400 invalid_argument: "name" of "Skill" is no to-many link, so that it has no figures"#);
    assert_snapshot!(check("requires(slug;limit:0)").await, @r#"400 invalid_argument: the limit of "requires" is 0"#);
    assert_snapshot!(check("requires(slug;limit:1001)").await, @r#"400 limit_exceeded: the limit of "requires" is 1001, at most 1000 are answered"#);
    assert_snapshot!(check("category(slug;limit:1)").await, @r#"400 invalid_argument: "category" is a to-one link, which has no limit, sort or filter"#);
    assert_snapshot!(check("requires(slug;filter:nme == 'x')").await, @r#"400 invalid_argument: the filter is not valid: no field named "nme" in "Skill" at column 1 ("nme") of "nme == 'x'""#);
    assert_snapshot!(check("name,name:slug").await, @r#"400 invalid_argument: "name" is selected twice"#);
    assert_snapshot!(check("requires(slug").await, @r#"400 invalid_argument: fields: expected ")", found the end (at character 14)"#);
}

#[tokio::test]
async fn depth_is_bounded() {
    let app = Setup::new(SKILLS).limits(|limits| limits.depth_max = 2).start().await;
    seed_skills(&app).await;
    assert_eq!(app.get("/api/skills?fields=requires(requires(slug))").await.status, 200);
    assert_snapshot!(app.get("/api/skills?fields=requires(requires(requires(slug)))").await.problem(), @"400 limit_exceeded: fields has links deeper than 2 (at character 28)");
    let deep = format!("/api/skills?fields={}", "requires(".repeat(1_000));
    assert_eq!(app.get(&deep).await.code(), "limit_exceeded");
}

#[tokio::test]
async fn nested_lists_have_their_own_limit() {
    let app = skills().await;
    let get = async |fields: &str| app.anonymous().query("/api/categories/by/slug/core", &[("fields", fields)]).await;
    assert_snapshot!(get("skills(slug;limit:1;sort:slug),n:size(skills)").await, @r#"200 {"skills":[{"slug":"logic"}],"n":2}"#);
    assert_snapshot!(get("skills(slug;limit:1;sort:-slug)").await, @r#"200 {"skills":[{"slug":"rust"}]}"#);
}

#[tokio::test]
async fn expanded_answers_have_weak_tags() {
    let app = skills().await;
    let own = app.get("/api/skills/by/slug/rust?fields=slug,name").await;
    assert_eq!(own.header("etag"), "\"1\"");
    let expanded = app.get("/api/skills/by/slug/rust?fields=slug,category(name)").await;
    assert!(expanded.header("etag").starts_with("W/"), "{}", expanded.header("etag"));
}

/// Values beside a filter are for one record what they are for a page.
#[tokio::test]
async fn filters_inside_of_one_record_take_values() {
    let app = skills().await;
    let asked = "name,skills(slug;filter:slug == p.q;limit:5)";
    let ask = async |more: &[(&str, &str)]| {
        let all = [&[("fields", asked)], more].concat();
        app.anonymous().query("/api/categories/by/slug/core", &all).await.to_string()
    };
    assert_snapshot!(ask(&[("p.q", "rust")]).await, @r#"200 {"name":"Core","skills":[{"slug":"rust"}]}"#);
    assert_snapshot!(ask(&[("p.q", "logic")]).await, @r#"200 {"name":"Core","skills":[{"slug":"logic"}]}"#);
    for more in [&[][..], &[("p.q", "rust"), ("p.r", "x")], &[("p.", "rust")], &[("p", "rust")]] {
        assert!(ask(more).await.starts_with("400 "), "{more:?}");
    }
}

/// … and for what a write answers.
#[tokio::test]
async fn filters_inside_of_a_written_record_take_values() {
    let app = skills().await;
    let editor = app.user_with("ed", &["editor"], &[]);
    let core = "/api/categories/by/slug/core";
    let asked = |path: &str, more: &str| format!("{path}?fields=name,skills(slug;filter:slug==p.q;limit:5){more}");
    let who = app.anonymous().patch(&asked(core, "&p.q=rust"), json!({"name": "C"})).await;
    assert_eq!(who.code(), "unauthenticated");
    for (slug, count) in [("rust", 1), ("logic", 1), ("none", 0)] {
        let reply = editor.patch(&asked(core, &format!("&p.q={slug}")), json!({"name": slug})).await;
        assert_eq!((reply.status, reply.json()["name"].clone()), (200, json!(slug)), "{}", reply.text);
        assert_eq!(reply.json()["skills"].as_array().map(Vec::len), Some(count), "{}", reply.text);
    }
    // Two values in the other order are another shape.
    let two = "?fields=n:size(skills;filter:slug==p.a||name==p.b)";
    for (more, n) in [("&p.a=rust&p.b=x", 1), ("&p.b=Logic&p.a=x", 1), ("&p.a=rust&p.b=Logic", 2)] {
        let reply = editor.patch(&format!("{core}{two}{more}"), json!({"name": more})).await;
        assert_eq!((reply.status, reply.json()["n"].clone()), (200, json!(n)), "{more}: {}", reply.text);
    }
    let nested = json!({"slug": "new", "name": "New", "skills": [
        {"slug": "one", "name": "One", "technologies": []}, {"slug": "two", "name": "Two", "technologies": []},
    ]});
    let made = editor.post(&asked("/api/categories", "&p.q=two"), nested).await;
    assert_eq!((made.status, made.json()["skills"].clone()), (201, json!([{"slug": "two"}])), "{}", made.text);
    let bare = editor.post(&asked("/api/categories", "&p.q=two"), json!({"slug": "bare", "name": "Bare"})).await;
    assert_eq!((bare.status, bare.json()["skills"].clone()), (201, json!([])), "{}", bare.text);
    for (name, status) in [("Third", 200), ("Fourth", 200)] {
        let upsert = asked("/api/categories", "&upsert=slug&p.q=one");
        let reply = editor.post(&upsert, json!({"slug": "new", "name": name})).await;
        assert_eq!(
            (reply.status, reply.json()["skills"].clone()),
            (status, json!([{"slug": "one"}])),
            "{}",
            reply.text
        );
    }
    let op = |params| {
        json!({"op": "update", "in": "categories", "by": {"slug": "core"}, "data": {"name": "B"},
            "fields": "skills(slug;filter:slug==p.q)", "params": params})
    };
    let batch = editor.post("/api/batch", json!({"ops": [op(json!({"q": "rust"})), op(json!({"q": "logic"}))]})).await;
    let results = json!({"results": [{"skills": [{"slug": "rust"}]}, {"skills": [{"slug": "logic"}]}]});
    assert_eq!((batch.status, batch.json()), (200, results), "{}", batch.text);
    // What is missing, unread, twice or of the wrong form is refused, and nothing is changed.
    let before = editor.get(core).await.json()["version"].clone();
    for more in ["", "&p.q=rust&p.r=x", "&p.=rust", "&p=rust", "&p.q=a&p.q=b"] {
        let reply = editor.patch(&asked(core, more), json!({"name": "Z"})).await;
        assert_eq!(reply.status, 400, "{more}: {}", reply.text);
        let reply = editor.post(&asked("/api/categories", more), json!({"slug": "z", "name": "Z"})).await;
        assert_eq!(reply.status, 400, "{more}: {}", reply.text);
    }
    for params in [json!({}), json!({"q": "rust", "r": 1}), json!([1]), json!({"q": null}), json!("x")] {
        let reply = editor.post("/api/batch", json!({"ops": [op(params.clone())]})).await;
        assert!((400..500).contains(&reply.status), "{params}: {}", reply.text);
    }
    let typed = format!("{core}?fields=n:size(skills;filter:monthsMin==p.q)&p.q=many");
    assert_eq!(editor.patch(&typed, json!({"name": "Z"})).await.status, 400);
    assert_eq!(editor.get(core).await.json()["version"], before);
}

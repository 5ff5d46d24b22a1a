//! Links by a unique: `{"by": {"slug": "core"}}` wherever the id of a link may stand.
use insta::assert_snapshot;
use mainstay_testing::{Setup, TestApp};
use serde_json::{Value as Json, json};

use crate::{SKILLS, skills, told};

fn sql(category: Json) -> Json {
    json!({"slug": "sql", "name": "SQL", "category": category, "technologies": []})
}

fn by(slug: &str) -> Json {
    json!({"by": {"slug": slug}})
}

#[tokio::test]
async fn a_missing_and_an_unreadable_record_are_the_same() {
    let app = skills().await;
    let anna = app.user("anna");
    let progress = |skill: Json| json!({"skill": skill, "percent": 1});
    let hidden = anna.post("/api/progress", progress(by("drafts"))).await;
    let missing = anna.post("/api/progress", progress(by("nothing"))).await;
    assert_eq!(told(&hidden), told(&missing));
    let id = anna.post("/api/progress", progress(json!("01890000-0000-7000-8000-000000000000"))).await;
    assert_eq!((hidden.status, hidden.code()), (id.status, id.code()));
    assert_eq!(hidden.json()["errors"][0]["detail"], id.json()["errors"][0]["detail"]);
    assert_eq!(hidden.json()["errors"][0]["pointer"], "/skill/by");
    let editor = app.user_with("eva", &["editor"], &[]);
    assert_eq!(editor.post("/api/progress", progress(by("drafts"))).await.status, 201);
}

#[tokio::test]
async fn what_is_no_unique_is_refused_by_name() {
    let app = skills().await;
    let admin = app.admin();
    let wrong = [
        (json!({"by": "core"}), "/category/by"),
        (json!({"by": {}}), "/category/by"),
        (json!({"by": {"slg": "core"}}), "/category/by/slg"),
        (json!({"by": {"name": "Core"}}), "/category/by"),
        (json!({"by": {"slug": null}}), "/category/by/slug"),
        (json!({"by": {"slug": 7}}), "/category/by/slug"),
        (json!({"by": {"slug": {"by": {"slug": "core"}}}}), "/category/by/slug"),
        (json!({"by": {"slug": "core", "name": "Core"}}), "/category/by"),
        (json!({"ref": "o"}), "/category/ref"),
        (json!(["core"]), "/category"),
        (json!(7), "/category"),
    ];
    for (category, pointer) in wrong {
        let refused = admin.post("/api/skills", sql(category.clone())).await;
        assert_eq!(refused.status, 422, "{category} {}", refused.text);
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{category} {}", refused.text);
        assert_eq!(admin.get("/api/skills/by/slug/sql").await.status, 404);
    }
    let near = admin.post("/api/skills", sql(json!({"by": {"slg": "core"}}))).await;
    assert_eq!(near.json()["errors"][0]["hint"], "did you mean \"slug\"?");
}

#[tokio::test]
async fn a_create_links_by_uniques() {
    let app = skills().await;
    let body = json!({"slug": "sql", "name": "SQL", "category": by("core"), "technologies": [],
        "requires": [by("rust"), by("logic"), by("rust")]});
    let editor = app.user_with("eva", &["editor"], &[]);
    let created = editor.post("/api/skills?fields=slug,category(slug),requires(slug;sort:slug)", body).await;
    assert_snapshot!(created, @r#"201 {"slug":"sql","category":{"slug":"core"},"requires":[{"slug":"logic"},{"slug":"rust"}]}"#);
    let plain = editor
        .post("/api/skills", json!({"slug": "go", "name": "Go", "category": by("tools"), "technologies": []}))
        .await;
    assert_eq!(plain.status, 201);
    assert!(plain.json()["category"].is_string(), "{}", plain.text);
}

#[tokio::test]
async fn an_array_finds_records_of_the_same_array() {
    let app = skills().await;
    let skill = |slug: &str, requires: Json| json!({"slug": slug, "name": slug, "category": by("core"), "technologies": [], "requires": requires});
    let body =
        json!([skill("a", json!([by("rust")])), skill("b", json!([by("a")])), skill("c", json!([by("b"), by("a")]))]);
    let created = app.admin().post("/api/skills?fields=slug,requires(slug;sort:slug)", body).await;
    assert_snapshot!(created, @r#"201 [{"slug":"a","requires":[{"slug":"rust"}]},{"slug":"b","requires":[{"slug":"a"}]},{"slug":"c","requires":[{"slug":"a"},{"slug":"b"}]}]"#);
    let early = json!([skill("d", json!([by("e")])), skill("e", json!([]))]);
    let refused = app.admin().post("/api/skills", early).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.json()["errors"][0]["pointer"], "/0/requires/0/by");
    assert_eq!(app.admin().get("/api/skills/by/slug/d").await.status, 404);
}

#[tokio::test]
async fn all_that_is_missing_is_told_at_once() {
    let app = skills().await;
    let row =
        |slug: &str, category: &str| json!({"slug": slug, "name": slug, "category": by(category), "technologies": []});
    let refused = app.admin().post("/api/skills", json!([row("a", "x"), row("b", "core"), row("c", "y")])).await;
    let pointers: Vec<Json> =
        refused.json()["errors"].as_array().expect("errors").iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/0/category/by", "/2/category/by"]);
}

#[tokio::test]
async fn changes_link_by_uniques() {
    let app = skills().await;
    let admin = app.admin();
    let at = "/api/skills/by/slug/rust?fields=category(slug),requires(slug;sort:slug)";
    let moved = admin.patch(at, json!({"category": by("tools")})).await;
    assert_snapshot!(moved, @r#"200 {"category":{"slug":"tools"},"requires":[{"slug":"logic"}]}"#);
    let added = admin
        .patch(at, json!({"requires": {"add": [by("git"), by("drafts")], "remove": [by("logic"), by("nothing")]}}))
        .await;
    assert_snapshot!(added, @r#"200 {"category":{"slug":"tools"},"requires":[{"slug":"drafts"},{"slug":"git"}]}"#);
    let replaced = admin.patch(at, json!({"requires": [by("logic")]})).await;
    assert_snapshot!(replaced, @r#"200 {"category":{"slug":"tools"},"requires":[{"slug":"logic"}]}"#);
    let refused = admin.patch(at, json!({"requires": {"add": [by("nothing")]}})).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["pointer"].clone()), (422, json!("/requires/add/0/by")));
    let made = admin.patch(at, json!({"category": {"slug": "new", "name": "New"}})).await;
    assert_eq!((made.status, made.json()["errors"][0]["code"].clone()), (422, json!("wrong_type")));
}

/// Rules and checks that read a link see the record that was found.
#[tokio::test]
async fn rules_and_checks_see_what_was_found() {
    const SCHEMA: &str = r#"
type Team @rules(read: "true", write: "false") { slug: String! @unique lead: ID! }
type Match @rules(read: "home.lead == auth.id", create: "home.lead == auth.id", update: "home.lead == auth.id")
  @check(expr: "home != away", message: "a team cannot play against itself") { home: Team! away: Team! title: String! }
"#;
    let app = TestApp::with_schema(SCHEMA).await;
    app.seed("teams", [json!({"slug": "red", "lead": "anna"}), json!({"slug": "blue", "lead": "bob"})]).await;
    let anna = app.user("anna");
    let game = |home: &str, away: &str| json!({"home": by(home), "away": by(away), "title": "x"});
    let refused = anna.post("/api/matches", game("blue", "red")).await;
    assert_eq!((refused.status, refused.json()["rule"].clone()), (403, json!("Match.create")));
    let same = anna.post("/api/matches", game("red", "red")).await;
    assert_eq!(
        (same.status, same.json()["errors"][0]["detail"].clone()),
        (422, json!("a team cannot play against itself"))
    );
    let created = anna.post("/api/matches", game("red", "blue")).await;
    assert_eq!(created.status, 201);
    let at = format!("/api/matches/{}", created.id());
    assert_eq!(anna.patch(&at, json!({"away": by("red")})).await.status, 422);
    assert_eq!(anna.patch(&at, json!({"home": by("blue"), "away": by("red")})).await.code(), "forbidden");
}

/// A unique of a link and a field: the link inside may be given by a unique too.
#[tokio::test]
async fn a_unique_of_several_fields() {
    const SCHEMA: &str = r#"
type Org @rules(read: "true", write: "true") { slug: String! @unique }
type Project @rules(read: "true", write: "true") @unique(fields: ["org", "key"]) { org: Org! key: Int! }
type Issue @rules(read: "true", write: "true") { project: Project! }
"#;
    let app = TestApp::with_schema(SCHEMA).await;
    let orgs = app.seed("orgs", [json!({"slug": "a"}), json!({"slug": "b"})]).await;
    app.seed("projects", [json!({"org": orgs[0], "key": 1}), json!({"org": orgs[1], "key": 1})]).await;
    let issue = |project: Json| json!({"project": {"by": project}});
    let at = "/api/issues?fields=project(key,org(slug))";
    let by_id = app.anonymous().post(at, issue(json!({"key": 1, "org": orgs[1]}))).await;
    assert_snapshot!(by_id, @r#"201 {"project":{"key":1,"org":{"slug":"b"}}}"#);
    let by_slug = app.anonymous().post(at, issue(json!({"org": by("a"), "key": 1}))).await;
    assert_snapshot!(by_slug, @r#"201 {"project":{"key":1,"org":{"slug":"a"}}}"#);
    let missing = app.anonymous().post(at, issue(json!({"org": by("a"), "key": 2}))).await;
    assert_eq!((missing.status, missing.json()["errors"][0]["pointer"].clone()), (422, json!("/project/by")));
    let missing = app.anonymous().post(at, issue(json!({"org": by("c"), "key": 1}))).await;
    assert_eq!((missing.status, missing.json()["errors"][0]["pointer"].clone()), (422, json!("/project/by/org/by")));
    // Whose record it is that is wrong: what was sent, not what was looked for.
    assert_eq!(missing.json()["detail"], "this is no valid \"Issue\"");
    assert_eq!(missing.json()["errors"][0]["detail"], "no such \"Org\", or the caller may not read it");
}

/// Uniques of every type find what they hold.
#[tokio::test]
async fn uniques_of_every_type() {
    const SCHEMA: &str = r#"
enum Color { RED GREEN }
type One @rules(read: "true", write: "true") {
  int: Int @unique long: Long @unique float: Float @unique decimal: Decimal @decimal(precision: 6, scale: 2) @unique
  date: Date @unique time: Time @unique dateTime: DateTime @unique uuid: UUID @unique email: Email @unique
  color: Color @unique boolean: Boolean @unique text: String @unique key: ID @unique url: URL @unique
}
type Other @rules(read: "true", write: "true") { one: One! }
"#;
    let app = TestApp::with_schema(SCHEMA).await;
    let values = json!({"int": -7, "long": "9007199254740993", "float": 0.1, "decimal": "12.50", "date": "2024-02-29",
        "time": "10:00:00.000001", "dateTime": "2024-02-29T10:00:00Z", "uuid": "01890000-0000-7000-8000-000000000000",
        "email": "a@example.org", "color": "GREEN", "boolean": true, "text": "a'b\"c\u{1F600}", "key": "k", "url": "https://example.org/"});
    let one = app.admin().post("/api/ones", values.clone()).await.id();
    for (name, value) in values.as_object().expect("an object") {
        let linked = app.anonymous().post("/api/others", json!({"one": {"by": {name: value}}})).await;
        assert_eq!((linked.status, linked.json()["one"].clone()), (201, json!(one)), "{name} {}", linked.text);
    }
}

#[tokio::test]
async fn a_record_may_have_a_field_called_by() {
    const SCHEMA: &str = r#"
type Quote @rules(read: "true", write: "true") { by: String! @unique text: String }
type Page @rules(read: "true", write: "true") { quote: Quote! }
"#;
    let app = TestApp::with_schema(SCHEMA).await;
    let page = |quote: Json| json!({"quote": quote});
    let at = "/api/pages?fields=quote(by,text)";
    let made = app.anonymous().post(at, page(json!({"by": "Ada", "text": "x"}))).await;
    assert_snapshot!(made, @r#"201 {"quote":{"by":"Ada","text":"x"}}"#);
    let found = app.anonymous().post(at, page(json!({"by": {"by": "Ada"}}))).await;
    assert_snapshot!(found, @r#"201 {"quote":{"by":"Ada","text":"x"}}"#);
    let long = app.anonymous().post(at, page(json!({"data": {"by": "Bob"}}))).await;
    assert_snapshot!(long, @r#"201 {"quote":{"by":"Bob","text":null}}"#);
}

/// How many statements a look-up costs does not depend on how many records look.
#[tokio::test]
async fn many_look_ups_are_few() {
    let app = TestApp::with_schema(SKILLS).await;
    app.seed("categories", (0..50).map(|n| json!({"slug": format!("c{n}"), "name": "C"})).collect::<Vec<_>>()).await;
    let rows: Vec<Json> = (0..200)
        .map(|n| json!({"slug": format!("s{n}"), "name": "S", "category": by(&format!("c{}", n % 50)), "technologies": []}))
        .collect();
    let created = app.admin().post("/api/skills?fields=slug,category(slug)", json!(rows)).await;
    assert_eq!(created.status, 201);
    for (n, row) in created.json().as_array().expect("errors").iter().enumerate() {
        assert_eq!(*row, json!({"slug": format!("s{n}"), "category": {"slug": format!("c{}", n % 50)}}));
    }
}

/// In development a refusal names the clauses that refuse, also where a link is given by a unique.
#[tokio::test]
async fn in_development_the_clauses_that_refuse_are_told() {
    const ROWS: &str = r#"
type Team @rules(read: "true") { slug: String! @unique rows: [Row!]! @inverse(field: "team") }
type Row @rules(read: "true", create: "n < 5 && team.slug == 'a'", update: "n < 5 && team.slug == 'a'") { n: Int! team: Team! }
"#;
    let app = Setup::new(ROWS).explained().start().await;
    app.seed("teams", [json!({"slug": "a"}), json!({"slug": "b"})]).await;
    let id = app.seed("rows", [json!({"n": 1, "team": by("a")})]).await.remove(0);
    let hint = |reply: mainstay_testing::Reply| reply.json()["hint"].as_str().unwrap_or_default().to_owned();
    let path = format!("/api/rows/{id}");
    let changed = hint(app.user("anna").patch(&path, json!({"n": 7, "team": by("b")})).await);
    for told in ["Row.update, of the record as it would become", "`n < 5` is false, where n is 7", "team.slug is \"b\""]
    {
        assert!(changed.contains(told), "{told}: {changed}");
    }
    let made = hint(app.user("anna").post("/api/rows", json!({"n": 9, "team": by("a")})).await);
    assert_eq!(made, "Row.create: `n < 5` is false, where n is 9");
    let led = hint(app.user("anna").post("/api/rows", json!({"n": 1, "team": by("b")})).await);
    assert_eq!(led, "Row.create: `team.slug == 'a'` does not hold");
}

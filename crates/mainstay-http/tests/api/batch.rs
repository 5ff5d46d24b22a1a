//! `POST /api/batch`: operations of any kind in one transaction.
use insta::assert_snapshot;
use mainstay_testing::{Reply, Setup, TestApp};
use serde_json::{Value as Json, json};

use crate::{SKILLS, skills};

/// Organisations that only their members see, and that their creator joins as the first admin.
const ORGS: &str = r#"
extend schema @define(name: "signedIn", expr: "auth.id != ''")
enum Role { ADMIN MEMBER }
type Org
  @define(name: "isAdmin", expr: "members.exists(m, m.user == auth.id && m.role == 'ADMIN')")
  @rules(read: "members.exists(m, m.user == auth.id)", create: "signedIn", update: "isAdmin", delete: "isAdmin")
{
  slug: String! @unique
  createdBy: ID! @set(create: "auth.id")
  members: [Member!]! @inverse(field: "org")
  projects: [Project!]! @inverse(field: "org")
}
type Member
  @rules(read: "user == auth.id || org.isAdmin", write: "org.isAdmin",
    create: "org.isAdmin && (user != auth.id || (org.createdBy == auth.id && size(org.members) == 1))")
  @unique(fields: ["org", "user"])
{
  org: Org! @onDelete(do: CASCADE)
  user: ID!
  role: Role!
}
type Project @rules(read: "org.members.exists(m, m.user == auth.id)", write: "org.isAdmin") {
  org: Org! @onDelete(do: CASCADE)
  name: String! @check(expr: "size(name) > 1", message: "a longer name")
}
"#;

fn ops(ops: Json) -> Json {
    json!({ "ops": ops })
}

fn pointers(reply: &Reply) -> Vec<String> {
    let pointer = |error: &Json| error["pointer"].as_str().unwrap_or_default().to_owned();
    reply.json()["errors"].as_array().map(|errors| errors.iter().map(pointer).collect()).unwrap_or_default()
}

#[tokio::test]
async fn who_is_refused() {
    let app = skills().await;
    let create = ops(json!([{"op": "create", "in": "skills", "data": {"nothing": 1}}]));
    let anonymous = app.anonymous().post("/api/batch", create.clone()).await;
    assert_eq!((anonymous.code(), pointers(&anonymous)), ("unauthenticated".into(), vec!["/ops/0".to_owned()]));
    let anna = app.user("anna").post("/api/batch", create).await;
    assert_eq!((anna.code(), anna.json()["rule"].clone()), ("forbidden".into(), json!("Skill.create")));
    // One refused operation refuses all.
    let mixed = ops(json!([
        {"op": "create", "in": "progress", "data": {"skill": {"by": {"slug": "rust"}}, "percent": 1}},
        {"op": "delete", "in": "skills", "by": {"slug": "rust"}},
    ]));
    let refused = app.user("anna").post("/api/batch", mixed).await;
    assert_eq!((refused.code(), pointers(&refused)), ("forbidden".into(), vec!["/ops/1".to_owned()]));
    assert_eq!(app.user("anna").get("/api/progress").await.items().len(), 0);
    for method in ["GET", "PATCH", "DELETE", "PUT"] {
        let reply = app.admin().bytes(method, "/api/batch", "application/json", b"{}".to_vec()).await;
        assert_eq!((reply.status, reply.header("allow")), (405, "OPTIONS, POST"), "{method}");
    }
}

#[tokio::test]
async fn what_is_no_batch() {
    let app = skills().await;
    for body in [json!([]), json!(null), json!({}), json!({"ops": {}}), json!({"ops": [], "x": 1}), json!({"op": []})] {
        let refused = app.admin().post("/api/batch", body.clone()).await;
        assert_eq!((refused.status, refused.code()), (400, "invalid_body".into()), "{body}");
    }
    assert_snapshot!(app.admin().post("/api/batch", ops(json!([]))).await, @r#"200 {"results":[]}"#);
    assert_eq!(app.admin().post("/api/batch?fields=id", ops(json!([]))).await.code(), "unknown_parameter");
    let wrong = [
        (json!(7), "/ops/1"),
        (json!({}), "/ops/1/op"),
        (json!({"op": "crete", "in": "skills"}), "/ops/1/op"),
        (json!({"op": "create"}), "/ops/1/in"),
        (json!({"op": "create", "in": "skils", "data": {}}), "/ops/1/in"),
        (json!({"op": "create", "in": "skills"}), "/ops/1/data"),
        (json!({"op": "create", "in": "skills", "data": {}, "id": "x"}), "/ops/1/id"),
        (json!({"op": "create", "in": "categories", "data": 7}), "/ops/1/data"),
        (json!({"op": "update", "in": "skills", "data": {}}), "/ops/1/id"),
        (json!({"op": "update", "in": "skills", "id": "no key", "data": {}}), "/ops/1/id"),
        (json!({"op": "update", "in": "skills", "id": {"ref": "x"}, "data": {}}), "/ops/1/id/ref"),
        (json!({"op": "update", "in": "skills", "id": "x", "by": {"slug": "x"}, "data": {}}), "/ops/1/by"),
        (json!({"op": "update", "in": "skills", "by": {"name": "x"}, "data": {}}), "/ops/1/by"),
        (json!({"op": "update", "in": "skills", "by": {"slug": "rust"}, "data": {"slug": "x"}}), "/ops/1/data/slug"),
        (json!({"op": "update", "in": "skills", "by": {"slug": "rust"}, "version": "1", "data": {}}), "/ops/1/version"),
        (json!({"op": "upsert", "in": "skills", "data": {}}), "/ops/1/by"),
        (json!({"op": "upsert", "in": "skills", "by": "name", "data": {}}), "/ops/1/by"),
        (json!({"op": "delete", "in": "skills", "id": "x", "data": {}}), "/ops/1/data"),
        (json!({"op": "delete", "in": "skills", "by": {"slug": "rust"}, "as": "r"}), "/ops/1/as"),
        (json!({"op": "create", "in": "categories", "as": "", "data": {"slug": "y", "name": "Y"}}), "/ops/1/as"),
        (json!({"op": "create", "in": "categories", "as": "c", "data": {"slug": "y", "name": "Y"}}), "/ops/1/as"),
        (
            json!({"op": "create", "in": "categories", "fields": "nme(", "data": {"slug": "y", "name": "Y"}}),
            "/ops/1/fields",
        ),
    ];
    for (op, pointer) in wrong {
        let first = json!({"op": "create", "in": "categories", "as": "c", "data": {"slug": "x", "name": "X"}});
        let refused = app.admin().post("/api/batch", ops(json!([first, op]))).await;
        assert_eq!((refused.status, refused.code()), (422, "invalid_record".into()), "{op} {}", refused.text);
        assert_eq!(pointers(&refused)[0], pointer, "{op} {}", refused.text);
        assert_eq!(app.get("/api/categories/by/slug/x").await.status, 404, "{op}");
    }
}

#[tokio::test]
async fn all_that_is_wrong_comes_at_once() {
    let app = skills().await;
    let reply = app.admin().post("/api/batch", ops(json!([
        {"op": "create", "in": "skills", "as": "s", "data": {"slug": "A", "name": 7, "category": {"by": {"slog": "core"}}}},
        {"op": "nothing"},
        {"op": "update", "in": "skills", "by": {"slug": "rust"}, "data": {"monthsMin": "x", "slug": "y"}},
        {"op": "create", "in": "progress", "data": {"skill": {"ref": "s"}, "percent": 101}},
        {"op": "create", "in": "progress", "data": {"skill": {"ref": "t"}, "percent": 100}},
    ]))).await;
    let mut pointers = pointers(&reply);
    pointers.sort();
    assert_eq!(
        pointers,
        [
            "/ops/0/data/category/by/slog",
            "/ops/0/data/name",
            "/ops/0/data/technologies",
            "/ops/1/in",
            "/ops/1/op",
            "/ops/2/data/monthsMin",
            "/ops/2/data/slug",
            "/ops/3/data/percent",
            "/ops/4/data/skill/ref",
        ]
    );
}

/// What is wrong with an operation's members hides nothing of what is wrong with its record.
#[tokio::test]
async fn members_and_data_that_are_wrong_come_at_once() {
    let app = skills().await;
    let rust = json!({"slug": "rust"});
    let progress = json!({"skill": {"ref": "t"}, "percent": 1});
    let body = ops(json!([
        {"op": "create", "in": "skills", "as": "s", "data": [], "y": 1},
        {"op": "create", "in": "progress", "data": progress, "version": 1},
        {"op": "create", "in": "progress", "data": {"skill": {"ref": "s"}, "percent": 101}, "fields": "percent("},
        {"op": "update", "in": "skills", "data": {"name": 7}},
        {"op": "update", "in": "skills", "id": "x", "by": rust, "data": 7},
        {"op": "update", "in": "skills", "by": {"slog": "rust"}, "version": "1"},
        {"op": "upsert", "in": "skills", "by": "name", "data": {"slug": "rust", "monthsMin": "x"}},
        {"op": "upsert", "in": "skills", "data": []},
        {"op": "delete", "in": "skills", "id": {"ref": "t"}, "data": {}},
        {"op": "create", "in": "categories"},
    ]));
    let reply = app.admin().post("/api/batch", body).await;
    assert_eq!(reply.status, 422, "{}", reply.text);
    assert_eq!(
        pointers(&reply),
        [
            "/ops/0/y",
            "/ops/0/data",
            "/ops/1/version",
            "/ops/1/data/skill/ref",
            "/ops/2/fields",
            "/ops/2/data/percent",
            "/ops/3/id",
            "/ops/3/data/name",
            "/ops/4/by",
            "/ops/4/data",
            "/ops/5/version",
            "/ops/5/data",
            "/ops/5/by/slog",
            "/ops/6/by",
            "/ops/6/data/monthsMin",
            "/ops/7/by",
            "/ops/7/data",
            "/ops/8/data",
            "/ops/8/id/ref",
            "/ops/9/data",
            "/ops/9/data/slug",
            "/ops/9/data/name",
        ],
        "{}",
        reply.text
    );
    // Who may not is told nothing else.
    let refused = ops(json!([{"op": "create", "in": "skills", "data": [], "y": 1}]));
    assert_eq!(app.user("anna").post("/api/batch", refused).await.code(), "forbidden");
}

#[tokio::test]
async fn the_creator_becomes_the_first_admin() {
    let app = TestApp::with_schema(ORGS).await;
    let anna = app.user("anna");
    let found = |user: &str, role: &str| {
        ops(json!([
            {"op": "create", "in": "orgs", "as": "o", "data": {"slug": "acme"}},
            {"op": "create", "in": "members", "data": {"org": {"ref": "o"}, "user": user, "role": role}},
            {"op": "create", "in": "projects", "fields": "name,org(slug,members(user,role))", "data": {"org": {"ref": "o"}, "name": "first"}},
            {"op": "update", "in": "orgs", "id": {"ref": "o"}, "data": {"slug": "acme-2"}, "fields": "slug"},
        ]))
    };
    // Whoever makes somebody else the admin, or a member of themselves, is refused by the membership's rule.
    for (user, role) in [("bob", "ADMIN"), ("anna", "MEMBER")] {
        let refused = anna.post("/api/batch", found(user, role)).await;
        assert_eq!(
            (refused.code(), refused.json()["rule"].clone()),
            ("forbidden".into(), json!("Member.create")),
            "{}",
            refused.text
        );
        assert_eq!(pointers(&refused), ["/ops/1"]);
        assert_eq!(app.admin().get("/api/orgs").await.items().len(), 0);
    }
    assert_eq!(app.anonymous().post("/api/batch", found("anna", "ADMIN")).await.code(), "unauthenticated");
    let reply = anna.post("/api/batch", found("anna", "ADMIN")).await;
    assert_snapshot!(reply, @r#"200 {"results":[{"id":"[id]"},{"id":"[id]","org":"[id]","user":"anna","role":"ADMIN","createdAt":"[time]","updatedAt":"[time]","version":1},{"name":"first","org":{"slug":"acme","members":[{"user":"anna","role":"ADMIN"}]}},{"slug":"acme-2"}]}"#);
    // Later nobody joins by themselves.
    let org = app.admin().get("/api/orgs").await.items()[0]["id"].clone();
    let bob = app.user("bob");
    let join = |org: &Json| {
        ops(json!([{"op": "create", "in": "members", "data": {"org": org, "user": "bob", "role": "ADMIN"}}]))
    };
    assert_eq!(bob.post("/api/batch", join(&org)).await.status, 422);
    assert_eq!(anna.post("/api/members", json!({"org": org, "user": "bob", "role": "MEMBER"})).await.status, 201);
}

#[tokio::test]
async fn operations_have_the_status_of_their_own() {
    let app = skills().await;
    let admin = app.admin();
    let first = json!({"op": "create", "in": "categories", "data": {"slug": "x", "name": "X"}});
    let cases = [
        (
            json!({"op": "update", "in": "skills", "id": "01890000-0000-7000-8000-000000000000", "data": {"name": "x"}}),
            404,
            "not_found",
            "/ops/1",
        ),
        (
            json!({"op": "update", "in": "skills", "by": {"slug": "nothing"}, "data": {"name": "x"}}),
            404,
            "not_found",
            "/ops/1",
        ),
        (
            json!({"op": "update", "in": "skills", "by": {"slug": "rust"}, "version": 7, "data": {"name": "x"}}),
            412,
            "version_mismatch",
            "/ops/1",
        ),
        (
            json!({"op": "delete", "in": "skills", "by": {"slug": "rust"}, "version": 7}),
            412,
            "version_mismatch",
            "/ops/1",
        ),
        (json!({"op": "delete", "in": "categories", "by": {"slug": "core"}}), 409, "restricted", "/ops/1"),
        (
            json!({"op": "create", "in": "categories", "data": {"slug": "core", "name": "x"}}),
            409,
            "not_unique",
            "/ops/1/data/slug",
        ),
        (
            json!({"op": "create", "in": "categories", "data": {"slug": "x", "name": "x"}}),
            409,
            "not_unique",
            "/ops/1/data/slug",
        ),
        (
            json!({"op": "update", "in": "skills", "by": {"slug": "rust"}, "data": {"monthsMin": 99}}),
            422,
            "invalid_record",
            "/ops/1/data",
        ),
        (
            json!({"op": "update", "in": "skills", "by": {"slug": "rust"}, "data": {"category": "01890000-0000-7000-8000-000000000000"}}),
            422,
            "invalid_record",
            "/ops/1/data/category",
        ),
        (
            json!({"op": "update", "in": "skills", "by": {"slug": "rust"}, "data": {"category": {"by": {"slug": "y"}}}}),
            422,
            "invalid_record",
            "/ops/1/data/category/by",
        ),
    ];
    for (op, status, code, pointer) in cases {
        let reply = admin.post("/api/batch", ops(json!([first, op]))).await;
        assert_eq!((reply.status, reply.code()), (status, code.to_owned()), "{op} {}", reply.text);
        assert_eq!(pointers(&reply), [pointer], "{op} {}", reply.text);
        assert_eq!(app.get("/api/categories/by/slug/x").await.status, 404, "{op}");
    }
    // A hidden record is missing.
    let hidden = ops(json!([{"op": "update", "in": "progress", "id": app.user("anna").post("/api/progress",
        json!({"skill": {"by": {"slug": "rust"}}, "percent": 1})).await.id(), "data": {"percent": 2}}]));
    assert_eq!(app.user("bob").post("/api/batch", hidden.clone()).await.status, 404);
    assert_eq!(app.user("anna").post("/api/batch", hidden).await.status, 200);
}

#[tokio::test]
async fn later_operations_see_earlier_ones() {
    let app = skills().await;
    let reply = app.admin().post("/api/batch", ops(json!([
        {"op": "create", "in": "categories", "as": "c", "data": {"slug": "new", "name": "New"}, "fields": "slug"},
        {"op": "create", "in": "skills", "as": "a", "data": {"slug": "a", "name": "A", "category": {"ref": "c"}, "technologies": []}, "fields": "slug,category(slug)"},
        {"op": "create", "in": "skills", "as": "b", "data": {"slug": "b", "name": "B", "category": {"by": {"slug": "new"}}, "technologies": [],
            "requires": [{"ref": "a"}, {"by": {"slug": "rust"}}]}, "fields": "requires(slug;sort:slug)"},
        {"op": "update", "in": "skills", "id": {"ref": "a"}, "data": {"requires": {"add": [{"ref": "b"}]}}, "version": 1, "fields": "version,requires(slug)"},
        {"op": "update", "in": "skills", "by": {"slug": "rust"}, "as": "r", "data": {"category": {"ref": "c"}, "name": "Rust!"}, "fields": "name,category(slug)"},
        {"op": "update", "in": "skills", "id": {"ref": "r"}, "data": {"requires": [{"ref": "a"}, {"ref": "r"}]}, "fields": "requires(slug;sort:slug)"},
        {"op": "delete", "in": "skills", "id": {"ref": "b"}},
        {"op": "update", "in": "categories", "id": {"ref": "c"}, "data": {"name": "Newer"}, "fields": "name,n:size(skills)"},
    ]))).await;
    assert_snapshot!(reply, @r#"200 {"results":[{"slug":"new"},{"slug":"a","category":{"slug":"new"}},{"requires":[{"slug":"a"},{"slug":"rust"}]},{"version":2,"requires":[{"slug":"b"}]},{"name":"Rust!","category":{"slug":"new"}},{"requires":[{"slug":"a"},{"slug":"rust"}]},{"id":"[id]"},{"name":"Newer","n":2}]}"#);
    assert_eq!(app.admin().get("/api/skills/by/slug/b").await.status, 404);
}

/// Keys that the database counts, and records that may or may not be there, are known in the transaction alone.
#[tokio::test]
async fn keys_that_only_the_transaction_knows() {
    const SCHEMA: &str = r#"
type Order @rules(read: "owner == auth.id", create: "owner == auth.id", update: "owner == auth.id") {
  id: Int! owner: ID! note: String lines: [Line!]! @inverse(field: "order") friends: [Order!]! @many
}
type Line @rules(read: "order.owner == auth.id", create: "order.owner == auth.id", write: "order.owner == auth.id")
  @check(expr: "order != null", message: "an order") { order: Order! tag: Tag n: Int! }
type Tag @rules(read: "true", write: "true") { slug: String! @unique uses: Int }
"#;
    let app = TestApp::with_schema(SCHEMA).await;
    let anna = app.user("anna");
    let batch = |owner: &str| {
        ops(json!([
            {"op": "create", "in": "orders", "as": "o", "data": {"owner": owner}},
            {"op": "create", "in": "orders", "as": "p", "data": {"owner": "anna", "friends": [{"ref": "o"}]}, "fields": "id,friends(id)"},
            {"op": "upsert", "in": "tags", "as": "t", "by": "slug", "data": {"slug": "x", "uses": 1}, "fields": "slug,uses"},
            {"op": "create", "in": "lines", "data": {"order": {"ref": "o"}, "tag": {"ref": "t"}, "n": 1}, "fields": "order,n,tag(uses)"},
            {"op": "update", "in": "orders", "id": {"ref": "o"}, "data": {"note": "done", "friends": {"add": [{"ref": "p"}]}}, "fields": "id,note,friends(id),lines(n)"},
        ]))
    };
    let made = anna.post("/api/batch", batch("anna")).await;
    assert_snapshot!(made, @r#"200 {"results":[{"id":"1","owner":"anna","note":null,"createdAt":"[time]","updatedAt":"[time]","version":1},{"id":"2","friends":[{"id":"1"}]},{"slug":"x","uses":1},{"order":"1","n":1,"tag":{"uses":1}},{"id":"1","note":"done","friends":[{"id":"2"}],"lines":[{"n":1}]}]}"#);
    let again = anna.post("/api/batch", batch("anna")).await;
    assert_eq!((again.status, again.json()["results"][3]["order"].clone()), (200, json!("3")), "{}", again.text);
    assert_eq!(anna.get("/api/tags").await.items().len(), 1);
    let refused = anna.post("/api/batch", batch("bob")).await;
    assert_eq!((refused.code(), pointers(&refused)), ("forbidden".into(), vec!["/ops/0".to_owned()]));
    assert_eq!(app.admin().get("/api/orders").await.items().len(), 4);
}

/// A record made in a batch may be linked to by whoever made it, and still be hidden from them.
#[tokio::test]
async fn who_may_not_read_what_they_made() {
    const SCHEMA: &str = r#"
type Report @rules(read: "'staff' in auth.roles", create: "true") { text: String! parts: [Part!]! @inverse(field: "report") }
type Part @rules(read: "true", create: "true") { report: Report! text: String! }
"#;
    let app = TestApp::with_schema(SCHEMA).await;
    let part = json!({"op": "create", "in": "parts", "data": {"report": {"ref": "r"}, "text": "b"}, "fields": "text,report(text)"});
    let report = json!({"op": "create", "in": "reports", "as": "r", "data": {"text": "a"}});
    let reply = app.anonymous().post("/api/batch", ops(json!([report, part]))).await;
    // What is forbidden outright is refused by name.
    assert_eq!((reply.status, reply.code()), (401, "unauthenticated".into()), "{}", reply.text);
    let part = json!({"op": "create", "in": "parts", "data": {"report": {"ref": "r"}, "text": "b"}, "fields": "text"});
    let reply = app.anonymous().post("/api/batch", ops(json!([report, part]))).await;
    assert_snapshot!(reply, @r#"200 {"results":[{"id":"[id]"},{"text":"b"}]}"#);
    let id = reply.json()["results"][0]["id"].clone();
    assert_eq!(app.anonymous().post("/api/parts", json!({"report": id, "text": "c"})).await.status, 422);
    let update = json!({"op": "update", "in": "reports", "id": {"ref": "r"}, "data": {"text": "c"}});
    assert_eq!(app.anonymous().post("/api/batch", ops(json!([report, update]))).await.status, 401);
}

#[tokio::test]
async fn limits() {
    let app =
        Setup::new(SKILLS).limits(|limits| limits.batch_max = 3).http(|http| http.body_bytes_max = 2_000).start().await;
    let op = |n: usize| json!({"op": "create", "in": "categories", "data": {"slug": format!("c{n}"), "name": "C"}});
    let three = (0..3).map(op).collect::<Vec<_>>();
    assert_eq!(app.admin().post("/api/batch", ops(json!(three))).await.status, 200);
    let four = (10..14).map(op).collect::<Vec<_>>();
    let refused = app.admin().post("/api/batch", ops(json!(four))).await;
    assert_eq!((refused.status, refused.code()), (400, "limit_exceeded".into()));
    // Records made inside of others count.
    let skill = |n: usize| json!({"slug": format!("s{n}"), "name": "S", "technologies": []});
    let inside = json!({"op": "create", "in": "categories", "data": {"slug": "c20", "name": "C", "skills": [skill(1), skill(2)]}});
    assert_eq!(app.admin().post("/api/batch", ops(json!([inside]))).await.status, 200);
    let refused = app.admin().post("/api/batch", ops(json!([op(21), inside]))).await;
    assert_eq!((refused.status, refused.code()), (400, "limit_exceeded".into()));
    let large = ops(json!([{"op": "create", "in": "categories", "data": {"slug": "x", "name": "x".repeat(3_000)}}]));
    assert_eq!(app.admin().post("/api/batch", large).await.status, 413);
    assert_eq!(app.get("/api/categories?limit=100").await.items().len(), 4);
}

/// A body of nothing but mistakes is answered shortly, and before much is made of it.
#[tokio::test]
async fn mistakes_are_told_as_far_as_they_help() {
    let app = skills().await;
    let many = vec![json!(1); 2_000];
    let refused = app.anonymous().post("/api/batch", ops(json!(many))).await;
    assert_eq!((refused.status, refused.code()), (400, "limit_exceeded".into()));
    let wide = |prefix: &str| (0..500).map(|at| (format!("{prefix}{at}"), json!(1))).collect::<serde_json::Map<_, _>>();
    let errors = |reply: Reply| reply.json()["errors"].as_array().map_or(0, Vec::len);
    assert_eq!(errors(app.anonymous().post("/api/batch", ops(json!([wide("o")]))).await), 2);
    let mut operation = wide("o");
    operation.insert("op".into(), json!("delete"));
    assert_eq!(errors(app.anonymous().post("/api/batch", ops(json!([operation]))).await), 101);
    assert_eq!(errors(app.admin().post("/api/categories", json!(wide("f"))).await), 100);
    let technologies = json!({"slug": "x", "name": "X", "technologies": vec![json!(1); 500]});
    assert_eq!(errors(app.admin().post("/api/skills", technologies).await), 100);
    let inside = json!({"slug": "x", "name": "X", "skills": vec![json!(1); 2_000]});
    assert_eq!(errors(app.admin().post("/api/categories", inside).await), 1);
}

/// Names of operations are the caller's own: any text, the same one once.
#[tokio::test]
async fn names_of_operations() {
    let app = skills().await;
    let chain = |name: &str| {
        ops(json!([
            {"op": "create", "in": "categories", "as": name, "data": {"slug": "x", "name": "X"}},
            {"op": "delete", "in": "categories", "id": {"ref": name}},
        ]))
    };
    for name in ["o", "0", "é\u{1F600}", "__proto__", "a/b~c", &"n".repeat(64)] {
        assert_eq!(app.admin().post("/api/batch", chain(name)).await.status, 200, "{name}");
    }
    assert_eq!(app.admin().post("/api/batch", chain(&"n".repeat(65))).await.status, 422);
    let other = app
        .admin()
        .post(
            "/api/batch",
            ops(json!([
                {"op": "create", "in": "categories", "as": "c", "data": {"slug": "x", "name": "X"}},
                {"op": "create", "in": "progress", "data": {"skill": {"ref": "c"}, "percent": 1}},
            ])),
        )
        .await;
    assert_eq!(other.json()["errors"][0]["detail"], "\"c\" is a \"Category\", expected a \"Skill\"");
    let near = app
        .admin()
        .post(
            "/api/batch",
            ops(json!([
                {"op": "create", "in": "categories", "as": "category", "data": {"slug": "x", "name": "X"}},
                {"op": "delete", "in": "categories", "id": {"ref": "categry"}},
            ])),
        )
        .await;
    assert_eq!(near.json()["errors"][0]["hint"], "did you mean \"category\"?");
}

/// A deleted record is gone for what comes later, also where a look-up could have been made before.
#[tokio::test]
async fn what_is_deleted_is_not_found_later() {
    let app = skills().await;
    app.seed("categories", [json!({"slug": "gone", "name": "G"})]).await;
    let skill = json!({"slug": "x", "name": "X", "technologies": [], "category": {"by": {"slug": "gone"}}});
    let reply = app
        .admin()
        .post(
            "/api/batch",
            ops(json!([
                {"op": "delete", "in": "categories", "by": {"slug": "gone"}},
                {"op": "create", "in": "skills", "data": skill},
            ])),
        )
        .await;
    assert_eq!((reply.status, pointers(&reply)), (422, vec!["/ops/1/data/category/by".to_owned()]));
    let reply = app.admin().post("/api/batch", ops(json!([
        {"op": "update", "in": "categories", "as": "g", "by": {"slug": "gone"}, "data": {"name": "H"}},
        {"op": "delete", "in": "categories", "by": {"slug": "gone"}},
        {"op": "create", "in": "skills", "data": {"slug": "x", "name": "X", "technologies": [], "category": {"ref": "g"}}},
    ]))).await;
    assert_eq!((reply.status, pointers(&reply)), (422, vec!["/ops/2/data/category".to_owned()]));
    assert_eq!(app.get("/api/categories/by/slug/gone").await.status, 200);
}

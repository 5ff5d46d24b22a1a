//! Rules that look further: at the record before and after a change, at the rules of other records, at figures over links.
use insta::assert_snapshot;
use mainstay_testing::{TestApp, refused_schema};
use serde_json::json;

const ISSUES: &str = r#"
enum State { OPEN DOING DONE }
type Project @rules(read: "owner == auth.id || open", update: "owner == auth.id", create: "true") {
  owner: ID! open: Boolean!
  issues: [Issue!]! @inverse(field: "project")
}
type Issue
  @rules(
    read: "can(project, 'read')"
    create: "can(project, 'update')"
    update: "can(project, 'read') && (old.state != 'DONE' || can(project, 'update')) && (new.priority == old.priority || new.priority < 5)"
    delete: "can(project, 'update') && !comments.exists_one(c, c.pinned)"
  )
{
  project: Project!  title: String!  state: State! @default(value: OPEN)  priority: Int! @default(value: 1)
  comments: [Comment!]! @inverse(field: "issue")
}
type Comment @rules(read: "can(issue, 'read')", create: "can(issue, 'read')") {
  issue: Issue! @onDelete(do: CASCADE)  text: String!  pinned: Boolean! @default(value: false)
}
"#;

async fn issues() -> (TestApp, Vec<String>) {
    let app = TestApp::with_schema(ISSUES).await;
    let projects =
        app.seed("projects", [json!({"owner": "anna", "open": true}), json!({"owner": "anna", "open": false})]).await;
    let issue = |project: usize, state: &str| json!({"project": projects[project], "title": state, "state": state});
    let issues = app.seed("issues", [issue(0, "OPEN"), issue(0, "DONE"), issue(1, "OPEN")]).await;
    (app, issues)
}

#[tokio::test]
async fn what_the_rule_of_another_record_refuses_is_refused() {
    let (app, issues) = issues().await;
    let hidden = format!("/api/issues/{}", issues[2]);
    assert_eq!(app.user("bert").get(&hidden).await.status, 404);
    assert_eq!(app.anonymous().get("/api/issues").await.column("title"), ["OPEN", "DONE"]);
    assert_eq!(app.user("anna").get("/api/issues?sort=id").await.items().len(), 3);
    let comment = json!({"issue": issues[2], "text": "x"});
    assert_eq!(app.user("bert").post("/api/comments", comment.clone()).await.status, 422);
    assert_eq!(app.user("anna").post("/api/comments", comment).await.status, 201);
    assert_eq!(app.user("bert").get("/api/comments").await.items().len(), 0);
}

#[tokio::test]
async fn a_rule_of_a_change_sees_what_was_and_what_becomes() {
    let (app, issues) = issues().await;
    let [open, done] = [0, 1].map(|at| format!("/api/issues/{}", issues[at]));
    let bert = app.user("bert");
    assert_eq!(bert.patch(&open, json!({"state": "DOING", "priority": 4})).await.status, 200);
    assert_eq!(bert.patch(&open, json!({"priority": 5})).await.status, 403);
    assert_eq!(bert.patch(&open, json!({"priority": 4, "title": "same"})).await.status, 200);
    assert_eq!(bert.patch(&done, json!({"state": "OPEN"})).await.status, 403, "it was done");
    assert_eq!(bert.patch(&done, json!({"title": "x"})).await.status, 403);
    assert_eq!(app.user("anna").patch(&done, json!({"state": "OPEN"})).await.status, 200);
    assert_eq!(bert.patch(&open, json!({"state": "DONE"})).await.status, 200, "it was not done yet");
    assert_eq!(bert.patch(&open, json!({"title": "y"})).await.status, 403);
    assert_eq!(app.admin().patch(&open, json!({"priority": 9})).await.status, 200);
    assert_eq!(app.user("anna").patch(&open, json!({"priority": 9, "title": "kept"})).await.status, 200);
}

#[tokio::test]
async fn exactly_one_holds_back() {
    let (app, issues) = issues().await;
    let comment = |pinned: bool| json!({"issue": issues[0], "text": "x", "pinned": pinned});
    app.seed("comments", [comment(true), comment(false)]).await;
    let path = format!("/api/issues/{}", issues[0]);
    assert_eq!(app.user("anna").delete(&path).await.status, 403);
    app.seed("comments", [comment(true)]).await;
    assert_eq!(app.user("anna").delete(&path).await.status, 204);
}

#[tokio::test]
async fn a_link_before_and_after() {
    let schema = r#"
        type Box @rules(read: "true") { level: Int! }
        type Thing @rules(read: "true", update: "old.box == null || new.box.level >= old.box.level") { box: Box }
    "#;
    let app = TestApp::with_schema(schema).await;
    let boxes = app.seed("boxes", [json!({"level": 1}), json!({"level": 2})]).await;
    let things = app.seed("things", [json!({"box": boxes[1]}), json!({})]).await;
    let put = async |thing: usize, into: Option<usize>| {
        let body = json!({"box": into.map(|at| boxes[at].clone())});
        app.user("anna").patch(&format!("/api/things/{}", things[thing]), body).await.status
    };
    assert_eq!(put(0, Some(0)).await, 403, "downwards");
    assert_eq!(put(0, None).await, 403, "a path through null is an error");
    assert_eq!(put(0, Some(1)).await, 200);
    assert_eq!(put(1, Some(0)).await, 200);
    assert_eq!(put(1, Some(1)).await, 200);
    assert_eq!(put(1, Some(0)).await, 403);
}

#[tokio::test]
async fn a_sum_over_links_bounds_what_is_sold() {
    let schema = r#"
        type Product @rules(read: "true") { stock: Int!  sales: [Sale!]! @inverse(field: "product") }
        type Sale @rules(read: "true", create: "product.sales.sum(s, s.quantity) <= product.stock") {
          product: Product!  quantity: Int! @check(expr: "quantity > 0")
        }
    "#;
    let app = TestApp::with_schema(schema).await;
    let products = app.seed("products", [json!({"stock": 10})]).await;
    let buyers = (0..64).map(|buyer| {
        let (client, body) = (app.user(&format!("buyer{buyer}")), json!({"product": products[0], "quantity": 1}));
        tokio::spawn(async move { client.post("/api/sales", body).await.status })
    });
    let buyers: Vec<_> = buyers.collect();
    let mut sold = 0;
    for buyer in buyers {
        sold += u32::from(buyer.await.expect("a buyer") == 201);
    }
    assert_eq!(sold, 10);
    let figures = app.get("/api/products?fields=sold:sum(sales.quantity)").await;
    assert_snapshot!(figures, @r#"200 {"items":[{"sold":10}],"next":null}"#);
    let filtered =
        app.get("/api/products?filter=sales.sum(s, s.quantity * 2) == 20 %26%26 sales.max(s, s.quantity) == 1").await;
    assert_eq!(filtered.items().len(), 1);
}

#[test]
fn what_goes_in_circles_or_stands_in_the_wrong_place_is_told() {
    let check = |text: &str, expected: &str| {
        let errors = refused_schema(text);
        assert!(errors.contains(expected), "{errors}");
    };
    check(
        "type A @rules(read: \"can(b, 'read')\") { b: B! }  type B @rules(read: \"all.exists(a, can(a, 'read'))\") { all: [A!]! @inverse(field: \"b\") }",
        "is defined by itself, through \"read of A\"",
    );
    check("type A @rules(read: \"old.b == 1\") { b: Int }", "\"old\" stands in update rules only");
    check("type A @rules(write: \"new.b == 1\") { b: Int }", "\"new\" stands in update rules only");
    check(
        "type A @rules(update: \"size(old.friends) == 1\") { friends: [A!]! @many }",
        "\"friends\" is a list of links, which \"old\" and \"new\" do not tell apart",
    );
    check("type A @rules(read: \"fs.sum(f, f) > 1.0\") { fs: [Float!]! }", "not every database answers");
}

/// The version that a change brings is what a rule reads of the record as it becomes, before the change and after it.
#[tokio::test]
async fn an_update_rule_reads_the_version_that_comes() {
    let app = TestApp::with_schema(
        r#"type A @rules(read: "true", update: "new.version > old.version && new.version < 4") { name: String }"#,
    )
    .await;
    let id = app.seed("as", [serde_json::json!({"name": "a"})]).await.remove(0);
    for (name, status) in [("b", 200), ("c", 200), ("d", 401)] {
        let reply = app.anonymous().patch(&format!("/api/as/{id}"), serde_json::json!({"name": name})).await;
        assert_eq!(reply.status, status, "{name}: {}", reply.text);
    }
}

/// The moments of the server are what a rule reads: those that were, and those that the change brings.
#[tokio::test]
async fn an_update_rule_reads_when_it_was_changed() {
    let once = "old.updatedAt == createdAt && new.updatedAt > old.updatedAt && new.updatedAt == request.time";
    let app = TestApp::with_schema(&format!(
        r#"type A @rules(read: "true", create: "true", update: "{once}") {{ name: String }}"#
    ))
    .await;
    let made = app.anonymous().post("/api/as", serde_json::json!({"name": "a"})).await;
    let path = format!("/api/as/{}", made.id());
    let first = app.anonymous().patch(&path, serde_json::json!({"name": "b"})).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(app.anonymous().patch(&path, serde_json::json!({"name": "c"})).await.status, 401);
    assert_eq!(app.anonymous().get(&path).await.json()["name"], "b");
}

//! Records created inside of another one.
use insta::assert_snapshot;
use mainstay_testing::{Setup, TestApp};
use serde_json::{Value as Json, json};

use crate::{SKILLS, skills};

const SHOP: &str = r#"
type Customer @rules(read: "owner == auth.id", create: "'buyer' in auth.roles") {
  owner: ID! @set(create: "auth.id")
  name: String! @check(expr: "size(name) > 1", message: "a longer name")
  orders: [Order!]! @inverse(field: "customer")
}
type Order @rules(read: "customer.owner == auth.id", create: "customer.owner == auth.id") {
  id: Int!
  customer: Customer!
  note: String
  items: [Item!]! @inverse(field: "order")
  tags: [Tag!]! @many
}
type Item @rules(read: "order.customer.owner == auth.id", create: "order.customer.owner == auth.id")
  @check(expr: "price == null || price > 0", message: "a price above zero")
{
  order: Order! @onDelete(do: CASCADE)
  product: String!
  price: Int
  quantity: Int! @default(value: 1)
}
type Tag @rules(read: "true", create: "true") { slug: String! @unique parent: Tag children: [Tag!]! @inverse(field: "parent") }
"#;

fn order() -> Json {
    json!({
        "note": "quick",
        "customer": {"name": "Anna"},
        "items": [{"product": "pen", "price": 2, "quantity": 3}, {"data": {"product": "ink"}}],
        "tags": [{"slug": "new"}, {"data": {"slug": "newer"}}],
    })
}

#[tokio::test]
async fn who_is_refused() {
    let app = TestApp::with_schema(SHOP).await;
    // The rule of the record inside refuses the whole, and says which one it was.
    let anna = app.user("anna").post("/api/orders", order()).await;
    assert_eq!((anna.status, anna.json()["rule"].clone()), (403, json!("Customer.create")));
    assert_eq!(anna.json()["errors"][0]["pointer"], "/customer");
    assert_eq!(app.anonymous().post("/api/orders", order()).await.status, 401);
    assert_eq!(app.admin().get("/api/orders").await.items().len(), 0);
    // Of a record that may not be made inside, no names are told.
    let skills = skills().await;
    let inside = json!({"percent": 1, "skill": {"nothing": 1}});
    let refused = skills.user("anna").post("/api/progress", inside).await;
    assert_eq!((refused.status, refused.json()["rule"].clone()), (403, json!("Skill.create")));
}

#[tokio::test]
async fn parents_and_children_together() {
    let app = TestApp::with_schema(SHOP).await;
    let buyer = app.user_with("anna", &["buyer"], &[]);
    let fields = "note,customer(name,owner),items(product,price,quantity;sort:product),tags(slug;sort:slug)";
    let made = buyer.post(&format!("/api/orders?fields={fields}"), order()).await;
    assert_snapshot!(made, @r#"201 {"note":"quick","customer":{"name":"Anna","owner":"anna"},"items":[{"product":"ink","price":null,"quantity":1},{"product":"pen","price":2,"quantity":3}],"tags":[{"slug":"new"},{"slug":"newer"}]}"#);
    assert_eq!(made.header("location"), "/api/orders/1");
    assert_eq!(app.admin().get("/api/customers").await.items().len(), 1);
    // Without fields the answer is the record alone; links are ids.
    let again = buyer.post("/api/orders", json!({"customer": {"name": "Bea"}, "items": [{"product": "pen"}]})).await;
    assert_snapshot!(again, @r#"201 {"id":"2","customer":"[id]","note":null,"createdAt":"[time]","updatedAt":"[time]","version":1}"#);
    assert_eq!(app.user("bob").get("/api/orders").await.items().len(), 0);
}

#[tokio::test]
async fn all_that_is_wrong_comes_at_once() {
    let app = TestApp::with_schema(SHOP).await;
    let buyer = app.user_with("anna", &["buyer"], &[]);
    let wrong = json!({
        "nte": 1,
        "customer": {"name": "A", "owner": "bob"},
        "items": [{"product": 7}, {"price": 0, "product": "x"}, {"product": "y", "order": 1}, "z", {"by": {"id": 1}}],
        "tags": [{"slug": "x", "children": [{"slig": "y"}]}],
    });
    let refused = buyer.post("/api/orders", wrong).await;
    let mut pointers: Vec<String> = refused.json()["errors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|error| error["pointer"].as_str().expect("a pointer").to_owned())
        .collect();
    pointers.sort();
    assert_eq!(refused.status, 422);
    assert_eq!(
        pointers,
        [
            "/customer/owner",
            "/items/0/product",
            "/items/1",
            "/items/2/order",
            "/items/3",
            "/items/4",
            "/nte",
            "/tags/0/children/0/slig",
            "/tags/0/children/0/slug"
        ]
    );
    // A check of a record whose own fields are right runs, whatever is wrong around it.
    let refused = buyer.post("/api/orders", json!({"customer": {"name": "A"}, "note": 7})).await;
    assert_eq!(refused.json()["errors"].as_array().expect("errors").len(), 2, "{}", refused.text);
    assert_eq!(app.admin().get("/api/tags").await.items().len(), 0);
}

#[tokio::test]
async fn uniques_and_links_inside() {
    let app = TestApp::with_schema(SHOP).await;
    let buyer = app.user_with("anna", &["buyer"], &[]);
    buyer.post("/api/tags", json!({"slug": "old"})).await;
    let twice = buyer
        .post("/api/orders", json!({"customer": {"name": "Anna"}, "tags": [{"slug": "x"}, {"slug": "old"}]}))
        .await;
    assert_eq!((twice.status, twice.json()["errors"][0]["pointer"].clone()), (409, json!("/tags/1/slug")));
    let missing = buyer
        .post(
            "/api/orders",
            json!({"customer": {"name": "Anna"}, "tags": [{"slug": "x", "parent": {"by": {"slug": "none"}}}]}),
        )
        .await;
    assert_eq!((missing.status, missing.json()["errors"][0]["pointer"].clone()), (422, json!("/tags/0/parent/by")));
    let made = buyer.post("/api/orders?fields=tags(slug,parent(slug);sort:slug)",
        json!({"customer": {"name": "Anna"}, "tags": [{"slug": "x", "parent": {"by": {"slug": "old"}}}, {"by": {"slug": "old"}}]})).await;
    assert_snapshot!(made, @r#"201 {"tags":[{"slug":"old","parent":null},{"slug":"x","parent":{"slug":"old"}}]}"#);
    assert_eq!(app.admin().get("/api/customers").await.items().len(), 1);
}

#[tokio::test]
async fn an_array_of_trees() {
    let app = skills().await;
    let tree = |slug: &str, skills: Json| json!({"slug": slug, "name": slug, "skills": skills});
    let skill =
        |slug: &str, requires: Json| json!({"slug": slug, "name": slug, "technologies": [], "requires": requires});
    let body = json!([
        tree("a", json!([skill("a1", json!([])), skill("a2", json!([{"by": {"slug": "a1"}}]))])),
        tree("b", json!([skill("b1", json!([{"by": {"slug": "rust"}}, {"by": {"slug": "a2"}}]))])),
    ]);
    let made =
        app.admin().post("/api/categories?fields=slug,skills(slug,requires(slug;sort:slug);sort:slug)", body).await;
    assert_snapshot!(made, @r#"201 [{"slug":"a","skills":[{"slug":"a1","requires":[]},{"slug":"a2","requires":[{"slug":"a1"}]}]},{"slug":"b","skills":[{"slug":"b1","requires":[{"slug":"a2"},{"slug":"rust"}]}]}]"#);
}

#[tokio::test]
async fn depth_and_number_are_bounded() {
    let app = Setup::new(SHOP).limits(|limits| (limits.create_depth_max, limits.batch_max) = (2, 5)).start().await;
    let deep = |depth: usize| {
        (0..depth).fold(json!({"slug": "leaf"}), |inner, at| json!({"slug": format!("t{at}"), "children": [inner]}))
    };
    assert_eq!(app.anonymous().post("/api/tags", deep(2)).await.status, 201);
    let refused = app
        .anonymous()
        .post("/api/tags", json!({"slug": "x", "children": [{"slug": "y", "parent": 1}, deep(2)]}))
        .await;
    assert_eq!((refused.status, refused.code()), (400, "limit_exceeded".into()));
    let wide = |n: usize| json!({"slug": "w", "children": (0..n).map(|at| json!({"slug": format!("w{at}")})).collect::<Vec<_>>()});
    assert_eq!(app.anonymous().post("/api/tags", wide(5)).await.code(), "limit_exceeded");
    assert_eq!(app.anonymous().post("/api/tags", wide(4)).await.status, 201);
    assert_eq!(app.anonymous().get("/api/tags").await.items().len(), 8);
}

#[tokio::test]
async fn only_a_create_makes_records_inside() {
    let app = TestApp::with_schema(SKILLS).await;
    let core = app.admin().post("/api/categories", json!({"slug": "core", "name": "Core"})).await.id();
    let inside = json!({"skills": [{"slug": "x", "name": "X", "technologies": []}]});
    let refused = app.admin().patch(&format!("/api/categories/{core}"), inside.clone()).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["pointer"].clone()), (422, json!("/skills")));
    let refused =
        app.admin().post("/api/categories?upsert=slug", json!({"slug": "core", "name": "C", "skills": []})).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["pointer"].clone()), (422, json!("/skills")));
}

//! Figures in `fields`: sizes, sums, averages over the records of a link.
use insta::assert_snapshot;
use mainstay_testing::TestApp;
use serde_json::json;

const SCHEMA: &str = r#"
type Customer @rules(read: "true", write: "true") {
  name: String! @unique
  orders: [Order!]! @inverse(field: "customer")
  liked: [Product!]! @many
}
type Product @rules(read: "!secret", write: "true") {
  name: String!  price: Decimal! @decimal(precision: 8, scale: 2)  secret: Boolean! @default(value: false)
}
type Order @rules(read: "owner == auth.id || owner == 'all'", write: "true") {
  owner: ID!  customer: Customer!  product: Product  quantity: Int  weight: Float  at: DateTime
}
"#;

async fn shop() -> TestApp {
    let app = TestApp::with_schema(SCHEMA).await;
    let products = app
        .seed(
            "products",
            [json!({"name": "pen", "price": "1.50"}), json!({"name": "gold", "price": "900.00", "secret": true})],
        )
        .await;
    let customers = app.seed("customers", [json!({"name": "a", "liked": products}), json!({"name": "b"})]).await;
    let order = |owner: &str, product: Option<usize>, quantity: Option<i64>| {
        let product = product.map(|at| products[at].clone());
        json!({"owner": owner, "customer": customers[0], "product": product, "quantity": quantity, "at": "2026-01-05T00:00:00Z"})
    };
    app.seed(
        "orders",
        [
            order("all", Some(0), Some(2)),
            order("all", Some(1), Some(3)),
            order("all", None, None),
            order("anna", Some(0), Some(40)),
        ],
    )
    .await;
    app
}

async fn first(app: &TestApp, who: &str, fields: &str) -> String {
    let client = if who == "admin" { app.admin() } else { app.user(who) };
    let reply = client.query("/api/customers", &[("fields", fields), ("sort", "name"), ("limit", "1")]).await;
    if reply.status == 200 { reply.items()[0].to_string() } else { reply.problem() }
}

#[tokio::test]
async fn hidden_records_count_for_nothing() {
    let app = shop().await;
    let fields = "n:size(orders),sum(orders.quantity),most:max(orders.quantity),m:max(orders.product.price),likes:sum(liked.price)";
    assert_snapshot!(first(&app, "bert", fields).await, @r#"{"n":3,"sumOrdersQuantity":5,"most":3,"m":"1.50","likes":"1.50"}"#);
    assert_snapshot!(first(&app, "anna", fields).await, @r#"{"n":4,"sumOrdersQuantity":45,"most":40,"m":"1.50","likes":"1.50"}"#);
    assert_snapshot!(first(&app, "admin", fields).await, @r#"{"n":4,"sumOrdersQuantity":45,"most":40,"m":"900.00","likes":"901.50"}"#);
}

#[tokio::test]
async fn a_collection_that_is_out_of_reach_is_named() {
    let app = TestApp::with_schema(
        "type A @rules(read: \"true\") { bs: [B!]! @inverse(field: \"a\") }  type B { a: A!  n: Int }",
    )
    .await;
    assert_eq!(app.get("/api/as?fields=s:sum(bs.n)").await.status, 401);
    assert_eq!(app.user("anna").get("/api/as?fields=s:sum(bs.n)").await.status, 403);
}

#[tokio::test]
async fn filters_of_figures() {
    let app = shop().await;
    let fields = "few:size(orders;filter:quantity < 3),w:sum(orders.quantity;filter:quantity > 2;filter:owner == 'all'),secret:size(orders;filter:product.secret)";
    assert_snapshot!(first(&app, "anna", fields).await, @r#"{"few":1,"w":3,"secret":0}"#);
}

#[tokio::test]
async fn of_no_records() {
    let app = shop().await;
    let fields = "name,n:size(orders),s:sum(orders.quantity),w:sum(orders.weight),m:sum(liked.price),a:avg(orders.quantity),lo:min(orders.at),d:countDistinct(orders.owner)";
    let reply = app.user("anna").query("/api/customers/by/name/b", &[("fields", fields)]).await;
    assert_snapshot!(reply, @r#"200 {"name":"b","n":0,"s":0,"w":0.0,"m":"0.00","a":null,"lo":null,"d":0}"#);
}

#[tokio::test]
async fn figures_stand_at_any_depth() {
    let app = shop().await;
    let reply = app
        .user("bert")
        .query(
            "/api/orders",
            &[("fields", "customer(name,n:size(orders),q:avg(orders.quantity),m:sum(liked.price))"), ("limit", "1")],
        )
        .await;
    assert_snapshot!(reply.items()[0], @r#"{"customer":{"name":"a","n":3,"q":2.5,"m":"1.50"}}"#);
}

#[tokio::test]
async fn what_has_no_figure_is_named() {
    let app = shop().await;
    for (fields, expected) in [
        ("sum(orders)", "400 invalid_argument: sum of what?"),
        ("sum(name)", "400 invalid_argument: \"name\" of \"Customer\" is no to-many link, so that it has no figures"),
        ("sum(orders.owner)", "400 invalid_argument: \"owner\" of \"Order\" is no number, so that it has no sum"),
        ("sum(orders.nope)", "400 invalid_argument: no field named \"nope\" in \"Order\""),
        ("max(orders.customer)", "400 invalid_argument: \"customer\" of \"Order\" is a key, which has no max"),
        ("size(orders;limit:3)", "400 invalid_argument: fields: a figure has no option but filter (at character 13)"),
        ("name,n:size(orders),n:sum(orders.quantity)", "400 invalid_argument: \"n\" is selected twice"),
    ] {
        assert_eq!(first(&app, "anna", fields).await, expected, "{fields}");
    }
}

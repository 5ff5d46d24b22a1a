//! Values that the server computes when it writes: from links, from what is sent, from each other.
use mainstay_testing::{TestApp, refused_schema};
use serde_json::{Value, json};

const SCHEMA: &str = r#"
    type Product @rules(read: "secret == null || auth.id == 'seller'", write: "auth.id == 'seller'") {
      name: String!
      price: Decimal! @decimal(precision: 8, scale: 2)
      secret: String
      owner: ID!
      stock: Long
    }
    type Order @rules(read: "true", write: "true") {
      lines: [Line!]! @inverse(field: "order")
      total: Decimal @decimal(precision: 8, scale: 2) @set(update: "lines.sum(l, l.total)")
      closed: Boolean! @default(value: false)
      code: String @unique
    }
    type Line @rules(read: "true", create: "total <= 4000", update: "new.total <= 1000 || auth.id == 'seller'") {
      product: Product
      order: Order
      quantity: Int! @default(value: 1) @check(expr: "quantity > 0")
      price: Decimal! @decimal(precision: 8, scale: 2) @set(create: "product.price")
      total: Decimal! @decimal(precision: 8, scale: 2) @set(write: "price * quantity")
        @check(expr: "total < 5000", message: "that is too much", code: "too_much")
      seller: ID @set(write: "product.owner")
      most: Int @set(create: "product.stock")
      by: ID @set(create: "auth.id")
      label: String @default(expr: "product.name") @check(expr: "size(label) <= 5")
      product2: Product @set(create: "product")
      changes: Int! @set(create: "0", update: "changes + 1")
    }
"#;

async fn shop() -> (TestApp, String) {
    let app = TestApp::with_schema(SCHEMA).await;
    let ids = app.seed("products", [json!({"name": "pen", "price": "2.50", "owner": "seller", "stock": 7})]).await;
    (app, ids[0].clone())
}

fn part(record: &Value, names: &[&str]) -> Value {
    Value::Object(names.iter().map(|name| ((*name).to_owned(), record[*name].clone())).collect())
}

#[tokio::test]
async fn what_the_server_computes_is_not_sent() {
    let (app, pen) = shop().await;
    let anna = app.user("anna");
    for field in ["price", "total", "seller", "product2"] {
        let refused = anna.post("/api/lines", json!({"product": pen, field: "0.01"})).await;
        assert_eq!((refused.status, refused.problem().contains(field)), (422, true), "{}", refused.text);
    }
    let line = anna.post("/api/lines", json!({"product": pen})).await.id();
    let refused = anna.patch(&format!("/api/lines/{line}"), json!({"total": "0.01"})).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
}

#[tokio::test]
async fn a_record_is_completed_over_its_links() {
    let (app, pen) = shop().await;
    let made = app.user("anna").post("/api/lines", json!({"product": pen, "quantity": 3})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let names = ["quantity", "price", "total", "seller", "most", "by", "label", "changes"];
    let expected = json!({"quantity": 3, "price": "2.50", "total": "7.50", "seller": "seller", "most": 7, "by": "anna",
        "label": "pen", "changes": 0});
    assert_eq!(part(&made.json(), &names), expected);
    assert_eq!(made.json()["product2"], pen.as_str());
    let stored = app.get(&format!("/api/lines/{}", made.id())).await.json();
    assert_eq!(stored, made.json());
    let sent = app.user("anna").post("/api/lines", json!({"product": pen, "label": "mine"})).await;
    assert_eq!((&sent.json()["label"], &sent.json()["total"]), (&json!("mine"), &json!("2.50")));
}

#[tokio::test]
async fn changes_are_computed_from_the_record_as_it_becomes() {
    let (app, pen) = shop().await;
    let ink = app.seed("products", [json!({"name": "ink", "price": "9.00", "owner": "other"})]).await.remove(0);
    let anna = app.user("anna");
    let line = anna.post("/api/lines", json!({"product": pen, "quantity": 2})).await.id();
    let path = format!("/api/lines/{line}");
    let changed = anna.patch(&path, json!({"quantity": 4, "product": ink})).await;
    // The price is set once; the total and the seller on every write.
    let expected = json!({"price": "2.50", "total": "10.00", "seller": "other", "changes": 1});
    assert_eq!(part(&changed.json(), &["price", "total", "seller", "changes"]), expected, "{}", changed.text);
    let changed = anna.patch(&path, json!({"quantity": {"add": 1}})).await;
    let expected = json!({"quantity": 5, "total": "12.50", "changes": 2});
    assert_eq!(part(&changed.json(), &["quantity", "total", "changes"]), expected, "{}", changed.text);
    // The rule sees what is computed, and so do checks.
    assert_eq!(anna.patch(&path, json!({"quantity": 401})).await.status, 403);
    let seller = app.user("seller");
    assert_eq!(seller.patch(&path, json!({"quantity": 401})).await.json()["total"], "1002.50");
    let refused = seller.patch(&path, json!({"quantity": 2000})).await;
    let expected = "422 invalid_record: this is no valid \"Line\"\n/total too_much: that is too much";
    assert_eq!(refused.problem(), expected);
    assert_eq!(app.get(&path).await.json()["quantity"], 401);
}

#[tokio::test]
async fn a_value_that_cannot_be_is_refused() {
    let (app, pen) = shop().await;
    let anna = app.user("anna");
    // No product, so no price.
    let refused = anna.post("/api/lines", json!({})).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text.contains("\"/price\"") && refused.text.contains("the server cannot write"),
        "{}",
        refused.text
    );
    // A product that the caller may not see is no product.
    let hidden = json!({"name": "gold", "price": "2.00", "owner": "seller", "secret": "x"});
    let hidden = app.seed("products", [hidden]).await.remove(0);
    let refused = anna.post("/api/lines", json!({"product": hidden})).await;
    assert!(refused.text.contains("\"/product\"") && !refused.text.contains("2.00"), "{}", refused.text);
    // The rule, and the check of a default that comes over the link.
    assert_eq!(anna.post("/api/lines", json!({"product": pen, "quantity": 1601})).await.status, 403);
    let long = json!({"name": "a long name", "price": "2.00", "owner": "seller"});
    let long = app.seed("products", [long]).await.remove(0);
    let refused = anna.post("/api/lines", json!({"product": long})).await;
    assert!(refused.status == 422 && refused.text.contains("/label"), "{}", refused.text);
    // Out of the range of Int, and of Decimal.
    let huge = json!({"name": "huge", "price": "999999.99", "owner": "seller", "stock": 3_000_000_000_i64});
    let huge = app.seed("products", [huge]).await.remove(0);
    let refused = app.user("seller").post("/api/lines", json!({"product": huge})).await;
    assert!(refused.status == 422 && refused.text.contains("/most"), "{}", refused.text);
    assert_eq!(app.get("/api/lines?count=true").await.json()["count"], 0);
}

#[tokio::test]
async fn records_of_the_same_write_are_seen() {
    let (app, pen) = shop().await;
    let seller = app.user("seller");
    let line = json!({"product": {"name": "cap", "price": "1.20", "owner": "o"}, "quantity": 5});
    let made = seller.post("/api/lines", line).await;
    let expected = json!({"price": "1.20", "total": "6.00", "seller": "o", "label": "cap"});
    assert_eq!(part(&made.json(), &["price", "total", "seller", "label"]), expected, "{}", made.text);
    let ops = json!({"ops": [
        {"op": "create", "in": "orders", "as": "o", "data": {"lines": [{"product": pen, "quantity": 2}]}},
        {"op": "create", "in": "lines", "data": {"order": {"ref": "o"}, "product": pen, "quantity": 3}},
        {"op": "update", "in": "orders", "id": {"ref": "o"}, "data": {"closed": true}},
    ]});
    let done = app.user("anna").post("/api/batch", ops).await;
    assert_eq!(done.json()["results"][2]["total"], "12.50", "{}", done.text);
}

#[tokio::test]
async fn each_of_many_and_an_upserted_record_are_completed_over_their_own_links() {
    let (app, pen) = shop().await;
    let seller = app.user("seller");
    let order = |code: &str, quantity: u32| json!({"code": code, "lines": [{"product": pen, "quantity": quantity}]});
    let made = seller.post("/api/orders", json!([order("a", 1), order("b", 2), {"code": "c"}])).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let totals = async || {
        let page = app.get("/api/orders?sort=code&fields=total").await;
        page.items().iter().map(|order| order["total"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(totals().await, [Value::Null, Value::Null, Value::Null]);
    let refused = seller.patch("/api/orders?filter=true", json!({"total": "0.01"})).await;
    assert_eq!((refused.status, totals().await), (422, vec![Value::Null; 3]), "{}", refused.text);
    let done = seller.patch("/api/orders?filter=code != 'c'", json!({"closed": true})).await;
    assert_eq!(done.json(), json!({"matched": 2, "changed": 2}), "{}", done.text);
    assert_eq!(totals().await, [json!("2.50"), json!("5.00"), Value::Null]);
    let upserted = seller.post("/api/orders?upsert=code", json!([{"code": "c", "closed": true}, {"code": "d"}])).await;
    assert_eq!(upserted.json()[0]["total"], "0.00", "{}", upserted.text);
    assert_eq!(upserted.json()[1]["total"], Value::Null, "{}", upserted.text);
    let order = made.json()[1]["id"].clone();
    assert_eq!(seller.post("/api/lines", json!({"order": order, "product": pen})).await.status, 201);
    let upserted = seller.post("/api/orders?upsert=code", json!({"code": "b", "closed": false})).await;
    assert_eq!(upserted.json()["total"], "7.50", "{}", upserted.text);
}

/// What the server writes of a link that the same write makes, looks up or gives a key to: the same as of a link by its id.
#[tokio::test]
async fn links_of_the_same_write_are_read_as_links_by_id() {
    for id in ["", "id: Int!"] {
        let schema = format!(
            r#"type Node @rules(read: "true", write: "true") @check(expr: "top == (parent == null)", code: "top") {{
              {id}
              slug: String @unique
              parent: Node
              top: Boolean! @set(write: "parent == null")
              root: Boolean @default(expr: "top")
              again: Node @set(create: "parent")
              children: [Node!]! @inverse(field: "parent")
            }}"#
        );
        let app = TestApp::with_schema(&schema).await;
        let anna = app.user("anna");
        let first = anna.post("/api/nodes", json!({"slug": "a", "children": [{"slug": "b"}]})).await;
        assert_eq!((first.status, &first.json()["top"], &first.json()["again"]), (201, &json!(true), &json!(null)));
        let ops = json!({"ops": [
            {"op": "create", "in": "nodes", "as": "n", "data": {}},
            {"op": "create", "in": "nodes", "data": {"slug": "e", "parent": {"ref": "n"}}},
        ]});
        assert_eq!(anna.post("/api/batch", ops).await.status, 200);
        for body in [
            json!({"slug": "c", "parent": first.json()["id"]}),
            json!({"slug": "d", "parent": {"by": {"slug": "a"}}}),
            json!({"slug": "f", "parent": {"children": [{"slug": "g"}]}}),
        ] {
            let made = anna.post("/api/nodes", body.clone()).await;
            assert_eq!(made.status, 201, "{body}: {}", made.text);
        }
        for slug in ["b", "c", "d", "e", "f", "g"] {
            let node = anna.get(&format!("/api/nodes/by/slug/{slug}")).await.json();
            assert_eq!(part(&node, &["top", "root"]), json!({"top": false, "root": false}), "{slug}");
            assert_eq!((node["again"].is_null(), &node["again"]), (false, &node["parent"]), "{slug}");
        }
    }
}

#[tokio::test]
async fn a_default_that_is_an_error_is_told_once() {
    let schema = r#"type T @rules(read: "true", write: "true") {
        b: Int!  a: Int! @default(expr: "b + 1")  c: Int! @default(expr: "a * 2")  label: String @default(expr: "string(a)")
    }"#;
    let app = TestApp::with_schema(schema).await;
    let refused = app.user("anna").post("/api/ts", json!({"b": 2_147_483_647})).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let errors = refused.json()["errors"].clone();
    assert_eq!(errors.as_array().map(Vec::len), Some(1), "{errors}");
    assert_eq!(part(&errors[0], &["pointer", "code"]), json!({"pointer": "/a", "code": "set"}));
}

#[test]
fn what_cannot_be_computed_is_told_by_the_schema() {
    let check = |fields: &str, expected: &str| {
        let text = format!(
            "type B @rules(read: \"true\") {{ name: String tags: [String!] }} type A @rules(read: \"true\") {{ {fields} }}"
        );
        let errors = refused_schema(&text);
        assert!(errors.contains(expected), "{errors}");
    };
    check(
        "a: Int @set(create: \"b + 1\") b: Int @set(create: \"1\")",
        "\"a\" is computed from \"b\", which the server gives later",
    );
    check("a: Int @set(create: \"a + 1\")", "\"a\" is computed from itself");
    check("b: B a: String @set(create: \"b.name.trim()\")", "does not know a function in it");
    check("b: B a: String @set(create: \"b == null ? ' a'.trim() : 'b'\")", "does not know a function in it");
    check("id: Int! a: Boolean @set(create: \"id == 1\")", "which the database counts");
    check("b: B a: [String!] @set(create: \"b.tags\")", "one value and not a list");
    check("bs: [B!]! @many a: Int @set(create: \"size(bs)\")", "a new record has no other records yet");
    check("b: B a: Int @set(create: \"b.name\")", "schema.graphql");
}

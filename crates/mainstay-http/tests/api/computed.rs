//! Fields that are not stored: answered, filtered and sorted by as others are.
use mainstay_testing::{TestApp, refused_schema};
use serde_json::{Value, json};

const SCHEMA: &str = r#"
    type Customer @rules(read: "id2 == auth.id", write: "false") { id2: ID!  name: String!  rate: Int! @default(value: 10) }
    type Order @rules(read: "true", list: "true", write: "true", delete: "total == null || total < 100") {
      customer: Customer
      title: String! @default(value: "order")
      number: Int! @default(value: 1)
      lines: [Line!]! @inverse(field: "order")
      total: Int @computed(expr: "lines.sum(l, l.amount)")
      label: String! @computed(expr: "title + '!'")
      who: String @computed(expr: "customer.name")
      points: Int @computed(expr: "total * customer.rate")
      mine: Boolean @computed(expr: "auth.id == 'anna'")
      secret: Int @computed(expr: "number + 1") @hidden
      cost: Int @computed(expr: "number * 2") @rules(read: "auth.id == 'anna' || number > 5")
    }
    type Line @rules(read: "price < 50", write: "true") {
      order: Order
      price: Int! @default(value: 1)
      quantity: Int! @default(value: 1)
      amount: Int @computed(expr: "price * quantity")
    }
"#;

async fn orders() -> (TestApp, Vec<String>) {
    let app = TestApp::with_schema(SCHEMA).await;
    let customers = app.seed("customers", [json!({"id2": "anna", "name": "Anna"})]).await;
    let orders = [
        json!({"title": "a", "number": 1, "customer": customers[0]}),
        json!({"title": "b", "number": 7, "customer": customers[0]}),
        json!({"title": "c", "number": 3}),
    ];
    let ids = app.seed("orders", orders).await;
    let line =
        |order: usize, price: i64, quantity: i64| json!({"order": ids[order], "price": price, "quantity": quantity});
    app.seed("lines", [line(0, 2, 3), line(0, 60, 1), line(1, 5, 5)]).await;
    (app, ids)
}

fn parts(items: &[Value], names: &[&str]) -> Vec<Value> {
    let part = |item: &Value| names.iter().map(|name| item[*name].clone()).collect::<Vec<_>>();
    items.iter().map(|item| json!(part(item))).collect()
}

#[tokio::test]
async fn what_is_computed_is_neither_sent_nor_named_where_it_may_not_be_read() {
    let (app, ids) = orders().await;
    let bob = app.user("bob");
    for (field, value) in [("total", json!(1)), ("label", json!("x")), ("mine", json!(true)), ("secret", json!(1))] {
        let refused = bob.post("/api/orders", json!({field: value})).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.text);
        let refused = bob.patch(&format!("/api/orders/{}", ids[0]), json!({field: value})).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.text);
    }
    for query in ["filter=secret > 1", "sort=secret", "fields=secret", "group=secret", "fields=customer(orders)"] {
        assert_eq!(bob.get(&format!("/api/orders?{query}")).await.status, 400, "{query}");
    }
    // A rule that depends on the record: null where it does not hold, and no match.
    let list = bob.get("/api/orders?sort=number&fields=number,cost").await;
    assert_eq!(parts(&list.items(), &["number", "cost"]), [json!([1, null]), json!([3, null]), json!([7, 14])]);
    assert_eq!(bob.get("/api/orders?filter=cost > 0&fields=number").await.items().len(), 1);
    assert_eq!(app.user("anna").get("/api/orders?filter=cost > 0").await.items().len(), 3);
    assert_eq!(bob.get("/api/orders?group=number&select=sum(cost)&sort=number").await.items()[0]["sumCost"], 0);
}

#[tokio::test]
async fn computed_fields_are_answered_like_others() {
    let (app, ids) = orders().await;
    let names = ["total", "label", "who", "points", "mine"];
    // It sees everything, as rules do: the line and the customer are hidden from bob.
    let list = app.user("bob").get("/api/orders?sort=number").await;
    let expected = [
        json!([66, "a!", "Anna", 660, false]),
        json!([0, "c!", null, null, false]),
        json!([25, "b!", "Anna", 250, false]),
    ];
    assert_eq!(parts(&list.items(), &names), expected, "{}", list.text);
    assert!(list.items()[0].get("secret").is_none());
    let anna = app.user("anna");
    let one = anna.get(&format!("/api/orders/{}", ids[0])).await;
    assert_eq!(parts(&[one.json()], &names), [json!([66, "a!", "Anna", 660, true])]);
    let made = anna.post("/api/orders", json!({"title": "new", "lines": [{"price": 4, "quantity": 2}]})).await;
    assert_eq!(parts(&[made.json()], &names), [json!([8, "new!", null, null, true])], "{}", made.text);
    let changed = anna.patch(&format!("/api/orders/{}", made.id()), json!({"title": "other"})).await;
    assert_eq!(changed.json()["label"], "other!", "{}", changed.text);
    let nested =
        anna.get("/api/orders?fields=number,lines(amount;sort:-amount;limit:1),n:sum(lines.amount)&sort=number").await;
    let expected = json!({"number": 1, "lines": [{"amount": 6}], "n": 6});
    assert_eq!(nested.items()[0], expected, "{}", nested.text);
    let up = anna.get("/api/lines?fields=order(total,label)&filter=price == 5").await;
    assert_eq!(up.items()[0], json!({"order": {"total": 25, "label": "b!"}}), "{}", up.text);
}

#[tokio::test]
async fn computed_fields_filter_sort_page_and_group() {
    let (app, _) = orders().await;
    let anna = app.user("anna");
    let by = |reply: mainstay_testing::Reply| reply.column("title");
    assert_eq!(by(anna.get("/api/orders?filter=total > 10&sort=title").await), ["a", "b"]);
    assert_eq!(by(anna.get("/api/orders?filter=label == 'c!'").await), ["c"]);
    assert_eq!(by(anna.get("/api/orders?sort=-total").await), ["a", "b", "c"]);
    let first = anna.get("/api/orders?sort=points,-total&limit=2").await;
    assert_eq!(first.column("title"), ["c", "b"]);
    let next = first.json()["next"].as_str().expect("a cursor").to_owned();
    assert_eq!(by(anna.get(&format!("/api/orders?sort=points,-total&limit=2&after={next}")).await), ["a"]);
    let groups = anna.get("/api/orders?group=who&select=count,sum(total)&sort=-count").await;
    let expected =
        [json!({"who": "Anna", "count": 2, "sumTotal": 91}), json!({"who": null, "count": 1, "sumTotal": 0})];
    assert_eq!(groups.items(), expected, "{}", groups.text);
    assert_eq!(anna.get("/api/lines?filter=order.total == 25").await.items().len(), 1);
    assert_eq!(anna.get("/api/orders?filter=lines.exists(l, l.amount == 25)").await.items().len(), 1);
}

#[tokio::test]
async fn rules_read_them_and_tags_know_what_they_depend_on() {
    let (app, ids) = orders().await;
    let anna = app.user("anna");
    app.seed("lines", [json!({"order": ids[1], "price": 40, "quantity": 2})]).await;
    assert_eq!(anna.delete(&format!("/api/orders/{}", ids[1])).await.status, 403);
    assert_eq!(anna.delete(&format!("/api/orders/{}", ids[2])).await.status, 204);
    // What is computed from other records changes while the version stays: no strong tag.
    let path = format!("/api/orders/{}", ids[0]);
    assert!(!anna.get(&path).await.header("etag").starts_with('"'));
    assert!(anna.get(&format!("{path}?fields=title,label")).await.header("etag").starts_with('"'));
}

#[test]
fn what_cannot_be_computed_is_told() {
    let check = |fields: &str, expected: &str| {
        let text = format!(
            "type B @rules(read: \"true\") {{ a: A x: Int @computed(expr: \"a.x\") }} type A @rules(read: \"true\") {{ {fields} }}"
        );
        let errors = refused_schema(&text);
        assert!(errors.contains(expected), "{errors}");
    };
    check("b: B x: Int @computed(expr: \"b.x\")", "is defined by itself");
    check("n: Int x: Int! @computed(expr: \"n\")", "can be null");
    check("n: String x: String @computed(expr: \"n.trim()\")", "uses trim()");
    check("n: String x: Int @computed(expr: \"n\")", "schema.graphql");
    check("x: Int @computed(expr: \"1\") @unique", "is about a value that is stored");
    check("x: [Int!] @computed(expr: \"[1]\")", "does nothing here");
    check("n: Int x: Int @computed(expr: \"n\") @rules(write: \"true\")", "the server alone writes this field");
    let keyed = "type A @unique(fields: [\"x\"]) @rules(read: \"true\") { x: Int @computed(expr: \"1\") }";
    let errors = refused_schema(keyed);
    assert!(errors.contains("is computed"), "{errors}");
}

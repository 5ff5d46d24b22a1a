//! The shop of the examples, with everybody in it at once.
use mainstay_testing::{Reply, TestApp};
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../../examples/shop/schema.graphql");
const BUYERS: usize = 64;

async fn shop(received: i64) -> TestApp {
    let app = TestApp::with_schema(SCHEMA).await;
    let category = app.seed("categories", [json!({"slug": "pens", "name": "Pens"})]).await.remove(0);
    let pen = json!({"slug": "pen", "name": "A pen", "category": category, "price": "2.20", "received": received});
    app.seed("products", [pen]).await;
    app
}

fn order(quantity: i64) -> Value {
    json!({"lines": [{"product": {"by": {"slug": "pen"}}, "quantity": quantity}]})
}

/// What each of the buyers is answered, all at once.
async fn all(app: &TestApp, ask: impl Fn(usize) -> (mainstay_testing::Client, Value)) -> Vec<Reply> {
    let buyers = (0..BUYERS).map(|buyer| {
        let (client, body) = ask(buyer);
        tokio::spawn(async move { client.post("/api/orders?fields=total", body).await })
    });
    let buyers: Vec<_> = buyers.collect();
    let mut replies = Vec::new();
    for buyer in buyers {
        replies.push(buyer.await.expect("a buyer"));
    }
    assert_eq!(app.get("/api/products?fields=inStock").await.status, 200);
    replies
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_buyers_never_take_more_than_is_there() {
    let app = shop(10).await;
    let replies = all(&app, |buyer| (app.user(&format!("buyer{buyer}")), order(1 + (buyer % 3) as i64))).await;
    let (sold, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 201);
    for reply in refused {
        assert!(reply.status == 422 && reply.text.contains("sold_out"), "{}", reply.text);
    }
    assert!(!sold.is_empty());
    // Somebody who wants one piece comes after the last bigger order failed, so that nothing is left over.
    let sara = app.user_with("sara", &["staff"], &[]);
    let product = sara.get("/api/products/by/slug/pen?fields=received,available,inStock,n:sum(lines.quantity)").await;
    assert_eq!(product.json(), json!({"received": 10, "available": 0, "inStock": false, "n": 10}), "{}", product.text);
    let totals = sara.get("/api/orders?fields=total,lines(quantity,amount)&limit=100").await;
    for order in totals.items() {
        let quantity = order["lines"][0]["quantity"].as_i64().expect("a number");
        let cents = 220 * quantity;
        assert_eq!(order["total"], format!("{}.{:02}", cents / 100, cents % 100), "{order}");
    }
    assert_eq!(totals.items().len(), sold.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_sent_again_takes_nothing_twice() {
    let app = shop(10).await;
    // Four buyers, each sending the same order sixteen times.
    let ask = |buyer: usize| (app.user(&format!("buyer{}", buyer % 4)).header("idempotency-key", "once"), order(2));
    let replies = all(&app, ask).await;
    assert!(replies.iter().all(|reply| reply.status == 201), "{:?}", replies.iter().find(|reply| reply.status != 201));
    let sara = app.user_with("sara", &["staff"], &[]);
    assert_eq!(sara.get("/api/products/by/slug/pen?fields=available").await.json()["available"], 2);
    assert_eq!(sara.get("/api/orders?count=true").await.json()["count"], 4);
}

#[tokio::test]
async fn what_a_cancelled_order_took_is_there_again() {
    let app = shop(3).await;
    let anna = app.user("anna");
    let made = anna.post("/api/orders", order(3)).await.id();
    assert_eq!(anna.post("/api/orders", order(1)).await.status, 422);
    assert_eq!(anna.patch(&format!("/api/orders/{made}"), json!({"state": "CANCELLED"})).await.status, 200);
    assert_eq!(anna.post("/api/orders", order(3)).await.status, 201);
    // A cancelled order stays what it is: it would take again what others have by now.
    let back = anna.patch(&format!("/api/orders/{made}"), json!({"state": "OPEN"})).await;
    assert_eq!(back.status, 403, "{}", back.text);
}

//! `@unique(where:)`: values that some records alone cannot share.
use mainstay_testing::TestApp;
use serde_json::{Value as Json, json};

const PAGES: &str = r#"
enum State { DRAFT OPEN DONE }

type Page @rules(read: "true", write: "auth != null")
  @unique(fields: ["author", "number"], where: "state in ['DRAFT', 'OPEN'] && number != 0")
{
  slug: String! @unique(where: "!archived")
  archived: Boolean! @default(value: false)
  author: ID
  number: Int
  state: State
  parts: [Part!]! @inverse(field: "page")
}

type Part @rules(read: "true", write: "auth != null") { page: Page! title: String }
"#;

fn page(slug: &str, archived: bool) -> Json {
    json!({"slug": slug, "archived": archived})
}

/// It names no record: in no place can one be looked up by it, and the place says why.
#[tokio::test]
async fn nothing_is_looked_up_by_it() {
    let app = TestApp::with_schema(PAGES).await;
    let anna = app.user("anna");
    anna.post("/api/pages", page("a", false)).await;
    let by = anna.get("/api/pages/by/slug/a").await;
    let told = "\"slug\" of \"Page\" is unique among some records alone";
    assert_eq!((by.status, by.json()["detail"].clone()), (404, json!(told)));
    assert_eq!(by.json()["hint"], "\"Page\" has no uniques: ask by key");
    for upsert in ["slug", "author,number", "number,author"] {
        let refused = anna.post(&format!("/api/pages?upsert={upsert}"), page("a", false)).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains("is unique among some records alone"), "{}", refused.text);
    }
    let linked = anna.post("/api/parts", json!({"page": {"by": {"slug": "a"}}})).await;
    assert_eq!(linked.status, 422, "{}", linked.text);
    assert!(linked.text.contains("is unique among some records alone"), "{}", linked.text);
    for op in [
        json!({"op": "update", "in": "pages", "by": {"slug": "a"}, "data": {"number": 1}}),
        json!({"op": "upsert", "in": "pages", "by": "slug", "data": page("a", false)}),
    ] {
        let refused = anna.post("/api/batch", json!({"ops": [op]})).await;
        assert!(
            (400..500).contains(&refused.status) && refused.text.contains("among some records"),
            "{}",
            refused.text
        );
    }
    let description = anna.get("/openapi.json").await.text;
    assert!(!description.contains("/api/pages/by/") && !description.contains("\"upsert\",\"in\":\"query\""));
}

#[tokio::test]
async fn records_of_which_it_holds_differ() {
    let app = TestApp::with_schema(PAGES).await;
    let anna = app.user("anna");
    let first = anna.post("/api/pages", page("a", false)).await.id();
    let conflict = anna.post("/api/pages", page("a", false)).await;
    assert_eq!((conflict.status, conflict.json()["errors"][0]["pointer"].clone()), (409, json!("/slug")));
    let second = anna.post("/api/pages", page("a", true)).await;
    assert_eq!(second.status, 201);
    assert_eq!(anna.post("/api/pages", page("a", true)).await.status, 201);
    // A record that comes to be among them collides too.
    let path = format!("/api/pages/{}", second.id());
    let conflict = anna.patch(&path, json!({"archived": false})).await;
    assert_eq!((conflict.status, conflict.json()["errors"][0]["pointer"].clone()), (409, json!("/slug")));
    assert_eq!(anna.patch(&format!("/api/pages/{first}"), json!({"archived": true})).await.status, 200);
    assert_eq!(anna.patch(&path, json!({"archived": false})).await.status, 200);
    let both = anna.post("/api/pages", json!([page("b", false), page("b", false)])).await;
    assert_eq!((both.status, both.json()["errors"][0]["pointer"].clone()), (409, json!("/1/slug")));
}

/// What is null, or an error, is not among them, as in every condition.
#[tokio::test]
async fn nulls_and_errors_are_not_among_them() {
    let app = TestApp::with_schema(PAGES).await;
    let anna = app.user("anna");
    let mut count = 0;
    let mut send = async |state: Json, number: Json| {
        count += 1;
        let body = json!({"slug": format!("s{count}"), "author": "anna", "number": number, "state": state});
        anna.post("/api/pages", body).await.status
    };
    assert_eq!(send(json!("OPEN"), json!(1)).await, 201);
    assert_eq!(send(json!("DRAFT"), json!(1)).await, 409);
    assert_eq!(send(json!("DONE"), json!(1)).await, 201);
    for (state, number) in [(json!("OPEN"), json!(0)), (Json::Null, json!(1)), (json!("OPEN"), Json::Null)] {
        assert_eq!(send(state.clone(), number.clone()).await, 201);
        assert_eq!(send(state, number).await, 201);
    }
}

/// Every comparison, the other way round and denied: the index holds exactly the records of which the condition is true.
#[tokio::test]
async fn it_means_what_a_filter_means() {
    let conditions = [
        "a == 1",
        "a != 1",
        "!(a == 1)",
        "1 < a",
        "!(a < 2)",
        "a == null",
        "a != null",
        "a == b",
        "a != b",
        "!(a >= b)",
        "a in [1, 2]",
        "!(a in [1, 2])",
        "a == 1 || b == 2",
        "!(a == 1 || b == 2)",
        "!(a == 1 && b == 2)",
        "flag",
        "!flag",
        "flag != true",
        "text == 'b'",
        "text >= 'b'",
        "price > 1.5",
        "price == 2",
        "day < date",
        "other != null",
    ];
    for condition in conditions {
        let sdl = format!(
            r#"type A @rules(read: "true", write: "true") @unique(fields: ["one"], where: "{condition}") {{
                one: Int! a: Int b: Int flag: Boolean text: String price: Decimal @decimal(precision: 6, scale: 2)
                day: Date date: Date other: A
            }}"#
        );
        let app = TestApp::with_schema(&sdl).await;
        let flags = [json!(true), json!(false), Json::Null];
        let texts = [json!("it's"), json!("b"), Json::Null];
        let prices = [json!("1.50"), json!("2.00"), Json::Null];
        let days = ["2026-01-01", "2026-01-02"];
        let record = |at: usize| {
            let number = |at: usize| [Json::Null, json!(1), json!(2), json!(3)][at % 4].clone();
            json!({
                "a": number(at), "b": number(at / 4), "flag": flags[at % 3].clone(),
                "text": texts[at % 3].clone(), "price": prices[at % 3].clone(),
                "day": "2026-01-01", "date": days[at % 2],
            })
        };
        for at in 0..16 {
            let mut of = record(at);
            of["one"] = json!(at);
            app.admin().post("/api/as", of.clone()).await;
            let again = app.admin().post("/api/as", of).await.status;
            let filter = format!("one == {at} && ({condition})");
            let holds = !app.admin().query("/api/as", &[("filter", &filter)]).await.items().is_empty();
            assert_eq!(again == 409, holds, "{condition}: {}", record(at));
        }
    }
}

/// What an index may hold at most, every database holds, however little it can be packed.
#[tokio::test]
async fn the_longest_texts_of_an_index_are_kept() {
    const WIDE: &str = r#"
type Wide @rules(read: "true", write: "true") @unique(fields: ["a", "b"]) @index(fields: ["c", "d"]) {
  one: String @unique @check(expr: "size(one) <= 650")
  a: String @check(expr: "size(a) <= 325")
  b: String @check(expr: "size(b) <= 325")
  c: String @check(expr: "size(c) <= 323")
  d: String @check(expr: "size(d) <= 323")
}
"#;
    let app = TestApp::with_schema(WIDE).await;
    let mut seed = 1_u32;
    let mut text = |length: usize| {
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from_u32(0x10000 + (seed >> 8) % 0xF0000).unwrap_or('x')
        };
        (0..length).map(|_| next()).collect::<String>()
    };
    let wide = json!({"one": text(650), "a": text(325), "b": text(325), "c": text(323), "d": text(323)});
    let made = app.anonymous().post("/api/wides", wide.clone()).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json()["one"], wide["one"]);
}

//! What a caller may not read, no answer tells: not through filters, sorts, links, sizes, counts, cursors or errors.
use mainstay_testing::TestApp;
use serde_json::{Value as Json, json};

/// Everybody reads people; salaries are read by their owner alone; offices are hidden unless they are open.
const SCHEMA: &str = r#"
type Person @path(name: "people") @rules(read: "true", write: "auth != null") {
  name: String!
  office: Office
  salaries: [Salary!]! @inverse(field: "person")
  friends: [Person!]! @many
  boss: Person
}
type Salary @rules(read: "owner == auth.id", create: "auth != null", write: "owner == auth.id") {
  owner: ID!
  amount: Int!
  score: Int
  person: Person!
}
type Office @rules(read: "open", write: "auth != null") {
  name: String!
  open: Boolean!
  people: [Person!]! @inverse(field: "office")
}
"#;

struct World {
    app: TestApp,
    offices: Vec<String>,
    people: Vec<String>,
    salaries: Vec<String>,
}

async fn world() -> World {
    let app = TestApp::with_schema(SCHEMA).await;
    let offices =
        app.seed("offices", [json!({"name": "lobby", "open": true}), json!({"name": "vault", "open": false})]).await;
    let people = app
        .seed(
            "people",
            [
                json!({"name": "anna", "office": offices[0]}),
                json!({"name": "bert", "office": offices[1]}),
                json!({"name": "carl"}),
            ],
        )
        .await;
    let salaries = app
        .seed(
            "salaries",
            [
                json!({"owner": "anna", "amount": 100, "score": null, "person": people[0]}),
                json!({"owner": "bert", "amount": 200, "score": 3, "person": people[1]}),
            ],
        )
        .await;
    World { app, offices, people, salaries }
}

async fn names(world: &World, caller: &str, path: &str, parameters: &[(&str, &str)]) -> Vec<String> {
    world.app.user(caller).query(path, &[parameters, &[("sort", "name")]].concat()).await.column("name")
}

#[tokio::test]
async fn a_filter_never_tells_what_a_rule_hides() {
    let world = world().await;
    for (filter, expected) in [
        ("salaries.exists(s, s.amount == 200)", vec![]),
        ("salaries.exists(s, s.amount == 100)", vec!["anna"]),
        ("salaries.exists(s, true)", vec!["anna"]),
        ("salaries.all(s, s.amount == 100)", vec!["anna", "bert", "carl"]),
        ("!salaries.exists(s, s.amount == 200)", vec!["anna", "bert", "carl"]),
        ("size(salaries) == 1", vec!["anna"]),
        ("size(salaries) == 0", vec!["bert", "carl"]),
    ] {
        assert_eq!(names(&world, "anna", "/api/people", &[("filter", filter)]).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn a_filter_through_a_link_never_tells_what_a_rule_hides() {
    let world = world().await;
    for (filter, expected) in [
        ("office.name == 'vault'", vec![]),
        ("office.name != 'vault'", vec!["anna"]),
        ("!(office.name == 'lobby')", vec![]),
        ("office.open == false", vec![]),
        ("office.name.startsWith('v')", vec![]),
        ("office.people.exists(q, q.name == 'bert')", vec![]),
        ("office.name == 'vault' || name == 'carl'", vec!["carl"]),
        ("office.name == 'vault' ? true : false", vec![]),
    ] {
        assert_eq!(names(&world, "anna", "/api/people", &[("filter", filter)]).await, expected, "{filter}");
    }
}

/// A comparison with null is an error, not null: negating it does not make it true.
#[tokio::test]
async fn a_negation_over_null_tells_nothing() {
    let world = world().await;
    for filter in ["!(score > 5)", "!(score < 5)", "score > 5", "score <= 5", "!(score <= 5)"] {
        let found = world.app.user("anna").query("/api/salaries", &[("filter", filter)]).await;
        assert_eq!(found.items().len(), 0, "{filter}");
    }
    for filter in ["salaries.exists(s, !(s.score > 5))", "salaries.exists(s, s.score > 5)"] {
        assert_eq!(names(&world, "anna", "/api/people", &[("filter", filter)]).await, Vec::<String>::new(), "{filter}");
    }
    for filter in ["salaries.all(s, s.score > 5)", "salaries.all(s, !(s.score > 5))"] {
        assert_eq!(names(&world, "anna", "/api/people", &[("filter", filter)]).await, ["bert", "carl"], "{filter}");
    }
}

#[tokio::test]
async fn a_count_never_tells_what_a_rule_hides() {
    let world = world().await;
    let page = world.app.user("carl").get("/api/salaries?count=true").await;
    assert_eq!((page.items().len(), &page.json()["count"]), (0, &json!(0)));
    let page = world.app.user("anna").get("/api/salaries?count=true").await;
    assert_eq!((page.items().len(), &page.json()["count"]), (1, &json!(1)));
}

#[tokio::test]
async fn a_sort_never_tells_what_a_rule_hides() {
    let world = world().await;
    let order = async || {
        world.app.user("anna").get("/api/people?sort=office.name,name&fields=name").await.column("name").join(" ")
    };
    let before = order().await;
    assert_eq!(before, "bert carl anna", "what is hidden sorts as null");
    for name in ["aaa", "zzz"] {
        let path = format!("/api/offices/{}", world.offices[1]);
        assert_eq!(world.app.admin().patch(&path, json!({"name": name})).await.status, 200);
        assert_eq!(order().await, before, "{name}");
    }
}

#[tokio::test]
async fn a_cursor_never_tells_what_a_rule_hides() {
    let world = world().await;
    let next = async || {
        let page = world.app.user("anna").get("/api/people?sort=office.name,name&limit=1").await;
        page.json()["next"].as_str().expect("more").to_owned()
    };
    let before = next().await;
    let path = format!("/api/offices/{}", world.offices[1]);
    assert_eq!(world.app.admin().patch(&path, json!({"name": "another, much longer name"})).await.status, 200);
    assert_eq!(next().await.len(), before.len());
}

#[tokio::test]
async fn a_nested_selection_never_tells_what_a_rule_hides() {
    let world = world().await;
    let bert = format!("/api/people/{}", world.people[1]);
    let get = async |fields: &str| world.app.user("anna").query(&bert, &[("fields", fields)]).await.json();
    assert_eq!(get("salaries(amount)").await, json!({"salaries": []}));
    assert_eq!(get("size(salaries)").await, json!({"salaries": 0}));
    assert_eq!(get("office(name)").await, json!({"office": null}));
    assert_eq!(get("salaries(amount;filter:true)").await, json!({"salaries": []}));
    assert_eq!(get("salaries(amount;sort:amount)").await, json!({"salaries": []}));
    let lobby = format!("/api/offices/{}", world.offices[0]);
    let nested = [("fields", "people(name,salaries(amount))")];
    let anna = world.app.user("bert").query(&lobby, &nested).await.json();
    assert_eq!(anna, json!({"people": [{"name": "anna", "salaries": []}]}));
}

/// A link to a record that is hidden and one to a record that is not there are refused in the same words.
#[tokio::test]
async fn a_link_error_never_tells_what_a_rule_hides() {
    let world = world().await;
    let missing = "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f";
    let anna = world.app.user("anna");
    let same = async |method: &str, path: &str, body: &dyn Fn(&str) -> Json, hidden: &str| {
        let send = async |key: &str| {
            let reply = anna.bytes(method, path, "application/json", body(key).to_string().into_bytes()).await;
            reply.to_string().replace(key, "[key]")
        };
        let (of_hidden, of_missing) = (send(hidden).await, send(missing).await);
        assert!(of_hidden.starts_with("422 "), "{of_hidden}");
        assert_eq!(of_hidden, of_missing);
    };
    same("POST", "/api/people", &|key| json!({"name": "x", "office": key}), &world.offices[1]).await;
    let me = format!("/api/people/{}", world.people[0]);
    same("PATCH", &me, &|key| json!({"office": key}), &world.offices[1]).await;
}

#[tokio::test]
async fn writes_to_hidden_records_and_to_none_are_answered_alike() {
    let world = world().await;
    let anna = world.app.user("anna");
    let missing = "019a9f3e-7c1d-7b52-8a6e-3f4b5c6d7e8f";
    for (path, hidden) in [("salaries", &world.salaries[1]), ("offices", &world.offices[1])] {
        let (hidden, missing) = (format!("/api/{path}/{hidden}"), format!("/api/{path}/{missing}"));
        assert_eq!(anna.get(&hidden).await.to_string(), anna.get(&missing).await.to_string());
        let (a, b) = (anna.patch(&hidden, json!({})).await, anna.patch(&missing, json!({})).await);
        assert_eq!(a.to_string(), b.to_string());
        let (a, b) = (anna.delete(&hidden).await, anna.delete(&missing).await);
        assert_eq!(a.to_string(), b.to_string());
        let stale = anna.clone().header("if-match", "\"9\"");
        let (a, b) = (stale.patch(&hidden, json!({})).await, stale.patch(&missing, json!({})).await);
        assert_eq!(a.to_string(), b.to_string());
    }
}

#[tokio::test]
async fn values_of_filters_are_never_code() {
    let world = world().await;
    for value in ["x' || 'a' == 'a", "\\", "'", "\"", "%", "_", "*", "\u{202e}", "1; DROP TABLE people"] {
        let parameters = [("filter", "name == p.v || name.startsWith(p.v) || name.contains(p.v)"), ("p.v", value)];
        assert_eq!(names(&world, "anna", "/api/people", &parameters).await, Vec::<String>::new(), "{value}");
    }
}

#[tokio::test]
async fn a_rule_decides_on_the_callers_own_list_of_roles() {
    let app = TestApp::with_schema(
        r#"type Doc @rules(read: "auth.roles.exists(r, r == team)") { team: String! title: String! }"#,
    )
    .await;
    app.seed("docs", [json!({"team": "a", "title": "of a"}), json!({"team": "b", "title": "of b"})]).await;
    assert_eq!(app.user_with("anna", &["b"], &[]).get("/api/docs").await.column("title"), ["of b"]);
    assert_eq!(app.user("bert").get("/api/docs").await.items().len(), 0);
}

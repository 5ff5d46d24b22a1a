//! `@rules(read:, write:)` on fields: who may read a field and who may send it, beside the rules of the record.
use mainstay_testing::TestApp;
use serde_json::{Value as Json, json};

/// Everybody reads employees; salaries are for the boss and for the employee; grades for editors; the nickname is open.
const SCHEMA: &str = r#"
type Employee @rules(read: "true", write: "auth != null") {
  name: String!
  owner: String!
  salary: Int! @default(value: 0) @rules(read: "owner == auth.id || 'boss' in auth.roles", write: "'boss' in auth.roles")
  badge: String @unique @rules(read: "owner == auth.id")
  grade: String @rules(read: "'editor' in auth.roles", write: "'editor' in auth.roles")
  active: Boolean! @default(value: true) @rules(read: "owner == auth.id")
  motto: String @rules(write: "owner == auth.id")
  tags: [String!]! @default(value: []) @rules(read: "owner == auth.id")
  mentor: Employee @rules(read: "owner == auth.id")
  friends: [Employee!]! @many @rules(read: "owner == auth.id", write: "owner == auth.id")
  pupils: [Employee!]! @inverse(field: "mentor") @rules(read: "pupils.exists(e, e.owner == auth.id)")
}
"#;

async fn world() -> (TestApp, Vec<String>) {
    let app = TestApp::with_schema(SCHEMA).await;
    let mut ids = app
        .seed("employees", [json!({"name": "zoe", "owner": "zoe", "salary": 900, "badge": "z", "tags": ["top"]})])
        .await;
    let more = [
        json!({"name": "anna", "owner": "anna", "salary": 100, "badge": "a", "grade": "A", "mentor": ids[0],
            "friends": [ids[0]], "tags": ["x"]}),
        json!({"name": "bert", "owner": "bert", "salary": 200, "badge": "b", "grade": "B", "active": false}),
    ];
    ids.extend(app.seed("employees", more).await);
    (app, ids)
}

async fn names(app: &TestApp, filter: &str) -> Vec<String> {
    let reply = app.user("anna").query("/api/employees", &[("filter", filter), ("sort", "name")]).await;
    assert_eq!(reply.status, 200, "{filter}: {}", reply.text);
    reply.column("name")
}

#[tokio::test]
async fn who_may_read_it_of_no_record_is_refused_by_name() {
    let (app, _) = world().await;
    for path in [
        "/api/employees?filter=grade=='A'",
        "/api/employees?filter=grade=='A'%20%7C%7C%20true",
        "/api/employees?filter=mentor.grade=='A'",
        "/api/employees?sort=grade",
        "/api/employees?sort=mentor.grade",
        "/api/employees?fields=name,grade",
        "/api/employees?fields=friends(grade)",
        "/api/employees?group=grade&select=count",
        "/api/employees?group=mentor.grade&select=count",
        "/api/employees?group=name&select=max(grade)",
        "/api/employees?fields=x:max(pupils.grade)",
        "/api/employees?fields=friends(name;filter:grade=='A')",
    ] {
        let reply = app.user("anna").get(path).await;
        assert_eq!(reply.problem(), "403 forbidden: the rule \"read\" of \"grade\" of \"Employee\" refuses", "{path}");
        assert_eq!(app.anonymous().get(path).await.status, 401, "{path}");
    }
    for path in ["/api/employees/by/badge/a", "/api/employees?filter=salary>1", "/api/employees?sort=mentor.name"] {
        assert_eq!(app.anonymous().get(path).await.status, 401, "{path}");
    }
    // What nobody named is left out.
    let records = app.user("anna").get("/api/employees").await.items();
    assert!(records.iter().all(|record| record.get("grade").is_none() && record.get("salary").is_some()));
    let records = app.anonymous().get("/api/employees?fields=*").await.items();
    let left_out = |record: &Json| ["grade", "salary", "badge", "mentor"].iter().all(|name| record.get(name).is_none());
    assert!(records.iter().all(left_out), "{records:?}");
    let editor = app.user_with("anna", &["editor"], &[]);
    assert_eq!(editor.get("/api/employees?filter=grade=='B'").await.column("name"), ["bert"]);
}

#[tokio::test]
async fn of_records_where_the_rule_does_not_hold_it_is_null() {
    let (app, ids) = world().await;
    let salaries = |records: Vec<Json>| -> Vec<(Json, Json)> {
        records.iter().map(|record| (record["name"].clone(), record["salary"].clone())).collect()
    };
    let reply = app.user("anna").get("/api/employees?sort=name").await;
    let expected = [(json!("anna"), json!(100)), (json!("bert"), Json::Null), (json!("zoe"), Json::Null)];
    assert_eq!(salaries(reply.items()), expected);
    let boss = app.user_with("carl", &["boss"], &[]).get("/api/employees?sort=name&fields=name,salary").await;
    assert_eq!(
        salaries(boss.items()),
        [(json!("anna"), json!(100)), (json!("bert"), json!(200)), (json!("zoe"), json!(900))]
    );
    let one = app.user("anna").get(&format!("/api/employees/{}", ids[2])).await.json();
    for name in ["salary", "badge", "active", "tags", "mentor"] {
        assert_eq!(one[name], Json::Null, "{name}");
    }
    let nested = "/api/employees?sort=name&fields=name,mentor(name,salary),friends(name,salary,tags,active;sort:name),n:size(friends)";
    let records = app.user("anna").get(nested).await.items();
    assert_eq!(records[0]["mentor"], json!({"name": "zoe", "salary": null}));
    assert_eq!(records[0]["friends"], json!([{"name": "zoe", "salary": null, "tags": null, "active": null}]));
    assert_eq!((&records[0]["n"], &records[1]["n"], &records[1]["friends"]), (&json!(1), &Json::Null, &Json::Null));
    let zoe = app.user("zoe").get("/api/employees?fields=name,pupils(name)&sort=name").await.items();
    assert_eq!(zoe[2]["pupils"], Json::Null, "{zoe:?}");
    let pupils = app.user("anna").get("/api/employees?fields=name,pupils(name)&sort=name").await.items();
    assert_eq!(pupils[2]["pupils"], json!([{"name": "anna"}]), "{pupils:?}");
}

#[tokio::test]
async fn a_filter_never_tells_what_a_rule_of_a_field_hides() {
    let (app, _) = world().await;
    for (filter, expected) in [
        ("salary == 200", vec![]),
        ("salary == 100", vec!["anna"]),
        ("salary != 100", vec![]),
        ("salary > 150", vec![]),
        ("!(salary == 100)", vec![]),
        ("!(salary == 200)", vec!["anna"]),
        ("salary == 200 || name == 'bert'", vec!["bert"]),
        ("badge == null", vec![]),
        ("badge != null", vec!["anna"]),
        ("active", vec!["anna"]),
        ("!active", vec![]),
        ("salary in [100, 200]", vec!["anna"]),
        ("!(salary in [5])", vec!["anna"]),
        ("salary == 200 ? true : true", vec!["anna"]),
        ("'top' in tags", vec![]),
        ("!('top' in tags)", vec!["anna"]),
        ("size(tags) == 1", vec!["anna"]),
        ("tags.exists(t, t == 'top')", vec![]),
        ("mentor == null", vec![]),
        ("mentor.name == 'zoe'", vec!["anna"]),
        ("mentor.salary == 900", vec![]),
        ("mentor.salary != 900", vec![]),
        ("mentor.tags.exists(t, true)", vec![]),
        ("size(friends) == 1", vec!["anna"]),
        ("size(friends) == 0", vec![]),
        ("friends.exists(f, f.name == 'zoe')", vec!["anna"]),
        ("friends.exists(f, f.salary == 900)", vec![]),
        ("friends.all(f, f.salary == 900)", vec![]),
        ("!friends.exists(f, f.name == 'zoe')", vec![]),
        ("pupils.exists(e, e.name == 'anna')", vec!["zoe"]),
        ("friends.exists(f, f.pupils.exists(e, e.name == 'anna'))", vec!["anna"]),
        ("salary + 1 == 201", vec![]),
        ("badge.startsWith('b')", vec![]),
    ] {
        assert_eq!(names(&app, filter).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn sorts_cursors_and_counts_take_it_for_null() {
    let (app, _) = world().await;
    for sort in ["salary,name", "-salary,name", "mentor.salary,name", "badge,name"] {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let mut parameters = vec![("sort", sort), ("limit", "1"), ("count", "true")];
            parameters.extend(after.as_deref().map(|after| ("after", after)));
            let reply = app.user("anna").query("/api/employees", &parameters).await;
            assert_eq!(reply.json()["count"], 3, "{}", reply.text);
            found.extend(reply.column("name"));
            let Some(next) = reply.json()["next"].as_str().map(str::to_owned) else { break };
            // A cursor is signed, not encrypted: what it holds must be what its caller may read.
            use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
            let bytes = URL_SAFE_NO_PAD.decode(&next).expect("base64");
            for hidden in [200i64, 900] {
                assert!(!bytes.windows(8).any(|window| window == hidden.to_le_bytes()), "{sort}");
            }
            after = Some(next);
        }
        let expected = match sort {
            "-salary,name" => ["anna", "bert", "zoe"],
            "mentor.salary,name" => ["anna", "bert", "zoe"],
            _ => ["bert", "zoe", "anna"],
        };
        assert_eq!(found, expected, "{sort}");
    }
}

#[tokio::test]
async fn groups_and_figures_leave_out_what_may_not_be_read() {
    let (app, _) = world().await;
    let anna = app.user("anna");
    let groups = anna.get("/api/employees?group=salary&select=count&sort=salary").await.json()["items"].clone();
    assert_eq!(groups, json!([{"salary": null, "count": 2}, {"salary": 100, "count": 1}]));
    let figures = "sum(salary),max(salary),avg(salary),min(badge),d:countDistinct(salary)";
    let reply = anna.get(&format!("/api/employees?group=t:mentor.salary&select={figures}")).await;
    let expected =
        json!([{"t": null, "sumSalary": 100, "maxSalary": 100, "avgSalary": 100.0, "minBadge": "a", "d": 1}]);
    assert_eq!(reply.json()["items"], expected, "{}", reply.text);
    let path = "/api/employees?fields=name,a:max(pupils.salary),b:max(friends.salary)&sort=name";
    let records = anna.get(path).await.items();
    assert_eq!(records[0], json!({"name": "anna", "a": null, "b": null}));
    assert_eq!(records[2], json!({"name": "zoe", "a": 100, "b": null}));
}

#[tokio::test]
async fn a_look_up_finds_only_where_it_may_be_read() {
    let (app, ids) = world().await;
    let anna = app.user("anna");
    assert_eq!(anna.get("/api/employees/by/badge/b").await.status, 404);
    assert_eq!(anna.patch("/api/employees/by/badge/b", json!({"name": "x"})).await.status, 404);
    assert_eq!(anna.delete("/api/employees/by/badge/b").await.status, 404);
    assert_eq!(anna.get("/api/employees/by/badge/a").await.json()["name"], "anna");
    let by = |badge: &str| json!({"name": "n", "owner": "anna", "mentor": {"by": {"badge": badge}}});
    assert_eq!(anna.post("/api/employees", by("b")).await.status, 422);
    assert_eq!(anna.post("/api/employees", by("a")).await.status, 201);
    assert_eq!(app.admin().get("/api/employees/by/badge/b").await.json()["id"], json!(ids[2]));
}

#[tokio::test]
async fn who_may_not_send_it_is_refused_with_its_place() {
    let (app, ids) = world().await;
    let anna = app.user("anna");
    let path = format!("/api/employees/{}", ids[1]);
    let new = json!({"name": "new", "owner": "anna", "salary": 5});
    for (reply, pointer) in [
        (anna.patch(&path, json!({"salary": 5})).await, "/salary"),
        (anna.patch(&path, json!({"name": "x", "grade": "C"})).await, "/grade"),
        (anna.post("/api/employees", new.clone()).await, "/salary"),
        (anna.post("/api/employees", json!([{"name": "fine", "owner": "anna"}, new])).await, "/1/salary"),
        (anna.post("/api/employees", json!({"name": "new", "owner": "bert", "motto": "mine"})).await, "/motto"),
        (anna.patch(&format!("/api/employees/{}", ids[2]), json!({"motto": "mine"})).await, "/motto"),
        (anna.patch(&format!("/api/employees/{}", ids[2]), json!({"friends": {"add": [ids[0]]}})).await, "/friends"),
        // Before and after: neither handed away nor grabbed.
        (anna.patch(&path, json!({"motto": "gone", "owner": "bert"})).await, "/motto"),
        (
            anna.patch(&format!("/api/employees/{}", ids[2]), json!({"motto": "grabbed", "owner": "anna"})).await,
            "/motto",
        ),
    ] {
        assert_eq!(reply.status, 403, "{}", reply.text);
        assert_eq!(reply.json()["errors"][0]["pointer"], pointer, "{}", reply.text);
    }
    let batch = json!({"ops": [{"op": "update", "in": "employees", "id": ids[1], "data": {"salary": 5}}]});
    let reply = anna.post("/api/batch", batch).await;
    assert_eq!(
        (reply.status, &reply.json()["errors"][0]["pointer"]),
        (403, &json!("/ops/0/data/salary")),
        "{}",
        reply.text
    );
    assert_eq!(app.admin().get("/api/employees?sort=name").await.column("name"), ["anna", "bert", "zoe"]);
    let mine = anna.patch(&path, json!({"motto": "mine", "friends": []})).await;
    assert_eq!((mine.status, &mine.json()["motto"]), (200, &json!("mine")), "{}", mine.text);
    let boss = app.user_with("carl", &["boss"], &[]).patch(&path, json!({"salary": 101})).await;
    assert_eq!((boss.status, &boss.json()["salary"]), (200, &json!(101)), "{}", boss.text);
}

#[tokio::test]
async fn answers_of_writes_obey_too() {
    let (app, ids) = world().await;
    let anna = app.user("anna");
    let created = anna.post("/api/employees", json!({"name": "new", "owner": "bert", "badge": "n"})).await;
    assert_eq!((created.status, &created.json()["badge"]), (201, &Json::Null), "{}", created.text);
    assert!(created.json().get("grade").is_none(), "{}", created.text);
    let changed = anna.patch(&format!("/api/employees/{}", ids[2]), json!({"name": "berta"})).await;
    assert_eq!((changed.status, &changed.json()["salary"]), (200, &Json::Null), "{}", changed.text);
    let changed = anna.patch(&format!("/api/employees/{}?fields=grade", ids[1]), json!({"name": "anne"})).await;
    assert_eq!(changed.status, 403, "{}", changed.text);
    assert_eq!(app.admin().get(&format!("/api/employees/{}", ids[1])).await.json()["name"], "anna");
}

//! What refuses is told as false, with the values that it reads: also of one of many records, or behind what came before.
use mainstay_core::Verdict;
use mainstay_testing::{Setup, TestApp};
use serde_json::{Value, json};

use super::{agree, explain};

const STUDIOS: &str = r#"
type Studio
  @define(name: "isStaff", expr: "owner == auth.id || staff.exists(s, s.user == auth.id)")
  @rules(read: "true", create: "auth != null", update: "isStaff", delete: "owner == auth.id")
{
  slug: String! @unique
  owner: ID!
  staff: [Staff!]! @inverse(field: "studio")
  revenue: Int @rules(read: "true", write: "owner == auth.id")
  tags: [Tag!]! @many @rules(add: "owner == auth.id", remove: "owner == auth.id")
}
type Staff @rules(read: "true", create: "auth != null") { studio: Studio! user: ID! }
type Tag @rules(read: "true") { name: String! @unique }
type Gear @rules(read: "true", create: "studio.isStaff", update: "studio.isStaff") { studio: Studio! stock: Int! }
"#;

async fn studios() -> (TestApp, String, String) {
    let app = TestApp::with_schema(STUDIOS).await;
    let south = app.seed("studios", [json!({"slug": "south", "owner": "zoe"})]).await.remove(0);
    let north = app.seed("studios", [json!({"slug": "north", "owner": "anna"})]).await.remove(0);
    app.seed("staffs", [json!({"studio": north, "user": "bob"})]).await;
    (app, north, south)
}

/// The rules that are told as false, each with its state, its place and the values that its clauses read.
async fn refusing(app: &TestApp, call: (&str, &str, &str, Value)) -> Vec<String> {
    let explained = explain(app, &call).await.unwrap_or_else(|refused| panic!("{call:?}: {refused:?}"));
    let rules = explained.explanation.rules.iter().filter(|rule| rule.outcome == Verdict::False);
    rules
        .map(|rule| {
            let values = rule.clauses.iter().flat_map(|clause| &clause.values);
            let values = values.map(|read| format!(" {}={}", read.name, read.value)).collect::<String>();
            let over = rule.over.map(|over| format!(" {over:?}")).unwrap_or_default();
            let of = rule.of.as_ref().map(|of| format!("{of} ")).unwrap_or_default();
            format!("{of}{}{over}{values}", rule.name)
        })
        .collect()
}

#[tokio::test]
async fn a_change_of_all_that_match_tells_the_rules_that_it_asks() {
    let (app, ..) = studios().await;
    let patch = |body: Value| ("bob", "PATCH", "/api/studios?filter=slug=='north'", body);
    let of_field = ["Studio.revenue.write Before owner=\"anna\" auth.id=\"bob\""];
    assert_eq!(refusing(&app, patch(json!({"revenue": 5}))).await, of_field);
    assert_eq!(agree(&app, patch(json!({"revenue": 5}))).await.0, 403);
    let explained = explain(&app, &patch(json!({"revenue": 5}))).await.expect("a call");
    let names: Vec<_> = explained.explanation.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["Studio.read", "Studio.update", "Studio.revenue.write"], "no field is read");
    assert_eq!(agree(&app, patch(json!({"slug": "northern"}))).await.0, 200);
    let all = |who| (who, "PATCH", "/api/studios?filter=owner!='x'", json!({"slug": "a"}));
    let told = refusing(&app, all("mia")).await;
    assert!(told.len() == 1 && told[0].starts_with("Studio.update Before owner="), "{told:?}");
}

#[tokio::test]
async fn the_rule_of_a_field_is_told_where_no_record_is() {
    let app = TestApp::with_schema(
        r#"type Part @rules(read: "true", update: "n > 0") { slug: String! @unique n: Int! @rules(write: "auth.id == 'anna'") }"#,
    )
    .await;
    let (status, told) = agree(&app, ("bob", "PATCH", "/api/parts/by/slug/none", json!({"n": 1}))).await;
    assert_eq!((status, told.last().map(String::as_str)), (403, Some("Part.n.write False [auth.id == 'anna'=False]")));
}

#[tokio::test]
async fn a_change_of_the_links_of_all_that_match_tells_their_rule() {
    let (app, north, _) = studios().await;
    let tag = app.seed("tags", [json!({"name": "loud"})]).await.remove(0);
    let patch = |who| (who, "PATCH", "/api/studios?filter=slug=='north'", json!({"tags": {"add": [tag]}}));
    let (status, told) = agree(&app, patch("bob")).await;
    assert_eq!(status, 403);
    assert_eq!(told, ["Studio.tags.add False [owner == auth.id=False]"], "the update rule is not asked");
    assert_eq!(agree(&app, patch("anna")).await.0, 200);
    // A rule of links is asked of nothing where none comes or goes.
    let none = app.seed("tags", [json!({"name": "soft"})]).await.remove(0);
    for body in [json!({"tags": {"add": [tag]}}), json!({"tags": {"remove": [none]}})] {
        let path = format!("/api/studios/{north}");
        for address in [path.as_str(), "/api/studios?filter=slug=='north'"] {
            assert_eq!(agree(&app, ("bob", "PATCH", address, body.clone())).await.0, 200);
        }
    }
}

#[tokio::test]
async fn a_delete_of_all_that_match_tells_of_the_record_that_refuses() {
    let (app, ..) = studios().await;
    let delete = || ("anna", "DELETE", "/api/studios?filter=true", Value::Null);
    assert_eq!(refusing(&app, delete()).await, ["Studio.delete owner=\"zoe\" auth.id=\"anna\""]);
    assert_eq!(agree(&app, delete()).await.0, 403);
}

/// What a batch makes first leads nowhere where no link to it is written: the rule is asked of what is stored.
#[tokio::test]
async fn a_batch_tells_the_rule_that_what_it_made_has_no_part_in() {
    let (app, north, south) = studios().await;
    let gear = app.seed("gears", [json!({"studio": south, "stock": 1})]).await.remove(0);
    let batch = |data: Value| {
        json!({"ops": [
            {"op": "create", "in": "studios", "as": "s", "data": {"slug": "west", "owner": "bob"}},
            {"op": "update", "in": "gears", "id": gear, "data": data},
        ]})
    };
    let told = refusing(&app, ("bob", "POST", "/api/batch", batch(json!({"stock": 2})))).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("/ops/1 Gear.update Before") && told[0].contains("auth.id=\"bob\""), "{told:?}");
    assert_eq!(agree(&app, ("bob", "POST", "/api/batch", batch(json!({"stock": 2})))).await.0, 403);
    let moved = ("zoe", "POST", "/api/batch", batch(json!({"studio": north})));
    assert_eq!(refusing(&app, moved.clone()).await.len(), 1, "of the record as it becomes");
    assert_eq!(agree(&app, moved).await.0, 403);
    let into_new = ("bob", "POST", "/api/batch", batch(json!({"studio": {"ref": "s"}})));
    assert!(refusing(&app, into_new.clone()).await[0].starts_with("/ops/1 Gear.update Before"));
    assert_eq!(agree(&app, into_new).await.0, 403);
    let staff = json!({"ops": [
        {"op": "create", "in": "staffs", "data": {"studio": south, "user": "bob"}},
        {"op": "update", "in": "gears", "id": gear, "data": {"stock": 3}},
    ]});
    assert_eq!(agree(&app, ("bob", "POST", "/api/batch", staff)).await.0, 200);
}

/// Where only the write knows what a rule comes to, it says in which state of the record it refused.
#[tokio::test]
async fn a_rule_that_only_the_write_knows_is_told_of_the_state_that_it_refused() {
    let app = TestApp::with_schema(
        r#"type Team @rules(read: "true", write: "true") { open: Boolean! }
           type Task @rules(read: "true", create: "true", update: "team.open") {
             n: Int!
             team: Team!
             m: Int @rules(write: "team.open")
           }
           type Note @rules(read: "true", update: "true") { text: String! @rules(write: "task.team.open") task: Task! }"#,
    )
    .await;
    let shut = app.seed("teams", [json!({"open": false})]).await.remove(0);
    let open = app.seed("teams", [json!({"open": true})]).await.remove(0);
    let task = app.seed("tasks", [json!({"n": 1, "team": open})]).await.remove(0);
    let note = app.seed("notes", [json!({"text": "a", "task": task})]).await.remove(0);
    let batch = |team: &str, op: Value| {
        let change = json!({"op": "update", "in": "teams", "id": team, "data": {"open": false}});
        ("bob", "POST", "/api/batch", json!({"ops": [change, op]}))
    };
    let change = |data: Value| json!({"op": "update", "in": "tasks", "id": task, "data": data});
    for (team, op, told) in [
        (&open, change(json!({"n": 2})), "/ops/1 Task.update Before"),
        (&shut, change(json!({"team": shut})), "/ops/1 Task.update After"),
        (&shut, change(json!({"m": 1, "team": shut})), "/ops/1 Task.update After"),
        (
            &open,
            json!({"op": "update", "in": "notes", "id": note, "data": {"text": "b"}}),
            "/ops/1 Note.text.write Before",
        ),
    ] {
        let refusing = refusing(&app, batch(team, op.clone())).await;
        assert!(refusing.len() == 1 && refusing[0].starts_with(told), "{told}: {refusing:?}");
        assert_eq!(agree(&app, batch(team, op)).await.0, 403);
    }
}

/// In development the answer itself tells of the record that refuses.
#[tokio::test]
async fn in_development_a_refusal_of_one_that_matches_tells_its_values() {
    let app = Setup::new(STUDIOS).explained().start().await;
    app.seed("studios", [json!({"slug": "north", "owner": "anna"})]).await;
    let reply = app.user("bob").patch("/api/studios?filter=true", json!({"revenue": 5})).await;
    assert_eq!(reply.status, 403);
    let hint = |reply: mainstay_testing::Reply| reply.json()["hint"].as_str().unwrap_or_default().to_owned();
    let update = hint(reply);
    assert!(update.starts_with("Studio.update") && update.contains("owner is \"anna\""), "{update}");
    let studio = app.get("/api/studios").await.items().remove(0)["id"].as_str().expect("an id").to_owned();
    app.seed("staffs", [json!({"studio": studio, "user": "bob"})]).await;
    let field = hint(app.user("bob").patch("/api/studios?filter=true", json!({"revenue": 5})).await);
    assert_eq!(
        field,
        "Studio.revenue.write: `owner == auth.id` is false, where owner is \"anna\" and auth.id is \"bob\""
    );
}

/// Upserts of several records, each told by its own place, also in a batch; what the write makes itself is not told as missing.
#[tokio::test]
async fn upserts_are_told_record_by_record() {
    let (app, ..) = studios().await;
    let upsert = |records: Value| ("anna", "POST", "/api/studios?upsert=slug", records);
    let two = json!([{"slug": "north", "revenue": 1}, {"slug": "south", "revenue": 2}]);
    let told = refusing(&app, upsert(two.clone())).await;
    assert!(told.len() > 1 && told.iter().all(|told| told.starts_with("/1 Studio.")), "{told:?}");
    assert_eq!(agree(&app, upsert(two)).await.0, 403);
    let own = |slug: &str, n: i64| json!({"slug": slug, "owner": "anna", "revenue": n});
    assert_eq!(agree(&app, upsert(json!([own("north", 1), own("west", 2)]))).await.0, 201);
    let (status, told) = agree(&app, upsert(json!([own("east", 1), own("south", 2)]))).await;
    assert_eq!(status, 403);
    assert!(told.iter().any(|told| told.starts_with("/1 Studio.update Before False")), "{told:?}");
    let again = json!([own("new", 1), own("new", 2)]);
    assert_eq!(agree(&app, upsert(again)).await.0, 201, "the second one changes what the first one made");
    let op = |data: Value| json!({"op": "upsert", "in": "studios", "by": "slug", "data": data});
    let batch = |ops: Vec<Value>| ("anna", "POST", "/api/batch", json!({"ops": ops}));
    let (status, told) = agree(&app, batch(vec![op(own("north", 3)), op(own("south", 4))])).await;
    assert_eq!(status, 403, "{told:?}");
    assert!(told.iter().any(|told| told.starts_with("/ops/1 Studio.update Before False")), "{told:?}");
    assert_eq!(agree(&app, batch(vec![op(own("b", 3)), op(own("b", 4)), op(own("north", 5))])).await.0, 200);
    let (status, told) = agree(&app, upsert(json!([own("o", 1), own("o", 2), own("south", 3)]))).await;
    assert_eq!(status, 403);
    assert!(told.iter().any(|told| told.starts_with("/1 Studio.update PerRecord")), "{told:?}");
    // Who may do neither is told of the rule that says so, whether the record is there or not.
    let app = TestApp::with_schema(
        r#"type Part @rules(read: "true", create: "auth.id == 'anna'", update: "auth.id == 'anna'") { slug: String! @unique }"#,
    )
    .await;
    app.seed("parts", [json!({"slug": "x"})]).await;
    let ops = json!({"ops": [{"op": "upsert", "in": "parts", "by": "slug", "data": {"slug": "x"}}]});
    assert_eq!(agree(&app, ("bob", "POST", "/api/batch", ops)).await.0, 403);
}

/// In development a refused upsert tells what the record holds, as a change of it does.
#[tokio::test]
async fn in_development_a_refused_upsert_tells_what_is_stored() {
    let app = Setup::new(STUDIOS).explained().start().await;
    app.seed("studios", [json!({"slug": "north", "owner": "anna"}), json!({"slug": "south", "owner": "mia"})]).await;
    let mia = app.user("mia");
    let hint = async |body: Value| {
        let refused = mia.post("/api/studios?upsert=slug", body).await;
        refused.json()["hint"].as_str().unwrap_or_default().to_owned()
    };
    let record = |slug: &str| json!({"slug": slug, "owner": "mia", "revenue": 5});
    let refused = "Studio.update: `isStaff` is false, where owner is \"anna\" and auth.id is \"mia\"";
    assert_eq!(hint(record("north")).await, refused);
    assert_eq!(hint(json!([record("south"), record("new"), record("north")])).await, refused);
    let ops = json!({"ops": [
        {"op": "upsert", "in": "studios", "by": "slug", "data": record("south")},
        {"op": "update", "in": "studios", "by": {"slug": "north"}, "data": {"revenue": 5}},
    ]});
    let reply = mia.post("/api/batch", ops).await;
    assert_eq!(reply.json()["hint"].as_str(), Some(refused), "{}", reply.text);
}

/// A sum that is out of its range is none: no number that the field cannot hold is told.
#[tokio::test]
async fn a_sum_out_of_its_range_is_not_told() {
    let app = TestApp::with_schema(r#"type Part @rules(read: "true", update: "n < 5") { n: Int! }"#).await;
    let id = app.seed("parts", [json!({"n": 1})]).await.remove(0);
    let path = format!("/api/parts/{id}");
    let add = |by: i64| ("bob", "PATCH", path.as_str(), json!({"n": {"add": by}}));
    assert_eq!(refusing(&app, add(4)).await, ["Part.update After n=5"]);
    assert_eq!(refusing(&app, add(2_147_483_647)).await, ["Part.update After n=null"]);
    assert_eq!(agree(&app, add(2_147_483_647)).await.0, 422);
}

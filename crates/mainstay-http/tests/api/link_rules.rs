//! `@rules(add:, remove:)` of lists of links: asked of each record that comes or goes, whichever way it is sent.
use mainstay_testing::{Client, TestApp};
use serde_json::{Value as Json, json};

const TEAMS: &str = r#"
type Person @path(name: "people") @rules(read: "!hermit", write: "auth != null") {
  id: String!
  open: Boolean! @default(value: true)
  hermit: Boolean! @default(value: false)
}

type Club @rules(read: "true", write: "auth != null") { name: String teams: [Team!]! @inverse(field: "club") }

type Team @rules(read: "true", create: "auth != null", update: "owner == auth.id") {
  slug: String! @unique
  owner: ID @set(create: "auth.id")
  club: Club
  members: [Person!]! @many
    @rules(add: "auth != null && (item.open || owner == 'boss')", remove: "item.id == auth.id || owner == auth.id")
  few: [Person!]! @many @rules(add: "size(few) < 3")
  plain: [Person!]! @many
}
"#;

async fn teams() -> (TestApp, String) {
    let app = TestApp::with_schema(TEAMS).await;
    for (id, open) in [("anna", true), ("bob", true), ("carl", true), ("shut", false), ("hermit", true)] {
        app.admin().post("/api/people", json!({"id": id, "open": open, "hermit": id == "hermit"})).await;
    }
    let team = app.user("anna").post("/api/teams", json!({"slug": "a", "members": ["anna"]})).await;
    assert_eq!(team.status, 201, "{}", team.text);
    let path = format!("/api/teams/{}", team.id());
    (app, path)
}

async fn members(app: &TestApp, path: &str) -> Vec<Json> {
    let team = app.admin().get(&format!("{path}?fields=members(id;sort:id)")).await.json();
    team["members"].as_array().into_iter().flatten().map(|one| one["id"].clone()).collect()
}

fn refused_by(reply: &mainstay_testing::Reply) -> (u16, Json) {
    (reply.status, reply.json()["rule"].clone())
}

/// The same act, each way in which it can be sent: the same refusal, and nothing is changed.
#[tokio::test]
async fn who_is_refused_each_way() {
    let (app, path) = teams().await;
    let id = path.trim_start_matches("/api/teams/");
    let (anna, bob) = (app.user("anna"), app.user("bob"));
    let shut = json!({"members": {"add": ["shut"]}});
    let anonymous = app.anonymous().patch(&path, shut.clone()).await;
    assert_eq!(refused_by(&anonymous), (401, json!("Team.members.add")));
    let batch = async |client: &Client, op: Json| client.post("/api/batch", json!({"ops": [op]})).await;
    for client in [&anna, &bob] {
        let refused = client.patch(&path, shut.clone()).await;
        assert_eq!(refused_by(&refused), (403, json!("Team.members.add")), "{}", refused.text);
        assert_eq!(refused.json()["errors"][0]["pointer"], "/members");
        let by = client.patch("/api/teams/by/slug/a", shut.clone()).await;
        assert_eq!(refused_by(&by), (403, json!("Team.members.add")));
        let matching = client.patch("/api/teams?filter=slug=='a'", shut.clone()).await;
        assert_eq!(refused_by(&matching), (403, json!("Team.members.add")), "{}", matching.text);
        let op = batch(client, json!({"op": "update", "in": "teams", "id": id, "data": shut})).await;
        assert_eq!(refused_by(&op), (403, json!("Team.members.add")), "{}", op.text);
        assert_eq!(op.json()["errors"][0]["pointer"], "/ops/0/data/members");
    }
    for list in [json!(["anna", "shut"]), json!({"add": [{"by": {"id": "shut"}}]})] {
        let refused = anna.patch(&path, json!({"members": list})).await;
        assert!([403, 422].contains(&refused.status), "{}", refused.text);
    }
    let upsert = anna.post("/api/teams?upsert=slug", json!({"slug": "a", "members": ["anna", "shut"]})).await;
    assert_eq!(refused_by(&upsert), (403, json!("Team.members.add")), "{}", upsert.text);
    let op = json!({"op": "upsert", "in": "teams", "by": "slug", "data": {"slug": "a", "members": ["anna", "shut"]}});
    assert_eq!(refused_by(&batch(&anna, op).await), (403, json!("Team.members.add")));
    assert_eq!(members(&app, &path).await, ["anna"]);
}

/// A new record comes under the same rule as one that is there, wherever it is made.
#[tokio::test]
async fn new_records_are_asked_too() {
    let (app, _) = teams().await;
    let anna = app.user("anna");
    let team = |slug: &str| json!({"slug": slug, "members": ["bob", "shut"]});
    let made = json!({"slug": "n", "members": [{"id": "new", "open": false}]});
    let batch = |op: Json| json!({"ops": [op]});
    for (path, body) in [
        ("/api/teams", team("b")),
        ("/api/teams", json!([{"slug": "c"}, team("d")])),
        ("/api/teams?upsert=slug", team("e")),
        ("/api/clubs", json!({"name": "x", "teams": [team("f")]})),
        ("/api/batch", batch(json!({"op": "create", "in": "teams", "data": team("g")}))),
        ("/api/batch", batch(json!({"op": "upsert", "in": "teams", "by": "slug", "data": team("h")}))),
        ("/api/teams", made),
    ] {
        let refused = anna.post(path, body).await;
        assert_eq!(refused_by(&refused), (403, json!("Team.members.add")), "{path}: {}", refused.text);
    }
    let reference = json!({"ops": [
        {"op": "create", "in": "people", "as": "p", "data": {"id": "late", "open": false}},
        {"op": "create", "in": "teams", "data": {"slug": "i", "members": [{"ref": "p"}]}},
    ]});
    let refused = anna.post("/api/batch", reference).await;
    assert_eq!(refused_by(&refused), (403, json!("Team.members.add")), "{}", refused.text);
    assert_eq!(app.admin().get("/api/teams").await.column("slug"), ["a"]);
    assert_eq!(app.admin().get("/api/people?filter=id in ['new','late']").await.items().len(), 0);
}

/// It stands in the place of the update rule, and of that of the link alone.
#[tokio::test]
async fn it_decides_instead_of_the_update_rule() {
    let (app, path) = teams().await;
    let (anna, bob) = (app.user("anna"), app.user("bob"));
    let before = anna.get(&path).await.json();
    assert_eq!(before["version"], 1);
    let joined = bob.patch(&path, json!({"members": {"add": ["bob"]}})).await;
    assert_eq!(joined.status, 200, "{}", joined.text);
    assert_eq!(joined.json()["updatedAt"], before["updatedAt"]);
    assert_eq!(joined.json()["version"], json!(2));
    for body in [
        json!({"members": {"add": ["carl"]}, "slug": "b"}),
        json!({"members": {"add": ["carl"]}, "plain": {"add": ["carl"]}}),
        json!({"plain": ["carl"]}),
        json!({"few": []}),
        json!({}),
    ] {
        let refused = bob.patch(&path, body.clone()).await;
        assert_eq!(refused_by(&refused), (403, json!("Team.update")), "{body}");
    }
    let refused = bob.patch(&path, json!({"members": {"remove": ["anna"]}})).await;
    assert_eq!(refused_by(&refused), (403, json!("Team.members.remove")));
    // A whole list: what stays is asked nothing, what comes and what goes are asked.
    let refused = bob.patch(&path, json!({"members": ["bob", "carl"]})).await;
    assert_eq!(refused_by(&refused), (403, json!("Team.members.remove")));
    assert_eq!(bob.patch(&path, json!({"members": ["anna", "carl"]})).await.status, 200);
    assert_eq!(members(&app, &path).await, ["anna", "carl"]);
    assert_eq!(anna.patch(&path, json!({"members": []})).await.status, 200);
    // Admins are not asked, and what is there already is not added.
    assert_eq!(app.admin().patch(&path, json!({"members": ["shut"]})).await.status, 200);
    assert_eq!(bob.patch(&path, json!({"members": {"add": ["shut", "bob"]}})).await.status, 200);
}

/// A rule that counts holds before and after: many at once are no way around it.
#[tokio::test]
async fn it_holds_before_and_after() {
    let (app, path) = teams().await;
    let anna = app.user("anna");
    let refused = anna.patch(&path, json!({"few": {"add": ["anna", "bob", "carl"]}})).await;
    assert_eq!(refused_by(&refused), (403, json!("Team.few.add")));
    assert_eq!(anna.patch(&path, json!({"few": {"add": ["anna", "bob"]}})).await.status, 200);
    let refused = anna.patch(&path, json!({"few": {"add": ["carl"]}})).await;
    assert_eq!(refused_by(&refused), (403, json!("Team.few.add")));
    let new = json!({"slug": "x", "few": ["anna", "bob", "carl"]});
    assert_eq!(refused_by(&anna.post("/api/teams", new).await), (403, json!("Team.few.add")));
}

/// A hidden record is as good as missing, whatever the rule says of it.
#[tokio::test]
async fn hidden_records_stay_hidden() {
    let (app, path) = teams().await;
    let bob = app.user("bob");
    let hidden = bob.patch(&path, json!({"members": {"add": ["hermit"]}})).await;
    let missing = bob.patch(&path, json!({"members": {"add": ["nobody"]}})).await;
    assert_eq!((hidden.status, hidden.json()["errors"].clone()), (missing.status, missing.json()["errors"].clone()));
    app.admin().patch(&path, json!({"members": {"add": ["hermit"]}})).await;
    assert_eq!(bob.patch(&path, json!({"members": {"remove": ["hermit"]}})).await.status, 200);
    assert_eq!(members(&app, &path).await, ["anna", "hermit"]);
}

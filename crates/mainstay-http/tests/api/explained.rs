//! What `mainstay explain` tells of a call, beside what the call then comes to.
mod refused;

use std::sync::Arc;

use mainstay_core::{AdminPass, Caller, Core, CoreSettings, Identity, Limits, Request, Verdict};
use mainstay_http::{Asked, Explained, Refused};
use mainstay_schema::{Schema, Source};
use mainstay_store::{Settings, Store};
use mainstay_testing::{Reply, Setup, TestApp};
use serde_json::{Value, json};

/// A call: who, how, where, what.
type Call<'a> = (&'a str, &'a str, &'a str, Value);

/// Explains a call on a store of its own that writes nothing; `admin` is one.
async fn explain(app: &TestApp, call: &Call<'_>) -> Result<Explained, Refused> {
    explain_by(app, app.schema().clone(), call).await
}

/// The same by another schema with the same tables.
async fn explain_by(
    app: &TestApp,
    schema: Arc<Schema>,
    (who, method, address, body): &Call<'_>,
) -> Result<Explained, Refused> {
    let settings = Settings { rehearse: true, explains: true, ..app.database().settings() };
    let store = Arc::new(Store::open(settings).expect("the database"));
    let settings = CoreSettings { limits: Limits::default(), cursor_key: [7; 32], explain_refusals: false };
    let core = Core::new(schema, store.clone(), settings);
    let caller = match *who {
        "admin" => Caller::Admin(AdminPass::for_command("a test")),
        id => Caller::User(Arc::new(Identity { id: id.into(), roles: vec![].into(), claims: Default::default() })),
    };
    let request = Request {
        caller,
        time_micros: 1_767_323_045_000_000,
        ip: "::1".into(),
        method: (*method).into(),
        host: "localhost".into(),
        id: None,
        once: None,
    };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let asked = Asked { address, body: body.as_bytes(), ..Asked::default() };
    let explained = mainstay_http::explain(&core, &request, &asked).await;
    store.close();
    explained
}

/// The rules in short, without read rules: `/ops/1 Row.create False [team.slug == 'a'=False]`.
fn rules(explained: &Explained) -> Vec<String> {
    let told = explained.explanation.rules.iter().filter(|rule| !rule.name.ends_with(".read") || rule.over.is_some());
    told.map(|rule| {
        let clauses = rule.clauses.iter().map(|clause| format!("{}={:?}", clause.text, clause.outcome));
        let over = rule.over.map(|over| format!(" {over:?}")).unwrap_or_default();
        let of = rule.of.as_ref().map(|of| format!("{of} ")).unwrap_or_default();
        format!("{of}{}{over} {:?} [{}]", rule.name, rule.outcome, clauses.collect::<Vec<_>>().join(", "))
    })
    .collect()
}

async fn send(app: &TestApp, (who, method, address, body): Call<'_>) -> Reply {
    let client = if who == "admin" { app.admin() } else { app.user(who) };
    match method {
        "POST" => client.post(address, body).await,
        "PATCH" => client.patch(address, body).await,
        "DELETE" => client.delete(address).await,
        _ => client.get(address).await,
    }
}

/// Explains a call, then sends it. Both come to the same: where it is done no rule is told as refusing, and where a rule refuses,
/// that one is told as false, or as undecided beside none that is false.
async fn agree(app: &TestApp, call: Call<'_>) -> (u16, Vec<String>) {
    let explained = explain(app, &call).await.unwrap_or_else(|refused| panic!("{call:?}: {refused:?}"));
    let asked = format!("{call:?}");
    let reply = send(app, call).await;
    let told = rules(&explained);
    assert_eq!(explained.status, reply.status, "{asked}: {told:?}: {}", reply.text);
    let are = |outcome: Verdict| -> Vec<&str> {
        let rules = explained.explanation.rules.iter().filter(|rule| rule.outcome == outcome);
        rules.map(|rule| rule.name.as_str()).collect()
    };
    let (shut, open) = (are(Verdict::False), are(Verdict::PerRecord));
    match reply.status {
        200..300 => assert_eq!(shut, Vec::<&str>::new(), "{asked}: {told:?}"),
        401 | 403 => {
            let rule = reply.json()["rule"].as_str().expect("the rule").to_owned();
            let may = if shut.is_empty() { &open } else { &shut };
            assert!(may.contains(&rule.as_str()), "{asked}: {rule} refuses: {told:?}");
        }
        _ => {}
    }
    (reply.status, told)
}

/// A sum is explained by the rule that reads the field and by the one that writes it.
#[tokio::test]
async fn a_sum_is_told_of_the_rule_that_reads_too() {
    let app = TestApp::with_schema(
        r#"type Part @rules(read: "true", write: "auth != null") {
             owner: ID!
             n: Int! @rules(read: "owner == auth.id", write: "owner != ''")
             m: Int! @rules(read: "owner != ''", write: "owner == auth.id")
           }"#,
    )
    .await;
    let id = app.seed("parts", [json!({"owner": "anna", "n": 1, "m": 1})]).await.remove(0);
    let path = format!("/api/parts/{id}");
    for (field, rule) in [("n", "Part.n.read"), ("m", "Part.m.write")] {
        let sum = json!({field: {"add": 1}});
        let (status, told) = agree(&app, ("bob", "PATCH", &path, sum.clone())).await;
        assert_eq!(status, 403, "{told:?}");
        assert!(told.iter().any(|told| told.starts_with(&format!("{rule} Before False"))), "{told:?}");
        assert_eq!(agree(&app, ("anna", "PATCH", &path, sum)).await.0, 200);
    }
}

/// A page of groups that is asked wrongly is wrong, not refused.
#[tokio::test]
async fn groups_that_are_asked_wrongly_are_no_refusals() {
    let app = TestApp::with_schema(r#"type Part @rules(read: "true") { slug: String! n: Int }"#).await;
    for (query, status, code) in [("after=x", 404, "invalid_cursor"), ("filter=n>p.n&p.n=abc", 400, "invalid_argument")]
    {
        let address = format!("/api/parts?group=slug&select=count&{query}");
        let reply = app.admin().get(&address.replace('>', "%3E")).await;
        assert_eq!((reply.status, reply.code()), (status, code.to_owned()), "{}", reply.text);
        let refused = explain(&app, &("admin", "GET", &address, Value::Null)).await.expect_err("it is wrong");
        assert_eq!((refused.status, refused.code), (status, code), "{address}");
    }
}

/// A record inside of another one that may not be made is told, with the rule.
#[tokio::test]
async fn a_record_inside_that_may_not_be_made_is_told() {
    let app = TestApp::with_schema(
        r#"type Team @rules(read: "true", create: "auth != null") { slug: String! rows: [Row!]! @inverse(field: "team") }
           type Row @rules(read: "true") { n: Int! team: Team! }"#,
    )
    .await;
    let (status, told) = agree(&app, ("bob", "POST", "/api/teams", json!({"slug": "x", "rows": [{"n": 1}]}))).await;
    let rules = ["Team.create True [auth != null=True]", "/rows/0 Row.create False []"];
    assert_eq!((status, told), (403, rules.map(str::to_owned).to_vec()));
}

const ORGS: &str = r#"
type Org @define(name: "isAdmin", expr: "members.exists(m, m.user == auth.id && m.admin)") @rules(read: "true", update: "isAdmin") {
  founder: ID!
  members: [Member!]! @inverse(field: "org")
}
type Member
  @rules(
    read: "true"
    create: "org.isAdmin && (user != auth.id || (org.founder == auth.id && size(org.members) == 1))"
    update: "org.members.all(m, m.rank < 5)"
  )
{
  org: Org!
  user: ID!
  admin: Boolean!
  rank: Int! @default(value: 0)
}
"#;

/// A rule that looks from a link back at what is written sees the record itself; explained, it is asked in the write.
#[tokio::test]
async fn rules_that_look_back_see_what_is_written() {
    let app = TestApp::with_schema(ORGS).await;
    let org = app.seed("orgs", [json!({"founder": "anna"})]).await.remove(0);
    let member = |user: &str| json!({"org": org, "user": user, "admin": true});
    let (status, told) = agree(&app, ("mallory", "POST", "/api/members", member("mallory"))).await;
    assert_eq!(status, 403);
    assert!(told[0].contains("[org.isAdmin=PerRecord,"), "she has just become one: {told:?}");
    assert_eq!(agree(&app, ("anna", "POST", "/api/members", member("anna"))).await.0, 201);
    let members = app.get("/api/members").await.items();
    let path = format!("/api/members/{}", members[0]["id"].as_str().expect("an id"));
    for (rank, status) in [(7, 403), (4, 200)] {
        let (answered, told) = agree(&app, ("anna", "PATCH", &path, json!({"rank": rank}))).await;
        assert_eq!(answered, status, "{told:?}");
        assert!(told[0].starts_with("Member.update Before True"), "{told:?}");
    }
}

const TEAMS: &str = r#"
type Team @rules(read: "true", write: "true") { slug: String! open: Boolean! @default(value: false) }
type Task @rules(read: "true", create: "team.slug == 'a'", update: "team.open") { n: Int! @default(value: 0) team: Team! }
"#;

/// A rule of a batch sees what operations before it did.
#[tokio::test]
async fn rules_of_a_batch_see_what_came_before() {
    let app = TestApp::with_schema(TEAMS).await;
    let team = app.seed("teams", [json!({"slug": "a"})]).await.remove(0);
    let task = app.seed("tasks", [json!({"team": team})]).await.remove(0);
    let shut = json!({"ops": [{"op": "update", "in": "tasks", "id": task, "data": {"n": 1}}]});
    assert_eq!(agree(&app, ("bob", "POST", "/api/batch", shut)).await.0, 403);
    let ops = json!({"ops": [
        {"op": "update", "in": "teams", "id": team, "data": {"open": true}},
        {"op": "update", "in": "tasks", "id": task, "data": {"n": 1}},
    ]});
    assert_eq!(agree(&app, ("bob", "POST", "/api/batch", ops)).await.0, 200);
    let id = "11111111-2222-4333-8444-555555555555";
    let ops = json!({"ops": [
        {"op": "create", "in": "teams", "data": {"id": id, "slug": "a"}},
        {"op": "create", "in": "tasks", "data": {"team": id}},
        {"op": "delete", "in": "teams", "id": team},
    ]});
    let (status, told) = agree(&app, ("bob", "POST", "/api/batch", ops)).await;
    assert_eq!(status, 409, "{told:?}");
    assert!(!told.iter().any(|told| told.contains("False")), "{told:?}");
}

/// The rule that refused is told as false of the record that it refused, and not of the others.
#[tokio::test]
async fn a_refusal_is_told_of_its_own_record() {
    let app = TestApp::with_schema(TEAMS).await;
    let ops = json!({"ops": [
        {"op": "create", "in": "teams", "as": "a", "data": {"slug": "a"}},
        {"op": "create", "in": "tasks", "data": {"team": {"ref": "a"}}},
        {"op": "create", "in": "teams", "as": "b", "data": {"slug": "b"}},
        {"op": "create", "in": "tasks", "data": {"team": {"ref": "b"}}},
    ]});
    let (status, told) = agree(&app, ("bob", "POST", "/api/batch", ops)).await;
    assert_eq!(status, 403);
    let outcomes: Vec<_> = told.iter().filter(|told| told.contains("Task.create")).collect();
    assert!(outcomes[0].starts_with("/ops/1 Task.create PerRecord"), "{outcomes:?}");
    assert!(outcomes[1].starts_with("/ops/3 Task.create False"), "{outcomes:?}");
}

/// The rule of a link is asked once the record's own fields are written.
#[tokio::test]
async fn rules_of_links_see_the_fields_of_the_same_change() {
    let app = TestApp::with_schema(
        r#"type Person @rules(read: "true") @path(name: "people") { name: String! }
           type Team @rules(read: "true", update: "true") {
             open: Boolean!
             members: [Person!]! @many @rules(add: "open")
             few: [Person!]! @many @rules(add: "size(few) <= 2")
           }"#,
    )
    .await;
    let people = app.seed("people", [json!({"name": "a"}), json!({"name": "b"}), json!({"name": "c"})]).await;
    let team = app.seed("teams", [json!({"open": false})]).await.remove(0);
    let path = format!("/api/teams/{team}");
    let patch = |open: bool, at: usize| json!({"open": open, "members": {"add": [people[at]]}});
    assert_eq!(agree(&app, ("bob", "PATCH", &path, json!({"members": {"add": [people[0]]}}))).await.0, 403);
    assert_eq!(agree(&app, ("bob", "PATCH", &path, patch(true, 0))).await.0, 200);
    assert_eq!(agree(&app, ("bob", "PATCH", &path, patch(false, 1))).await.0, 403);
    // What counts its own links is asked with them, too.
    assert_eq!(agree(&app, ("bob", "PATCH", &path, json!({"few": {"add": people}}))).await.0, 403);
    assert_eq!(agree(&app, ("bob", "PATCH", &path, json!({"few": {"add": people[..2]}}))).await.0, 200);
    let swapped = json!({"few": {"remove": [people[0]], "add": [people[2]]}});
    assert_eq!(agree(&app, ("bob", "PATCH", &path, swapped)).await.0, 200);
    let (status, told) = agree(&app, ("bob", "PATCH", &path, json!({"few": {"add": [people[0]]}}))).await;
    assert_eq!(status, 403);
    assert_eq!(
        told[0], "/few/0 Team.few.add False [size(few) <= 2=PerRecord]",
        "it is asked behind the change: {told:?}"
    );
}

/// The version is one more in the record as it becomes.
#[tokio::test]
async fn the_version_counts_up_in_what_becomes() {
    let app = TestApp::with_schema(
        r#"type Part @rules(read: "true", update: "version < 3 && new.version > old.version") { n: Int! }"#,
    )
    .await;
    let id = app.seed("parts", [json!({"n": 1})]).await.remove(0);
    let path = format!("/api/parts/{id}");
    for status in [200, 403] {
        assert_eq!(agree(&app, ("bob", "PATCH", &path, json!({"n": 2}))).await.0, status);
    }
}

/// An upsert that finds its record is asked the rules of a change alone.
#[tokio::test]
async fn an_upsert_that_finds_its_record_is_a_change() {
    let app = TestApp::with_schema(
        r#"type Part @rules(read: "true", create: "'editor' in auth.roles", update: "owner == auth.id") @check(expr: "n > 0 || m != null", message: "one of them") {
             slug: String @unique
             owner: ID! @default(expr: "auth.id")
             n: Int! @default(value: 0)
             m: Int
           }
           type Open @path(name: "opens") @rules(read: "true", create: "owner == 'anna'", update: "true") { slug: String @unique owner: ID! @default(value: "bob") }"#,
    )
    .await;
    app.seed("parts", [json!({"slug": "x", "owner": "bob", "m": 1})]).await;
    app.seed("opens", [json!({"slug": "x"}), json!({"slug": "null"})]).await;
    let upsert = |slug: &str| json!({"slug": slug, "owner": "bob"});
    let new = json!({"slug": "y", "owner": "bob", "n": 1});
    let parts = "/api/parts?upsert=slug";
    assert_eq!(agree(&app, ("bob", "POST", parts, upsert("x"))).await.0, 200);
    let (status, told) = agree(&app, ("eva", "POST", parts, upsert("x"))).await;
    assert_eq!(status, 403, "{told:?}");
    let (status, told) = agree(&app, ("bob", "POST", parts, new)).await;
    assert_eq!((status, told.len()), (403, 1), "{told:?}");
    assert_eq!(agree(&app, ("bob", "POST", "/api/opens?upsert=slug", upsert("x"))).await.0, 200);
    // Null names no record.
    let (status, told) = agree(&app, ("bob", "POST", "/api/opens?upsert=slug", json!({"slug": null}))).await;
    assert_eq!((status, told), (422, vec!["Open.create False [owner == 'anna'=False]".to_owned()]));
}

/// A check that reads nothing of what changes is not asked, whatever is stored.
#[tokio::test]
async fn checks_that_a_change_leaves_alone_are_not_told() {
    let sdl = |check: &str| format!(r#"type Part @rules(read: "true", update: "true") {{ a: Int! {check} b: Int! }}"#);
    let app = TestApp::with_schema(&sdl("")).await;
    let id = app.seed("parts", [json!({"a": 1, "b": 1})]).await.remove(0);
    let text = sdl(r#"@check(expr: "a > 5", message: "more")"#);
    let schema = Schema::load(&[Source { name: "schema.graphql", text: &text }]).expect("a schema");
    let schema = Arc::new(schema);
    let path = format!("/api/parts/{id}");
    for (patch, status, checks) in [(json!({"b": 2}), 200, 0), (json!({"a": 2}), 422, 1)] {
        let call = ("bob", "PATCH", &*path, patch);
        let explained = explain_by(&app, schema.clone(), &call).await.expect("a call");
        let told = rules(&explained).iter().filter(|told| told.contains("@check")).count();
        assert_eq!((explained.status, told), (status, checks), "{call:?}");
    }
}

/// The refusal itself does not name a clause, in development, that the write made true.
#[tokio::test]
async fn in_development_clauses_that_look_back_are_not_told_as_false() {
    let app = Setup::new(ORGS).explained().start().await;
    let org = app.seed("orgs", [json!({"founder": "anna"})]).await.remove(0);
    let member = json!({"org": org, "user": "mallory", "admin": true});
    let reply = app.user("mallory").post("/api/members", member).await.json();
    let hint = reply["hint"].as_str().expect("a hint");
    assert!(hint.starts_with("Member.create: not all of these hold: `org.isAdmin`"), "{hint}");
}

/// What others write meanwhile is no reason to refuse: explained as it would be carried out, it is tried again.
#[tokio::test]
async fn beside_others_that_write_it_is_tried_again() {
    let app = Arc::new(TestApp::with_schema(r#"type Part @rules(read: "true", update: "true") { n: Int! }"#).await);
    let id = app.seed("parts", [json!({"n": 1})]).await.remove(0);
    let path = format!("/api/parts/{id}");
    let write = |_| {
        let (client, path) = (app.admin(), path.clone());
        tokio::spawn(async move {
            for _ in 0..40 {
                client.patch(&path, json!({"n": {"add": 1}})).await;
            }
        })
    };
    let writers: Vec<_> = (0..4).map(write).collect();
    for _ in 0..20 {
        let explained = explain(&app, &("bob", "PATCH", &path, json!({"n": {"add": 1}}))).await.expect("a call");
        assert_eq!(explained.status, 200, "{:?}", explained.explanation.refused);
    }
    for writer in writers {
        writer.await.expect("it ends");
    }
}

//! `GET /api/changes`: every committed change of every record, once and in order, for admins alone.
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use mainstay_test_db::{Engine, engine};
use mainstay_testing::{Client, Reply, Setup, TestApp, refused_schema};
use serde_json::{Value, json};

const WORK: &str = r#"
type Board @rules(read: "true", write: "true") {
  name: String! @unique
  notes: [Note!]! @inverse(field: "board")
}

type Note @rules(read: "owner == auth.id", write: "owner == auth.id") {
  owner: ID!
  text: String!
  secret: String @hidden
  stars: Int! @default(value: 0)
  board: Board @onDelete(do: CASCADE)
  twin: Note @onDelete(do: SET_NULL)
  tags: [Tag!]! @many
}

type Tag @rules(read: "true", write: "true") { name: String! @unique }

type Log @rules(read: "true", write: "true") @changes(off: true) { line: String! }

type Ping @rules(read: "true", write: "true") @changes(keep: "1h") { at: Int! }
"#;

/// The lines of the feed.
fn lines(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    reply.text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// Waits until readers may see all that is written: on a server they wait for the transactions that run beside, and ours are not
/// alone there.
async fn settled(app: &TestApp) {
    let last = match engine() {
        Engine::Sqlite => "SELECT coalesce(max(seq), 0) FROM mainstay_changes",
        Engine::Postgres => {
            "SELECT coalesce((SELECT xid::text || '.' || seq FROM mainstay_changes ORDER BY xid DESC, seq DESC LIMIT 1), '0')"
        }
    };
    let last = app.database().rows(last).remove(0).remove(0).expect("a position");
    while app.admin().get("/api/changes?after=end").await.header("mainstay-position") != last {
        tokio::task::yield_now().await;
    }
}

/// What the feed answers to a query, once it is settled.
pub(crate) async fn feed(app: &TestApp, query: &str) -> Reply {
    settled(app).await;
    app.admin().get(&format!("/api/changes{query}")).await
}

async fn all(app: &TestApp) -> Vec<Value> {
    lines(&feed(app, "?limit=10000").await)
}

/// The last changes: operation, collection and version of each.
async fn told(app: &TestApp, behind: &str) -> Vec<String> {
    let changes = lines(&feed(app, &format!("?after={behind}")).await);
    changes.iter().map(|of| format!("{} {} {}", text(of, "op"), text(of, "collection"), of["version"])).collect()
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
}

/// The position of the end.
async fn end(app: &TestApp) -> String {
    let reply = feed(app, "?after=end").await;
    assert_eq!((reply.status, reply.text.as_str()), (200, ""));
    reply.header("mainstay-position").to_owned()
}

fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since.as_micros()).expect("a moment")
}

async fn made(of: &Client, path: &str, body: Value) -> Value {
    let reply = of.post(path, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json()
}

#[tokio::test]
async fn only_admins_read_the_feed() {
    let app = TestApp::with_schema(WORK).await;
    app.seed("boards", [json!({"name": "a"})]).await;
    for query in ["", "?after=end", "?after=nonsense", "?collection=boards", "?wait=30"] {
        let reply = app.get(&format!("/api/changes{query}")).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "unauthenticated"), "{query}");
        let reply = app.user_with("anna", &["admin"], &[]).get(&format!("/api/changes{query}")).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "forbidden"), "{query}");
    }
    assert_eq!(app.bearer("x.y.z").get("/api/changes").await.status, 401);
    assert_eq!(app.admin().post("/api/changes", json!({})).await.status, 405);
}

#[tokio::test]
async fn what_is_not_understood_is_refused_by_name() {
    let app = Setup::new(WORK).limits(|limits| limits.changes_max = 7).start().await;
    app.seed("boards", [json!({"name": "a"})]).await;
    let admin = app.admin();
    for (query, wanted) in [
        ("after=", "400 invalid_argument: after: expected the position of a change, or end; found \"\""),
        ("after=-1", "400 invalid_argument: after: expected the position of a change, or end; found \"-1\""),
        ("limit=0", "400 invalid_argument: limit: expected a whole number from 1 to 7, found \"0\""),
        ("limit=8", "400 limit_exceeded: limit: at most 7 changes are answered at once"),
        ("wait=31", "400 limit_exceeded: wait: at most 30 seconds are waited"),
        ("wait=1.5", "400 invalid_argument: wait: expected whole seconds from 0 to 30, found \"1.5\""),
        ("collection=bords", "404 unknown_path: no collection \"bords\""),
        ("collection=logs", "400 invalid_argument: no changes of \"logs\" are kept"),
        ("sort=x", "400 unknown_parameter: no parameter \"sort\" here"),
        ("after=999", "410 changes_gone: the changes behind this position are kept no more"),
    ] {
        assert_eq!(admin.get(&format!("/api/changes?{query}")).await.problem(), wanted, "{query}");
    }
    assert_eq!(admin.header("if-match", "\"1\"").get("/api/changes").await.status, 400);
}

#[tokio::test]
async fn a_create_an_update_and_a_delete_each_leave_one_change() {
    let app = TestApp::with_schema(WORK).await;
    let anna = app.user("anna").header("x-request-id", "r-1");
    let note = made(&anna, "/api/notes", json!({"owner": "anna", "text": "a\"b\\é", "secret": "s", "stars": 1})).await;
    let id = text(&note, "id");
    let changed = anna.patch(&format!("/api/notes/{id}"), json!({"text": "{\"x\":1},", "stars": {"add": 4}})).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(anna.patch(&format!("/api/notes/{id}"), json!({})).await.status, 200);
    assert_eq!(anna.delete(&format!("/api/notes/{id}")).await.status, 204);
    let [create, update, delete] = all(&app).await.try_into().expect("three changes");
    for (change, op, version) in [(&create, "create", 1), (&update, "update", 2), (&delete, "delete", 2)] {
        assert_eq!((text(change, "op"), &change["version"]), (op, &json!(version)));
        assert_eq!((text(change, "collection"), text(change, "id")), ("notes", id));
        assert_eq!((text(change, "caller"), text(change, "request")), ("anna", "r-1"));
        assert!(text(change, "time").ends_with('Z') && !text(change, "position").is_empty());
    }
    let mut stored = note.clone();
    stored["secret"] = json!("s");
    assert_eq!((&create["before"], &create["after"]), (&Value::Null, &stored), "hidden fields are told");
    assert_eq!(update["before"], stored);
    let mut becomes = stored.clone();
    (becomes["text"], becomes["stars"], becomes["version"]) = (json!("{\"x\":1},"), json!(5), json!(2));
    becomes["updatedAt"] = update["after"]["updatedAt"].clone();
    assert_eq!(update["after"], becomes);
    assert_eq!((&delete["before"], &delete["after"]), (&becomes, &Value::Null));
}

/// A field of each type; `KEPT` stands where types are added that an engine keeps in another form than it is told.
const TYPES: &str = r#"
enum Color { RED GREEN }

type Other @rules(read: "true", write: "true") { id: Int! }

type Thing @rules(read: "true", write: "true") {
  string: String
  int: Int
  long: Long
  float: Float
  boolean: Boolean
  decimal: Decimal @decimal(precision: 12, scale: 3)
  date: Date
  time: Time
  dateTime: DateTime
  uuid: UUID
  bytes: Bytes
  color: Color
  other: Other
  KEPT
}
"#;

/// What a create answers without asking the database.
const PLAIN: &str = "id,string,int,long,boolean,decimal,date,time,dateTime,uuid,bytes,color,other,createdAt,version";

#[tokio::test]
async fn what_is_told_of_each_type_is_what_a_read_answers() {
    for kept in ["", "json: JSON list: [Float!]"] {
        let app = TestApp::with_schema(&TYPES.replace("KEPT", kept)).await;
        app.seed("others", [json!({"id": "7"}), json!({"id": "8"})]).await;
        let admin = app.admin();
        let mut records = vec![json!({})];
        for (float, text) in
            [(json!(0.1), "a"), (json!(-0.0), "é\"\\\u{1}\n"), (json!(1e300), ""), (json!(1e16), "x"), (json!(3), "y")]
        {
            let mut record = json!({
                "string": text, "int": -5, "long": "9007199254740993", "float": float, "boolean": true, "decimal": "-0.250",
                "date": "0001-02-03", "time": "23:59:59.999999",
                "dateTime": if text == "x" { "0000-02-29T01:02:03.5Z" } else { "2020-02-29T01:02:03.5Z" },
                "uuid": "A0000000-0000-4000-8000-00000000000B", "bytes": "AAEC/w==", "color": "GREEN", "other": "7",
            });
            if !kept.is_empty() {
                (record["json"], record["list"]) = (json!({"b": [1.0, null], "a": text}), json!([0.1, 1e300]));
            }
            records.push(record);
        }
        for (number, record) in records.iter().enumerate() {
            let from = end(&app).await;
            let id = text(&made(&admin, "/api/things", record.clone()).await, "id").to_owned();
            let first = admin.get(&format!("/api/things/{id}")).await.text;
            let answered = admin.post(&format!("/api/things?fields={PLAIN}"), record.clone()).await;
            assert_eq!(answered.text, admin.get(&format!("{}?fields={PLAIN}", answered.header("location"))).await.text);
            let next = &records[(number + 1) % records.len()];
            let all = ["string", "int", "float", "decimal", "date", "dateTime", "bytes", "color", "other", "uuid"];
            let patch: serde_json::Map<String, Value> =
                all.iter().map(|name| ((*name).to_owned(), next[*name].clone())).collect();
            assert_eq!(admin.patch(&format!("/api/things/{id}"), Value::Object(patch)).await.status, 200);
            let second = admin.get(&format!("/api/things/{id}")).await.text;
            let told = feed(&app, &format!("?after={from}")).await.text;
            let (create, update) = told.split_once('\n').expect("two changes");
            // Byte by byte.
            assert!(create.contains(&format!("\"before\":null,\"after\":{first}")), "{create}\n{first}");
            assert!(update.contains(&format!("\"before\":{first},\"after\":{second}")), "{update}\n{first}\n{second}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_or_changes_nothing_leaves_no_change() {
    let app = TestApp::with_schema(WORK).await;
    let [one] = app.seed("boards", [json!({"name": "a"})]).await.try_into().expect("one");
    let from = end(&app).await;
    let (anna, admin) = (app.user("anna"), app.admin());
    assert_eq!(anna.post("/api/boards", json!({"name": "a"})).await.status, 409);
    assert_eq!(anna.post("/api/boards", json!([{"name": "b"}, {"name": "a"}])).await.status, 409);
    assert_eq!(anna.post("/api/notes", json!({"owner": "ben", "text": "x"})).await.status, 403);
    assert_eq!(anna.patch(&format!("/api/boards/{one}"), json!({"name": null})).await.status, 422);
    let stale = anna.clone().header("if-match", "\"7\"");
    assert_eq!(stale.patch(&format!("/api/boards/{one}"), json!({"name": "c"})).await.status, 412);
    let batch = json!({"ops": [
        {"op": "create", "in": "boards", "data": {"name": "n"}},
        {"op": "create", "in": "boards", "data": {"name": "n"}},
    ]});
    assert_eq!(admin.post("/api/batch", batch).await.status, 409);
    assert_eq!(anna.patch(&format!("/api/boards/{one}"), json!({})).await.status, 200);
    assert_eq!(admin.post("/api/logs", json!({"line": "x"})).await.status, 201, "nothing is kept of logs");
    assert_eq!(told(&app, &from).await, Vec::<String>::new());
    assert_eq!(end(&app).await, from);
}

#[tokio::test]
async fn every_way_to_write_is_told() {
    let app = TestApp::with_schema(WORK).await;
    let admin = app.admin();
    let from = end(&app).await;
    let [board] = app.seed("boards", [json!({"name": "a"})]).await.try_into().expect("one");
    let tags = app.seed("tags", [json!({"name": "x"}), json!({"name": "y"})]).await;
    assert_eq!(told(&app, &from).await, ["create boards 1", "create tags 1", "create tags 1"]);
    // With links from the beginning, and nested.
    let from = end(&app).await;
    let note = made(&admin, "/api/notes", json!({"owner": "o", "text": "t", "board": board, "tags": [tags[1]]})).await;
    let id = text(&note, "id");
    let nested = json!({"name": "n", "notes": [{"owner": "o", "text": "inside"}]});
    made(&admin, "/api/boards", nested).await;
    assert_eq!(told(&app, &from).await, ["create notes 1", "create boards 1", "create notes 1"]);
    let first = lines(&feed(&app, &format!("?after={from}&limit=1")).await).remove(0);
    assert_eq!((&first["after"]["tags"], text(&first["after"], "board")), (&json!([tags[1]]), board.as_str()));
    // Links alone.
    let from = end(&app).await;
    let add = json!({"tags": {"add": [tags[0]], "remove": [tags[1]]}});
    assert_eq!(admin.patch(&format!("/api/notes/{id}"), add).await.status, 200);
    let [linked] = lines(&feed(&app, &format!("?after={from}")).await).try_into().expect("one");
    assert_eq!((text(&linked, "op"), &linked["version"]), ("update", &json!(2)));
    assert_eq!((&linked["before"]["tags"], &linked["after"]["tags"]), (&json!([tags[1]]), &json!([tags[0]])));
    assert_eq!(linked["before"]["version"], json!(1));
    // Upserts (the first changes nothing), batches, bulk.
    let from = end(&app).await;
    assert_eq!(admin.post("/api/boards?upsert=name", json!({"name": "a"})).await.status, 200);
    assert_eq!(admin.post("/api/boards?upsert=name", json!({"name": "u"})).await.status, 201);
    let batch = json!({"ops": [
        {"op": "create", "in": "tags", "as": "t", "data": {"name": "z"}},
        {"op": "update", "in": "notes", "id": id, "data": {"stars": 3}},
        {"op": "delete", "in": "tags", "id": tags[1]},
    ]});
    assert_eq!(admin.post("/api/batch", batch).await.status, 200);
    assert_eq!(admin.patch("/api/notes?filter=owner=='o'", json!({"stars": 9})).await.json()["changed"], 2);
    let wanted = ["create boards 1", "create tags 1", "update notes 3", "delete tags 1"];
    let bulk = ["update notes 4", "update notes 2"];
    assert_eq!(told(&app, &from).await, wanted.into_iter().chain(bulk).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_delete_takes_along_is_told_record_by_record() {
    let app = TestApp::with_schema(WORK).await;
    let admin = app.admin();
    let board = text(&made(&admin, "/api/boards", json!({"name": "b"})).await, "id").to_owned();
    let [tag] = app.seed("tags", [json!({"name": "x"})]).await.try_into().expect("one");
    let note = |more: Value| {
        let mut body = json!({"owner": "o", "text": "t"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let inside = made(&admin, "/api/notes", note(json!({"board": board}))).await;
    let outside = made(&admin, "/api/notes", note(json!({"twin": inside["id"], "tags": [tag]}))).await;
    let from = end(&app).await;
    assert_eq!(admin.delete(&format!("/api/boards/{board}")).await.status, 204);
    assert_eq!(told(&app, &from).await, ["update notes 2", "delete notes 1", "delete boards 1"]);
    let [cleared, gone, _] = lines(&feed(&app, &format!("?after={from}")).await).try_into().expect("three");
    assert_eq!((&cleared["id"], &gone["id"]), (&outside["id"], &inside["id"]));
    assert_eq!((&cleared["before"]["twin"], &cleared["after"]["twin"]), (&inside["id"], &Value::Null));
    assert_eq!(gone["before"]["board"], json!(board));
    // A record that others list.
    let from = end(&app).await;
    assert_eq!(admin.delete(&format!("/api/tags/{tag}")).await.status, 204);
    assert_eq!(told(&app, &from).await, ["update notes 3", "delete tags 1"]);
    let listed = lines(&feed(&app, &format!("?after={from}")).await).remove(0);
    assert_eq!((&listed["before"]["tags"], &listed["after"]["tags"]), (&json!([tag]), &json!([])));
}

#[tokio::test]
async fn pages_give_each_change_once_and_in_order() {
    let app = TestApp::with_schema(WORK).await;
    for number in 0..25 {
        made(&app.admin(), "/api/tags", json!({"name": format!("t{number}")})).await;
        made(&app.admin(), "/api/pings", json!({"at": number})).await;
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let from = after.map_or(String::new(), |after| format!("&after={after}"));
        let reply = feed(&app, &format!("?limit=7&collection=tags{from}")).await;
        let page = lines(&reply);
        assert!(page.len() <= 7);
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|change| text(&change["after"], "name").to_owned()));
        after = Some(reply.header("mainstay-position").to_owned());
    }
    assert_eq!(seen, (0..25).map(|number| format!("t{number}")).collect::<Vec<_>>());
    assert_eq!(all(&app).await.len(), 50);
}

#[tokio::test]
async fn bytes_bound_an_answer_too() {
    let app = Setup::new(WORK).limits(|limits| limits.changes_bytes_max = 10_000).start().await;
    for number in 0..10 {
        made(&app.admin(), "/api/tags", json!({"name": format!("{number}{}", "x".repeat(250))})).await;
    }
    let logs = (0..10).map(|_| json!({"owner": "o", "text": "y".repeat(6_000)}));
    app.seed("notes", logs).await;
    let reply = feed(&app, "?collection=notes").await;
    assert_eq!(lines(&reply).len(), 2, "two of them are past the limit");
    assert_eq!(all(&app).await.len(), 11, "the ten and one more");
}

#[tokio::test]
async fn who_waits_is_told_as_soon_as_something_comes() {
    let app = Arc::new(TestApp::with_schema(WORK).await);
    let from = end(&app).await;
    let waiting = {
        let (admin, from) = (app.admin(), from.clone());
        tokio::spawn(async move { admin.get(&format!("/api/changes?after={from}&wait=30")).await })
    };
    let other = {
        let (admin, from) = (app.admin(), from.clone());
        tokio::spawn(async move { admin.get(&format!("/api/changes?after={from}&wait=30&collection=tags")).await })
    };
    // What is not kept wakes nobody for good.
    made(&app.admin(), "/api/logs", json!({"line": "x"})).await;
    made(&app.admin(), "/api/boards", json!({"name": "b"})).await;
    assert_eq!(lines(&waiting.await.expect("an answer")).len(), 1);
    made(&app.admin(), "/api/tags", json!({"name": "t"})).await;
    let reply = other.await.expect("an answer");
    assert_eq!(lines(&reply).len(), 1);
    assert_eq!(reply.header("mainstay-position"), end(&app).await);
    // Nothing comes: an empty answer that says where to go on.
    let reply = app.admin().get("/api/changes?after=end&wait=1").await;
    assert_eq!((reply.status, reply.text.as_str()), (200, ""));
}

#[tokio::test]
async fn who_waits_is_answered_when_the_server_stops() {
    let mut app = TestApp::with_schema(WORK).await;
    let admin = app.admin();
    let waiting = tokio::spawn(async move { admin.get("/api/changes?after=end&wait=30").await });
    // The request runs once its connection is counted.
    while !app.get("/metrics").await.text.contains("mainstay_http_requests_in_flight 2") {
        tokio::task::yield_now().await;
    }
    app.begin_stop();
    assert_eq!(waiting.await.expect("an answer").status, 200);
    assert_eq!(app.stop().await, 0, "nobody had to be cut off");
}

#[tokio::test]
async fn what_is_too_old_or_too_much_goes_and_a_position_behind_it_is_refused() {
    let setup = Setup::new(WORK).store(|settings| settings.feed.keep_s = 86_400);
    let app = setup.start().await;
    let admin = app.admin();
    made(&admin, "/api/pings", json!({"at": 1})).await;
    made(&admin, "/api/tags", json!({"name": "a"})).await;
    let first = text(&all(&app).await[0], "position").to_owned();
    let second = end(&app).await;
    made(&admin, "/api/pings", json!({"at": 2})).await;
    made(&admin, "/api/tags", json!({"name": "b"})).await;
    let store = app.app().core().store().clone();
    let now = now_micros();
    let hours = |hours: i64| now + hours * 3_600_000_000;
    settled(&app).await;
    assert_eq!(store.trim_changes(now).expect("it trims"), 0);
    // Pings are kept for an hour.
    assert_eq!(store.trim_changes(hours(2)).expect("it trims"), 2);
    let gone = admin.get(&format!("/api/changes?after={first}")).await;
    assert_eq!((gone.status, gone.code().as_str()), (410, "changes_gone"));
    let tags = feed(&app, &format!("?after={first}&collection=tags")).await;
    assert_eq!(lines(&tags).len(), 2, "nothing is missing of tags");
    assert_eq!(admin.get(&format!("/api/changes?after={second}&collection=pings")).await.status, 410);
    settled(&app).await;
    // The rest goes after a day; the last one stays, so that numbers do not begin anew.
    assert_eq!(store.trim_changes(hours(30)).expect("it trims"), 1);
    made(&admin, "/api/tags", json!({"name": "c"})).await;
    let left = all(&app).await;
    assert_eq!(left.iter().map(|of| text(&of["after"], "name")).collect::<Vec<_>>(), ["b", "c"]);
}

#[tokio::test]
async fn the_oldest_go_past_the_size() {
    let app = Setup::new(WORK).store(|settings| settings.feed.size_max_mib = 1).start().await;
    for _ in 0..4 {
        let notes = (0..100).map(|_| json!({"owner": "o", "text": "y".repeat(6_000)}));
        app.seed("notes", notes).await;
    }
    settled(&app).await;
    let store = app.app().core().store().clone();
    let taken = store.trim_changes(now_micros()).expect("it trims");
    assert!((200..260).contains(&taken), "{taken} of 400 changes with 2.4 MB in all");
    assert_eq!(admin_count(&app).await, 400 - taken);
}

async fn admin_count(app: &TestApp) -> u64 {
    all(app).await.len() as u64
}

#[test]
fn what_changes_may_say() {
    let with = |arguments: &str| {
        refused_schema(&format!("type Note @rules(read: \"true\") @changes{arguments} {{ text: String! }}"))
    };
    for (arguments, wanted) in [
        ("", "@changes says nothing"),
        ("(keep: \"soon\")", "\"soon\" is no time to keep: expected a form like 7d, 12h, 90m or 30s"),
        ("(keep: \"0d\")", "\"0d\" keeps nothing"),
        ("(keep: \"7d\", off: true)", "what is not kept is not kept for a time"),
        ("(kepp: \"7d\")", "@changes has no argument named \"kepp\""),
        ("(off: 3)", "off"),
    ] {
        assert!(with(arguments).contains(wanted), "{arguments}: {}", with(arguments));
    }
    let path = refused_schema("type Change @rules(read: \"true\") { text: String! }");
    assert!(path.contains("\"/api/changes\" of type \"Change\" is taken by the server"), "{path}");
}

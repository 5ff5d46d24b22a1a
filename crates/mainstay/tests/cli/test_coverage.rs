//! `mainstay test`: which clauses writes count, and that none is counted that was not asked.
use serde_json::{Value, json};

use crate::support::Project;

/// What is told of the clauses that were not seen both ways by one test.
struct Seen(Value);

impl Seen {
    /// After the requests of one test; records to begin with stand in front of them.
    fn of(schema: &str, records: &str, requests: &str) -> Seen {
        let project = Project::with_schema(schema);
        let callers = "[callers]\nanna = {}\nbob = {}\neva = { roles = [\"editor\"] }\n";
        let test = format!("{callers}[records]\n{records}\n[[test]]\nname = \"one\"\n{requests}");
        project.write("tests/a.toml", &test);
        let (code, report) = project.json(&["test"]);
        assert_eq!(code, Some(0), "{report:#}");
        Seen(report["coverage"].clone())
    }

    /// What a clause never came to; the first of those that are called so.
    fn never(&self, clause: &str) -> Vec<bool> {
        let missing = self.0["missing"].as_array().unwrap().iter().find(|missing| missing["clause"] == clause);
        missing.map_or_else(Vec::new, |one| serde_json::from_value(one["never"].clone()).unwrap())
    }
}

const TRUE_ONLY: &[bool] = &[false];
const FALSE_ONLY: &[bool] = &[true];
const BOTH: &[bool] = &[];
const NEITHER: &[bool] = &[true, false];

/// A request that is answered with a status.
fn request(caller: &str, method: &str, path: &str, body: &Value, status: u16) -> String {
    format!("[[test.request]]\nas = \"{caller}\"\n{method} = \"{path}\"\nbody = '''{body}'''\nstatus = {status}\n")
}

const TASKS: &str = r#"type Team @rules(read: "true") { id: String! lead: ID! }
type Task @rules(
  read: "true"
  update: "old.state == 'open' && new.rank > old.rank && (old.team == new.team || new.team.lead == auth.id)"
) { id: String! state: String! rank: Int! team: Team! }
"#;
const TASK: &str = "teams = [{ id = \"t\", lead = \"bob\" }, { id = \"u\", lead = \"anna\" }]\n\
    tasks = [{ id = \"a\", state = \"open\", rank = 1, team = \"t\" }]\n";

/// A change is put upon the record once: what it has become is not what it was.
#[test]
fn clauses_over_old_and_new_are_asked_of_the_change_that_was_sent() {
    let patch =
        |body: Value, status: u16| Seen::of(TASKS, TASK, &request("anna", "patch", "/api/tasks/a", &body, status));
    for body in [json!({"state": "done", "rank": 2}), json!({"rank": {"add": 1}})] {
        let seen = patch(body, 200);
        let clauses = ["old.state == 'open'", "new.rank > old.rank", "old.team == new.team"];
        assert_eq!(clauses.map(|clause| seen.never(clause)), [TRUE_ONLY; 3], "{:#}", seen.0);
    }
    let refused = patch(json!({"state": "done", "rank": 1}), 403);
    assert_eq!(refused.never("new.rank > old.rank"), FALSE_ONLY, "{:#}", refused.0);
    assert_eq!(refused.never("old.state == 'open'"), TRUE_ONLY, "as if it had been done: {:#}", refused.0);
    let moved = patch(json!({"rank": 2, "team": "u"}), 200);
    assert_eq!(moved.never("old.team == new.team"), FALSE_ONLY, "{:#}", moved.0);
    assert_eq!(moved.never("new.team.lead == auth.id"), TRUE_ONLY, "{:#}", moved.0);
}

/// The version counts up with the change, as its rule reads it.
#[test]
fn a_clause_over_the_version_is_asked_of_the_one_that_comes() {
    let schema = "type A @rules(read: \"true\", update: \"new.version > old.version\") { id: String! name: String! }";
    let rename = request("anna", "patch", "/api/as/a", &json!({"name": "b"}), 200);
    let seen = Seen::of(schema, "as = [{ id = \"a\", name = \"a\" }]\n", &rename);
    assert_eq!(seen.never("new.version > old.version"), TRUE_ONLY, "{:#}", seen.0);
}

const TEAMS: &str = r#"type Person @path(name: "people") @rules(read: "true") { id: String! name: String! @unique open: Boolean! }
type Team @rules(read: "true", create: "true", update: "owner == auth.id") {
  id: String!
  slug: String @unique
  owner: ID!
  members: [Person!]! @many @rules(add: "item.open || item.id == auth.id", remove: "item.id != 'last'")
}
"#;
const MEMBERS: &str = "people = [{ id = \"anna\", name = \"n\", open = false }, { id = \"carl\", name = \"c\", open = true }, { id = \"last\", name = \"l\", open = true }]\n\
    teams = [{ id = \"t\", slug = \"s\", owner = \"bob\", members = [\"carl\"] }]\n";

fn of_teams(requests: &str) -> Seen {
    Seen::of(TEAMS, MEMBERS, requests)
}

/// A list of links that has rules of its own stands in for the update rule.
#[test]
fn a_rule_that_links_stand_in_for_is_not_counted() {
    let seen = of_teams(&request("anna", "patch", "/api/teams/t", &json!({"members": {"add": ["anna"]}}), 200));
    assert_eq!(seen.never("owner == auth.id"), NEITHER, "{:#}", seen.0);
    let both = json!({"owner": "anna", "members": {"add": ["anna"]}});
    let seen = of_teams(&request("bob", "patch", "/api/teams/t", &both, 403));
    assert_eq!(seen.never("owner == auth.id"), BOTH, "before, and as it would become: {:#}", seen.0);
}

/// The rules of links are counted however a list is sent, of what comes and of what goes.
#[test]
fn rules_of_links_are_counted_however_they_are_sent() {
    let (open, own, last) = ("item.open", "item.id == auth.id", "item.id != 'last'");
    let check = |what: &str, seen: Seen, wanted: [&[bool]; 3]| {
        assert_eq!([open, own, last].map(|clause| seen.never(clause)), wanted, "{what}: {:#}", seen.0);
    };
    let patch = |members: Value| of_teams(&request("anna", "patch", "/api/teams/t", &json!({"members": members}), 200));
    check("by a unique", patch(json!({"add": [{"by": {"name": "n"}}]})), [FALSE_ONLY, TRUE_ONLY, NEITHER]);
    check("there already", patch(json!({"add": ["carl"]})), [NEITHER; 3]);
    check("not there", patch(json!({"remove": ["last"]})), [NEITHER; 3]);
    let whole = |list: Value| request("anna", "patch", "/api/teams/t", &json!({"members": list}), 200);
    check("what stays", of_teams(&whole(json!(["carl", "anna"]))), [FALSE_ONLY, TRUE_ONLY, NEITHER]);
    check("what goes", of_teams(&whole(json!(["anna"]))), [FALSE_ONLY, TRUE_ONLY, TRUE_ONLY]);
    let new = |member: Value| json!({"id": "n", "slug": "n", "owner": "bob", "members": [member]});
    let post = |path: &str, body: &Value, status: u16| of_teams(&request("anna", "post", path, body, status));
    check("a create", post("/api/teams", &new(json!("anna")), 201), [FALSE_ONLY, TRUE_ONLY, NEITHER]);
    check(
        "refused",
        of_teams(&request("bob", "post", "/api/teams", &new(json!("anna")), 403)),
        [FALSE_ONLY, FALSE_ONLY, NEITHER],
    );
    let by = new(json!({"by": {"name": "n"}}));
    check("a create by a unique", post("/api/teams", &by, 201), [FALSE_ONLY, TRUE_ONLY, NEITHER]);
    let ops = json!({"ops": [{"op": "create", "in": "teams", "data": new(json!("anna"))}]});
    check("a batch", post("/api/batch", &ops, 200), [FALSE_ONLY, TRUE_ONLY, NEITHER]);
    let found = json!({"slug": "s", "members": {"add": ["anna"]}});
    let ops =
        json!({"ops": [{"op": "update", "in": "teams", "by": {"slug": "s"}, "data": {"members": {"add": ["anna"]}}}]});
    check("a batch that changes", post("/api/batch", &ops, 200), [FALSE_ONLY, TRUE_ONLY, NEITHER]);
    let all = "/api/teams?filter=slug == 's'";
    let each = request("anna", "patch", all, &json!({"members": found["members"]}), 200);
    check("all that match", of_teams(&each), [FALSE_ONLY, TRUE_ONLY, NEITHER]);
    let upsert = json!({"slug": "s", "members": ["carl", "anna"]});
    check("an upsert", post("/api/teams?upsert=slug", &upsert, 200), [FALSE_ONLY, TRUE_ONLY, NEITHER]);
}

const NOTES: &str = r#"type Note @rules(read: "true", create: "'editor' in auth.roles", update: "author == auth.id", delete: "text != 'kept'") {
  id: String!
  code: Int! @unique
  author: ID!
  text: String!
}
"#;
const TWO_NOTES: &str = "notes = [{ id = \"a\", code = 1, author = \"anna\", text = \"x\" }, { id = \"b/c d\", code = 2, author = \"bob\", text = \"kept\" }]\n";

/// A change or delete of all that match asks its rule of those that match, and of no others.
#[test]
fn changes_of_all_that_match_count_what_matches() {
    let all = "/api/notes?filter=author == 'anna'";
    let seen = Seen::of(NOTES, TWO_NOTES, &format!("[[test.request]]\nas = \"anna\"\ndelete = \"{all}\"\n"));
    assert_eq!(seen.never("text != 'kept'"), TRUE_ONLY, "{:#}", seen.0);
    let patch = |body: Value, status: u16| Seen::of(NOTES, TWO_NOTES, &request("anna", "patch", all, &body, status));
    let seen = patch(json!({"text": "y"}), 200);
    assert_eq!(seen.never("author == auth.id"), TRUE_ONLY, "{:#}", seen.0);
    let seen = patch(json!({"author": "bob"}), 403);
    assert_eq!(seen.never("author == auth.id"), BOTH, "as it would become: {:#}", seen.0);
    let seen =
        Seen::of(TASKS, TASK, &request("anna", "patch", "/api/tasks?filter=id == 'a'", &json!({"rank": 2}), 200));
    assert_eq!(seen.never("new.rank > old.rank"), TRUE_ONLY, "{:#}", seen.0);
}

/// An upsert that finds its record is a change: the rule of a create is not asked, that of a change of both states.
#[test]
fn an_upsert_counts_the_rules_that_it_asks() {
    let upsert = |caller: &str, body: Value, status: u16| {
        Seen::of(NOTES, TWO_NOTES, &request(caller, "post", "/api/notes?upsert=code", &body, status))
    };
    let (create, update) = ("'editor' in auth.roles", "author == auth.id");
    let seen = upsert("anna", json!({"code": 1, "author": "anna", "text": "y"}), 200);
    assert_eq!((seen.never(create), seen.never(update)), (NEITHER.to_vec(), TRUE_ONLY.to_vec()), "{:#}", seen.0);
    let seen = upsert("anna", json!({"code": 1, "author": "bob", "text": "y"}), 403);
    assert_eq!((seen.never(create), seen.never(update)), (NEITHER.to_vec(), BOTH.to_vec()), "{:#}", seen.0);
    let seen = upsert("anna", json!({"id": "n", "code": 3, "author": "bob", "text": "y"}), 403);
    assert_eq!((seen.never(create), seen.never(update)), (FALSE_ONLY.to_vec(), NEITHER.to_vec()), "{:#}", seen.0);
    let seen = upsert("eva", json!({"id": "n", "code": 3, "author": "bob", "text": "y"}), 201);
    assert_eq!((seen.never(create), seen.never(update)), (TRUE_ONLY.to_vec(), NEITHER.to_vec()), "{:#}", seen.0);
}

/// An operation of a batch names its record by whatever is its key or its unique.
#[test]
fn operations_of_a_batch_are_counted_however_they_name_their_record() {
    let ops = |caller: &str, op: Value, status: u16| {
        Seen::of(NOTES, TWO_NOTES, &request(caller, "post", "/api/batch", &json!({"ops": [op]}), status))
    };
    let data = json!({"text": "y"});
    let seen = ops("anna", json!({"op": "update", "in": "notes", "by": {"code": 1}, "data": data}), 200);
    assert_eq!(seen.never("author == auth.id"), TRUE_ONLY, "{:#}", seen.0);
    let seen = ops("bob", json!({"op": "update", "in": "notes", "id": "b/c d", "data": data}), 200);
    assert_eq!(seen.never("author == auth.id"), TRUE_ONLY, "{:#}", seen.0);
    let seen = ops("bob", json!({"op": "delete", "in": "notes", "id": "b/c d"}), 403);
    assert_eq!(seen.never("text != 'kept'"), FALSE_ONLY, "{:#}", seen.0);
    let seats = "type Seat @rules(read: \"true\", update: \"owner == auth.id\") { id: Int! owner: ID! row: Int! }";
    let op = json!({"ops": [{"op": "update", "in": "seats", "id": 5, "data": {"row": 2}}]});
    let seen = Seen::of(
        seats,
        "seats = [{ id = 5, owner = \"anna\", row = 1 }]\n",
        &request("anna", "post", "/api/batch", &op, 200),
    );
    assert_eq!(seen.never("owner == auth.id"), TRUE_ONLY, "{:#}", seen.0);
}

/// What earlier operations of a batch make may be named by later ones.
#[test]
fn operations_of_a_batch_are_counted_over_what_earlier_ones_made() {
    let schema = r#"type Team @rules(read: "true", create: "true") { id: String! lead: ID! }
type Task @rules(read: "true", create: "team.lead == auth.id", update: "team.lead != ''") {
  id: String! team: Team! text: String @rules(write: "size(text) < 3")
}"#;
    let ops = json!({"ops": [
        {"op": "create", "in": "teams", "as": "t", "data": {"id": "t", "lead": "anna"}},
        {"op": "create", "in": "tasks", "as": "k", "data": {"id": "k", "team": {"ref": "t"}, "text": "ab"}},
        {"op": "update", "in": "tasks", "id": {"ref": "k"}, "data": {"text": "a"}},
    ]});
    let seen = Seen::of(schema, "", &request("anna", "post", "/api/batch", &ops, 200));
    let clauses = ["team.lead == auth.id", "size(text) < 3"];
    assert_eq!(clauses.map(|clause| seen.never(clause)), [TRUE_ONLY; 2], "{:#}", seen.0);
}

/// What an earlier operation of a batch changes is not what a later one finds.
#[test]
fn operations_of_a_batch_are_not_counted_over_what_an_earlier_one_changes() {
    let schema = r#"type Team @rules(read: "true", update: "true") { id: String! open: Boolean! }
type Task @rules(read: "true", update: "team.open && state != 'done'") { id: String! team: Team! state: String! }"#;
    let records = "teams = [{ id = \"t\", open = false }]\ntasks = [{ id = \"a\", team = \"t\", state = \"x\" }]\n";
    let update = |of: &str, id: &str, data: Value| json!({"op": "update", "in": of, "id": id, "data": data});
    let opened = update("teams", "t", json!({"open": true}));
    let batch = |ops: Value, status: u16| {
        Seen::of(schema, records, &request("anna", "post", "/api/batch", &json!({"ops": ops}), status))
    };
    let clauses = ["team.open", "state != 'done'"];
    let seen = batch(json!([opened, update("tasks", "a", json!({"state": "y"}))]), 200);
    assert_eq!(clauses.map(|clause| seen.never(clause)), [TRUE_ONLY; 2], "{:#}", seen.0);
    let seen = batch(json!([update("tasks", "a", json!({"state": "done"})), opened]), 403);
    assert_eq!(seen.never("team.open"), BOTH, "it was shut before, and is open behind: {:#}", seen.0);
}

/// What the links of the old and of the new record lead to may be compared.
#[test]
fn what_links_led_to_and_lead_to_is_compared() {
    let schema = r#"type Team @rules(read: "true") { id: String! org: String! }
type Task @rules(read: "true", update: "old.team.org == new.team.org") { id: String! team: Team! }"#;
    let records = "teams = [{ id = \"t\", org = \"a\" }, { id = \"u\", org = \"a\" }, { id = \"v\", org = \"b\" }]\n\
        tasks = [{ id = \"a\", team = \"t\" }]\n";
    for (team, status, wanted) in [("u", 200, TRUE_ONLY), ("v", 403, FALSE_ONLY)] {
        let seen = Seen::of(schema, records, &request("anna", "patch", "/api/tasks/a", &json!({"team": team}), status));
        assert_eq!(seen.never("old.team.org == new.team.org"), wanted, "{:#}", seen.0);
    }
}

/// Rules of links are asked of the record with its own fields as the same change makes them.
#[test]
fn rules_of_links_are_asked_of_the_fields_as_they_become() {
    let schema = r#"type Person @path(name: "people") @rules(read: "true") { id: String! }
type Team @rules(read: "true", update: "true") {
  id: String!
  open: Boolean!
  members: [Person!]! @many @rules(add: "open && size(members) < 2")
}"#;
    for (before, status, wanted) in [(false, 200, TRUE_ONLY), (true, 403, FALSE_ONLY)] {
        let records = format!("people = [{{ id = \"x\" }}]\nteams = [{{ id = \"t\", open = {before} }}]\n");
        let body = json!({"open": !before, "members": {"add": ["x"]}});
        let seen = Seen::of(schema, &records, &request("anna", "patch", "/api/teams/t", &body, status));
        assert_eq!(seen.never("open"), wanted, "{:#}", seen.0);
        assert_eq!(seen.never("size(members) < 2"), TRUE_ONLY, "{:#}", seen.0);
    }
}

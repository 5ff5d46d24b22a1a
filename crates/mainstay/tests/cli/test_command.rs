//! `mainstay test`
use serde_json::json;

use crate::support::Project;

const SCHEMA: &str = r#"type Note @rules(read: "author == auth.id || (shared && 'mentor' in auth.roles)", write: "author == auth.id") {
  author: ID! @set(create: "auth.id")
  text: String! @check(expr: "size(text) <= 200", message: "at most 200 characters")
  shared: Boolean! @default(value: false)
}
"#;

fn with_tests(tests: &str) -> Project {
    let project = Project::with_schema(SCHEMA);
    project.write("tests/notes.toml", tests);
    project
}

#[test]
fn what_is_not_as_expected_fails_with_the_difference_and_the_clause() {
    let project = with_tests(
        r#"
[callers]
anna = {}
bob = {}
[records]
notes = [{ author = "anna", text = "a" }]
[[test]]
name = "bob reads"
[[test.request]]
as = "anna"
get = "/api/notes"
keep = "page"
[[test.request]]
as = "bob"
get = "/api/notes/{page.items.0.id}"
answer = { text = "a" }
[[test]]
name = "anna reads"
[[test.request]]
as = "anna"
get = "/api/notes"
answer = { items = [{ text = "b" }] }
absent = ["items.0.author"]
count = 2
"#,
    );
    let ran = project.run(&["test"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for line in [
        "  FAIL bob reads\n",
        "(tests/notes.toml:13)",
        "status: expected success, got 404 not_found",
        "author == auth.id   (author is \"anna\", auth.id is \"bob\")",
        "answer.items.0.text: expected \"b\", got \"a\"",
        "items.0.author: expected to be absent, got \"anna\"",
        "count: expected 2, got 1",
        "2 tests, 3 requests, 2 failed",
        "% of 4 clauses",
    ] {
        assert!(ran.stdout.contains(line), "{line}:\n{}", ran.stdout);
    }
}

#[test]
fn a_wrong_file_is_refused_with_its_line() {
    for (tests, said) in [
        ("[[test]]\nname = \"a\"\n[[test.request]]\nas = \"anonymous\"\ngot = \"/\"\n", "tests/notes.toml:5:1"),
        (
            "[[test]]\nname = \"a\"\n[[test.request]]\nas = \"ana\"\nget = \"/\"\n",
            "tests/notes.toml:3: the caller \"ana\"",
        ),
        ("[[test]\n", "tests/notes.toml:1"),
        (
            "seed = [\"seed/no.json\"]\n[[test]]\nname = \"a\"\n[[test.request]]\nas = \"admin\"\nget = \"/\"\n",
            "no seed file",
        ),
        (
            "[records]\nnotes = [{ author = \"a\", texts = \"b\" }]\n[[test]]\nname = \"a\"\n[[test.request]]\nas = \"admin\"\nget = \"/\"\n",
            "texts",
        ),
        ("", "there is no test"),
    ] {
        let ran = with_tests(tests).run(&["test"]);
        assert_eq!(ran.code, Some(1), "{tests}: {ran:?}");
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
}

#[test]
fn a_value_that_no_answer_has_fails_the_test() {
    let project =
        with_tests("[[test]]\nname = \"a\"\n[[test.request]]\nas = \"admin\"\nget = \"/api/notes/{note.id}\"\n");
    let (code, report) = project.json(&["test"]);
    assert_eq!(code, Some(1));
    let differences = &report["tests"][0]["failure"]["differences"];
    assert_eq!(differences, &json!(["no earlier answer is kept as \"note\""]));
}

#[test]
fn the_time_stands_still() {
    let project = with_tests(
        r#"
time = 2026-01-31T12:00:00Z
[callers]
anna = {}
[[test]]
name = "times"
[[test.request]]
as = "anna"
post = "/api/notes"
body = { text = "a" }
answer = { createdAt = 2026-01-31T12:00:00Z }
keep = "note"
[[test.request]]
as = "anna"
time = 2027-01-31T12:00:00Z
patch = "/api/notes/{note.id}"
body = { text = "b" }
answer = { createdAt = "{note.createdAt}", updatedAt = 2027-01-31T12:00:00Z }
"#,
    );
    let (code, report) = project.json(&["test"]);
    assert_eq!(code, Some(0), "{report:#}");
}

#[test]
fn clauses_that_no_test_reaches_are_named_with_their_place() {
    let project = with_tests(
        "[callers]\nanna = {}\n[[test]]\nname = \"one\"\n[[test.request]]\nas = \"anna\"\npost = \"/api/notes\"\nbody = { text = \"a\" }\n\
         [[test]]\nname = \"two\"\n[[test.request]]\nas = \"admin\"\nget = \"/api/notes\"\n",
    );
    let (code, report) = project.json(&["test", "--clauses", "50"]);
    assert_eq!(code, Some(1), "too few clauses: {report:#}");
    assert_eq!(report["coverage"]["clauses"], 4);
    assert_eq!(report["coverage"]["percent"], 12.5, "an admin asks no rule: {report:#}");
    let missing = &report["coverage"]["missing"];
    let write = missing.as_array().unwrap().iter().find(|missing| missing["rule"] == "Note.write").unwrap();
    assert_eq!(
        write,
        &json!({"rule": "Note.write", "clause": "author == auth.id", "file": "schema.graphql", "line": 1, "never": [false]})
    );
    let (code, report) = project.json(&["test", "two"]);
    assert_eq!((code, report["tests"].as_array().map(Vec::len)), (Some(0), Some(1)), "a part of the tests: {report:#}");
    assert!(report.get("coverage").is_none());
    let (code, none) = project.json(&["test", "three"]);
    assert_eq!((code, &none["error"]["code"]), (Some(1), &json!("no_tests")));
}

#[test]
fn a_refused_write_is_taken_apart_over_what_it_would_have_made() {
    let project = Project::with_schema(
        r#"type Team @rules(read: "true", write: "lead == auth.id") { lead: ID!  members: [Member!]! @inverse(field: "team") }
type Member @rules(read: "true", create: "team.lead == auth.id && name != auth.id") { team: Team! name: ID! }"#,
    );
    project.write(
        "tests/a.toml",
        r#"
[callers]
anna = {}
bob = {}
[records]
teams = [{ id = "0193a000-0000-7000-8000-000000000001", lead = "anna" }]
[[test]]
name = "only the lead lets in"
[[test.request]]
as = "bob"
post = "/api/members"
body = { team = "0193a000-0000-7000-8000-000000000001", name = "carl" }
rule = "Member.create"
[[test.request]]
as = "anna"
get = "/api/members"
count = 0
"#,
    );
    let (code, report) = project.json(&["test"]);
    assert_eq!(code, Some(0), "what is looked at leaves no trace: {report:#}");
    let missing = report["coverage"]["missing"].as_array().unwrap();
    let never =
        |clause: &str| missing.iter().find(|missing| missing["clause"] == clause).map(|one| one["never"].clone());
    assert_eq!(never("team.lead == auth.id"), Some(json!([true])), "{report:#}");
    assert_eq!(never("name != auth.id"), Some(json!([false])), "{report:#}");
}

/// The rules of links count with those of types, of each record that is sent.
#[test]
fn clauses_of_links_are_counted() {
    let project = Project::with_schema(
        r#"type Person @path(name: "people") @rules(read: "true") { id: String! open: Boolean! }
type Team @rules(read: "true") {
  id: String!
  members: [Person!]! @many @rules(add: "item.open || item.id == auth.id", remove: "item.id == auth.id")
}
"#,
    );
    project.write(
        "tests/teams.toml",
        r#"
[callers]
anna = {}
[records]
people = [{ id = "anna", open = false }, { id = "bob", open = true }, { id = "shut", open = false }]
teams = [{ id = "t" }]
[[test]]
name = "who joins"
[[test.request]]
as = "anna"
patch = "/api/teams/t"
body = { members = { add = ["bob", "anna"] } }
[[test.request]]
as = "anna"
patch = "/api/teams/t"
body = { members = { add = ["shut"] } }
status = 403
[[test.request]]
as = "anna"
patch = "/api/teams/t"
body = { members = { remove = ["anna"] } }
"#,
    );
    let ran = project.run(&["test"]);
    for line in ["none failed", "of 3 clauses", "Team.members.remove"] {
        assert!(ran.stdout.contains(line), "{line}: {ran:?}");
    }
    assert!(!ran.stdout.contains("Team.members.add"), "{ran:?}");
}

#[test]
fn clauses_are_told_as_they_are_written() {
    let project = Project::with_schema(
        r#"type Person @path(name: "people") @rules(read: "(id == auth.id || 'a)' == id) && (open || (id != 'x' && !open))") {
  id: String!
  open: Boolean!
}
type Card @rules(read: "can(person, 'read')") { id: String! person: Person! }
"#,
    );
    let text =
        "[callers]\nanna = {}\n[[test]]\nname = \"none\"\n[[test.request]]\nas = \"anna\"\nget = \"/api/cards\"\n";
    project.write("tests/cards.toml", text);
    let ran = project.run(&["test"]);
    for line in ["Person.read `id == auth.id`", "Card.read `can(person, 'read'), part 1 of 5`"] {
        assert!(ran.stdout.contains(line), "{line}: {ran:?}");
    }
    assert!(!ran.stdout.contains('#'), "{ran:?}");
    project.ok(&["apply", "--yes"]);
    let explained = project.ok(&["explain", "--as", "anna", "GET", "/api/people"]);
    for clause in ["(id == auth.id || 'a)' == id)", "open || (id != 'x' && !open)"] {
        assert!(explained.contains(clause), "{clause}: {explained}");
    }
    let explained = project.ok(&["explain", "--as", "anna", "GET", "/api/cards"]);
    assert!(explained.contains("per record   can(person, 'read')   (auth.id is"), "{explained}");
}

//! `mainstay test`: the clauses of the rules of fields.
use serde_json::json;

use crate::support::Project;

/// A note whose `text` may be read by its author and sent by editors, and how often that was seen.
const FIELDS: &str = r#"type Folder @rules(read: "true", create: "true") { id: String! name: String @unique owner: ID! notes: [Note!]! @inverse(field: "folder") }
type Note @rules(read: "true", create: "true", update: "true") {
  id: String!
  folder: Folder
  author: ID!
  code: String @unique
  text: String @rules(
    read: "auth != null && auth.id == author"
    write: "'editor' in auth.roles || folder.owner == auth.id"
  )
}
"#;

fn of_fields(requests: &str) -> serde_json::Value {
    let project = Project::with_schema(FIELDS);
    let records = "folders = [{ id = \"f\", name = \"f\", owner = \"anna\" }]\nnotes = [{ id = \"n\", author = \"anna\", code = \"c\", text = \"a\" }]\n";
    let head = "[callers]\nanna = {}\nbob = {}\neva = { roles = [\"editor\"] }\n[records]\n";
    project.write("tests/a.toml", &format!("{head}{records}[[test]]\nname = \"one\"\n{requests}"));
    let (code, report) = project.json(&["test"]);
    assert_eq!(code, Some(0), "{report:#}");
    report["coverage"].clone()
}

fn never(coverage: &serde_json::Value, clause: &str) -> Option<serde_json::Value> {
    let missing = coverage["missing"].as_array().unwrap();
    missing.iter().find(|missing| missing["clause"] == clause).map(|one| one["never"].clone())
}

/// The rules of fields count with those of types: `read` where the field is read, `write` where it is sent.
#[test]
fn clauses_of_fields_are_counted() {
    let anna = "[[test.request]]\nas = \"anna\"\nget = \"/api/notes/n\"\nanswer = { text = \"a\" }\n";
    let coverage = of_fields(anna);
    assert_eq!(coverage["clauses"], 4, "{coverage:#}");
    assert_eq!(never(&coverage, "auth.id == author"), Some(json!([false])), "{coverage:#}");
    assert_eq!(never(&coverage, "folder.owner == auth.id"), Some(json!([true, false])), "{coverage:#}");
    let of = |rule: &str| coverage["missing"].as_array().unwrap().iter().any(|missing| missing["rule"] == rule);
    assert!(of("Note.text.read") && of("Note.text.write"), "{coverage:#}");
    let unnamed = of_fields("[[test.request]]\nas = \"anna\"\nget = \"/api/notes?fields=id\"\n");
    assert_eq!(never(&unnamed, "auth.id == author"), Some(json!([true, false])), "it was not read: {unnamed:#}");
    let others =
        ["bob", "anonymous"].map(|caller| format!("[[test.request]]\nas = \"{caller}\"\nget = \"/api/notes\"\n"));
    let coverage = of_fields(&format!("{anna}{}", others.concat()));
    assert_eq!(never(&coverage, "auth.id == author"), None, "{coverage:#}");
    assert_eq!(never(&coverage, "auth != null"), None, "{coverage:#}");
}

/// Of a create the new record is asked, of a change the record before and after it; what is not sent is not asked.
#[test]
fn clauses_of_fields_that_are_sent_are_counted() {
    let post = |caller: &str, body: &str, status: u16| {
        format!("[[test.request]]\nas = \"{caller}\"\npost = \"/api/notes\"\nbody = {body}\nstatus = {status}\n")
    };
    let (owner, role) = ("folder.owner == auth.id", "'editor' in auth.roles");
    let silent = of_fields(&post("bob", "{ id = \"m\", author = \"bob\" }", 201));
    assert_eq!(never(&silent, owner), Some(json!([true, false])), "{silent:#}");
    let made = of_fields(&post("anna", "{ id = \"m\", author = \"anna\", text = \"b\", folder = \"f\" }", 201));
    assert_eq!((never(&made, owner), never(&made, role)), (Some(json!([false])), Some(json!([true]))), "{made:#}");
    let refused = of_fields(&post("bob", "{ id = \"m\", author = \"bob\", text = \"b\", folder = \"f\" }", 403));
    assert_eq!(never(&refused, owner), Some(json!([true])), "{refused:#}");
    let patch = |caller: &str, path: &str, body: &str, status: u16| {
        format!("[[test.request]]\nas = \"{caller}\"\npatch = \"/api/notes{path}\"\nbody = {body}\nstatus = {status}\n")
    };
    let moved = of_fields(&patch("eva", "/n", "{ text = \"b\", folder = \"f\" }", 200));
    assert_eq!((never(&moved, owner), never(&moved, role)), (Some(json!([true])), Some(json!([false]))), "{moved:#}");
    let beside = of_fields(&patch("eva", "/n", "{ author = \"eva\" }", 200));
    assert_eq!(never(&beside, role), Some(json!([true, false])), "{beside:#}");
    let all = of_fields(&patch("eva", "?filter=author == 'anna'", "{ text = \"b\" }", 200));
    assert_eq!(never(&all, role), Some(json!([false])), "{all:#}");
    let upsert = "[[test.request]]\nas = \"eva\"\npost = \"/api/notes?upsert=code\"\nbody = { code = \"c\", author = \"anna\", text = \"b\" }\n";
    let put = of_fields(upsert);
    assert_eq!((never(&put, owner), never(&put, role)), (Some(json!([true])), Some(json!([false]))), "{put:#}");
    let ops = "{ ops = [{ op = \"upsert\", in = \"notes\", by = \"code\", data = { code = \"c\", author = \"anna\", text = \"b\" } }] }";
    let put = of_fields(&post("eva", ops, 200).replace("/api/notes", "/api/batch"));
    assert_eq!((never(&put, owner), never(&put, role)), (Some(json!([true])), Some(json!([false]))), "{put:#}");
    let named = "{ id = \"m\", author = \"bob\", text = \"b\", folder = { by = { name = \"f\" } } }";
    let refused = of_fields(&post("bob", named, 403));
    assert_eq!(never(&refused, owner), Some(json!([true])), "{refused:#}");
    let inside = "{ id = \"g\", owner = \"anna\", notes = [{ id = \"m\", author = \"anna\", text = \"b\" }] }";
    let made = of_fields(&post("anna", inside, 201).replace("/api/notes", "/api/folders"));
    assert_eq!(never(&made, owner), Some(json!([true, false])), "it leads to what is not there yet: {made:#}");
}

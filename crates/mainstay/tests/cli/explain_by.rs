//! `mainstay explain` of writes whose links are named by a unique, or lead to what the same write makes.
use serde_json::Value as Json;

use crate::support::Project;

const SCHEMA: &str = r#"
type Team @rules(read: "true", write: "true") { slug: String! @unique rows: [Row!]! @inverse(field: "team") }
type Row @rules(read: "true", create: "team.slug == 'a' && n < 5", update: "team.slug == 'a' && n < 5 && size(note) < 9") {
  code: String @unique
  n: Int! @rules(write: "team.slug == 'a'")
  note: String! @default(value: "") @set(update: "'of ' + team.slug")
  team: Team!
}
type Place @rules(read: "true", write: "true") @unique(fields: ["row", "name"]) { row: Row! name: String! }
type Visit @rules(read: "true", write: "place.name == 'here'") { n: Int! place: Place! }
"#;

fn project() -> Project {
    let project = Project::with_schema(SCHEMA);
    project.ok(&["apply", "--yes"]);
    for (name, records) in [
        ("teams", "{\"slug\":\"a\"}\n{\"slug\":\"b\"}\n"),
        ("rows", "{\"code\":\"c\",\"n\":1,\"team\":\"a\"}\n"),
        ("places", "{\"row\":\"c\",\"name\":\"there\"}\n"),
    ] {
        project.write(&format!("{name}.ndjson"), records);
        project.ok(&["import", name, &format!("{name}.ndjson")]);
    }
    project
}

fn explain(project: &Project, call: [&str; 3]) -> Json {
    let (code, json) = project.json(&[&["explain", "--as", "anonymous"], &call[..]].concat());
    assert_eq!(code, Some(0), "{json:#}");
    json
}

/// What the clauses of a rule come to, each with what it reads.
fn clauses(json: &Json, rule: &str, over: Option<&str>) -> Vec<String> {
    let rules = json["rules"].as_array().unwrap().iter();
    let mut rules = rules.filter(|of| of["name"] == rule && of["over"].as_str() == over);
    let rule = rules.next().unwrap_or_else(|| panic!("{rule} is not told: {json:#}"));
    let told = |clause: &Json| {
        let values = clause["values"].as_array().unwrap().iter().filter(|value| value["name"] != "team");
        let values =
            values.map(|value| format!(" {}={}", value["name"].as_str().unwrap(), value["value"].as_str().unwrap()));
        format!(
            "{} {}{}",
            clause["outcome"].as_str().unwrap(),
            clause["text"].as_str().unwrap(),
            values.collect::<String>()
        )
    };
    rule["clauses"].as_array().unwrap().iter().map(told).collect()
}

#[test]
fn a_change_is_told_of_the_record_that_a_unique_names() {
    let project = project();
    let json = explain(&project, ["PATCH", "/api/rows/by/code/c", r#"{"n":7,"team":{"by":{"slug":"b"}}}"#]);
    let before = ["true team.slug == 'a' team.slug=\"a\"", "true n < 5 n=1", "true size(note) < 9 note=\"\""];
    assert_eq!(clauses(&json, "Row.update", Some("before")), before);
    let after = ["false team.slug == 'a' team.slug=\"b\"", "false n < 5 n=7", "per_record size(note) < 9"];
    assert_eq!(clauses(&json, "Row.update", Some("after")), after, "what the write computes is not made up");
    assert_eq!(clauses(&json, "Row.n.write", Some("after")), ["false team.slug == 'a' team.slug=\"b\""]);
    let json = explain(&project, ["PATCH", "/api/rows/by/code/c", r#"{"n":8,"team":{"by":{"slug":"none"}}}"#]);
    let after = ["per_record team.slug == 'a'", "false n < 5 n=8", "per_record size(note) < 9"];
    assert_eq!(clauses(&json, "Row.update", Some("after")), after, "there is no such team");
}

#[test]
fn a_new_record_is_told_of_the_record_that_a_unique_names() {
    let project = project();
    let json = explain(&project, ["POST", "/api/rows", r#"{"n":9,"team":{"by":{"slug":"b"}}}"#]);
    let told = ["false team.slug == 'a' team.slug=\"b\"", "false n < 5 n=9"];
    assert_eq!(clauses(&json, "Row.create", None), told);
    assert_eq!(clauses(&json, "Row.n.write", None), ["false team.slug == 'a' team.slug=\"b\""]);
    let upsert = r#"{"code":"c","n":9,"team":{"by":{"slug":"b"}}}"#;
    let json = explain(&project, ["POST", "/api/rows?upsert=code", upsert]);
    assert_eq!(clauses(&json, "Row.update", Some("after"))[1], "false n < 5 n=9");
    let visit = r#"{"n":1,"place":{"by":{"row":{"by":{"code":"c"}},"name":"there"}}}"#;
    let json = explain(&project, ["POST", "/api/visits", visit]);
    let told = clauses(&json, "Visit.create", None);
    assert!(told[0].starts_with("false place.name == 'here'") && told[0].ends_with("place.name=\"there\""), "{told:?}");
}

/// What a record leads to that the same write makes is not there yet: a clause over it is not told as false.
#[test]
fn what_the_same_write_makes_is_left_to_the_write() {
    let project = project();
    let inside =
        |slug: &str| explain(&project, ["POST", "/api/teams", &format!(r#"{{"slug":"{slug}","rows":[{{"n":1}}]}}"#)]);
    let json = inside("x");
    assert_eq!(clauses(&json, "Row.create", None), ["per_record team.slug == 'a'", "true n < 5 n=1"]);
    assert_eq!(json["status"], 401, "{json:#}");
    let batch = r#"{"ops":[{"op":"create","in":"teams","as":"t","data":{"slug":"y"}},
      {"op":"create","in":"rows","data":{"n":6,"team":{"ref":"t"}}}]}"#;
    let json = explain(&project, ["POST", "/api/batch", batch]);
    assert_eq!(clauses(&json, "Row.create", None), ["per_record team.slug == 'a'", "false n < 5 n=6"]);
}

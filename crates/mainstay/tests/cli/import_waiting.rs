//! `mainstay import`: records and links that wait for what comes later, and what waits for those that wait
use serde_json::{Value, json};

use crate::{import::stored, support::Project};

/// The records of a collection, each field of theirs as the `name` of what it leads to.
fn links(project: &Project, collection: &str, field: &str, target: &str) -> Vec<(String, Value)> {
    let targets = stored(project, target, &["id", "name"]);
    let name = |id: &Value| targets.iter().find(|one| one["id"] == *id).map_or(Value::Null, |one| one["name"].clone());
    let mut links: Vec<(String, Value)> = stored(project, collection, &["name", field])
        .iter()
        .map(|one| (one["name"].as_str().unwrap().to_owned(), name(&one[field])))
        .collect();
    links.sort_by(|one, other| one.0.cmp(&other.0));
    links
}

/// Keys that are counted are not known before a record is written: one whose link leads further down waits as a whole.
#[test]
fn a_record_of_a_later_file_links_to_one_that_waits() {
    let project = Project::applied(
        "type Category { id: Int! name: String! @unique parent: Category }\n\
         type Product { name: String! @unique category: Category! }",
    );
    project.write(
        "categories.ndjson",
        "{\"name\": \"leaf\", \"parent\": \"trunk\"}\n{\"name\": \"trunk\", \"parent\": \"root\"}\n{\"name\": \"root\"}\n",
    );
    project.write("products.ndjson", "{\"name\": \"apple\", \"category\": \"leaf\"}\n");
    project.ok(&["import", "products.ndjson", "categories.ndjson"]);
    assert_eq!(links(&project, "products", "category", "categories"), [("apple".to_owned(), json!("leaf"))]);
    assert_eq!(
        links(&project, "categories", "parent", "categories"),
        [("leaf".to_owned(), json!("trunk")), ("root".to_owned(), Value::Null), ("trunk".to_owned(), json!("root"))]
    );
}

#[test]
fn a_circle_of_files_begins_where_nothing_is_required() {
    const SCHEMA: &str =
        "type Team { name: String! @unique lead: Member }\ntype Member { name: String! @unique team: Team! }";
    for files in [["teams.ndjson", "members.ndjson"], ["members.ndjson", "teams.ndjson"]] {
        let project = Project::applied(SCHEMA);
        project.write("teams.ndjson", "{\"name\": \"red\", \"lead\": \"anna\"}\n");
        project.write("members.ndjson", "{\"name\": \"anna\", \"team\": \"red\"}\n");
        project.ok(&[&["import"], &files[..]].concat());
        assert_eq!(links(&project, "teams", "lead", "members"), [("red".to_owned(), json!("anna"))]);
        assert_eq!(links(&project, "members", "team", "teams"), [("anna".to_owned(), json!("red"))]);
    }
}

/// They wait as long as anything may come; then a link that leads nowhere is left out, and no other one.
#[test]
fn a_link_to_a_record_whose_own_link_is_left_out_stays() {
    let project = Project::applied("type Node { id: Int! name: String! @unique next: Node }");
    let lines = ["a b", "b none", "c none", "d a"].map(|line| {
        let (name, next) = line.split_once(' ').unwrap();
        format!("{{\"name\": \"{name}\", \"next\": \"{next}\"}}\n")
    });
    project.write("nodes.ndjson", &lines.concat());
    let (code, report) = project.json(&["import", "nodes.ndjson", "--missing-links", "null"]);
    let of = &report["collections"][0];
    assert_eq!((code, &of["created"], &of["linksLeftOut"]), (Some(0), &4.into(), &2.into()), "{report}");
    let next = [("a", json!("b")), ("b", Value::Null), ("c", Value::Null), ("d", json!("a"))];
    assert_eq!(links(&project, "nodes", "next", "nodes"), next.map(|(name, next)| (name.to_owned(), next)));
}

/// The last of them holds, as where nothing waits.
#[test]
fn records_of_one_name_that_wait_are_one_record_with_upsert() {
    let project = Project::applied("type Node { id: Int! name: String! @unique amount: Int next: Node }");
    project.write(
        "nodes.ndjson",
        "{\"name\": \"a\", \"amount\": 1, \"next\": \"z\"}\n{\"name\": \"a\", \"amount\": 2, \"next\": \"z\"}\n{\"name\": \"z\"}\n",
    );
    project.ok(&["import", "nodes.ndjson", "--upsert", "name"]);
    let nodes = stored(&project, "nodes", &["name", "amount"]);
    assert!(nodes.contains(&json!({"name": "a", "amount": 2})) && nodes.len() == 2, "{nodes:?}");
}

#[test]
fn a_field_that_a_record_names_twice_is_told() {
    let project = Project::applied("type Part { name: String! @unique monthsMin: Int }");
    project.write("parts.ndjson", "{\"name\": \"a\", \"monthsMin\": 1, \"months_min\": 2}\n");
    let ran = project.run(&["import", "parts.ndjson"]);
    assert!(
        ran.code == Some(1)
            && ran.stdout.contains("parts.ndjson:1: Part /monthsMin: the field comes twice, under several names"),
        "{ran:?}"
    );
    project.write("parts.ndjson", "{\"name\": \"a\", \"called\": \"b\"}\n");
    let ran = project.run(&["import", "parts.ndjson", "--map", "called=name"]);
    assert!(ran.code == Some(1) && ran.stdout.contains("parts.ndjson:1: Part /name: the field comes twice"), "{ran:?}");
    project.ok(&["import", "parts.ndjson", "--map", "called=name", "--map", "name="]);
    assert_eq!(stored(&project, "parts", &["name"]), [json!({"name": "b"})]);
}

#[test]
fn a_link_by_a_unique_names_one_that_there_is() {
    let project = Project::applied("type Node { name: String! @unique amount: Int next: Node many: [Node!]! @many }");
    let by = |next: &str| format!("{{\"name\": \"a\", \"next\": {{\"by\": {next}}}}}\n");
    let list = |by: &str| format!("{{\"name\": \"a\", \"many\": [\"a\", {{\"by\": {by}}}]}}\n");
    for made in [by, list] {
        project.write("nodes.ndjson", &made("{\"name\": \"a\"}"));
        project.ok(&["import", "nodes.ndjson", "--again", "--upsert", "name"]);
        for (other, told) in [
            ("{\"nam\": \"a\"}", "no field named \"nam\""),
            ("{\"amount\": \"a\"}", "the uniques of \"Node\" are name"),
            ("{\"id\": {\"by\": {\"name\": \"a\"}}}", ""),
            ("{}", ""),
        ] {
            project.write("nodes.ndjson", &made(other));
            let said = crate::import::refused(&project, &["nodes.ndjson", "--again"]);
            assert!(said.contains("/by") && said.contains(told), "{other}: {said}");
        }
    }
}

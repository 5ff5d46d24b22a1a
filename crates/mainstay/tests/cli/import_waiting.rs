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

/// Anna and Bea need one that comes later, and link to each other by a link that they do not need.
#[test]
fn records_that_wait_are_written_with_the_links_that_they_need() {
    for id in ["", "id: Int! "] {
        let of = |boss: &str| {
            format!(
                "type Person @path(name: \"people\") {{ {id}name: String! @unique boss: Person{boss} mentor: Person }}"
            )
        };
        let project = Project::applied(&of(""));
        project.write("root.ndjson", "{\"name\": \"root\", \"boss\": \"root\"}\n");
        project.ok(&["import", "people", "root.ndjson"]);
        project.write("schema.graphql", &of("!"));
        project.ok(&["apply", "--yes"]);
        project.write(
            "people.ndjson",
            "{\"name\": \"anna\", \"boss\": \"carl\", \"mentor\": \"bea\"}\n\
             {\"name\": \"bea\", \"boss\": \"carl\", \"mentor\": \"anna\"}\n\
             {\"name\": \"carl\", \"boss\": \"root\"}\n",
        );
        project.ok(&["import", "people.ndjson"]);
        let wanted = |links: [(&str, Value); 4]| links.map(|(name, link)| (name.to_owned(), link));
        let bosses =
            [("anna", json!("carl")), ("bea", json!("carl")), ("carl", json!("root")), ("root", json!("root"))];
        assert_eq!(links(&project, "people", "boss", "people"), wanted(bosses), "{id}");
        let mentors = [("anna", json!("bea")), ("bea", json!("anna")), ("carl", Value::Null), ("root", Value::Null)];
        assert_eq!(links(&project, "people", "mentor", "people"), wanted(mentors), "{id}");
    }
}

/// So that what was exported with such a record comes in again.
#[test]
fn a_record_may_need_a_link_to_itself() {
    for id in ["", "id: Int! "] {
        let project = Project::applied(&format!(
            "type Node {{ {id}name: String! @unique @normalize(expr: \"name.lowerAscii()\") root: Node! }}"
        ));
        let key = if id.is_empty() { json!("01990000-0000-7000-8000-000000000001") } else { json!(7) };
        project.write(
            "nodes.ndjson",
            &format!("{{\"id\": {key}, \"name\": \"A\", \"root\": \"a\"}}\n{{\"name\": \"b\", \"root\": \"A\"}}\n"),
        );
        project.ok(&["import", "nodes.ndjson"]);
        let wanted = ["a", "b"].map(|name| (name.to_owned(), json!("a")));
        assert_eq!(links(&project, "nodes", "root", "nodes"), wanted, "{id}");
        project.ok(&["export", "nodes", "--out", "out"]);
        let other = Project::applied(&project.read("schema.graphql"));
        other.write("out.ndjson", &project.read("out/nodes.ndjson"));
        other.ok(&["import", "nodes", "out.ndjson"]);
        other.ok(&["export", "nodes", "--out", "again"]);
        assert_eq!(other.read("again/nodes.ndjson"), project.read("out/nodes.ndjson"), "{id}");
    }
}

/// What reads as an id is one, though another record has it as a unique value and this one is further down.
#[test]
fn what_is_exported_links_to_the_same_when_it_comes_in() {
    let schema = "type Order { id: Int! number: Int! @unique follows: Order also: Order many: [Order!]! @many }";
    let project = Project::applied(schema);
    project.write(
        "orders.ndjson",
        "{\"id\": 1, \"number\": 3, \"follows\": 1, \"also\": 3}\n\
         {\"id\": 2, \"number\": 9, \"follows\": {\"by\": {\"number\": 4}}, \"many\": [{\"by\": {\"number\": 4}}, 1, 2]}\n\
         {\"id\": 3, \"number\": 4}\n",
    );
    project.ok(&["import", "orders.ndjson"]);
    let follows = |project: &Project| stored(project, "orders", &["id", "follows", "also"]);
    let wanted = json!([
        {"id": "1", "follows": "1", "also": "3"}, {"id": "2", "follows": "3", "also": null},
        {"id": "3", "follows": null, "also": null}
    ]);
    assert_eq!(json!(follows(&project)), wanted);
    project.ok(&["export", "orders", "--out", "out"]);
    let other = Project::applied(schema);
    other.write("orders.ndjson", &project.read("out/orders.ndjson"));
    other.ok(&["import", "orders.ndjson"]);
    assert_eq!(json!(follows(&other)), wanted);
    other.ok(&["export", "orders", "--out", "again"]);
    assert_eq!(other.read("again/orders.ndjson"), project.read("out/orders.ndjson"));
}

/// The check is asked once the link is there; of one whose link leads nowhere it is told with that.
#[test]
fn a_check_may_need_a_link_to_a_record_further_down() {
    for id in ["", "id: Int! "] {
        let project = Project::applied(&format!(
            "type Node @check(expr: \"name == 'root' || up != null\", message: \"only the root has none above\") \
             {{ {id}name: String! @unique up: Node }}"
        ));
        let nodes = "{\"name\": \"a\", \"up\": \"b\"}\n{\"name\": \"b\", \"up\": \"root\"}\n{\"name\": \"root\"}\n";
        project.write("nodes.ndjson", &format!("{nodes}{{\"name\": \"c\"}}\n{{\"name\": \"d\", \"up\": \"none\"}}\n"));
        project.ok(&["import", "nodes.ndjson", "--skip-bad", "bad.ndjson"]);
        let wanted = [("a", json!("b")), ("b", json!("root")), ("root", Value::Null)];
        assert_eq!(links(&project, "nodes", "up", "nodes"), wanted.map(|(name, up)| (name.to_owned(), up)), "{id}");
        let bad = project.read("bad.ndjson");
        assert!(
            bad.lines().count() == 2
                && bad.contains("only the root has none above")
                && bad.contains("no \\\"Node\\\" has"),
            "{bad}"
        );
    }
}

/// Its place in the document is told once.
#[test]
fn what_waited_in_a_document_is_told_with_its_place() {
    let project = Project::applied("type Node { name: String! @unique next: Node! }");
    project
        .write("all.json", "{\"nodes\": [{\"name\": \"a\", \"next\": \"b\"}, {\"name\": \"b\", \"next\": \"none\"}]}");
    project.ok(&["import", "all.json", "--skip-bad", "bad.ndjson"]);
    let pointers: Vec<Value> = project
        .read("bad.ndjson")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["errors"][0]["pointer"].clone())
        .collect();
    assert_eq!(pointers, ["/nodes/0/next", "/nodes/1/next"]);
}

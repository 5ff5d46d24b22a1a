//! `mainstay import`: what links lead to, and lists of many links
use serde_json::{Value, json};

use crate::{import::stored, support::Project};

/// The names of what the records of a collection link to by a field, in the order of their numbers.
fn linked(project: &Project, collection: &str, field: &str) -> Vec<Value> {
    let slugs = stored(project, "things", &["id", "slug"]);
    let slug = |id: &Value| slugs.iter().find(|one| one["id"] == *id).map_or(Value::Null, |one| one["slug"].clone());
    let mut items = stored(project, collection, &["n", field]);
    items.sort_by_key(|one| one["n"].as_i64());
    items
        .iter()
        .map(|one| match &one[field] {
            Value::Array(ids) => ids.iter().map(slug).collect(),
            id => slug(id),
        })
        .collect()
}

/// Each value stands in both fields, of different records.
const THINGS: &str = "{\"slug\": \"a\", \"name\": \"b\"}\n{\"slug\": \"b\", \"name\": \"a\"}\n";

const ITEMS: &str = "{\"n\": 1, \"thing\": {\"by\": {\"name\": \"a\"}}, \"many\": [{\"by\": {\"name\": \"b\"}}]}\n\
    {\"n\": 2, \"thing\": {\"by\": {\"slug\": \"a\"}}, \"many\": [{\"by\": {\"slug\": \"b\"}}, {\"by\": {\"name\": \"b\"}}]}\n\
    {\"n\": 3, \"thing\": \"a\", \"many\": []}\n";

#[test]
fn a_link_by_a_unique_leads_to_the_record_that_has_it_in_that_field() {
    for (id, missing) in [("", "refuse"), ("id: Int! ", "refuse"), ("", "null"), ("id: Int! ", "null")] {
        let project = Project::applied(&format!(
            "type Thing {{ {id}slug: String! @unique name: String! @unique }}\n\
             type Item {{ {id}n: Int! thing: Thing many: [Thing!]! @many }}"
        ));
        project.write("things.ndjson", THINGS);
        project.write("items.ndjson", ITEMS);
        project.ok(&["import", "things.ndjson"]);
        project.ok(&["import", "items.ndjson", "--missing-links", missing]);
        assert_eq!(linked(&project, "items", "thing"), ["b", "a", "a"], "{id}{missing}");
        let many = linked(&project, "items", "many");
        assert_eq!(many[0], json!(["a"]), "{id}{missing}");
        assert!(many[1].as_array().unwrap().len() == 2, "{id}{missing}: {many:?}");
    }
}

/// Those that it leads to are in the same chunk, or come later: then the links wait, or the records.
#[test]
fn so_it_does_where_that_one_comes_later() {
    for id in ["", "id: Int! "] {
        let project = Project::applied(&format!(
            "type Thing {{ {id}n: Int! slug: String! @unique name: String! @unique next: Thing many: [Thing!]! @many }}"
        ));
        let by = |n: u8, slug: &str, name: &str, next: &str| {
            format!(
                "{{\"n\": {n}, \"slug\": \"{slug}\", \"name\": \"{name}\", \"next\": {{\"by\": {{\"name\": \"{next}\"}}}}, \
                 \"many\": [{{\"by\": {{\"slug\": \"{next}\"}}}}]}}\n"
            )
        };
        project.write(
            "things.ndjson",
            &[by(1, "c", "c", "a"), THINGS.replace('{', "{\"n\": 2, "), by(3, "d", "d", "b")].concat(),
        );
        project.ok(&["import", "things.ndjson"]);
        let (next, many) = (linked(&project, "things", "next"), linked(&project, "things", "many"));
        assert_eq!((&next[0], &next[3]), (&json!("b"), &json!("a")), "{id}");
        assert_eq!((&many[0], &many[3]), (&json!(["a"]), &json!(["b"])), "{id}");
    }
}

#[test]
fn a_link_by_a_unique_that_no_record_has_is_told_with_its_field() {
    let project = Project::applied(
        "type Thing { slug: String! @unique name: String! @unique }\ntype Item { n: Int! thing: Thing }",
    );
    project.write("things.ndjson", "{\"slug\": \"first\", \"name\": \"second\"}\n");
    project.write("items.ndjson", "{\"n\": 1, \"thing\": {\"by\": {\"name\": \"first\"}}}\n");
    for files in [&["things.ndjson", "items.ndjson"][..], &["items.ndjson"]] {
        let told = crate::import::refused(&project, files);
        assert!(told.contains("/thing: no \"Thing\" has the \"name\" \"first\""), "{told}");
        project.ok(&["import", "things.ndjson"]);
    }
}

/// Keys that are counted are not known before a record is written; more links than one change may have do not make it wait.
#[test]
fn a_record_may_have_more_links_than_one_change_may() {
    let project = Project::applied(
        "type Tag { slug: String! @unique post: Post }\n\
         type Post { id: Int! title: String! @unique tags: [Tag!]! @many }\n\
         type Page { title: String! @unique tags: [Tag!]! @many }",
    );
    let tags: String = (0..1_200).map(|at| format!("{{\"slug\": \"t{at}\"}}\n")).collect();
    let all: Vec<String> = (0..1_200).map(|at| format!("t{at}")).chain(["t7".to_owned(), "t1199".to_owned()]).collect();
    let post = |title: &str| format!("{title},{}\n", all.join(";"));
    project.write("tags.ndjson", &tags);
    let posts = ["title,tags\n".to_owned(), post("a"), post("b"), "c,t1\n".to_owned(), post("d")].concat();
    project.write("posts.csv", &posts);
    project.write("pages.csv", &posts);
    let counts = |collection: &str| -> Vec<(String, usize)> {
        let mut counts: Vec<(String, usize)> = stored(&project, collection, &["title", "tags"])
            .iter()
            .map(|one| (one["title"].as_str().unwrap().to_owned(), one["tags"].as_array().unwrap().len()))
            .collect();
        counts.sort();
        counts
    };
    let wanted = [("a", 1_200), ("b", 1_200), ("c", 1), ("d", 1_200)].map(|(title, count)| (title.to_owned(), count));
    project.ok(&["import", "tags.ndjson", "posts.csv", "pages.csv"]);
    assert_eq!((counts("posts"), counts("pages")), (wanted.to_vec(), wanted.to_vec()));
    // Those that are there are changed alike.
    for file in ["posts.csv", "pages.csv"] {
        project.write(file, &posts.replace("c,t1\n", &post("c")));
        project.ok(&["import", file, "--upsert", "title"]);
    }
    for collection in ["posts", "pages"] {
        assert!(counts(collection).iter().all(|(_, count)| *count == 1_200) && counts(collection).len() == 4);
    }
}

#[test]
fn so_it_may_where_another_one_waits_for_good() {
    let project = Project::applied(
        "type Tag { slug: String! @unique post: Post }\ntype Post { id: Int! title: String! @unique tags: [Tag!]! @many }",
    );
    let tags: String = (0..1_500).map(|at| format!("{{\"slug\": \"t{at}\", \"post\": \"a\"}}\n")).collect();
    let all: Vec<String> = (0..1_500).map(|at| format!("\"t{at}\"")).collect();
    let posts =
        format!("{{\"title\": \"a\", \"tags\": [{}]}}\n{{\"title\": \"b\", \"tags\": [\"nope\"]}}\n", all.join(","));
    project.write("tags.ndjson", &tags);
    project.write("posts.ndjson", &posts);
    project.ok(&["import", "posts.ndjson", "tags.ndjson", "--skip-bad", "bad.ndjson"]);
    let mut counts: Vec<usize> =
        stored(&project, "posts", &["tags"]).iter().map(|one| one["tags"].as_array().unwrap().len()).collect();
    counts.sort();
    assert_eq!(counts, [0, 1_500]);
    assert_eq!(project.read("bad.ndjson").lines().count(), 1);
}

/// It is in the file of bad records once, with its id and all links of it that lead nowhere.
#[test]
fn a_record_that_is_written_and_wrong_in_links_is_told_once() {
    let schema = "type P { name: String! @unique friend: P many: [P!]! @many }";
    let record = "{\"name\": \"a\", \"friend\": \"x\", \"many\": [\"a\", \"y\", \"z\"]}\n";
    let project = Project::applied(schema);
    project.write("ps.ndjson", &format!("{record}{{\"name\": \"b\", \"friend\": \"a\"}}\n"));
    let said = project.ok(&["import", "ps.ndjson", "--skip-bad", "bad.ndjson"]);
    assert!(said.contains("ps.ndjson: 2 P created, 1 without links that are wrong\n"), "{said}");
    assert!(said.contains("bad.ndjson: 1 bad records"), "{said}");
    let bad: Vec<Value> = project.read("bad.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let pointers: Vec<&Value> = bad[0]["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!((bad.len(), pointers), (1, vec![&json!("/friend"), &json!("/many/1"), &json!("/many/2")]));
    let stored = stored(&project, "ps", &["id", "name"]).into_iter().find(|one| one["name"] == "a").unwrap();
    let shown: Value = serde_json::from_str(bad[0]["record"].as_str().unwrap()).unwrap();
    assert_eq!(shown, json!({"id": stored["id"], "friend": "x", "many": ["a", "y", "z"]}));
    // Without such a file it is told and counted alike.
    let project = Project::applied(schema);
    let filler = format!("{{\"name\": \"b\"{}}}\n", " ".repeat(5 * 1024 * 1024));
    project.write("ps.ndjson", &format!("{record}{filler}"));
    let (code, report) = project.json(&["import", "ps.ndjson"]);
    let of = &report["collections"][0];
    assert_eq!((code, &of["created"], &of["incomplete"], &of["skipped"]), (Some(1), &json!(2), &json!(1), &json!(0)));
}

/// Names are compared with so many others in all; then what is wrong is told without the likely one.
#[test]
fn likely_names_are_looked_for_only_so_long() {
    let project = Project::applied("type Thing { slug: String! @unique }\ntype Item { n: Int! thing: Thing }");
    let things: String = (0..2_000).map(|at| format!("{{\"slug\": \"thing-number-{at}\"}}\n")).collect();
    let known: String = (0..2_000).map(|at| format!("{{\"n\": 1, \"thing\": \"thing-number-{at}\"}}\n")).collect();
    let wrong: String = (0..400).map(|_| "{\"n\": 2, \"thing\": \"think-number-1\"}\n").collect();
    project.write("things.ndjson", &things);
    project.write("items.ndjson", &format!("{known}{wrong}"));
    project.ok(&["import", "things.ndjson", "items.ndjson", "--skip-bad", "bad.ndjson"]);
    let bad = project.read("bad.ndjson");
    let hints: Vec<bool> = bad.lines().map(|line| line.contains("did you mean \\\"thing-number-1")).collect();
    assert_eq!((hints.len(), hints[0], hints[399]), (400, true, false));
}

#[test]
fn so_it_may_where_it_is_changed_once_a_later_one_is_there() {
    let project = Project::applied(
        "type Tag { slug: String! @unique }\n\
         type Post { id: Int! title: String! @unique tags: [Tag!]! @many next: Post }",
    );
    let tags: String = (0..1_500).map(|at| format!("{{\"slug\": \"t{at}\"}}\n")).collect();
    let all: Vec<String> = (0..1_500).map(|at| format!("t{at}")).collect();
    project.write("tags.ndjson", &tags);
    project.write("old.ndjson", "{\"title\": \"a\", \"tags\": [\"t7\"]}\n");
    let posts = [json!({"title": "a", "tags": all, "next": "z"}), json!({"title": "z"})];
    project.write("posts.ndjson", &posts.map(|post| format!("{post}\n")).concat());
    project.ok(&["import", "tags.ndjson"]);
    project.ok(&["import", "posts", "old.ndjson"]);
    project.ok(&["import", "posts.ndjson", "--upsert", "title"]);
    let counts: Vec<usize> =
        stored(&project, "posts", &["tags"]).iter().map(|one| one["tags"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [1_500, 0]);
}

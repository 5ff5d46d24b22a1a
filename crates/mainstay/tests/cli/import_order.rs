//! `mainstay import`: which of several records of one name holds, and which links are left out, where something of them waits
use serde_json::{Value, json};

use crate::{import::stored, support::Project};

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// The records of a collection by their slugs, with what the field links to.
fn of(project: &Project, collection: &str, field: &str) -> Vec<(String, Value, Value)> {
    let slug = |one: &Value| one["slug"].as_str().unwrap().to_owned();
    let records = stored(project, collection, &["id", "slug", "v", field]);
    let linked =
        |id: &Value| records.iter().find(|one| one["id"] == *id).map_or(Value::Null, |one| one["slug"].clone());
    let mut found: Vec<_> = records.iter().map(|one| (slug(one), one["v"].clone(), linked(&one[field]))).collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

fn one(slug: &str, v: impl Into<Value>, next: impl Into<Value>) -> (String, Value, Value) {
    (slug.to_owned(), v.into(), next.into())
}

#[test]
fn the_last_record_of_a_name_holds_though_one_before_waits() {
    for id in ["id: Int! ", ""] {
        let project = Project::applied(&format!("type Q {{ {id}slug: String! @unique v: Int next: Q }}"));
        project.write(
            "q.ndjson",
            &lines(&[
                json!({"slug": "b", "v": 0}),
                json!({"slug": "a", "v": 1, "next": "z"}),
                json!({"slug": "c", "v": 1, "next": "z"}),
                json!({"slug": "a", "v": 2}),
                json!({"slug": "c", "next": "b"}),
                json!({"slug": "z"}),
            ]),
        );
        project.ok(&["import", "Q", "q.ndjson", "--upsert", "slug"]);
        let wanted = [one("a", 2, "z"), one("b", 0, Value::Null), one("c", 1, "b"), one("z", Value::Null, Value::Null)];
        assert_eq!(of(&project, "Q", "next"), wanted, "{id}");
    }
}

/// They may be far from each other, and in other files of the collection.
#[test]
fn so_it_does_over_files_and_however_many_wait() {
    for id in ["id: Int! ", ""] {
        let project = Project::applied(&format!("type Q {{ {id}slug: String! @unique v: Int next: Q }}"));
        let many = |v: u32, next: fn(u32) -> Value| -> Vec<Value> {
            (0..700).map(|at| json!({"slug": format!("s{at}"), "v": v, "next": next(at)})).collect()
        };
        project.write("one.ndjson", &lines(&many(1, |_| json!("z"))));
        project.write("two.ndjson", &lines(&many(2, |at| json!(if at.is_multiple_of(2) { "y" } else { "x" }))));
        project.write("three.ndjson", &lines(&[json!({"slug": "x"}), json!({"slug": "y"}), json!({"slug": "z"})]));
        project.ok(&["import", "Q", "one.ndjson", "two.ndjson", "three.ndjson", "--upsert", "slug"]);
        let found = of(&project, "Q", "next");
        assert_eq!(found.len(), 703);
        for (slug, v, next) in found.iter().filter(|(slug, ..)| slug.starts_with('s')) {
            let at: u32 = slug[1..].parse().unwrap();
            assert_eq!((v, next), (&json!(2), &json!(if at.is_multiple_of(2) { "y" } else { "x" })), "{id}{slug}");
        }
    }
}

/// One that is wrong and waits to be repaired keeps those behind it from being done before it.
#[test]
fn what_comes_behind_a_wrong_one_of_its_name_waits_for_it() {
    let project = Project::applied("type Q { id: Int! slug: String! @unique v: Int next: Q }");
    let file = |next: &str| {
        lines(&[json!({"slug": "a", "v": 1, "next": next}), json!({"slug": "a", "v": 2}), json!({"slug": "z"})])
    };
    project.write("q.ndjson", &file("nowhere"));
    let told = crate::import::refused(&project, &["Q", "q.ndjson", "--upsert", "slug"]);
    assert!(told.contains("q.ndjson:1: "), "{told}");
    project.write("q.ndjson", &file("z"));
    project.ok(&["import", "Q", "q.ndjson", "--upsert", "slug"]);
    assert_eq!(of(&project, "Q", "next"), [one("a", 2, "z"), one("z", Value::Null, Value::Null)]);
}

/// A record that is put aside lets another one's link be left out; those that wait for that one keep theirs.
#[test]
fn a_link_to_a_record_that_is_written_last_stays() {
    let project = Project::applied(
        "type C { id: Int! slug: String! @unique need: N! }\ntype N { id: Int! slug: String! @unique c: C other: N }",
    );
    project
        .write("cs.ndjson", &lines(&[json!({"slug": "c1", "need": "nowhere"}), json!({"slug": "c2", "need": "n2"})]));
    let nodes = [
        json!({"slug": "n3", "other": "n2"}),
        json!({"slug": "n2", "other": "n1"}),
        json!({"slug": "n1", "c": "c1"}),
        json!({"slug": "n4", "c": "c2", "other": "n3"}),
    ];
    project.write("ns.ndjson", &lines(&nodes));
    let import = ["import", "cs.ndjson", "ns.ndjson", "--missing-links", "null", "--skip-bad", "bad.ndjson"];
    let (code, report) = project.json(&import);
    let left_out = report["collections"].as_array().unwrap().iter().map(|one| one["linksLeftOut"].as_u64().unwrap());
    assert_eq!((code, left_out.sum::<u64>()), (Some(0), 1), "{report}");
    let null = || Value::Null;
    let wanted = [one("n1", null(), null()), one("n2", null(), "n1"), one("n3", null(), "n2"), one("n4", null(), "n3")];
    assert_eq!(of(&project, "N", "other"), wanted);
    assert_eq!(
        (stored(&project, "C", &["slug"]), project.read("bad.ndjson").lines().count()),
        (vec![json!({"slug": "c2"})], 1)
    );
}

/// Nobody in a circle waits for the others, nor does anybody who links to it.
#[test]
fn a_circle_keeps_all_of_its_links() {
    for (id, missing) in [("", "refuse"), ("id: Int! ", "refuse"), ("", "null"), ("id: Int! ", "null")] {
        let project = Project::applied(&format!("type N {{ {id}slug: String! @unique other: N }}"));
        let links = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("e", "e"), ("f", "nowhere")];
        let count = if missing == "null" { 6 } else { 5 };
        let nodes: Vec<Value> =
            links[..count].iter().rev().map(|(slug, other)| json!({"slug": slug, "other": other})).collect();
        project.write("ns.ndjson", &lines(&nodes));
        let (code, report) = project.json(&["import", "ns.ndjson", "--missing-links", missing]);
        let of_n = &report["collections"][0];
        assert_eq!((code, &of_n["linksLeftOut"]), (Some(0), &json!(count - 5)), "{report}");
        let wanted = links[..count]
            .iter()
            .map(|(slug, other)| one(slug, Value::Null, if *other == "nowhere" { Value::Null } else { json!(other) }));
        assert_eq!(of(&project, "N", "other"), wanted.collect::<Vec<_>>(), "{id}{missing}");
    }
}

/// What it changes may have been changed since, by the file that it is a copy of or by another.
#[test]
fn a_copy_changes_what_is_there_though_its_file_was_loaded() {
    let project = Project::applied("type N { slug: String! @unique v: Int }");
    let file = |v: Value| lines(&[json!({"slug": "a", "v": v}), json!({"slug": "b", "v": 1})]);
    let upsert = |name: &str| project.ok(&["import", "N", name, "--upsert", "slug"]);
    project.write("one.ndjson", &file(json!(1)));
    upsert("one.ndjson");
    project.write("two.ndjson", &file(json!(2)));
    upsert("two.ndjson");
    project.write("copy.ndjson", &file(json!(1)));
    let said = upsert("copy.ndjson");
    assert!(said.contains("copy.ndjson: 0 N created, 2 updated"), "{said}");
    assert_eq!(stored(&project, "N", &["v"]), [json!({"v": 1}), json!({"v": 1})]);
}

/// They are told of as put aside until they have come in once more, as far as there is room; all of them do.
#[test]
fn so_it_does_behind_one_that_is_repaired_however_many_there_are() {
    let project = Project::applied("type Q { slug: String! @unique v: Int w: Int next: Q }");
    let file = |first: Value| {
        let records = (1..=1_002).map(|v| json!({"slug": "a", "v": v}));
        lines(&[first].into_iter().chain(records).chain([json!({"slug": "b"})]).collect::<Vec<_>>())
    };
    let arguments = ["import", "Q", "q.ndjson", "--upsert", "slug", "--skip-bad", "bad"];
    project.write("q.ndjson", &file(json!({"slug": "a", "v": "wrong"})));
    project.ok(&arguments);
    assert_eq!(of(&project, "Q", "next"), [one("a", 1_002, Value::Null), one("b", Value::Null, Value::Null)]);
    project.write("q.ndjson", &file(json!({"slug": "a", "v": 0, "next": "b"})));
    project.ok(&arguments);
    assert_eq!(of(&project, "Q", "next"), [one("a", 1_002, "b"), one("b", Value::Null, Value::Null)]);
    assert!(project.ok(&arguments).contains("0 Q created, 1004 loaded before"));
}

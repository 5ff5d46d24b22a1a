//! `mainstay import`: a file that is repaired where records of it were wrong; what is in comes in no second time
use serde_json::{Value, json};

use crate::{
    import::{refused, stored},
    support::Project,
};

/// A check needs the links of some, so that such a record waits whose link leads to one further down; most of them have no unique value.
const SCHEMA: &str = r#"
type Node @check(expr: "(name != 'a' && name != 'c') || next != null", message: "a and c lead to another") { id: Int! name: String @unique text: String next: Node }
type Team { name: String! @unique }
type Person @path(name: "people") { name: String! @unique age: Int boss: Person team: Team }
type Entry { text: String! amount: Int }
"#;

fn project() -> Project {
    Project::applied(SCHEMA)
}

pub(crate) fn texts(project: &Project, collection: &str) -> Vec<String> {
    let text = |one: &Value| one["text"].as_str().or(one["name"].as_str()).unwrap().to_owned();
    let mut texts: Vec<String> = stored(project, collection, &["text", "name"]).iter().map(text).collect();
    texts.sort();
    texts
}

/// What an import created, and what was there before it.
pub(crate) fn counts(project: &Project, arguments: &[&str]) -> (u64, u64) {
    let (code, report) = project.json(&[&["import"], arguments].concat());
    assert_eq!(code, Some(0), "{report}");
    let sum =
        |name: &str| report["collections"].as_array().unwrap().iter().map(|one| one[name].as_u64().unwrap()).sum();
    (sum("created") + sum("updated"), sum("already"))
}

const CHANGED: &str =
    "was loaded before, and more of it has changed since than was told to be wrong: the rest would come in twice";

/// The wrong one is the first "a": it waits, and the other is written before it.
const NODES: [&str; 5] = [
    "{\"text\": \"one\"}",
    "{\"name\": \"a\", \"next\": \"z\"}",
    "{\"text\": \"two\"}",
    "{\"name\": \"a\", \"next\": \"z\"}",
    "{\"name\": \"z\"}",
];

/// The same with another second one; `None`: without it.
fn nodes(second: Option<&str>) -> Vec<String> {
    let one = |(at, line): (usize, &&str)| if at == 1 { second } else { Some(*line) }.map(str::to_owned);
    NODES.iter().enumerate().filter_map(one).collect()
}

#[test]
fn a_record_that_waited_is_repaired_where_it_stands_and_it_alone_comes_in() {
    type Made = fn(&[String]) -> String;
    let lines: Made = |records| records.join("\n");
    let list: Made = |records| format!("[{}]", records.join(",\n"));
    let object: Made = |records| {
        format!(
            "{{\"nodes\": [{}], \"teams\": [{{\"name\": \"red\"}}], \"entries\": [{{\"text\": \"e\"}}]}}",
            records.join(", ")
        )
    };
    let csv: Made = |records| {
        let row = |line: &String| {
            let one: Value = serde_json::from_str(line).unwrap();
            let cell = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            format!("{},{},{}\r\n", cell("name"), cell("text"), cell("next"))
        };
        format!("name,text,next\r\n{}", records.iter().map(row).collect::<String>())
    };
    for (file, made) in [("nodes.ndjson", lines), ("nodes.json", list), ("all.json", object), ("nodes.csv", csv)] {
        let project = project();
        project.write(file, &made(&nodes(Some(NODES[1]))));
        let told = refused(&project, &[file]);
        assert!(told.contains("another \"Node\" has the same \"name\""), "{file}: {told}");
        let others = if file == "all.json" { 2 } else { 0 };
        // It is wrong in another way; still nothing else comes in.
        project.write(file, &made(&nodes(Some("{\"name\": \"z\", \"next\": \"a\", \"text\": \"long\"}"))));
        assert!(refused(&project, &[file]).contains("another \"Node\""), "{file}");
        project.write(file, &made(&nodes(Some("{\"name\": \"c\", \"next\": \"a\"}"))));
        assert_eq!(counts(&project, &[file]), (1, 4 + others), "{file}");
        assert_eq!(texts(&project, "nodes"), ["a", "c", "one", "two", "z"], "{file}");
        assert_eq!(counts(&project, &[file]), (0, 5 + others), "{file}");
        assert_eq!(texts(&project, "teams").len() + texts(&project, "entries").len(), others as usize);
        assert_eq!(waiting(&project), 0, "{file}");
    }
}

/// How much waits in the notes.
fn waiting(project: &Project) -> usize {
    let sql = "SELECT what FROM mainstay_import_waiting";
    project.rows(sql, sql).len()
}

#[test]
fn a_record_that_waited_is_taken_out_and_nothing_waits_any_more() {
    let project = project();
    project.write("nodes.ndjson", &nodes(Some(NODES[1])).join("\n"));
    refused(&project, &["nodes.ndjson"]);
    assert_eq!(waiting(&project), 1);
    project.write("nodes.ndjson", &(nodes(None).join("\n") + "\n{\"text\": \"more\"}"));
    assert_eq!(counts(&project, &["nodes.ndjson"]), (1, 4));
    assert_eq!(texts(&project, "nodes"), ["a", "more", "one", "two", "z"]);
    assert_eq!((waiting(&project), counts(&project, &["nodes.ndjson"])), (0, (0, 5)));
}

#[test]
fn one_that_is_still_wrong_keeps_no_repaired_one_out() {
    let project = project();
    let wrong = NODES[1];
    let file = |first: &str, second: Option<&str>| {
        let mut lines = nodes(Some(first));
        second.into_iter().for_each(|second| lines.insert(2, second.to_owned()));
        lines.join("\n")
    };
    project.write("nodes.ndjson", &file(wrong, Some(wrong)));
    assert_eq!(refused(&project, &["nodes.ndjson"]).matches("another \"Node\" has the same").count(), 2);
    project.write("nodes.ndjson", &file(wrong, Some("{\"name\": \"c\", \"next\": \"z\"}")));
    let told = refused(&project, &["nodes.ndjson"]);
    assert!(
        told.contains("nodes.ndjson: 1 Node created, 4 loaded before") && told.contains("nodes.ndjson:2: "),
        "{told}"
    );
    assert_eq!(texts(&project, "nodes"), ["a", "c", "one", "two", "z"]);
    let told = refused(&project, &["nodes.ndjson"]);
    assert!(told.contains("nodes.ndjson: 0 Node created, 5 loaded before"), "{told}");
    project.write("nodes.ndjson", &file("{\"name\": \"b\"}", Some("{\"name\": \"c\", \"next\": \"z\"}")));
    assert_eq!(counts(&project, &["nodes.ndjson"]), (1, 5));
    assert_eq!(texts(&project, "nodes"), ["a", "b", "c", "one", "two", "z"]);
}

#[test]
fn a_repaired_file_that_has_grown_too_goes_on() {
    let project = project();
    project.write("nodes.ndjson", &nodes(Some(NODES[1])).join("\n"));
    refused(&project, &["nodes.ndjson"]);
    let more = "\n{\"text\": \"more\"}\n{\"name\": \"y\"}\n";
    project.write("nodes.ndjson", &(nodes(Some("{\"name\": \"c\", \"next\": \"y\"}")).join("\n") + more));
    assert_eq!(counts(&project, &["nodes.ndjson"]), (3, 4));
    assert_eq!(texts(&project, "nodes"), ["a", "c", "more", "one", "two", "y", "z"]);
}

#[test]
fn what_came_in_and_was_changed_since_is_refused() {
    let project = project();
    project.write("nodes.ndjson", &nodes(Some(NODES[1])).join("\n"));
    refused(&project, &["nodes.ndjson"]);
    let before = texts(&project, "nodes");
    let repaired = nodes(Some("{\"name\": \"d\"}")).join("\n");
    for changed in [
        repaired.replace("two", "2"),
        repaired.replace("one", "1"),
        repaired.replace("{\"text\": \"two\"}\n", ""),
        format!("{{\"text\": \"new\"}}\n{repaired}"),
    ] {
        project.write("nodes.ndjson", &changed);
        let told = refused(&project, &["nodes.ndjson"]);
        assert!(told.contains(CHANGED) && told.contains("--again loads all of them once more"), "{changed}: {told}");
        assert_eq!(texts(&project, "nodes"), before);
    }
    project.write("nodes.ndjson", "{\"text\": \"one\"}\n{\"text\": \"three\"}\n");
    assert_eq!(counts(&project, &["nodes.ndjson", "--again"]), (2, 0));
    assert_eq!((waiting(&project), counts(&project, &["nodes.ndjson"])), (0, (0, 2)));
}

/// A file that was loaded whole may be another by now; but not one that holds records of it.
#[test]
fn a_file_that_was_loaded_is_another_where_no_record_of_it_is_left() {
    let project = project();
    project.write("entries.csv", "text,amount\na,1\nb,2\n");
    assert_eq!(counts(&project, &["entries.csv"]), (2, 0));
    for changed in ["text,amount\na,1\nc,2\n", "text,amount\nc,2\nb,2\nd,4\n", "text,amount\na,1\n"] {
        project.write("entries.csv", changed);
        assert!(refused(&project, &["entries.csv"]).contains(CHANGED));
    }
    // Other line ends make no other records.
    project.write("entries.csv", "text,amount\r\na,1\r\nb,2\r\n");
    assert_eq!(counts(&project, &["entries.csv"]), (0, 2));
    project.write("entries.csv", "text,amount\nd,1\ne,2\n");
    assert_eq!(counts(&project, &["entries.csv"]), (2, 0));
    project.write("people.csv", "name,age\nanna,1\nbob,2\n");
    assert_eq!(counts(&project, &["people.csv"]), (2, 0));
    project.write("people.csv", "name,age\nanna,1\nbob,3\n");
    assert_eq!(counts(&project, &["people.csv", "--upsert", "name"]), (2, 0));
    assert_eq!(stored(&project, "people", &["age"]), [json!({"age": 1}), json!({"age": 3})]);
}

#[test]
fn bad_records_are_repaired_where_they_stand() {
    let project = project();
    let file = |first: &str, second: &str| format!("text,amount\n{first}\ngood,1\n{second}\nbetter,2\n");
    let import = ["entries.csv", "--skip-bad", "bad.ndjson"];
    project.write("entries.csv", &file("x,old", "y,new"));
    assert_eq!(counts(&project, &import), (2, 0));
    let lines = || -> Vec<Value> {
        project
            .read("bad.ndjson")
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["line"].clone())
            .collect()
    };
    assert_eq!(lines(), [json!(2), json!(4)]);
    project.write("entries.csv", &file("x,old", "y,5"));
    assert_eq!(counts(&project, &import), (1, 2));
    assert_eq!(
        (lines(), texts(&project, "entries")),
        (vec![json!(2)], vec!["better".into(), "good".into(), "y".into()])
    );
    // Also without the file for them: then they must be right.
    assert!(refused(&project, &["entries.csv"]).contains("entries.csv:2: Entry /amount"));
    project.write("entries.csv", &file("x,older", "y,5"));
    assert!(refused(&project, &["entries.csv"]).contains("entries.csv:2: Entry /amount"));
    project.write("entries.csv", &file("\"x\nx\",4", "y,5"));
    assert_eq!(counts(&project, &["entries.csv"]), (1, 3));
    assert_eq!(texts(&project, "entries"), ["better", "good", "x\nx", "y"]);
    assert_eq!(counts(&project, &["entries.csv"]), (0, 4));
    project.write("entries.csv", &file("\"x\nx\",5", "y,5"));
    assert!(refused(&project, &["entries.csv"]).contains(CHANGED));
}

/// It was told to be wrong once, and nobody knows yet that it still is: another one ends the run before.
#[test]
fn a_record_that_was_wrong_and_waits_now_may_be_repaired_once_more() {
    let project = project();
    let file = |next: &str, text: &str| {
        format!("{{\"name\": \"a\", \"next\": \"{next}\"}}\n{{\"text\": {text}}}\n{{\"name\": \"z\"}}\n")
    };
    project.write("nodes.ndjson", &file("none", "1"));
    assert_eq!(counts(&project, &["nodes.ndjson", "--skip-bad", "bad.ndjson"]), (1, 0));
    project.write("nodes.ndjson", &file("nowhere", "2"));
    let told = refused(&project, &["nodes.ndjson"]);
    assert!(told.contains("nodes.ndjson:2: ") && !told.contains("nodes.ndjson:1: "), "{told}");
    project.write("nodes.ndjson", &file("z", "\"b\""));
    assert_eq!(counts(&project, &["nodes.ndjson"]), (2, 1));
    assert_eq!((texts(&project, "nodes"), waiting(&project)), (vec!["a".into(), "b".into(), "z".into()], 0));
}

/// It is not wrong itself; and what is still wrong is told each time.
#[test]
fn a_record_that_linked_to_a_wrong_one_comes_in_once_that_one_is_repaired() {
    let project = project();
    let import = ["teams.csv", "people.csv", "--skip-bad", "bad.ndjson"];
    let project_of = |names: &str| project.write("teams.csv", &format!("name,text\n{names}"));
    project.write("people.csv", "name,age,team\nanna,1,red\nbob,2,blue\n");
    project_of("red,\n");
    assert_eq!(counts(&project, &["teams.csv", "people.csv", "--skip-bad", "bad.ndjson", "--map", "text="]), (2, 0));
    let bad = project.read("bad.ndjson");
    assert!(bad.lines().count() == 1 && bad.contains("\"line\":3"), "{bad}");
    let (code, report) = project.json(&[&["import"], &import[..], &["--map", "text="]].concat());
    assert_eq!((code, &report["bad"], project.read("bad.ndjson")), (Some(0), &json!(1), bad), "{report}");
    project_of("red,\nblue,\n");
    assert_eq!(counts(&project, &["teams.csv", "people.csv", "--skip-bad", "bad.ndjson", "--map", "text="]), (2, 2));
    assert_eq!(
        (texts(&project, "people"), project.read("bad.ndjson")),
        (vec!["anna".into(), "bob".into()], String::new())
    );
}

#[test]
fn files_that_begin_alike_go_on_each_where_it_was() {
    let project = project();
    let lines = ["{\"text\": \"a\"}\n", "{\"text\": \"b\"}\n", "{\"text\": \"c\"}\n"];
    let files = ["entries", "one.ndjson", "two.ndjson"];
    project.write("one.ndjson", &lines[..2].concat());
    project.write("two.ndjson", lines[0]);
    assert_eq!(counts(&project, &files), (3, 0));
    project.write("two.ndjson", &lines.concat());
    assert_eq!(counts(&project, &files), (2, 3));
    assert_eq!(texts(&project, "entries"), ["a", "a", "b", "b", "c"]);
    assert_eq!(counts(&project, &files), (0, 5));
}

#[test]
fn what_is_new_in_a_file_links_to_what_is_repaired_in_it() {
    let project = project();
    let file = |age: &str, more: &str| format!("name,age,boss\nanna,{age},\nbob,4,\n{more}");
    project.write("people.csv", &file("old", ""));
    assert_eq!(counts(&project, &["people.csv", "--skip-bad", "bad.ndjson"]), (1, 0));
    project.write("people.csv", &file("5", "carl,6,anna\n"));
    assert_eq!(counts(&project, &["people.csv"]), (2, 1));
    assert_eq!(texts(&project, "people"), ["anna", "bob", "carl"]);
}

#[test]
fn bad_records_are_taken_out_and_the_file_of_them_says_nothing_any_more() {
    let project = project();
    let import = ["entries.csv", "--skip-bad", "bad.ndjson"];
    project.write("entries.csv", "text,amount\nx,old\ngood,1\ny,new\n");
    assert_eq!(counts(&project, &import), (1, 0));
    assert_eq!(project.read("bad.ndjson").lines().count(), 2);
    project.write("entries.csv", "text,amount\ngood,1\nz,3\nw,wrong\n");
    assert_eq!(counts(&project, &import), (1, 1));
    let bad = project.read("bad.ndjson");
    assert!(bad.lines().count() == 1 && bad.contains("\"line\":4"), "{bad}");
    assert_eq!((texts(&project, "entries"), counts(&project, &import)), (vec!["good".into(), "z".into()], (0, 2)));
    assert_eq!(project.read("bad.ndjson"), bad);
}

/// A record that was written and is wrong only in a link is changed, not created once more.
#[test]
fn a_link_that_led_nowhere_is_repaired_in_the_record_that_is_there() {
    let project = project();
    let import = ["people.ndjson", "--skip-bad", "bad.ndjson"];
    let file = |age: u8, boss: &str| {
        format!("{{\"name\": \"bob\", \"age\": {age}, \"boss\": \"{boss}\"}}\n{{\"name\": \"anna\"}}\n")
    };
    project.write("people.ndjson", &file(4, "ana"));
    project.ok(&[&["import"], &import[..]].concat());
    let bob = || {
        stored(&project, "people", &["id", "name", "age", "boss"]).into_iter().find(|one| one["name"] == "bob").unwrap()
    };
    let before = bob();
    assert_eq!((&before["boss"], project.read("bad.ndjson").lines().count()), (&Value::Null, 1));
    project.write("people.ndjson", &file(5, "nobody"));
    project.ok(&[&["import"], &import[..]].concat());
    assert_eq!((bob()["boss"].clone(), project.read("bad.ndjson").lines().count()), (Value::Null, 1));
    project.write("people.ndjson", &file(6, "anna"));
    assert_eq!(counts(&project, &import), (1, 2));
    let after = bob();
    assert_eq!((&after["id"], &after["age"]), (&before["id"], &json!(6)));
    assert!(after["boss"].is_string(), "{after}");
    assert_eq!((texts(&project, "people").len(), project.read("bad.ndjson").as_str()), (2, ""));
}

/// So many are remembered; with one more, nobody knows any more which of a changed file are in.
#[test]
fn more_than_a_thousand_wrong_records_are_not_repaired_where_they_stand() {
    for (wrong, known) in [(1_000, true), (1_001, false)] {
        let project = project();
        let file = |size: &str| {
            let bad: Vec<String> = (0..wrong).map(|at| format!("bad {at},{size}\n")).collect();
            format!("text,amount\ngood,1\n{}", bad.concat())
        };
        project.write("entries.csv", &file("old"));
        assert_eq!(counts(&project, &["entries.csv", "--skip-bad", "bad.ndjson"]), (1, 0));
        project.write("entries.csv", &file("7"));
        if known {
            assert_eq!(counts(&project, &["entries.csv"]), (1_000, 1));
        } else {
            assert!(refused(&project, &["entries.csv"]).contains(CHANGED));
        }
    }
}

/// A run that ends between two of them has done the one, and the next one does the other.
#[test]
fn what_a_run_did_not_repair_is_left_to_the_next_one_of_the_same_file() {
    let project = project();
    let file = |first: &str, second: &str| format!("text,amount\n{first}\ngood,1\n{second}\n");
    project.write("entries.csv", &file("x,old", "y,old"));
    assert_eq!(counts(&project, &["entries.csv", "--skip-bad", "bad.ndjson"]), (1, 0));
    project.write("entries.csv", &file("x,1", "y,older"));
    for created in [1, 0] {
        let told = refused(&project, &["entries.csv"]);
        assert!(told.contains("entries.csv:4: Entry /amount"), "{told}");
        assert!(told.contains(&format!("entries.csv: {created} Entry created")), "{told}");
        assert_eq!(texts(&project, "entries"), ["good", "x"]);
    }
    project.write("entries.csv", &file("x,1", "y,2"));
    assert_eq!(counts(&project, &["entries.csv"]), (1, 2));
    assert_eq!(texts(&project, "entries"), ["good", "x", "y"]);
    assert_eq!(counts(&project, &["entries.csv"]), (0, 3));
}

//! `mainstay export`
use crate::support::Project;

/// One of everything that a field can hold.
pub(crate) const SCHEMA: &str = r#"
enum Level { LOW HIGH }
type Place @embedded { street: String! number: Int }
type Group { name: String! @unique }
type Thing {
  name: String! @unique
  text: String
  int: Int
  long: Long
  float: Float
  bool: Boolean
  decimal: Decimal @decimal(precision: 10, scale: 3)
  date: Date
  time: Time
  at: DateTime
  uuid: UUID
  json: JSON
  bytes: Bytes
  level: Level
  place: Place
  places: [Place!]
  words: [String!]!
  numbers: [Int!]
  levels: [Level!]
  owner: ID! @set(create: "auth.id")
  group: Group
  parent: Thing
  groups: [Group!]! @many
  friends: [Thing!]! @many
  children: [Thing!]! @inverse(field: "parent")
}
type Counted { id: Int! name: String }
"#;

const GROUPS: &str = "{\"name\": \"a\"}\n{\"name\": \"b\"}\n";

const THINGS: &str = concat!(
    r#"{"name": "one", "text": "\"q\", ü\n;", "int": -3, "long": "9007199254740993", "float": 0.1, "bool": false, "decimal": "1.500", "date": "2024-02-29", "time": "12:00:00", "at": "2024-02-29T12:00:00.000001Z", "uuid": "0190b4a8-2c5b-7000-8000-000000000001", "json": {"b": [1, 2.5, null], "a": "x"}, "bytes": "AAEC/w==", "level": "HIGH", "place": {"street": "s", "number": 4}, "places": [{"street": "t"}], "words": ["x", "y;z", "NA"], "numbers": [1, 2], "levels": ["LOW"], "group": "b", "parent": "two", "groups": ["b", "a"], "friends": ["two", "one"]}"#,
    "\n",
    r#"{"name": "two", "words": [], "json": "text", "owner": "somebody", "parent": "one", "groups": [], "friends": []}"#,
    "\n",
);

/// A project with one of everything.
pub(crate) fn filled() -> Project {
    fill(Project::with_schema(SCHEMA))
}

/// The same, in a project whose schema is this one.
pub(crate) fn fill(project: Project) -> Project {
    project.ok(&["apply", "--yes"]);
    project.write("groups.ndjson", GROUPS);
    project.write("things.ndjson", THINGS);
    project.write("counteds.ndjson", "{\"id\": 7, \"name\": \"seven\"}\n{\"id\": 12}\n");
    project.ok(&["import", "groups.ndjson"]);
    project.ok(&["import", "things.ndjson"]);
    project.ok(&["import", "counteds.ndjson"]);
    project
}

/// What is exported, imported elsewhere and exported there is the same, byte for byte.
fn comes_back(format: &str, more: &[&str]) {
    let first = filled();
    first.ok(&[&["export", "--format", format, "--out", "out"], more].concat());
    let second = Project::with_schema(SCHEMA);
    second.ok(&["apply", "--yes"]);
    let files = ["groups", "things", "counteds"].map(|name| format!("{name}.{format}"));
    for file in &files {
        second.write(file, &first.read(&format!("out/{file}")));
        second.ok(&[&["import", file.as_str()], more].concat());
    }
    second.ok(&[&["export", "--format", format, "--out", "out"], more].concat());
    for file in &files {
        let text = first.read(&format!("out/{file}"));
        assert!(text.len() > 50, "{file}: {text}");
        assert_eq!(text, second.read(&format!("out/{file}")), "{file}");
    }
}

#[test]
fn what_is_exported_as_ndjson_comes_back_the_same() {
    comes_back("ndjson", &[]);
}

#[test]
fn what_is_exported_as_json_comes_back_the_same() {
    comes_back("json", &[]);
}

#[test]
fn what_is_exported_as_csv_comes_back_the_same() {
    comes_back("csv", &[]);
}

#[test]
fn an_export_tells_its_files_and_leaves_no_half_ones() {
    let project = filled();
    let (code, json) = project.json(&["export", "things", "Group", "--out", "out"]);
    assert_eq!(code, Some(0));
    assert_eq!(json["files"][0]["collection"], "Thing");
    assert_eq!(json["files"][0]["records"], 2);
    assert_eq!(json["files"][1]["file"], "out/groups.ndjson");
    let names = std::fs::read_dir(project.path("out")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["groups.ndjson", "things.ndjson"]);
}

#[test]
fn the_standard_output_takes_one_collection_or_one_object() {
    let project = filled();
    let lines = project.ok(&["export", "groups", "--out", "-"]);
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(project.ok(&["export", "groups", "--format", "csv", "--out", "-"]).starts_with("id,name,"));
    let object: serde_json::Value =
        serde_json::from_str(&project.ok(&["export", "--format", "json", "--out", "-"])).unwrap();
    assert_eq!(object["groups"].as_array().unwrap().len(), 2);
    let friends = |at: usize| object["things"][at]["friends"].as_array().unwrap().len();
    assert_eq!(friends(0) + friends(1), 2);
    assert_eq!(object["counteds"].as_array().unwrap().len(), 2);
    let ran = project.run(&["export", "--out", "-"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("the standard output takes one collection"), "{ran:?}");
}

#[test]
fn a_collection_that_is_not_there_is_told() {
    let ran = filled().run(&["export", "thing", "--out", "out"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("there is no collection \"thing\""), "{ran:?}");
    assert!(ran.stderr.contains("do you mean \"things\"?"), "{ran:?}");
}

#[test]
fn a_text_that_csv_cannot_tell_from_null_is_refused() {
    let project = Project::with_schema("type Note { text: String }");
    project.ok(&["apply", "--yes"]);
    project.write("notes.ndjson", "{\"text\": \"\"}\n{\"text\": null}\n");
    project.ok(&["import", "notes.ndjson"]);
    let ran = project.run(&["export", "--format", "csv", "--out", "out"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("the text \"\" in \"text\" would be read back as null"), "{ran:?}");
    assert_eq!(std::fs::read_dir(project.path("out")).unwrap().count(), 0, "half a file is left");
    project.ok(&["export", "--format", "csv", "--null", "NA", "--out", "out"]);
    assert!(project.read("out/notes.csv").lines().nth(2).unwrap().contains(",NA,"));
}

#[test]
fn what_a_killed_export_left_is_written_anew_and_told() {
    let project = filled();
    project.write("out/.groups.ndjson.part", "half a record that is longer than all that comes\n".repeat(100).as_str());
    let ran = project.run(&["export", "groups", "--out", "out"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("out/.groups.ndjson.part: left by an export that did not end"), "{ran:?}");
    assert_eq!(project.read("out/groups.ndjson").lines().count(), 2);
    assert!(!project.path("out/.groups.ndjson.part").exists());
    let again = project.run(&["export", "groups", "--out", "out"]);
    assert!(again.code == Some(0) && !again.stderr.contains("did not end"), "{again:?}");
}

#[test]
fn null_is_for_csv() {
    for format in ["ndjson", "json"] {
        let ran = filled().run(&["export", "--format", format, "--null", "NA", "--out", "out"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("--null says what null is written as in CSV"), "{ran:?}");
    }
}

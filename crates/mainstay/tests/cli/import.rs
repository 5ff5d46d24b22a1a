//! `mainstay import`
use reqwest::StatusCode;
use serde_json::json;

use crate::support::Project;

const SECRET: &str = "a secret of the tests that is long enough";

#[test]
fn the_example_is_imported_with_its_links() {
    let project = Project::skillmap();
    project.ok(&["apply", "--yes"]);
    let (code, json) = project.json(&["import", "seed/skillmap.json"]);
    assert_eq!(code, Some(0), "{json}");
    let created = json["collections"].as_array().unwrap();
    let counts: Vec<_> =
        created.iter().map(|one| (one["collection"].as_str().unwrap(), one["created"].as_u64().unwrap())).collect();
    assert_eq!(counts, [("Category", 3), ("Skill", 32)]);
}

#[tokio::test]
async fn csv_and_ndjson_go_into_the_collection_that_is_named() {
    let project = Project::skillmap().env("MAINSTAY_AUTH_JWT_SECRET", SECRET);
    project.ok(&["apply", "--yes"]);
    project.write("categories.csv", "slug,name,position\nnew,\"New, and more\",4\nnewer,Newer,5\n");
    project.write("more.ndjson", concat!(
        "{\"slug\": \"a\", \"name\": \"A\", \"category\": \"new\", \"practice\": \"p\", \"technologies\": [], \"requires\": [\"b\"]}\n",
        "{\"slug\": \"b\", \"name\": \"B\", \"category\": \"newer\", \"practice\": \"p\", \"technologies\": [\"x\"], \"requires\": []}\n",
    ));
    assert!(project.ok(&["import", "categories.csv"]).contains("categories.csv: 2 Category created"));
    assert!(project.ok(&["import", "skills", "more.ndjson"]).contains("more.ndjson: 2 Skill created"));
    let server = project.start(&["serve"]);
    let fields = ("fields", "name,category(name),requires(slug)");
    let (status, skill) = server.get("/api/skills/by/slug/a", &[fields], None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(skill, json!({"name": "A", "category": {"name": "New, and more"}, "requires": [{"slug": "b"}]}));
}

#[test]
fn wrong_records_are_named_with_their_place() {
    let project = Project::skillmap();
    project.ok(&["apply", "--yes"]);
    project.write("categories.ndjson", "{\"slug\": \"ok\", \"name\": \"n\", \"position\": 1}\n{\"slug\": \"Not so\", \"name\": \"n\", \"position\": 1}\n");
    let ran = project.run(&["import", "categories.ndjson"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("categories.ndjson:2: Category"), "{ran:?}");
    assert!(ran.stdout.contains("small letters, digits and dashes"), "{ran:?}");
}

#[test]
fn a_key_without_an_address_is_refused() {
    let project = Project::with_schema("type Page @rules(read: \"true\") { id: String! text: String }");
    project.ok(&["apply", "--yes"]);
    project.write("pages.ndjson", "{\"id\": \"a\"}\n{\"id\": \"..\"}\n");
    let ran = project.run(&["import", "pages.ndjson"]);
    assert_eq!(ran.code, Some(1));
    let told = "pages.ndjson:2: Page /id: \"..\" is no key: no address leads to it";
    assert!(ran.stdout.contains(told), "{ran:?}");
}

#[test]
fn what_is_neither_a_collection_nor_a_file_is_told() {
    let project = Project::skillmap();
    project.ok(&["apply", "--yes"]);
    let said = |arguments: &[&str]| {
        let ran = project.run(&[&["import"], arguments].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        ran.stderr
    };
    assert!(said(&["skils", "x.csv"]).contains("\"skils\" is neither a collection nor a file"));
    assert!(said(&["skils", "x.csv"]).contains("do you mean \"skills\"?"));
    assert!(said(&["zebras", "x.csv"]).contains("the collections are categories, skills"));
    assert!(said(&["skills"]).contains("collection \"skills\" is named, and no file"));
    assert!(said(&["skills", "missing.csv"]).contains("missing.csv"));
    project.write("unnamed.csv", "slug\nx\n");
    assert!(said(&["unnamed.csv"]).contains("there is no collection \"unnamed\""));
    project.write("skills.xml", "<x/>");
    assert!(said(&["skills.xml"]).contains("its form is not known"));
}

#[test]
fn nothing_is_imported_into_a_database_that_does_not_match() {
    let ran = Project::skillmap().run(&["import", "seed/skillmap.json"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("the database does not match the schema"), "{}", ran.stderr);
}

const PEOPLE: &str = r#"
type Team { name: String! @unique lead: Person }
type Person @path(name: "people") @check(expr: "age == null || age >= 0", message: "nobody is that young") {
  name: String! @unique @check(expr: "size(name) <= 40")
  age: Int
  team: Team
  boss: Person
  friends: [Person!]! @many
  seen: DateTime
}
type Entry { text: String! }
"#;

fn people() -> Project {
    let project = Project::with_schema(PEOPLE);
    project.ok(&["apply", "--yes"]);
    project
}

/// What is stored of a collection, without what the server gave.
pub(crate) fn stored(project: &Project, collection: &str, fields: &[&str]) -> Vec<serde_json::Value> {
    let text = project.ok(&["export", collection, "--out", "-"]);
    let record = |line: &str| {
        let mut json: serde_json::Value = serde_json::from_str(line).unwrap();
        let members = json.as_object_mut().unwrap();
        members.retain(|name, _| fields.contains(&name.as_str()));
        json
    };
    text.lines().map(record).collect()
}

/// The names of the records of a collection, in their order.
pub(crate) fn names(project: &Project, collection: &str) -> Vec<String> {
    let stored = stored(project, collection, &["name"]);
    let mut names: Vec<String> = stored.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// What an import says that must be refused.
pub(crate) fn refused(project: &Project, arguments: &[&str]) -> String {
    let ran = project.run(&[&["import"], arguments].concat());
    assert_eq!(ran.code, Some(1), "{arguments:?}: {ran:?}");
    ran.stdout + &ran.stderr
}

#[test]
fn a_killed_import_goes_on_and_nothing_comes_in_twice() {
    let project = people();
    const COUNT: usize = 40_000;
    let lines: Vec<String> = (0..COUNT).map(|number| format!("{{\"text\": \"entry {number}\"}}\n")).collect();
    project.write("entries.ndjson", &lines.concat());
    let mut import = project.spawn(&["import", "entries.ndjson", "--json"]);
    import.wait_for("\"progress\"");
    import.signal("KILL");
    import.wait();
    let (code, report) = project.json(&["import", "entries.ndjson"]);
    assert_eq!(code, Some(0), "{report}");
    let counts = &report["collections"][0];
    let (created, already) = (counts["created"].as_u64().unwrap(), counts["already"].as_u64().unwrap());
    assert!(already > 0, "{report}");
    assert_eq!(created + already, COUNT as u64);
    let mut texts: Vec<String> =
        stored(&project, "entries", &["text"]).iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), COUNT);
    // All of it is there: nothing more comes in, also when the file has grown, but for what it has grown by.
    project.write("entries.ndjson", &(lines.concat() + "{\"text\": \"one more\"}\n"));
    let (_, report) = project.json(&["import", "entries.ndjson"]);
    assert_eq!(report["collections"][0]["created"], 1, "{report}");
    let (_, report) = project.json(&["import", "entries.ndjson"]);
    assert_eq!(report["collections"][0]["created"], 0, "{report}");
    assert_eq!(project.ok(&["export", "entries", "--out", "-"]).lines().count(), COUNT + 1);
}

#[test]
fn links_in_circles_over_files_find_each_other() {
    let project = people();
    project.write("data/import/teams.csv", "name,lead\nred,anna\nblue,\n");
    project.write(
        "data/import/people.ndjson",
        concat!(
            "{\"name\": \"bob\", \"boss\": \"anna\", \"team\": \"red\", \"friends\": [\"carl\", \"bob\", \"anna\"]}\n",
            "{\"name\": \"anna\", \"boss\": \"anna\", \"team\": \"red\", \"friends\": []}\n",
            "{\"name\": \"carl\", \"boss\": \"bob\", \"team\": \"blue\", \"friends\": [\"anna\"]}\n",
        ),
    );
    project.ok(&["import", "data/import"]);
    let people = stored(&project, "people", &["id", "name", "boss", "friends", "version"]);
    let id = |name: &str| people.iter().find(|one| one["name"] == name).unwrap()["id"].clone();
    let of = |name: &str| people.iter().find(|one| one["name"] == name).unwrap().clone();
    assert_eq!(of("bob")["boss"], id("anna"));
    assert_eq!(of("anna")["boss"], id("anna"));
    assert_eq!(of("carl")["boss"], id("bob"));
    let mut friends = [id("bob"), id("anna"), id("carl")].map(|id| id.as_str().unwrap().to_owned());
    friends.sort();
    assert_eq!(of("bob")["friends"], json!(friends));
    assert!(people.iter().all(|one| one["version"] == 1), "{people:?}");
    let teams = stored(&project, "teams", &["name", "lead"]);
    assert!(teams.contains(&json!({"name": "red", "lead": id("anna")})), "{teams:?}");
}

#[test]
fn links_that_lead_nowhere_are_refused_or_left_out() {
    let project = people();
    project.write("people.csv", "name,age,boss\nanna,30,\nbob,NA,nobody\n");
    let ran = project.run(&["import", "people.csv", "--null", "NA", "--null", ""]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stdout.contains("people.csv:3: Person /boss: no \"Person\" has the key or a unique \"nobody\""),
        "{ran:?}"
    );
    assert!(stored(&project, "people", &["name"]).is_empty());
    // All that is wrong, in the order of the lines: what cannot be read between what leads nowhere.
    project.write(
        "people.ndjson",
        concat!(
            "{\"name\": \"a\", \"age\": 1, \"boss\": \"nobody\"}\n",
            "{\"name\": \"b\", \"age\": 1e-400}\n",
            "{\"name\": \"c\", \"age\": 1, \"boss\": \"nobody else\"}\n",
        ),
    );
    let ran = project.run(&["import", "people.ndjson"]);
    let at =
        |line: &str| ran.stdout.find(&format!("people.ndjson:{line}: ")).unwrap_or_else(|| panic!("{line}: {ran:?}"));
    assert!(at("1") < at("2") && at("2") < at("3"), "{ran:?}");
    let told = project.ok(&["import", "people.csv", "--null", "NA", "--null", "", "--missing-links", "null"]);
    assert!(told.contains("2 Person created, 1 links left out"), "{told}");
    assert_eq!(
        stored(&project, "people", &["name", "age", "boss"])[1],
        json!({"name": "bob", "age": null, "boss": null})
    );
}

#[test]
fn what_is_there_is_changed_where_that_is_asked_for() {
    let project = people();
    project.write("people.csv", "name,age\nanna,30\nbob,40\n");
    project.ok(&["import", "people.csv"]);
    project.write("more.csv", "name,age\nbob,41\ncarl,50\ncarl,51\n");
    let told = project.ok(&["import", "people", "more.csv", "--upsert", "name"]);
    assert!(told.contains("1 Person created, 2 updated"), "{told}");
    let people = stored(&project, "people", &["name", "age", "version"]);
    let expected = [
        json!({"name": "anna", "age": 30, "version": 1}),
        json!({"name": "bob", "age": 41, "version": 2}),
        json!({"name": "carl", "age": 51, "version": 2}),
    ];
    assert_eq!(people, expected);
    let ran = project.run(&["import", "people", "more.csv", "--upsert", "age", "--again"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("\"age\" of \"Person\" is not unique"), "{ran:?}");
}

#[test]
fn bad_records_are_put_aside_with_their_reasons() {
    let project = people();
    project.write("first.ndjson", "{\"name\": \"anna\"}\n");
    project.ok(&["import", "people", "first.ndjson"]);
    project.write(
        "people.ndjson",
        concat!(
            "{\"name\": \"bob\"}\n",
            "{\"name\": \"anna\"}\n",
            "not json\n",
            "{\"name\": \"carl\", \"age\": -1}\n",
            "{\"name\": \"dora\", \"boss\": \"nobody\"}\n",
            "{\"name\": \"emil\", \"age\": \"old\", \"nme\": 1}\n",
            "{\"name\": \"bob\"}\n",
            "{\"name\": \"fred\"}\n",
        ),
    );
    let ran = project.run(&["import", "people.ndjson", "--skip-bad", "bad.ndjson"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mut names: Vec<String> =
        stored(&project, "people", &["name"]).iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    // Whom a record of the same file may still follow is known only in the end: it comes in without that link.
    names.retain(|name| name != "dora");
    assert_eq!(names, ["anna", "bob", "fred"]);
    let bad: Vec<serde_json::Value> =
        project.read("bad.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut lines: Vec<u64> = bad.iter().map(|one| one["line"].as_u64().unwrap()).collect();
    lines.sort_unstable();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7], "{bad:?}");
    let of = |line: u64| bad.iter().find(|one| one["line"] == line).unwrap();
    assert_eq!(of(2)["errors"][0]["message"], "another \"Person\" has the same \"name\"");
    assert_eq!(of(3)["record"], "not json");
    assert_eq!(of(4)["errors"][0]["message"], "nobody is that young");
    assert_eq!(of(6)["errors"].as_array().unwrap().len(), 2);
}

#[test]
fn odd_bytes_are_told_with_their_line_and_nothing_is_written() {
    let project = people();
    let huge = format!("name\n\"{}", "x".repeat(17 * 1024 * 1024));
    let cases: [(&str, &[u8], &str); 14] = [
        ("people.csv", b"name,age\nanna,30\nb\xff,3\n", ":3: Person /name: column 1 is not valid UTF-8"),
        ("people.csv", b"name,age\nanna\n", ":2: Person: the line has 1 cells, the first line has 2 names"),
        ("people.csv", b"name,name\na,b\n", "the column \"name\" comes twice"),
        ("people.csv", b"name,agee\na,b\n", "the column \"agee\" is no field of \"Person\""),
        ("people.csv", b"", "is empty"),
        ("people.csv", b"name,age\n\"a\nb\",1\nc,99999999999\n", ":4: Person /age: "),
        ("people.csv", b"name\na\0b\n", ":2: Person /name: "),
        ("people.csv", huge.as_bytes(), "line 2: the record that begins here is too long; a quote may not be closed"),
        ("people.ndjson", b"{\"name\": \"a\", \"name\": \"b\"}\n", ":1: Person: the key \"name\" comes twice"),
        ("people.ndjson", b"{\"name\": \"a\xff\"}\n", ":1: Person: this is not valid UTF-8"),
        ("people.ndjson", b"\n{\"name\": \"a\", \"age\": 1e400}\n", ":2: Person: this number is out of range"),
        ("people.ndjson", b"[1]\n", ":1: Person: expected an object, got an array"),
        ("people.json", b"[{\"name\": \"a\"} {\"name\": \"b\"}]", "\",\" is missing at line 1 column 16"),
        ("people.json", b"[{\"name\": \"a\"}, 5]", ":1: Person /1: expected an object, got a number"),
    ];
    for (file, bytes, expected) in cases {
        std::fs::write(project.path(file), bytes).unwrap();
        let ran = project.run(&["import", "people", file]);
        assert_eq!(ran.code, Some(1), "{expected}: {ran:?}");
        assert!((ran.stdout.clone() + &ran.stderr).contains(expected), "{expected}: {ran:?}");
        assert!(stored(&project, "people", &["name"]).is_empty(), "{expected}");
    }
}

/// What is wrong anywhere in small files comes at once, in their order, and nothing is written.
#[test]
fn wrong_values_links_and_lines_are_told_together_before_anything_is_written() {
    let schema = PEOPLE.replace(
        "type Entry { text: String! }",
        "type Entry { text: String! of: Person! \
        @onDelete(do: CASCADE) with: Person @check(expr: \"with == null || with == of\", message: \"itself\") }",
    );
    let project = Project::with_schema(&schema);
    project.ok(&["apply", "--yes"]);
    project.write(
        "people.ndjson",
        concat!(
            "{\"name\": \"anna\", \"age\": 30, \"boss\": \"bob\"}\n",
            "{\"name\": \"bob\", \"age\": -1}\n",
            "{\"age\": \"old\", \"nme\": 1}\n",
            "{\"name\": \"carl\", \"boss\": \"nobody\", \"seen\": \"soon\"}\n",
            "not json\n",
        ),
    );
    project.write("entries.csv", "text,of,with\na,anna,bob\nb,,\n,carl,\nc,anna,anna\n");
    let ran = project.run(&["import", "entries.csv", "people.ndjson"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for told in [
        "people.ndjson:2: Person: nobody is that young",
        "people.ndjson:3: Person /age: ",
        "people.ndjson:3: Person /nme: ",
        "people.ndjson:3: Person /name: \"name\" is required",
        "people.ndjson:4: Person /boss: no \"Person\" has the key or a unique \"nobody\"",
        "people.ndjson:4: Person /seen: ",
        "people.ndjson:5: Person: ",
        "entries.csv:3: Entry /of: \"of\" is required",
        "entries.csv:4: Entry /text: ",
    ] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
    // What a check comes to that reads a link is known once the link is.
    assert!(!ran.stdout.contains("itself"), "{}", ran.stdout);
    assert!(stored(&project, "people", &["name"]).is_empty());
    project.write("people.ndjson", "{\"name\": \"anna\"}\n{\"name\": \"bob\"}\n");
    project.write("entries.csv", "text,of,with\na,anna,\nc,bob,bob\n");
    project.ok(&["import", "entries.csv", "people.ndjson"]);
    assert_eq!(stored(&project, "entries", &["text"]).len(), 2);
    // A change of a record that is there may leave out what is required of a new one.
    project.write("people.ndjson", "{\"name\": \"anna\", \"age\": 31}\n");
    project.ok(&["import", "people.ndjson", "--upsert", "name"]);
}

#[test]
fn marks_line_ends_and_quotes_are_understood() {
    let project = people();
    let text = b"\xEF\xBB\xBFname,age,note\r\n\"an\"\"na\",30,x\r\n\"b\r\nob\",,\r\n";
    std::fs::write(project.path("people.csv"), text).unwrap();
    project.ok(&["import", "people.csv", "--map", "note="]);
    std::fs::write(project.path("more.ndjson"), b"\xEF\xBB\xBF{\"name\": \"carl\"}\r\n\r\n{\"name\": \"dora\"}")
        .unwrap();
    project.ok(&["import", "people", "more.ndjson"]);
    std::fs::write(project.path("people.json"), b"\xEF\xBB\xBF [\n{\"who\": \"emil\"}\n]\n").unwrap();
    project.ok(&["import", "people.json", "--map", "who=name", "--upsert", "name"]);
    let names: Vec<_> = stored(&project, "people", &["name"]).iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["an\"na", "b\r\nob", "carl", "dora", "emil"]);
}

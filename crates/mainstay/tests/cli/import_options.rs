//! `mainstay import`: what its options are for, and what else they are refused with
use serde_json::json;

use crate::{
    import::{names, refused, stored},
    support::Project,
};

const SCHEMA: &str = r#"
type Person @path(name: "people") { name: String! @unique age: Int note: String }
type Team { name: String! @unique }
"#;

fn people() -> Project {
    Project::applied(SCHEMA)
}

#[test]
fn null_is_for_csv() {
    let project = people();
    project.write("data/people.ndjson", "{\"name\": \"NA\"}\n");
    project.write("teams.json", "[{\"name\": \"red\"}]");
    for files in [&["data/people.ndjson"][..], &["teams.json"], &["teams.json", "data/people.ndjson"], &["data"]] {
        let told = refused(&project, &[files, &["--null", "NA"]].concat());
        assert!(told.contains("--null says which cells of CSV are null, and nothing that is loaded is CSV"), "{told}");
    }
    assert!(names(&project, "people").is_empty());
    // Beside CSV there may be others.
    project.write("data/teams.csv", "name\nblue\n");
    project.ok(&["import", "data", "--null", "NA"]);
    assert_eq!((names(&project, "people"), names(&project, "teams")), (vec!["NA".into()], vec!["blue".into()]));
}

#[test]
fn bad_records_never_overwrite_what_is_not_theirs() {
    let project = people();
    let text = "name,age\nanna,30\nbob,old\n";
    project.write("people.csv", text);
    std::os::unix::fs::symlink(project.path("people.csv"), project.path("other.csv")).unwrap();
    for bad in ["people.csv", "./people.csv", "data/../people.csv", "other.csv"] {
        std::fs::create_dir_all(project.path("data")).unwrap();
        let told = refused(&project, &["people.csv", "--skip-bad", bad]);
        assert!(told.contains("is loaded, so that nothing can be written to it"), "{bad}: {told}");
        assert_eq!(project.read("people.csv"), text);
    }
    std::fs::hard_link(project.path("people.csv"), project.path("same.csv")).unwrap();
    project.write("letters.txt", "dear anna");
    project.write("other.ndjson", "{\"source\":\"other.csv\",\"collection\":\"Person\"}\n");
    for bad in ["same.csv", "letters.txt", "other.ndjson"] {
        let before = project.read(bad);
        let told = refused(&project, &["people.csv", "--skip-bad", bad]);
        assert!(told.contains("bytes that no import of these files wrote"), "{bad}: {told}");
        assert_eq!(project.read(bad), before);
    }
    assert!(names(&project, "people").is_empty());
}

#[test]
fn the_file_of_bad_records_is_this_imports_own_again() {
    let project = people();
    project.write("people.csv", "name,age\nanna,30\nbob,old\n");
    project.write("bad.ndjson", "");
    project.ok(&["import", "people.csv", "--skip-bad", "bad.ndjson"]);
    let bad = project.read("bad.ndjson");
    assert_eq!(bad.lines().count(), 1, "{bad}");
    project.ok(&["import", "people.csv", "--skip-bad", "bad.ndjson"]);
    assert_eq!(project.read("bad.ndjson"), bad);
    project.ok(&["import", "people.csv", "--skip-bad", "bad.ndjson", "--again"]);
    let bad = project.read("bad.ndjson");
    assert!(bad.lines().count() == 2 && bad.contains("another \\\"Person\\\" has the same"), "{bad}");
}

/// What another file of an import before put aside is not in the way of this one's.
#[test]
fn bad_records_of_a_file_that_is_not_loaded_again_are_kept() {
    let project = people();
    project.write("people.csv", "name,age\nbob,old\n");
    project.write("teams.ndjson", "{\"name\": 7}\n");
    for (files, others) in
        [(["people.csv", "teams.ndjson"], "people.csv"), (["teams.ndjson", "people.csv"], "teams.ndjson")]
    {
        project.ok(&[&["import"], &files[..], &["--again", "--skip-bad", "bad.ndjson"]].concat());
        let bad = project.read("bad.ndjson");
        assert_eq!(bad.lines().count(), 2, "{bad}");
        let told = refused(&project, &[others, "--skip-bad", "bad.ndjson"]);
        assert!(told.contains("bytes that no import of these files wrote"), "{told}");
        assert_eq!(project.read("bad.ndjson"), bad);
    }
}

#[test]
fn a_name_that_is_mapped_must_be_there() {
    let project = people();
    project.write("people.csv", "full_name,age,remark\nanna,30,x\n");
    project.write("people.ndjson", "{\"name\": \"bob\"}\nno json\n{\"name\": \"carl\", \"remark\": \"y\"}\n");
    project.write("all.json", "{\"teams\": [{\"title\": \"red\"}], \"people\": [{\"name\": \"dora\"}]}");
    for (file, map, near) in [
        ("people.csv", "fullname=name", Some("full_name")),
        ("people.csv", "ages=", Some("age")),
        ("people.ndjson", "remarks=note", Some("remark")),
        ("all.json", "titel=name", Some("title")),
        ("people.ndjson", "zebra=note", None),
    ] {
        let told = refused(&project, &[file, "--map", map]);
        let name = map.split('=').next().unwrap();
        assert!(told.contains(&format!("--map {name}: no column and no record has the name \"{name}\"")), "{told}");
        let hint = near.map(|near| format!("did you mean \"{near}\"?"));
        assert!(hint.is_none_or(|hint| told.contains(&hint)), "{told}");
    }
    assert!(names(&project, "people").is_empty() && names(&project, "teams").is_empty());
    // One of several files has it, and not each of its records.
    project.write("people.ndjson", "{\"name\": \"bob\"}\n{\"name\": \"carl\", \"remark\": \"y\"}\n");
    let maps = ["--map", "full_name=name", "--map", "remark=note", "--map", "title=name"];
    project.ok(&[&["import", "people.csv", "people.ndjson", "all.json"][..], &maps].concat());
    assert_eq!(names(&project, "people"), ["anna", "bob", "carl", "dora"]);
    assert_eq!(names(&project, "teams"), ["red"]);
    // What goes on looks at what is done already, too.
    let told = project.ok(&[&["import", "people.csv", "people.ndjson", "all.json"][..], &maps].concat());
    assert!(told.contains("people.csv: 0 Person created, 1 loaded before"), "{told}");
}

#[test]
fn a_name_that_is_mapped_must_be_in_the_standard_input_too() {
    let project = people();
    let piped = |text: &str, format: &str, map: &str| {
        let mut command = project.command_of(env!("CARGO_BIN_EXE_mainstay"));
        command.args(["import", "people", "-", "--format", format, "--map", map]);
        piped(command, text)
    };
    let (code, told) = piped("name\nanna\n", "csv", "nme=age");
    assert!(code == Some(1) && told.contains("did you mean \"name\"?"), "{told}");
    assert!(names(&project, "people").is_empty());
    let (code, told) = piped("full_name\nanna\n", "csv", "full_name=name");
    assert_eq!(code, Some(0), "{told}");
    // Of lines it is known once they are loaded.
    let (code, told) = piped("{\"name\": \"bob\", \"note\": \"x\"}\n", "ndjson", "not=age");
    assert!(
        code == Some(0) && told.contains("--map not: no record had the name \"not\"; did you mean \"note\"?"),
        "{told}"
    );
    let (code, told) = piped("{\"nick\": \"carl\"}\n", "ndjson", "nick=name");
    assert!(code == Some(0) && !told.contains("--map"), "{told}");
}

/// Runs a command that reads its standard input; what it says on both outputs.
fn piped(mut command: std::process::Command, text: &str) -> (Option<i32>, String) {
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn a_file_is_loaded_once() {
    let project = people();
    project.write("data/people.csv", "name\nanna\n");
    for files in [["data", "data/people.csv"], ["data/people.csv", "./data/../data/people.csv"]] {
        let told = refused(&project, &files);
        assert!(told.contains("people.csv is named twice"), "{told}");
    }
    assert!(names(&project, "people").is_empty());
}

#[test]
fn links_that_are_left_out_are_counted_beside_records_that_are_put_aside() {
    let project = Project::applied("type Node { id: Int! name: String! @unique next: Node many: [Node!]! @many }");
    let one =
        |name: &str, next: &str| format!("{{\"name\": \"{name}\", \"next\": \"{next}\", \"many\": [\"x\", \"y\"]}}\n");
    project.write("nodes.ndjson", &[one("a", "none"), one("a", "none"), one("b", "none")].concat());
    let (code, report) =
        project.json(&["import", "nodes.ndjson", "--missing-links", "null", "--skip-bad", "bad.ndjson"]);
    let of = &report["collections"][0];
    assert_eq!((code, &of["created"], &of["linksLeftOut"]), (Some(0), &2.into(), &6.into()), "{report}");
}

#[test]
fn of_many_members_that_are_no_lists_the_first_are_told() {
    let project = people();
    for (count, more) in
        [(20, None), (21, Some("1 more of all.json are no lists")), (60_000, Some("59980 more of all.json"))]
    {
        let members: Vec<String> = (0..count).map(|at| format!("\"m{at}\": {at}")).collect();
        project.write("all.json", &format!("{{{}, \"teams\": []}}", members.join(", ")));
        let told = project.ok(&["import", "all.json"]);
        assert_eq!(told.matches("is a number, not a list, and was passed over").count(), 20, "{told}");
        assert!(told.contains("\"m19\"") && !told.contains("\"m20\""), "{told}");
        assert!(told.contains(more.unwrap_or("passed over")) && told.contains(" more of") == more.is_some(), "{told}");
    }
    project.write("all.json", "{\"m\": 1, \"teams\": [], \"m\": 2}");
    assert!(refused(&project, &["all.json"]).contains("the key \"m\" comes twice"));
}

#[test]
fn types_are_changed_each_by_its_own_field() {
    let project = Project::applied(
        r#"
type Room { code: String! @unique label: String @unique lead: Guest }
type Guest { mail: String! @unique label: String @unique room: Room }
"#,
    );
    let load = |rooms: &str, guests: &str, options: &[&str]| {
        project.write("rooms.ndjson", rooms);
        project.write("guests.ndjson", guests);
        [&["rooms.ndjson", "guests.ndjson"], options].concat().iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()
    };
    let (rooms, guests) =
        (r#"{"code": "r1", "label": "a", "lead": "g1"}"#, r#"{"mail": "g1", "label": "b", "room": "r1"}"#);
    for (options, told) in [
        (&["--upsert", "code"][..], "no field named \"code\" in \"Guest\""),
        (&["--upsert", "code", "--upsert", "label"], "records of \"Room\" are changed by \"code\" or by \"label\""),
        (&["--upsert", "Room.code", "--upsert", "Room.label"], "--upsert Room.code alone says which"),
        (&["--upsert", "Room.code"], "nothing says by which field records of \"Guest\" are changed"),
        (
            &["--upsert", "label", "--upsert", "Desk.code"],
            "--upsert Desk.code: nothing that is loaded is changed by it",
        ),
        (&["--upsert", "label", "--upsert", "nope"], "--upsert nope: nothing that is loaded is changed by it"),
        (&["--upsert", "label", "--upsert", "Room.nope"], "no field named \"nope\" in \"Room\""),
        (&["--upsert", "label", "--upsert", "Room.lead"], "\"lead\" of \"Room\" is not unique"),
    ] {
        let files = load(rooms, guests, options);
        let said = refused(&project, &files.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(said.contains(told), "{options:?}: {said}");
    }
    assert!(stored(&project, "rooms", &["code"]).is_empty());
    for (options, label) in [
        (&["--upsert", "code", "--upsert", "mail"][..], "c"),
        (&["--upsert", "mail", "--upsert", "Room.code"], "d"),
        (&["--upsert", "label", "--upsert", "Room.code", "--upsert", "Guest.mail"], "e"),
    ] {
        let rooms = rooms.replace("\"a\"", &format!("\"{label}\""));
        let guests = guests.replace("\"b\"", &format!("\"{label}\""));
        let files = load(&rooms, &guests, options);
        let arguments: Vec<&str> = ["import"].into_iter().chain(files.iter().map(String::as_str)).collect();
        // Of both types; a field of one type counts before one of all, which is used nowhere then.
        let ran = project.run(&arguments);
        assert_eq!(ran.code == Some(0), label != "e", "{options:?}: {}", ran.stderr);
        let wanted = if label == "e" { "d" } else { label };
        assert_eq!(stored(&project, "rooms", &["code", "label"]), [json!({"code": "r1", "label": wanted})]);
        assert_eq!(stored(&project, "guests", &["mail", "label"]), [json!({"mail": "g1", "label": wanted})]);
    }
}

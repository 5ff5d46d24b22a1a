//! `mainstay import`: what its options are for, and what else they are refused with
use crate::support::Project;

use crate::import::stored;

const SCHEMA: &str = r#"
type Person @path(name: "people") { name: String! @unique age: Int note: String }
type Team { name: String! @unique }
"#;

fn people() -> Project {
    let project = Project::with_schema(SCHEMA);
    project.ok(&["apply", "--yes"]);
    project
}

/// What a command says that must be refused.
fn refused(project: &Project, arguments: &[&str]) -> String {
    let ran = project.run(&[&["import"], arguments].concat());
    assert_eq!(ran.code, Some(1), "{arguments:?}: {ran:?}");
    ran.stdout + &ran.stderr
}

fn names(project: &Project, collection: &str) -> Vec<String> {
    let mut names: Vec<String> =
        stored(project, collection, &["name"]).iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
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

//! `mainstay import`: which file is which, and what of it is in, when it is imported once more
use crate::{
    import::{refused, stored},
    import_repaired::{counts, texts},
    support::Project,
};

const SCHEMA: &str = r#"
type Team { name: String! @unique age: Int }
type Entry { text: String! amount: Int }
"#;

fn project() -> Project {
    Project::applied(SCHEMA)
}

/// Records as lines of JSON.
fn lines(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("{{\"text\": \"{text}\"}}\n")).collect()
}

fn ages(project: &Project) -> String {
    let ages: Vec<String> = stored(project, "teams", &["age"]).iter().map(|one| one["age"].to_string()).collect();
    ages.join(",")
}

#[test]
fn files_that_begin_alike_are_each_itself_while_all_of_them_are_there() {
    let project = project();
    project.write("one.ndjson", &lines(&["x"]));
    project.write("two.ndjson", &lines(&["x", "y"]));
    assert_eq!(counts(&project, &["entries", "one.ndjson"]), (1, 0));
    assert_eq!(counts(&project, &["entries", "two.ndjson"]), (2, 0));
    for (file, records) in [("one.ndjson", 1), ("two.ndjson", 2), ("one.ndjson", 1)] {
        assert_eq!(counts(&project, &["entries", file]), (0, records), "{file}");
    }
    assert_eq!(texts(&project, "entries"), ["x", "x", "y"]);
    // Two in one run that begin like one that is there.
    project.write("three.ndjson", &lines(&["x", "y", "z"]));
    project.write("four.ndjson", &lines(&["x", "y", "zz"]));
    let both = ["entries", "three.ndjson", "four.ndjson"];
    assert_eq!((counts(&project, &both), counts(&project, &both)), ((6, 0), (0, 6)));
}

#[test]
fn a_file_that_was_moved_goes_on_where_it_was_and_only_one_file_takes_its_place() {
    let project = project();
    project.write("entries.ndjson", &lines(&["x", "y"]));
    assert_eq!(counts(&project, &["entries.ndjson"]), (2, 0));
    std::fs::rename(project.path("entries.ndjson"), project.path("moved.ndjson")).unwrap();
    assert_eq!(counts(&project, &["entries", "moved.ndjson"]), (0, 2));
    // At its old place there is another one now.
    project.write("entries.ndjson", &lines(&["x", "z"]));
    assert_eq!(counts(&project, &["entries", "entries.ndjson", "moved.ndjson"]), (2, 2));
    std::fs::remove_file(project.path("moved.ndjson")).unwrap();
    project.write("three.ndjson", &lines(&["x", "y", "three"]));
    project.write("four.ndjson", &lines(&["x", "y", "four"]));
    let both = ["entries", "three.ndjson", "four.ndjson"];
    assert_eq!((counts(&project, &both), counts(&project, &both)), ((4, 2), (0, 6)));
    assert_eq!(texts(&project, "entries"), ["four", "three", "x", "x", "x", "y", "y", "z"]);
}

#[test]
fn a_file_that_was_put_away_goes_on_while_another_is_at_its_place() {
    let project = project();
    project.write("today.ndjson", &lines(&["x", "y"]));
    assert_eq!(counts(&project, &["entries", "today.ndjson"]), (2, 0));
    project.write("yesterday.ndjson", &lines(&["x", "y", "z"]));
    project.write("today.ndjson", &lines(&["other"]));
    let both = ["entries", "today.ndjson", "yesterday.ndjson"];
    assert_eq!((counts(&project, &both), counts(&project, &both)), ((2, 2), (0, 4)));
    assert_eq!(texts(&project, "entries"), ["other", "x", "y", "z"]);
}

#[test]
fn a_copy_is_known_and_the_file_that_it_is_of_too() {
    let project = project();
    project.write("one.ndjson", &lines(&["x", "y"]));
    assert_eq!(counts(&project, &["entries", "one.ndjson"]), (2, 0));
    project.write("two.ndjson", &lines(&["x", "y"]));
    assert_eq!(counts(&project, &["entries", "two.ndjson"]), (0, 2));
    project.write("two.ndjson", &lines(&["x", "y", "z"]));
    assert_eq!(counts(&project, &["entries", "two.ndjson"]), (1, 2));
    assert_eq!(counts(&project, &["entries", "one.ndjson"]), (0, 2));
    // A copy that is repaired: neither it nor the file comes in once more.
    let file = |amount: &str| format!("text,amount\ngood,1\nbetter,{amount}\n");
    project.write("three.csv", &file("old"));
    assert_eq!(counts(&project, &["entries", "three.csv", "--skip-bad", "bad.ndjson"]), (1, 0));
    project.write("four.csv", &file("2"));
    assert_eq!(counts(&project, &["entries", "four.csv"]), (1, 1));
    assert_eq!(counts(&project, &["entries", "three.csv", "--skip-bad", "bad.ndjson"]), (0, 1));
    assert_eq!(counts(&project, &["entries", "four.csv"]), (0, 2));
    project.write("three.csv", &(file("2") + "more,3\n"));
    assert!(refused(&project, &["entries", "three.csv"]).contains("three.csv was loaded before"));
    assert_eq!(texts(&project, "entries"), ["better", "good", "x", "y", "z"]);
}

#[test]
fn a_file_that_was_changed_back_changes_the_records_back() {
    let project = project();
    for age in [1, 2, 1, 2, 2] {
        project.write("teams.csv", &format!("name,age\nred,{age}\n"));
        project.ok(&["import", "teams.csv", "--upsert", "name"]);
        assert_eq!(ages(&project), age.to_string());
    }
    let told = project.ok(&["import", "teams.csv", "--upsert", "name"]);
    assert!(told.contains("teams.csv: 0 Team created, 1 loaded before"), "{told}");
}

#[test]
fn what_is_refused_forgets_nothing() {
    let project = project();
    project.write("entries.ndjson", &lines(&["x", "y"]));
    assert_eq!(counts(&project, &["entries.ndjson"]), (2, 0));
    let again = ["entries.ndjson", "--again", "--skip-bad", "none/bad.ndjson"];
    assert!(refused(&project, &again).contains("none/bad.ndjson cannot be written"));
    assert_eq!(counts(&project, &["entries.ndjson"]), (0, 2));
    // What was behind it is wrong, before the first chunk and in it.
    project.write("teams.csv", "name\nred\n");
    assert_eq!(counts(&project, &["teams.csv"]), (1, 0));
    assert!(refused(&project, &["teams.csv", "--again"]).contains("another \"Team\" has the same"));
    assert_eq!(counts(&project, &["teams.csv"]), (0, 1));
    project.write("entries.ndjson", &(lines(&["x", "y"]) + "{\"text\": 7}\n"));
    assert!(refused(&project, &["entries.ndjson", "--again"]).contains("/text"));
    project.write("entries.ndjson", &lines(&["x", "y"]));
    assert_eq!(counts(&project, &["entries.ndjson"]), (0, 2));
}

/// So many that a run is killed between two chunks of them.
const MANY: usize = 40_000;

#[test]
fn a_killed_run_that_loads_all_of_it_again_goes_on_when_it_is_run_again_as_it_was() {
    let project = project();
    let many: Vec<String> = (0..MANY).map(|number| format!("entry {number}")).collect();
    project.write("entries.ndjson", &lines(&many.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(counts(&project, &["entries.ndjson"]), (MANY as u64, 0));
    let mut import = project.spawn(&["import", "entries.ndjson", "--again", "--json"]);
    import.wait_for("\"progress\"");
    import.signal("KILL");
    import.wait();
    let (created, already) = counts(&project, &["entries.ndjson", "--again"]);
    assert!(already > 0 && created + already == MANY as u64, "{created} {already}");
    assert_eq!(texts(&project, "entries").len(), 2 * MANY);
    // It has ended: the next one begins at the start.
    project.write("entries.ndjson", &lines(&["x"]));
    for count in [1, 1] {
        assert_eq!(counts(&project, &["entries.ndjson", "--again"]), (count, 0));
    }
}

/// One of its files was wrong: what is in of the others comes in no third time, and what is repaired alone.
#[test]
fn a_run_that_loads_all_of_it_again_and_was_refused_goes_on_once_that_is_repaired() {
    let project = project();
    project.write("entries.ndjson", &lines(&["x", "y"]));
    project.write("teams.csv", "name\nred\n");
    assert_eq!(counts(&project, &["entries.ndjson"]), (2, 0));
    assert_eq!(counts(&project, &["teams.csv"]), (1, 0));
    let again = ["entries.ndjson", "teams.csv", "--again"];
    assert!(refused(&project, &again).contains("another \"Team\" has the same"));
    assert_eq!(texts(&project, "entries"), ["x", "x", "y", "y"]);
    assert!(refused(&project, &again).contains("0 Entry created, 2 loaded before"));
    project.write("teams.csv", "name\nblue\n");
    assert_eq!(counts(&project, &again), (1, 2));
    assert_eq!(counts(&project, &["entries.ndjson", "teams.csv"]), (0, 3));
    assert_eq!(counts(&project, &again[..1]), (0, 2));
    assert_eq!(texts(&project, "entries"), ["x", "x", "y", "y"]);
}

#[test]
fn the_files_of_a_type_that_was_renamed_are_known() {
    let project = project();
    project.write("some.ndjson", &lines(&["x", "y"]));
    project.write("all.json", "{\"entries\": [{\"text\": \"z\"}]}");
    assert_eq!(counts(&project, &["entries", "some.ndjson"]), (2, 0));
    assert_eq!(counts(&project, &["all.json"]), (1, 0));
    project.write("schema.graphql", &SCHEMA.replace("type Entry {", "type Item @was(name: \"Entry\") {"));
    project.ok(&["apply", "--yes"]);
    assert_eq!(counts(&project, &["items", "some.ndjson"]), (0, 2));
    // In a file that says it itself the name must be another.
    project.write("all.json", "{\"items\": [{\"text\": \"z\"}, {\"text\": \"zz\"}]}");
    assert_eq!(counts(&project, &["all.json"]), (1, 1));
    assert_eq!(texts(&project, "items"), ["x", "y", "z", "zz"]);
}

#[test]
fn each_of_many_files_with_something_wrong_is_repaired() {
    let project = project();
    let files: Vec<String> = (1..=20).map(|at| format!("data/{at:02}-entries.csv")).collect();
    for (at, file) in files.iter().enumerate() {
        project.write(file, &format!("text,amount\ngood {at},1\nbad {at},old\n"));
    }
    assert_eq!(counts(&project, &["data", "--skip-bad", "bad.ndjson"]), (20, 0));
    for (at, file) in files.iter().enumerate() {
        project.write(file, &format!("text,amount\ngood {at},1\nbad {at},2\n"));
        assert_eq!(counts(&project, &[file]), (1, 1), "{file}");
    }
}

/// All of them were written, and none as it stands in the file.
#[test]
fn a_file_of_which_each_record_was_wrong_in_a_link_is_repaired() {
    const SCHEMA: &str = r#"
type P @path(name: "people") { text: String! friend: P }
type Team { name: String! @unique age: Int friend: Team }
"#;
    let nobody = "00000000-0000-7000-8000-0000000000aa";
    for bad in [&["--skip-bad", "bad.ndjson"][..], &[]] {
        let project = Project::applied(SCHEMA);
        project.write("people.ndjson", &format!("{{\"text\": \"a\", \"friend\": \"{nobody}\"}}\n"));
        project.write("teams.csv", &format!("name,age,friend\nred,1,{nobody}\nblue,2,{nobody}\n"));
        project.run(&[&["import", "people.ndjson", "teams.csv"], bad].concat());
        assert_eq!((texts(&project, "people").len(), texts(&project, "teams").len()), (1, 2));
        // What is known of it leads to another record than these.
        if !bad.is_empty() {
            project.write("teams.csv", "name,age,friend\ngreen,3,\npink,4,\n");
            assert_eq!(counts(&project, &["teams.csv"]), (2, 0));
        }
        project.write("people.ndjson", "{\"text\": \"a\", \"friend\": null}\n{\"text\": \"b\"}\n");
        assert_eq!(counts(&project, &["people.ndjson"]), (2, 1));
        project.write("teams.csv", "name,age,friend\nred,5,\nblue,2,red\n");
        assert_eq!(counts(&project, &["teams.csv"]), (2, 2));
        assert_eq!(counts(&project, &["people.ndjson", "teams.csv"]), (0, 4));
        assert_eq!(texts(&project, "people"), ["a", "b"]);
        assert_eq!(texts(&project, "teams").len(), if bad.is_empty() { 2 } else { 4 });
        let teams = stored(&project, "teams", &["name", "age"]);
        assert!(teams.iter().any(|one| one["name"] == "red" && one["age"] == 5), "{teams:?}");
    }
}

/// What was written before there was more to remember.
#[test]
fn a_note_that_says_less_is_read() {
    let project = project();
    project.write("entries.csv", "text,amount\ngood,1\nbad,old\n");
    assert_eq!(counts(&project, &["entries.csv", "--skip-bad", "bad.ndjson"]), (1, 0));
    for (left_out, what) in [("again", "false"), ("known_by", "{}")] {
        let note = format!("\"{left_out}\":{what},");
        let has = format!("SELECT state FROM mainstay_import WHERE state LIKE '%{note}%'");
        assert_eq!(project.rows(&has, &has).len(), 1, "{left_out}");
        project.sql(&format!("UPDATE mainstay_import SET state = replace(state, '{note}', '')"));
    }
    assert_eq!(counts(&project, &["entries.csv", "--skip-bad", "bad.ndjson"]), (0, 1));
    project.write("entries.csv", "text,amount\ngood,1\nbad,2\n");
    assert_eq!(counts(&project, &["entries.csv"]), (1, 1));
    assert_eq!(texts(&project, "entries"), ["bad", "good"]);
}

//! `mainstay import`: what goes on where a run before has ended, and what was repaired since
use std::{io::Write as _, process::Stdio};

use mainstay_test_db::postgres_only;

use crate::{
    import::{names, stored},
    support::Project,
};

/// A check needs the links of some, so that such a record waits whose link leads to one further down.
const SCHEMA: &str = r#"
type Node @check(expr: "data != 'leads' || next != null", message: "it leads nowhere") { id: Int! name: String! @unique next: Node data: String }
type Person @path(name: "people") { name: String! @unique boss: Person age: Int }
"#;

fn project() -> Project {
    Project::applied(SCHEMA)
}

/// Two records that wait, of which one cannot be written.
const NODES: &str = concat!(
    "{\"name\": \"a\", \"next\": \"z\", \"data\": \"leads\"}\n",
    "{\"name\": \"a\", \"next\": \"z\", \"data\": \"leads\"}\n",
    "{\"name\": \"b\", \"next\": \"z\", \"data\": \"leads\"}\n",
    "{\"name\": \"z\"}\n",
);

#[test]
fn each_run_counts_what_it_wrote_and_nothing_else() {
    let project = project();
    project.write("nodes.ndjson", NODES);
    for (created, already) in [(3, 0), (0, 3), (0, 3)] {
        let (code, report) = project.json(&["import", "nodes.ndjson"]);
        assert_eq!(code, Some(1), "{report}");
        let counts = &report["collections"][0];
        assert_eq!((&counts["created"], &counts["already"]), (&created.into(), &already.into()), "{report}");
        assert_eq!(report["errors"][0]["message"], "another \"Node\" has the same \"name\"");
    }
    let (code, report) = project.json(&["import", "nodes.ndjson", "--skip-bad", "bad.ndjson"]);
    assert_eq!((code, &report["bad"]), (Some(0), &1.into()), "{report}");
    let counts = &report["collections"][0];
    assert_eq!((&counts["created"], &counts["already"], &counts["skipped"]), (&0.into(), &3.into(), &1.into()));
    assert_eq!(names(&project, "nodes"), ["a", "b", "z"]);
}

/// Leaves a note of something that waits of the one file that was loaded.
fn waits(project: &Project, note: &str) {
    project
        .sql(&format!("INSERT INTO mainstay_import_waiting (source, what) SELECT id, '{note}' FROM mainstay_import"));
}

#[test]
fn what_waits_and_cannot_be_read_is_told() {
    let project = project();
    project.write("nodes.ndjson", "{\"name\": \"a\"}\n");
    project.ok(&["import", "nodes.ndjson"]);
    for note in ["no note", "{\"line\": 1}"] {
        waits(&project, note);
        let ran = project.run(&["import", "nodes.ndjson"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("what waits of nodes.ndjson cannot be read: note "), "{ran:?}");
        project.sql("DELETE FROM mainstay_import_waiting");
    }
}

#[test]
fn what_waits_for_a_link_that_was_renamed_is_told_with_its_line_and_can_be_mapped() {
    let project = project();
    project.write("people.ndjson", "{\"name\": \"anna\"}\n{\"name\": \"bob\", \"chief\": null}\n");
    project.ok(&["import", "people.ndjson", "--map", "chief=boss"]);
    let people = stored(&project, "people", &["id", "name"]);
    let id = |name: &str| people.iter().find(|one| one["name"] == name).unwrap()["id"].clone();
    let note = format!("{{\"line\":2,\"at\":1,\"key\":{},\"field\":\"chief\",\"names\":[\"anna\"]}}", id("bob"));
    waits(&project, &note);
    waits(&project, "{\"line\":3,\"at\":2,\"record\":{\"name\":\"carl\",\"chief\":\"anna\"}}");
    let ran = project.run(&["import", "people.ndjson"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let told = "people.ndjson:2: Person /chief: the links of \"chief\" wait for their records, and \"Person\" has no such link any more";
    assert!(ran.stdout.contains(told) && ran.stdout.contains("--map chief=FIELD"), "{ran:?}");
    assert!(ran.stdout.contains("people.ndjson:3: Person /chief"), "{ran:?}");
    project.ok(&["import", "people.ndjson", "--map", "chief=boss"]);
    let people = stored(&project, "people", &["name", "boss"]);
    let boss = |name: &str| people.iter().find(|one| one["name"] == name).unwrap()["boss"].clone();
    assert_eq!((boss("bob"), boss("carl")), (id("anna"), id("anna")));
}

/// It is written only in the end: until then nobody finds it in the database.
#[test]
fn a_run_that_goes_on_knows_that_links_may_lead_to_what_waits() {
    let project = project();
    project.write("nodes.ndjson", "{\"name\": \"a\"}\n");
    project.ok(&["import", "nodes.ndjson"]);
    waits(&project, "{\"line\":2,\"at\":1,\"record\":{\"name\":\"b\",\"next\":\"c\"}}");
    project.write("nodes.ndjson", "{\"name\": \"a\"}\n{\"name\": \"c\"}\n{\"name\": \"d\", \"next\": \"b\"}\n");
    project.ok(&["import", "nodes.ndjson"]);
    assert_eq!(names(&project, "nodes"), ["a", "b", "c", "d"]);
}

/// Both would find no note of the other's, and load the file.
/// Who holds the lock of imports: others are taken while a database is opened.
const HELD: &str = "FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE \
                    datname = current_database()) AND (classid::bigint << 32 | objid::bigint) = \
                    hashtextextended('mainstay import ' || current_schema(), 0)";

#[test]
fn a_second_import_of_a_database_on_a_server_waits_and_is_refused() {
    postgres_only!("a file is held by one process");
    let project = project();
    let begun = |stdin: Stdio| {
        let mut command = project.command_of(env!("CARGO_BIN_EXE_mainstay"));
        command.args(["import", "nodes", "-", "--format", "ndjson"]);
        command.stdin(stdin).stdout(Stdio::null()).spawn().unwrap()
    };
    let mut first = begun(Stdio::piped());
    let held = format!("SELECT {HELD}");
    while project.rows("", &held).is_empty() {}
    project.write("nodes.ndjson", "{\"name\": \"a\"}\n");
    let mut second = project.command_of(env!("CARGO_BIN_EXE_mainstay"));
    second.args(["import", "nodes.ndjson"]).env("MAINSTAY_DATABASE_STATEMENT_MS_MAX", "100");
    let told = second.output().unwrap();
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stderr).contains("another import runs on this database"), "{told:?}");
    // Who was killed holds nobody back; who has ended neither.
    first.kill().unwrap();
    first.wait().unwrap();
    project.ok(&["import", "nodes.ndjson"]);
    let mut third = begun(Stdio::piped());
    third.stdin.take().unwrap().write_all(b"{\"name\": \"b\"}\n").unwrap();
    assert!(third.wait().unwrap().success());
    assert_eq!(names(&project, "nodes"), ["a", "b"]);
}

/// The lock is of a session, which may end; and behind a pool that hands out sessions there is none.
#[test]
fn an_import_ends_where_another_has_begun_since() {
    postgres_only!("a file is held by one process");
    let project = project();
    // Makes the tables of imports.
    project.ok(&["import", "nodes", "--format", "ndjson", "/dev/null"]);
    let mut command = project.command_of(env!("CARGO_BIN_EXE_mainstay"));
    command.args(["import", "nodes", "-", "--format", "ndjson"]);
    let mut first = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = "SELECT FROM mainstay_import WHERE id = ''";
    let held = format!("SELECT pg_terminate_backend(pid) {HELD}");
    while project.rows("", begun).is_empty() {}
    while project.rows("", &held).is_empty() {}
    project.write("nodes.ndjson", "{\"name\": \"a\"}\n");
    project.ok(&["import", "nodes.ndjson"]);
    first.stdin.take().unwrap().write_all(b"{\"name\": \"b\"}\n").unwrap();
    let told = first.wait_with_output().unwrap();
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stderr).contains("another import has begun"), "{told:?}");
    assert_eq!(names(&project, "nodes"), ["a"]);
}

/// As many are remembered as are loaded at once, and the last thousand of the others.
#[test]
fn a_file_that_is_loaded_again_is_not_forgotten_for_others_that_came_later() {
    let project = project();
    project.write("nodes.ndjson", "{\"name\": \"a\"}\n");
    project.ok(&["import", "nodes.ndjson"]);
    let others = "WITH RECURSIVE other (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM other WHERE n < 1001) \
                  INSERT INTO mainstay_import (id, state) SELECT 'z' || (10000 + n), '{}' FROM other";
    project.sql(others);
    let told = project.ok(&["import", "nodes.ndjson"]);
    assert!(told.contains("0 Node created, 1 loaded before"), "{told}");
    let ids = "SELECT id FROM mainstay_import WHERE id LIKE 'z%' ORDER BY id";
    let ids = project.rows(ids, ids);
    assert_eq!((ids.len(), ids[0][0].as_deref()), (1_000, Some("z10002")));
}

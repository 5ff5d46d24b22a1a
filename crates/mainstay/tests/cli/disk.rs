//! The disk fails: no room, no write, no sync. What was acknowledged is there, reads go on, and writes come back by themselves.
use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use mainstay_test_db::sqlite_only;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Project, Server};

const SCHEMA: &str = r#"type Note @rules(read: "true", write: "true") { number: Int! @unique text: String! }"#;

/// Characters of a note.
const TEXT_SIZE: usize = 20_000;
/// More notes than any disk of these tests takes.
const NOTES_MAX: i64 = 5_000;

fn project() -> Project {
    Project::with_schema(SCHEMA).env("MAINSTAY_AUTH_ANONYMOUS_ONLY", "true")
}

/// A server whose data is on a small disk of its own, in memory, that nobody else sees.
fn start_on_small_disk(project: &Project) -> Server {
    fs::create_dir_all(project.path("data")).unwrap();
    let mount = "mount -t tmpfs -o size=4m none data && exec \"$0\" serve --apply safe";
    let mut unshare = project.command_of("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", mount, env!("CARGO_BIN_EXE_mainstay")]);
    Server::of(unshare)
}

/// A server whose system calls fail now and then, as `inject` of strace says.
fn start_on_bad_disk(project: &Project, inject: &[&str]) -> Server {
    let mut strace = project.command_of("strace");
    // The tracer steps aside (-D), so that the server is the process that is signalled.
    strace.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync,pwrite64"]);
    for inject in inject {
        strace.args(["-e", &format!("inject={inject}")]);
    }
    strace.args([env!("CARGO_BIN_EXE_mainstay"), "serve"]);
    Server::of(strace)
}

async fn create(server: &Server, number: i64) -> (StatusCode, Value) {
    server.post("/api/notes", &json!({"number": number, "text": "x".repeat(TEXT_SIZE)}), None).await
}

/// The numbers of all notes.
async fn stored(server: &Server) -> BTreeSet<i64> {
    let mut numbers = BTreeSet::new();
    let mut after = String::new();
    loop {
        let mut query = vec![("fields", "number"), ("limit", "1000")];
        if !after.is_empty() {
            query.push(("after", &after));
        }
        let (status, page) = server.get("/api/notes", &query, None).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        numbers.extend(page["items"].as_array().unwrap().iter().map(|item| item["number"].as_i64().unwrap()));
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => return numbers,
        }
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_alone_and_they_come_back_with_the_room() {
    sqlite_only!("its disk");
    let project = project();
    let server = start_on_small_disk(&project);
    server.wait_for("listening on ");
    let (_, first) = create(&server, 0).await;
    let note = format!("/api/notes/{}", first["id"].as_str().unwrap());
    let filler = inside(&server, &project, "data/filler");
    fs::write(&filler, vec![1; 1_000_000]).unwrap();
    let mut acknowledged = BTreeSet::from([0]);
    let refused = 'full: {
        for number in 1..NOTES_MAX {
            match create(&server, number).await {
                (StatusCode::CREATED, _) => assert!(acknowledged.insert(number)),
                refused => break 'full refused,
            }
        }
        panic!("the disk never was full");
    };
    assert_eq!((refused.0, &refused.1["code"]), (StatusCode::INSUFFICIENT_STORAGE, &json!("disk_full")), "{refused:?}");
    // Larger than what the refused create may have left room for.
    let (status, patched) = server.patch(&note, &json!({"text": "y".repeat(4 * TEXT_SIZE)}), None).await;
    assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE, "{patched}");
    assert_eq!(stored(&server).await, acknowledged, "reads go on");
    assert_eq!(server.get(&note, &[("fields", "text")], None).await.1["text"], json!("x".repeat(TEXT_SIZE)));
    assert_eq!(server.get("/healthz", &[], None).await.0, StatusCode::OK);

    fs::remove_file(&filler).unwrap();
    assert_eq!(create(&server, NOTES_MAX).await.0, StatusCode::CREATED, "{}", server.said());
    assert!(acknowledged.insert(NOTES_MAX));
    assert_eq!(stored(&server).await, acknowledged);
}

/// A path of the project as the server sees it, on its own disk.
fn inside(server: &Server, project: &Project, path: &str) -> PathBuf {
    let absolute = project.path(path).canonicalize().unwrap_or_else(|_| project.path(path));
    PathBuf::from(format!("/proc/{}/root{}", server.id(), absolute.display()))
}

#[tokio::test]
async fn what_cannot_be_synced_is_not_acknowledged() {
    sqlite_only!("its disk");
    survives(&["fsync,fdatasync:error=EIO:when=12+5"]).await;
}

#[tokio::test]
async fn what_cannot_be_written_is_not_acknowledged() {
    sqlite_only!("its disk");
    survives(&["pwrite64:error=EIO:when=60+23"]).await;
}

#[tokio::test]
async fn what_finds_no_room_is_not_acknowledged() {
    sqlite_only!("its disk");
    survives(&["pwrite64:error=ENOSPC:when=60+17", "fsync,fdatasync:error=EIO:when=40+11"]).await;
}

/// Somebody else has the database open, so that nothing of it is copied when the import closes it.
#[test]
fn an_import_that_cannot_be_synced_is_not_done() {
    sqlite_only!("its disk");
    let project = project();
    project.ok(&["apply", "--yes"]);
    let reader = rusqlite::Connection::open(project.path("data/mainstay.db")).unwrap();
    let tables: i64 = reader.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert!(tables > 0);
    // The log that another one has begun is not begun anew.
    project.write("notes.ndjson", "{\"number\": 1, \"text\": \"a\"}\n");
    project.ok(&["import", "notes", "notes.ndjson"]);
    project.write("notes.ndjson", "{\"number\": 2, \"text\": \"b\"}\n");
    let mut strace = project.command_of("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]);
    strace.args(["-e", "inject=fsync,fdatasync:error=EIO:when=1+", env!("CARGO_BIN_EXE_mainstay")]);
    let ran = strace.args(["import", "notes", "notes.ndjson"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
}

/// Writers at a time, and what each of them asks for.
const WRITERS: i64 = 8;
const WRITES: i64 = 40;

/// Many writers meet errors of the disk; then the server is killed. What was acknowledged is there, and no number is there that
/// was never sent.
async fn survives(inject: &[&str]) {
    let project = project();
    project.ok(&["apply", "--yes"]);
    let mut server = start_on_bad_disk(&project, inject);
    server.wait_for("listening on ");
    let mut writers = tokio::task::JoinSet::new();
    let address = server.address();
    for writer in 0..WRITERS {
        let (address, client) = (address.clone(), reqwest::Client::new());
        writers.spawn(async move {
            let mut answers = Vec::new();
            for number in writer * WRITES..(writer + 1) * WRITES {
                let body = json!({"number": number, "text": "x".repeat(300)});
                let response = client.post(format!("{address}/api/notes")).json(&body).send().await.unwrap();
                answers.push((number, response.status()));
            }
            answers
        });
    }
    let answers = writers.join_all().await.concat();
    let of = |wanted: fn(StatusCode) -> bool| -> BTreeSet<i64> {
        answers.iter().filter(|(_, status)| wanted(*status)).map(|(number, _)| *number).collect()
    };
    let acknowledged = of(|status| status == StatusCode::CREATED);
    let failed = of(|status| status.is_server_error());
    assert!(!acknowledged.is_empty() && !failed.is_empty(), "{answers:?}");
    assert_eq!(acknowledged.len() + failed.len(), answers.len(), "{answers:?}");
    assert!(stored(&server).await.is_superset(&acknowledged));
    server.signal("KILL");
    server.wait();

    let server = project.start(&["serve"]);
    let stored = stored(&server).await;
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(stored.iter().all(|number| acknowledged.contains(number) || failed.contains(number)), "{stored:?}");
    let check =
        Command::new("sqlite3").arg(project.path("data/mainstay.db")).arg("PRAGMA integrity_check").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&check.stdout).trim(), "ok");
}

#[test]
fn a_database_that_may_only_be_read_is_refused_at_the_start() {
    sqlite_only!("its file");
    let project = project();
    project.ok(&["apply", "--yes"]);
    let mount = "mount --bind data data && mount -o remount,bind,ro data && exec \"$0\" serve";
    let mut unshare = project.command_of("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", mount, env!("CARGO_BIN_EXE_mainstay")]);
    let output = unshare.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("mainstay.db") && said.contains("may not be written"), "{said}");
}

#[test]
fn a_damaged_database_is_refused_at_the_start_with_what_to_do() {
    sqlite_only!("its file");
    let project = project();
    project.ok(&["apply", "--yes"]);
    let path = project.path("data/mainstay.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..4_000].fill(0xAA);
    fs::write(&path, bytes).unwrap();
    let ran = project.run(&["serve"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("it is damaged") && ran.stderr.contains("backup"), "{}", ran.stderr);
}

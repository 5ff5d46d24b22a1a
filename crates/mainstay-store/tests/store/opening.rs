//! Opening a database, and files that are none.
use mainstay_store::{Settings, StepError, Store, StoreError};
use mainstay_test_db::{Engine, engine, sqlite_only};
use tempfile::TempDir;

use crate::world::{World, uuid};

fn refusal(path: std::path::PathBuf) -> String {
    Store::open(Settings::at(path)).unwrap_err().to_string()
}

#[tokio::test]
async fn a_second_opener_is_refused_until_the_first_closes() {
    sqlite_only!("one process owns its file");
    let world = World::new();
    world.board(1).await;
    let message = refusal(world.path());
    assert!(message.contains("is in use by process"), "{message}");
    world.store.close();
    let again = Store::open(Settings::at(world.path())).unwrap();
    assert_eq!(again.snapshot().unwrap(), Some(world.schema.snapshot()));
}

#[tokio::test]
async fn a_closed_store_refuses_in_words_and_leaves_one_file() {
    sqlite_only!("counts its files");
    let world = World::new();
    let board = world.board(1).await;
    world.store.close();
    world.store.close();
    assert!(world.store.ping().await.is_err());
    let late = world.update_step("Board", board, &[]);
    assert_eq!(world.try_write(late).await.unwrap_err().to_string(), "the database is closed");
    let mut left: Vec<_> = std::fs::read_dir(world.path().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["test.db", "test.db.lock"]);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    sqlite_only!("its file");
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("app.db");
    std::fs::write(&path, "shopping list: milk").unwrap();
    let message = refusal(path.clone());
    assert!(message.contains("the file is not a database"), "{message}");
    assert_eq!(std::fs::read(&path).unwrap(), b"shopping list: milk");
}

#[tokio::test]
async fn a_damaged_database_is_refused() {
    sqlite_only!("damages its file");
    let world = World::new();
    world.board(1).await;
    world.store.close();
    let whole = std::fs::read(world.path()).unwrap();
    std::fs::write(world.path(), &whole[..whole.len() / 2]).unwrap();
    let message = refusal(world.path());
    assert!(message.contains("it is damaged"), "{message}");
    let mut scrambled = whole;
    scrambled[100..4096].fill(0xAA);
    std::fs::write(world.path(), &scrambled).unwrap();
    let message = refusal(world.path());
    assert!(message.contains("it is damaged"), "{message}");
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let world = World::new();
    world.store.close();
    let newer = match engine() {
        Engine::Sqlite => "json_set(snapshot, '$.format', 999)",
        Engine::Postgres => "jsonb_set(snapshot::jsonb, '{format}', '999')",
    };
    world.database.execute(&format!("UPDATE mainstay_schema SET snapshot = {newer}"));
    let message = Store::open(world.database.settings()).unwrap_err().to_string();
    assert!(message.contains("a newer Mainstay"), "{message}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    sqlite_only!("its folder");
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("data"), "").unwrap();
    let message = refusal(folder.path().join("data/app.db"));
    assert!(message.contains("data"), "{message}");
}

#[tokio::test]
async fn several_stores_live_in_one_process() {
    let (one, two) = (World::new(), World::new());
    one.board(1).await;
    two.board(2).await;
    two.board(3).await;
    assert_eq!(one.show("Board", "true", &["name"]).await, r#"{"name":"board 1"}"#);
    assert_eq!(two.show("Board", "true", &["name"]).await, r#"{"name":"board 2"},{"name":"board 3"}"#);
    one.store.close();
    assert!(two.store.ping().await.is_ok());
    two.note(9, &uuid(2), &[]).await;
}

#[tokio::test]
async fn a_store_that_only_reads_opens_beside_one_that_writes() {
    let world = World::new();
    world.board(1).await;
    let settings = Settings { read_only: true, ..world.database.settings() };
    let reading = Store::open(settings).unwrap();
    assert_eq!(reading.snapshot().unwrap(), Some(world.schema.snapshot()));
    world.board(2).await;
    assert!(reading.ping().await.is_ok());
    assert!(reading.write(Vec::new()).await.is_err());
    drop(reading);
}

#[test]
fn a_store_that_only_reads_makes_no_file() {
    sqlite_only!("its file");
    let world = World::new();
    assert!(refusal(world.path()).contains("is in use by process"));
    let missing = Settings { read_only: true, ..Settings::at(world.database.folder().join("other.db")) };
    assert!(Store::open(missing).unwrap_err().to_string().contains("there is no such file"));
    let none = world.database.folder().join("none.db");
    std::fs::write(&none, "shopping list: milk").unwrap();
    let none = Settings { read_only: true, ..Settings::at(none) };
    assert!(Store::open(none).unwrap_err().to_string().contains("the file is not a database"));
}

#[tokio::test]
async fn a_write_that_somebody_else_holds_up_for_too_long_is_to_be_tried_again() {
    sqlite_only!("a lock of its file");
    let world = World::new();
    let board = world.board(1).await;
    let other = rusqlite::Connection::open(world.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let write = || world.update_step("Board", board.clone(), &[]);
    let refused = world.try_write(write()).await.unwrap_err();
    assert!(matches!(refused, StepError::Store(StoreError::Paused)), "{refused}");
    other.execute_batch("COMMIT").unwrap();
    world.try_write(write()).await.unwrap();
}

//! Databases of tests.
use crate::{Engine, TestDatabase, beside, server};

fn is_empty_and_apart(engine: Engine) {
    let (one, two) = (TestDatabase::on(engine), TestDatabase::on(engine));
    std::fs::create_dir_all(one.folder().join("data")).expect("a folder");
    std::fs::create_dir_all(two.folder().join("data")).expect("a folder");
    one.execute("CREATE TABLE things(a integer, b text); INSERT INTO things VALUES (1, 'x'), (NULL, NULL)");
    two.execute("CREATE TABLE things(a integer)");
    let rows = one.rows("SELECT a, b FROM things ORDER BY a IS NULL");
    assert_eq!(rows, [[Some("1".to_owned()), Some("x".to_owned())], [None, None]]);
    assert!(two.rows("SELECT * FROM things").is_empty());
    assert_ne!(one.url(), two.url());
}

#[test]
fn files_are_empty_and_apart() {
    is_empty_and_apart(Engine::Sqlite);
    let database = TestDatabase::on(Engine::Sqlite);
    std::fs::create_dir_all(database.folder().join("data")).expect("a folder");
    beside::execute(&database.file(), "CREATE TABLE things(a)");
    assert!(database.url().starts_with("sqlite:/"));
}

/// Run beside a server, by `cargo xtask servers`.
#[test]
fn databases_of_a_server_are_empty_and_apart_and_nobody_finds_one_again() {
    if !server::is_there() {
        return;
    }
    is_empty_and_apart(Engine::Postgres);
    let database = TestDatabase::on(Engine::Postgres);
    assert!(database.rows("SELECT 1 FROM pg_tables WHERE tablename = 'things'").is_empty());
    let before = database.url();
    drop(database);
    assert!(before.contains("/mainstay_test_"), "{before}");
    assert_ne!(TestDatabase::on(Engine::Postgres).url(), before);
}

//! Moves, while others write at places that a test names.
use std::sync::Arc;

use mainstay_store::{Location, MoveSettings, MoveStep, Once, Settings, Store, Write};
use mainstay_test_db::{Engine, TestDatabase, postgres_only};

use crate::world::{World, load};

const SDL: &str = r#"
type Board @rules(read: "true", write: "true") { id: String! name: String! @unique }
type Note @rules(read: "true", write: "true") { id: String! board: Board! notes: [Note!]! @many }
"#;

const COLUMNS: &str = "id, created_at, updated_at, version";

/// Writes as a server does, each record in a transaction of its own, told to the feed.
fn write(database: &TestDatabase, writes: &[(&str, &str, String)]) {
    for (path, id, sql) in writes {
        let change = "INSERT INTO mainstay_changes (collection, record, op, time) VALUES";
        database.execute(&format!("BEGIN; {sql}; {change} ('{path}', '{id}', 1, 0); COMMIT"));
    }
}

fn board(id: &'static str, name: &str) -> (&'static str, &'static str, String) {
    let now = "'2024-02-29T12:00:00.000000Z'";
    ("boards", id, format!("INSERT INTO boards ({COLUMNS}, name) VALUES ('{id}', {now}, {now}, 1, '{name}')"))
}

fn note(id: &'static str, board: &str) -> (&'static str, &'static str, String) {
    let now = "'2024-02-29T12:00:00.000000Z'";
    let link = format!("INSERT INTO notes_notes (from_id, to_id) VALUES ('{id}', '{id}')");
    let sql = format!("INSERT INTO notes ({COLUMNS}, board) VALUES ('{id}', {now}, {now}, 1, '{board}'); {link}");
    ("notes", id, sql)
}

/// What stands in the tables.
fn all(database: &TestDatabase) -> Vec<Vec<Option<String>>> {
    let sql = ["SELECT id, name FROM boards ORDER BY id", "SELECT id, board FROM notes ORDER BY id"];
    sql.iter()
        .chain(&["SELECT from_id, to_id FROM notes_notes ORDER BY from_id"])
        .flat_map(|sql| database.rows(sql))
        .collect()
}

#[test]
fn a_database_that_has_moved_is_served_though_it_never_was() {
    let world = World::with_schema(load(SDL), |_| {});
    write(&world.database, &[board("a", "first")]);
    let target = TestDatabase::new();
    let to = Store::open_target(target.settings()).unwrap();
    world.store.move_to(&to, &world.schema, &MoveSettings::default(), &mut |_| {}).unwrap();
    to.close();
    assert!(world.store.has_moved().unwrap());
    assert_eq!(world.store.key("cursor", b"one").unwrap(), b"one");
    assert_eq!(world.store.key("cursor", b"two").unwrap(), b"one");
}

/// A write that is done once for a key, of a caller of whom eight are kept.
pub(crate) fn once(key: &str) -> Once {
    Once {
        caller: "anna".to_owned(),
        key: key.to_owned(),
        request: [0; 32],
        body: [0; 32],
        time_micros: 1_000,
        ttl_micros: 1_000,
        keys_max: 8,
        answer_bytes_max: 8,
        answer: Box::new(|_| Vec::new()),
    }
}

#[tokio::test]
async fn answers_that_are_kept_are_not_too_many_where_another_engine_counts_them() {
    postgres_only!("numbers have gaps where many write at once");
    let world = World::with_schema(load(SDL), |_| {});
    for key in ["one", "two", "three"] {
        world.store.write_once(Write::from(Vec::new()), Arc::new(once(key))).await.unwrap();
        world.database.execute("SELECT setval(pg_get_serial_sequence('mainstay_idempotency', 'id'), 1000 + nextval(pg_get_serial_sequence('mainstay_idempotency', 'id')))");
    }
    let target = TestDatabase::on(Engine::Sqlite);
    let to = Store::open_target(Settings::of(Location::File(target.file()))).unwrap();
    let (from, schema) = (world.store, world.schema.clone());
    let moved = tokio::task::spawn_blocking(move || {
        from.move_to(&to, &schema, &MoveSettings::default(), &mut |_| {}).map(|_| to.close())
    });
    moved.await.unwrap().unwrap();
    let store = Store::open(Settings::of(Location::File(target.file()))).unwrap();
    store.write_once(Write::from(Vec::new()), Arc::new(once("four"))).await.unwrap();
    for key in ["one", "two", "three", "four"] {
        assert!(store.kept(&once(key)).await.unwrap().is_some(), "{key}");
    }
}

#[test]
fn what_is_written_while_indexes_are_made_comes_in_portions() {
    let world = World::with_schema(load(SDL), |_| {});
    write(&world.database, &[board("a", "first"), board("b", "second"), board("c", "third"), note("n", "a")]);
    let target = TestDatabase::new();
    let to = Store::open_target(target.settings()).unwrap();
    let mut portions = 0;
    let mut tell = |step: MoveStep<'_>| match step {
        MoveStep::Indexes => {
            let rename = |id: &'static str, name: &str| {
                ("boards", id, format!("UPDATE boards SET name = '{name}' WHERE id = '{id}'"))
            };
            // A record refers to one of a later portion, uniques change hands over many of them, and one is there again and again.
            write(&world.database, &[board("z", "last"), note("o", "z"), rename("a", "spare"), rename("b", "first")]);
            write(
                &world.database,
                &[rename("c", "second"), rename("a", "third"), rename("z", "other"), note("p", "z")],
            );
            let gone = "DELETE FROM notes_notes WHERE from_id = 'n'; DELETE FROM notes WHERE id = 'n'".to_owned();
            write(
                &world.database,
                &[("notes", "n", gone), rename("b", "more"), rename("a", "first"), board("d", "third")],
            );
        }
        MoveStep::Follows(count) => portions = portions.max(count),
        _ => {}
    };
    let settings = MoveSettings { changes: 1, few: 0, wait_ms_max: 60_000, ..MoveSettings::default() };
    world.store.move_to(&to, &world.schema, &settings, &mut tell).unwrap();
    // More than the records that were written: one is in several portions.
    assert!(portions > 8, "{portions}");
    to.close();
    assert_eq!(all(&target), all(&world.database));
    assert_eq!(all(&target).len(), 5 + 2 + 2);
    let (drift, _) = Store::open(target.settings()).unwrap().drift(&world.schema.snapshot()).unwrap();
    assert_eq!(drift, []);
}

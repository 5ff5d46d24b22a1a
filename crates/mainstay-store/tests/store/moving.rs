//! Moves, while others write at places that a test names.
use mainstay_store::{MoveSettings, MoveStep, Store};
use mainstay_test_db::TestDatabase;

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

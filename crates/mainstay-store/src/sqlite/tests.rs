//! What only shows from inside: a full disk, and when a snapshot ends.
#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected ends")]
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_plan::{Create, WritePlan};
use mainstay_schema::{Migration, Schema, Source};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    Engine, SqliteDialect,
    connection::open_reader,
    snapshots::{Reader, Snapshots},
};
use crate::{Settings, Step, StepError, StoreError, WriteStatement};

const SDL: &str = r#"type Note @rules(read: "true", write: "true") { text: String! }"#;

struct World {
    engine: Arc<Engine>,
    statement: Arc<WriteStatement>,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let folder = tempfile::TempDir::new().unwrap();
        let engine = Engine::open(&Settings::at(folder.path().join("app.db"))).unwrap();
        let schema = Schema::load(&[Source { name: "schema.graphql", text: SDL }]).map_err(drop).unwrap();
        let schema = Arc::new(schema);
        engine.migrate(&Migration::between(None, &schema), &schema).unwrap();
        let of = &schema.collections[0];
        let columns = ["id", "createdAt", "updatedAt", "version", "text"];
        let plan = Create::new(of.id, columns.iter().map(|name| of.by_name[*name]).collect());
        let plan = WritePlan::Create(plan);
        let statement = WriteStatement::render(&schema, &SqliteDialect, &plan, || Ok([].into())).unwrap();
        World { engine: Arc::new(engine), statement: Arc::new(statement), folder }
    }

    fn create(&self, number: u128) -> Step {
        let now = Value::Timestamp(0);
        let text = Value::text("x".repeat(3_000));
        let values = vec![Value::Uuid(Uuid::from_u128(number)), now.clone(), now, Value::Int(1), text];
        Step::run(self.statement.clone(), values)
    }

    /// How many pages the database may have.
    fn room(&self, pages: i64) {
        let set = move |connection: &rusqlite::Connection| {
            connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0)).unwrap()
        };
        self.engine.on_writer(set).unwrap();
    }

    fn stored(&self) -> Vec<String> {
        let read = |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare("SELECT id FROM notes ORDER BY id").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<Vec<String>, _>>().unwrap()
        };
        self.engine.on_writer(read).unwrap()
    }
}

#[tokio::test]
async fn on_a_full_disk_what_is_acknowledged_is_there_and_nothing_else() {
    let world = World::new();
    world.engine.write(vec![world.create(0)].into()).await.unwrap();
    world.room(20);
    let mut tasks = JoinSet::new();
    for number in 1..=64 {
        let (engine, step) = (world.engine.clone(), world.create(number));
        tasks.spawn(async move {
            match engine.write(vec![step].into()).await {
                Ok(written) => Some(written[0].key.clone()),
                Err(error) => {
                    assert!(matches!(error.error, StepError::Store(StoreError::DiskFull)), "{error}");
                    None
                }
            }
        });
    }
    let mut acknowledged = vec![Uuid::nil().to_string()];
    for key in tasks.join_all().await.into_iter().flatten() {
        let Value::Uuid(key) = key else { panic!("{key:?}") };
        acknowledged.push(key.to_string());
    }
    acknowledged.sort();
    assert!(acknowledged.len() < 30, "{}", acknowledged.len());
    assert_eq!(world.stored(), acknowledged);
    world.room(10_000);
    world.engine.write(vec![world.create(999)].into()).await.unwrap();
    assert_eq!(world.stored().len(), acknowledged.len() + 1);
}

#[tokio::test]
async fn a_group_whose_commit_fails_is_not_acknowledged() {
    let world = World::new();
    // Refuses every commit of more than one record, as a failing disk would.
    let fail = |connection: &rusqlite::Connection| {
        connection.execute_batch("PRAGMA foreign_keys = ON; CREATE TABLE nowhere(id INTEGER PRIMARY KEY)").unwrap();
        connection
            .execute_batch(
                "CREATE TABLE debts(id REFERENCES nowhere(id) DEFERRABLE INITIALLY DEFERRED);
                CREATE TRIGGER owe AFTER INSERT ON notes BEGIN INSERT INTO debts VALUES(1); END",
            )
            .unwrap();
    };
    world.engine.on_writer(fail).unwrap();
    let mut tasks = JoinSet::new();
    for number in 1..=16 {
        let (engine, step) = (world.engine.clone(), world.create(number));
        tasks.spawn(async move { engine.write(vec![step].into()).await.is_err() });
    }
    assert!(tasks.join_all().await.into_iter().all(|failed| failed));
    assert_eq!(world.stored(), [""; 0]);
    world.engine.on_writer(|connection| connection.execute_batch("DROP TRIGGER owe").unwrap()).unwrap();
    world.engine.write(vec![world.create(1)].into()).await.unwrap();
    assert_eq!(world.stored().len(), 1);
}

/// A statement may be interrupted when it has done its work: then a transaction is open that nobody asked for.
#[test]
fn a_time_that_is_over_leaves_no_snapshot_open() {
    let world = World::new();
    let settings = Settings::at(world.folder.path().join("app.db"));
    let mut reader = Reader::new(open_reader(&settings, 64, Arc::default()).unwrap());
    let snapshots = Snapshots::default();
    for _ in 0..3_000 {
        reader.fresh().deadline.set(std::time::Duration::ZERO);
        assert!(!reader.newest(&snapshots).connection.is_autocommit());
        assert!(reader.fresh().connection.is_autocommit());
    }
    snapshots.committing();
    assert!(reader.newest(&snapshots).connection.is_autocommit());
    snapshots.committed();
    assert!(reader.newest(&snapshots).connection.is_autocommit());
    assert!(!reader.newest(&snapshots).connection.is_autocommit());
    snapshots.shut();
    assert!(reader.newest(&snapshots).connection.is_autocommit());
}

/// Everything that is in the database.
fn dump(connection: &rusqlite::Connection) -> Vec<String> {
    let texts = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at)).collect::<Result<Vec<_>, _>>()
        };
        statement.query_map([], row).unwrap().map(|row| format!("{:?}", row.unwrap())).collect()
    };
    let mut all = texts("SELECT type, name, sql FROM sqlite_schema ORDER BY name");
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'mainstay_idem%' ORDER BY name";
    let names: Vec<String> =
        connection.prepare(tables).unwrap().query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    all.extend(names.iter().flat_map(|name| texts(&format!("SELECT * FROM \"{name}\""))));
    all
}

#[test]
fn a_migration_that_fails_at_any_statement_leaves_all_as_it_was() {
    let load = |text: &str| Arc::new(Schema::load(&[Source { name: "s", text }]).map_err(drop).unwrap());
    let old = load(
        "type A { id: Int! name: String b: B many: [B!]! @many x: Int @index gone: Int } type B { id: Int! t: String } type C { id: Int! n: String } enum E { x }",
    );
    let new = load(
        r#"type AA @was(name: "A") { id: Int! title: String! @was(name: "name") @unique b: B few: [B!]! @many @was(name: "many") x: Long @index y: Int! @backfill(expr: "x == null ? 0 : 1") }
        type B { id: Int! text: String @was(name: "t") more: Int as2: [AA!]! @inverse(field: "b") } type D { id: Int! e: E } enum E { x y }"#,
    );
    let folder = tempfile::TempDir::new().unwrap();
    let engine = Engine::open(&Settings::at(folder.path().join("app.db"))).unwrap();
    engine.migrate(&Migration::between(None, &old), &old).unwrap();
    let migration = Migration::between(Some(&old.snapshot()), &new);
    let outcome = engine.on_writer(move |connection| {
        connection.execute_batch(
            "INSERT INTO bs(id, t, created_at, updated_at, version) VALUES (1, 'b', '', '', 1);
            INSERT INTO \"as\"(id, name, b, x, gone, created_at, updated_at, version) VALUES (1, 'a', 1, 5, 6, '', '', 1), (7, 'c', NULL, NULL, 1, '', '', 1);
            INSERT INTO as_many VALUES (1, 1); INSERT INTO cs(id, n, created_at, updated_at, version) VALUES (1, 'c', '', '', 1)",
        ).unwrap();
        let before = dump(connection);
        let mut fail_at = 0;
        loop {
            let mut reached = false;
            let outcome = super::migrate::apply_watched(connection, &migration, &new, &mut |at| {
                reached = at == fail_at;
                if reached { Err(StoreError::Engine("the power fails".to_owned())) } else { Ok(()) }
            });
            if outcome.is_ok() {
                return (fail_at, dump(connection));
            }
            assert!(reached, "{outcome:?}");
            assert_eq!(dump(connection), before, "after failing at statement {fail_at}");
            fail_at += 1;
        }
    });
    let (statements, after) = outcome.unwrap();
    assert!(statements > 15, "{statements}");
    assert!(after.iter().any(|row| row.contains("Text(\"aas\")")), "{after:?}");
}

//! What only shows beside other sessions, and when a migration ends in the middle.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets something unexpected ends")]
use std::sync::Arc;

use mainstay_schema::{Class, Migration, Schema, Source};
use mainstay_test_db::{Engine, TestDatabase, postgres_only};
use tokio_postgres::{Client, NoTls};

use super::{Patience, apply, apply_watched, drift, is_newer, look, render, snapshot};
use crate::{MigrateError, StoreError};

const PATIENCE: Patience = Patience { lock_ms: 200, wait_ms_max: 20_000, keeps_session: true, idle_ms: 60_000 };

struct World {
    database: TestDatabase,
}

fn load(sdl: &str) -> Arc<Schema> {
    Arc::new(
        Schema::load(&[Source { name: "schema.graphql", text: sdl }]).unwrap_or_else(|errors| panic!("{errors:?}")),
    )
}

impl World {
    async fn new(sdl: &str) -> World {
        let world = World { database: TestDatabase::on(Engine::Postgres) };
        world.to(sdl).await.unwrap();
        world
    }

    async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.database.url(), NoTls).await.unwrap();
        tokio::spawn(async move {
            let _ = connection.await;
        });
        client
    }

    async fn way(&self, schema: &Schema) -> Migration {
        Migration::between(snapshot(&self.client().await).await.unwrap().as_ref(), schema)
    }

    async fn to(&self, sdl: &str) -> Result<(), MigrateError> {
        let schema = load(sdl);
        let migration = self.way(&schema).await;
        apply(&mut self.client().await, &migration, &schema, PATIENCE).await
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        let cell = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
        let rows = self.database.rows(sql).into_iter();
        rows.map(|row| row.into_iter().map(cell).collect::<Vec<_>>().join(" ")).collect()
    }

    /// Nothing is left of what came before, and nothing is missing.
    async fn is_sound(&self) {
        let mut client = self.client().await;
        let remembered = snapshot(&client).await.unwrap().unwrap();
        let (found, _) = drift(&mut client, &remembered, PATIENCE).await.unwrap();
        assert_eq!(found, []);
    }
}

const OLD: &str = r#"
type Book @rules(read: "true") { title: String! @unique pages: Int state: State author: Writer tags: [Tag!]! @many gone: String }
type Writer @rules(read: "true") { id: Int! name: String! books: [Book!]! @inverse(field: "author") }
type Tag @rules(read: "true") { id: String! }
enum State { draft ready }
"#;

const RECORDS: &str = "
INSERT INTO writers(name, created_at, updated_at, version) VALUES ('Ada', now(), now(), 1), ('Bob', now(), now(), 1);
INSERT INTO tags VALUES ('a', now(), now(), 1);
INSERT INTO books(id, title, pages, state, author, gone, created_at, updated_at, version) SELECT
  ('0190a000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'b' || n, n, CASE n % 2 WHEN 0 THEN 'draft' ELSE 'ready' END,
  1 + n % 2, 'x', now(), now(), 1 FROM generate_series(1, 2500) AS n;
INSERT INTO books_tags SELECT id, 'a' FROM books;
";

const NEW: &str = r#"
type Volume @was(name: "Book") @rules(read: "true") {
  name: String! @unique @was(name: "title")
  pages: String
  state: State
  by: Person @was(name: "author")
  slug: String! @backfill(expr: "name.upperAscii()")
  writer: String! @backfill(expr: "by == null ? 'nobody' : by.name")
  tags: [Tag!]! @many
  stock: Int! @default(value: 1)
}
type Person @was(name: "Writer") @rules(read: "true") { id: Int! name: String! books: [Volume!]! @inverse(field: "by") }
type Tag @rules(read: "true") { id: String! }
enum State { sketch @was(name: "draft") ready }
"#;

#[tokio::test]
async fn everything_changes_where_it_stands() {
    postgres_only!("is about its migrations");
    let world = World::new(OLD).await;
    world.is_sound().await;
    assert!(!is_newer(&world.client().await).await.unwrap());
    world.database.execute(RECORDS);
    world.database.execute("CREATE VIEW mine AS SELECT id, pages > 3 AS is_long FROM books");
    let error = world.to(NEW).await.unwrap_err();
    assert!(error.to_string().contains("view mine depends on column pages of table "), "{error}");
    world.database.execute("DROP VIEW mine; CREATE VIEW mine AS SELECT title FROM books");
    world.is_sound().await;
    world.to(NEW).await.unwrap();
    world.is_sound().await;
    let rows =
        "SELECT name, pages, state, by, slug, writer, stock FROM volumes WHERE name IN ('b1', 'b2500') ORDER BY name";
    assert_eq!(world.rows(rows), ["b1 1 ready 2 B1 Bob 1", "b2500 2500 sketch 1 B2500 Ada 1"]);
    assert_eq!(world.rows("SELECT count(*), min(to_id) FROM volumes_tags"), ["2500 a"]);
    assert_eq!(world.rows("SELECT count(*) FROM mine"), ["2500"]);
    let names = "SELECT conname FROM pg_constraint WHERE conrelid IN ('volumes'::regclass, 'volumes_tags'::regclass, 'persons'::regclass) \
                 UNION SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid IN ('volumes'::regclass, 'volumes_tags'::regclass, \
                 'persons'::regclass) UNION SELECT relname FROM pg_class WHERE relkind = 'S' ORDER BY 1";
    let found = world.rows(names);
    let fresh = World::new(NEW).await;
    assert_eq!(found, fresh.rows(names));
    world.database.execute("INSERT INTO persons(name, created_at, updated_at, version) VALUES ('Cy', now(), now(), 1)");
    assert_eq!(world.rows("SELECT max(id) FROM persons"), ["3"]);
}

#[tokio::test]
async fn records_in_the_way_are_shown_and_nothing_is_done() {
    postgres_only!("is about its migrations");
    let world = World::new(OLD).await;
    world.database.execute(RECORDS);
    world.database.execute("UPDATE books SET gone = NULL WHERE title = 'b7'");
    let schema = load(&OLD.replace("gone: String", "gone: Int! @check(expr: \"gone > 0\")").replace("ready }", "}"));
    let migration = world.way(&schema).await;
    let found = look(&mut world.client().await, &migration, &schema, PATIENCE).await.unwrap();
    let lines: Vec<String> = found
        .iter()
        .map(|of| format!("{}: {}: {}", of.count, of.what, serde_json::to_string(&of.records[0].values).unwrap()))
        .collect();
    assert_eq!(
        lines,
        [
            r#"1250: "Book.state" has values that are no State any more: {"state":"ready"}"#,
            r#"2499: values of "Book.gone" do not become Int from String without loss: {"gone":"x"}"#,
            r#"2500: "Book.gone" is required, and null here: {"gone":null}"#,
            r#"2500: the check of "Book.gone" does not hold: gone > 0: {"gone":null}"#,
        ][..lines.len()]
    );
    let error = apply(&mut world.client().await, &migration, &schema, PATIENCE).await.unwrap_err();
    assert!(matches!(error, MigrateError::Offences(_)), "{error}");
    world.is_sound().await;
}

/// Old or new, never between: a session that ends before any of the statements leaves nothing.
#[tokio::test]
async fn a_crash_at_any_step_leaves_the_old_schema_or_the_new_one() {
    postgres_only!("ends its sessions");
    let world = World::new(OLD).await;
    world.database.execute(RECORDS);
    let schema = load(NEW);
    let migration = world.way(&schema).await;
    let mut steps = 0;
    loop {
        let mut client = world.client().await;
        let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
        let mut ended = false;
        let mut end = |at| {
            if at == steps {
                ended = true;
                world.database.execute(&format!("SELECT pg_terminate_backend({pid}, 10000)"));
            }
            Ok(())
        };
        let outcome = apply_watched(&mut client, &migration, &schema, PATIENCE, &mut end).await;
        if !ended {
            outcome.unwrap();
            break;
        }
        assert!(matches!(outcome, Err(MigrateError::Store(_))), "{outcome:?}");
        assert_eq!(snapshot(&world.client().await).await.unwrap().unwrap(), migration.from, "before statement {steps}");
        steps += 1;
    }
    assert!(steps > 20, "{steps}");
    world.is_sound().await;
    assert_eq!(snapshot(&world.client().await).await.unwrap().unwrap(), migration.to);
}

#[tokio::test]
async fn a_step_that_fails_leaves_nothing() {
    postgres_only!("is about its migrations");
    let world = World::new(OLD).await;
    world.database.execute(RECORDS);
    let schema = load(NEW);
    let migration = world.way(&schema).await;
    let mut fail = |at| if at == 12 { Err(StoreError::DiskFull) } else { Ok(()) };
    let outcome = apply_watched(&mut world.client().await, &migration, &schema, PATIENCE, &mut fail).await;
    assert!(matches!(outcome, Err(MigrateError::Store(StoreError::DiskFull))), "{outcome:?}");
    world.is_sound().await;
    world.to(NEW).await.unwrap();
}

#[tokio::test]
async fn of_several_that_apply_at_once_one_does() {
    postgres_only!("is about its locks");
    let world = World::new(OLD).await;
    world.database.execute(RECORDS);
    for keeps_session in [true, false] {
        let next = if keeps_session { NEW } else { OLD };
        let schema = load(next);
        let migration = world.way(&schema).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let (mut client, migration, schema) = (world.client().await, migration.clone(), schema.clone());
            let patience = Patience { keeps_session, ..PATIENCE };
            tasks.spawn(async move { apply(&mut client, &migration, &schema, patience).await });
        }
        let outcomes = tasks.join_all().await;
        let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let moved = outcomes.iter().filter(|outcome| matches!(outcome, Err(MigrateError::Moved))).count();
        assert_eq!((done, moved), (1, 5), "{outcomes:?}");
        world.is_sound().await;
        if keeps_session {
            world.database.execute("DELETE FROM volumes_tags; DELETE FROM volumes; DELETE FROM persons");
        }
    }
}

/// A node with the old schema reads and writes before, while and after another applies what is additive.
#[tokio::test]
async fn an_old_node_goes_on_across_an_additive_step() {
    postgres_only!("is about its locks");
    let world = World::new(OLD).await;
    world.database.execute(RECORDS);
    let next = OLD
        .replace("gone: String", "gone: String extra: String! @default(value: \"e\") editor: Writer code: Int @unique")
        .replace("pages: Int", "pages: Int @index")
        .replace("draft ready", "draft ready printed");
    let schema = load(&next);
    let migration = world.way(&schema).await;
    assert_eq!(migration.class(), Class::Additive);
    let node = world.client().await;
    let read = node.prepare("SELECT title, state FROM books WHERE title = $1").await.unwrap();
    let write = node.prepare("UPDATE books SET pages = pages + 1 WHERE title = $1 RETURNING version").await.unwrap();
    // One that reads holds on to the table: the migration waits, and lets others pass meanwhile.
    let reader = world.client().await;
    reader.batch_execute("BEGIN; SELECT count(*) FROM books").await.unwrap();
    let mut client = world.client().await;
    let apply = tokio::spawn({
        let (migration, schema) = (migration.clone(), schema.clone());
        async move { apply(&mut client, &migration, &schema, PATIENCE).await }
    });
    let mut rounds = 0;
    while !apply.is_finished() {
        assert_eq!(node.query(&read, &[&"b1"]).await.unwrap().len(), 1);
        assert_eq!(node.query(&write, &[&"b1"]).await.unwrap().len(), 1);
        rounds += 1;
        let waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        if rounds > 20 && !world.rows(waits).is_empty() {
            reader.batch_execute("COMMIT").await.unwrap();
        }
    }
    apply.await.unwrap().unwrap();
    world.is_sound().await;
    assert_eq!(node.query(&read, &[&"b1"]).await.unwrap().len(), 1);
    assert_eq!(node.query(&write, &[&"b1"]).await.unwrap().len(), 1);
    world.database.execute(
        "INSERT INTO books(id, title, created_at, updated_at, version) VALUES (gen_random_uuid(), 'new', now(), now(), 1)",
    );
    assert_eq!(world.rows("SELECT extra, state, editor FROM books WHERE title = 'new'"), ["e - -"]);
    assert_eq!(world.rows("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"), ["0"]);
}

#[tokio::test]
async fn an_index_that_was_not_built_to_its_end_is_built_again() {
    postgres_only!("is about its indexes");
    let world = World::new(OLD).await;
    world.database.execute(RECORDS);
    let next = OLD.replace("pages: Int", "pages: Int @index").replace("gone: String", "gone: String @unique");
    let schema = load(&next);
    let migration = world.way(&schema).await;
    // As a crash in the middle leaves it: the unique does not hold, so that it is never valid.
    let mut client = world.client().await;
    let shown = render(&client, &migration, &schema).await.unwrap();
    assert_eq!(
        shown,
        [
            "CREATE UNIQUE INDEX \"books_gone_key\" ON \"books\" (\"gone\" NULLS FIRST)",
            "CREATE INDEX \"books_pages_idx\" ON \"books\" (\"pages\" NULLS FIRST, \"id\")",
        ]
    );
    let name = &migration.to.tables.iter().find(|of| of.table == "books").unwrap().indexes[1].name;
    let build = format!("CREATE UNIQUE INDEX CONCURRENTLY \"{name}\" ON books (gone)");
    client.batch_execute(&build).await.unwrap_err();
    world.is_sound().await;
    let error = apply(&mut client, &migration, &schema, PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("several records have the same \"Book.gone\""), "{error}");
    world.is_sound().await;
    world.database.execute("UPDATE books SET gone = title");
    apply(&mut client, &migration, &schema, PATIENCE).await.unwrap();
    world.is_sound().await;
    assert_eq!(world.rows("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), ["0"]);
}

/// What is made before the migration is found by the next one; what a hand has made in its place is told.
#[tokio::test]
async fn what_an_interrupted_migration_made_early_is_taken() {
    postgres_only!("is about its migrations");
    let world = World::new(OLD).await;
    world.database.execute(RECORDS);
    let next = OLD.replace("gone: String", "gone: String code: Int @index");
    let schema = load(&next);
    let migration = world.way(&schema).await;
    let mut fail = |_| Err(StoreError::DiskFull);
    apply_watched(&mut world.client().await, &migration, &schema, PATIENCE, &mut fail).await.unwrap_err();
    assert_eq!(snapshot(&world.client().await).await.unwrap().unwrap(), migration.from);
    assert_eq!(
        world.rows("SELECT count(*) FROM pg_indexes WHERE tablename = 'books' AND indexdef LIKE '%code%'"),
        ["1"]
    );
    world.to(&next).await.unwrap();
    world.is_sound().await;
    world.database.execute("ALTER TABLE books ADD COLUMN mine text");
    let error = world.to(&next.replace("code: Int @index", "code: Int @index mine: Int")).await.unwrap_err();
    assert!(error.to_string().contains("table \"books\" has a column \"mine\" of its own"), "{error}");
    world.database.execute("ALTER TABLE books ALTER COLUMN mine TYPE integer USING NULL");
    world.to(&next.replace("code: Int @index", "code: Int @index mine: Int")).await.unwrap();
    world.is_sound().await;
}

#[tokio::test]
async fn what_was_changed_by_hand_is_told_in_words() {
    postgres_only!("is about its catalogs");
    let world = World::new(OLD).await;
    world.database.execute(
        "ALTER TABLE books DROP COLUMN gone, ALTER COLUMN pages TYPE bigint, ADD COLUMN mine integer, ADD CHECK (pages > 0), \
         DROP CONSTRAINT books_author_fkey; DROP INDEX books_title_key; ALTER TABLE writers ALTER COLUMN name DROP NOT NULL; \
         DROP TABLE books_tags; ALTER TABLE tags ENABLE ROW LEVEL SECURITY; CREATE INDEX own ON books(state)",
    );
    let mut client = world.client().await;
    let remembered = snapshot(&client).await.unwrap().unwrap();
    let (found, _) = drift(&mut client, &remembered, PATIENCE).await.unwrap();
    let mut lines: Vec<String> = found.iter().map(|of| format!("{:?}: {}", of.severity, of.what)).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            r#"Broken: column "gone" of table "books" is gone"#,
            r#"Broken: column "pages" of table "books" is of type bigint, not integer"#,
            r#"Broken: table "books_tags" is gone"#,
            r#"Broken: the unique of "title" of table "books" is gone"#,
            r#"Harmless: table "books" has a column "mine" of its own"#,
            r#"Harmless: table "books" has an index "own" of its own"#,
            r#"Weaker: column "name" of table "writers" is no longer NOT NULL"#,
            r#"Weaker: table "books" has a check of its own: CHECK (pages > 0)"#,
            r#"Weaker: table "tags" has other options (UNLOGGED, ROW LEVEL SECURITY)"#,
            r#"Weaker: the foreign key of column "author" of table "books" to "writers" is gone"#,
        ]
    );
}

//! Migrations: all or nothing, and remembered.
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_plan::Position;
use mainstay_schema::Migration;
use mainstay_store::{ChangesAsked, MigrateError, StepError, StoreError};
use mainstay_test_db::{Engine, TestDatabase, engine, postgres_only};

use crate::world::{SDL, World, load};

#[test]
fn the_schema_last_applied_is_remembered() {
    let world = World::new();
    assert_eq!(world.store.snapshot().unwrap(), Some(world.schema.snapshot()));
}

#[tokio::test]
async fn an_additive_step_keeps_the_records() {
    let world = World::new();
    world.board(1).await;
    let next = Arc::new(load(
        &SDL.replace("name: String! @unique", "name: String! @unique\n  icon: String! @default(value: \"x\")"),
    ));
    world.store.follow(&next).unwrap();
    let world = World { schema: next.clone(), ..world };
    assert_eq!(world.show("Board", "true", &["name", "icon"]).await, r#"{"name":"board 1","icon":"x"}"#);
    assert_eq!(world.store.snapshot().unwrap(), Some(next.snapshot()));
}

#[tokio::test]
async fn defaults_of_records_that_are_there_are_written_as_those_of_new_ones() {
    let world = World::new();
    world.board(1).await;
    let fields =
        "weights: [Float!]! @default(value: [1e16, -1e17, 2.5])\n  more: JSON @default(value: {a: 1e16, b: [1e18, 1]})";
    let next = Arc::new(load(&SDL.replace("name: String! @unique", &format!("name: String! @unique\n  {fields}"))));
    world.store.follow(&next).unwrap();
    let world = World { schema: next, ..world };
    assert_eq!(
        world.show("Board", "true", &["weights", "more"]).await,
        r#"{"weights":[1e16,-1e17,2.5],"more":{"a":1e16,"b":[1e18,1]}}"#
    );
}

#[tokio::test]
async fn steps_that_fail_leave_nothing_behind() {
    let world = World::new();
    world.database.execute("CREATE TABLE extras(id integer)");
    let more =
        "type Before @rules(read: \"true\") { name: String }\ntype Extra @rules(read: \"true\") { name: String }";
    let next = Arc::new(load(&format!("{SDL}\n{more}")));
    let error = world.store.follow(&next).unwrap_err();
    assert!(error.to_string().contains("extras"), "{error}");
    assert_eq!(world.store.snapshot().unwrap(), Some(world.schema.snapshot()));
    let tables = match engine() {
        Engine::Sqlite => "SELECT name FROM sqlite_schema WHERE name = 'befores'",
        Engine::Postgres => "SELECT relname FROM pg_class WHERE relname = 'befores'",
    };
    assert!(world.database.rows(tables).is_empty());
    world.board(1).await;
}

#[tokio::test]
async fn where_changes_are_kept_again_the_feed_begins_anew() {
    let database = TestDatabase::new();
    let store = mainstay_store::Store::open(database.settings()).unwrap();
    let sdl = |off: &str| format!("type Log @rules(read: \"true\") {off} {{ line: String }}");
    store.follow(&Arc::new(load(&sdl("")))).unwrap();
    let ask = |after, collection: Option<&str>| {
        let collection = collection.map(Arc::from);
        store.changes(ChangesAsked { after, collection, limit: 10, bytes: 1 << 20 })
    };
    let before = store.changes_end().await.unwrap();
    store.follow(&Arc::new(load(&sdl("@changes(off: true)")))).unwrap();
    assert!(ask(Some(before), None).await.is_ok());
    store.follow(&Arc::new(load(&sdl("")))).unwrap();
    // Nobody knows what was written meanwhile.
    for collection in [None, Some("logs")] {
        let told = ask(Some(before), collection).await;
        assert!(matches!(told, Err(StoreError::ChangesGone)), "{told:?}");
    }
    let end = settled(&store).await;
    assert_eq!(ask(Some(end), Some("logs")).await.unwrap().changes, []);
}

/// Where the feed ends, once transactions of others do not hold it back.
async fn settled(store: &mainstay_store::Store) -> Position {
    loop {
        if let Ok(end) = store.changes_end().await {
            return end;
        }
    }
}

#[tokio::test]
async fn a_feed_that_begins_anew_is_not_read_from_behind_what_is_still_to_come() {
    postgres_only!("writers that are under way");
    let database = TestDatabase::new();
    let store = mainstay_store::Store::open(database.settings()).unwrap();
    let sdl = |off: &str| {
        format!(
            "type Log @rules(read: \"true\") {off} {{ line: String }} type Note @rules(read: \"true\") {{ text: String }}"
        )
    };
    store.follow(&Arc::new(load(&sdl("@changes(off: true)")))).unwrap();
    let late =
        database.hold("INSERT INTO mainstay_changes (collection, record, op, time) VALUES ('notes', 'late', 1, 0)");
    store.follow(&Arc::new(load(&sdl("")))).unwrap();
    let ask = |after| ChangesAsked { after, collection: None, limit: 10, bytes: 1 << 20 };
    // Whoever would begin here now would never hear of it.
    assert!(matches!(store.changes_end().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.changes(ask(None)).await, Err(StoreError::Unavailable(_))));
    drop(late);
    let end = settled(&store).await;
    assert_eq!(store.changes(ask(Some(end))).await.unwrap().changes, []);
    assert!(matches!(store.changes(ask(Some(Position::default()))).await, Err(StoreError::ChangesGone)));
}

#[test]
fn a_migration_that_begins_elsewhere_is_refused() {
    let world = World::new();
    let next = Arc::new(load(&SDL.replace("  label: String\n", "")));
    let migration = Migration::between(Some(&world.schema.snapshot()), &next);
    world.store.migrate(&migration, &next).unwrap();
    let error = world.store.migrate(&migration, &next).unwrap_err();
    assert!(matches!(error, MigrateError::Moved), "{error}");
}

/// A database of one schema with records in it, brought to another.
struct Move {
    store: mainstay_store::Store,
    database: TestDatabase,
}

impl Move {
    fn new(sdl: &str, insert: &[&str]) -> Move {
        let database = TestDatabase::new();
        let store = mainstay_store::Store::open(database.settings()).unwrap();
        store.follow(&Arc::new(load(sdl))).unwrap();
        let change = Move { store, database };
        insert.iter().for_each(|sql| change.database.execute(sql));
        change
    }

    fn to(&self, sdl: &str) -> Result<(), MigrateError> {
        self.store.follow(&Arc::new(load(sdl)))
    }

    /// What the migration says of the records in the way.
    fn refused(&self, sdl: &str) -> Vec<String> {
        match self.to(sdl) {
            Err(MigrateError::Offences(offences)) => {
                let records = |offence: &mainstay_store::Offence| -> Vec<String> {
                    let show = |record: &mainstay_store::Offender| {
                        format!("{} {}", record.id, serde_json::Value::Object(record.values.clone()))
                    };
                    offence.records.iter().map(show).collect()
                };
                let line = |offence: &mainstay_store::Offence| {
                    format!("{}: {}: {:?}", offence.count, offence.what, records(offence))
                };
                offences.iter().map(line).collect()
            }
            other => panic!("it should have been refused: {other:?}"),
        }
    }

    /// The rows of a query, each as one text; JSON without the spaces that one engine writes.
    fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.database.rows(sql).into_iter().map(|row| row.into_iter().flatten().collect::<String>());
        rows.map(|row| row.replace("\": ", "\":").replace(", \"", ",\"")).collect()
    }
}

#[test]
fn members_of_embedded_values_follow() {
    let change = Move::new(
        "type A { id: Int! m: M ms: [M!] } type M @embedded { a: Int b: String s: S gone: Int } enum S { x y }",
        &[r#"INSERT INTO "as"(m, ms, created_at, updated_at, version) VALUES
            ('{"a":1,"b":"t","gone":5,"s":"x"}', '[{"a":null,"b":null,"gone":null,"s":"y"}]', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1), (NULL, '[]', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1)"#],
    );
    let next = r#"
type A { id: Int! m: M ms: [M!] }
type M @embedded { aa: Long @was(name: "a") b: String s: S n: Boolean }
enum S { ex @was(name: "x") y }
"#;
    change.to(next).unwrap();
    let rows = change.rows(r#"SELECT coalesce(CAST(m AS text), '-') || ' ' || ms FROM "as" ORDER BY id"#);
    assert_eq!(
        rows,
        [
            match engine() {
                Engine::Sqlite => r#"{"aa":"1","b":"t","n":null,"s":"ex"} [{"aa":null,"b":null,"n":null,"s":"y"}]"#,
                Engine::Postgres => r#"{"b":"t","n":null,"s":"ex","aa":"1"} [{"b":null,"n":null,"s":"y","aa":null}]"#,
            },
            "- []"
        ]
    );
    let refused = change.refused(&next.replace("b: String", "b: String!"));
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].starts_with("1: \"A.ms\" has values that are no [M!] any more"), "{refused:?}");
}

#[test]
fn counted_keys_go_on_counting() {
    let insert = r#"INSERT INTO "as"(name, created_at, updated_at, version) VALUES ('a', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1), ('b', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1)"#;
    let change = Move::new("type A { id: Int! name: String }", &[insert, r#"DELETE FROM "as""#]);
    change.to("type A { id: Int! name: String! }").unwrap();
    change.database.execute(insert);
    assert_eq!(change.rows(r#"SELECT id FROM "as" ORDER BY id"#), ["3", "4"]);
}

#[test]
fn fields_are_filled_from_functions_that_sql_does_not_know_and_over_links() {
    let change = Move::new(
        "type A { id: Int! name: String b: B mail: String } type B { id: Int! title: String! as2: [A!]! @many }",
        &[
            r#"INSERT INTO bs(title, created_at, updated_at, version) VALUES ('Core', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1)"#,
            r#"INSERT INTO "as"(name, b, mail, created_at, updated_at, version) VALUES (' Ab ', 1, 'x@y.z', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1), (NULL, NULL, 'no mail', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1)"#,
            "INSERT INTO bs_as2 VALUES (1, 1), (1, 2)",
        ],
    );
    let sdl = |mail: &str| {
        format!(
            r#"
type Item @was(name: "A") {{
  id: Int! name: String b: Group mail: String
  slug: String! @backfill(expr: "name == null ? 'none' : name.trim().lowerAscii()") @check(expr: "slug.matches('^[a-z]+$')")
  of: String @backfill(expr: "b.title")
  others: Int! @backfill(expr: "b == null ? 0 : size(b.members)")
  {mail}
}}
type Group @was(name: "B") {{ id: Int! title: String! members: [Item!]! @many @was(name: "as2") }}
"#
        )
    };
    let refused = change.refused(&sdl(r#"address: Email! @backfill(expr: "mail")"#));
    assert_eq!(refused, [r#"1: "Item.address" is required, and null here: ["\"2\" {\"address\":null}"]"#]);
    change.to(&sdl(r#"address: Email @backfill(expr: "mail")"#)).unwrap();
    assert_eq!(
        change.rows("SELECT slug || ' ' || coalesce(of, '-') || ' ' || others || ' ' || coalesce(address, '-') FROM items ORDER BY id"),
        ["ab Core 2 x@y.z", "none - 0 -"]
    );
    assert_eq!(change.rows("SELECT CAST(from_id AS text) || to_id FROM groups_members ORDER BY 1"), ["11", "12"]);
}

#[test]
fn what_is_in_the_way_is_told_with_its_values() {
    let change = Move::new(
        "type A { id: Int! name: String n: Int s: S tags: [A!]! @many } enum S { x y }",
        &[
            r#"INSERT INTO "as"(name, n, s, created_at, updated_at, version) VALUES ('a', 1, 'x', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1), ('a', NULL, 'y', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1), ('7', -3, 'x', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1)"#,
            "INSERT INTO as_tags VALUES (1, 2), (1, 3), (2, 1)",
        ],
    );
    let refused = change
        .refused("type A { id: Int! name: String @unique n: Int @check(expr: \"n > 0\") s: S tags: A } enum S { x }");
    assert_eq!(
        refused,
        [
            r#"1: "A.s" has values that are no S any more: ["\"2\" {\"s\":\"y\"}"]"#,
            r#"1: "A.tags" becomes a link to one, but leads to several: ["\"1\" {\"tags\":[2,3]}"]"#,
            r#"2: several records have the same "A.name": ["\"1\" {\"name\":\"a\"}", "\"2\" {\"name\":\"a\"}"]"#,
            r#"1: the check of "A.n" does not hold: n > 0: ["\"3\" {\"n\":-3}"]"#,
        ]
    );
    let refused = change
        .refused("type A { id: Int! name: Int n: Int! s: S tags: [B!]! @many } type B { id: Int! } enum S { x y }");
    assert_eq!(
        refused,
        [
            r#"2: values of "A.name" do not become Int from String without loss: ["\"1\" {\"name\":\"a\"}", "\"2\" {\"name\":\"a\"}"]"#,
            r#"1: "A.n" is required, and null here: ["\"2\" {\"n\":null}"]"#,
            r#"3: "A.tags" links to records that are not there: ["\"1\" {\"tags\":\"2\"}", "\"1\" {\"tags\":\"3\"}", "\"2\" {\"tags\":\"1\"}"]"#,
        ]
    );
}

#[test]
fn a_text_that_a_rule_compares_with_the_caller_is_looked_at() {
    let long = "x".repeat(300);
    let change = Move::new(
        "type A { id: Int! owner: String }",
        &[&format!(
            r#"INSERT INTO "as"(owner, created_at, updated_at, version) VALUES ('{long}', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1), ('anna', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1)"#
        )],
    );
    let next = r#"type A @rules(read: "owner == auth.id") { id: Int! owner: String }"#;
    let refused = change.refused(next);
    assert!(refused[0].starts_with("1: texts of \"A.owner\" are longer than 255 characters"), "{refused:?}");
    change.database.execute(r#"DELETE FROM "as" WHERE id = 1"#);
    change.to(next).unwrap();
}

#[tokio::test]
async fn a_table_of_its_own_that_holds_on_to_a_record_is_told() {
    let world = World::new();
    let tag = world.write(world.create_step("Tag", Value::Int(1), &[])).await.key;
    world.database.execute("CREATE TABLE mine(tag bigint REFERENCES tags(id)); INSERT INTO mine VALUES (1)");
    let (drift, _) = world.store.drift(&world.schema.snapshot()).unwrap();
    assert_eq!(drift, []);
    let error = world.store.write(vec![world.delete_step("Tag", tag)]).await.unwrap_err().error;
    assert!(matches!(error, StepError::HeldOutside), "{error}");
}

/// Another condition is another index: records that it comes to hold of are looked at first, and shown.
#[test]
fn a_unique_of_some_records_follows_its_condition() {
    let sdl = |among: &str| {
        format!("type Page @rules(read: \"true\") {{ id: Int! slug: String @unique{among} archived: Boolean }}")
    };
    let open = sdl("(where: \"!archived\")");
    let insert = |id: i32, archived: i32| {
        let archived = if engine() == Engine::Sqlite { archived.to_string() } else { (archived == 1).to_string() };
        format!(
            "INSERT INTO pages VALUES ({id}, 'a', {archived}, '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1)"
        )
    };
    let rows = [insert(1, 0), insert(2, 1), insert(3, 1)];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let change = Move::new(&open, &rows);
    let taken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| change.database.execute(&insert(4, 0))));
    assert!(taken.is_err());
    for next in [sdl(""), sdl("(where: \"archived\")")] {
        let next = Arc::new(load(&next));
        let migration = Migration::between(change.store.snapshot().unwrap().as_ref(), &next);
        let found = change.store.migrate(&migration, &next).unwrap_err();
        assert!(found.to_string().contains("several records have the same \"Page.slug\""), "{found}");
    }
    let next = Arc::new(load(&sdl("(where: \"archived == null\")")));
    let migration = Migration::between(change.store.snapshot().unwrap().as_ref(), &next);
    let steps: Vec<&str> = migration.steps.iter().map(|step| step.text.as_str()).collect();
    assert_eq!(
        steps,
        [
            "\"slug\" of \"pages\" is no longer unique where \"archived\" = false",
            "make \"slug\" unique in \"pages\" where \"archived\" is null"
        ]
    );
    change.store.migrate(&migration, &next).unwrap();
    change.database.execute(&insert(4, 0));
    assert_eq!(change.store.snapshot().unwrap(), Some(next.snapshot()));
}

/// What a migration makes may have the name of what it renames or drops.
#[test]
fn a_name_may_go_to_another_column_or_index() {
    let load = |fields: &str| Arc::new(load(&format!("type Page @rules(read: \"true\") {{ id: Int! {fields} }}")));
    let row = "INSERT INTO pages VALUES (1, 7, 8, '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 1)";
    for (from, to) in [
        ("a: Int b: Int", "c: Int @was(name: \"a\") b: Int a: String"),
        ("a: Int @index b: Int", "c: Int @index @was(name: \"a\") b: Int a: String @index"),
        ("a: Int @unique b: Int", "b: Int a: Int @unique @was(name: \"b\")"),
        ("a: Int @index b: Int @index", "b: Int @index @was(name: \"a\") a: Int @index @was(name: \"b\")"),
        ("a: Int @unique(where: \"b > 3\") b: Int", "a: Int @unique(where: \"b > 4\") b: Int"),
    ] {
        let change = Move::new(&format!("type Page @rules(read: \"true\") {{ id: Int! {from} }}"), &[row]);
        let next = load(to);
        let migration = Migration::between(change.store.snapshot().unwrap().as_ref(), &next);
        let done = change.store.migrate(&migration, &next);
        assert!(done.is_ok(), "{from} to {to}: {done:?}");
        let (drift, _) = change.store.drift(&next.snapshot()).unwrap();
        assert_eq!(drift, [], "{from} to {to}");
    }
}

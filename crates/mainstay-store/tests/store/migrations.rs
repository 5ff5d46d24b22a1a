//! Migrations: all or nothing, and remembered.
use std::sync::Arc;

use mainstay_schema::Migration;
use mainstay_store::MigrateError;

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
async fn steps_that_fail_leave_nothing_behind() {
    let world = World::new();
    world.beside().execute("CREATE TABLE extras(id)", []).unwrap();
    let more =
        "type Before @rules(read: \"true\") { name: String }\ntype Extra @rules(read: \"true\") { name: String }";
    let next = Arc::new(load(&format!("{SDL}\n{more}")));
    let error = world.store.follow(&next).unwrap_err();
    assert!(error.to_string().contains("extras"), "{error}");
    assert_eq!(world.store.snapshot().unwrap(), Some(world.schema.snapshot()));
    let tables: i64 = world
        .beside()
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'befores'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 0);
    world.board(1).await;
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

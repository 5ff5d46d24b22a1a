//! Migration steps: all or nothing, and remembered.
use mainstay_schema::diff;

use crate::world::{SDL, World, load};

#[test]
fn the_schema_last_applied_is_remembered() {
    let world = World::new();
    assert_eq!(world.store.snapshot().unwrap(), Some(world.schema.snapshot()));
    let steps = diff(None, &world.schema.snapshot());
    let texts = world.store.render_steps(&steps, &world.schema.snapshot()).unwrap();
    assert_eq!(texts.len(), steps.len());
    assert!(texts.iter().all(|text| text.ends_with(";\n")), "{texts:?}");
}

#[tokio::test]
async fn an_additive_step_keeps_the_records() {
    let world = World::new();
    world.board(1).await;
    let next =
        load(&SDL.replace("name: String! @unique", "name: String! @unique\n  icon: String! @default(value: \"x\")"));
    let (old, new) = (world.schema.snapshot(), next.snapshot());
    world.store.apply(&diff(Some(&old), &new), &new).unwrap();
    let world = World { schema: next.into(), ..world };
    assert_eq!(world.show("Board", "true", &["name", "icon"]).await, r#"{"name":"board 1","icon":"x"}"#);
    assert_eq!(world.store.snapshot().unwrap(), Some(new));
}

#[tokio::test]
async fn steps_that_fail_leave_nothing_behind() {
    let world = World::new();
    world.beside().execute("CREATE TABLE extras(id)", []).unwrap();
    let more =
        "type Before @rules(read: \"true\") { name: String }\ntype Extra @rules(read: \"true\") { name: String }";
    let next = load(&format!("{SDL}\n{more}"));
    let (old, new) = (world.schema.snapshot(), next.snapshot());
    let error = world.store.apply(&diff(Some(&old), &new), &new).unwrap_err();
    assert!(error.to_string().contains("extras"), "{error}");
    assert_eq!(world.store.snapshot().unwrap(), Some(old));
    let tables: i64 = world
        .beside()
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'befores'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 0);
    world.board(1).await;
}

#[test]
fn a_step_that_cannot_be_carried_out_is_refused_by_name() {
    let world = World::new();
    let next = load(&SDL.replace("  label: String\n", ""));
    let (old, new) = (world.schema.snapshot(), next.snapshot());
    let error = world.store.apply(&diff(Some(&old), &new), &new).unwrap_err();
    assert!(error.to_string().contains("dropping field \"Tag.label\" is not available yet"), "{error}");
}

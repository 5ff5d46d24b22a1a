//! What a delete takes with it.
use mainstay_expr::Value;
use mainstay_plan::{LinkMode, WritePlan};
use mainstay_store::StepError;

use crate::world::{World, uuid};

#[tokio::test]
async fn a_delete_takes_what_hangs_on_it_and_nothing_else() {
    let world = World::new();
    let (one, two) = (world.board(1).await, world.board(2).await);
    world.note(10, &one, &[]).await;
    world.note(11, &one, &[("parent", uuid(10))]).await;
    // On another board, but below a note of the first.
    world.note(12, &two, &[("parent", uuid(11))]).await;
    world.note(13, &two, &[]).await;
    let written = world.write(world.delete_step("Board", one)).await;
    assert_eq!((written.key, written.record), (uuid(1), None));
    assert_eq!(world.show("Board", "true", &["name"]).await, r#"{"name":"board 2"}"#);
    assert_eq!(world.show("Note", "true", &["text"]).await, r#"{"text":"note 13"}"#);
    assert!(matches!(world.try_write(world.delete_step("Board", uuid(1))).await, Err(StepError::NotFound)));
}

#[tokio::test]
async fn links_marked_set_null_become_null_and_count_as_a_change() {
    let world = World::new();
    let board = world.board(1).await;
    let bob = world.write(world.create_step("Person", Value::text("bob"), &[])).await.key;
    let under = [("chief", bob.clone())];
    world.write(world.create_step("Person", Value::text("eve"), &under)).await;
    world.note(10, &board, &[("author", bob.clone())]).await;
    world.write(world.delete_step("Person", bob)).await;
    let fields = ["author", "version", "updatedAt"];
    let note = world.show("Note", "updatedAt > createdAt", &fields).await;
    assert!(note.starts_with(r#"{"author":null,"version":2,"updatedAt":"2"#), "{note}");
    assert_eq!(world.show("Person", "true", &["id", "chief"]).await, r#"{"id":"eve","chief":null}"#);
}

#[tokio::test]
async fn a_restriction_holds_unless_its_record_ends_too() {
    let world = World::new();
    let (one, two) = (world.board(1).await, world.board(2).await);
    world.note(10, &one, &[]).await;
    world.write(world.create_step("Pin", Value::Int(1), &[("note", uuid(10)), ("board", two.clone())])).await;
    for step in [world.delete_step("Note", uuid(10)), world.delete_step("Board", one.clone())] {
        match world.try_write(step).await {
            Err(StepError::Restricted { by, field }) => {
                assert_eq!((by, field), (world.id("Pin"), world.field("Pin", "note")));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.show("Note", "true", &["text"]).await, r#"{"text":"note 10"}"#);
    // Moved to the board that is deleted, the pin ends together with the note that it holds.
    world.write(world.update_step("Pin", Value::Int(1), &[("board", one.clone())])).await;
    world.write(world.delete_step("Board", one)).await;
    assert_eq!(world.show("Note", "true", &["text"]).await, "");
    assert_eq!(world.show("Pin", "true", &["id"]).await, "");
}

#[tokio::test]
async fn circles_and_links_to_itself_come_to_an_end() {
    let world = World::new();
    let board = world.board(1).await;
    world.note(10, &board, &[]).await;
    world.note(11, &board, &[("parent", uuid(10))]).await;
    world.write(world.update_step("Note", uuid(10), &[("parent", uuid(11))])).await;
    world.note(12, &board, &[]).await;
    world.write(world.update_step("Note", uuid(12), &[("parent", uuid(12))])).await;
    for number in [10, 12] {
        world.write(world.delete_step("Note", uuid(number))).await;
    }
    assert_eq!(world.show("Note", "true", &["id"]).await, "");
    let (one, two) = (Value::Int(1), Value::Int(2));
    world.write(world.create_step("Ping", one.clone(), &[])).await;
    world.write(world.create_step("Pong", two.clone(), &[("ping", one.clone())])).await;
    world.write(world.update_step("Ping", one.clone(), &[("pong", two)])).await;
    world.write(world.delete_step("Ping", one)).await;
    assert_eq!(world.show("Ping", "true", &["id"]).await + &world.show("Pong", "true", &["id"]).await, "");
}

#[tokio::test]
async fn join_rows_end_on_both_sides() {
    let world = World::new();
    let board = world.board(1).await;
    for number in [1, 2] {
        world.write(world.create_step("Tag", Value::Int(number), &[])).await;
    }
    for number in [10, 11] {
        world.note(number, &board, &[]).await;
        let (mut plan, mut values) = world.update("Note", uuid(number), &[]);
        values.push(Value::List([Value::Int(1), Value::Int(2)].into()));
        plan.changes = vec![world.change("Note", "tags", LinkMode::Add, 1, "true")];
        world.write(world.step(WritePlan::Update(plan), values)).await;
    }
    world.write(world.delete_step("Note", uuid(10))).await;
    world.write(world.delete_step("Tag", Value::Int(1))).await;
    assert_eq!(world.show("Tag", "true", &["id"]).await, r#"{"id":"2"}"#);
    // The list of the note has changed with the tag.
    let left = world.show("Note", "size(tags) == 1", &["text", "version"]).await;
    assert_eq!(left, r#"{"text":"note 11","version":3}"#);
}

#[tokio::test]
async fn one_that_stays_is_found_among_those_that_end() {
    let world = World::new();
    let (one, two) = (world.board(1).await, world.board(2).await);
    world.note(10, &one, &[]).await;
    for (pin, board) in [(1, &one), (2, &one), (3, &two), (4, &one)] {
        let links = [("note", uuid(10)), ("board", board.clone())];
        world.write(world.create_step("Pin", Value::Int(pin), &links)).await;
    }
    let outcome = world.try_write(world.delete_step("Board", one.clone())).await;
    assert!(matches!(outcome, Err(StepError::Restricted { .. })), "{outcome:?}");
    world.write(world.delete_step("Pin", Value::Int(3))).await;
    world.write(world.delete_step("Board", one)).await;
    assert_eq!(world.show("Pin", "true", &["id"]).await, "");
}

#[tokio::test]
async fn so_is_one_that_cuts_too_many_links() {
    let world = World::with(|settings| settings.cascade_max = 4);
    let board = world.board(1).await;
    let bob = world.write(world.create_step("Person", Value::text("bob"), &[])).await.key;
    for number in 10..15 {
        world.note(number, &board, &[("author", bob.clone())]).await;
    }
    let delete = world.delete_step("Person", bob);
    let outcome = world.try_write(delete.clone()).await;
    assert!(matches!(outcome, Err(StepError::CascadeTooLarge { limit: 4 })), "{outcome:?}");
    assert_eq!(world.show("Note", "author != null && version == 1", &["id"]).await.matches("id").count(), 5);
    world.write(world.delete_step("Note", uuid(14))).await;
    world.write(delete).await;
    assert_eq!(world.show("Note", "author == null", &["id"]).await.matches("id").count(), 4);
}

#[tokio::test]
async fn a_delete_that_reaches_too_far_is_refused() {
    let world = World::with(|settings| settings.cascade_max = 4);
    let board = world.board(1).await;
    for number in 10..13 {
        world.note(number, &board, &[]).await;
    }
    let plan = world.delete_step("Board", board.clone());
    world.note(13, &board, &[]).await;
    let outcome = world.try_write(plan.clone()).await;
    assert!(matches!(outcome, Err(StepError::CascadeTooLarge { limit: 4 })), "{outcome:?}");
    world.write(world.delete_step("Note", uuid(13))).await;
    world.write(plan).await;
    assert_eq!(world.show("Note", "true", &["id"]).await, "");
}

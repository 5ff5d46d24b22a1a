//! Creates: links, uniques, rules over the outcome, answers.
use mainstay_expr::Value;
use mainstay_plan::{Create, LinkMode, WritePlan};
use mainstay_store::StepError;

use crate::world::{World, text, uuid};

#[tokio::test]
async fn a_record_is_answered_as_it_was_written() {
    let world = World::new();
    let (plan, values) = world.create("Board", uuid(1), &[("name", Value::text("a \"b\" \n"))]);
    let plan = Create { answer: world.answer("Board", "true", &["id", "name"]), ..plan };
    let written = world.write(world.step(WritePlan::Create(plan), values)).await;
    assert_eq!(text(&written), r#"{"id":"00000000-0000-0000-0000-000000000001","name":"a \"b\" \n"}"#);
    assert_eq!((written.key, written.version), (uuid(1), Some(1)));
}

#[tokio::test]
async fn what_may_not_be_read_is_answered_by_its_key() {
    let world = World::new();
    for (number, rule) in [(1, "name != 'board'"), (2, "size(notes) > 0")] {
        let (plan, values) = world.create("Board", uuid(number), &[("name", Value::text("board"))]);
        let plan = Create { answer: world.answer("Board", rule, &["name"]), ..plan };
        let step = world.step(WritePlan::Create(plan), values);
        let written = world.write(step).await;
        assert_eq!((written.key, written.version, written.record), (uuid(number), Some(1), None), "{rule}");
        world.write(world.delete_step("Board", uuid(number))).await;
    }
}

#[tokio::test]
async fn values_that_are_taken_are_named() {
    let world = World::new();
    let board = world.board(1).await;
    let taken = |outcome: StepError| match outcome {
        StepError::NotUnique { fields } => fields,
        other => panic!("{other}"),
    };
    let same_name = world.create_step("Board", uuid(2), &[("name", Value::text("board 1"))]);
    assert_eq!(taken(world.try_write(same_name).await.unwrap_err()), [world.field("Board", "name")]);
    let same_key = world.create_step("Board", uuid(1), &[("name", Value::text("other"))]);
    assert_eq!(taken(world.try_write(same_key).await.unwrap_err()), [world.field("Board", "id")]);
    let number = world.create_step("Tag", Value::Int(1), &[]);
    world.write(number.clone()).await;
    assert_eq!(taken(world.try_write(number).await.unwrap_err()), [world.field("Tag", "id")]);
    world.note(10, &board, &[("rank", Value::Int(1))]).await;
    let fields = [("board", board), ("text", Value::text("")), ("rank", Value::Int(1))];
    let same_rank = world.create_step("Note", uuid(11), &fields);
    let both = [world.field("Note", "board"), world.field("Note", "rank")];
    assert_eq!(taken(world.try_write(same_rank).await.unwrap_err()), both);
}

#[tokio::test]
async fn a_link_to_a_missing_or_hidden_record_is_refused() {
    let world = World::new();
    world.board(1).await;
    for (board, rule, refused) in [(1, "true", false), (2, "true", true), (1, "name == 'other'", true)] {
        let (plan, values) = world.create("Note", uuid(10), &[("board", uuid(board)), ("text", Value::text(""))]);
        let key = u16::try_from(values.iter().position(|value| *value == uuid(board)).unwrap()).unwrap();
        let plan = Create { links: vec![world.link("Note", "board", key, rule)], ..plan };
        let outcome = world.try_write(world.step(WritePlan::Create(plan), values)).await;
        match outcome {
            Err(StepError::LinkMissing { field }) => assert!(refused && field == world.field("Note", "board")),
            other => assert!(other.is_ok() && !refused, "{rule}"),
        }
        if !refused {
            world.write(world.delete_step("Note", uuid(10))).await;
        }
    }
}

#[tokio::test]
async fn a_rule_over_the_outcome_undoes_the_whole_step() {
    let world = World::new();
    let board = world.board(1).await;
    world.write(world.create_step("Tag", Value::Int(7), &[])).await;
    let (plan, mut values) = world.create("Note", uuid(10), &[("board", board), ("text", Value::text(""))]);
    values.push(Value::List([Value::Int(7)].into()));
    let keys = u16::try_from(values.len() - 1).unwrap();
    let plan = |rule: &str| Create {
        changes: vec![world.change("Note", "tags", LinkMode::Add, keys, "true")],
        after: Some(world.condition("Note", rule)),
        answer: world.answer("Note", "true", &["text"]),
        ..plan.clone()
    };
    let refused = world.step(WritePlan::Create(plan("board.name == 'other'")), values.clone());
    assert!(matches!(world.try_write(refused).await, Err(StepError::RefusedAfter)));
    assert_eq!(world.show("Note", "true", &["id"]).await, "");
    let allowed = world.step(WritePlan::Create(plan("board.name == 'board 1' && tags.exists(t, t.id == 7)")), values);
    assert_eq!(text(&world.write(allowed).await), r#"{"text":""}"#);
}

#[tokio::test]
async fn a_listed_record_that_is_missing_is_refused() {
    let world = World::new();
    let board = world.board(1).await;
    let (plan, mut values) = world.create("Note", uuid(10), &[("board", board), ("text", Value::text(""))]);
    values.push(Value::List([Value::Int(7)].into()));
    let keys = u16::try_from(values.len() - 1).unwrap();
    let plan = Create { changes: vec![world.change("Note", "tags", LinkMode::Add, keys, "true")], ..plan };
    let outcome = world.try_write(world.step(WritePlan::Create(plan), values)).await;
    match outcome {
        Err(StepError::LinkMissing { field }) => assert_eq!(field, world.field("Note", "tags")),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.show("Note", "true", &["id"]).await, "");
}

#[tokio::test]
async fn the_database_holds_references_too() {
    let world = World::new();
    let (plan, values) = world.create("Note", uuid(10), &[("board", uuid(404)), ("text", Value::text(""))]);
    let outcome = world.try_write(world.step(WritePlan::Create(plan), values)).await;
    assert!(matches!(outcome, Err(StepError::LinkMissing { .. })), "{outcome:?}");
}

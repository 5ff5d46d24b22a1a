//! Updates: as one statement and step by step.
use mainstay_expr::Value;
use mainstay_plan::{LinkMode, Update, WritePlan};
use mainstay_store::{StepError, StoreError};

use crate::world::{World, text, uuid};

/// Carries out an update of note 10, changed by `change`.
async fn update(
    world: &World,
    fields: &[(&str, Value)],
    change: impl FnOnce(&mut Update, &mut Vec<Value>),
) -> Result<mainstay_store::Written, StepError> {
    let (mut plan, mut values) = world.update("Note", uuid(10), fields);
    plan.answer = world.answer("Note", "true", &["text", "version"]);
    change(&mut plan, &mut values);
    world.try_write(world.step(WritePlan::Update(plan), values)).await
}

fn bind(values: &mut Vec<Value>, value: Value) -> u16 {
    values.push(value);
    u16::try_from(values.len() - 1).unwrap()
}

async fn with_note() -> World {
    let world = World::new();
    let board = world.board(1).await;
    world.note(10, &board, &[("low", Value::Int(1)), ("high", Value::Int(5))]).await;
    world
}

#[tokio::test]
async fn every_update_counts_the_version_up() {
    let world = with_note().await;
    let new = [("text", Value::text("new"))];
    let written = update(&world, &new, |_, _| {}).await.unwrap();
    assert_eq!((text(&written), written.version), (r#"{"text":"new","version":2}"#, Some(2)));
    // Step by step, because the answer follows a link.
    let slow = update(&world, &new, |plan, _| plan.after = Some(world.condition("Note", "board.name == 'board 1'")));
    let written = slow.await.unwrap();
    assert_eq!((text(&written), written.version), (r#"{"text":"new","version":3}"#, Some(3)));
    let hidden = update(&world, &new, |plan, _| plan.answer = world.answer("Note", "board.name == ''", &["text"]));
    let written = hidden.await.unwrap();
    assert_eq!((written.record, written.version, written.key), (None, Some(4), uuid(10)));
}

#[tokio::test]
async fn a_refused_update_says_why() {
    let world = with_note().await;
    let new = [("text", Value::text("new"))];
    for step_by_step in [false, true] {
        let slow = |plan: &mut Update| {
            if step_by_step {
                plan.after = Some(world.condition("Note", "true"));
            }
        };
        let missing = update(&world, &new, |plan, values| {
            plan.find = world.key_is("Note", uuid(404), values);
            slow(plan);
        });
        assert!(matches!(missing.await, Err(StepError::NotFound)));
        let hidden = update(&world, &new, |plan, _| {
            plan.visible = world.condition("Note", "text == 'other'");
            plan.before = world.condition("Note", "false");
            slow(plan);
        });
        let hidden = hidden.await;
        assert!(matches!(hidden, Err(StepError::NotFound)), "{hidden:?}");
        let refused = update(&world, &new, |plan, values| {
            plan.before = world.condition("Note", "board.name == 'other'");
            plan.version = Some(bind(values, Value::Int(7)));
            slow(plan);
        });
        assert!(matches!(refused.await, Err(StepError::RefusedBefore)));
        let other = update(&world, &new, |plan, values| {
            plan.version = Some(bind(values, Value::Int(7)));
            slow(plan);
        });
        assert!(matches!(other.await, Err(StepError::OtherVersion { present: 1 })));
    }
    assert_eq!(world.show("Note", "true", &["text", "version"]).await, r#"{"text":"note 10","version":1}"#);
    let right = update(&world, &new, |plan, values| plan.version = Some(bind(values, Value::Int(1))));
    assert_eq!(right.await.unwrap().version, Some(2));
}

#[tokio::test]
async fn a_rule_over_the_outcome_undoes_the_update() {
    let world = with_note().await;
    let rule = |text: &'static str| {
        let world = &world;
        move |plan: &mut Update, _: &mut Vec<Value>| plan.after = Some(world.condition("Note", text))
    };
    let refused = update(&world, &[("text", Value::text("new"))], rule("text != 'new'")).await;
    assert!(matches!(refused, Err(StepError::RefusedAfter)));
    assert_eq!(world.show("Note", "true", &["text", "version"]).await, r#"{"text":"note 10","version":1}"#);
}

#[tokio::test]
async fn checks_see_the_record_as_it_becomes() {
    let world = with_note().await;
    let all = |plan: &mut Update, _: &mut Vec<Value>| plan.checks = vec![0, 1];
    let checks = &world.of("Note").checks;
    let of_type = checks.iter().position(|check| check.field.is_none()).unwrap();
    let of_low = checks.iter().position(|check| check.field.is_some()).unwrap();
    assert_eq!(checks.len(), 2);
    let found = |outcome: Result<_, StepError>| match outcome {
        Err(StepError::Check(position)) => Some(position),
        other => other.map(|_| None).unwrap(),
    };
    assert_eq!(found(update(&world, &[("low", Value::Int(6))], all).await), Some(of_type));
    assert_eq!(found(update(&world, &[("low", Value::Int(-1))], all).await), Some(of_low));
    assert_eq!(found(update(&world, &[("low", Value::Null)], all).await), None);
    assert_eq!(found(update(&world, &[("low", Value::Int(5))], all).await), None);
    assert_eq!(found(update(&world, &[("high", Value::Int(4))], all).await), Some(of_type));
}

#[tokio::test]
async fn lists_of_links_change_and_count_the_version_up() {
    let world = with_note().await;
    for number in 1..=4 {
        world.write(world.create_step("Tag", Value::Int(number), &[])).await;
    }
    let change = |mode, keys: &[i64], visible: &'static str| {
        let keys = Value::List(keys.iter().copied().map(Value::Int).collect());
        let world = &world;
        update(world, &[], move |plan, values| {
            let keys = bind(values, keys);
            plan.changes = vec![world.change("Note", "tags", mode, keys, visible)];
        })
    };
    let tags = || world.show("Tag", "true", &["id"]);
    assert_eq!(tags().await.matches("id").count(), 4);
    let listed = || async {
        let mut found = Vec::new();
        for number in 1..=4 {
            let rule = format!("tags.exists(t, t.id == {number})");
            if !world.show("Note", &rule, &["id"]).await.is_empty() {
                found.push(number);
            }
        }
        found
    };
    assert_eq!(change(LinkMode::Add, &[1, 2], "true").await.unwrap().version, Some(2));
    assert_eq!(listed().await, [1, 2]);
    change(LinkMode::Add, &[2, 3], "true").await.unwrap();
    assert_eq!(listed().await, [1, 2, 3]);
    change(LinkMode::Remove, &[1, 4, 404], "true").await.unwrap();
    assert_eq!(listed().await, [2, 3]);
    // Links to hidden records stay as they are.
    assert_eq!(change(LinkMode::Replace, &[4], "id != 3").await.unwrap().version, Some(5));
    assert_eq!(listed().await, [3, 4]);
    assert!(matches!(change(LinkMode::Replace, &[1, 3], "id != 3").await, Err(StepError::LinkMissing { .. })));
    assert_eq!(listed().await, [3, 4]);
    assert_eq!(world.show("Note", "true", &["version"]).await, r#"{"version":5}"#);
}

#[tokio::test]
async fn a_taken_value_and_a_missing_link_are_named() {
    let world = with_note().await;
    world.note(11, &uuid(1), &[("rank", Value::Int(3))]).await;
    match update(&world, &[("rank", Value::Int(3))], |_, _| {}).await {
        Err(StepError::NotUnique { fields }) => {
            assert_eq!(fields, [world.field("Note", "board"), world.field("Note", "rank")]);
        }
        other => panic!("{other:?}"),
    }
    let away = [("board", uuid(404))];
    match update(&world, &away, |plan, _| plan.links = vec![world.link("Note", "board", 1, "true")]).await {
        Err(StepError::LinkMissing { field }) => assert_eq!(field, world.field("Note", "board")),
        other => panic!("{other:?}"),
    }
    let nobody = [("author", Value::Null)];
    update(&world, &nobody, |plan, _| plan.links = vec![world.link("Note", "author", 1, "true")]).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_takes_long_does_not_keep_the_writer() {
    mainstay_test_db::sqlite_only!("its writes wait for each other");
    let world = World::with(|settings| settings.sqlite.answer_ms_max = 1);
    let board = world.board(1).await;
    for number in 10..110 {
        world.note(number, &board, &[]).await;
    }
    let new = [("text", Value::text("new"))];
    let slow = "board.notes.exists(a, board.notes.exists(b, board.notes.exists(c, a.text == c.text && b.text == '')))";
    let written = update(&world, &new, |plan, _| plan.answer = world.answer("Note", slow, &["text"])).await;
    assert!(matches!(written, Err(StepError::Store(StoreError::TimedOut { limit_ms: 1 }))), "{written:?}");
    // Nothing of it is done, and the others have all their time.
    let written = update(&world, &new, |_, _| {}).await.unwrap();
    assert_eq!(written.version, Some(2));
}

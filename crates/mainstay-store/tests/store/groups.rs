//! Many writes at once: one commit for all, each undone alone.
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use mainstay_expr::Value;
use mainstay_plan::{Create, Query, WritePlan};
use mainstay_store::{StepError, StoreError};
use mainstay_test_db::{Engine, engine, sqlite_only};
use tokio::task::JoinSet;

use crate::world::{World, uuid};

/// Holds up the one writer until the value is dropped; on a server there is none.
struct Held(Option<rusqlite::Connection>);

impl Held {
    fn of(world: &World) -> Held {
        let beside = (engine() == Engine::Sqlite).then(|| world.beside());
        beside.iter().for_each(|beside| beside.execute_batch("BEGIN IMMEDIATE").unwrap());
        Held(beside)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.iter().for_each(|beside| beside.execute_batch("COMMIT").unwrap());
    }
}

/// Creates of boards of these names, all sent before the writer can take the second.
async fn together(world: &Arc<World>, names: &[&str]) -> Vec<Result<(), StepError>> {
    let held = Held::of(world);
    let mut writes: Vec<_> = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let step = world.create_step("Board", uuid(100 + number as u128), &[("name", Value::text(*name))]);
        let world = world.clone();
        let mut write = Box::pin(async move { world.try_write(step).await.map(drop) });
        // The first poll puts it into the queue.
        assert!(futures_poll(&mut write).is_none());
        writes.push(write);
    }
    drop(held);
    let mut outcomes = Vec::new();
    for write in writes {
        outcomes.push(write.await);
    }
    outcomes
}

/// Polls once.
fn futures_poll<T>(future: &mut std::pin::Pin<Box<impl Future<Output = T>>>) -> Option<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(outcome) => Some(outcome),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_all_get_their_record() {
    let world = Arc::new(World::with(|settings| settings.durable = true));
    world.board(1).await;
    let mut tasks = JoinSet::new();
    for writer in 0..64_u128 {
        let world = world.clone();
        tasks.spawn(async move {
            for number in 0..8 {
                let key = 1_000 + writer * 8 + number;
                world.note(key, &uuid(1), &[]).await;
                let written = world.write(world.update_step("Note", uuid(key), &[("low", Value::Int(1))])).await;
                assert_eq!(written.version, Some(2));
            }
        });
    }
    tasks.join_all().await;
    let shown = world.show("Note", "low == 1 && version == 2", &["id"]).await;
    assert_eq!(shown.matches("id").count(), 64 * 8);
}

#[tokio::test]
async fn one_that_fails_does_not_undo_the_others() {
    let world = Arc::new(World::new());
    let outcomes = together(&world, &["a", "b", "a", "c", "b"]).await;
    let failed: Vec<bool> = outcomes.iter().map(Result::is_err).collect();
    assert_eq!(failed, [false, false, true, false, true]);
    let names = world.show("Board", "true", &["name"]).await;
    assert_eq!(names, r#"{"name":"a"},{"name":"b"},{"name":"c"}"#);
}

#[tokio::test]
async fn what_is_refused_after_writing_leaves_nothing_among_the_others() {
    let world = Arc::new(World::new());
    let held = Held::of(&world);
    let mut writes = Vec::new();
    for number in 0..6 {
        let (plan, values) = world.create("Board", uuid(number), &[("name", Value::text(format!("{number}")))]);
        let rule = if number % 2 == 0 { "size(notes) == 0" } else { "size(notes) > 0" };
        let plan = Create { after: Some(world.condition("Board", rule)), ..plan };
        let (step, world) = (world.step(WritePlan::Create(plan), values), world.clone());
        let mut write = Box::pin(async move { world.try_write(step).await });
        assert!(futures_poll(&mut write).is_none());
        writes.push(write);
    }
    drop(held);
    for (number, write) in writes.into_iter().enumerate() {
        assert_eq!(matches!(write.await, Err(StepError::RefusedAfter)), number % 2 == 1);
    }
    let names = world.show("Board", "true", &["name"]).await;
    assert_eq!(names, r#"{"name":"0"},{"name":"2"},{"name":"4"}"#);
}

#[tokio::test]
async fn the_others_are_run_again_when_one_loses_the_transaction() {
    sqlite_only!("writes share a transaction");
    for losers in [1, 2, 3] {
        let world = Arc::new(World::new());
        let trigger = "CREATE TRIGGER boom BEFORE INSERT ON boards WHEN NEW.name LIKE 'boom%'
            BEGIN SELECT RAISE(ROLLBACK, 'boom'); END";
        world.beside().execute_batch(trigger).unwrap();
        let mut names = vec!["a", "b", "c", "d", "e"];
        for (number, name) in ["boom 1", "boom 2", "boom 3"].into_iter().take(losers).enumerate() {
            names.insert(2 + number * 2, name);
        }
        let outcomes = together(&world, &names).await;
        for (name, outcome) in names.iter().zip(outcomes) {
            match outcome {
                Ok(()) => assert!(!name.starts_with("boom")),
                Err(StepError::Store(StoreError::Engine(message))) => {
                    assert!(name.starts_with("boom") && message.contains("boom"), "{name}: {message}");
                }
                Err(other) => panic!("{name}: {other}"),
            }
        }
        assert_eq!(world.show("Board", "true", &["name"]).await.matches("name").count(), 5, "{losers} losers");
    }
}

#[tokio::test]
async fn the_steps_of_a_request_are_one() {
    let world = World::new();
    let board = world.board(1).await;
    let note = |number, board: &Value| {
        world.create_step("Note", uuid(number), &[("board", board.clone()), ("text", Value::text(""))])
    };
    let bad = world.create_step("Board", uuid(2), &[("name", Value::text("board 1"))]);
    let error = world.store.write(vec![note(10, &board), note(11, &board), bad]).await.unwrap_err();
    assert_eq!(error.step, 2);
    assert!(matches!(error.error, StepError::NotUnique { .. }));
    assert_eq!(world.show("Note", "true", &["id"]).await, "");
    let written = world.store.write(vec![note(10, &board), note(11, &board)]).await.unwrap();
    assert_eq!(written.len(), 2);
    assert!(world.store.write(Vec::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn more_writes_than_may_wait_are_refused() {
    sqlite_only!("the queue of its one writer");
    let world = Arc::new(World::with(|settings| settings.sqlite.writer_queue_max = 2));
    let held = Held::of(&world);
    let (mut refused, mut writes) = (0, Vec::new());
    for number in 0..8 {
        let step = world.create_step("Board", uuid(number), &[("name", Value::text(format!("{number}")))]);
        let world = world.clone();
        let mut write = Box::pin(async move { world.try_write(step).await });
        match futures_poll(&mut write) {
            None => writes.push(write),
            Some(Err(StepError::Store(StoreError::Overloaded))) => refused += 1,
            Some(other) => panic!("{other:?}"),
        }
    }
    drop(held);
    // Two wait, and the writer may have taken up to two more into its hand.
    assert!((4..=6).contains(&refused), "{refused}");
    for write in writes {
        write.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_all_of_a_request_or_nothing() {
    let world = Arc::new(World::with(|settings| settings.sqlite.wal_pages_max = 50));
    let board = world.board(1).await;
    for (number, amount) in [(10, 0), (11, 100)] {
        world.note(number, &board, &[("low", Value::Int(amount))]).await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        let (world, done) = (world.clone(), done.clone());
        readers.spawn(async move {
            let order = vec![world.order("Note", "id", false)];
            let query = Query { order, ..world.query("Note", "true", &["low"]) };
            while !done.load(Ordering::Acquire) {
                let page = world.read(&query, Vec::new()).await;
                let text = String::from_utf8(page.json).unwrap();
                let digits = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
                let sum: i64 = text.split(',').map(|part| digits(part).parse::<i64>().unwrap()).sum();
                assert_eq!(sum, 100, "{text}");
                tokio::task::yield_now().await;
            }
        });
    }
    for amount in 1..=100 {
        let set = |number, amount| world.update_step("Note", uuid(number), &[("low", Value::Int(amount))]);
        world.store.write(vec![set(10, amount), set(11, 100 - amount)]).await.unwrap();
    }
    done.store(true, Ordering::Release);
    readers.join_all().await;
}

#[tokio::test]
async fn the_log_does_not_grow_without_bound() {
    sqlite_only!("its write-ahead log");
    let world = World::with(|settings| settings.sqlite.wal_pages_max = 20);
    let board = world.board(1).await;
    let log = world.path().with_extension("db-wal");
    for number in 0..600 {
        // A thread whose reads follow each other keeps their snapshot, also when it has nothing to do then.
        for _ in 0..if number % 40 == 0 { 3 } else { 0 } {
            world.read(&world.query("Note", "true", &["low"]), Vec::new()).await;
        }
        world.note(number + 10, &board, &[("text", Value::text("x".repeat(2_000)))]).await;
    }
    let pages = std::fs::metadata(log).unwrap().len() / 4_096;
    assert!(pages < 600, "{pages} pages");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_acknowledged_is_seen_by_every_read_that_begins_then() {
    let world = Arc::new(World::new());
    let board = world.board(1).await;
    for number in 0..6 {
        world.note(10 + number, &board, &[("low", Value::Int(0))]).await;
    }
    let mut tasks = JoinSet::new();
    for number in 0..6 {
        let world = world.clone();
        tasks.spawn(async move {
            let query = world.query("Note", &format!("id == '{}'", uuid::Uuid::from_u128(10 + number)), &["low"]);
            for amount in 1..=60 {
                let step = world.update_step("Note", uuid(10 + number), &[("low", Value::Int(amount))]);
                world.store.write(vec![step]).await.unwrap();
                for _ in 0..4 {
                    let page = world.read(&query, Vec::new()).await;
                    assert_eq!(String::from_utf8(page.json).unwrap(), format!("{{\"low\":{amount}}}"));
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    tasks.join_all().await;
}

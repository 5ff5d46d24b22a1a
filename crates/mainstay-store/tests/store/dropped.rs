//! Requests whose caller goes away in the middle: what runs then is done whole or not at all, and nobody after them finds a
//! transaction open.
use std::{future::poll_fn, task::Poll, time::Duration};

use mainstay_expr::Value;
use mainstay_plan::{Count, Query};
use mainstay_test_db::postgres_only;

use crate::world::{World, uuid};

/// Waits on the server after which somebody goes, at most.
const WAITS_MAX: usize = 8;

/// Goes away when the future waits for the n-th time; whether it came to its end before.
async fn dropped_at<F: Future>(wait: usize, future: F) -> bool {
    let (mut future, mut waits) = (Box::pin(future), 0);
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if waits == wait => Poll::Ready(false),
        Poll::Pending => {
            waits += 1;
            Poll::Pending
        }
    })
    .await
}

/// What another connection sees of the boards and of the notes.
fn seen(world: &World) -> (usize, usize) {
    let count = |table: &str| world.database.rows(&format!("SELECT id FROM {table}")).len();
    (count("boards"), count("notes"))
}

/// Waits until nobody has a transaction open and does nothing in it, or runs a statement that nobody waits for.
async fn settled(world: &World) {
    let open = "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND \
                state IN ('active', 'idle in transaction', 'idle in transaction (aborted)')";
    let nobody = async {
        while !world.database.rows(open).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), nobody).await.expect("every transaction comes to its end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_done_whole_or_not_at_all_and_the_next_one_is_by_itself() {
    postgres_only!("the embedded engine's writer goes on, whoever waits for it");
    let world = World::new();
    let mut number = 1_000;
    for wait in 0..WAITS_MAX {
        number += 10;
        let board = uuid(number);
        let create = world.create_step("Board", board.clone(), &[("name", Value::text("of two"))]);
        let links = [("board", board.clone()), ("text", Value::text("of two"))];
        let steps = vec![create, world.create_step("Note", uuid(number), &links)];
        dropped_at(wait, world.store.write(steps)).await;
        // Kept, as anybody can see: no transaction was open on its connection.
        let after = world.board(number + 1).await;
        let id = world.database.rows(&format!("SELECT id::text FROM boards WHERE id = '{}'", key(&after)));
        assert_eq!(id.len(), 1, "at {wait}");
        world.write(world.delete_step("Board", after)).await;
        settled(&world).await;
        let (boards, notes) = seen(&world);
        assert_eq!(boards, notes, "at {wait}");
    }
    assert!(seen(&world).0 > 0, "some came to their end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_are_deletes_and_reads_leave_nothing_behind() {
    postgres_only!("the embedded engine's writer goes on, whoever waits for it");
    let world = World::new();
    for wait in 0..WAITS_MAX {
        let board = world.board(1).await;
        for number in 10..13 {
            world.note(number, &board, &[]).await;
        }
        let counted = Query { count: Count::Too, ..world.query("Note", "true", &["text"]) };
        dropped_at(wait, world.try_read(&counted, Vec::new())).await;
        dropped_at(wait, world.try_write(world.delete_step("Board", board.clone()))).await;
        settled(&world).await;
        assert!([(1, 3), (0, 0)].contains(&seen(&world)), "at {wait}: {:?}", seen(&world));
        // As many as there are connections, and more: all of them are as new.
        let reads = (0..10).map(|_| world.try_read(&counted, Vec::new()));
        for read in reads {
            assert_eq!(read.await.unwrap().count, Some(seen(&world).1 as u64), "at {wait}");
        }
        if seen(&world).0 == 1 {
            world.write(world.delete_step("Board", board)).await;
        }
        assert_eq!(seen(&world), (0, 0), "at {wait}");
    }
}

fn key(of: &Value) -> String {
    match of {
        Value::Uuid(uuid) => uuid.to_string(),
        other => panic!("{other:?}"),
    }
}

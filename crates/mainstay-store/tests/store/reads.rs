//! Reads: pages, counts, budgets.
use mainstay_expr::Value;
use mainstay_plan::{Count, Output, OutputValue, Query};
use mainstay_store::StoreError;
use mainstay_test_db::{Engine, engine};

use crate::world::{World, uuid};

fn text(json: &[u8]) -> &str {
    std::str::from_utf8(json).unwrap()
}

#[tokio::test]
async fn one_record_by_its_key() {
    let world = World::new();
    world.board(1).await;
    let mut values = Vec::new();
    let query = Query {
        condition: world.key_is("Board", uuid(1), &mut values),
        ..world.query("Board", "true", &["id", "name", "version", "createdAt"])
    };
    let statement = world.store.prepare_read(&world.schema, &query).unwrap();
    let page = world.store.read(&statement, values, b"before ".to_vec()).await.unwrap();
    assert_eq!(
        text(&page.json),
        "before {\"id\":\"00000000-0000-0000-0000-000000000001\",\"name\":\"board 1\",\"version\":1,\
         \"createdAt\":\"2023-11-14T22:13:20.000000Z\"}"
    );
    assert_eq!((page.rows, page.more, page.version, page.count), (1, false, Some(1), None));
    let page = world.store.read(&statement, vec![uuid(2)], Vec::new()).await.unwrap();
    assert_eq!((page.rows, page.json.is_empty(), page.version), (0, true, None));
}

#[tokio::test]
async fn pages_tell_whether_there_are_more_and_where_they_end() {
    let world = World::new();
    for number in 1..=5 {
        world.board(number).await;
    }
    let query = Query {
        order: vec![world.order("Board", "name", true), world.order("Board", "id", false)],
        limit: Some(0),
        count: Count::Too,
        ..world.query("Board", "true", &["name"])
    };
    let page = world.read(&query, vec![Value::Int(2)]).await;
    assert_eq!(text(&page.json), r#"{"name":"board 5"},{"name":"board 4"}"#);
    assert_eq!((page.rows, page.more, page.count), (2, true, Some(5)));
    assert_eq!(page.last, [Value::text("board 4"), uuid(4)]);
    let query = Query { after: Some(vec![Some(1), Some(2)]), ..query };
    let values = vec![Value::Int(3), page.last[0].clone(), page.last[1].clone()];
    let page = world.read(&query, values).await;
    assert_eq!(text(&page.json), r#"{"name":"board 3"},{"name":"board 2"},{"name":"board 1"}"#);
    assert_eq!((page.rows, page.more, page.count), (3, false, Some(5)));
    assert!(page.last.is_empty());
}

#[tokio::test]
async fn nested_records_come_with_their_parent() {
    let world = World::new();
    let board = world.board(1).await;
    world.note(10, &board, &[]).await;
    world.note(11, &board, &[]).await;
    let mut query = world.query("Board", "true", &["name"]);
    let nested = world.nested("Board", "notes", &["text"]);
    query.select.push(Output { name: "notes".into(), value: OutputValue::Many(Box::new(nested)) });
    let page = world.read(&query, Vec::new()).await;
    assert_eq!(text(&page.json), r#"{"name":"board 1","notes":[{"text":"note 10"},{"text":"note 11"}]}"#);
}

/// A board with notes enough that asking for each of each takes long.
async fn crowded(world: &World, notes: i64) -> Query {
    world.board(1).await;
    let id = match engine() {
        Engine::Sqlite => "printf('00000000-0000-0000-0000-%012d', n)",
        Engine::Postgres => "('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid",
    };
    world.database.execute(&format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {notes})
        INSERT INTO notes(id, created_at, updated_at, version, board, text)
        SELECT {id}, created_at, updated_at, 1, id, 'note ' || n FROM numbers, boards"
    ));
    // No index and no join helps.
    let slow = "notes.exists(a, notes.exists(b, notes.exists(c, size(a.text) + size(b.text) + size(c.text) == 0)))";
    world.query("Board", slow, &["name"])
}

#[tokio::test]
async fn a_read_past_its_budget_is_finished_in_the_pool() {
    let world = World::with(|settings| settings.sqlite.inline_budget_us = 1);
    let query = crowded(&world, 60).await;
    let statement = world.store.prepare_read(&world.schema, &query).unwrap();
    for _ in 0..3 {
        let page = world.store.read(&statement, Vec::new(), b"kept".to_vec()).await.unwrap();
        assert_eq!((page.rows, text(&page.json)), (0, "kept"));
    }
    assert_eq!(world.show("Board", "true", &["name"]).await, r#"{"name":"board 1"}"#);
}

#[tokio::test]
async fn a_count_past_the_budget_costs_nothing_of_the_answer() {
    let world = World::with(|settings| settings.sqlite.inline_budget_us = 1);
    crowded(&world, 5_000).await;
    let query = world.query("Note", "text != 'note 7'", &["text"]);
    let query = Query { count: Count::Too, limit: Some(0), ..query };
    let statement = world.store.prepare_read(&world.schema, &query).unwrap();
    for _ in 0..2 {
        let page = world.store.read(&statement, vec![Value::Int(1)], b"kept".to_vec()).await.unwrap();
        assert_eq!((page.count, text(&page.json)), (Some(4_999), r#"kept{"text":"note 1"}"#));
    }
}

#[tokio::test]
async fn a_read_past_its_time_is_ended() {
    let world = World::with(|settings| {
        settings.sqlite.inline_budget_us = 1;
        settings.statement_ms_max = 500;
    });
    let query = crowded(&world, 1_000).await;
    let query = Query { count: Count::Too, ..query };
    for _ in 0..2 {
        match world.try_read(&query, Vec::new()).await {
            Err(StoreError::TimedOut { limit_ms: 500 }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.show("Board", "true", &["name"]).await, r#"{"name":"board 1"}"#);
}

#[tokio::test]
async fn reads_that_no_thread_has_room_for_are_refused() {
    let world = World::with(|settings| {
        settings.sqlite.inline_budget_us = 1;
        settings.statement_ms_max = 500;
        settings.sqlite.readers = 1;
        settings.sqlite.readers_queue_max = 1;
        settings.postgres.connections = 1;
        settings.postgres.connections_queue_max = 1;
    });
    let query = crowded(&world, 1_000).await;
    let read = || world.try_read(&query, Vec::new());
    let (a, b, c, d) = tokio::join!(read(), read(), read(), read());
    let overloaded = |outcome: &Result<_, StoreError>| matches!(outcome, Err(StoreError::Overloaded));
    let refused = [a, b, c, d].iter().filter(|outcome| overloaded(outcome)).count();
    assert!((2..=3).contains(&refused), "{refused}");
}

#[tokio::test]
async fn an_answer_past_its_size_is_refused() {
    let world = World::with(|settings| settings.answer_bytes_max = 20_000);
    crowded(&world, 2_000).await;
    let too_large = |outcome| matches!(outcome, Err(StoreError::AnswerTooLarge));
    // Many records, and one record with many inside.
    assert!(too_large(world.try_read(&world.query("Note", "true", &["text"]), Vec::new()).await));
    let mut nested = world.query("Board", "true", &["name"]);
    let notes = OutputValue::Many(Box::new(world.nested("Board", "notes", &["text"])));
    nested.select.push(Output { name: "notes".into(), value: notes });
    assert!(too_large(world.try_read(&nested, Vec::new()).await));
    assert_eq!(world.show("Board", "true", &["name"]).await, r#"{"name":"board 1"}"#);
}

#[tokio::test]
async fn closing_ends_a_read_that_runs() {
    let world = World::with(|settings| {
        settings.sqlite.inline_budget_us = 1;
        settings.statement_ms_max = 600_000;
    });
    let query = crowded(&world, 1_500).await;
    let began = std::time::Instant::now();
    let read = world.try_read(&query, Vec::new());
    let close = async { world.store.close() };
    let (outcome, ()) = tokio::join!(read, close);
    assert!(outcome.is_err());
    assert!(began.elapsed().as_secs() < 60);
}

#[tokio::test]
async fn the_engines_plan_is_told() {
    let world = World::new();
    let mut values = Vec::new();
    let query =
        Query { condition: world.key_is("Board", uuid(1), &mut values), ..world.query("Board", "true", &["id"]) };
    let statement = world.store.prepare_read(&world.schema, &query).unwrap();
    let explained = world.store.explain(&statement, &values).unwrap();
    assert_eq!(explained.sql, statement.sql());
    let begins = match engine() {
        Engine::Sqlite => "SEARCH",
        Engine::Postgres => "Index Scan",
    };
    assert!(explained.plan[0].starts_with(begins), "{:?}", explained.plan);
}

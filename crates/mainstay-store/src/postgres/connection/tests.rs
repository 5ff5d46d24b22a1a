//! What sessions are told first.
#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected ends")]
use std::sync::Arc;

use mainstay_schema::{Migration, Schema};
use mainstay_test_db::{Engine as On, TestDatabase, postgres_only};

use super::{Connection, Stopped};
use crate::{
    Location, Settings,
    exec::Inputs,
    postgres::{Engine, explain::statements, failure::store_error},
    sql::plain,
};

fn engine(database: &TestDatabase, change: impl FnOnce(&mut Settings)) -> Engine {
    let mut settings = Settings::of(Location::Postgres(database.url()));
    change(&mut settings);
    Engine::open(&settings, &database.url()).unwrap()
}

#[test]
fn a_server_finds_out_that_whoever_is_silent_in_a_transaction_is_gone() {
    postgres_only!("a server is asked over a network");
    let database = TestDatabase::on(On::Postgres);
    let engine = engine(&database, |settings| settings.postgres.idle_in_transaction_ms_max = 7_000);
    let said = engine.with_own(async |connection: &mut Connection| {
        let sql = "SELECT current_setting(name) FROM unnest(ARRAY['tcp_keepalives_idle', 'tcp_keepalives_interval', \
                   'tcp_keepalives_count', 'idle_in_transaction_session_timeout', 'statement_timeout']) AS name";
        let rows = connection.client().query_typed(sql, &[]).await.map_err(|error| store_error(&error, 0))?;
        Ok(rows.iter().map(|row| row.get(0)).collect::<Vec<String>>())
    });
    assert_eq!(said.unwrap(), ["30", "10", "3", "7s", "0"]);
}

#[test]
fn limits_that_the_server_has_no_room_for_are_the_largest_that_it_has() {
    postgres_only!("its numbers have 32 bits");
    let database = TestDatabase::on(On::Postgres);
    let engine = engine(&database, |settings| {
        settings.statement_ms_max = u64::MAX;
        settings.postgres.idle_in_transaction_ms_max = u64::MAX;
        settings.postgres.migrate_lock_ms = u64::MAX;
    });
    let schema = Arc::new(Schema::default());
    engine.migrate(&Migration::between(None, &schema), &schema).unwrap();
    let pinged = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(engine.ping());
    pinged.unwrap();
    assert!(engine.hold_imports().unwrap().is_some());
}

#[test]
fn a_plan_that_cannot_be_made_leaves_the_statements_of_a_connection_alone() {
    postgres_only!("statements are kept in a session");
    let database = TestDatabase::on(On::Postgres);
    let engine = engine(&database, |_| {});
    let asked = engine.with_own(async |connection: &mut Connection| {
        let sql = |text: &str| plain(text.to_owned(), 0);
        let known = sql("SELECT 1");
        let schema = Arc::new(Schema::default());
        let failed = |stopped: Stopped| stopped.into_store_error(0);
        connection.rows(&known, &Inputs::of(&[]), &mut |_| Ok(true)).await.map_err(failed)?;
        for broken in ["SELECT of nothing", "SELECT 1 / 0"] {
            let explained = statements(connection.client(), &schema, &[sql(broken), known.clone()]).await?;
            assert_eq!(explained.len(), 1, "{broken}");
        }
        connection.rows(&known, &Inputs::of(&[]), &mut |_| Ok(true)).await.map_err(failed)
    });
    asked.unwrap();
}

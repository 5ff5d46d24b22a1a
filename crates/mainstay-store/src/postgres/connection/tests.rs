//! What sessions are told first.
#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected ends")]
use mainstay_test_db::{Engine as On, TestDatabase, postgres_only};

use super::Connection;
use crate::{
    Location, Settings,
    postgres::{Engine, failure::store_error},
};

#[test]
fn a_server_finds_out_that_whoever_is_silent_in_a_transaction_is_gone() {
    postgres_only!("a server is asked over a network");
    let database = TestDatabase::on(On::Postgres);
    let mut settings = Settings::of(Location::Postgres(database.url()));
    settings.postgres.idle_in_transaction_ms_max = 7_000;
    let engine = Engine::open(&settings, &database.url()).unwrap();
    let said = engine.with_own(async |connection: &mut Connection| {
        let sql = "SELECT current_setting(name) FROM unnest(ARRAY['tcp_keepalives_idle', 'tcp_keepalives_interval', \
                   'tcp_keepalives_count', 'idle_in_transaction_session_timeout', 'statement_timeout']) AS name";
        let rows = connection.client().query_typed(sql, &[]).await.map_err(|error| store_error(&error, 0))?;
        Ok(rows.iter().map(|row| row.get(0)).collect::<Vec<String>>())
    });
    assert_eq!(said.unwrap(), ["30", "10", "3", "7s", "0"]);
}

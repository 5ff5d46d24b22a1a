//! What a real server says of statements. Without `MAINSTAY_TEST_POSTGRES` there is none, and these tests ask nothing.
use std::env;

use mainstay_schema::Schema;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

use super::PostgresDialect;
use crate::sql::{Sql, create_all};

/// A connection in a transaction that is never committed, in which the tables of a schema are.
pub(crate) struct Server {
    runtime: Runtime,
    client: Client,
}

impl Server {
    /// A server with the tables of a schema; `None` where the tests have none.
    pub(crate) fn with(schema: &Schema) -> Option<Server> {
        let url = env::var("MAINSTAY_TEST_POSTGRES").ok()?;
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("the server answers");
            tokio::spawn(connection);
            let begin = "BEGIN; CREATE SCHEMA mainstay_dialect_test; SET LOCAL search_path = mainstay_dialect_test";
            client.batch_execute(begin).await.expect("an empty schema");
            for statement in create_all(&PostgresDialect, &schema.snapshot()) {
                client.batch_execute(&statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
            }
            client
        });
        Some(Server { runtime, client })
    }

    /// Fails where the server does not understand a statement, or gives its parameters other types than it is written with.
    pub(crate) fn understands(&self, sql: &Sql) {
        let prepared = self.runtime.block_on(self.client.prepare(&sql.text));
        let prepared = prepared.unwrap_or_else(|error| panic!("{}\n{:?}", sql.text, error.as_db_error()));
        assert_eq!(prepared.params().len(), sql.binds.len(), "{}", sql.text);
    }
}

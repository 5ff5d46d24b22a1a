//! What is looked at before the first request: whether this is a server that we know, and one that keeps what it acknowledges.
use tokio_postgres::Client;

use super::{
    PostgresDialect,
    engine::{CONNECTIONS_BESIDE, Inner},
    failure::{store_error, told},
    migrate, nodes,
};
use crate::{OpenError, StoreError, moving::UNFINISHED, sql};

/// The oldest version that works.
const VERSION_MIN: i32 = 130_000;

/// The key of the lock under which tables of ours are made.
const MAKING: &str = "hashtextextended('mainstay tables ' || current_schema(), 0)";

/// Changes of transactions that this server has not come to are those of another one, brought here by a dump: they would stand behind
/// all that is written here. They go, and the feed begins anew for who has read them.
const FOREIGN: &str = "UPDATE mainstay_changes_gone SET xid = pg_current_xact_id()::text::bigint, seq = 9223372036854775807 \
    WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint; \
    WITH mainstay_foreign AS (DELETE FROM mainstay_changes WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()) RETURNING collection) \
    INSERT INTO mainstay_changes_gone (collection, xid, seq) SELECT DISTINCT collection, pg_current_xact_id()::text::bigint, \
    9223372036854775807 FROM mainstay_foreign ON CONFLICT (collection) DO UPDATE SET xid = excluded.xid, seq = excluded.seq";

/// What the server says of itself.
struct Server {
    version: i32,
    encoding: String,
    recovers: bool,
    reads_only: bool,
    /// Connections that it takes from whoever is no superuser.
    connections_max: i32,
    fsync: String,
    synchronous_commit: String,
    full_page_writes: String,
}

/// Reaches the server and looks at it. Tables of ours that are in no schema are made.
pub(super) async fn start(inner: &Inner) -> Result<(), OpenError> {
    let shown = inner.connector.shown();
    let refused = |why: &str| OpenError { message: format!("the database {shown} cannot be opened: {why}") };
    let mut held = inner.take_own().await.map_err(|error| match error {
        StoreError::Unavailable(why) => refused(&why),
        error => refused(&error.to_string()),
    })?;
    let connection = held.connection().map_err(|error| refused(&error.to_string()))?;
    let server = ask(connection.client()).await.map_err(|error| refused(&error.to_string()))?;
    if server.version < VERSION_MIN {
        let (version, oldest) = (server.version / 10_000, VERSION_MIN / 10_000);
        return Err(refused(&format!("the server is PostgreSQL {version}, and {oldest} is the oldest that works")));
    }
    if server.encoding != "UTF8" {
        let why = format!(
            "its encoding is {}; CREATE DATABASE … ENCODING 'UTF8' makes one that keeps any text",
            server.encoding
        );
        return Err(refused(&why));
    }
    if migrate::is_newer(connection.client()).await.map_err(|error| refused(&error.to_string()))? {
        return Err(refused("it was written by a newer Mainstay; use that version or a later one"));
    }
    if !inner.settings.moving
        && is_unfinished(connection.client()).await.map_err(|error| refused(&error.to_string()))?
    {
        return Err(refused(UNFINISHED));
    }
    warn(inner, &server, &shown);
    if inner.settings.read_only {
        return Ok(());
    }
    if server.recovers {
        return Err(refused("it is a standby, which takes no writes; database.url wants the primary"));
    }
    if server.reads_only {
        return Err(refused("it takes no writes: default_transaction_read_only is on"));
    }
    // Nodes that start at once would make the same tables. The lock ends with the transaction.
    let [changes, gone] = sql::make_feed(&PostgresDialect);
    let tables = [sql::make_once(&PostgresDialect), sql::make_nodes(&PostgresDialect), changes, gone].join(";\n");
    let widen = nodes::widening(connection.client()).await.map_err(|error| refused(&told(&error)))?;
    let sql = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock({MAKING}); {tables}; {widen}; {FOREIGN}; COMMIT"
    );
    let made = connection.client().batch_execute(&sql).await;
    made.map_err(|error| refused(&store_error(&error, 0).to_string()))
}

/// Whether a move has not filled the database to its end.
async fn is_unfinished(client: &Client) -> Result<bool, StoreError> {
    let ask = async {
        let is_there = "SELECT to_regclass('mainstay_move') IS NOT NULL";
        if !client.query_typed_one(is_there, &[]).await?.try_get::<_, bool>(0)? {
            return Ok(false);
        }
        let is_noted = "SELECT count(*) > 0 FROM mainstay_move WHERE name = 'into'";
        let row = client.query_typed_one(is_noted, &[]).await?;
        row.try_get(0)
    };
    ask.await.map_err(|error: tokio_postgres::Error| store_error(&error, 0))
}

/// Says loudly what breaks the promise that an answer means that its write is on disk.
fn warn(inner: &Inner, server: &Server, shown: &str) {
    let lost = "acknowledged writes may be lost when the server or its power fails";
    if server.fsync == "off" {
        tracing::warn!("the database {shown} runs with fsync = off: {lost}, and all of it may be damaged");
    }
    if server.synchronous_commit == "off" && inner.settings.durable {
        tracing::warn!("the database {shown} runs with synchronous_commit = off: {lost}");
    }
    let wanted = inner.settings.postgres.connections + CONNECTIONS_BESIDE;
    let most = usize::try_from(server.connections_max).unwrap_or(0);
    if wanted > most && !inner.is_pooled_outside() {
        tracing::warn!(
            "the database {shown} takes {most} connections at most (max_connections), and this process may want {wanted}: \
             lower database.connections, or raise what the server takes"
        );
    }
    if server.full_page_writes == "off" {
        tracing::warn!("the database {shown} runs with full_page_writes = off: it may be damaged when the power fails");
    }
}

async fn ask(client: &Client) -> Result<Server, StoreError> {
    let sql = "SELECT current_setting('server_version_num')::int4, current_setting('server_encoding'), \
               pg_is_in_recovery(), current_setting('fsync'), current_setting('synchronous_commit'), \
               current_setting('full_page_writes'), current_setting('default_transaction_read_only') = 'on', \
               current_setting('max_connections')::int4 - current_setting('superuser_reserved_connections')::int4";
    let ask = async {
        let row = client.query_typed_one(sql, &[]).await?;
        Ok(Server {
            version: row.try_get(0)?,
            encoding: row.try_get(1)?,
            recovers: row.try_get(2)?,
            fsync: row.try_get(3)?,
            synchronous_commit: row.try_get(4)?,
            full_page_writes: row.try_get(5)?,
            reads_only: row.try_get(6)?,
            connections_max: row.try_get(7)?,
        })
    };
    ask.await.map_err(|error: tokio_postgres::Error| store_error(&error, 0))
}

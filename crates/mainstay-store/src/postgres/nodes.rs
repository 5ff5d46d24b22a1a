//! Nodes on a server: signs of life, the lease of the elected one, and the keys that all share.
//!
//! All of it is in READ COMMITTED, so that whoever waits for another's row sees what became of it, and nothing is left in a session.
//! Times are the server's.
use std::time::{Duration, Instant};

use tokio::{
    sync::{Mutex, watch},
    time::{sleep, timeout},
};
use tokio_postgres::{
    Row, Transaction,
    types::{ToSql, Type},
};

use super::{
    PostgresDialect,
    connection::Connection,
    engine::{Engine, Inner},
    failure::{is_lost, store_error, told},
    feed::horizon,
    pool::closed,
};
use crate::{BEHIND_MAX, Beat, Fitness, Node, NodeSeen, Pulse, StoreError, nodes::Election, sql};

/// The server's time, in microseconds since 1970: now, and not when the transaction began.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
/// Old answers that are taken out at a time: with each sign of life, and where there are more, one time after the other.
const KEPT_TRIMMED_MAX: i64 = 1_000;
/// What is left to the others between two times.
const PAUSE: Duration = Duration::from_millis(5);
/// What only one node does.
const CHORES: &str = "chores";

/// The connection of the signs of life, and what came of them.
#[derive(Default)]
pub(super) struct Nodes {
    connection: Mutex<Option<Connection>>,
    pub(super) election: Election,
    /// There are more old answers than a sign of life takes out: how long each is kept.
    backlog: watch::Sender<Duration>,
}

impl Engine {
    pub(crate) async fn beat(&self, beat: &Beat) -> Result<Pulse, StoreError> {
        let beat = beat.clone();
        self.on_own(async move |inner: &Inner| beat_on(inner, &beat).await).await
    }

    pub(crate) async fn leave(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.on_own(async move |inner: &Inner| leave_on(inner, &id).await).await
    }

    pub(crate) fn is_elected(&self) -> bool {
        self.inner.nodes.election.holds()
    }

    pub(crate) fn nodes(&self) -> Result<Vec<NodeSeen>, StoreError> {
        self.with_own(async move |connection: &mut Connection| {
            seen(connection).await.map_err(|error| store_error(&error, 0))
        })
    }

    pub(crate) fn key(&self, name: &str, candidate: &[u8]) -> Result<Vec<u8>, StoreError> {
        let only_reads = self.inner.settings.read_only || self.inner.settings.rehearse;
        let (name, candidate) = (name.to_owned(), candidate.to_vec());
        self.with_own(async move |connection: &mut Connection| {
            let known = key(connection, &name, &candidate, only_reads).await.map_err(|error| store_error(&error, 0))?;
            Ok(known.unwrap_or(candidate))
        })
    }

    /// Does something on the engine's own thread.
    pub(super) async fn on_own<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: AsyncFnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let inner = self.inner.clone();
        self.own.spawn(async move || {
            let _ = answer.send(work(&inner).await);
        })?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }
}

/// A sign of life, within half of the time after which nobody believes in the node.
async fn beat_on(inner: &Inner, beat: &Beat) -> Result<Pulse, StoreError> {
    let mut held = inner.nodes.connection.lock().await;
    let asked = Instant::now();
    let work = ask(inner, &mut held, async |connection: &mut Connection| pulse(connection, beat).await);
    let limit = beat.gone_after / 2;
    let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    // A connection that does not answer goes with what is waited for.
    let (pulse, more) = timeout(limit, work).await.unwrap_or(Err(StoreError::TimedOut { limit_ms }))?;
    inner.nodes.election.told(pulse.elected, asked, beat.gone_after);
    if more {
        inner.nodes.backlog.send_replace(beat.kept);
    }
    Ok(pulse)
}

async fn leave_on(inner: &Inner, id: &str) -> Result<(), StoreError> {
    inner.nodes.election.told(false, Instant::now(), Duration::ZERO);
    let mut held = inner.nodes.connection.lock().await;
    let leave = async |connection: &mut Connection| {
        let transaction = connection.transaction(None).await?;
        for sql in ["DELETE FROM mainstay_nodes WHERE id = $1", "DELETE FROM mainstay_leases WHERE node = $1"] {
            transaction.query_typed(sql, &[(&id, Type::TEXT)]).await?;
        }
        transaction.commit().await
    };
    ask(inner, &mut held, leave).await
}

/// Asks on the connection that there is, which goes where it fails; once more on a new one where it may have ended while nobody looked:
/// nothing of this does harm twice.
async fn ask<T>(
    inner: &Inner,
    held: &mut Option<Connection>,
    ask: impl AsyncFn(&mut Connection) -> Result<T, tokio_postgres::Error>,
) -> Result<T, StoreError> {
    if let Some(mut connection) = held.take()
        && connection.is_sound()
    {
        match ask(&mut connection).await {
            Err(error) if is_lost(&error) => {}
            outcome => {
                let answer = outcome.map_err(|error| store_error(&error, 0))?;
                *held = Some(connection);
                return Ok(answer);
            }
        }
    }
    let connected = inner.connector.connect().await;
    let mut connection = connected.map_err(|error| StoreError::Unavailable(told(&error)))?;
    let answer = ask(&mut connection).await.map_err(|error| store_error(&error, 0))?;
    *held = Some(connection);
    Ok(answer)
}

/// Writes the node down, asks for the lease, and does the chores that are a statement each.
/// There may be more of these than were done.
async fn pulse(connection: &mut Connection, beat: &Beat) -> Result<(Pulse, bool), tokio_postgres::Error> {
    let transaction = connection.transaction(Some(beat.gone_after / 2)).await?;
    sign(&transaction, beat).await?;
    let (id, lasts) = (&beat.node.id, micros(beat.gone_after));
    let lease = transaction
        .query_typed(
            &format!(
                "INSERT INTO mainstay_leases AS lease (name, node, until) VALUES ($1, $2, {NOW} + $3) ON CONFLICT (name) DO UPDATE \
                 SET node = excluded.node, until = {NOW} + $3 WHERE lease.node = excluded.node OR lease.until < {NOW} \
                 RETURNING node"
            ),
            &[(&CHORES, Type::TEXT), (id, Type::TEXT), (&lasts, Type::INT8)],
        )
        .await?;
    let elected = !lease.is_empty();
    let (gone, more) = match elected {
        true => (chores(&transaction, beat).await?, trim_kept(&transaction, beat.kept).await?),
        false => (Vec::new(), false),
    };
    let schema = transaction.query_typed("SELECT hashtextextended(snapshot, 0) FROM mainstay_schema", &[]).await?;
    let schema = schema.first().map(|row| row.try_get(0)).transpose()?;
    transaction.commit().await?;
    Ok((Pulse { elected, schema, gone }, more))
}

/// Where the feed ends: the last change below the horizon, or behind what is gone.
fn feed_end() -> String {
    format!(
        "SELECT coalesce(p.xid || '.' || p.seq, '0') FROM {} LEFT JOIN LATERAL (SELECT * FROM ((SELECT xid, seq FROM mainstay_changes \
         WHERE xid < h.xmin ORDER BY xid DESC, seq DESC LIMIT 1) UNION ALL (SELECT xid::text::xid8, seq FROM mainstay_changes_gone \
         ORDER BY xid DESC, seq DESC LIMIT 1)) AS ends ORDER BY xid DESC, seq DESC LIMIT 1) AS p ON true",
        horizon("'0'")
    )
}

/// Writes the node down as it is now.
async fn sign(transaction: &Transaction<'_>, beat: &Beat) -> Result<(), tokio_postgres::Error> {
    let Node { id, name, version, schema } = &beat.node;
    let (behind, unfit) = beat.fitness.kept();
    let sql = format!(
        "INSERT INTO mainstay_nodes (id, name, version, schema, started, seen, position, behind, unfit) VALUES ($1, $2, $3, $4, {NOW}, \
         {NOW}, ({}), $5, $6) ON CONFLICT (id) DO UPDATE SET schema = excluded.schema, seen = {NOW}, position = excluded.position, \
         behind = excluded.behind, unfit = excluded.unfit",
        feed_end()
    );
    let node =
        [(id as &(dyn ToSql + Sync), Type::TEXT), (name, Type::TEXT), (version, Type::TEXT), (schema, Type::TEXT)];
    let state: [(&(dyn ToSql + Sync), Type); 2] = [(&behind, Type::INT8), (&unfit, Type::TEXT)];
    transaction.query_typed(&sql, &[&node[..], &state[..]].concat()).await.map(|_| ())
}

/// Takes out nodes that gave no sign for too long. Rows that somebody holds wait for the next time.
async fn chores(transaction: &Transaction<'_>, beat: &Beat) -> Result<Vec<String>, tokio_postgres::Error> {
    let gone = transaction
        .query_typed(
            &format!(
                "DELETE FROM mainstay_nodes WHERE id IN (SELECT id FROM mainstay_nodes WHERE seen < {NOW} - $1 FOR UPDATE \
                 SKIP LOCKED) RETURNING name"
            ),
            &[(&micros(beat.gone_after), Type::INT8)],
        )
        .await?;
    gone.iter().map(|row| row.try_get(0)).collect()
}

/// Takes out answers that are too old, and says whether there may be more. Only the first ones are looked at: they are in the order of
/// their times, about, and there may be very many that are young.
async fn trim_kept(transaction: &Transaction<'_>, kept: Duration) -> Result<bool, tokio_postgres::Error> {
    let sql = format!(
        "WITH gone AS (DELETE FROM mainstay_idempotency WHERE id IN (SELECT id FROM mainstay_idempotency WHERE id IN (SELECT id \
         FROM mainstay_idempotency ORDER BY id LIMIT $2) AND time < {NOW} - $1 FOR UPDATE SKIP LOCKED) RETURNING id) \
         SELECT count(*) FROM gone"
    );
    let values: [(&(dyn ToSql + Sync), Type); 2] = [(&micros(kept), Type::INT8), (&KEPT_TRIMMED_MAX, Type::INT8)];
    let rows = transaction.query_typed(&sql, &values).await?;
    let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(count == KEPT_TRIMMED_MAX)
}

/// Takes out old answers where signs of life do not keep up, as long as the engine runs.
pub(super) async fn trim(inner: &Inner) {
    let mut backlog = inner.nodes.backlog.subscribe();
    while backlog.changed().await.is_ok() {
        let kept = *backlog.borrow_and_update();
        let trim = async {
            while inner.nodes.election.holds() {
                let mut held = inner.take_own().await?;
                let more = trim_once(held.connection()?, kept).await.map_err(|error| store_error(&error, 0))?;
                drop(held);
                if !more {
                    break;
                }
                sleep(PAUSE).await;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = trim.await {
            tracing::warn!(%error, "old answers of idempotent writes cannot be taken out");
        }
    }
}

async fn trim_once(connection: &mut Connection, kept: Duration) -> Result<bool, tokio_postgres::Error> {
    let transaction = connection.transaction(None).await?;
    let more = trim_kept(&transaction, kept).await?;
    transaction.commit().await?;
    Ok(more)
}

async fn seen(connection: &mut Connection) -> Result<Vec<NodeSeen>, tokio_postgres::Error> {
    let client = connection.client();
    if !has_table(client, "mainstay_nodes").await? {
        return Ok(Vec::new());
    }
    // A table of an earlier version says less.
    let state = if has_column(client, "mainstay_nodes", "unfit").await? {
        "n.behind, n.unfit"
    } else {
        "NULL::int8, NULL::text"
    };
    let behind = "SELECT count(*) FROM (SELECT FROM mainstay_changes AS c WHERE (c.xid, c.seq) > (split_part(n.position, '.', 1)::xid8, \
                  coalesce(nullif(split_part(n.position, '.', 2), ''), '0')::int8) AND c.xid < h.xmin LIMIT $1) AS c";
    let sql = format!(
        "SELECT n.id, n.name, n.version, n.schema, n.started, {NOW} - n.seen, l.node IS NOT NULL, n.position, CASE WHEN n.position IS NOT \
         NULL THEN ({behind}) END, {state} FROM {} CROSS JOIN mainstay_nodes AS n LEFT JOIN mainstay_leases AS l ON l.node = n.id AND \
         l.until >= {NOW} ORDER BY n.started, n.id",
        horizon("'0'")
    );
    let limit = i64::try_from(BEHIND_MAX).unwrap_or(i64::MAX);
    client.query_typed(&sql, &[(&limit, Type::INT8)]).await?.iter().map(node).collect()
}

fn node(row: &Row) -> Result<NodeSeen, tokio_postgres::Error> {
    let seen: i64 = row.try_get(5)?;
    Ok(NodeSeen {
        node: Node { id: row.try_get(0)?, name: row.try_get(1)?, version: row.try_get(2)?, schema: row.try_get(3)? },
        started_micros: row.try_get(4)?,
        seen: Duration::from_micros(u64::try_from(seen).unwrap_or(0)),
        elected: row.try_get(6)?,
        fitness: Fitness::of_kept(row.try_get(9)?, row.try_get(10)?),
        position: row.try_get::<_, Option<&str>>(7)?.and_then(|text| text.parse().ok()),
        behind: row.try_get::<_, Option<i64>>(8)?.map(i64::unsigned_abs),
    })
}

/// The key of a name; the candidate becomes it where there is none, unless nothing may be written.
async fn key(
    connection: &mut Connection,
    name: &str,
    candidate: &[u8],
    only_reads: bool,
) -> Result<Option<Vec<u8>>, tokio_postgres::Error> {
    if only_reads && !has_table(connection.client(), "mainstay_keys").await? {
        return Ok(None);
    }
    let known = "SELECT value FROM mainstay_keys WHERE name = $1";
    let rows = connection.client().query_typed(known, &[(&name, Type::TEXT)]).await?;
    if only_reads || !rows.is_empty() {
        return rows.first().map(|row| row.try_get(0)).transpose();
    }
    let transaction = connection.transaction(None).await?;
    let make = "INSERT INTO mainstay_keys (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    transaction.query_typed(make, &[(&name, Type::TEXT), (&candidate, Type::BYTEA)]).await?;
    let rows = transaction.query_typed(known, &[(&name, Type::TEXT)]).await?;
    transaction.commit().await?;
    rows.first().map(|row| row.try_get(0)).transpose()
}

async fn has_column(client: &tokio_postgres::Client, table: &str, column: &str) -> Result<bool, tokio_postgres::Error> {
    let sql = "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped)";
    let rows = client.query_typed(sql, &[(&table, Type::TEXT), (&column, Type::TEXT)]).await?;
    rows.first().map_or(Ok(false), |row| row.try_get(0))
}

/// What is to be done to a table of nodes that an earlier version has made.
pub(super) async fn widening(client: &tokio_postgres::Client) -> Result<String, tokio_postgres::Error> {
    let (table, column, add) = sql::widen_nodes(&PostgresDialect);
    let is_old = has_table(client, table).await? && !has_column(client, table, column).await?;
    Ok(if is_old { add.join("; ").replace("ADD COLUMN", "ADD COLUMN IF NOT EXISTS") } else { String::new() })
}

async fn has_table(client: &tokio_postgres::Client, name: &str) -> Result<bool, tokio_postgres::Error> {
    let rows = client.query_typed("SELECT to_regclass($1) IS NOT NULL", &[(&name, Type::TEXT)]).await?;
    rows.first().map_or(Ok(false), |row| row.try_get(0))
}

fn micros(of: Duration) -> i64 {
    i64::try_from(of.as_micros()).unwrap_or(i64::MAX)
}

//! The four statements.
use std::time::{SystemTime, UNIX_EPOCH};

use deadpool_postgres::{Manager, Object, Pool};
use mainstay_bench::{Outcome, moment};
use serde::Deserialize;
use tokio_postgres::{NoTls, Row};
use uuid::Uuid;

/// A new message.
#[derive(Deserialize)]
pub(crate) struct Create {
    room: String,
    author: String,
    body: String,
}

/// Another body.
#[derive(Deserialize)]
pub(crate) struct Patch {
    body: String,
}

const READ: &str = "SELECT id, created_at, updated_at, version, room, author, body FROM messages WHERE id = $1";
const PAGE: &str = "SELECT id, created_at, updated_at, version, room, author, body FROM messages
    ORDER BY created_at DESC, id DESC LIMIT $1";
const CREATE: &str = "INSERT INTO messages (id, created_at, updated_at, version, room, author, body)
    VALUES ($1, $2, $2, 1, $3, $4, $5)";
const PATCH: &str = "UPDATE messages SET body = $2, updated_at = $3, version = version + 1 WHERE id = $1
    RETURNING id, created_at, updated_at, version, room, author, body";

/// Bytes that a record takes, about.
const RECORD_BYTES: usize = 384;

/// The table, through a pool.
pub(crate) struct Messages {
    pool: Pool,
}

impl Messages {
    pub(crate) fn new(url: &str, connections: usize) -> Outcome<Self> {
        let manager = Manager::new(url.parse()?, NoTls);
        Ok(Messages { pool: Pool::builder(manager).max_size(connections).build()? })
    }

    async fn connection(&self) -> Outcome<Object> {
        Ok(self.pool.get().await?)
    }

    pub(crate) async fn read(&self, id: Uuid) -> Outcome<Option<Vec<u8>>> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(READ).await?;
        one(connection.query_opt(&statement, &[&id]).await?)
    }

    pub(crate) async fn page(&self, limit: i64) -> Outcome<Vec<u8>> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(PAGE).await?;
        let rows = connection.query(&statement, &[&limit]).await?;
        let mut out = Vec::with_capacity(rows.len() * RECORD_BYTES);
        out.push(b'[');
        for row in &rows {
            if out.len() > 1 {
                out.push(b',');
            }
            write(&mut out, row)?;
        }
        out.push(b']');
        Ok(out)
    }

    pub(crate) async fn create(&self, id: Uuid, now: SystemTime, message: &Create) -> Outcome<Vec<u8>> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(CREATE).await?;
        let Create { room, author, body } = message;
        connection.execute(&statement, &[&id, &now, room, author, body]).await?;
        let mut out = Vec::with_capacity(RECORD_BYTES);
        record(&mut out, id, [now, now], 1, [room, author, body])?;
        Ok(out)
    }

    pub(crate) async fn patch(&self, id: Uuid, now: SystemTime, patch: &Patch) -> Outcome<Option<Vec<u8>>> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(PATCH).await?;
        one(connection.query_opt(&statement, &[&id, &patch.body, &now]).await?)
    }
}

fn one(row: Option<Row>) -> Outcome<Option<Vec<u8>>> {
    let Some(row) = row else { return Ok(None) };
    let mut out = Vec::with_capacity(RECORD_BYTES);
    write(&mut out, &row)?;
    Ok(Some(out))
}

fn write(out: &mut Vec<u8>, row: &Row) -> Outcome<()> {
    let texts = [row.try_get(4)?, row.try_get(5)?, row.try_get(6)?];
    record(out, row.try_get(0)?, [row.try_get(1)?, row.try_get(2)?], row.try_get(3)?, texts)
}

fn record(out: &mut Vec<u8>, id: Uuid, times: [SystemTime; 2], version: i64, texts: [&str; 3]) -> Outcome<()> {
    out.extend_from_slice(b"{\"id\":\"");
    out.extend_from_slice(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
    for (name, time) in ["\",\"createdAt\":\"", "\",\"updatedAt\":\""].into_iter().zip(times) {
        out.extend_from_slice(name.as_bytes());
        moment::write(out, time.duration_since(UNIX_EPOCH)?.as_micros() as u64);
    }
    out.extend_from_slice(b"\",\"version\":");
    serde_json::to_writer(&mut *out, &version)?;
    for (name, text) in [",\"room\":", ",\"author\":", ",\"body\":"].into_iter().zip(texts) {
        out.extend_from_slice(name.as_bytes());
        serde_json::to_writer(&mut *out, text)?;
    }
    out.push(b'}');
    Ok(())
}

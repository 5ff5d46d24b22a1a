//! The four statements.
use std::time::{SystemTime, UNIX_EPOCH};

use deadpool_postgres::{Manager, Object, Pool};
use mainstay_bench::{Outcome, moment};
use serde::Deserialize;
use tokio_postgres::{Config, NoTls, Row, error::SqlState, types::ToSql};
use uuid::Uuid;

/// A new message.
#[derive(Deserialize)]
pub(crate) struct Create {
    pub(crate) room: String,
    pub(crate) author: String,
    pub(crate) body: String,
}

/// Another body.
#[derive(Deserialize)]
pub(crate) struct Patch {
    pub(crate) body: String,
}

// What Mainstay says (`mainstay explain`), word by word.
const READ: &str = r#"SELECT t0."id", t0."room", t0."author", t0."body", t0."created_at", t0."updated_at", t0."version"
    FROM "messages" AS t0 WHERE t0."id" = $1::uuid"#;
const PAGE: &str = r#"SELECT t0."id", t0."room", t0."author", t0."body", t0."created_at", t0."updated_at", t0."version"
    FROM "messages" AS t0 ORDER BY t0."created_at" DESC, t0."id" DESC LIMIT $1::bigint"#;
const CREATE: &str = r#"INSERT INTO "messages" ("id", "room", "author", "body", "created_at", "updated_at", "version")
    VALUES ($1::uuid, ($2::text COLLATE "C"), ($3::text COLLATE "C"), ($4::text COLLATE "C"), $5::timestamptz,
        $6::timestamptz, $7::bigint) RETURNING "messages"."id", "messages"."version""#;
const PATCH: &str = r#"UPDATE "messages" SET "body" = ($1::text COLLATE "C"), "updated_at" = $2::timestamptz,
    "version" = "version" + 1 WHERE "messages"."id" = $3::uuid RETURNING "messages"."id", "messages"."room",
    "messages"."author", "messages"."body", "messages"."created_at", "messages"."updated_at", "messages"."version""#;

/// What Mainstay's sessions are told, too.
const SESSION: &str =
    "-c statement_timeout=5000 -c idle_in_transaction_session_timeout=5000 -c TimeZone=UTC -c jit=off";
/// How often a write is run that others got in the way of.
const TRIES_MAX: usize = 20;

/// Bytes that a record takes, about.
const RECORD_BYTES: usize = 384;

/// The table, through a pool for reads and one for writes, of which the bench uses one at a time.
pub(crate) struct Messages {
    reads: Pool,
    writes: Pool,
}

pub(crate) type Values<'a> = [&'a (dyn ToSql + Sync)];

impl Messages {
    /// The table at an address; writes in this isolation.
    pub(crate) fn new(url: &str, connections: usize, isolation: &str) -> Outcome<Self> {
        let pool = |isolation: &str, read_only: &str| -> Outcome<Pool> {
            let mut config: Config = url.parse()?;
            // A space ends an option.
            let isolation = isolation.replace(' ', "\\ ");
            config.options(format!(
                "{SESSION} -c default_transaction_isolation={isolation} -c default_transaction_read_only={read_only}"
            ));
            Ok(Pool::builder(Manager::new(config, NoTls)).max_size(connections).build()?)
        };
        Ok(Messages { reads: pool("read committed", "on")?, writes: pool(isolation, "off")? })
    }

    pub(crate) async fn read(&self, id: Uuid) -> Outcome<Option<Vec<u8>>> {
        let connection = self.reads.get().await?;
        let statement = connection.prepare_cached(READ).await?;
        one(connection.query_opt(&statement, &[&id]).await?)
    }

    pub(crate) async fn page(&self, limit: i64) -> Outcome<Vec<u8>> {
        let connection = self.reads.get().await?;
        let statement = connection.prepare_cached(PAGE).await?;
        // One more, which says whether there is another page.
        let rows = connection.query(&statement, &[&(limit + 1)]).await?;
        let mut out = Vec::with_capacity(rows.len() * RECORD_BYTES);
        out.push(b'[');
        for row in rows.iter().zip(0..limit).map(|(row, _)| row) {
            if out.len() > 1 {
                out.push(b',');
            }
            write(&mut out, row)?;
        }
        out.push(b']');
        Ok(out)
    }

    pub(crate) async fn create(&self, id: Uuid, now: SystemTime, message: &Create) -> Outcome<Vec<u8>> {
        let Create { room, author, body } = message;
        let row = self.written(CREATE, &[&id, room, author, body, &now, &now, &1_i64]).await?;
        let row = row.ok_or("an insert gave no record back")?;
        new_record(row.try_get(0)?, now, message)
    }

    pub(crate) async fn patch(&self, id: Uuid, now: SystemTime, patch: &Patch) -> Outcome<Option<Vec<u8>>> {
        one(self.written(PATCH, &[&patch.body, &now, &id]).await?)
    }

    /// Runs a write, again where others got in its way.
    pub(crate) async fn written(&self, sql: &str, values: &Values<'_>) -> Outcome<Option<Row>> {
        let mut tries = 0;
        loop {
            let connection = self.writes.get().await?;
            match run(&connection, sql, values).await {
                Err(error) if error.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE) && tries < TRIES_MAX => {
                    tries += 1
                }
                outcome => return Ok(outcome?),
            }
        }
    }
}

async fn run(connection: &Object, sql: &str, values: &Values<'_>) -> Result<Option<Row>, tokio_postgres::Error> {
    let statement = connection.prepare_cached(sql).await?;
    connection.query_opt(&statement, values).await
}

/// A record that is new.
pub(crate) fn new_record(id: Uuid, now: SystemTime, message: &Create) -> Outcome<Vec<u8>> {
    let Create { room, author, body } = message;
    let mut out = Vec::with_capacity(RECORD_BYTES);
    record(&mut out, id, [now, now], 1, [room, author, body])?;
    Ok(out)
}

pub(crate) fn one(row: Option<Row>) -> Outcome<Option<Vec<u8>>> {
    let Some(row) = row else { return Ok(None) };
    let mut out = Vec::with_capacity(RECORD_BYTES);
    write(&mut out, &row)?;
    Ok(Some(out))
}

fn write(out: &mut Vec<u8>, row: &Row) -> Outcome<()> {
    let texts = [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?];
    record(out, row.try_get(0)?, [row.try_get(4)?, row.try_get(5)?], row.try_get(6)?, texts)
}

fn record(out: &mut Vec<u8>, id: Uuid, times: [SystemTime; 2], version: i32, texts: [&str; 3]) -> Outcome<()> {
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

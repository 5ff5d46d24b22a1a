//! The table of the pretending server, and what is wrong with it.
use std::time::Duration;

use mainstay_bench::{Outcome, project::DATABASE};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Value, json};
use uuid::Uuid;

/// What a server may do wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It answers first and commits later.
    EarlyAnswers,
    /// An array is some transactions.
    TornArrays,
    /// A patch is two transactions.
    HalfPatches,
    /// It acts again on a request that is sent again with its idempotency key.
    ForgottenKeys,
    /// A start empties the table of its last records.
    ForgetfulStart,
}

impl Fault {
    pub(crate) fn named(name: &str) -> Outcome<Self> {
        Ok(match name {
            "" => Fault::None,
            "early answers" => Fault::EarlyAnswers,
            "torn arrays" => Fault::TornArrays,
            "half patches" => Fault::HalfPatches,
            "forgotten keys" => Fault::ForgottenKeys,
            "forgetful start" => Fault::ForgetfulStart,
            other => return Err(format!("no fault is called \"{other}\"").into()),
        })
    }
}

/// Between two transactions that should be one: long enough to be hit by a kill now and then.
pub(crate) const GAP: Duration = Duration::from_millis(1);
/// Writes that wait for their commit when answers come early.
const EARLY: u32 = 100;

pub(crate) struct Records {
    db: Connection,
    fault: Fault,
    waiting: u32,
}

impl Records {
    pub(crate) fn open(fault: Fault) -> Outcome<Self> {
        std::fs::create_dir_all("data")?;
        let db = Connection::open(DATABASE)?;
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
             CREATE TABLE IF NOT EXISTS entries (id TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, run INTEGER NOT NULL,
               writer INTEGER NOT NULL, seq INTEGER NOT NULL, counter INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
             CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY NOT NULL, answer TEXT NOT NULL) STRICT;
             CREATE INDEX IF NOT EXISTS entries_run ON entries (run, id)",
        )?;
        if fault == Fault::ForgetfulStart {
            db.execute_batch("DELETE FROM entries WHERE rowid > (SELECT max(rowid) FROM entries) - 3")?;
        }
        Ok(Records { db, fault, waiting: 0 })
    }

    pub(crate) fn fault(&self) -> Fault {
        self.fault
    }

    pub(crate) fn create(&mut self, record: &Value) -> Outcome<Value> {
        self.begin()?;
        let answer = self.insert(record)?;
        self.commit()?;
        Ok(answer)
    }

    /// One record, an array or a batch in one transaction, with the answer that belongs to its key.
    pub(crate) fn write(&mut self, key: Option<&str>, data: &Value) -> Outcome<Value> {
        let key = key.filter(|_| self.fault != Fault::ForgottenKeys);
        if let Some(answer) = key.map(|key| self.answered(key)).transpose()?.flatten() {
            return Ok(answer);
        }
        self.begin()?;
        let answer = match (data, data["ops"].as_array()) {
            (_, Some(ops)) => {
                let results = ops.iter().map(|op| match op["id"].as_str() {
                    Some(id) => self.change(id, &op["data"]),
                    None => self.insert(&op["data"]),
                });
                json!({"results": results.collect::<Outcome<Vec<Value>>>()?})
            }
            (Value::Array(records), None) => {
                records.iter().map(|record| self.insert(record)).collect::<Outcome<Value>>()?
            }
            (record, None) => self.insert(record)?,
        };
        if let Some(key) = key {
            self.db.execute("INSERT INTO answers VALUES (?1, ?2)", params![key, answer.to_string()])?;
        }
        self.commit()?;
        Ok(answer)
    }

    fn answered(&self, key: &str) -> Outcome<Option<Value>> {
        let read = "SELECT answer FROM answers WHERE key = ?1";
        let answer = self.db.query_row(read, [key], |row| row.get::<_, String>(0)).optional()?;
        Ok(answer.map(|answer| serde_json::from_str(&answer)).transpose()?)
    }

    fn change(&self, id: &str, data: &Value) -> Outcome<Value> {
        let counter = data["counter"].as_i64();
        let text = "UPDATE entries SET counter = ?2, body = ?3, version = version + 1 WHERE id = ?1 RETURNING version";
        let values = params![id, counter, data["body"].as_str()];
        // What a fault has lost is answered with no version: the harness must find it, not trip over it.
        let version: Option<i64> = self.db.query_row(text, values, |row| row.get(0)).optional()?;
        Ok(json!({"id": id, "version": version, "counter": counter}))
    }

    fn insert(&self, record: &Value) -> Outcome<Value> {
        let id = Uuid::now_v7().to_string();
        let number = |name: &str| record[name].as_i64().unwrap_or_default();
        let values =
            params![id, number("run"), number("writer"), number("seq"), number("counter"), record["body"].as_str()];
        self.db.prepare_cached("INSERT INTO entries VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6)")?.execute(values)?;
        Ok(json!({"id": id, "version": 1, "counter": 0}))
    }

    pub(crate) fn patch(&mut self, id: &str, change: &Value) -> Outcome<Value> {
        let counter = change["counter"].as_i64();
        self.begin()?;
        self.db
            .execute("UPDATE entries SET counter = ?2, version = version + 1 WHERE id = ?1", params![id, counter])?;
        if self.fault == Fault::HalfPatches {
            self.commit()?;
            std::thread::sleep(GAP);
            self.begin()?;
        }
        self.db.execute("UPDATE entries SET body = ?2 WHERE id = ?1", params![id, change["body"].as_str()])?;
        let read = "SELECT version FROM entries WHERE id = ?1";
        let version: i64 = self.db.query_row(read, [id], |row| row.get(0))?;
        self.commit()?;
        Ok(json!({"id": id, "version": version, "counter": counter}))
    }

    pub(crate) fn delete(&mut self, id: &str) -> Outcome<Value> {
        self.begin()?;
        self.db.execute("DELETE FROM entries WHERE id = ?1", [id])?;
        self.commit()?;
        Ok(Value::Null)
    }

    /// A page by id; the cursor is the last one's.
    pub(crate) fn page(&self, query: &str) -> Outcome<Value> {
        let part = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)).unwrap_or_default();
        let limit: usize = part("limit=").parse()?;
        let run: Option<i64> = part("filter=run%20%3D%3D%20").parse().ok();
        let mut statement = self
            .db
            .prepare_cached("SELECT * FROM entries WHERE id > ?1 AND (?2 IS NULL OR run = ?2) ORDER BY id LIMIT ?3")?;
        let rows = statement.query_map(params![part("after="), run, limit as i64], |row| {
            Ok(json!({
                "id": row.get::<_, String>(0)?, "version": row.get::<_, i64>(1)?, "run": row.get::<_, i64>(2)?,
                "writer": row.get::<_, i64>(3)?, "seq": row.get::<_, i64>(4)?, "counter": row.get::<_, i64>(5)?,
                "body": row.get::<_, String>(6)?,
            }))
        })?;
        let items = rows.collect::<Result<Vec<Value>, _>>()?;
        let next = items.last().filter(|_| items.len() == limit).map(|last| last["id"].clone());
        Ok(json!({"items": items, "next": next}))
    }

    fn begin(&mut self) -> Outcome<()> {
        if self.waiting == 0 {
            self.db.execute_batch("BEGIN IMMEDIATE")?;
        }
        self.waiting += 1;
        Ok(())
    }

    fn commit(&mut self) -> Outcome<()> {
        if self.fault != Fault::EarlyAnswers || self.waiting >= EARLY {
            self.db.execute_batch("COMMIT")?;
            self.waiting = 0;
        }
        Ok(())
    }
}

//! The tables of one layout, and the keys and times that go into them.
use uuid::Uuid;

use super::Layout;

/// Everything that is made before the rows.
pub(super) fn schema(layout: Layout) -> String {
    let key = if layout.blob { "BLOB" } else { "TEXT" };
    let options = if layout.without_rowid { "STRICT, WITHOUT ROWID" } else { "STRICT" };
    format!(
        "CREATE TABLE messages (id {key} PRIMARY KEY NOT NULL, room TEXT NOT NULL, author TEXT NOT NULL,
           body TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, version INTEGER NOT NULL) {options};
         CREATE INDEX messages_created ON messages (created_at, id);
         CREATE TABLE users (id {key} PRIMARY KEY NOT NULL, name TEXT NOT NULL) {options};
         CREATE TABLE threads (id {key} PRIMARY KEY NOT NULL, title TEXT NOT NULL, owner {key} NOT NULL,
           created_at TEXT NOT NULL) {options};
         CREATE INDEX threads_created ON threads (created_at, id);
         CREATE TABLE posts (id {key} PRIMARY KEY NOT NULL, thread {key} NOT NULL, body TEXT NOT NULL,
           created_at TEXT NOT NULL) {options};
         CREATE INDEX posts_thread ON posts (thread, created_at, id);"
    )
}

/// The key of a record that was made then.
pub(super) fn id_at(ms: u64) -> Uuid {
    let nanos = (ms % 1000) as u32 * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, ms / 1000, nanos))
}

/// A text as wide as an RFC 3339 time with microseconds, in the order of time; which day it is does not matter here.
pub(super) fn time(ms: u64) -> String {
    format!("2026-{:02}-{:02}T00:{:012}Z", ms / 1_000_000_000_000 % 100, ms / 10_000_000_000 % 100, ms % 10_000_000_000)
}

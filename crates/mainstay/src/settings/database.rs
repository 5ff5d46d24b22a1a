//! `[database]`: where the data is.
use std::{fmt, path::Path};

use mainstay_store::{Location, Pgbouncer, PostgresSettings, Settings, SqliteSettings};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Where the embedded database is, unless the settings say.
const EMBEDDED: &str = "sqlite:data/mainstay.db";

/// `[database]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DatabaseArea {
    /// `sqlite:PATH`, the path from the project's folder, or `postgres://USER:PASSWORD@HOST/DATABASE`. `"env:NAME"` takes it from
    /// the environment.
    pub(crate) url: DatabaseUrl,
    /// Whether an answer waits until its write is on disk. `false` may lose acknowledged writes: for benches and tests.
    pub(crate) durable: bool,
    /// How long a statement may run.
    pub(crate) statement_ms_max: u64,
    /// How long a read may run on the thread that took the request before it moves to the pool, in microseconds.
    pub(crate) inline_budget_us: u64,
    /// How long a write may read for its answer, in milliseconds.
    pub(crate) answer_ms_max: u64,
    /// Bytes of the records of one answer.
    pub(crate) answer_bytes_max: u32,
    /// Records of one answer in lists that hold lists or stand in one.
    pub(crate) answer_nested_max: usize,
    /// Threads for reads that take longer.
    pub(crate) readers: usize,
    /// Reads that may wait for those threads.
    pub(crate) readers_queue_max: usize,
    /// How long a read may wait for those threads, in milliseconds.
    pub(crate) readers_wait_ms_max: u64,
    /// Writes that are committed together at most.
    pub(crate) group_max: usize,
    /// Writes that may wait.
    pub(crate) writer_queue_max: usize,
    /// Page cache per connection, in KiB.
    pub(crate) cache_kib: u32,
    /// Prepared statements kept per connection.
    pub(crate) statements_max: usize,
    /// Records that one delete may reach through cascades, and that may lose a link by it where the change feed tells of that.
    pub(crate) cascade_max: usize,
    /// Connections to PostgreSQL.
    pub(crate) connections: usize,
    /// Requests that may wait for those connections.
    pub(crate) connections_queue_max: usize,
    /// How long a request may wait for one of them, in milliseconds.
    pub(crate) connections_wait_ms_max: u64,
    /// How long a connection may take to be made, in milliseconds.
    pub(crate) connect_timeout_ms: u64,
    /// How often a write is run again that others got in the way of.
    pub(crate) retries_max: u32,
    /// How long a migration waits for a table, in milliseconds.
    pub(crate) migrate_lock_ms: u64,
    /// For how long a migration that did not get its tables tries again, in milliseconds.
    pub(crate) migrate_wait_ms_max: u64,
    /// How long the server waits for the next statement of a transaction that is no request's, in milliseconds.
    pub(crate) idle_in_transaction_ms_max: u64,
    /// `none`, or `transaction` where pgbouncer in that mode stands before PostgreSQL.
    pub(crate) pgbouncer: PgbouncerMode,
}

/// `database.url`: never shown, because it may hold a password.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct DatabaseUrl(String);

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("DatabaseUrl")
    }
}

/// `database.pgbouncer`
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PgbouncerMode {
    None,
    Transaction,
}

impl Default for DatabaseArea {
    fn default() -> DatabaseArea {
        let store = Settings::at("");
        DatabaseArea {
            url: DatabaseUrl(EMBEDDED.into()),
            durable: store.durable,
            statement_ms_max: store.statement_ms_max,
            inline_budget_us: store.sqlite.inline_budget_us,
            answer_ms_max: store.sqlite.answer_ms_max,
            answer_bytes_max: store.answer_bytes_max,
            answer_nested_max: store.answer_nested_max,
            readers: store.sqlite.readers,
            readers_queue_max: store.sqlite.readers_queue_max,
            readers_wait_ms_max: store.sqlite.readers_wait_ms_max,
            group_max: store.sqlite.group_max,
            writer_queue_max: store.sqlite.writer_queue_max,
            cache_kib: store.sqlite.cache_kib,
            statements_max: store.statements_max,
            cascade_max: store.cascade_max,
            connections: store.postgres.connections,
            connections_queue_max: store.postgres.connections_queue_max,
            connections_wait_ms_max: store.postgres.connections_wait_ms_max,
            connect_timeout_ms: store.postgres.connect_timeout_ms,
            retries_max: store.postgres.retries_max,
            migrate_lock_ms: store.postgres.migrate_lock_ms,
            migrate_wait_ms_max: store.postgres.migrate_wait_ms_max,
            idle_in_transaction_ms_max: store.postgres.idle_in_transaction_ms_max,
            pgbouncer: PgbouncerMode::None,
        }
    }
}

impl DatabaseArea {
    /// Where the database is; paths begin in the project's folder. Fails for a kind that there is not, by name.
    pub(crate) fn location(&self, root: &Path) -> Result<Location, Failure> {
        let url = match self.url.0.trim() {
            "" => EMBEDDED,
            url => url,
        };
        self.location_of(url, "database.url", root)
    }

    /// The same of an address that stands elsewhere.
    pub(crate) fn location_of(&self, url: &str, place: &str, root: &Path) -> Result<Location, Failure> {
        let wrong = |message: String| {
            Err(Failure::new("settings", format!("{place}: {message}"))
                .hint(format!("{EMBEDDED}, or postgres://USER:PASSWORD@HOST/DATABASE")))
        };
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Location::File(root.join(path))),
            Some(("sqlite", _)) => wrong("it names no file".into()),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Location::Postgres(url.to_owned())),
            // The rest of the address is not shown: it may hold a password.
            Some((scheme, _)) => wrong(format!("there is no kind of database \"{scheme}\"")),
            None => wrong("it has no kind".into()),
        }
    }

    /// For the store.
    pub(crate) fn store(&self, at: Location) -> Settings {
        Settings {
            durable: self.durable,
            statement_ms_max: self.statement_ms_max,
            answer_bytes_max: self.answer_bytes_max,
            answer_nested_max: self.answer_nested_max,
            statements_max: self.statements_max,
            cascade_max: self.cascade_max,
            sqlite: self.sqlite(),
            postgres: self.postgres(),
            ..Settings::of(at)
        }
    }

    fn sqlite(&self) -> SqliteSettings {
        SqliteSettings {
            inline_budget_us: self.inline_budget_us,
            answer_ms_max: self.answer_ms_max,
            readers: self.readers,
            readers_queue_max: self.readers_queue_max,
            readers_wait_ms_max: self.readers_wait_ms_max,
            group_max: self.group_max,
            writer_queue_max: self.writer_queue_max,
            cache_kib: self.cache_kib,
            ..SqliteSettings::default()
        }
    }

    fn postgres(&self) -> PostgresSettings {
        PostgresSettings {
            connections: self.connections,
            connections_queue_max: self.connections_queue_max,
            connections_wait_ms_max: self.connections_wait_ms_max,
            connect_timeout_ms: self.connect_timeout_ms,
            retries_max: self.retries_max,
            migrate_lock_ms: self.migrate_lock_ms,
            migrate_wait_ms_max: self.migrate_wait_ms_max,
            idle_in_transaction_ms_max: self.idle_in_transaction_ms_max,
            pgbouncer: match self.pgbouncer {
                PgbouncerMode::None => Pgbouncer::None,
                PgbouncerMode::Transaction => Pgbouncer::Transaction,
            },
        }
    }
}

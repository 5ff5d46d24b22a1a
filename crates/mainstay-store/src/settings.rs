//! The settings of the database, each with its default.
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// How the database is opened and used.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the database is, which decides on the engine.
    pub at: Location,
    /// Whether the database is only read: then it must be there, and another process may have it open.
    pub read_only: bool,
    /// Whether writes are tried and rolled back, beside whoever has the database open: nothing is written.
    pub rehearse: bool,
    /// Whether a move fills the database: nobody else opens one that is not filled to its end.
    pub moving: bool,
    /// Whether the store can say which indexes a read lacks; it then keeps what reads were made from.
    pub explains: bool,
    /// Reads and writes that take longer, in milliseconds, are told in the log with their plan, never with values; 0: none.
    pub slow_ms: u64,
    /// Whether a commit waits for the disk (`synchronous`, `synchronous_commit`); only benches and tests say no.
    pub durable: bool,
    /// How long a read, or all the steps of a write together, may run, in milliseconds.
    pub statement_ms_max: u64,
    /// Bytes of the records of one answer, and of each value that the database makes for it.
    pub answer_bytes_max: u32,
    /// Records of one answer in lists that hold lists or stand in one: they multiply.
    pub answer_nested_max: usize,
    /// Prepared statements kept per connection.
    pub statements_max: usize,
    /// Records that one delete may reach through cascades.
    pub cascade_max: usize,
    /// What the change feed keeps.
    pub feed: FeedSettings,
    /// What only the embedded database has.
    pub sqlite: SqliteSettings,
    /// What only PostgreSQL has.
    pub postgres: PostgresSettings,
}

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// The file of the embedded database.
    File(PathBuf),
    /// The address of a PostgreSQL database, `postgres://…`, as libpq reads it. It may hold a password, and is never shown.
    Postgres(String),
}

/// Where a database on a server is, as far as people may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name and its host.
    pub shown: String,
    /// Whether the server is on this machine.
    pub is_local: bool,
}

/// What the change feed keeps.
#[derive(Clone, Debug)]
pub struct FeedSettings {
    /// For how many seconds, where a collection does not say.
    pub keep_s: u64,
    /// How many mebibytes, about: past it the oldest go.
    pub size_max_mib: u64,
    /// How often what is too old or too much is taken out, in milliseconds.
    pub trim_every_ms: u64,
    /// After how many milliseconds whoever waits for changes looks for some, where nothing was heard of any: on a server words
    /// can be lost.
    pub poll_ms: u64,
}

impl Default for FeedSettings {
    fn default() -> FeedSettings {
        FeedSettings { keep_s: 7 * 86_400, size_max_mib: 1_024, trim_every_ms: 60_000, poll_ms: 1_000 }
    }
}

/// What only the embedded database has.
#[derive(Clone, Debug)]
pub struct SqliteSettings {
    /// How long a read may run on the thread that took the request, in microseconds, before it moves to the pool.
    pub inline_budget_us: u64,
    /// How long a write may read for its answer, in milliseconds: all other writes wait meanwhile.
    pub answer_ms_max: u64,
    /// Threads for reads that take longer.
    pub readers: usize,
    /// Reads that may wait for those threads.
    pub readers_queue_max: usize,
    /// How long a read may wait for one of those threads, in milliseconds.
    pub readers_wait_ms_max: u64,
    /// Writes that are committed together at most.
    pub group_max: usize,
    /// Writes that may wait for the writer.
    pub writer_queue_max: usize,
    /// Page cache per connection, in KiB.
    pub cache_kib: u32,
    /// Pages in the write-ahead log at which it is copied into the database, beside the running writes. At four times as many
    /// the writer copies them itself.
    pub wal_pages_max: u32,
    /// Whether each commit waits until it is on the disk, where the database is durable. Else it comes there with the next checkpoint, or the
    /// next commit that waits (`Store::sync_commits`): a power cut may take the last commits, and leaves the database whole.
    pub commits_synced: bool,
    /// After so many milliseconds without a write the log is made empty.
    pub wal_idle_ms: u64,
}

/// What only PostgreSQL has.
#[derive(Clone, Debug)]
pub struct PostgresSettings {
    /// Connections at most.
    pub connections: usize,
    /// Requests that may wait for a connection.
    pub connections_queue_max: usize,
    /// How long a request may wait for a connection, in milliseconds.
    pub connections_wait_ms_max: u64,
    /// How long a connection may take to be made, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How often a write is run again that others got in the way of.
    pub retries_max: u32,
    /// How long a migration waits for a table, in milliseconds, while reads and writes of it queue up behind.
    pub migrate_lock_ms: u64,
    /// For how long a migration that did not get its tables tries again, in milliseconds.
    pub migrate_wait_ms_max: u64,
    /// How long the server waits for the next statement of a transaction that is no request's (a migration, a trim, the pause of a move),
    /// in milliseconds: whoever is silent for longer is taken for gone.
    pub idle_in_transaction_ms_max: u64,
    /// What stands between this process and the database.
    pub pgbouncer: Pgbouncer,
}

/// Whether connections go through pgbouncer, and how it hands its own out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pgbouncer {
    /// There is none, or it hands out a connection for a session.
    #[default]
    None,
    /// It hands out a connection for a transaction: what a session would remember is never used.
    Transaction,
}

impl Settings {
    /// The defaults for a database in this file.
    pub fn at(path: impl Into<PathBuf>) -> Settings {
        Settings::of(Location::File(path.into()))
    }

    /// The defaults for a database that is here.
    pub fn of(at: Location) -> Settings {
        Settings {
            at,
            read_only: false,
            rehearse: false,
            moving: false,
            explains: false,
            slow_ms: 0,
            durable: true,
            statement_ms_max: 10_000,
            answer_bytes_max: 32 * 1024 * 1024,
            answer_nested_max: 200_000,
            statements_max: 256,
            cascade_max: 100_000,
            feed: FeedSettings::default(),
            sqlite: SqliteSettings::default(),
            postgres: PostgresSettings::default(),
        }
    }

    /// The file of the embedded database.
    pub(crate) fn file(&self) -> &Path {
        match &self.at {
            Location::File(path) => path,
            Location::Postgres(_) => Path::new(""),
        }
    }
}

impl Default for SqliteSettings {
    fn default() -> SqliteSettings {
        SqliteSettings {
            inline_budget_us: 1_000,
            answer_ms_max: 250,
            readers: 2,
            readers_queue_max: 1_024,
            readers_wait_ms_max: 5_000,
            group_max: 512,
            writer_queue_max: 4_096,
            cache_kib: 16_384,
            wal_pages_max: 4_000,
            commits_synced: true,
            wal_idle_ms: 1_000,
        }
    }
}

impl Default for PostgresSettings {
    fn default() -> PostgresSettings {
        PostgresSettings {
            connections: 16,
            connections_queue_max: 4_096,
            connections_wait_ms_max: 5_000,
            connect_timeout_ms: 5_000,
            retries_max: 20,
            migrate_lock_ms: 2_000,
            migrate_wait_ms_max: 60_000,
            idle_in_transaction_ms_max: 60_000,
            pgbouncer: Pgbouncer::None,
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::File(path) => out.debug_tuple("File").field(path).finish(),
            Location::Postgres(_) => out.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}

//! The settings of the database, each with its default.
use std::path::PathBuf;

/// How the database is opened and used.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file of the embedded database.
    pub path: PathBuf,
    /// Whether the database is only read: then it must be there, and another process may have it open.
    pub read_only: bool,
    /// Whether writes are tried and rolled back, beside whoever has the database open: nothing is written.
    pub rehearse: bool,
    /// Whether the store can say which indexes a read lacks; it then keeps what reads were made from.
    pub explains: bool,
    /// Reads and writes that take longer, in milliseconds, are told in the log with their plan, never with values; 0: none.
    pub slow_ms: u64,
    /// Whether a commit waits for the disk (`synchronous=FULL`); only benches and tests say no.
    pub durable: bool,
    /// How long a read may run on the thread that took the request, in microseconds, before it moves to the pool.
    pub inline_budget_us: u64,
    /// How long a read, or all the steps of a write together, may run, in milliseconds.
    pub statement_ms_max: u64,
    /// How long a write may read for its answer, in milliseconds: all other writes wait meanwhile.
    pub answer_ms_max: u64,
    /// Bytes of the records of one answer, and of each value that the database makes for it.
    pub answer_bytes_max: u32,
    /// Records of one answer in lists that hold lists or stand in one: they multiply.
    pub answer_nested_max: usize,
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
    /// Prepared statements kept per connection.
    pub statements_max: usize,
    /// Records that one delete may reach through cascades.
    pub cascade_max: usize,
    /// Pages in the write-ahead log at which it is copied into the database, beside the running writes. At four times as many
    /// the writer copies them itself.
    pub wal_pages_max: u32,
    /// After so many milliseconds without a write the log is made empty.
    pub wal_idle_ms: u64,
}

impl Settings {
    /// The defaults for a database in this file.
    pub fn at(path: impl Into<PathBuf>) -> Settings {
        Settings {
            path: path.into(),
            read_only: false,
            rehearse: false,
            explains: false,
            slow_ms: 0,
            durable: true,
            inline_budget_us: 1_000,
            statement_ms_max: 10_000,
            answer_ms_max: 250,
            answer_bytes_max: 32 * 1024 * 1024,
            answer_nested_max: 200_000,
            readers: 2,
            readers_queue_max: 1_024,
            readers_wait_ms_max: 5_000,
            group_max: 512,
            writer_queue_max: 4_096,
            cache_kib: 16_384,
            statements_max: 256,
            cascade_max: 100_000,
            wal_pages_max: 4_000,
            wal_idle_ms: 1_000,
        }
    }
}

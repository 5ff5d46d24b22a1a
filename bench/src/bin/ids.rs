//! Measures four ways of keeping UUIDv7 record ids in SQLite: `ids [--rows N] [--rounds N] [--dir FOLDER]`.
//!
//! TEXT or BLOB keys, with and without rowid, each in CPU microseconds per operation (this thread's time on the
//! processor, so that a busy machine does not blur it). Rounds are interleaved; the medians are printed.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::{
    error::Error,
    path::{Path, PathBuf},
};

use clap::Parser;
use rusqlite::{Connection, OptionalExtension, Row, functions::FunctionFlags, params, types::ToSqlOutput};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What to measure.
#[derive(Parser)]
struct Options {
    /// Rows in `messages`; there are a tenth as many threads and half as many posts.
    #[arg(long, default_value_t = 1_000)]
    rows: u64,
    /// Interleaved rounds; the median is printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Bytes in a body.
    #[arg(long, default_value_t = 108)]
    body: usize,
    /// Where the four files go: a fresh temporary folder unless told.
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// One candidate: how a key is kept.
#[derive(Clone, Copy)]
struct Layout {
    name: &'static str,
    blob: bool,
    without_rowid: bool,
}

const LAYOUTS: [Layout; 4] = [
    Layout { name: "text", blob: false, without_rowid: false },
    Layout { name: "text, without rowid", blob: false, without_rowid: true },
    Layout { name: "blob", blob: true, without_rowid: false },
    Layout { name: "blob, without rowid", blob: true, without_rowid: true },
];

const OPERATIONS: [&str; 5] = ["read by id", "page of 20", "insert, 32 a commit", "update by id", "nested page"];
const READS: u64 = 100_000;
const PAGES: u64 = 10_000;
const WRITES: u64 = 32_000;
const NESTED: u64 = 3_000;
const GROUP: u64 = 32;
const BASE_MS: u64 = 1_700_000_000_000;
const COLUMNS: &str = "id, room, author, body, created_at, updated_at, version";

/// An id bound as its layout keeps it; the text is made here, since a request brings text and a BLOB costs a parse.
enum Key {
    Text(String),
    Blob(Uuid),
}

impl Key {
    fn new(layout: Layout, id: Uuid) -> Self {
        if layout.blob { Key::Blob(id) } else { Key::Text(id.to_string()) }
    }

    /// As a request does it: the text of the address is checked to be a UUID, whichever way it is kept.
    fn from_wire(layout: Layout, text: &str) -> Outcome<Self> {
        Ok(Self::new(layout, Uuid::parse_str(text)?))
    }
}

impl rusqlite::ToSql for Key {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Key::Text(text) => text.to_sql(),
            Key::Blob(id) => Ok(ToSqlOutput::from(&id.as_bytes()[..])),
        }
    }
}

/// A database of one layout, with the ids of its rows as they appear on the wire.
struct Candidate {
    layout: Layout,
    db: Connection,
    path: PathBuf,
    ids: Vec<String>,
    body: usize,
    next: u64,
    random: u64,
}

fn main() -> Outcome<()> {
    let options = Options::parse();
    let folder = tempfile::tempdir()?;
    let dir = options.dir.as_deref().unwrap_or(folder.path());
    let mut candidates = Vec::new();
    for (number, layout) in LAYOUTS.into_iter().enumerate() {
        candidates.push(Candidate::seeded(layout, &dir.join(format!("ids-{number}.db")), &options)?);
    }
    let sizes: Vec<f64> = candidates.iter().map(Candidate::file_mib).collect();
    let mut figures = vec![vec![Vec::new(); OPERATIONS.len()]; candidates.len()];
    for _ in 0..options.rounds {
        for operation in 0..OPERATIONS.len() {
            for (candidate, row) in candidates.iter_mut().zip(&mut figures) {
                row[operation].push(candidate.measure(operation)?);
            }
        }
    }
    println!("{} rows, {} rounds, CPU µs each (median)\n", options.rows, options.rounds);
    println!("| keys | {} | file MiB |", OPERATIONS.join(" | "));
    println!("|---|{}", "--:|".repeat(OPERATIONS.len() + 1));
    for ((candidate, row), size) in candidates.iter().zip(&mut figures).zip(sizes) {
        let cells: Vec<String> = row.iter_mut().map(|runs| format!("{:.2}", median(runs))).collect();
        println!("| {} | {} | {size:.1} |", candidate.layout.name, cells.join(" | "));
    }
    Ok(())
}

impl Candidate {
    fn seeded(layout: Layout, path: &Path, options: &Options) -> Outcome<Self> {
        let db = Connection::open(path)?;
        db.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384;")?;
        db.create_scalar_function(
            "uuid_text",
            1,
            FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC,
            |call| {
                let id = Uuid::from_slice(call.get_raw(0).as_blob()?).unwrap_or_default();
                Ok(id.hyphenated().to_string())
            },
        )?;
        db.execute_batch(&schema(layout))?;
        let mut candidate =
            Candidate { layout, db, path: path.to_owned(), ids: Vec::new(), body: options.body, next: 0, random: 1 };
        candidate.db.execute_batch("BEGIN")?;
        for _ in 0..options.rows {
            candidate.insert()?;
        }
        candidate.seed_threads(options.rows / 10)?;
        candidate.db.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;")?;
        Ok(candidate)
    }

    /// Threads with an owner and five posts each.
    fn seed_threads(&self, threads: u64) -> Outcome<()> {
        let key = |id| Key::new(self.layout, id);
        let users: Vec<Uuid> = (0..100).map(|n| id_at(BASE_MS + n)).collect();
        for (n, user) in users.iter().enumerate() {
            self.db.execute("INSERT INTO users VALUES (?1, ?2)", params![key(*user), format!("user-{n}")])?;
        }
        let mut thread = self.db.prepare("INSERT INTO threads VALUES (?1, ?2, ?3, ?4)")?;
        let mut post = self.db.prepare("INSERT INTO posts VALUES (?1, ?2, ?3, ?4)")?;
        for n in 0..threads {
            let (ms, id) = (BASE_MS + n * 10, id_at(BASE_MS + n * 10));
            thread.execute(params![key(id), "a thread's title", key(users[n as usize % 100]), time(ms)])?;
            for nth in 0..5 {
                post.execute(params![key(id_at(ms + nth)), key(id), "a short answer", time(ms + nth)])?;
            }
        }
        Ok(())
    }

    fn file_mib(&self) -> f64 {
        std::fs::metadata(&self.path).map_or(0.0, |meta| meta.len() as f64 / f64::from(1 << 20))
    }

    /// Runs one operation often enough and gives its CPU microseconds.
    fn measure(&mut self, operation: usize) -> Outcome<f64> {
        let runs = [READS, PAGES, WRITES, WRITES, NESTED][operation];
        let mut out = Vec::with_capacity(16 * 1024);
        let mut total = 0;
        let before = cpu_ns()?;
        for run in 0..runs {
            out.clear();
            let write = operation == 2 || operation == 3;
            if write && run % GROUP == 0 {
                self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            }
            match operation {
                0 => self.read(&mut out)?,
                1 => self.page(&mut out)?,
                2 => self.insert()?,
                3 => self.update(&mut out)?,
                _ => self.nested(&mut out)?,
            }
            if write && run % GROUP == GROUP - 1 {
                self.db.prepare_cached("COMMIT")?.execute([])?;
            }
            total += out.len();
        }
        let spent = cpu_ns()? - before;
        assert!(operation == 2 || total > 0, "{} gave nothing", OPERATIONS[operation]);
        Ok(spent as f64 / 1000.0 / runs as f64)
    }

    fn random_key(&mut self) -> Outcome<Key> {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (self.random >> 33) as usize % self.ids.len();
        Key::from_wire(self.layout, &self.ids[at])
    }

    fn read(&mut self, out: &mut Vec<u8>) -> Outcome<()> {
        let key = self.random_key()?;
        let mut statement = self.db.prepare_cached(&format!("SELECT {COLUMNS} FROM messages WHERE id = ?1"))?;
        statement.query_row([key], |row| self.push_record(out, row)).optional()?.ok_or("no such row")?;
        Ok(())
    }

    fn page(&self, out: &mut Vec<u8>) -> Outcome<()> {
        let sql = format!("SELECT {COLUMNS} FROM messages ORDER BY created_at DESC, id DESC LIMIT ?1");
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query([20])?;
        while let Some(row) = rows.next()? {
            self.push_record(out, row)?;
        }
        Ok(())
    }

    fn insert(&mut self) -> Outcome<()> {
        let ms = BASE_MS + self.next * 10;
        let id = id_at(ms);
        let body = format!("{:0width$}", self.next, width = self.body);
        let (room, author) = (format!("room-{}", self.next % 100), format!("author-{:03}", self.next % 1000));
        let at = time(ms);
        self.db
            .prepare_cached(&format!("INSERT INTO messages ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)"))?
            .execute(params![Key::new(self.layout, id), room, author, body, at, at])?;
        self.ids.push(id.to_string());
        self.next += 1;
        Ok(())
    }

    fn update(&mut self, out: &mut Vec<u8>) -> Outcome<()> {
        let key = self.random_key()?;
        let body = format!("{:0width$}", self.random, width = self.body);
        let mut statement = self.db.prepare_cached(&format!(
            "UPDATE messages SET body = ?2, updated_at = ?3, version = version + 1 WHERE id = ?1 RETURNING {COLUMNS}"
        ))?;
        let mut rows = statement.query(params![key, body, time(self.random >> 24)])?;
        while let Some(row) = rows.next()? {
            self.push_record(out, row)?;
        }
        Ok(())
    }

    fn nested(&self, out: &mut Vec<u8>) -> Outcome<()> {
        let text = |column: &str| if self.layout.blob { format!("uuid_text({column})") } else { column.to_owned() };
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT json_object('id', {t}, 'title', t.title, 'createdAt', t.created_at, 'owner',
               (SELECT json_object('id', {u}, 'name', u.name) FROM users u WHERE u.id = t.owner), 'posts',
               (SELECT json_group_array(json_object('id', {p}, 'thread', {of}, 'body', body, 'createdAt', created_at))
                FROM (SELECT * FROM posts WHERE thread = t.id ORDER BY created_at, id LIMIT 5) p))
             FROM threads t ORDER BY t.created_at DESC, t.id DESC LIMIT 20",
            t = text("t.id"),
            u = text("u.id"),
            p = text("p.id"),
            of = text("p.thread"),
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            out.extend_from_slice(row.get_ref(0)?.as_bytes()?);
        }
        Ok(())
    }

    fn push_record(&self, out: &mut Vec<u8>, row: &Row<'_>) -> rusqlite::Result<()> {
        out.extend_from_slice(b"{\"id\":\"");
        if self.layout.blob {
            let id = Uuid::from_slice(row.get_ref(0)?.as_blob()?).unwrap_or_default();
            out.extend_from_slice(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        } else {
            out.extend_from_slice(row.get_ref(0)?.as_bytes()?);
        }
        for (at, name) in ["room", "author", "body", "createdAt", "updatedAt"].into_iter().enumerate() {
            out.extend_from_slice(b"\",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":\"");
            out.extend_from_slice(row.get_ref(at + 1)?.as_bytes()?);
        }
        out.extend_from_slice(b"\",\"version\":");
        out.extend_from_slice(row.get_ref(6)?.as_i64()?.to_string().as_bytes());
        out.push(b'}');
        Ok(())
    }
}

fn schema(layout: Layout) -> String {
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

fn id_at(ms: u64) -> Uuid {
    let nanos = (ms % 1000) as u32 * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, ms / 1000, nanos))
}

/// A text as wide as an RFC 3339 time with microseconds, in the order of time; which day it is does not matter here.
fn time(ms: u64) -> String {
    format!("2026-{:02}-{:02}T00:{:012}Z", ms / 1_000_000_000_000 % 100, ms / 10_000_000_000 % 100, ms % 10_000_000_000)
}

/// Nanoseconds that this thread has spent on a processor.
fn cpu_ns() -> Outcome<u64> {
    // The kernel brings this figure up to date when the thread gives way, else at each tick (4 ms).
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}

fn median(runs: &mut [f64]) -> f64 {
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}

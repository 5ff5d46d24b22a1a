//! One candidate: its database and the operations that are measured on it.
use std::path::{Path, PathBuf};

use mainstay_bench::{Outcome, process::thread_cpu_us, random::Random};
use rusqlite::{Connection, OptionalExtension, Row, functions::FunctionFlags, params, types::ToSqlOutput};
use uuid::Uuid;

use super::{
    Layout, OPERATIONS, Options,
    tables::{id_at, schema, time},
};

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
pub(super) struct Candidate {
    pub(super) layout: Layout,
    db: Connection,
    path: PathBuf,
    ids: Vec<String>,
    body: usize,
    rows: u64,
    next: u64,
    random: Random,
}

impl Candidate {
    pub(super) fn seeded(layout: Layout, path: &Path, options: &Options) -> Outcome<Self> {
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
        let mut candidate = Candidate {
            layout,
            db,
            path: path.to_owned(),
            ids: Vec::new(),
            body: options.body,
            rows: options.rows,
            next: 0,
            random: Random::new(1),
        };
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

    pub(super) fn file_mib(&self) -> f64 {
        std::fs::metadata(&self.path).map_or(0.0, |meta| meta.len() as f64 / f64::from(1 << 20))
    }

    /// Runs one operation often enough and gives its CPU microseconds.
    pub(super) fn measure(&mut self, operation: usize) -> Outcome<f64> {
        let runs = [READS, PAGES, WRITES, WRITES, NESTED][operation];
        let mut out = Vec::with_capacity(16 * 1024);
        let mut total = 0;
        let before = thread_cpu_us()?;
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
        let spent = thread_cpu_us()? - before;
        assert!(operation == 2 || total > 0, "{} gave nothing", OPERATIONS[operation]);
        self.trim()?;
        Ok(spent / runs as f64)
    }

    /// Takes away what was inserted, so that every round finds as many rows as the first.
    fn trim(&mut self) -> Outcome<()> {
        if self.next > self.rows {
            let end = time(BASE_MS + self.rows * 10);
            self.db.execute("DELETE FROM messages WHERE created_at >= ?1", [end])?;
            self.ids.truncate(self.rows as usize);
            self.next = self.rows;
        }
        Ok(())
    }

    fn random_key(&mut self) -> Outcome<Key> {
        let at = self.random.below(self.ids.len() as u64) as usize;
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
        let body = format!("{:0width$}", self.random.next_u64(), width = self.body);
        let mut statement = self.db.prepare_cached(&format!(
            "UPDATE messages SET body = ?2, updated_at = ?3, version = version + 1 WHERE id = ?1 RETURNING {COLUMNS}"
        ))?;
        let mut rows = statement.query(params![key, body, time(self.random.below(1 << 40))])?;
        while let Some(row) = rows.next()? {
            self.push_record(out, row)?;
        }
        Ok(())
    }

    fn nested(&self, out: &mut Vec<u8>) -> Outcome<()> {
        let text = |column: &str| if self.layout.blob { format!("uuid_text({column})") } else { column.to_owned() };
        // The nested parts are columns of their own: inside another json_object they would be strings.
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT (SELECT json_object('id', {u}, 'name', u.name) FROM users u WHERE u.id = t.owner),
               (SELECT json_group_array(json_object('id', {p}, 'thread', {of}, 'body', body, 'createdAt', created_at))
                FROM (SELECT * FROM posts WHERE thread = t.id ORDER BY created_at, id LIMIT 5) p),
               t.title, t.created_at, t.id
             FROM threads t ORDER BY t.created_at DESC, t.id DESC LIMIT 20",
            u = text("u.id"),
            p = text("p.id"),
            of = text("p.thread"),
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..4 {
                out.extend_from_slice(row.get_ref(column)?.as_bytes()?);
            }
            self.push_id(out, row, 4)?;
        }
        Ok(())
    }

    fn push_record(&self, out: &mut Vec<u8>, row: &Row<'_>) -> rusqlite::Result<()> {
        out.extend_from_slice(b"{\"id\":\"");
        self.push_id(out, row, 0)?;
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

    fn push_id(&self, out: &mut Vec<u8>, row: &Row<'_>, column: usize) -> rusqlite::Result<()> {
        if self.layout.blob {
            let id = Uuid::from_slice(row.get_ref(column)?.as_blob()?).unwrap_or_default();
            out.extend_from_slice(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        } else {
            out.extend_from_slice(row.get_ref(column)?.as_bytes()?);
        }
        Ok(())
    }
}

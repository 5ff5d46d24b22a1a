//! A statement run by this program itself: the least that an answer from this database can cost.
use std::{
    path::Path,
    rc::Rc,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use tokio_postgres::{
    Client, Statement,
    types::{FromSql, Type},
};

use crate::{
    Outcome,
    histogram::Histogram,
    load::Round,
    postgres::{Database, connect},
    process::thread_cpu_us,
};

/// A page of 20 threads, newest first, each with its author and its first five posts, as one would write it by hand:
/// own columns plain, nested parts as JSON in columns of their own, since that is the fastest of the ways tried (inside
/// an outer `json_object` they lose their subtype, and `json()` around them costs half as much again).
pub const NESTED_PAGE: &str = "
    SELECT t.id, t.created_at, t.updated_at, cast(t.version AS TEXT), t.title,
        (SELECT json_object('id', a.id, 'name', a.name) FROM authors a WHERE a.id = t.author),
        (SELECT json_group_array(json_object('id', id, 'text', text))
            FROM (SELECT id, text FROM posts WHERE thread = t.id ORDER BY created_at, id LIMIT 5))
    FROM threads t ORDER BY t.created_at DESC, t.id DESC LIMIT 20";

/// Statements between two looks at the clock.
const BURST: u32 = 16;

/// A prepared database connection, as a server would keep one.
pub struct Bare {
    db: Connection,
    sql: String,
}

impl Bare {
    /// Opens the file for reading.
    pub fn open(database: &Path, sql: &str) -> Outcome<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(database, flags)?;
        db.execute_batch("PRAGMA cache_size = -16384")?;
        Ok(Bare { db, sql: sql.to_owned() })
    }

    /// Runs the statement once and appends its rows, a line for each, tabs between the columns. All must be texts.
    pub fn answer(&self, out: &mut Vec<u8>) -> Outcome<()> {
        let mut statement = self.db.prepare_cached(&self.sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                out.extend_from_slice(row.get_ref(column)?.as_bytes()?);
                out.push(if column + 1 == columns { b'\n' } else { b'\t' });
            }
        }
        Ok(())
    }

    /// Runs it for so long on this thread alone.
    pub fn round(&self, warm_up: Duration, measure: Duration) -> Outcome<Round> {
        let mut latencies = Histogram::default();
        self.repeat(warm_up, &mut latencies)?;
        latencies.clear();
        let (cpu, began) = (thread_cpu_us()?, Instant::now());
        self.repeat(measure, &mut latencies)?;
        let (cpu, seconds) = (thread_cpu_us()? - cpu, began.elapsed().as_secs_f64());
        Ok(figures(&latencies, seconds, cpu))
    }

    fn repeat(&self, time: Duration, latencies: &mut Histogram) -> Outcome<()> {
        let (began, mut out) = (Instant::now(), Vec::new());
        while began.elapsed() < time {
            for _ in 0..BURST {
                let sent = Instant::now();
                out.clear();
                self.answer(&mut out)?;
                latencies.add(sent.elapsed().as_nanos() as u64);
            }
        }
        Ok(())
    }
}

/// The same page of PostgreSQL.
pub const NESTED_PAGE_POSTGRES: &str = "
    SELECT t.id, t.created_at, t.updated_at, t.version, t.title,
        (SELECT row_to_json(a) FROM (SELECT id, name FROM authors WHERE id = t.author) a),
        (SELECT json_agg(row_to_json(p))
            FROM (SELECT id, text FROM posts WHERE thread = t.id ORDER BY created_at, id LIMIT 5) p)
    FROM threads t ORDER BY t.created_at DESC, t.id DESC LIMIT 20";

/// A prepared statement on a connection to PostgreSQL of this program's own.
pub struct BarePostgres {
    database: Rc<Database>,
    client: Client,
    statement: Statement,
}

impl BarePostgres {
    /// Prepares the nested page.
    pub async fn open(database: &Rc<Database>) -> Outcome<Self> {
        let client = connect(database.url()).await?;
        let statement = client.prepare(NESTED_PAGE_POSTGRES).await?;
        Ok(BarePostgres { database: database.clone(), client, statement })
    }

    /// Runs the statement once and appends the bytes of its rows, as the server sends them, a line for each.
    pub async fn answer(&self, out: &mut Vec<u8>) -> Outcome<()> {
        for row in self.client.query(&self.statement, &[]).await? {
            for column in 0..row.len() {
                let Bytes(bytes) = row.try_get(column)?;
                out.extend_from_slice(bytes);
                out.push(b'\t');
            }
            out.push(b'\n');
        }
        Ok(())
    }

    /// Runs it for so long, one after the other.
    pub async fn round(&self, warm_up: Duration, measure: Duration) -> Outcome<Round> {
        let mut latencies = Histogram::default();
        self.repeat(warm_up, &mut latencies).await?;
        latencies.clear();
        let before = self.database.spent().await?;
        let (cpu, began) = (thread_cpu_us()?, Instant::now());
        self.repeat(measure, &mut latencies).await?;
        let (cpu, seconds) = (thread_cpu_us()? - cpu, began.elapsed().as_secs_f64());
        let database = self.database.spent().await?.since_us(&before);
        Ok(Round { database_cpu_us: database / answers(&latencies), ..figures(&latencies, seconds, cpu) })
    }

    async fn repeat(&self, time: Duration, latencies: &mut Histogram) -> Outcome<()> {
        let (began, mut out) = (Instant::now(), Vec::new());
        while began.elapsed() < time {
            let sent = Instant::now();
            out.clear();
            self.answer(&mut out).await?;
            latencies.add(sent.elapsed().as_nanos() as u64);
        }
        Ok(())
    }
}

/// The bytes of a column, of whatever type.
struct Bytes<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Bytes<'a> {
    fn from_sql(_: &Type, bytes: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Bytes(bytes))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn answers(latencies: &Histogram) -> f64 {
    latencies.total().max(1) as f64
}

/// The figures of a round on this thread alone.
fn figures(latencies: &Histogram, seconds: f64, cpu_us: f64) -> Round {
    Round {
        requests_per_second: answers(latencies) / seconds,
        p50_us: latencies.quantile(0.5) as f64 / 1000.0,
        p99_us: latencies.quantile(0.99) as f64 / 1000.0,
        server_cpu_us: cpu_us / answers(latencies),
        server_kernel_us: 0.0,
        database_cpu_us: 0.0,
        client_cpu_us: 0.0,
        server_rss_kib: 0,
        errors: 0,
        first_error: None,
    }
}

//! Rows written straight into the database of a Mainstay that does not run, and ids read out of it.
//!
//! This is the one file that knows how records are kept: columns in snake_case, keys as text, times as text with
//! microseconds. A row has the same bytes as one of the yardstick's.
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Transaction, params, types::ValueRef};
use uuid::Uuid;

use crate::{Outcome, requests::BODY_BYTES};

/// The person whom the tokens of the bench are for; owns every second record, is a member of every second organisation.
pub const PERSON: &str = "alice";
/// A member of one organisation alone.
pub const OUTSIDER: &str = "bob";

const ORGS: u64 = 100;
const MEMBERS_PER_ORG: u64 = 10;
const AUTHORS: u64 = 1_000;
const POSTS_PER_THREAD: u64 = 5;
/// The first record's time, in seconds: everything lies in the past.
const BASE_SECONDS: u64 = 1_700_000_000;

/// How many rows go into the tables that grow.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Messages, and as many owned ones.
    pub messages: u64,
    /// Threads, each with five posts.
    pub threads: u64,
    /// Documents under the rule through a link, and as many twins.
    pub docs: u64,
}

/// Fills all tables.
pub fn fill(database: &Path, sizes: Sizes) -> Outcome<()> {
    let mut db = Connection::open(database)?;
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536")?;
    let tx = db.transaction()?;
    messages(&tx, sizes.messages)?;
    docs(&tx, sizes.docs)?;
    threads(&tx, sizes.threads)?;
    tx.commit()?;
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// The ids of a table's records, of those that fulfil the condition.
pub fn ids(database: &Path, table: &str, condition: &str) -> Outcome<Vec<Uuid>> {
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = db.prepare(&format!("SELECT id FROM {table} WHERE {condition}"))?;
    let mut rows = statement.query([])?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(match row.get_ref(0)? {
            ValueRef::Blob(bytes) => Uuid::from_slice(bytes)?,
            other => Uuid::try_parse(other.as_str()?)?,
        });
    }
    Ok(ids)
}

/// A record's own columns: key, time, time.
struct Stamp {
    id: String,
    at: String,
}

impl Stamp {
    /// Ten milliseconds after the one before.
    fn new(nth: u64) -> Self {
        let ms = BASE_SECONDS * 1000 + nth * 10;
        let time = uuid::Timestamp::from_unix(uuid::NoContext, ms / 1000, (ms % 1000) as u32 * 1_000_000);
        Stamp { id: Uuid::new_v7(time).to_string(), at: rfc3339(ms) }
    }
}

/// The system columns, which every INSERT below begins with.
const SYSTEM: &str = "id, created_at, updated_at, version";

fn messages(tx: &Transaction<'_>, rows: u64) -> Outcome<()> {
    let mut open =
        tx.prepare(&format!("INSERT INTO messages ({SYSTEM}, room, author, body) VALUES (?,?,?,1,?,?,?)"))?;
    let mut owned = tx.prepare(&format!(
        "INSERT INTO owned_messages ({SYSTEM}, room, author, body, owner) VALUES (?,?,?,1,?,?,?,?)"
    ))?;
    let body = "lorem ipsum dolor ".repeat(BODY_BYTES / 18);
    for nth in 0..rows {
        let (room, author) = (format!("room-{}", nth % 100), format!("author-{:03}", nth % 1000));
        let stamp = Stamp::new(nth);
        open.execute(params![stamp.id, stamp.at, stamp.at, room, author, body])?;
        let owner = if nth % 2 == 0 { PERSON.to_owned() } else { format!("person-{}", nth % 1000) };
        let stamp = Stamp::new(nth);
        owned.execute(params![stamp.id, stamp.at, stamp.at, room, author, body, owner])?;
    }
    Ok(())
}

fn docs(tx: &Transaction<'_>, rows: u64) -> Outcome<()> {
    let mut org = tx.prepare(&format!("INSERT INTO orgs ({SYSTEM}, name) VALUES (?,?,?,1,?)"))?;
    let mut member = tx.prepare(&format!("INSERT INTO members ({SYSTEM}, org, user) VALUES (?,?,?,1,?,?)"))?;
    let mut orgs = Vec::new();
    for nth in 0..ORGS {
        let own = Stamp::new(nth);
        org.execute(params![own.id, own.at, own.at, format!("org-{nth}")])?;
        for person in 0..MEMBERS_PER_ORG {
            let stamp = Stamp::new(nth * MEMBERS_PER_ORG + person);
            let user = match person {
                0 if nth % 2 == 0 => PERSON.to_owned(),
                1 if nth == ORGS / 2 => OUTSIDER.to_owned(),
                _ => format!("person-{}", nth * MEMBERS_PER_ORG + person),
            };
            member.execute(params![stamp.id, stamp.at, stamp.at, own.id, user])?;
        }
        orgs.push(own.id);
    }
    for table in ["docs", "open_docs"] {
        let mut doc = tx.prepare(&format!("INSERT INTO {table} ({SYSTEM}, org, title) VALUES (?,?,?,1,?,?)"))?;
        for nth in 0..rows {
            let stamp = Stamp::new(nth);
            doc.execute(params![stamp.id, stamp.at, stamp.at, orgs[(nth % ORGS) as usize], format!("document {nth}")])?;
        }
    }
    Ok(())
}

fn threads(tx: &Transaction<'_>, rows: u64) -> Outcome<()> {
    let mut author = tx.prepare(&format!("INSERT INTO authors ({SYSTEM}, name) VALUES (?,?,?,1,?)"))?;
    let mut thread = tx.prepare(&format!("INSERT INTO threads ({SYSTEM}, title, author) VALUES (?,?,?,1,?,?)"))?;
    let mut post = tx.prepare(&format!("INSERT INTO posts ({SYSTEM}, thread, text) VALUES (?,?,?,1,?,?)"))?;
    let mut authors = Vec::new();
    for nth in 0..AUTHORS {
        let stamp = Stamp::new(nth);
        author.execute(params![stamp.id, stamp.at, stamp.at, format!("author-{nth:03}")])?;
        authors.push(stamp.id);
    }
    for nth in 0..rows {
        let own = Stamp::new(nth * POSTS_PER_THREAD);
        let by = &authors[(nth % AUTHORS) as usize];
        thread.execute(params![own.id, own.at, own.at, format!("what thread {nth} is about"), by])?;
        for answer in 0..POSTS_PER_THREAD {
            let stamp = Stamp::new(nth * POSTS_PER_THREAD + answer);
            post.execute(params![stamp.id, stamp.at, stamp.at, own.id, format!("answer {answer} to thread {nth}")])?;
        }
    }
    Ok(())
}

/// A time in UTC as the server writes it, always with six digits behind the second.
fn rfc3339(ms: u64) -> String {
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    // Days since 1970 to a date of the Gregorian calendar, counted from 1 March of the year 0.
    let from_march = days + 719_468;
    let (era, day_of_era) = (from_march / 146_097, from_march % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second, micros) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000 * 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_full_width() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000000Z");
        assert_eq!(rfc3339(1_700_000_000_120), "2023-11-14T22:13:20.120000Z");
        assert_eq!(rfc3339(1_735_689_599_999), "2024-12-31T23:59:59.999000Z");
    }

    /// The system columns of every table.
    const OWN: &str = "id TEXT PRIMARY KEY NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
        version INTEGER NOT NULL";

    #[test]
    fn filled_tables_give_a_nested_page() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("t.db");
        let tables = [
            ("messages", "room TEXT, author TEXT, body TEXT"),
            ("owned_messages", "room TEXT, author TEXT, body TEXT, owner TEXT"),
            ("orgs", "name TEXT"),
            ("members", "org TEXT, user TEXT"),
            ("docs", "org TEXT, title TEXT"),
            ("open_docs", "org TEXT, title TEXT"),
            ("authors", "name TEXT"),
            ("threads", "title TEXT, author TEXT"),
            ("posts", "thread TEXT, text TEXT"),
        ];
        let db = Connection::open(&file).expect("a file");
        for (name, columns) in tables {
            db.execute_batch(&format!("CREATE TABLE {name} ({OWN}, {columns}) STRICT")).expect("a table");
        }
        fill(&file, Sizes { messages: 40, threads: 30, docs: 200 }).expect("rows");

        assert_eq!(ids(&file, "messages", "true").expect("ids").len(), 40);
        assert_eq!(ids(&file, "owned_messages", "owner = 'alice'").expect("ids").len(), 20);
        let seen = |user: &str| {
            let sql = "SELECT count(*) FROM docs d JOIN members m ON m.org = d.org WHERE m.user = ?1";
            db.query_row(sql, [user], |row| row.get::<_, i64>(0)).expect("a count")
        };
        assert_eq!((seen(PERSON), seen(OUTSIDER)), (100, 2));
        let body: i64 = db.query_row("SELECT max(length(body)) FROM messages", [], |row| row.get(0)).expect("a length");
        assert_eq!(body, BODY_BYTES as i64);

        let bare = crate::bare::Bare::open(&file, crate::bare::NESTED_PAGE).expect("the statement");
        let mut page = Vec::new();
        bare.answer(&mut page).expect("a page");
        let page = String::from_utf8(page).expect("text");
        assert_eq!(page.lines().count(), 20);
        let columns: Vec<&str> = page.lines().next().unwrap_or_default().split('\t').collect();
        let json = |at: usize| serde_json::from_str::<serde_json::Value>(columns[at]).expect("json");
        assert_eq!((columns[3], columns[4]), ("1", "what thread 29 is about"));
        assert_eq!(json(5)["name"], "author-029");
        assert_eq!(json(6).as_array().map(Vec::len), Some(5));
    }
}

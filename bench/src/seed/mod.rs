//! Rows written straight into the database of a Mainstay that does not run, and ids read out of it.
//!
//! This folder alone knows how records are kept: columns in snake_case, on SQLite keys as text and times as text with
//! microseconds, on PostgreSQL whatever the tables say. A row has the same bytes as one of the yardstick's.
use std::{path::Path, rc::Rc};

use uuid::Uuid;

use crate::{Outcome, postgres::Database, requests::BODY_BYTES};

mod postgres;
mod sqlite;

pub use sqlite::ids;

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
    /// Messages, as many that the change feed is silent about, and as many owned ones.
    pub messages: u64,
    /// Threads, each with five posts.
    pub threads: u64,
    /// Documents under the rule through a link, and as many twins.
    pub docs: u64,
}

/// Fills all tables of a SQLite file.
pub fn fill(database: &Path, sizes: Sizes) -> Outcome<()> {
    sqlite::fill(database, tables(sizes))
}

/// Fills all tables of a PostgreSQL database, through COPY.
pub async fn copy(database: &Database, sizes: Sizes) -> Outcome<()> {
    postgres::copy(database, tables(sizes)).await
}

/// A value of a row.
#[derive(Debug)]
enum Cell {
    Id(Uuid),
    /// Microseconds since 1970.
    Moment(u64),
    Int(i64),
    Text(String),
}

/// Rows for one table.
struct Table {
    name: &'static str,
    /// Those that follow the system columns.
    columns: &'static [&'static str],
    rows: Box<dyn Iterator<Item = Vec<Cell>>>,
}

/// The system columns, which every row begins with.
const SYSTEM: [&str; 4] = ["id", "created_at", "updated_at", "version"];

impl Table {
    fn new(
        name: &'static str,
        columns: &'static [&'static str],
        rows: impl Iterator<Item = Vec<Cell>> + 'static,
    ) -> Self {
        Table { name, columns, rows: Box::new(rows) }
    }

    /// All columns, in quotes: some are words of SQL.
    fn columns(&self) -> String {
        let names: Vec<String> = SYSTEM.iter().chain(self.columns).map(|name| format!("\"{name}\"")).collect();
        names.join(", ")
    }
}

/// The key and time of the n-th record, ten milliseconds after the one before.
fn stamp(nth: u64) -> (Uuid, u64) {
    let ms = BASE_SECONDS * 1000 + nth * 10;
    let time = uuid::Timestamp::from_unix(uuid::NoContext, ms / 1000, (ms % 1000) as u32 * 1_000_000);
    (Uuid::new_v7(time), ms * 1000)
}

/// A new record, with its own columns behind the system's.
fn record(nth: u64, own: impl IntoIterator<Item = Cell>) -> Vec<Cell> {
    let (id, at) = stamp(nth);
    keyed(id, at, own)
}

fn keyed(id: Uuid, at: u64, own: impl IntoIterator<Item = Cell>) -> Vec<Cell> {
    [Cell::Id(id), Cell::Moment(at), Cell::Moment(at), Cell::Int(1)].into_iter().chain(own).collect()
}

/// Everything, what is linked to before what links to it.
fn tables(sizes: Sizes) -> Vec<Table> {
    let mut tables = messages(sizes.messages);
    tables.extend(docs(sizes.docs));
    tables.extend(threads(sizes.threads));
    tables
}

fn messages(rows: u64) -> Vec<Table> {
    let message = |nth: u64| {
        let body = "lorem ipsum dolor ".repeat(BODY_BYTES / 18);
        [format!("room-{}", nth % 100), format!("author-{:03}", nth % 1000), body].map(Cell::Text)
    };
    let owned = move |nth: u64| {
        let owner = if nth.is_multiple_of(2) { PERSON.to_owned() } else { format!("person-{}", nth % 1000) };
        record(nth, message(nth).into_iter().chain([Cell::Text(owner)]))
    };
    let twin =
        |name| Table::new(name, &["room", "author", "body"], (0..rows).map(move |nth| record(nth, message(nth))));
    vec![
        twin("messages"),
        twin("quiet_messages"),
        Table::new("owned_messages", &["room", "author", "body", "owner"], (0..rows).map(owned)),
    ]
}

fn docs(rows: u64) -> Vec<Table> {
    let keys: Rc<Vec<(Uuid, u64)>> = Rc::new((0..ORGS).map(stamp).collect());
    let of = keys.clone();
    let org = move |nth: u64| {
        let (id, at) = of[nth as usize];
        keyed(id, at, [Cell::Text(format!("org-{nth}"))])
    };
    let of = keys.clone();
    let member = move |nth: u64| {
        let (org, person) = (nth / MEMBERS_PER_ORG, nth % MEMBERS_PER_ORG);
        let user = match person {
            0 if org.is_multiple_of(2) => PERSON.to_owned(),
            1 if org == ORGS / 2 => OUTSIDER.to_owned(),
            _ => format!("person-{nth}"),
        };
        record(nth, [Cell::Id(of[org as usize].0), Cell::Text(user)])
    };
    let mut tables = vec![
        Table::new("orgs", &["name"], (0..ORGS).map(org)),
        Table::new("members", &["org", "user"], (0..ORGS * MEMBERS_PER_ORG).map(member)),
    ];
    for name in ["docs", "open_docs"] {
        let of = keys.clone();
        let doc =
            move |nth: u64| record(nth, [Cell::Id(of[(nth % ORGS) as usize].0), Cell::Text(format!("document {nth}"))]);
        tables.push(Table::new(name, &["org", "title"], (0..rows).map(doc)));
    }
    tables
}

fn threads(rows: u64) -> Vec<Table> {
    let authors: Rc<Vec<(Uuid, u64)>> = Rc::new((0..AUTHORS).map(stamp).collect());
    let keys: Rc<Vec<(Uuid, u64)>> = Rc::new((0..rows).map(|nth| stamp(nth * POSTS_PER_THREAD)).collect());
    let by = authors.clone();
    let author = move |nth: u64| {
        let (id, at) = authors[nth as usize];
        keyed(id, at, [Cell::Text(format!("author-{nth:03}"))])
    };
    let of = keys.clone();
    let thread = move |nth: u64| {
        let (id, at) = keys[nth as usize];
        let title = format!("what thread {nth} is about");
        keyed(id, at, [Cell::Text(title), Cell::Id(by[(nth % AUTHORS) as usize].0)])
    };
    let post = move |nth: u64| {
        let (thread, answer) = (nth / POSTS_PER_THREAD, nth % POSTS_PER_THREAD);
        record(nth, [Cell::Id(of[thread as usize].0), Cell::Text(format!("answer {answer} to thread {thread}"))])
    };
    vec![
        Table::new("authors", &["name"], (0..AUTHORS).map(author)),
        Table::new("threads", &["title", "author"], (0..rows).map(thread)),
        Table::new("posts", &["thread", "text"], (0..rows * POSTS_PER_THREAD).map(post)),
    ]
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// The system columns of every table.
    const OWN: &str = "id TEXT PRIMARY KEY NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
        version INTEGER NOT NULL";

    #[test]
    fn filled_tables_give_a_nested_page() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("t.db");
        let tables = [
            ("messages", "room TEXT, author TEXT, body TEXT"),
            ("quiet_messages", "room TEXT, author TEXT, body TEXT"),
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

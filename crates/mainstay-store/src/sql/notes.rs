//! The notes of imports: how far each source is, and what waits for records that come later.
use mainstay_plan::Note;

use crate::sql::{Bind, Dialect, Sql};

const SOURCES: &str = "mainstay_import";
const WAITING: &str = "mainstay_import_waiting";

/// Makes the tables, where they are not there.
pub fn note_tables(dialect: &dyn Dialect) -> String {
    let text = "TEXT";
    format!(
        "CREATE TABLE IF NOT EXISTS {SOURCES} (id {text} PRIMARY KEY NOT NULL, state {text} NOT NULL){options};\n\
         CREATE TABLE IF NOT EXISTS {WAITING} (number INTEGER PRIMARY KEY, source {text} NOT NULL, what {text} NOT NULL){options};\n",
        options = dialect.table_options()
    )
}

/// The statements of a note.
pub fn note(note: Note) -> Vec<Sql> {
    let sql = |text: String, binds: u16| Sql { text, binds: (0..binds).map(Bind::Value).collect() };
    match note {
        Note::Reached => vec![sql(
            format!(
                "INSERT INTO {SOURCES} (id, state) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET state = excluded.state"
            ),
            2,
        )],
        Note::Waits => vec![sql(format!("INSERT INTO {WAITING} (source, what) VALUES (?1, ?2)"), 2)],
        Note::Settled => vec![sql(format!("DELETE FROM {WAITING} WHERE number = ?1"), 1)],
        Note::Forgotten => vec![
            sql(format!("DELETE FROM {WAITING} WHERE source = ?1"), 1),
            sql(format!("DELETE FROM {SOURCES} WHERE id = ?1"), 1),
        ],
    }
}

/// Reads all sources: id and state, the oldest first.
pub fn noted_sources() -> String {
    format!("SELECT id, state FROM {SOURCES} ORDER BY id")
}

/// Reads some of what waits of a source behind a number, or before it: number and what.
pub fn noted_waiting(backward: bool) -> String {
    let (than, order) = if backward { ("<", "DESC") } else { (">", "ASC") };
    format!(
        "SELECT number, what FROM {WAITING} WHERE source = ?1 AND number {than} ?2 ORDER BY number {order} LIMIT ?3"
    )
}

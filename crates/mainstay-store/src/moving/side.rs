//! One of the two databases of a move, on a connection of its own.
use std::time::{Duration, Instant};

use mainstay_expr::Value;
use mainstay_plan::Position;
use mainstay_schema::Snapshot;

use crate::{
    StoreError,
    sql::{self, Decode, Dialect, MovedTable, Sql, plain},
};

/// A record that was written: its collection, by its address, and its key.
pub(crate) type Touched = (String, String);

/// What the feed tells behind a position.
pub(crate) struct Changed {
    /// The records that were written, each once.
    pub(crate) records: Vec<Touched>,
    /// Where to go on.
    pub(crate) end: Position,
    /// Whether there is more at once.
    pub(crate) is_more: bool,
}

/// Is handed rows of values.
pub(crate) type EachValues<'e> = dyn FnMut(Vec<Value>) + Send + 'e;

/// A connection to one of the two. Every call blocks until the database has answered.
pub(crate) trait Side: Send {
    /// What writes its SQL.
    fn dialect(&self) -> &'static dyn Dialect;
    /// Rows of a statement.
    fn rows(
        &mut self,
        sql: &Sql,
        values: &[Value],
        decodes: &[Decode],
        each: &mut EachValues<'_>,
    ) -> Result<(), StoreError>;
    /// Runs a statement that gives no rows.
    fn execute(&mut self, sql: &Sql, values: &[Value]) -> Result<(), StoreError>;
    /// Runs statements without values.
    fn batch(&mut self, sql: &str) -> Result<(), StoreError>;
    /// Writes rows, as fast as the engine can.
    fn fill(&mut self, table: &MovedTable, rows: &[Value]) -> Result<(), StoreError>;

    /// Keeps others from filling it too, for as long as this lives; `false`: another one does.
    fn hold(&mut self) -> Result<bool, StoreError>;
    /// Begins a transaction in which everything is read as it is now.
    fn begin_snapshot(&mut self) -> Result<(), StoreError>;
    /// Begins a transaction that writes; links are looked at in the end.
    fn begin(&mut self) -> Result<(), StoreError>;
    /// Begins a transaction beside which nobody writes to these tables, and waits so long for it. Since when writers wait; `None`:
    /// it could not.
    fn begin_pause(&mut self, tables: &[&MovedTable], wait: Duration) -> Result<Option<Instant>, StoreError>;
    /// Ends a transaction, and keeps what it did.
    fn commit(&mut self) -> Result<(), StoreError> {
        self.batch("COMMIT")
    }
    /// Ends a transaction, and undoes what it did.
    fn roll_back(&mut self) -> Result<(), StoreError> {
        self.batch("ROLLBACK")
    }

    /// The names of all tables.
    fn tables(&mut self) -> Result<Vec<String>, StoreError>;
    /// Up to where the feed is; nothing before it is asked for.
    fn position(&mut self) -> Result<Position, StoreError>;
    /// What was written behind a position, so many changes about.
    fn touched(&mut self, after: Position, limit: u64) -> Result<Changed, StoreError>;
    /// The last key that a table has counted.
    fn counter(&mut self, table: &MovedTable) -> Result<Option<i64>, StoreError>;
    /// Lets a table count on behind a key.
    fn count_on(&mut self, table: &MovedTable, last: i64) -> Result<(), StoreError>;
    /// What makes the indexes and the references of these tables, which are gone then; they take time while rows come in.
    fn loosen(&mut self, tables: &[&MovedTable]) -> Result<Vec<String>, StoreError>;
    /// After all indexes and references are back.
    fn settle(&mut self, tables: &[&MovedTable]) -> Result<(), StoreError>;
    /// Gives references back their own time to be looked at.
    fn tighten(&mut self, tables: &[&MovedTable]) -> Result<(), StoreError>;
    /// Has the feed begin so that positions of another database are none here.
    fn begin_feed(&mut self, collections: &[&str]) -> Result<(), StoreError>;
    /// Refuses all writes to these tables from the end of this transaction on.
    fn seal(&mut self, tables: &[&MovedTable]) -> Result<(), StoreError>;
    /// Takes that back.
    fn unseal(&mut self) -> Result<(), StoreError>;
}

impl dyn Side + '_ {
    /// All rows of a statement, one value behind the other.
    pub(crate) fn all(&mut self, sql: &Sql, values: &[Value], decodes: &[Decode]) -> Result<Vec<Value>, StoreError> {
        let mut all = Vec::new();
        self.rows(sql, values, decodes, &mut |row| all.extend(row))?;
        Ok(all)
    }

    /// A portion of a table: the values of its rows.
    pub(crate) fn portion(
        &mut self,
        table: &MovedTable,
        behind: Option<&[Value]>,
        limit: usize,
    ) -> Result<Vec<Value>, StoreError> {
        let sql = table.portion(self.dialect(), behind.is_some(), limit);
        self.all(&sql, behind.unwrap_or_default(), &table.decodes().collect::<Vec<_>>())
    }

    /// The rows of some keys.
    pub(crate) fn of_keys(&mut self, table: &MovedTable, keys: &Value) -> Result<Vec<Value>, StoreError> {
        let sql = table.of_keys(self.dialect());
        self.all(&sql, std::slice::from_ref(keys), &table.decodes().collect::<Vec<_>>())
    }

    /// The key of the last row of a table.
    pub(crate) fn last(&mut self, table: &MovedTable) -> Result<Option<Vec<Value>>, StoreError> {
        let sql = table.last(self.dialect());
        let decodes: Vec<Decode> = table.decodes().take(table.keys).collect();
        Ok(Some(self.all(&sql, &[], &decodes)?).filter(|key| !key.is_empty()))
    }

    /// How many rows a table has.
    pub(crate) fn count(&mut self, table: &MovedTable) -> Result<u64, StoreError> {
        let sql = table.count(self.dialect());
        match self.all(&sql, &[], &[Decode::Int])?.first() {
            Some(Value::Int(count)) => Ok(count.unsigned_abs()),
            _ => Ok(0),
        }
    }

    /// Whether it has a table of this name.
    pub(crate) fn has(&mut self, table: &str) -> Result<bool, StoreError> {
        Ok(self.tables()?.iter().any(|name| name == table))
    }

    /// The schema last applied, as the transaction sees it.
    pub(crate) fn schema(&mut self) -> Result<Option<Snapshot>, StoreError> {
        let recall = plain(sql::recall(self.dialect()), 0);
        let found = self.all(&recall, &[], &[Decode::Text])?;
        let Some(Value::Text(text)) = found.first() else { return Ok(None) };
        let read = Snapshot::from_json(text);
        read.map(Some).map_err(|error| StoreError::Unreadable(error.to_string()))
    }

    /// Makes the table of the notes.
    pub(crate) fn make_notes(&mut self) -> Result<(), StoreError> {
        let sql = sql::make_moving(self.dialect());
        self.batch(&sql)
    }

    /// The notes whose names begin with something.
    pub(crate) fn notes(&mut self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        if !self.has("mainstay_move")? {
            return Ok(Vec::new());
        }
        let values = [Value::text(prefix), Value::text(format!("{prefix}\u{10FFFF}"))];
        let sql = sql::moving_notes(self.dialect());
        let mut notes = Vec::new();
        self.rows(&sql, &values, &[Decode::Text, Decode::Text], &mut |row| {
            if let [Value::Text(name), Value::Text(value)] = &row[..] {
                notes.push((name.to_string(), value.to_string()));
            }
        })?;
        Ok(notes)
    }

    /// The note of this name.
    pub(crate) fn noted(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.notes(name)?.into_iter().find(|(known, _)| known == name).map(|(_, value)| value))
    }

    /// Writes a note.
    pub(crate) fn note(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        let sql = sql::note_moving(self.dialect());
        self.execute(&sql, &[Value::text(name), Value::text(value)])
    }

    /// Takes a note away.
    pub(crate) fn forget(&mut self, name: &str) -> Result<(), StoreError> {
        let sql = sql::forget_moving(self.dialect());
        self.execute(&sql, &[Value::text(name)])
    }
}

//! What the executor asks of an engine: one open transaction, statements and rows.
use mainstay_expr::Value;
use mainstay_schema::FieldId;

use crate::{
    Page, StoreError,
    sql::{Cell, Column, Encode, InsertSql, ReadSql, Sql},
};

/// What the placeholders of a step's statements are bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inputs<'a> {
    /// The values of the request.
    pub(crate) values: &'a [Value],
    /// The key of the record that the step is about, once it is known.
    pub(crate) key: &'a Value,
    /// A list of keys, as JSON.
    pub(crate) keys: &'a str,
    /// The time of the write, in microseconds since 1970.
    pub(crate) now: i64,
    /// The fields of the record before the step changed it, where the step asks for them.
    pub(crate) old: &'a [(FieldId, Value)],
    /// The values of the change that the step leaves, where its statement notes it.
    pub(crate) fed: &'a [Value],
}

impl<'a> Inputs<'a> {
    /// Only the values of the request.
    pub(crate) fn of(values: &'a [Value]) -> Inputs<'a> {
        Inputs { values, key: &Value::Null, keys: "[]", now: 0, old: &[], fed: &[] }
    }

    /// A value of the request; null where the request has fewer.
    pub(crate) fn value(&self, number: u16) -> &'a Value {
        self.values.get(usize::from(number)).unwrap_or(&Value::Null)
    }

    /// The size of a page, and one more.
    pub(crate) fn limit(&self, number: u16) -> i64 {
        match self.value(number) {
            Value::Int(limit) => limit.saturating_add(1),
            _ => 1,
        }
    }

    /// How many records a page has at most, where a value says so.
    pub(crate) fn rows_max(&self, number: Option<u16>) -> usize {
        match number.and_then(|number| self.values.get(usize::from(number))) {
            Some(Value::Int(limit)) => usize::try_from(*limit).unwrap_or(0),
            _ => usize::MAX,
        }
    }

    /// What a field was before the change.
    pub(crate) fn old(&self, field: FieldId) -> &'a Value {
        self.old.iter().find(|(of, _)| *of == field).map_or(&Value::Null, |(_, value)| value)
    }

    /// A value of the change.
    pub(crate) fn fed(&self, number: u16) -> &'a Value {
        self.fed.get(usize::from(number)).unwrap_or(&Value::Null)
    }
}

/// Why a statement was not carried out.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another record has the same values in these columns.
    Unique {
        /// The table.
        table: String,
        /// Its columns.
        columns: Vec<String>,
    },
    /// A reference to a record that is not there, or the end of one that others refer to.
    ForeignKey,
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

/// Takes one row; says whether it wants the next.
pub(crate) type EachRow<'a> = dyn FnMut(&dyn Row) -> Result<bool, Failure> + Send + 'a;

/// One transaction of an engine. Where an engine never waits, its futures are ready when they are first polled.
pub(crate) trait Session {
    /// Makes sure that everything that the request does from here on can be undone without undoing what others did: called
    /// before the first of several writes, and before a write that may still be refused. Once is enough.
    async fn protect(&mut self) -> Result<(), Failure>;

    /// Makes sure that the statements from here on and what is noted of them for the change feed are kept or lost together. When one
    /// of them fails, [`Session::tear`] is called.
    async fn join(&mut self) -> Result<(), Failure>;

    /// Undoes what was joined, also where that takes what others did with it.
    async fn tear(&mut self) -> Result<(), Failure>;

    /// Runs a statement whose rows nobody wants.
    async fn execute(&mut self, sql: &Sql, inputs: &Inputs<'_>) -> Result<(), Failure>;

    /// Inserts a row of each `width` values.
    async fn insert(&mut self, sql: &InsertSql, values: &[Value], width: usize) -> Result<(), Failure>;

    /// Runs a statement and hands out its rows.
    async fn query(&mut self, sql: &Sql, inputs: &Inputs<'_>, each: &mut EachRow<'_>) -> Result<(), Failure>;

    /// Reads a page; the records are appended to `into`, which becomes the page's.
    async fn read(&mut self, read: &ReadSql, inputs: &Inputs<'_>, into: &mut Vec<u8>) -> Result<Page, Failure>;
}

/// One row.
pub(crate) trait Row {
    /// A whole number; `None` of null.
    fn int(&self, column: usize) -> Result<Option<i64>, Failure>;

    /// A value.
    fn value(&self, cell: Cell) -> Result<Value, Failure>;

    /// Appends a value as JSON.
    fn write_value(&self, column: usize, encode: Encode, into: &mut Vec<u8>) -> Result<(), Failure>;

    /// Appends the record as a JSON object.
    fn write(&self, columns: &[Column], into: &mut Vec<u8>) -> Result<(), Failure> {
        self.write_from(0, columns, into)
    }

    /// The same of columns that stand behind others.
    fn write_from(&self, first: usize, columns: &[Column], into: &mut Vec<u8>) -> Result<(), Failure> {
        if columns.is_empty() {
            into.push(b'{');
        }
        for (at, column) in columns.iter().enumerate() {
            into.extend_from_slice(&column.prefix);
            self.write_value(first + at, column.encode, into)?;
        }
        into.push(b'}');
        Ok(())
    }

    /// A verdict: whether the column, where there is one, is 1.
    fn holds(&self, column: Option<usize>) -> Result<bool, Failure> {
        column.map_or(Ok(true), |column| Ok(self.int(column)? == Some(1)))
    }
}

//! Values that no SQL can compute: a function that the engine lends, or a table that is filled beforehand.
use mainstay_schema::{ColumnType, KeyKind};

use super::{Call, projection::Projection};
use crate::sql::{Sql, writer::Writer};

/// What a call is asked of: the rows, and what it is given of each.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The key of a row, as SQL.
    pub key: String,
    /// Its kind.
    pub kind: KeyKind,
    /// What is given of the row, as SQL.
    pub arguments: Vec<String>,
    /// What stands before the SELECT of the rows.
    pub with: String,
    /// What stands behind its FROM.
    pub from: String,
    /// What comes back.
    pub outcome: ColumnType,
}

/// The rows that a call is computed from, and where its outcomes go.
#[derive(Clone, Debug)]
pub struct CallRows {
    /// The key as a text, then the arguments.
    pub rows: Sql,
    /// The kind of the key.
    pub key: KeyKind,
    /// What comes back.
    pub outcome: ColumnType,
}

impl Projection<'_> {
    /// The value of a call over the arguments of a row.
    pub(super) fn call(&mut self, call: Call, asked: Asked, writer: Option<&Writer<'_>>) -> String {
        let Some(computed) = &mut self.computed else {
            self.calls.push(call);
            return format!("{}({})", Call::name(self.calls.len() - 1), asked.arguments.join(", "));
        };
        let rows = rows(&asked);
        let writer = writer.map_or_else(|| Writer::new(self.schema, self.dialect), Writer::clone);
        let rows = CallRows { rows: writer.finish(rows), key: asked.kind, outcome: asked.outcome };
        // What is looked at is moved afterwards: it is computed once.
        let is_same = |(at, other): &(usize, &CallRows)| {
            other.rows == rows.rows && format!("{:?}", self.calls[*at]) == format!("{call:?}")
        };
        let known = computed.iter().enumerate().find(is_same).map(|(at, _)| at);
        let at = known.unwrap_or_else(|| {
            computed.push(rows);
            self.calls.push(call);
            self.calls.len() - 1
        });
        format!("(SELECT c.value FROM {} AS c WHERE c.key = {})", Call::name(at), asked.key)
    }
}

fn rows(asked: &Asked) -> String {
    let Asked { key, with, from, arguments, .. } = asked;
    let arguments: String = arguments.iter().map(|sql| format!(", {sql}")).collect();
    format!("{with}SELECT CAST({key} AS text){arguments} FROM {from}")
}

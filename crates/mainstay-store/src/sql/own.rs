//! The tables of the server's own: each is made from one value, and a move copies what that names.
use mainstay_schema::{ColumnType, Scalar};

use crate::sql::Dialect;

/// A column: its name, what it holds, and whether it always does.
pub(super) type OwnColumn = (&'static str, Scalar, bool);

/// A table of the server's own.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnTable {
    /// Its name.
    pub(super) name: &'static str,
    /// The key where it is a number that the database counts; else the first of the columns is the key.
    pub(super) counted: Option<&'static str>,
    /// The columns behind that.
    pub(super) columns: &'static [OwnColumn],
}

impl OwnTable {
    /// All its columns; the first is the key.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, Scalar)> {
        let counted = self.counted.map(|name| (name, Scalar::Long));
        counted.into_iter().chain(self.columns.iter().map(|(name, scalar, _)| (*name, *scalar)))
    }

    /// Makes it, where it is not there. Each of `uniques` are columns of which no two rows have the same.
    pub(super) fn make(&self, dialect: &dyn Dialect, uniques: &[&[&str]]) -> String {
        let list = |names: &[&str]| names.iter().map(|name| dialect.quote(name)).collect::<Vec<_>>().join(", ");
        let mut parts: Vec<String> = self.counted.map(|name| dialect.counted(name)).into_iter().collect();
        parts.extend(self.columns.iter().map(|column| make_column(dialect, column)));
        if let (None, Some((key, ..))) = (self.counted, self.columns.first()) {
            parts.push(format!("PRIMARY KEY ({})", list(&[key])));
        }
        parts.extend(uniques.iter().map(|names| format!("UNIQUE ({})", list(names))));
        let (name, options) = (dialect.quote(self.name), dialect.table_options());
        format!("CREATE TABLE IF NOT EXISTS {name} ({}){options}", parts.join(", "))
    }
}

/// What a column is made with.
pub(super) fn make_column(dialect: &dyn Dialect, (name, scalar, required): &OwnColumn) -> String {
    dialect.column(name, &ColumnType::Scalar(*scalar), *required, &[])
}

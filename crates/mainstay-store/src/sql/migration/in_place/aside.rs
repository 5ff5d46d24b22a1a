//! What records become, put aside before anything changes.
use mainstay_schema::ColumnType;

use super::{Statements, matches::plain};
use crate::{
    StoreError,
    sql::{
        ddl::KEY,
        migration::projection::Projection,
        quantify::{JOIN_FROM, JOIN_TO},
        writer::defect,
    },
};

/// The table of what the records of a new table become.
pub(super) fn values_table(at: usize) -> String {
    format!("mainstay_become_{at}")
}

/// The table of the links of a new join table.
pub(super) fn links_table(at: usize) -> String {
    format!("mainstay_links_{at}")
}

/// The column of the n-th column's values.
pub(super) fn value_column(at: usize) -> String {
    format!("c{at}")
}

impl<'a> Statements<'a> {
    /// Computes everything that comes from the old tables.
    pub(super) fn put_aside(&mut self, projection: &mut Projection<'a>) -> Result<(), StoreError> {
        let matches = self.matches;
        for pair in matches.tables.iter().filter(|pair| pair.fills()) {
            let table = values_table(pair.at);
            let filled: Vec<usize> = (0..pair.ways.len()).filter(|at| pair.ways[*at].fills()).collect();
            let mut columns = vec![format!("id {} NOT NULL PRIMARY KEY", self.dialect.key_type(pair.new.key))];
            columns.extend(filled.iter().map(|at| {
                let ty = &pair.new.columns[*at].ty;
                self.dialect.column(&value_column(*at), &plain(ty), false, &[])
            }));
            self.push(format!("CREATE TEMPORARY TABLE {table} ({}) ON COMMIT DROP", columns.join(", ")));
            let key = pair.new.columns.iter().position(|column| column.column == KEY);
            let key = key.ok_or_else(|| defect("a table without a key"))?;
            let sql = projection.rows(pair.at)?.finish(|with, columns, from| {
                let values: Vec<&str> = std::iter::once(key).chain(filled).map(|at| columns[at].as_str()).collect();
                format!("{with}INSERT INTO {table} SELECT {} FROM {from}", values.join(", "))
            });
            self.run(sql);
            self.push(format!("ANALYZE {table}"));
        }
        self.put_links_aside(projection);
        Ok(())
    }

    fn put_links_aside(&mut self, projection: &Projection<'a>) {
        let migration = self.migration;
        for (at, join) in migration.to.joins.iter().enumerate() {
            if !self.matches.is_join_made(&join.table) {
                continue;
            }
            let Some(rows) = projection.join_rows(at) else { continue };
            let column = |name, key| self.dialect.column(name, &ColumnType::Key(key), true, &[]);
            let (from, to) = (column(JOIN_FROM, join.from_key), column(JOIN_TO, join.to_key));
            let table = links_table(at);
            self.push(format!("CREATE TEMPORARY TABLE {table} ({from}, {to}) ON COMMIT DROP"));
            self.push(format!("INSERT INTO {table} {rows}"));
        }
    }
}

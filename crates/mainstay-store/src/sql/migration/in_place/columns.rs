//! Columns come and go, are filled, and get their defaults and checks.
use std::collections::HashSet;

use mainstay_schema::{ColumnSnapshot, ColumnType, Snapshot, TableSnapshot};

use super::{
    Early, Statements,
    aside::{value_column, values_table},
    matches::{Pair, Way, plain},
    names::{constraint_name, in_order},
    tables::{Tables, check},
};
use crate::sql::ddl::KEY;

impl Statements<'_> {
    /// Brings the columns of every table that stays to what they become.
    pub(super) fn change_columns(&mut self) {
        let matches = self.matches;
        for pair in &matches.tables {
            self.drop_checks(pair);
            self.drop_columns(pair);
            self.rename_columns(pair);
            self.retype(pair);
            self.add_columns(pair);
            self.fill(pair);
            self.settle(pair);
            self.add_checks(pair);
        }
    }

    fn alter(&self, table: &TableSnapshot) -> String {
        format!("ALTER TABLE {}", self.quote(&table.table))
    }

    /// Whether the check of a column's values stays.
    fn keeps_check(&self, pair: &Pair<'_>, at: usize) -> bool {
        let (old, new) = (&self.migration.from, &self.migration.to);
        let was = pair.was(at).and_then(|was| values(old, &was.ty));
        let is = values(new, &pair.new.columns[at].ty);
        was.is_some() && was == is
    }

    fn drop_checks(&mut self, pair: &Pair<'_>) {
        for at in 0..pair.ways.len() {
            let Some(was) = pair.was(at).filter(|was| values(&self.migration.from, &was.ty).is_some()) else {
                continue;
            };
            let old = constraint_name(&pair.old.table, &was.column, "check");
            let new = constraint_name(&pair.new.table, &pair.new.columns[at].column, "check");
            if !self.keeps_check(pair, at) {
                self.push(format!("{} DROP CONSTRAINT IF EXISTS {}", self.alter(pair.new), self.quote(&old)));
            } else if old != new {
                self.rename_constraint(pair, &old, &new);
            }
        }
        for (old, new) in pair.kept_keys(self.matches) {
            let was = constraint_name(&pair.old.table, &old.column, "fkey");
            let is = constraint_name(&pair.new.table, &new.column, "fkey");
            if was != is {
                self.rename_constraint(pair, &was, &is);
            }
        }
    }

    fn rename_constraint(&mut self, pair: &Pair<'_>, from: &str, to: &str) {
        let (from, to) = (self.quote(from), self.quote(to));
        self.push(format!("{} RENAME CONSTRAINT {from} TO {to}", self.alter(pair.new)));
    }

    fn drop_columns(&mut self, pair: &Pair<'_>) {
        let gone = pair.old.columns.iter().filter(|column| pair.becomes(&column.column).is_none());
        for column in gone.filter(|column| column.column != KEY) {
            self.push(format!("{} DROP COLUMN {}", self.alter(pair.new), self.quote(&column.column)));
        }
    }

    fn rename_columns(&mut self, pair: &Pair<'_>) {
        let names = |at: usize| Some((pair.was(at)?.column.clone(), pair.new.columns[at].column.clone()));
        let all: Vec<(String, String)> = (0..pair.ways.len()).filter_map(names).collect();
        let stay: HashSet<String> = all.iter().filter(|(from, to)| from == to).map(|(from, _)| from.clone()).collect();
        for (from, to) in in_order(all, stay) {
            let (from, to) = (self.quote(&from), self.quote(&to));
            self.push(format!("{} RENAME COLUMN {from} TO {to}", self.alter(pair.new)));
        }
    }

    /// Types that hold every value of those before.
    fn retype(&mut self, pair: &Pair<'_>) {
        for (at, column) in pair.new.columns.iter().enumerate() {
            let Some(was) = pair.was(at).filter(|was| self.bare(was) != self.bare(column)) else { continue };
            let name = self.quote(&column.column);
            // A default of the old type is in the way.
            if was.default.is_some() {
                self.push(format!("{} ALTER COLUMN {name} DROP DEFAULT", self.alter(pair.new)));
            }
            let ty = self.dialect.column("", &plain(&column.ty), false, &[]);
            let ty = ty.trim_start_matches("\"\"").trim().to_owned();
            let value = self.dialect.stored(&name, &column.ty);
            self.push(format!("{} ALTER COLUMN {name} TYPE {ty} USING {value}", self.alter(pair.new)));
        }
    }

    fn bare(&self, column: &ColumnSnapshot) -> String {
        self.dialect.column("", &plain(&column.ty), false, &[])
    }

    fn add_columns(&mut self, pair: &Pair<'_>) {
        let tables = Tables { dialect: self.dialect, snapshot: &self.migration.to };
        for (column, way) in pair.new.columns.iter().zip(&pair.ways) {
            let Way::Made { fills } = way else { continue };
            let (text, early) = if *fills {
                (self.dialect.column(&column.column, &plain(&column.ty), false, &[]), None)
            } else {
                let early = Early::Column { table: pair.new.table.clone(), column: column.column.clone() };
                (tables.column(pair.new, column), Some(early).filter(|_| is_unasked(column)))
            };
            // Before the migration another column may still have its name: one that is renamed or dropped.
            let is_free = !pair.old.columns.iter().any(|old| old.column == column.column);
            let early = early.filter(|_| pair.old.table == pair.new.table && is_free);
            self.early(format!("{} ADD COLUMN {text}", self.alter(pair.new)), early);
        }
    }

    /// Takes what was put aside; a row that stays as it is is not written.
    fn fill(&mut self, pair: &Pair<'_>) {
        let filled: Vec<usize> = (0..pair.ways.len()).filter(|at| pair.ways[*at].fills()).collect();
        if filled.is_empty() {
            return;
        }
        let name = |at: &usize| self.quote(&pair.new.columns[*at].column);
        let list = |of: &dyn Fn(&usize) -> String| filled.iter().map(of).collect::<Vec<_>>().join(", ");
        let sets = list(&|at| format!("{} = v.{}", name(at), value_column(*at)));
        let (is, becomes) = (list(&|at| format!("n.{}", name(at))), list(&|at| format!("v.{}", value_column(*at))));
        self.push(format!(
            "UPDATE {} AS n SET {sets} FROM {} AS v WHERE v.id = n.{} AND ROW({is}) IS DISTINCT FROM ROW({becomes})",
            self.quote(&pair.new.table),
            values_table(pair.at),
            self.quote(KEY)
        ));
    }

    /// What is null where, and what stands in for it.
    fn settle(&mut self, pair: &Pair<'_>) {
        for (at, column) in pair.new.columns.iter().enumerate().filter(|(_, column)| column.column != KEY) {
            let (required, default) = match (&pair.ways[at], pair.was(at)) {
                (Way::Kept { .. }, Some(was)) if self.bare(was) == self.bare(column) => {
                    (was.required, was.default_value().map(|value| self.dialect.constant(&was.ty, &value)))
                }
                (Way::Kept { .. }, Some(was)) => (was.required, None),
                (Way::Made { fills: true }, _) => (false, None),
                _ => continue,
            };
            let name = self.quote(&column.column);
            let becomes = column.default_value().map(|value| self.dialect.constant(&column.ty, &value));
            let alter = self.alter(pair.new);
            let mut change = |what: &str| self.push(format!("{alter} ALTER COLUMN {name} {what}"));
            if default != becomes {
                change(&becomes.map_or_else(|| "DROP DEFAULT".to_owned(), |value| format!("SET DEFAULT {value}")));
            }
            match (required, column.required) {
                (false, true) => change("SET NOT NULL"),
                (true, false) => change("DROP NOT NULL"),
                _ => {}
            }
        }
    }

    fn add_checks(&mut self, pair: &Pair<'_>) {
        for (at, column) in pair.new.columns.iter().enumerate() {
            let Some(values) = values(&self.migration.to, &column.ty) else { continue };
            if self.keeps_check(pair, at) {
                continue;
            }
            let text = check(self.dialect, pair.new, column, values);
            self.constrain(pair.new, &text, &constraint_name(&pair.new.table, &column.column, "check"));
        }
    }

    /// Adds a constraint to a table that has records. While old nodes go on, those that are there are looked at later.
    pub(super) fn constrain(&mut self, table: &TableSnapshot, text: &str, name: &str) {
        let alter = self.alter(table);
        if !self.goes_on {
            return self.push(format!("{alter} ADD {text}"));
        }
        self.push(format!("{alter} ADD {text} NOT VALID"));
        self.validations.push(format!("{alter} VALIDATE CONSTRAINT {}", self.quote(name)));
    }
}

/// The values that a column's check names.
pub(super) fn values<'s>(snapshot: &'s Snapshot, ty: &ColumnType) -> Option<&'s [String]> {
    match ty {
        ColumnType::Enum(name) => Some(snapshot.enum_values(name)),
        _ => None,
    }
}

/// Whether writes that do not know a column get by.
pub(super) fn is_unasked(column: &ColumnSnapshot) -> bool {
    !column.required || column.default.is_some()
}

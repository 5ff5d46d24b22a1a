//! Tables, foreign keys and indexes come, go and are renamed.
use std::{cell::RefCell, collections::HashSet};

use mainstay_schema::{
    ColumnSnapshot, ForeignKeySnapshot, IndexSnapshot, JoinSnapshot, Snapshot, TableSnapshot, UniqueSnapshot,
};

use super::{
    Early, Statements,
    aside::links_table,
    columns::{is_unasked, values},
    matches::{Pair, Way, plain},
    names::{constraint_name, in_order},
};
use crate::sql::{
    Dialect,
    ddl::{Ddl, KEY, join_index_name},
    quantify::{JOIN_FROM, JOIN_TO},
};

/// All tables of a snapshot in an empty database, with their constraints and indexes.
pub fn create_in_place(dialect: &dyn Dialect, snapshot: &Snapshot) -> Vec<String> {
    let tables = Tables { dialect, snapshot };
    let mut statements: Vec<String> = snapshot.tables.iter().map(|table| tables.create(table)).collect();
    statements.extend(snapshot.joins.iter().map(|join| tables.create_join(join)));
    for table in &snapshot.tables {
        statements.extend(table.foreign_keys.iter().map(|key| tables.add(&table.table, &tables.key(table, key))));
        statements.extend(tables.ddl().indexes(table));
    }
    for join in &snapshot.joins {
        statements.extend(
            tables.ends(join).map(|(name, column, to)| tables.add(&join.table, &tables.reference(&name, column, to))),
        );
        statements.push(tables.ddl().join_index(join));
    }
    statements
}

/// Writes what tables are made with.
#[derive(Clone, Copy)]
pub(super) struct Tables<'a> {
    pub(super) dialect: &'a dyn Dialect,
    pub(super) snapshot: &'a Snapshot,
}

/// The check of an enum's values.
pub(super) fn check(
    dialect: &dyn Dialect,
    table: &TableSnapshot,
    column: &ColumnSnapshot,
    values: &[String],
) -> String {
    let values: Vec<String> = values
        .iter()
        .map(|value| dialect.constant(&plain(&column.ty), &mainstay_expr::Value::text(value.as_str())))
        .collect();
    let (name, column) = (constraint_name(&table.table, &column.column, "check"), dialect.quote(&column.column));
    format!("CONSTRAINT {} CHECK ({column} IN ({}))", dialect.quote(&name), values.join(", "))
}

impl<'a> Tables<'a> {
    fn ddl(self) -> Ddl<'a> {
        Ddl { dialect: self.dialect, snapshot: self.snapshot }
    }

    /// A column without its check.
    pub(super) fn column(self, table: &TableSnapshot, column: &ColumnSnapshot) -> String {
        let plain = ColumnSnapshot { ty: plain(&column.ty), ..column.clone() };
        self.ddl().column(table, &plain)
    }

    /// A table without its foreign keys.
    fn create(self, table: &TableSnapshot) -> String {
        let mut parts: Vec<String> = table.columns.iter().map(|column| self.column(table, column)).collect();
        if !table.columns.iter().any(|column| column.column == KEY) {
            parts.insert(0, self.dialect.key_column(KEY, table.key));
        }
        let checks = table.columns.iter().filter_map(|column| Some((column, values(self.snapshot, &column.ty)?)));
        parts.extend(checks.map(|(column, values)| check(self.dialect, table, column, values)));
        let name = self.dialect.quote(&table.table);
        format!("CREATE TABLE {name} (\n  {}\n){}", parts.join(",\n  "), self.dialect.table_options())
    }

    fn create_join(self, join: &JoinSnapshot) -> String {
        let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| self.dialect.quote(name));
        let (from_type, to_type) = (self.dialect.key_type(join.from_key), self.dialect.key_type(join.to_key));
        format!(
            "CREATE TABLE {} (\n  {from} {from_type} NOT NULL,\n  {to} {to_type} NOT NULL,\n  PRIMARY KEY ({from}, {to})\n){}",
            self.dialect.quote(&join.table),
            self.dialect.join_table_options()
        )
    }

    fn add(self, table: &str, constraint: &str) -> String {
        format!("ALTER TABLE {} ADD {constraint}", self.dialect.quote(table))
    }

    fn reference(self, name: &str, column: &str, to: &str) -> String {
        let (name, column) = (self.dialect.quote(name), self.dialect.quote(column));
        format!("CONSTRAINT {name} FOREIGN KEY ({column}) {}", self.ddl().references(to))
    }

    fn key(self, table: &TableSnapshot, key: &ForeignKeySnapshot) -> String {
        self.reference(&constraint_name(&table.table, &key.column, "fkey"), &key.column, &key.table)
    }

    /// The foreign keys of a join table: name, column, table.
    fn ends(self, join: &JoinSnapshot) -> impl Iterator<Item = (String, &'static str, &str)> {
        let end = |column, to| (constraint_name(&join.table, column, "fkey"), column, to);
        [end(JOIN_FROM, join.from_table.as_str()), end(JOIN_TO, join.to_table.as_str())].into_iter()
    }
}

impl Statements<'_> {
    fn tables(&self) -> Tables<'_> {
        Tables { dialect: self.dialect, snapshot: &self.migration.to }
    }

    fn drop_constraint(&mut self, table: &str, name: &str) {
        let (table, name) = (self.quote(table), self.quote(name));
        self.push(format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"));
    }

    /// Drops foreign keys that are no longer wanted, or lead to a table that goes.
    pub(super) fn drop_references(&mut self) {
        let matches = self.matches;
        for pair in &matches.tables {
            let kept = pair.kept_keys(matches);
            for key in pair.old.foreign_keys.iter().filter(|key| !kept.iter().any(|(old, _)| old == key)) {
                self.drop_constraint(&pair.old.table, &constraint_name(&pair.old.table, &key.column, "fkey"));
            }
        }
        for (old, new) in &matches.joins {
            for (column, was, is) in ends(old, new) {
                if matches.becomes(was) != Some(is) {
                    self.drop_constraint(&old.table, &constraint_name(&old.table, column, "fkey"));
                }
            }
        }
    }

    /// Drops tables; those that refer to each other at once.
    pub(super) fn drop_tables(&mut self) {
        let (tables, joins) = self.matches.gone();
        let names: Vec<String> = joins.into_iter().chain(tables).map(|name| self.quote(name)).collect();
        if !names.is_empty() {
            self.push(format!("DROP TABLE {}", names.join(", ")));
        }
    }

    /// Drops uniques and indexes that are no longer wanted.
    pub(super) fn drop_indexes(&mut self) {
        for pair in &self.matches.tables {
            let (uniques, indexes) = kept(pair);
            let gone =
                pair.old.uniques.iter().map(|of| &of.name).filter(|name| !uniques.iter().any(|(old, _)| old == *name));
            let gone: Vec<&String> = gone
                .chain(
                    pair.old
                        .indexes
                        .iter()
                        .map(|of| &of.name)
                        .filter(|name| !indexes.iter().any(|(old, _)| old == *name)),
                )
                .collect();
            for name in gone {
                self.push(format!("DROP INDEX IF EXISTS {}", self.quote(name)));
            }
        }
    }

    /// Tables, indexes and sequences get their new names.
    pub(super) fn rename_tables(&mut self) {
        let matches = self.matches;
        let tables = matches.tables.iter().map(|pair| (pair.old.table.clone(), pair.new.table.clone()));
        let joins = matches.joins.iter().map(|(old, new)| (old.table.clone(), new.table.clone()));
        let all: Vec<(String, String)> = tables.chain(joins).collect();
        let mut indexes: Vec<(String, String)> = Vec::new();
        for pair in &matches.tables {
            let (uniques, others) = kept(pair);
            indexes.extend(uniques.into_iter().chain(others));
        }
        indexes
            .extend(matches.joins.iter().map(|(old, new)| (join_index_name(&old.table), join_index_name(&new.table))));
        let own = |suffix: &str| -> Vec<(String, String)> {
            all.iter().map(|(from, to)| (format!("{from}_{suffix}"), format!("{to}_{suffix}"))).collect()
        };
        indexes.extend(own("pkey"));
        let sequences = own("id_seq");
        for (what, names) in [("TABLE", all), ("INDEX IF EXISTS", indexes), ("SEQUENCE IF EXISTS", sequences)] {
            let stay: HashSet<String> =
                names.iter().filter(|(from, to)| from == to).map(|(from, _)| from.clone()).collect();
            for (from, to) in in_order(names, stay) {
                let (from, to) = (self.quote(&from), self.quote(&to));
                self.push(format!("ALTER {what} {from} RENAME TO {to}"));
            }
        }
        for (old, new) in &matches.joins {
            for (column, was, is) in ends(old, new) {
                if old.table != new.table && matches.becomes(was) == Some(is) {
                    let [from, to] =
                        [&old.table, &new.table].map(|table| self.quote(&constraint_name(table, column, "fkey")));
                    self.push(format!("ALTER TABLE {} RENAME CONSTRAINT {from} TO {to}", self.quote(&new.table)));
                }
            }
        }
    }

    /// Makes new tables, and fills the join tables among them.
    pub(super) fn make_tables(&mut self) {
        let migration = self.migration;
        for table in migration.to.tables.iter().filter(|table| self.matches.is_made(&table.table)) {
            self.push(self.tables().create(table));
        }
        for (at, join) in migration.to.joins.iter().enumerate() {
            if !self.matches.is_join_made(&join.table) {
                continue;
            }
            self.push(self.tables().create_join(join));
            if migration.joins[at].source != mainstay_schema::JoinSource::New {
                let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| self.quote(name));
                let (table, links) = (self.quote(&join.table), links_table(at));
                self.push(format!("INSERT INTO {table} ({from}, {to}) SELECT {from}, {to} FROM {links}"));
            }
        }
    }

    /// Adds the foreign keys that are not there yet.
    pub(super) fn refer(&mut self) {
        let (migration, matches) = (self.migration, self.matches);
        for table in migration.to.tables.iter().filter(|table| matches.is_made(&table.table)) {
            for key in &table.foreign_keys {
                self.push(self.tables().add(&table.table, &self.tables().key(table, key)));
            }
        }
        for pair in &matches.tables {
            let kept = pair.kept_keys(matches);
            for key in pair.new.foreign_keys.iter().filter(|key| !kept.iter().any(|(_, new)| new == key)) {
                let name = constraint_name(&pair.new.table, &key.column, "fkey");
                let text = self.tables().key(pair.new, key);
                self.constrain(pair.new, &text, &name);
            }
        }
        for join in &migration.to.joins {
            let old = matches.joins.iter().find(|(_, new)| new.table == join.table).map(|(old, _)| *old);
            let ends: Vec<_> =
                self.tables().ends(join).map(|(name, column, to)| (name, column, to.to_owned())).collect();
            for (name, column, to) in ends {
                let was = old.map(|old| if column == JOIN_FROM { &old.from_table } else { &old.to_table });
                if was.and_then(|was| matches.becomes(was)) != Some(&to) {
                    self.push(self.tables().add(&join.table, &self.tables().reference(&name, column, &to)));
                }
            }
        }
    }

    /// Makes the uniques and indexes that are not there yet.
    pub(super) fn index(&mut self) {
        let (migration, matches) = (self.migration, self.matches);
        for table in &migration.to.tables {
            let pair = matches.tables.iter().find(|pair| pair.new.table == table.table);
            let (uniques, indexes) = pair.map(kept).unwrap_or_default();
            let is_kept = |kept: &[(String, String)], name: &str| kept.iter().any(|(_, new)| new == name);
            for unique in table.uniques.iter().filter(|of| !is_kept(&uniques, &of.name)) {
                let named = named(unique);
                let early = pair.filter(|pair| named.iter().all(|column| stands(pair, column)));
                let early = early
                    .filter(|pair| is_free(pair.old, &unique.name))
                    .map(|_| self.early_index(table, &unique.name, true));
                self.early(self.tables().ddl().unique(table, unique), early);
            }
            for index in table.indexes.iter().filter(|of| !is_kept(&indexes, &of.name)) {
                let early = pair.filter(|pair| index.columns.iter().all(|column| stands(pair, column)));
                let early = early
                    .filter(|pair| is_free(pair.old, &index.name))
                    .map(|_| self.early_index(table, &index.name, false));
                self.early(self.tables().ddl().index(table, index), early);
            }
        }
        for join in migration.to.joins.iter().filter(|join| matches.is_join_made(&join.table)) {
            self.push(self.tables().ddl().join_index(join));
        }
    }

    fn early_index(&self, table: &TableSnapshot, name: &str, unique: bool) -> Early {
        Early::Index { table: table.table.clone(), name: name.to_owned(), unique }
    }
}

/// The ends of a join table that stays: column, old table, new table.
fn ends<'j>(old: &'j JoinSnapshot, new: &'j JoinSnapshot) -> [(&'static str, &'j str, &'j str); 2] {
    [(JOIN_FROM, &old.from_table, &new.from_table), (JOIN_TO, &old.to_table, &new.to_table)]
}

/// Whether no index has this name before the migration: another one may, which it drops or renames.
fn is_free(old: &TableSnapshot, name: &str) -> bool {
    !old.uniques.iter().any(|unique| unique.name == name) && !old.indexes.iter().any(|index| index.name == name)
}

/// Whether a column is there, or may be, before the migration: under its name, with its values.
fn stands(pair: &Pair<'_>, column: &str) -> bool {
    let Some(at) = pair.new.columns.iter().position(|of| of.column == column) else { return column == KEY };
    let new = &pair.new.columns[at];
    pair.old.table == pair.new.table
        && match &pair.ways[at] {
            Way::Kept { name, fills: false } => {
                name == column && pair.was(at).is_some_and(|was| was.ty == new.ty && was.required == new.required)
            }
            Way::Made { fills: false } => is_unasked(new) && !pair.old.columns.iter().any(|old| old.column == column),
            _ => false,
        }
}

/// The columns that a unique and its condition name.
fn named(unique: &UniqueSnapshot) -> Vec<String> {
    let names = RefCell::new(unique.columns.clone());
    if let Some(condition) = &unique.condition {
        condition.renamed(&|column| {
            names.borrow_mut().push(column.to_owned());
            column.to_owned()
        });
    }
    names.into_inner()
}

type Names = Vec<(String, String)>;

/// The uniques and indexes that stay: old and new names.
fn kept(pair: &Pair<'_>) -> (Names, Names) {
    let now = |column: &str| pair.becomes(column).map_or_else(|| format!("{column} (gone)"), str::to_owned);
    let renamed = |columns: &[String]| -> Vec<String> { columns.iter().map(|column| now(column)).collect() };
    // Values that change one after the other could meet on the way.
    let is_filled =
        |column: &String| pair.ways.iter().any(|way| matches!(way, Way::Kept { name, fills: true } if name == column));
    // Where null sorts is part of an index.
    let is_required = |of: &[ColumnSnapshot], name: &str| of.iter().any(|of| of.column == name && of.required);
    let is_sorted = |name: &String| {
        let (was, is) = (is_required(&pair.old.columns, name), is_required(&pair.new.columns, &now(name)));
        name == KEY || was == is
    };
    let mut uniques: Names = Vec::new();
    for old in
        pair.old.uniques.iter().filter(|old| !named(old).iter().any(is_filled) && old.columns.iter().all(is_sorted))
    {
        let (columns, condition) = (renamed(&old.columns), old.condition.as_ref().map(|of| of.renamed(&now)));
        let is_it = |new: &&UniqueSnapshot| {
            new.columns == columns && new.condition == condition && !uniques.iter().any(|(_, name)| *name == new.name)
        };
        let found = pair.new.uniques.iter().find(is_it).map(|new| (old.name.clone(), new.name.clone()));
        uniques.extend(found);
    }
    let mut indexes: Names = Vec::new();
    for old in pair.old.indexes.iter().filter(|old| old.columns.iter().all(is_sorted)) {
        let columns = renamed(&old.columns);
        let is_it = |new: &&IndexSnapshot| new.columns == columns && !indexes.iter().any(|(_, name)| *name == new.name);
        let found = pair.new.indexes.iter().find(is_it).map(|new| (old.name.clone(), new.name.clone()));
        indexes.extend(found);
    }
    (uniques, indexes)
}

//! Which tables are renamed, altered where they stand, or made anew.
use std::collections::{HashMap, HashSet};

use mainstay_schema::{
    ColumnChange, ColumnSource, ForeignKeySnapshot, JoinSnapshot, JoinSource, Migration, TableChange, TableSnapshot,
};

use crate::sql::{Dialect, ddl::Ddl};

/// How every table of the new schema comes about.
#[derive(Debug)]
pub(super) struct Layout {
    /// Tables and join tables that get their new name at once, in order.
    pub(super) renames: Vec<(String, String)>,
    /// Old names to those after the renames.
    pub(super) present: HashMap<String, String>,
    /// For each table.
    pub(super) tables: Vec<Way>,
    /// For each join table.
    pub(super) joins: Vec<Way>,
}

/// How one table comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is made and, where there is something to fill it with, filled.
    Make {
        /// The name until the old tables are gone; often the name at all.
        name: String,
    },
    /// It is altered where it stands.
    Alter {
        /// Columns with another name, in order.
        columns: Vec<(String, String)>,
    },
}

impl Layout {
    pub(super) fn of(dialect: &dyn Dialect, migration: &Migration) -> Layout {
        let mut layout = Layout { renames: Vec::new(), present: HashMap::new(), tables: Vec::new(), joins: Vec::new() };
        layout.rename(migration);
        let mut taken: HashSet<String> = layout.present.values().cloned().collect();
        let tables = migration.to.tables.iter().map(|table| &table.table);
        taken.extend(tables.chain(migration.to.joins.iter().map(|join| &join.table)).cloned());
        let planner = Planner { dialect, migration, layout: &layout, taken: &taken };
        let tables = migration.to.tables.iter().zip(&migration.tables).map(|(new, change)| planner.table(new, change));
        let tables = tables.collect();
        let joins = migration.to.joins.iter().zip(&migration.joins);
        let joins = joins.map(|(new, change)| planner.join(new, &change.source)).collect();
        (layout.tables, layout.joins) = (tables, joins);
        layout
    }

    /// Renames as far as names are free; a rename may free the name for another.
    fn rename(&mut self, migration: &Migration) {
        let old = &migration.from;
        let names = old.tables.iter().map(|of| &of.table).chain(old.joins.iter().map(|of| &of.table));
        self.present = names.map(|name| (name.clone(), name.clone())).collect();
        let tables = migration.to.tables.iter().zip(&migration.tables);
        let mut wanted: Vec<(String, String)> =
            tables.filter_map(|(new, change)| Some((change.old.clone()?, new.table.clone()))).collect();
        let joins = migration.to.joins.iter().zip(&migration.joins);
        wanted.extend(joins.filter_map(|(new, change)| match &change.source {
            JoinSource::Join(old) => Some((old.clone(), new.table.clone())),
            _ => None,
        }));
        wanted.retain(|(from, to)| from != to);
        let mut is_taken: HashSet<String> = self.present.values().cloned().collect();
        loop {
            let before = wanted.len();
            wanted.retain(|(from, to)| {
                if is_taken.contains(to) {
                    return true;
                }
                is_taken.remove(from);
                is_taken.insert(to.clone());
                self.present.insert(from.clone(), to.clone());
                self.renames.push((from.clone(), to.clone()));
                false
            });
            if wanted.len() == before {
                return;
            }
        }
    }

    /// The old tables whose records move to a new table.
    pub(super) fn rebuilt(&self, migration: &Migration) -> Vec<String> {
        let tables = migration.tables.iter().map(|change| change.old.clone()).zip(&self.tables);
        let joins = migration.joins.iter().map(|change| match &change.source {
            JoinSource::Join(old) => Some(old.clone()),
            JoinSource::New | JoinSource::Column(..) => None,
        });
        let all = tables.chain(joins.zip(&self.joins));
        all.filter(|(_, way)| matches!(way, Way::Make { .. })).filter_map(|(old, _)| old).collect()
    }

    /// What an old table is called after the renames.
    pub(super) fn present(&self, old: &str) -> &str {
        self.present.get(old).map_or("", String::as_str)
    }
}

struct Planner<'a> {
    dialect: &'a dyn Dialect,
    migration: &'a Migration,
    layout: &'a Layout,
    taken: &'a HashSet<String>,
}

impl Planner<'_> {
    /// A table that is made under its own name where that is free, else under another for a while.
    fn make(&self, table: &str) -> Way {
        let mut name = table.to_owned();
        if self.layout.present.values().any(|present| present == table) {
            while self.taken.contains(&name) {
                name.push_str("__new");
            }
        }
        Way::Make { name }
    }

    fn table(&self, new: &TableSnapshot, change: &TableChange) -> Way {
        let old = change.old.as_deref().and_then(|old| self.migration.from.table(old));
        let Some(old) = old else { return self.make(&new.table) };
        let stands = self.layout.present(&old.table) == new.table && self.keeps_columns(old, new, change);
        let names = stands.then(|| renamed_columns(old, new, change)).flatten();
        match names {
            Some(columns) => Way::Alter { columns },
            None => self.make(&new.table),
        }
    }

    /// Whether nothing but names, new columns and indexes differ.
    fn keeps_columns(&self, old: &TableSnapshot, new: &TableSnapshot, change: &TableChange) -> bool {
        let is_used = |column: &str| change.columns.iter().any(|of| is_from(of, column));
        old.columns.iter().all(|column| is_used(&column.column))
            && new.columns.iter().zip(&change.columns).all(|(column, source)| {
                let changes = source.conversion.is_some() || source.backfills;
                match &source.source {
                    ColumnSource::New => !changes && (!column.required || column.default.is_some()),
                    ColumnSource::Column(name) => {
                        let was = old.columns.iter().find(|was| was.column == *name);
                        !changes
                            && !source.defaults
                            && was.is_some_and(|was| {
                                let mut was = was.clone();
                                was.column.clone_from(&column.column);
                                let before = Ddl { dialect: self.dialect, snapshot: &self.migration.from };
                                let after = Ddl { dialect: self.dialect, snapshot: &self.migration.to };
                                before.column(old, &was) == after.column(new, column)
                            })
                            && self.key(old, name) == new_key(new, &column.column)
                    }
                    ColumnSource::Join(_) => false,
                }
            })
    }

    /// The table that a column refers to, as the database writes it after the renames.
    fn key(&self, old: &TableSnapshot, column: &str) -> Option<&str> {
        let key = old.foreign_keys.iter().find(|key| key.column == column)?;
        Some(self.layout.present(&key.table))
    }

    fn join(&self, new: &JoinSnapshot, source: &JoinSource) -> Way {
        let JoinSource::Join(name) = source else { return self.make(&new.table) };
        let Some(old) = self.migration.from.joins.iter().find(|join| join.table == *name) else {
            return self.make(&new.table);
        };
        let same = self.layout.present(&old.table) == new.table
            && self.layout.present(&old.from_table) == new.from_table
            && self.layout.present(&old.to_table) == new.to_table;
        if same { Way::Alter { columns: Vec::new() } } else { self.make(&new.table) }
    }
}

fn new_key<'t>(table: &'t TableSnapshot, column: &str) -> Option<&'t str> {
    let is_it = |key: &&ForeignKeySnapshot| key.column == column;
    table.foreign_keys.iter().find(is_it).map(|key| key.table.as_str())
}

fn is_from(change: &ColumnChange, column: &str) -> bool {
    matches!(&change.source, ColumnSource::Column(name) if name == column)
}

/// The columns with another name, in an order in which each new name is free; `None` where there is no such order.
fn renamed_columns(old: &TableSnapshot, new: &TableSnapshot, change: &TableChange) -> Option<Vec<(String, String)>> {
    let mut taken: HashSet<&str> = old.columns.iter().map(|column| column.column.as_str()).collect();
    let pairs = new.columns.iter().zip(&change.columns);
    let mut wanted: Vec<(&str, &str)> = pairs
        .filter_map(|(column, change)| match &change.source {
            ColumnSource::Column(name) if *name != column.column => Some((name.as_str(), column.column.as_str())),
            _ => None,
        })
        .collect();
    let mut order = Vec::new();
    while !wanted.is_empty() {
        let at = wanted.iter().position(|(_, to)| !taken.contains(to))?;
        let (from, to) = wanted.remove(at);
        taken.remove(from);
        taken.insert(to);
        order.push((from.to_owned(), to.to_owned()));
    }
    // A column that is added takes a name that must be free by then.
    let added = new.columns.iter().zip(&change.columns).filter(|(_, change)| change.source == ColumnSource::New);
    added.into_iter().all(|(column, _)| !taken.contains(column.column.as_str())).then_some(order)
}

//! The statements of a migration, phase by phase.
use mainstay_schema::{
    ColumnSource, IndexSnapshot, KeyKind, Migration, Schema, TableChange, TableSnapshot, UniqueSnapshot,
};

use super::{
    keep_changes,
    layout::{Layout, Way},
    projection::Projection,
};
use crate::{
    StoreError,
    sql::{
        Dialect, Sql,
        ddl::{Ddl, join_index_name},
        quantify::{JOIN_FROM, JOIN_TO},
    },
};

pub(super) struct Statements<'a> {
    pub(super) dialect: &'a dyn Dialect,
    pub(super) migration: &'a Migration,
    pub(super) layout: &'a Layout,
    pub(super) statements: Vec<Sql>,
}

/// A table of the old schema with its new self.
struct Pair<'a> {
    old: &'a TableSnapshot,
    new: &'a TableSnapshot,
    change: &'a TableChange,
    columns: &'a [(String, String)],
}

impl<'a> Statements<'a> {
    fn push(&mut self, text: String) {
        self.statements.push(Sql { text, binds: Vec::new() });
    }

    fn ddl(&self) -> Ddl<'a> {
        Ddl { dialect: self.dialect, snapshot: &self.migration.to }
    }

    fn rename_table(&mut self, from: &str, to: &str) {
        self.push(format!("ALTER TABLE {} RENAME TO {}", self.dialect.quote(from), self.dialect.quote(to)));
    }

    /// What is only called differently.
    pub(super) fn rename(&mut self) {
        for (from, to) in &self.layout.renames {
            self.rename_table(from, to);
        }
    }

    /// Says of collections whose changes are kept again that those before are not.
    pub(super) fn keep_changes(&mut self, schema: &Schema) {
        keep_changes(self.dialect, self.migration, schema).into_iter().for_each(|text| self.push(text));
    }

    /// Makes tables that are new, or other ones than before.
    pub(super) fn make(&mut self) {
        let ddl = self.ddl();
        for (table, way) in self.migration.to.tables.iter().zip(&self.layout.tables) {
            let Way::Make { name } = way else { continue };
            self.push(ddl.create_table(table, name));
            // Those that take another's place get theirs when it is gone.
            if *name == table.table {
                ddl.indexes(table).into_iter().for_each(|text| self.push(text));
            }
        }
        for (join, way) in self.migration.to.joins.iter().zip(&self.layout.joins) {
            let Way::Make { name } = way else { continue };
            self.push(ddl.create_join(join, name));
            if *name == join.table {
                self.push(ddl.join_index(join));
            }
        }
    }

    /// Fills them from the old ones.
    pub(super) fn fill(&mut self, projection: &mut Projection<'a>) -> Result<(), StoreError> {
        for (at, way) in self.layout.tables.iter().enumerate() {
            let (new, change) = (&self.migration.to.tables[at], &self.migration.tables[at]);
            let (Way::Make { name }, Some(old)) = (way, &change.old) else { continue };
            let names: Vec<String> = new.columns.iter().map(|column| self.dialect.quote(&column.column)).collect();
            let (table, names) = (self.dialect.quote(name), names.join(", "));
            let sql = projection.rows(at)?.finish(|with, columns, from| {
                format!("{with}INSERT INTO {table} ({names}) SELECT {} FROM {from}", columns.join(", "))
            });
            self.statements.push(sql);
            if new.key == KeyKind::Int {
                let statements = self.dialect.go_on_counting(self.layout.present(old), name);
                statements.into_iter().for_each(|text| self.push(text));
            }
        }
        for (at, way) in self.layout.joins.iter().enumerate() {
            let (Way::Make { name }, Some(rows)) = (way, projection.join_rows(at)) else { continue };
            let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| self.dialect.quote(name));
            self.push(format!("INSERT INTO {} ({from}, {to}) {rows}", self.dialect.quote(name)));
        }
        Ok(())
    }

    /// Drops the tables that are no longer wanted, or have a new self.
    pub(super) fn drop_tables(&mut self) {
        let migration = self.migration;
        let stands =
            |old: &str, new: &str, way: &Way| self.layout.present(old) == new && matches!(way, Way::Alter { .. });
        let joins = migration.from.joins.iter().filter(|old| {
            let mut kept = migration.to.joins.iter().zip(&self.layout.joins);
            !kept.any(|(new, way)| stands(&old.table, &new.table, way))
        });
        let tables = migration.from.tables.iter().filter(|old| {
            let mut kept = migration.to.tables.iter().zip(&self.layout.tables);
            !kept.any(|(new, way)| stands(&old.table, &new.table, way))
        });
        let names: Vec<&str> = joins.map(|of| of.table.as_str()).chain(tables.map(|of| of.table.as_str())).collect();
        for name in names {
            self.push(format!("DROP TABLE {}", self.dialect.quote(self.layout.present(name))));
        }
    }

    /// Drops the indexes that are no longer wanted, or have another name.
    pub(super) fn drop_indexes(&mut self) {
        let migration = self.migration;
        for pair in self.altered() {
            let (uniques, indexes) = pair.kept();
            let gone = pair.old.uniques.iter().filter(|of| !uniques.contains(of)).map(|of| &of.name);
            let gone = gone.chain(pair.old.indexes.iter().filter(|of| !indexes.contains(of)).map(|of| &of.name));
            for name in gone {
                self.push(format!("DROP INDEX IF EXISTS {}", self.dialect.quote(name)));
            }
        }
        for (from, to) in &self.layout.renames {
            let is_altered = |(new, way): (&mainstay_schema::JoinSnapshot, &Way)| {
                new.table == *to && matches!(way, Way::Alter { .. })
            };
            if migration.to.joins.iter().zip(&self.layout.joins).any(is_altered) {
                self.push(format!("DROP INDEX IF EXISTS {}", self.dialect.quote(&join_index_name(from))));
            }
        }
    }

    /// The new tables take the place of the old ones.
    pub(super) fn settle(&mut self) {
        let tables = self.migration.to.tables.iter().map(|of| &of.table).zip(&self.layout.tables);
        let joins = self.migration.to.joins.iter().map(|of| &of.table).zip(&self.layout.joins);
        for (table, way) in tables.chain(joins) {
            if let Way::Make { name } = way
                && name != table
            {
                self.rename_table(name, table);
            }
        }
    }

    /// Alters the others where they stand.
    pub(super) fn alter(&mut self) {
        let ddl = self.ddl();
        for pair in self.altered() {
            let table = self.dialect.quote(&pair.new.table);
            for (from, to) in pair.columns {
                let (from, to) = (self.dialect.quote(from), self.dialect.quote(to));
                self.push(format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"));
            }
            let columns = pair.new.columns.iter().zip(&pair.change.columns);
            for (column, _) in columns.filter(|(_, change)| change.source == ColumnSource::New) {
                self.push(ddl.add_column(pair.new, column));
            }
        }
    }

    /// Uniques and indexes that are not there yet.
    pub(super) fn index(&mut self) {
        let ddl = self.ddl();
        for pair in self.altered() {
            let (uniques, indexes) = pair.kept();
            let new = pair.new;
            let is_kept =
                |name: &str| uniques.iter().any(|of| of.name == name) || indexes.iter().any(|of| of.name == name);
            for unique in new.uniques.iter().filter(|of| !is_kept(&of.name)) {
                self.push(ddl.unique(new, unique));
            }
            for index in new.indexes.iter().filter(|of| !is_kept(&of.name)) {
                self.push(ddl.index(new, index));
            }
        }
        for (table, way) in self.migration.to.tables.iter().zip(&self.layout.tables) {
            if matches!(way, Way::Make { name } if *name != table.table) {
                ddl.indexes(table).into_iter().for_each(|text| self.push(text));
            }
        }
        for (join, way) in self.migration.to.joins.iter().zip(&self.layout.joins) {
            let is_renamed = self.layout.renames.iter().any(|(_, to)| *to == join.table);
            let wants = match way {
                Way::Make { name } => *name != join.table,
                Way::Alter { .. } => is_renamed,
            };
            if wants {
                self.push(ddl.join_index(join));
            }
        }
    }

    /// The tables that are altered where they stand.
    fn altered(&self) -> Vec<Pair<'a>> {
        let (migration, layout) = (self.migration, self.layout);
        let all = migration.to.tables.iter().zip(&migration.tables).zip(&layout.tables);
        let pair = |((new, change), way): ((&'a TableSnapshot, &'a TableChange), &'a Way)| match way {
            Way::Alter { columns } => {
                Some(Pair { old: migration.from.table(change.old.as_deref()?)?, new, change, columns })
            }
            Way::Make { .. } => None,
        };
        all.filter_map(pair).collect()
    }
}

impl<'a> Pair<'a> {
    /// The old uniques and indexes that stay: same name, same columns, though those may be called differently.
    fn kept(&self) -> (Vec<&'a UniqueSnapshot>, Vec<&'a IndexSnapshot>) {
        let name = |column: &str| {
            let to = self.columns.iter().find(|(from, _)| from == column);
            to.map_or_else(|| column.to_owned(), |(_, to)| to.clone())
        };
        let renamed = |columns: &[String]| -> Vec<String> { columns.iter().map(|column| name(column)).collect() };
        let unique = |old: &&UniqueSnapshot| {
            let condition = old.condition.as_ref().map(|of| of.renamed(&name));
            let is = UniqueSnapshot { columns: renamed(&old.columns), condition, name: old.name.clone() };
            self.new.uniques.contains(&is)
        };
        let index = |old: &&IndexSnapshot| {
            let is = IndexSnapshot { columns: renamed(&old.columns), ..(*old).clone() };
            self.new.indexes.contains(&is)
        };
        (self.old.uniques.iter().filter(unique).collect(), self.old.indexes.iter().filter(index).collect())
    }
}

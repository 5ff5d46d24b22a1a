//! Which old tables, columns and constraints stay, and as what.
use mainstay_schema::{
    ColumnChange, ColumnSnapshot, ColumnSource, ColumnType, ForeignKeySnapshot, JoinSnapshot, JoinSource, Migration,
    TableChange, TableSnapshot,
};

use crate::sql::Dialect;

/// What stays.
pub(super) struct Matches<'a> {
    migration: &'a Migration,
    /// The tables that stay, in the order of the new ones.
    pub(super) tables: Vec<Pair<'a>>,
    /// The join tables that stay: the old one and the new one.
    pub(super) joins: Vec<(&'a JoinSnapshot, &'a JoinSnapshot)>,
}

/// A table that stays.
pub(super) struct Pair<'a> {
    /// Its place among the new ones.
    pub(super) at: usize,
    pub(super) old: &'a TableSnapshot,
    pub(super) new: &'a TableSnapshot,
    /// How each new column comes about.
    pub(super) ways: Vec<Way>,
}

/// How a column comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is there, under this name; whether records get other values in it.
    Kept { name: String, fills: bool },
    /// It is made; whether records get values in it that were put aside.
    Made { fills: bool },
}

impl Way {
    pub(super) fn fills(&self) -> bool {
        match self {
            Way::Kept { fills, .. } | Way::Made { fills } => *fills,
        }
    }
}

impl<'a> Matches<'a> {
    pub(super) fn of(dialect: &dyn Dialect, migration: &'a Migration) -> Matches<'a> {
        let pair = |(at, (new, change)): (usize, (&'a TableSnapshot, &'a TableChange))| {
            let old = migration.from.table(change.old.as_deref()?)?;
            let ways =
                new.columns.iter().zip(&change.columns).map(|(column, change)| way(dialect, old, column, change));
            Some(Pair { at, old, new, ways: ways.collect() })
        };
        let tables = migration.to.tables.iter().zip(&migration.tables).enumerate().filter_map(pair).collect();
        let mut matches = Matches { migration, tables, joins: Vec::new() };
        let joins = migration.to.joins.iter().zip(&migration.joins).filter_map(|(new, change)| {
            let JoinSource::Join(name) = &change.source else { return None };
            let old = migration.from.joins.iter().find(|join| join.table == *name)?;
            (old.from_key == new.from_key && old.to_key == new.to_key).then_some((old, new))
        });
        let joins: Vec<_> = joins.collect();
        // One old join table may be asked for twice; it stays once.
        for (old, new) in joins {
            if !matches.joins.iter().any(|(other, _)| other.table == old.table) {
                matches.joins.push((old, new));
            }
        }
        matches
    }

    /// What an old table is called in the end.
    pub(super) fn becomes(&self, old: &str) -> Option<&'a str> {
        let pair = self.tables.iter().find(|pair| pair.old.table == old);
        pair.map(|pair| pair.new.table.as_str())
    }

    /// Whether a new table is made.
    pub(super) fn is_made(&self, new: &str) -> bool {
        !self.tables.iter().any(|pair| pair.new.table == new)
    }

    /// Whether a new join table is made.
    pub(super) fn is_join_made(&self, new: &str) -> bool {
        !self.joins.iter().any(|(_, join)| join.table == new)
    }

    /// The old tables that go, then the old join tables that do.
    pub(super) fn gone(&self) -> (Vec<&'a str>, Vec<&'a str>) {
        let tables = self.migration.from.tables.iter().map(|of| of.table.as_str());
        let joins = self.migration.from.joins.iter().map(|of| of.table.as_str());
        (
            tables.filter(|old| self.becomes(old).is_none()).collect(),
            joins.filter(|old| !self.joins.iter().any(|(join, _)| join.table == *old)).collect(),
        )
    }
}

impl<'a> Pair<'a> {
    /// What an old column is called in the end, if it stays.
    pub(super) fn becomes(&self, old: &str) -> Option<&'a str> {
        let at = self.ways.iter().position(|way| matches!(way, Way::Kept { name, .. } if name == old))?;
        Some(&self.new.columns[at].column)
    }

    /// The old column that one stays from.
    pub(super) fn was(&self, at: usize) -> Option<&'a ColumnSnapshot> {
        let Way::Kept { name, .. } = &self.ways[at] else { return None };
        self.old.columns.iter().find(|column| column.column == *name)
    }

    /// The foreign keys that stay: the old one and the new one.
    pub(super) fn kept_keys(&self, matches: &Matches<'_>) -> Vec<(&'a ForeignKeySnapshot, &'a ForeignKeySnapshot)> {
        let kept = |old: &'a ForeignKeySnapshot| {
            let column = self.becomes(&old.column)?;
            let new = self.new.foreign_keys.iter().find(|key| key.column == column)?;
            (matches.becomes(&old.table)? == new.table).then_some((old, new))
        };
        self.old.foreign_keys.iter().filter_map(kept).collect()
    }

    /// Whether any record gets other values.
    pub(super) fn fills(&self) -> bool {
        self.ways.iter().any(Way::fills)
    }
}

fn way(dialect: &dyn Dialect, old: &TableSnapshot, new: &ColumnSnapshot, change: &ColumnChange) -> Way {
    let fills = change.conversion.is_some() || change.backfills || change.defaults;
    match &change.source {
        // A constant default fills the column by itself.
        ColumnSource::New => Way::Made { fills: change.backfills && !change.defaults },
        ColumnSource::Join(_) => Way::Made { fills: true },
        ColumnSource::Column(name) => {
            let was = old.columns.iter().find(|column| column.column == *name);
            let ty = |column: &ColumnSnapshot| dialect.column("", &plain(&column.ty), false, &[]);
            let widens = |was: &ColumnSnapshot| change.conversion.is_none() && !is_time(&was.ty);
            if was.is_some_and(|was| ty(was) == ty(new) || widens(was)) {
                Way::Kept { name: name.clone(), fills }
            } else {
                Way::Made { fills: true }
            }
        }
    }
}

/// The type without its values: a check of its own names them.
pub(super) fn plain(ty: &ColumnType) -> ColumnType {
    match ty {
        ColumnType::Enum(_) => ColumnType::Scalar(mainstay_schema::Scalar::String),
        ty => ty.clone(),
    }
}

/// Whether the database writes such a value as another text than the wire does.
pub(in crate::sql::migration) fn is_time(ty: &ColumnType) -> bool {
    use mainstay_schema::Scalar;
    matches!(ty, ColumnType::Scalar(Scalar::DateTime | Scalar::Date | Scalar::Time))
}

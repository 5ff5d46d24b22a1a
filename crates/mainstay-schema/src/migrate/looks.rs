//! What has to hold of the records that are there, before anything is changed.
use super::{ColumnChange, ColumnSource, JoinSource, Migration, TableChange};
use crate::{ColumnSnapshot, ConditionSnapshot, TableSnapshot, UniqueSnapshot};

/// Something to be looked at in the records of one table, as they would become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Which of the new tables, by its position.
    pub table: usize,
    /// What.
    pub kind: LookKind,
    /// What is wrong with the records that are found, for people.
    pub what: String,
    /// What to do about them.
    pub hint: String,
}

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookKind {
    /// Null in this column (by its position).
    Null(usize),
    /// A value of this column that does not convert.
    Unconverted(usize),
    /// A text in this column with more characters.
    TooLong(usize, u32),
    /// A key in this column that the table it links to does not have.
    Missing(usize),
    /// A record with several rows in the old join table that this column comes from.
    Several(usize),
    /// Records with the same values in these columns of a unique, by its position.
    Duplicate(usize),
    /// Records that do not obey this check, by its position.
    Check(usize),
    /// Links of a join table of the new schema (by its position) to records that are not there.
    MissingEnds(usize),
}

/// All that must be looked at.
pub(super) fn looks(migration: &Migration) -> Vec<Look> {
    let mut looks = Vec::new();
    for (at, (new, change)) in migration.to.tables.iter().zip(&migration.tables).enumerate() {
        let old = change.old.as_deref().and_then(|old| migration.from.table(old));
        if let Some(old) = old {
            Looker { migration, at, new, old, change, looks: &mut looks }.look();
        }
    }
    for (at, (join, change)) in migration.to.joins.iter().zip(&migration.joins).enumerate() {
        let moved = match &change.source {
            JoinSource::New => continue,
            JoinSource::Join(old) => {
                let old = migration.from.joins.iter().find(|of| of.table == *old);
                old.is_some_and(|old| migration.source_of(&join.to_table) != Some(old.to_table.as_str()))
            }
            JoinSource::Column(table, column) => {
                let keys = migration.from.table(table).map(|table| table.foreign_keys.as_slice()).unwrap_or_default();
                let key = keys.iter().find(|key| key.column == *column);
                key.is_some_and(|key| migration.source_of(&join.to_table) != Some(key.table.as_str()))
            }
        };
        if let (true, Some(table)) = (moved, migration.to.tables.iter().position(|of| of.table == join.from_table)) {
            let name = format!("{}.{}", migration.to.tables[table].collection, join.field);
            looks.push(Look {
                table,
                kind: LookKind::MissingEnds(at),
                what: format!("\"{name}\" links to records that are not there"),
                hint: "create the records with these keys first, or clear the links".to_owned(),
            });
        }
    }
    looks
}

impl Migration {
    /// The old table that a new one comes from.
    pub fn source_of(&self, table: &str) -> Option<&str> {
        let at = self.to.tables.iter().position(|of| of.table == table)?;
        self.tables[at].old.as_deref()
    }
}

struct Looker<'a> {
    migration: &'a Migration,
    at: usize,
    new: &'a TableSnapshot,
    old: &'a TableSnapshot,
    change: &'a TableChange,
    looks: &'a mut Vec<Look>,
}

impl Looker<'_> {
    fn look(&mut self) {
        for (at, (column, change)) in self.new.columns.iter().zip(&self.change.columns).enumerate() {
            self.column(at, column, change);
        }
        for (at, unique) in self.new.uniques.iter().enumerate() {
            let columns = unique.columns.iter().map(|name| self.new.columns.iter().position(|of| of.column == *name));
            let Some(columns) = columns.collect::<Option<Vec<_>>>() else { continue };
            if !self.was_unique(&columns, unique.condition.as_ref()) && !columns.iter().any(|at| self.is_null(*at)) {
                let among = unique.condition.as_ref().map_or(String::new(), |of| format!(", where {}", of.describe()));
                let what = format!("several records have the same {}{among}", self.names(&columns));
                self.push(LookKind::Duplicate(at), what, "change them so that they differ");
            }
        }
        let Some(checks) = &self.new.checks else { return };
        let known = self.old.checks.as_deref();
        for (at, check) in checks.iter().enumerate() {
            let is_known = known.is_none_or(|known| known.contains(check));
            if !is_known || self.change.columns.iter().any(changes_values) {
                let of = check.field.as_ref().map_or(String::new(), |field| format!(".{field}"));
                let what = format!("the check of \"{}{of}\" does not hold: {}", self.new.collection, check.expr);
                self.push(LookKind::Check(at), what, "change them so that they obey");
            }
        }
    }

    fn push(&mut self, kind: LookKind, what: String, hint: &str) {
        self.looks.push(Look { table: self.at, kind, what, hint: hint.to_owned() });
    }

    fn column(&mut self, at: usize, column: &ColumnSnapshot, change: &ColumnChange) {
        let name = format!("{}.{}", self.new.collection, column.field);
        let old = match &change.source {
            ColumnSource::Column(name) => self.old.columns.iter().find(|of| of.column == *name),
            _ => None,
        };
        if let ColumnSource::Join(_) = change.source {
            let what = format!("\"{name}\" becomes a link to one, but leads to several");
            self.push(LookKind::Several(at), what, "remove the links that are too many");
        }
        if let Some(conversion) = &change.conversion {
            let (from, to) = conversion.describe();
            let what = match from == to {
                true => format!("\"{name}\" has values that are no {to} any more"),
                false => format!("values of \"{name}\" do not become {to} from {from} without loss"),
            };
            self.push(LookKind::Unconverted(at), what, "change the values, or clear them");
        }
        if column.required && !change.defaults && old.is_none_or(|old| !old.required) {
            let what = if change.source == ColumnSource::New && !change.backfills {
                format!("\"{name}\" is new and required, and nothing gives these records a value")
            } else {
                format!("\"{name}\" is required, and null here")
            };
            self.push(LookKind::Null(at), what, "fill them: @backfill(expr: \"…\"), or @default(value: …)");
        }
        if let Some(most) = column.length_max {
            let was = old.and_then(|old| old.length_max).filter(|_| change.conversion.is_none() && !change.backfills);
            if was.is_none_or(|was| was > most) && (old.is_some() || change.backfills) {
                let what = format!("texts of \"{name}\" are longer than {most} characters, the most that it may have");
                let hint = format!(
                    "shorten them; a unique or indexed text has 255 unless its check says more, up to 650: @check(expr: \"size({}) <= 650\")",
                    column.field
                );
                self.push(LookKind::TooLong(at, most), what, &hint);
            }
        }
        self.link(at, column, change, &name);
    }

    fn link(&mut self, at: usize, column: &ColumnSnapshot, change: &ColumnChange, name: &str) {
        let Some(key) = self.new.foreign_keys.iter().find(|key| key.column == column.column) else { return };
        let target = self.migration.source_of(&key.table);
        let was = match &change.source {
            ColumnSource::New => None,
            ColumnSource::Column(name) => {
                let old = self.old.foreign_keys.iter().find(|key| key.column == *name);
                old.map(|old| old.table.as_str())
            }
            ColumnSource::Join(name) => {
                let old = self.migration.from.joins.iter().find(|join| join.table == *name);
                old.map(|old| old.to_table.as_str())
            }
        };
        let comes = change.source != ColumnSource::New || change.backfills;
        if comes && (was.is_none() || was != target || change.backfills) {
            let what = format!("\"{name}\" links to records of \"{}\" that are not there", key.table);
            self.push(LookKind::Missing(at), what, "create the records with these keys first, or clear the links");
        }
    }

    fn names(&self, columns: &[usize]) -> String {
        let names = columns.iter().map(|at| format!("\"{}.{}\"", self.new.collection, self.new.columns[*at].field));
        names.collect::<Vec<_>>().join(", ")
    }

    /// Whether a column is null in every record.
    fn is_null(&self, at: usize) -> bool {
        let change = &self.change.columns[at];
        change.source == ColumnSource::New && !change.defaults && !change.backfills
    }

    /// Whether the old table had the same unique over the same values, or a narrower one.
    fn was_unique(&self, columns: &[usize], condition: Option<&ConditionSnapshot>) -> bool {
        let stays = |at: &usize| {
            let change = &self.change.columns[*at];
            match &change.source {
                ColumnSource::Column(name) if !changes_values(change) => Some(name.as_str()),
                _ => None,
            }
        };
        let names: Vec<&str> = columns.iter().filter_map(stays).collect();
        // The same condition over other values is another one.
        let same = |old: &ConditionSnapshot| {
            let now = |column: &str| {
                let all = 0..self.new.columns.len();
                let at = all.into_iter().find(|at| stays(at) == Some(column));
                at.map_or_else(String::new, |at| self.new.columns[at].column.clone())
            };
            condition == Some(&old.renamed(&now))
        };
        let covers = |old: &UniqueSnapshot| old.columns.iter().all(|column| names.contains(&column.as_str()));
        self.old.uniques.iter().any(|old| covers(old) && old.condition.as_ref().is_none_or(same))
    }
}

/// Whether the values of a column are other ones than before.
fn changes_values(change: &ColumnChange) -> bool {
    let is_given = change.source == ColumnSource::New && change.defaults;
    change.conversion.is_some()
        || change.backfills
        || change.defaults
        || is_given
        || matches!(change.source, ColumnSource::Join(_))
}

//! The steps in words, each with its class and why.
use super::{
    Class, ColumnChange, ColumnSource, JoinChange, JoinSource, Step, StepKind, TableChange,
    form::{Form, MemberForm, source, targets},
};
use crate::{
    CheckSnapshot, ColumnSnapshot, EnumSnapshot, IndexSnapshot, JoinSnapshot, Schema, Snapshot, TableSnapshot,
    UniqueSnapshot,
};

mod columns;
mod types;

const NEW: &str = "nodes with the old schema do not know it";
const LOST: &str = "its data is lost";
const OLD_NAME: &str = "nodes with the old schema ask for the old name";
const OLD_WRITES: &str = "nodes with the old schema write what does not obey it";
const OLD_READS: &str = "nodes with the old schema cannot read what it becomes";
const LOOSER: &str = "what nodes with the old schema write obeys it too";
const FEED: &str = "records and answers stay as they are";
const UNTOLD: &str = "nodes with the old schema write without telling the feed";
const SPEED: &str = "it changes speed alone";

/// The steps, in the order of reading.
pub(super) fn steps(
    old: &Snapshot,
    new: &Snapshot,
    tables: &[TableChange],
    joins: &[JoinChange],
    schema: &Schema,
) -> Vec<Step> {
    let mut differ = Differ { old, new, tables, joins, schema, steps: Vec::new() };
    differ.enums();
    differ.embedded();
    differ.tables();
    differ.links();
    differ.steps
}

struct Differ<'a> {
    old: &'a Snapshot,
    new: &'a Snapshot,
    tables: &'a [TableChange],
    joins: &'a [JoinChange],
    schema: &'a Schema,
    steps: Vec<Step>,
}

impl Differ<'_> {
    fn step(&mut self, kind: StepKind, subject: impl Into<String>, text: String, class: Class, why: &'static str) {
        self.steps.push(Step { kind, subject: subject.into(), text, class, why });
    }

    fn tables(&mut self) {
        let (old, tables) = (self.old, self.tables);
        for of in &old.tables {
            if !tables.iter().any(|change| change.old.as_deref() == Some(of.table.as_str())) {
                let text = format!("drop table \"{}\" of \"{}\", with all its records", of.table, of.collection);
                self.step(StepKind::DropTable, &of.collection, text, Class::Destructive, LOST);
            }
        }
        for (new, change) in self.new.tables.iter().zip(tables) {
            match change.old.as_deref().and_then(|name| old.table(name)) {
                Some(old) => self.table(old, new, change),
                None => {
                    let text = format!("create table \"{}\" for \"{}\"", new.table, new.collection);
                    self.step(StepKind::CreateTable, &new.collection, text, Class::Additive, NEW);
                }
            }
        }
    }

    fn table(&mut self, old: &TableSnapshot, new: &TableSnapshot, change: &TableChange) {
        if old.collection != new.collection || old.table != new.table {
            let text = format!("rename \"{}\" to \"{}\": table \"{}\"", old.collection, new.collection, new.table);
            self.step(StepKind::RenameTable, &new.collection, text, Class::NeedsDrain, OLD_NAME);
        }
        if old.key != new.key {
            let text = format!("the kind of key of \"{}\" cannot change", new.collection);
            let why = "every link and every address holds its keys: make a new type, and export and import the records";
            self.step(StepKind::ChangeKey, &new.collection, text, Class::Refused, why);
        }
        for column in &old.columns {
            let is_source =
                |change: &ColumnChange| matches!(&change.source, ColumnSource::Column(name) if *name == column.column);
            let in_join =
                |join: &JoinChange| join.source == JoinSource::Column(old.table.clone(), column.column.clone());
            if !change.columns.iter().any(is_source) && !self.joins.iter().any(in_join) {
                let subject = format!("{}.{}", new.collection, column.field);
                let text = format!("drop column \"{}\" of \"{}\", with its values", column.column, new.table);
                self.step(StepKind::DropColumn, subject, text, Class::Destructive, LOST);
            }
        }
        for (column, source) in new.columns.iter().zip(&change.columns) {
            self.column(old, new, column, source);
        }
        self.uniques(old, new, change);
        self.indexes(old, new, change);
        self.checks(old, new);
        self.changes(old, new);
    }

    fn changes(&mut self, old: &TableSnapshot, new: &TableSnapshot) {
        if old.changes_off == new.changes_off {
            return;
        }
        let of = &new.collection;
        if new.changes_off {
            let text = format!("the change feed keeps nothing of \"{of}\" any more");
            self.step(StepKind::DropChanges, of, text, Class::Additive, FEED);
        } else {
            let text = format!("the change feed keeps \"{of}\", from now on");
            self.step(StepKind::KeepChanges, of, text, Class::NeedsDrain, UNTOLD);
        }
    }

    /// The columns of an old unique or index, as they are called now.
    fn renamed(columns: &[String], new: &TableSnapshot, change: &TableChange) -> Vec<String> {
        columns.iter().map(|old| Self::renamed_one(old, new, change)).collect()
    }

    fn renamed_one(old: &str, new: &TableSnapshot, change: &TableChange) -> String {
        let at = change.columns.iter().position(|of| matches!(&of.source, ColumnSource::Column(name) if name == old));
        at.map_or_else(|| format!("{old} (gone)"), |at| new.columns[at].column.clone())
    }

    fn uniques(&mut self, old: &TableSnapshot, new: &TableSnapshot, change: &TableChange) {
        // By its name alone a unique is no other.
        let nameless = |of: UniqueSnapshot| UniqueSnapshot { name: String::new(), ..of };
        let now = |of: &UniqueSnapshot| UniqueSnapshot {
            name: String::new(),
            columns: Self::renamed(&of.columns, new, change),
            condition: of.condition.as_ref().map(|of| of.renamed(&|column| Self::renamed_one(column, new, change))),
        };
        let was: Vec<_> = old.uniques.iter().map(now).collect();
        let is: Vec<_> = new.uniques.iter().cloned().map(nameless).collect();
        let among = |of: &UniqueSnapshot| {
            of.condition.as_ref().map_or(String::new(), |condition| format!(" where {}", condition.describe()))
        };
        for gone in was.iter().filter(|was| !is.contains(was)) {
            let text = format!("{} of \"{}\" is no longer unique{}", quoted(&gone.columns), new.table, among(gone));
            let why = "nodes with the old schema look records up by it";
            self.step(StepKind::DropUnique, &new.collection, text, Class::NeedsDrain, why);
        }
        for unique in is.iter().filter(|of| !was.contains(of)) {
            let columns = &unique.columns;
            let is_new = |at: usize| {
                let change = &change.columns[at];
                change.source == ColumnSource::New && !change.defaults && !change.backfills
            };
            let mut positions = new.columns.iter().enumerate().filter(|(_, of)| columns.contains(&of.column));
            let (class, why) = match positions.any(|(at, _)| is_new(at)) {
                true => (Class::Additive, NEW),
                false => (Class::NeedsDrain, OLD_WRITES),
            };
            let text = format!("make {} unique in \"{}\"{}", quoted(columns), new.table, among(unique));
            self.step(StepKind::AddUnique, &new.collection, text, class, why);
        }
    }

    fn indexes(&mut self, old: &TableSnapshot, new: &TableSnapshot, change: &TableChange) {
        let was: Vec<_> = old.indexes.iter().map(|of| Self::renamed(&of.columns, new, change)).collect();
        for columns in was.iter().filter(|was| !new.indexes.iter().any(|of| of.columns == **was)) {
            let text = format!("drop the index of \"{}\" by {}", new.table, quoted(columns));
            self.step(StepKind::DropIndex, &new.collection, text, Class::Additive, SPEED);
        }
        for IndexSnapshot { columns, .. } in new.indexes.iter().filter(|of| !was.contains(&of.columns)) {
            let text = format!("index \"{}\" by {}", new.table, quoted(columns));
            self.step(StepKind::AddIndex, &new.collection, text, Class::Additive, SPEED);
        }
    }

    /// Checks of databases that did not remember them are taken as known.
    fn checks(&mut self, old: &TableSnapshot, new: &TableSnapshot) {
        let (Some(was), Some(is)) = (&old.checks, &new.checks) else { return };
        let subject = |check: &CheckSnapshot| match &check.field {
            Some(field) => format!("{}.{field}", new.collection),
            None => new.collection.clone(),
        };
        for check in was.iter().filter(|check| !is.contains(check)) {
            let text = format!("\"{}\" is no longer checked: {}", subject(check), check.expr);
            self.step(StepKind::DropCheck, subject(check), text, Class::Additive, LOOSER);
        }
        for check in is.iter().filter(|check| !was.contains(check)) {
            let text = format!("check \"{}\": {}", subject(check), check.expr);
            self.step(StepKind::AddCheck, subject(check), text, Class::NeedsDrain, OLD_WRITES);
        }
    }

    fn links(&mut self) {
        let used = |table: &str| {
            let by_join = self.joins.iter().any(|of| of.source == JoinSource::Join(table.to_owned()));
            let by_column = |of: &ColumnChange| of.source == ColumnSource::Join(table.to_owned());
            by_join || self.tables.iter().flat_map(|of| &of.columns).any(by_column)
        };
        let dropped: Vec<&JoinSnapshot> = self.old.joins.iter().filter(|join| !used(&join.table)).collect();
        for join in dropped {
            let text = format!("drop join table \"{}\", with its links", join.table);
            self.step(StepKind::DropJoin, &join.table, text, Class::Destructive, LOST);
        }
        for (new, change) in self.new.joins.iter().zip(self.joins) {
            self.join(new, change);
        }
    }

    fn join(&mut self, new: &JoinSnapshot, change: &JoinChange) {
        let (table, from, to) = (&new.table, &new.from_table, &new.to_table);
        match &change.source {
            JoinSource::New => {
                let text = format!("create join table \"{table}\" from \"{from}\" to \"{to}\"");
                self.step(StepKind::CreateJoin, table, text, Class::Additive, NEW);
            }
            JoinSource::Column(_, column) => {
                let text = format!("move the links of column \"{column}\" to join table \"{table}\"");
                self.step(StepKind::LinkToMany, table, text, Class::NeedsDrain, OLD_READS);
            }
            JoinSource::Join(name) => {
                let Some(old) = self.old.joins.iter().find(|join| join.table == *name) else { return };
                if old.table != *table {
                    let text = format!("rename join table \"{name}\" to \"{table}\"");
                    self.step(StepKind::RenameJoin, table, text, Class::NeedsDrain, OLD_NAME);
                }
                if self.source_of(to) != Some(old.to_table.as_str()) {
                    let text = format!("point join table \"{table}\" at \"{to}\" instead of \"{}\"", old.to_table);
                    self.step(StepKind::Retarget, table, text, Class::NeedsDrain, OLD_WRITES);
                }
            }
        }
    }

    /// The old table that a new one comes from.
    fn source_of(&self, table: &str) -> Option<&str> {
        let at = self.new.tables.iter().position(|of| of.table == table)?;
        self.tables[at].old.as_deref()
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

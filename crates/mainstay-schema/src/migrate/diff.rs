//! Two snapshots compared.
use std::collections::HashSet;

use super::{Class, Step, StepKind};
use crate::snapshot::{
    ColumnSnapshot, ColumnType, EnumSnapshot, IndexSnapshot, Snapshot, TableSnapshot, UniqueSnapshot,
};

/// The steps that lead from the `old` tables (`None`: an empty database) to the `new` ones, in the order to carry them out.
/// No steps: nothing to do.
pub fn diff(old: Option<&Snapshot>, new: &Snapshot) -> Vec<Step> {
    let nothing = Snapshot::default();
    let mut differ = Differ { old: old.unwrap_or(&nothing), new, steps: Vec::new() };
    differ.enums();
    differ.embedded();
    differ.tables();
    differ.joins();
    differ.steps
}

struct Differ<'a> {
    old: &'a Snapshot,
    new: &'a Snapshot,
    steps: Vec<Step>,
}

impl Differ<'_> {
    fn additive(&mut self, kind: StepKind) {
        self.steps.push(Step { kind, class: Class::Additive });
    }

    fn unsupported(&mut self, class: Class, what: String) {
        self.steps.push(Step { kind: StepKind::Unsupported { what: format!("{what} is not available yet") }, class });
    }

    fn enums(&mut self) {
        for old in &self.old.enums {
            match self.new.enums.iter().find(|new| new.name == old.name) {
                Some(new) => self.enum_values(old, new),
                // Its columns are gone too, or the schema would not have loaded; they are told of by their tables.
                None => continue,
            }
        }
    }

    fn enum_values(&mut self, old: &EnumSnapshot, new: &EnumSnapshot) {
        for value in old.values.iter().filter(|value| !new.values.contains(value)) {
            self.unsupported(Class::NeedsDrain, format!("dropping value \"{value}\" of enum \"{}\"", old.name));
        }
        let added: Vec<String> = new.values.iter().filter(|value| !old.values.contains(value)).cloned().collect();
        if !added.is_empty() {
            let uses = |table: &&TableSnapshot| table.columns.iter().any(|column| column.ty.uses_enum(&new.name));
            let tables = self.old.tables.iter().filter(uses).cloned().collect();
            let (name, values) = (new.name.clone(), new.values.clone());
            self.additive(StepKind::AddEnumValues { name, added, values, tables });
        }
    }

    /// Values of an embedded type stay as they are written: a new optional member is null in them, all else would be wrong.
    fn embedded(&mut self) {
        for new in &self.new.embedded {
            let Some(old) = self.old.embedded.iter().find(|old| old.name == new.name) else { continue };
            for member in &old.members {
                let name = format!("member \"{}.{}\"", new.name, member.name);
                match new.members.iter().find(|other| other.name == member.name) {
                    None => self.unsupported(Class::Destructive, format!("dropping {name}")),
                    Some(other) if other.ty != member.ty => {
                        self.unsupported(Class::NeedsDrain, format!("changing the type of {name}"));
                    }
                    Some(other) if other.required && !member.required => {
                        self.unsupported(Class::NeedsDrain, format!("making {name} required"));
                    }
                    Some(_) => {}
                }
            }
            let is_new = |name: &str| !old.members.iter().any(|other| other.name == name);
            for member in new.members.iter().filter(|member| member.required && is_new(&member.name)) {
                let what = format!("adding required member \"{}.{}\"", new.name, member.name);
                self.unsupported(Class::NeedsDrain, what);
            }
        }
    }

    fn tables(&mut self) {
        for old in &self.old.tables {
            if self.new.table(&old.table).is_none() {
                self.unsupported(Class::Destructive, format!("dropping type \"{}\"", old.collection));
            }
        }
        for new in &self.new.tables {
            match self.old.table(&new.table) {
                Some(old) => self.table(old, new),
                None => self.additive(StepKind::CreateTable { table: new.clone() }),
            }
        }
    }

    fn table(&mut self, old: &TableSnapshot, new: &TableSnapshot) {
        if old.key != new.key {
            self.unsupported(Class::Destructive, format!("changing the kind of key of type \"{}\"", new.collection));
        }
        let key_stays = |column: &&ColumnSnapshot| column.field != "id" || old.key == new.key;
        for column in old.columns.iter().filter(key_stays) {
            match new.columns.iter().find(|other| other.column == column.column) {
                Some(other) => self.column(column, other, new),
                None => self.unsupported(Class::Destructive, format!("dropping {}", field(new, column))),
            }
        }
        let mut added = HashSet::new();
        for column in &new.columns {
            if !old.columns.iter().any(|other| other.column == column.column) {
                added.insert(column.column.as_str());
                self.added_column(new, column);
            }
        }
        self.foreign_keys(old, new);
        self.uniques(old, new, &added);
        self.indexes(old, new);
    }

    fn column(&mut self, old: &ColumnSnapshot, new: &ColumnSnapshot, table: &TableSnapshot) {
        let name = field(table, new);
        if old.ty != new.ty {
            self.unsupported(Class::NeedsDrain, format!("changing the type of {name}"));
            return;
        }
        match (old.required, new.required) {
            (false, true) => self.unsupported(Class::NeedsDrain, format!("making {name} required")),
            (true, false) => self.unsupported(Class::NeedsDrain, format!("making {name} optional")),
            _ => {}
        }
        if old.default != new.default {
            self.unsupported(Class::NeedsDrain, format!("changing the default of {name}"));
        }
        match (old.length_max, new.length_max) {
            (None, Some(most)) => {
                let what = format!("limiting {name} to {most} characters, which its first index or unique asks for,");
                self.unsupported(Class::NeedsDrain, what);
            }
            (Some(old), Some(new)) if old != new => {
                self.unsupported(Class::NeedsDrain, format!("changing the maximum length of {name}"));
            }
            // The last index or unique is gone, and its limit with it: the column stays as it is.
            _ => {}
        }
    }

    fn added_column(&mut self, table: &TableSnapshot, column: &ColumnSnapshot) {
        if column.required && column.default.is_none() {
            let name = field(table, column);
            let what = format!("adding required {name} without @default(value:)");
            return self.unsupported(Class::NeedsDrain, what);
        }
        let foreign_key = table.foreign_keys.iter().find(|key| key.column == column.column).cloned();
        self.additive(StepKind::AddColumn { table: table.clone(), column: column.clone(), foreign_key });
    }

    fn foreign_keys(&mut self, old: &TableSnapshot, new: &TableSnapshot) {
        for key in &old.foreign_keys {
            if let Some(other) = new.foreign_keys.iter().find(|other| other.column == key.column && other != &key) {
                let (table, column) = (&new.collection, &key.column);
                let what =
                    format!("pointing \"{table}.{column}\" at table \"{}\" instead of \"{}\"", other.table, key.table);
                self.unsupported(Class::Destructive, what);
            }
        }
    }

    fn uniques(&mut self, old: &TableSnapshot, new: &TableSnapshot, added: &HashSet<&str>) {
        let is_in =
            |of: &[UniqueSnapshot], unique: &UniqueSnapshot| of.iter().any(|other| other.columns == unique.columns);
        for unique in old.uniques.iter().filter(|unique| !is_in(&new.uniques, unique)) {
            let columns = unique.columns.join(", ");
            self.unsupported(
                Class::NeedsDrain,
                format!("dropping the unique \"{columns}\" of type \"{}\"", new.collection),
            );
        }
        for unique in new.uniques.iter().filter(|unique| !is_in(&old.uniques, unique)) {
            // An optional new column is null everywhere, and nulls are never equal: nothing stored can be in the way.
            let is_free = |column: &ColumnSnapshot| added.contains(column.column.as_str()) && column.default.is_none();
            if new.columns.iter().any(|column| unique.columns.contains(&column.column) && is_free(column)) {
                self.additive(StepKind::CreateUnique { table: new.table.clone(), unique: unique.clone() });
            } else {
                let columns = unique.columns.join(", ");
                self.unsupported(
                    Class::NeedsDrain,
                    format!("making \"{columns}\" of type \"{}\" unique", new.collection),
                );
            }
        }
    }

    fn indexes(&mut self, old: &TableSnapshot, new: &TableSnapshot) {
        let is_in = |of: &[IndexSnapshot], index: &IndexSnapshot| of.iter().any(|other| other.columns == index.columns);
        for index in old.indexes.iter().filter(|index| !is_in(&new.indexes, index)) {
            self.additive(StepKind::DropIndex { table: new.table.clone(), index: index.clone() });
        }
        for index in new.indexes.iter().filter(|index| !is_in(&old.indexes, index)) {
            self.additive(StepKind::CreateIndex { table: new.table.clone(), index: index.clone() });
        }
    }

    fn joins(&mut self) {
        for old in &self.old.joins {
            match self.new.joins.iter().find(|new| new.table == old.table) {
                Some(new) if new == old => {}
                Some(_) => {
                    self.unsupported(Class::Destructive, format!("changing the ends of link table \"{}\"", old.table))
                }
                None => self.unsupported(
                    Class::Destructive,
                    format!("dropping the many-to-many link of table \"{}\"", old.table),
                ),
            }
        }
        for new in &self.new.joins {
            if !self.old.joins.iter().any(|old| old.table == new.table) {
                self.additive(StepKind::CreateJoin { join: new.clone() });
            }
        }
    }
}

fn field(table: &TableSnapshot, column: &ColumnSnapshot) -> String {
    format!("field \"{}.{}\"", table.collection, column.field)
}

impl ColumnType {
    /// Whether values of the enum of this name stand in such a column.
    pub fn uses_enum(&self, name: &str) -> bool {
        match self {
            ColumnType::Enum(other) => other == name,
            ColumnType::List(of) => of.uses_enum(name),
            ColumnType::Scalar(_) | ColumnType::Key(_) | ColumnType::Embedded(_) => false,
        }
    }
}

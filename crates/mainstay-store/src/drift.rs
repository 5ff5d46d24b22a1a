//! What was changed by hand: tables as they are beside those that the remembered schema makes.
use std::collections::{BTreeMap, BTreeSet};

use mainstay_schema::Migration;

use crate::{Drift, Severity};

/// Tables by name.
pub(crate) type Tables = BTreeMap<String, Table>;

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) columns: BTreeMap<String, Column>,
    /// By name.
    pub(crate) indexes: BTreeMap<String, Index>,
    /// Column, table, its column.
    pub(crate) references: BTreeSet<(String, String, String)>,
    /// The texts of CHECK, without spaces and quotes that mean nothing.
    pub(crate) checks: BTreeSet<String>,
    pub(crate) triggers: BTreeSet<String>,
    /// What else it is, in the engine's words.
    pub(crate) options: BTreeSet<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) ty: String,
    pub(crate) required: bool,
    pub(crate) default: Option<String>,
    /// Its place in the key, from 1; 0 for none.
    pub(crate) key: i64,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) unique: bool,
    /// Its columns, in order; an expression is empty.
    pub(crate) columns: Vec<String>,
    /// How they are sorted, where the engine's own way is not the wanted one.
    pub(crate) sorted: Vec<String>,
    /// The condition of a partial index.
    pub(crate) condition: Option<String>,
}

/// The differences between tables and those that are wanted, worst first. `options` are the words of the engine's options.
pub(crate) fn differences(wanted: &Tables, actual: &Tables, options: &'static str) -> Vec<Drift> {
    let mut finder = Finder { found: Vec::new(), options };
    for (name, wanted) in wanted {
        match actual.get(name) {
            Some(table) => finder.table(name, wanted, table),
            None => finder.tell(
                Severity::Broken,
                format!("table \"{name}\" is gone"),
                "requests for its records fail; bring it back from a backup".to_owned(),
            ),
        }
    }
    finder.found.sort_by_key(|drift| std::cmp::Reverse(drift.severity));
    finder.found
}

/// What of the drift is in the way of a migration: what is broken, and what would be lost with a table that is made anew.
pub(crate) fn in_the_way(
    mut found: Vec<Drift>,
    (expected, actual): (&Tables, &Tables),
    migration: &Migration,
    rebuilt: &[String],
) -> Vec<Drift> {
    found.retain(|drift| drift.severity == Severity::Broken);
    let mut tell = |what: String, meaning: &str| {
        found.push(Drift { what, severity: Severity::Broken, meaning: meaning.to_owned() });
    };
    for name in rebuilt {
        let (Some(is), Some(wanted)) = (actual.get(name), expected.get(name)) else { continue };
        let lost = "the table is made anew, and it would be lost: drop it first, or declare it in the schema";
        let kept = "the table is made anew, and it would be lost: drop it first, and make it again afterwards";
        for column in is.columns.keys().filter(|column| !wanted.columns.contains_key(*column)) {
            tell(format!("table \"{name}\" has a column \"{column}\" of its own"), lost);
        }
        for index in is.indexes.iter().filter(|(_, index)| !wanted.indexes.values().any(|of| of == *index)) {
            tell(format!("table \"{name}\" has an index \"{}\" of its own", index.0), kept);
        }
        for trigger in &is.triggers {
            tell(format!("table \"{name}\" has a trigger \"{trigger}\""), kept);
        }
    }
    let to = &migration.to;
    let names = to.tables.iter().map(|of| &of.table).chain(to.joins.iter().map(|of| &of.table));
    for name in names.filter(|name| actual.contains_key(*name) && !expected.contains_key(*name)) {
        tell(format!("there is a table \"{name}\" already, which the schema did not make"), "rename it or drop it");
    }
    found
}

struct Finder {
    found: Vec<Drift>,
    options: &'static str,
}

impl Finder {
    fn tell(&mut self, severity: Severity, what: String, meaning: String) {
        self.found.push(Drift { what, severity, meaning });
    }

    fn table(&mut self, name: &str, wanted: &Table, is: &Table) {
        for (column, wanted) in &wanted.columns {
            match is.columns.get(column) {
                Some(is) => self.column(name, column, wanted, is),
                None => self.tell(
                    Severity::Broken,
                    format!("column \"{column}\" of table \"{name}\" is gone"),
                    "requests for it fail; bring it back from a backup".to_owned(),
                ),
            }
        }
        for (column, of) in is.columns.iter().filter(|(column, _)| !wanted.columns.contains_key(*column)) {
            let what = format!("table \"{name}\" has a column \"{column}\" of its own");
            if of.required && of.default.is_none() {
                self.tell(Severity::Broken, what, "creates fail: it is NOT NULL and has no default".to_owned());
            } else {
                self.tell(Severity::Harmless, what, "it is left alone".to_owned());
            }
        }
        self.indexes(name, wanted, is);
        self.nets(name, wanted, is);
        for trigger in &is.triggers {
            let what = format!("table \"{name}\" has a trigger \"{trigger}\"");
            self.tell(Severity::Weaker, what, "what it writes, no rule and no check sees".to_owned());
        }
    }

    fn column(&mut self, table: &str, name: &str, wanted: &Column, is: &Column) {
        let of = format!("column \"{name}\" of table \"{table}\"");
        if !wanted.ty.eq_ignore_ascii_case(&is.ty) {
            let what = format!("{of} is of type {}, not {}", is.ty, wanted.ty);
            self.tell(Severity::Broken, what, "requests for it fail, or answer something else".to_owned());
        }
        if wanted.key != is.key {
            self.tell(
                Severity::Broken,
                format!("{of} is no longer the key it was"),
                "records are not found".to_owned(),
            );
        }
        match (wanted.required, is.required) {
            (true, false) => {
                let meaning = "null can come in from elsewhere; requests that meet it fail".to_owned();
                self.tell(Severity::Weaker, format!("{of} is no longer NOT NULL"), meaning);
            }
            (false, true) => {
                self.tell(Severity::Broken, format!("{of} is NOT NULL"), "writes that leave it empty fail".to_owned());
            }
            _ => {}
        }
        if wanted.default != is.default {
            let default = |of: &Column| of.default.clone().unwrap_or_else(|| "nothing".to_owned());
            let what = format!("the default of {of} is {}, not {}", default(is), default(wanted));
            self.tell(Severity::Harmless, what, "requests bring their own".to_owned());
        }
    }

    fn indexes(&mut self, table: &str, wanted: &Table, is: &Table) {
        let is_in = |of: &Table, index: &Index| of.indexes.values().any(|other| other == index);
        for (name, index) in wanted.indexes.iter().filter(|(_, index)| !is_in(is, index)) {
            let (kind, columns) = (if index.unique { "UNIQUE INDEX" } else { "INDEX" }, quoted(&index.columns));
            let sorted = if index.sorted.is_empty() { columns.clone() } else { index.sorted.join(", ") };
            let condition = index.condition.as_ref().map_or(String::new(), |condition| format!(" WHERE {condition}"));
            let repair = format!("CREATE {kind} \"{name}\" ON \"{table}\" ({sorted}){condition};");
            if index.unique {
                let what = format!("the unique of {columns} of table \"{table}\" is gone");
                let meaning = format!("records that should differ may be the same; repair: {repair}");
                self.tell(Severity::Broken, what, meaning);
            } else {
                let what = format!("the index of table \"{table}\" by {columns} is gone");
                self.tell(Severity::Weaker, what, format!("reads are slower; repair: {repair}"));
            }
        }
        for (name, index) in is.indexes.iter().filter(|(_, index)| !is_in(wanted, index)) {
            let what = format!("table \"{table}\" has an index \"{name}\" of its own");
            if index.unique {
                let meaning = "writes that break it are refused, and the schema does not say so".to_owned();
                self.tell(Severity::Weaker, what, meaning);
            } else {
                self.tell(Severity::Harmless, what, "it is left alone".to_owned());
            }
        }
    }

    fn nets(&mut self, table: &str, wanted: &Table, is: &Table) {
        for (column, to, _) in wanted.references.difference(&is.references) {
            let what = format!("the foreign key of column \"{column}\" of table \"{table}\" to \"{to}\" is gone");
            let meaning = "links are still looked at by every request; the net below is gone".to_owned();
            self.tell(Severity::Weaker, what, meaning);
        }
        for (column, to, _) in is.references.difference(&wanted.references) {
            let what = format!("column \"{column}\" of table \"{table}\" has a foreign key to \"{to}\" of its own");
            self.tell(Severity::Weaker, what, "writes that break it fail".to_owned());
        }
        for check in wanted.checks.difference(&is.checks) {
            let what = format!("a check of table \"{table}\" is gone: {check}");
            self.tell(Severity::Weaker, what, "other values can come in from elsewhere".to_owned());
        }
        for check in is.checks.difference(&wanted.checks) {
            let what = format!("table \"{table}\" has a check of its own: {check}");
            self.tell(Severity::Weaker, what, "writes that break it fail".to_owned());
        }
        if wanted.options != is.options {
            let what = format!("table \"{table}\" has other options ({})", self.options);
            self.tell(Severity::Weaker, what, "values of other types can come in, or keys be given twice".to_owned());
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

//! What was changed by hand: the tables as they are beside those that the remembered schema makes.
use std::collections::BTreeMap;

use mainstay_schema::{Migration, Snapshot, fingerprint};
use rusqlite::Connection;

use super::{
    SqliteDialect,
    failure::store_error,
    introspect::{Column, Index, Table, tables},
};
use crate::{Drift, Severity, StoreError, sql};

/// The differences between the tables and what is remembered of them, worst first.
pub(super) fn drift(connection: &Connection, remembered: &Snapshot) -> Result<Vec<Drift>, StoreError> {
    let failed = |error| store_error(error, 0);
    let actual = tables(connection).map_err(failed)?;
    let expected = made(remembered).map_err(failed)?;
    let mut finder = Finder { found: Vec::new() };
    for (name, wanted) in &expected {
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
    Ok(finder.found)
}

/// What of the drift is in the way of a migration: what is broken, and what would be lost with a table that is made anew.
pub(super) fn in_the_way(
    connection: &Connection,
    migration: &Migration,
    rebuilt: &[String],
) -> Result<Vec<Drift>, StoreError> {
    let mut found = drift(connection, &migration.from)?;
    found.retain(|drift| drift.severity == Severity::Broken);
    let failed = |error| store_error(error, 0);
    let actual = tables(connection).map_err(failed)?;
    let expected = made(&migration.from).map_err(failed)?;
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
    Ok(found)
}

/// A hash of the tables that the schema knows, as they really are.
pub(super) fn tables_fingerprint(connection: &Connection, remembered: &Snapshot) -> Result<String, StoreError> {
    let failed = |error| store_error(error, 0);
    let expected = made(remembered).map_err(failed)?;
    let mut actual = tables(connection).map_err(failed)?;
    actual.retain(|name, _| expected.contains_key(name));
    Ok(fingerprint(format!("{actual:?}").as_bytes()))
}

/// The tables that a schema makes in an empty database.
pub(super) fn made(snapshot: &Snapshot) -> rusqlite::Result<BTreeMap<String, Table>> {
    let connection = Connection::open_in_memory()?;
    for statement in sql::create_all(&SqliteDialect, snapshot) {
        connection.execute_batch(&statement)?;
    }
    tables(&connection)
}

struct Finder {
    found: Vec<Drift>,
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
            let condition = index.condition.as_ref().map_or(String::new(), |condition| format!(" WHERE {condition}"));
            let repair = format!("CREATE {kind} \"{name}\" ON \"{table}\" ({columns}){condition};");
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
            let what = format!("table \"{table}\" has other options (STRICT, WITHOUT ROWID, AUTOINCREMENT)");
            self.tell(Severity::Weaker, what, "values of other types can come in, or keys be given twice".to_owned());
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

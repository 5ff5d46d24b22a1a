//! A migration of an engine that changes tables where they stand, in one transaction:
//!
//! 1. what is new in records that are there is computed from the old tables, and put aside in tables of the transaction;
//! 2. foreign keys, tables and indexes that are no longer wanted go, and what is left gets its new name;
//! 3. columns come and go, and are filled with what was put aside;
//! 4. new tables are made, then foreign keys and indexes, and the feed begins anew of which it was off.
//!
//! So views, grants and triggers of a table stay, and a table is written anew only where its records change.
use mainstay_schema::{Class, ColumnSource, JoinSource, Migration, Schema, StepKind};

use super::{Call, CallRows, InspectionSql, keep_changes, projection::Projection};
use crate::{
    StoreError,
    sql::{Dialect, Sql},
};

mod aside;
mod columns;
mod matches;
mod names;
mod tables;

use matches::Matches;

pub(super) use matches::is_time;
pub(in crate::sql) use names::bounded;
pub use tables::create_in_place;

/// A migration, written down.
#[derive(Debug, Default)]
pub struct InPlaceSql {
    /// What has to be looked at first.
    pub looks: Vec<InspectionSql>,
    /// What looks and statements have computed before them, in order: the n-th gives table `mainstay_migrate_n`.
    pub calls: Vec<(Call, CallRows)>,
    /// The old tables that are read before they are changed: nobody may write them meanwhile.
    pub reads: Vec<String>,
    /// The statements, in order.
    pub statements: Vec<InPlace>,
    /// What is looked at after the transaction, under no lock that anybody waits for.
    pub validations: Vec<String>,
    /// Whether nodes go on meanwhile: what can be made before then is, while the tables are in use.
    pub goes_on: bool,
}

/// A statement.
#[derive(Debug)]
pub struct InPlace {
    /// The statement.
    pub sql: Sql,
    /// What it makes, where that may have been made before.
    pub early: Option<Early>,
}

/// What may be made before the migration, since no node minds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Early {
    /// A column that may be null or has a default.
    Column {
        /// Its table.
        table: String,
        /// Its name.
        column: String,
    },
    /// An index.
    Index {
        /// Its table.
        table: String,
        /// Its name.
        name: String,
        /// Whether it is a unique.
        unique: bool,
    },
}

/// Writes a migration down. `namespace` is that of the tables.
pub fn in_place(
    dialect: &dyn Dialect,
    namespace: &str,
    migration: &Migration,
    schema: &Schema,
) -> Result<InPlaceSql, StoreError> {
    let mut projection = Projection {
        namespace: Some(namespace),
        computed: Some(Vec::new()),
        ..Projection::new(dialect, migration, schema)
    };
    let mut out = InPlaceSql::default();
    for look in migration.looks() {
        out.looks.push(projection.look(look)?);
    }
    let matches = Matches::of(dialect, migration);
    let mut writer = Statements {
        dialect,
        migration,
        matches: &matches,
        goes_on: migration.steps.iter().all(|step| step.class == Class::Additive || step.kind == StepKind::AddUnique),
        statements: Vec::new(),
        validations: Vec::new(),
    };
    writer.put_aside(&mut projection)?;
    writer.drop_references();
    writer.drop_tables();
    writer.drop_indexes();
    writer.rename_tables();
    writer.change_columns();
    writer.make_tables();
    writer.refer();
    writer.index();
    keep_changes(dialect, migration, schema).into_iter().for_each(|text| writer.push(text));
    let is_moved = |source: &JoinSource| matches!(source, JoinSource::Column(..));
    let moves = migration.joins.iter().any(|join| is_moved(&join.source))
        || (migration.tables.iter().flat_map(|table| &table.columns)).any(|column| {
            matches!(column.source, ColumnSource::Join(_)) || column.conversion.is_some() || column.backfills
        });
    if moves || !out.looks.is_empty() {
        let old = migration.from.tables.iter().map(|of| &of.table);
        out.reads = old.chain(migration.from.joins.iter().map(|of| &of.table)).cloned().collect();
    }
    out.goes_on = writer.goes_on;
    (out.statements, out.validations) = (writer.statements, writer.validations);
    out.calls = projection.calls.into_iter().zip(projection.computed.unwrap_or_default()).collect();
    Ok(out)
}

/// Statements in the making.
struct Statements<'a> {
    dialect: &'a dyn Dialect,
    migration: &'a Migration,
    matches: &'a Matches<'a>,
    /// Whether old nodes go on meanwhile.
    goes_on: bool,
    statements: Vec<InPlace>,
    validations: Vec<String>,
}

impl Statements<'_> {
    fn push(&mut self, text: String) {
        self.run(Sql { text, binds: Vec::new() });
    }

    fn run(&mut self, sql: Sql) {
        self.statements.push(InPlace { sql, early: None });
    }

    fn early(&mut self, text: String, early: Option<Early>) {
        self.statements.push(InPlace { sql: Sql { text, binds: Vec::new() }, early });
    }

    fn quote(&self, name: &str) -> String {
        self.dialect.quote(name)
    }
}

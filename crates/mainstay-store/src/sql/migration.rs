//! A migration as statements, in their order:
//!
//! 1. what is only called differently is renamed, as far as the new names are free;
//! 2. tables that hold something else are made anew beside the old ones, and filled from them;
//! 3. what is no longer wanted is dropped, and the new tables take its place;
//! 4. the others are altered where they stand; uniques and indexes follow, and last the feed begins anew of which it was off.
//!
//! Values that the database cannot compute by itself come from functions that the engine registers for the while: the n-th of
//! [`MigrationSql::calls`] is `mainstay_migrate_n`.
use mainstay_schema::{Collection, CollectionId, ColumnType, Conversion, FieldId, Look, Migration, Schema, StepKind};

use crate::{
    StoreError,
    sql::{Dialect, Encode, Sql, feed::keep_from_now},
};

mod calls;
mod in_place;
mod layout;
mod looks;
mod projection;
mod statements;

pub use calls::{Asked, CallRows};
pub(super) use in_place::bounded;
pub use in_place::{Early, InPlace, InPlaceSql, create_in_place, in_place};
use layout::Layout;
use projection::Projection;
use statements::Statements;

/// A migration, written down.
#[derive(Debug, Default)]
pub struct MigrationSql {
    /// What has to be looked at first.
    pub looks: Vec<InspectionSql>,
    /// The statements, in order.
    pub statements: Vec<Sql>,
    /// Whether tables are filled or dropped, so that references may lead nowhere.
    pub moves: bool,
    /// The old tables that are made anew.
    pub rebuilt: Vec<String>,
    /// The functions that both use.
    pub calls: Vec<Call>,
}

/// A look as two reads.
#[derive(Debug)]
pub struct InspectionSql {
    /// What is looked for.
    pub look: Look,
    /// How many records are found: one row, one column.
    pub count: Sql,
    /// The first of them: the key, then the columns.
    pub records: Sql,
    /// How the key is shown.
    pub key: Encode,
    /// The fields that are shown.
    pub columns: Vec<(String, Encode)>,
}

/// A function that the engine computes outside of SQL. It is called with stored values and gives a stored one.
#[derive(Clone, Debug)]
pub enum Call {
    /// Another type's value, or null where that would lose something.
    Convert {
        /// How.
        conversion: Conversion,
        /// What is given.
        from: ColumnType,
        /// What comes back.
        to: ColumnType,
    },
    /// What a field is filled with, from the record's own fields; null where that is an error.
    Backfill {
        /// The collection.
        collection: CollectionId,
        /// The field.
        field: FieldId,
        /// What is given.
        reads: Vec<FieldId>,
    },
    /// Whether a check (by its position) holds of the given fields: 0 or 1.
    Check {
        /// The collection.
        collection: CollectionId,
        /// The check.
        check: usize,
        /// What is given.
        reads: Vec<FieldId>,
    },
}

/// The fields that an expression reads, and the key, which it may read too.
fn with_key(of: &Collection, mut reads: Vec<FieldId>) -> Vec<FieldId> {
    reads.extend(of.system.id);
    reads.sort_unstable();
    reads.dedup();
    reads
}

impl Call {
    /// The name of the n-th function.
    pub(crate) fn name(at: usize) -> String {
        format!("mainstay_migrate_{at}")
    }
}

/// How many records a look shows.
pub(crate) const LOOK_RECORDS_MAX: usize = 10;

/// Writes a migration down. `schema` is the one that it leads to.
pub fn migration(dialect: &dyn Dialect, migration: &Migration, schema: &Schema) -> Result<MigrationSql, StoreError> {
    let mut out = MigrationSql::default();
    let layout = Layout::of(dialect, migration);
    let mut projection = Projection::new(dialect, migration, schema);
    for look in migration.looks() {
        out.looks.push(projection.look(look)?);
    }
    projection.present = Some(&layout);
    out.rebuilt = layout.rebuilt(migration);
    let mut writer = Statements { dialect, migration, layout: &layout, statements: Vec::new() };
    writer.rename();
    writer.make();
    let before = writer.statements.len();
    writer.fill(&mut projection)?;
    writer.drop_tables();
    out.moves = writer.statements.len() > before;
    writer.drop_indexes();
    writer.settle();
    writer.alter();
    writer.index();
    writer.keep_changes(schema);
    out.statements = writer.statements;
    out.calls = projection.calls;
    Ok(out)
}

/// What says of collections whose changes are kept again that those before are not.
fn keep_changes(dialect: &dyn Dialect, migration: &Migration, schema: &Schema) -> Vec<String> {
    let again = migration.steps.iter().filter(|step| step.kind == StepKind::KeepChanges);
    let again: Vec<CollectionId> = again.filter_map(|step| schema.by_name.get(&step.subject).copied()).collect();
    let place = (!again.is_empty()).then(|| dialect.change_of_nothing()).flatten();
    let begin = again.iter().flat_map(|id| keep_from_now(dialect, &schema.collection(*id).path));
    place.into_iter().chain(begin).collect()
}

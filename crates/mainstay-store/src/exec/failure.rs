//! What an engine's refusal means for a step.
use mainstay_plan::LinkCheck;
use mainstay_schema::{Collection, FieldId, FieldKind};

use super::Failure;
use crate::{StepError, StoreError};

impl From<Failure> for StepError {
    /// Of a statement that only reads.
    fn from(failure: Failure) -> StepError {
        StepError::Store(store_error(failure))
    }
}

/// A failure that no caller can have caused.
pub(crate) fn store_error(failure: Failure) -> StoreError {
    match failure {
        Failure::Store(error) => error,
        Failure::Unique { table, columns } => {
            StoreError::Engine(format!("columns {} of \"{table}\" are not unique", columns.join(", ")))
        }
        Failure::ForeignKey => StoreError::Engine("a reference leads nowhere".to_owned()),
    }
}

/// A failure of a statement that writes a record of this collection.
pub(super) fn of_write(failure: Failure, collection: &Collection, links: &[LinkCheck]) -> StepError {
    match failure {
        Failure::Unique { table, columns } if table == collection.table => {
            StepError::NotUnique { fields: fields_of(collection, &columns) }
        }
        // Every link was looked at before: here another process has taken its end away since. Which, the engine does not say.
        // A link to a record that the same write makes is not asked about: then it is one of the collection's own.
        Failure::ForeignKey => match links.first().map(|link| link.field).or_else(|| first_link(collection)) {
            Some(field) => StepError::LinkMissing { field },
            None => Failure::ForeignKey.into(),
        },
        failure => failure.into(),
    }
}

fn first_link(collection: &Collection) -> Option<FieldId> {
    let is_link = |field: &&mainstay_schema::Field| matches!(field.kind, FieldKind::ToOne { .. });
    collection.fields.iter().find(is_link).map(|field| field.id)
}

fn fields_of(collection: &Collection, columns: &[String]) -> Vec<FieldId> {
    let field_of = |column: &String| collection.fields.iter().find(|field| &field.column == column);
    columns.iter().filter_map(field_of).map(|field| field.id).collect()
}

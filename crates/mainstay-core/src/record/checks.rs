//! The checks of a collection over records in memory.
use mainstay_expr::Value;
use mainstay_plan::OwnFields;
use mainstay_schema::{Check, Collection, FieldId, Schema};

use super::patch::Patch;
use crate::{FieldError, errors::check_error, evaluate::Evaluator};

/// The checks that do not hold of a record, as errors.
pub(crate) fn failed_checks(
    schema: &Schema,
    evaluator: &Evaluator<'_>,
    record: &OwnFields<'_>,
    late: &[FieldId],
    place: &str,
) -> Vec<FieldError> {
    let of = record.collection.id;
    failing(evaluator, record, late).filter_map(|(at, _)| check_error(schema, of, at, place)).collect()
}

/// The checks that do not hold of a record, by their position, those apart that wait for the write.
pub(crate) fn failing<'a>(
    evaluator: &'a Evaluator<'_>,
    record: &'a OwnFields<'_>,
    late: &'a [FieldId],
) -> impl Iterator<Item = (usize, &'a Check)> {
    let fails = |check: &Check| !waits(check, late) && !skipped(check, record) && !evaluator.holds(&check.expr, record);
    record.collection.checks.iter().enumerate().filter(move |(_, check)| fails(check))
}

/// What a patch alone decides: the checks that read nothing but fields that it sets. What does not hold comes as errors.
pub(crate) fn failed_patch_checks(
    schema: &Schema,
    evaluator: &Evaluator<'_>,
    of: &Collection,
    patch: &Patch,
    place: &str,
) -> Vec<FieldError> {
    let mut values = vec![Value::Null; of.fields.len()];
    patch.set.iter().for_each(|(field, value)| values[field.0 as usize] = value.clone());
    let record = OwnFields { collection: of, values: &values };
    let sets = |field: FieldId| patch.sets(field);
    let late: Vec<FieldId> = patch.unknown().collect();
    let decided = of.checks.iter().enumerate().filter(|(_, check)| touched(check, sets) && decided(check, sets, &late));
    let failed = decided.filter(|(_, check)| !skipped(check, &record) && !evaluator.holds(&check.expr, &record));
    failed.filter_map(|(at, _)| check_error(schema, of.id, at, place)).collect()
}

/// The checks that a change of these fields must ask over the stored record too.
pub(crate) fn stored_checks(of: &Collection, late: &[FieldId], sets: impl Fn(FieldId) -> bool + Copy) -> Vec<usize> {
    let asked = of.checks.iter().enumerate().filter(|(_, check)| touched(check, sets) && !decided(check, sets, late));
    asked.map(|(at, _)| at).collect()
}

/// A field's check is skipped where the field is null.
fn skipped(check: &Check, record: &OwnFields<'_>) -> bool {
    check.field.is_some_and(|field| record.value(field).is_null())
}

/// Whether a change of these fields asks a check: it reads one of them.
pub(crate) fn touched(check: &Check, sets: impl Fn(FieldId) -> bool) -> bool {
    check.reads.iter().copied().chain(check.field).any(sets)
}

fn decided(check: &Check, sets: impl Fn(FieldId) -> bool, late: &[FieldId]) -> bool {
    check.reads.iter().copied().chain(check.field).all(sets) && !waits(check, late)
}

/// Whether a check reads a key that only the write knows.
fn waits(check: &Check, late: &[FieldId]) -> bool {
    !late.is_empty() && check.reads.iter().chain(&check.field).any(|field| late.contains(field))
}

/// The checks of a new record that wait for the write.
pub(crate) fn waiting_checks(of: &Collection, late: &[FieldId]) -> Vec<usize> {
    if late.is_empty() {
        return Vec::new();
    }
    of.checks.iter().enumerate().filter(|(_, check)| waits(check, late)).map(|(at, _)| at).collect()
}

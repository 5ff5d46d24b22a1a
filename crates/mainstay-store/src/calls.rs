//! What a migration computes outside of SQL: conversions, backfills over a record's own fields, checks.
use mainstay_expr::{EvalError, Value, eval};
use mainstay_plan::{OwnFields, OwnRecords};
use mainstay_schema::{Collection, FieldId, FieldKind, Scalar, Schema};

use crate::{
    StoreError,
    sql::{Call, Decode, columns},
};

/// How one argument is read.
pub(crate) type Argument<'a> = dyn FnMut(usize, Decode) -> Result<Value, StoreError> + 'a;

/// What a call gives; null where there is no outcome. A check gives a truth value.
pub(crate) fn outcome(call: &Call, schema: &Schema, argument: &mut Argument<'_>) -> Result<Value, StoreError> {
    match call {
        Call::Convert { conversion, from, .. } => {
            let value = argument(0, columns::decode_column(from))?;
            Ok(conversion.convert(&value).unwrap_or(Value::Null))
        }
        Call::Backfill { collection, field, reads } => {
            let of = schema.collection(*collection);
            let values = own_values(argument, schema, of, reads)?;
            let Some(expr) = schema.past.backfill(of.id, *field) else { return Ok(Value::Null) };
            let record = OwnFields { collection: of, values: &values };
            let value = eval(&expr.expr, &OwnRecords { schema }, &record, &[]);
            Ok(value.map_or(Value::Null, |value| filled(of, *field, value)))
        }
        Call::Check { collection, check, reads } => {
            let of = schema.collection(*collection);
            let values = own_values(argument, schema, of, reads)?;
            let Some(check) = of.checks.get(*check) else { return Ok(Value::Bool(true)) };
            let record = OwnFields { collection: of, values: &values };
            let is_skipped = check.field.is_some_and(|field| record.value(field).is_null());
            let holds: Result<Value, EvalError> = eval(&check.expr.expr, &OwnRecords { schema }, &record, &[]);
            Ok(Value::Bool(is_skipped || holds == Ok(Value::Bool(true))))
        }
    }
}

/// The fields of a record that were given; the others are null.
fn own_values(
    argument: &mut Argument<'_>,
    schema: &Schema,
    of: &Collection,
    reads: &[FieldId],
) -> Result<Vec<Value>, StoreError> {
    let mut values = vec![Value::Null; of.fields.len()];
    for (at, id) in reads.iter().enumerate() {
        values[id.0 as usize] = argument(at, columns::decode(schema, of, of.field(*id))?)?;
    }
    Ok(values)
}

/// What an expression fills a field with: an address that is none fills nothing.
fn filled(of: &Collection, field: FieldId, value: Value) -> Value {
    match (&of.field(field).kind, &value) {
        (FieldKind::Scalar(scalar @ (Scalar::Email | Scalar::Url)), Value::Text(_)) => {
            let conversion = mainstay_schema::Conversion::of_scalars(Scalar::String, *scalar);
            conversion.convert(&value).unwrap_or(Value::Null)
        }
        _ => value,
    }
}

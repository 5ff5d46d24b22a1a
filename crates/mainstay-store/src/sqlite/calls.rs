//! The functions of a migration: what SQL cannot compute, registered for the while.
use std::{panic::AssertUnwindSafe, sync::Arc};

use mainstay_expr::{EvalError, Value, eval};
use mainstay_plan::{OwnFields, OwnRecords};
use mainstay_schema::{Collection, ColumnType, FieldId, FieldKind, Scalar, Schema};
use rusqlite::{
    Connection, Error, Result,
    functions::{Context, FunctionFlags},
    types::Value as Stored,
};

use super::row::decode_value;
use crate::sql::{Call, Cell, Decode, columns};

/// The functions of one migration on one connection.
pub(super) struct Calls<'c> {
    connection: &'c Connection,
    count: usize,
}

impl<'c> Calls<'c> {
    /// Registers the functions; they go when this does.
    pub(super) fn register(connection: &'c Connection, calls: &[Call], schema: &Arc<Schema>) -> Result<Calls<'c>> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
        for (at, call) in calls.iter().enumerate() {
            let state = AssertUnwindSafe((call.clone(), schema.clone()));
            connection.create_scalar_function(Call::name(at).as_str(), -1, flags, move |context| {
                let AssertUnwindSafe((call, schema)) = &state;
                run(call, schema, context)
            })?;
        }
        Ok(Calls { connection, count: calls.len() })
    }
}

impl Drop for Calls<'_> {
    fn drop(&mut self) {
        for at in 0..self.count {
            // A function that cannot be taken away is replaced by the next migration.
            let _ = self.connection.remove_function(Call::name(at).as_str(), -1);
        }
    }
}

fn run(call: &Call, schema: &Schema, context: &Context<'_>) -> Result<Stored> {
    match call {
        Call::Convert { conversion, from, to } => {
            let value = stored_value(context, 0, from)?;
            Ok(conversion.convert(&value).map_or(Stored::Null, |value| to_stored(&value, to)))
        }
        Call::Backfill { collection, field, reads } => {
            let of = schema.collection(*collection);
            let values = own_values(context, schema, of, reads)?;
            let Some(expr) = schema.past.backfill(of.id, *field) else { return Ok(Stored::Null) };
            let record = OwnFields { collection: of, values: &values };
            let value = eval(&expr.expr, &OwnRecords { schema }, &record, &[]);
            Ok(value.map_or(Stored::Null, |value| filled(schema, of, *field, &value)))
        }
        Call::Check { collection, check, reads } => {
            let of = schema.collection(*collection);
            let values = own_values(context, schema, of, reads)?;
            let Some(check) = of.checks.get(*check) else { return Ok(Stored::Integer(1)) };
            let record = OwnFields { collection: of, values: &values };
            let is_skipped = check.field.is_some_and(|field| record.value(field).is_null());
            let holds: Result<Value, EvalError> = eval(&check.expr.expr, &OwnRecords { schema }, &record, &[]);
            Ok(Stored::Integer(i64::from(is_skipped || holds == Ok(Value::Bool(true)))))
        }
    }
}

/// The fields of a record that were given; the others are null.
fn own_values(context: &Context<'_>, schema: &Schema, of: &Collection, reads: &[FieldId]) -> Result<Vec<Value>> {
    let mut values = vec![Value::Null; of.fields.len()];
    for (argument, id) in reads.iter().enumerate() {
        let decode = columns::decode(schema, of, of.field(*id)).map_err(user)?;
        values[id.0 as usize] = decoded(context, argument, decode)?;
    }
    Ok(values)
}

fn stored_value(context: &Context<'_>, argument: usize, ty: &ColumnType) -> Result<Value> {
    decoded(context, argument, columns::decode_column(ty))
}

fn decoded(context: &Context<'_>, argument: usize, decode: Decode) -> Result<Value> {
    decode_value(context.get_raw(argument), Cell { column: argument, decode }).map_err(user)
}

fn user(error: crate::StoreError) -> Error {
    Error::UserFunctionError(Box::new(error))
}

/// What an expression fills a field with: an address that is none fills nothing.
fn filled(schema: &Schema, of: &Collection, field: FieldId, value: &Value) -> Stored {
    let field = of.field(field);
    if let (FieldKind::Scalar(scalar @ (Scalar::Email | Scalar::Url)), Value::Text(_)) = (&field.kind, value) {
        let conversion = mainstay_schema::Conversion::of_scalars(Scalar::String, *scalar);
        let value = conversion.convert(value);
        return value.map_or(Stored::Null, |value| to_stored(&value, &ColumnType::Scalar(*scalar)));
    }
    let mut json = Vec::new();
    match value {
        Value::List(_) => {
            schema.write_value(&field.kind, value, &mut json);
            Stored::Text(String::from_utf8_lossy(&json).into_owned())
        }
        value => to_stored(value, &ColumnType::Scalar(Scalar::String)),
    }
}

/// A value as its column keeps it.
fn to_stored(value: &Value, ty: &ColumnType) -> Stored {
    match value {
        Value::Null => Stored::Null,
        Value::Bool(value) => Stored::Integer(i64::from(*value)),
        Value::Int(value) | Value::Duration(value) => Stored::Integer(*value),
        Value::Decimal(value) => Stored::Integer(value.units),
        Value::Float(value) => Stored::Real(*value),
        Value::Bytes(bytes) => Stored::Blob(bytes.to_vec()),
        Value::List(_) => {
            let scalar = match ty {
                ColumnType::List(of) => match **of {
                    ColumnType::Scalar(scalar) => scalar,
                    _ => Scalar::String,
                },
                _ => Scalar::String,
            };
            let mut json = Vec::new();
            // How scalars are written does not depend on the schema.
            Schema::default().write_value(&FieldKind::ScalarList(scalar), value, &mut json);
            Stored::Text(String::from_utf8_lossy(&json).into_owned())
        }
        value => {
            let mut text = String::new();
            mainstay_expr::wire::write_text(value, &mut text);
            Stored::Text(text)
        }
    }
}

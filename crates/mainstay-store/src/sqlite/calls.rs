//! The functions of a migration: what SQL cannot compute, registered for the while.
use std::{panic::AssertUnwindSafe, sync::Arc};

use mainstay_expr::Value;
use mainstay_schema::{ColumnType, Scalar, Schema};
use rusqlite::{
    Connection, Error, Result,
    functions::{Context, FunctionFlags},
    types::Value as Stored,
};

use super::row::decode_value;
use crate::{
    calls, lists,
    sql::{Call, Cell, Decode},
};

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
    let mut argument = |at: usize, decode: Decode| decode_value(context.get_raw(at), Cell { column: at, decode });
    let value =
        calls::outcome(call, schema, &mut argument).map_err(|error| Error::UserFunctionError(Box::new(error)))?;
    Ok(match call {
        Call::Convert { to, .. } => to_stored(&value, to),
        Call::Backfill { collection, field, .. } if matches!(value, Value::List(_)) => {
            let mut json = Vec::new();
            schema.write_value(&schema.collection(*collection).field(*field).kind, &value, &mut json);
            Stored::Text(String::from_utf8_lossy(&json).into_owned())
        }
        Call::Backfill { .. } | Call::Check { .. } => to_stored(&value, &ColumnType::Scalar(Scalar::String)),
    })
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
        Value::List(_) => Stored::Text(lists::kept_in(ty, value)),
        value => {
            let mut text = String::new();
            mainstay_expr::wire::write_text(value, &mut text);
            Stored::Text(text)
        }
    }
}

//! Values that the server computes from other records, before it writes them.
use mainstay_expr::Value;
use mainstay_schema::{Collection, Field, FieldId, Schema};

use super::{Inputs, Row, Session, WriteStatement};
use crate::{StepError, sql::ComputeSql};

/// The values of a step with those that are computed, each in the place that `place` gives to its field.
pub(super) async fn run<S: Session>(
    session: &mut S,
    statement: &WriteStatement,
    sql: &ComputeSql,
    inputs: &Inputs<'_>,
    place: impl Fn(FieldId) -> Option<usize>,
) -> Result<Vec<Value>, StepError> {
    let mut found = Vec::with_capacity(sql.fields.len());
    let mut take = |row: &dyn Row| {
        for (field, cell, sure) in &sql.fields {
            found.push((*field, row.holds(*sure)?, row.value(*cell)?));
        }
        Ok(false)
    };
    session.query(&sql.sql, inputs, &mut take).await?;
    let mut values = inputs.values.to_vec();
    for (field, sure, value) in found {
        let value = given(&statement.schema, statement.of(), field, sure, value)?;
        if let Some(slot) = place(field).and_then(|at| values.get_mut(at)) {
            *slot = value;
        }
    }
    Ok(values)
}

/// A computed value, where the field can have it.
fn given(schema: &Schema, of: &Collection, field: FieldId, sure: bool, value: Value) -> Result<Value, StepError> {
    let declared: &Field = of.field(field);
    let not_given = |why: String| StepError::NotGiven { field, why };
    match value {
        _ if !sure => Err(not_given("what it is computed from is not there, or out of range".to_owned())),
        Value::Null if declared.required => Err(not_given("it comes to null".to_owned())),
        value => schema.fitting(declared, value).map_err(|error| not_given(error.message)),
    }
}

//! `sum`, `avg`, `min` and `max` over links and lists.
use super::{EvalError, Evaluated, Evaluation, Records, arith, compare, functions::to_float};
use crate::{
    tree::{CompareOp, Expr, Reduction, VarId},
    types::Type,
    value::Value,
    wire::within,
};

impl<R: Records> Evaluation<'_, R> {
    /// A null, or an error, of one element makes all of it an error; so does nothing to take the mean or the smallest of.
    pub(super) fn reduce(&mut self, kind: Reduction, var: VarId, over: &Expr, body: &Expr) -> Evaluated {
        let mut values = Vec::new();
        for item in self.items(over)? {
            self.vars.push((var, item));
            let value = self.value(body);
            self.vars.pop();
            match value? {
                Value::Null => return Err(EvalError::Null),
                value => values.push(value),
            }
        }
        match kind {
            Reduction::Sum => sum(&values, &body.ty),
            Reduction::Avg if values.is_empty() => Err(EvalError::Null),
            Reduction::Avg => {
                let total = to_float(&sum(&values, &body.ty)?)?;
                arith::finite(total / values.len() as f64).map(Value::Float)
            }
            Reduction::Min => extreme(values, CompareOp::Lt),
            Reduction::Max => extreme(values, CompareOp::Gt),
        }
    }
}

/// Whole numbers are added up exactly: only what comes out must be within the range.
fn sum(values: &[Value], ty: &Type) -> Evaluated {
    let units = |value: &Value| match value {
        Value::Int(value) => Ok(i128::from(*value)),
        Value::Decimal(value) => Ok(i128::from(value.units)),
        _ => Err(EvalError::Type),
    };
    match ty {
        Type::Float => {
            let floats: Result<Vec<f64>, EvalError> = values.iter().map(to_float).collect();
            arith::finite(floats?.into_iter().sum::<f64>()).map(Value::Float)
        }
        ty => {
            let mut total = 0_i128;
            for value in values {
                total += units(value)?;
            }
            let total = i64::try_from(total).map_err(|_| EvalError::Overflow)?;
            match ty {
                Type::Decimal(scale) => within(total, *scale).map(Value::Decimal).ok_or(EvalError::Overflow),
                _ => Ok(Value::Int(total)),
            }
        }
    }
}

fn extreme(values: Vec<Value>, before: CompareOp) -> Evaluated {
    let mut values = values.into_iter();
    let mut found = values.next().ok_or(EvalError::Null)?;
    for value in values {
        if compare::compare(before, &value, &found)? {
            found = value;
        }
    }
    Ok(found)
}

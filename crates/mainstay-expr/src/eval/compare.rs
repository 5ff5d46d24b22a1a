//! Comparisons of values: exact between numbers of different kinds, by bytes between texts.
use std::cmp::Ordering;

use super::EvalError;
use crate::{tree::CompareOp, value::Value};

/// Whether the comparison holds. Null has no order.
pub(super) fn compare(op: CompareOp, a: &Value, b: &Value) -> Result<bool, EvalError> {
    match op {
        CompareOp::Eq => equal(a, b),
        CompareOp::Ne => equal(a, b).map(|equal| !equal),
        CompareOp::Lt => order(a, b).map(Ordering::is_lt),
        CompareOp::Le => order(a, b).map(Ordering::is_le),
        CompareOp::Gt => order(a, b).map(Ordering::is_gt),
        CompareOp::Ge => order(a, b).map(Ordering::is_ge),
    }
}

/// Two nulls are equal, null and a value are not.
pub(super) fn equal(a: &Value, b: &Value) -> Result<bool, EvalError> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Ok(a.is_null() && b.is_null()),
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Uuid(a), Value::Uuid(b)) => Ok(a == b),
        (Value::Bytes(a), Value::Bytes(b)) => Ok(a == b),
        _ => order(a, b).map(Ordering::is_eq),
    }
}

fn order(a: &Value, b: &Value) -> Result<Ordering, EvalError> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Err(EvalError::Null),
        (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).ok_or(EvalError::Type),
        (Value::Int(a), Value::Float(b)) => Ok(order_int_float(*a, *b)),
        (Value::Float(a), Value::Int(b)) => Ok(order_int_float(*b, *a).reverse()),
        (Value::Decimal(a), Value::Decimal(b)) if a.scale == b.scale => Ok(a.units.cmp(&b.units)),
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        (Value::Timestamp(a), Value::Timestamp(b))
        | (Value::Time(a), Value::Time(b))
        | (Value::Duration(a), Value::Duration(b)) => Ok(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Ok(a.cmp(b)),
        _ => Err(EvalError::Type),
    }
}

/// The order of a whole number and a finite float, without rounding either.
fn order_int_float(int: i64, float: f64) -> Ordering {
    /// Two to the power of 63: the first float above every `i64`.
    const END: f64 = 9_223_372_036_854_775_808.0;
    if float >= END {
        return Ordering::Less;
    }
    if float < -END {
        return Ordering::Greater;
    }
    let whole = float.trunc();
    int.cmp(&(whole as i64)).then(if float > whole {
        Ordering::Less
    } else if float < whole {
        Ordering::Greater
    } else {
        Ordering::Equal
    })
}

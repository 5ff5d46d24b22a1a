//! Arithmetic: checked, never leaving a type's range.
use super::{EvalError, Evaluated};
use crate::{
    tree::Arith,
    value::{Decimal, Value},
    wire::{TIMESTAMP_MAX, TIMESTAMP_MIN, within},
};

/// `a op b`; null is an error.
pub(super) fn arith(op: Arith, a: &Value, b: &Value) -> Evaluated {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => Err(EvalError::Null),
        (Value::Int(a), Value::Int(b)) => int(op, *a, *b).map(Value::Int),
        (Value::Float(a), Value::Float(b)) => float(op, *a, *b).map(Value::Float),
        (Value::Decimal(a), Value::Decimal(b)) => decimal(op, *a, *b),
        (Value::Int(a), Value::Decimal(b)) => decimal(op, Decimal { units: *a, scale: 0 }, *b),
        (Value::Decimal(a), Value::Int(b)) => decimal(op, *a, Decimal { units: *b, scale: 0 }),
        (Value::Text(a), Value::Text(b)) if op == Arith::Add => Ok(Value::text([&**a, &**b].concat())),
        _ => time(op, a, b),
    }
}

/// `-a`; null is an error.
pub(super) fn negate(value: &Value) -> Evaluated {
    match value {
        Value::Null => Err(EvalError::Null),
        Value::Int(value) => value.checked_neg().map(Value::Int).ok_or(EvalError::Overflow),
        Value::Float(value) => finite(-value).map(Value::Float),
        Value::Decimal(value) => Ok(Value::Decimal(Decimal { units: -value.units, scale: value.scale })),
        _ => Err(EvalError::Type),
    }
}

fn int(op: Arith, a: i64, b: i64) -> Result<i64, EvalError> {
    if b == 0 && matches!(op, Arith::Div | Arith::Rem) {
        return Err(EvalError::DivisionByZero);
    }
    let result = match op {
        Arith::Add => a.checked_add(b),
        Arith::Sub => a.checked_sub(b),
        Arith::Mul => a.checked_mul(b),
        Arith::Div => a.checked_div(b),
        Arith::Rem => a.checked_rem(b),
    };
    result.ok_or(EvalError::Overflow)
}

fn float(op: Arith, a: f64, b: f64) -> Result<f64, EvalError> {
    match op {
        Arith::Add => finite(a + b),
        Arith::Sub => finite(a - b),
        Arith::Mul => finite(a * b),
        Arith::Div if b == 0.0 => Err(EvalError::DivisionByZero),
        Arith::Div => finite(a / b),
        Arith::Rem => Err(EvalError::Type),
    }
}

/// Infinite is out of range; minus zero is zero.
pub(super) fn finite(value: f64) -> Result<f64, EvalError> {
    if value.is_finite() { Ok(if value == 0.0 { 0.0 } else { value }) } else { Err(EvalError::Overflow) }
}

fn decimal(op: Arith, a: Decimal, b: Decimal) -> Evaluated {
    let (units, scale) = match op {
        Arith::Add if a.scale == b.scale => (a.units.checked_add(b.units), a.scale),
        Arith::Sub if a.scale == b.scale => (a.units.checked_sub(b.units), a.scale),
        Arith::Mul => (a.units.checked_mul(b.units), a.scale + b.scale),
        _ => return Err(EvalError::Type),
    };
    units.and_then(|units| within(units, scale)).map(Value::Decimal).ok_or(EvalError::Overflow)
}

fn time(op: Arith, a: &Value, b: &Value) -> Evaluated {
    let (a, b, moment) = match (a, b) {
        (Value::Timestamp(a), Value::Timestamp(b)) if op == Arith::Sub => (*a, *b, false),
        (Value::Timestamp(a), Value::Duration(b)) => (*a, *b, true),
        (Value::Duration(a), Value::Timestamp(b)) if op == Arith::Add => (*a, *b, true),
        (Value::Duration(a), Value::Duration(b)) => (*a, *b, false),
        _ => return Err(EvalError::Type),
    };
    let micros = match op {
        Arith::Add => a.checked_add(b),
        Arith::Sub => a.checked_sub(b),
        Arith::Mul | Arith::Div | Arith::Rem => return Err(EvalError::Type),
    };
    let micros = micros.ok_or(EvalError::Overflow)?;
    match moment {
        false => Ok(Value::Duration(micros)),
        true if (TIMESTAMP_MIN..=TIMESTAMP_MAX).contains(&micros) => Ok(Value::Timestamp(micros)),
        true => Err(EvalError::Overflow),
    }
}

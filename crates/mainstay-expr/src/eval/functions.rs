//! The functions.
use super::{EvalError, Evaluated, Evaluation, Records, pattern, time_part};
use crate::{
    tree::{Expr, Function},
    types::Type,
    value::{Decimal, Value},
    wire,
};

impl<R: Records> Evaluation<'_, R> {
    pub(super) fn call(&mut self, function: Function, args: &[Expr]) -> Evaluated {
        let first = args.first().ok_or(EvalError::Type)?;
        if function == Function::Size && matches!(first.ty, Type::Records(_)) {
            return Ok(Value::Int(count(self.rows(first)?.len())));
        }
        let first = self.value(first)?;
        let second = match args.get(1) {
            Some(second) => Some(self.value(second)?),
            None => None,
        };
        if first.is_null() || second.as_ref().is_some_and(Value::is_null) {
            return Err(EvalError::Null);
        }
        match second {
            None => one(function, &first),
            Some(second) => two(function, &first, &second),
        }
    }
}

fn one(function: Function, value: &Value) -> Evaluated {
    match (function, value) {
        (Function::Size, Value::Text(text)) => Ok(Value::Int(count(text.chars().count()))),
        (Function::Size, Value::Bytes(bytes)) => Ok(Value::Int(count(bytes.len()))),
        (Function::Size, Value::List(values)) => Ok(Value::Int(count(values.len()))),
        (Function::LowerAscii, Value::Text(text)) => Ok(Value::text(text.to_ascii_lowercase())),
        (Function::UpperAscii, Value::Text(text)) => Ok(Value::text(text.to_ascii_uppercase())),
        (Function::Trim, Value::Text(text)) => Ok(Value::text(text.trim())),
        (Function::Timestamp, Value::Text(text)) => {
            wire::parse_timestamp(text).map(Value::Timestamp).map_err(|_| EvalError::Text)
        }
        (Function::Duration, Value::Text(text)) => {
            wire::parse_duration(text).map(Value::Duration).map_err(|_| EvalError::Text)
        }
        (Function::ToString, value) => {
            let mut text = String::new();
            wire::write_text(value, &mut text);
            Ok(Value::text(text))
        }
        (Function::Part(part), value) => time_part(part, value).map(Value::Int).ok_or(EvalError::Type),
        (Function::ToInt, value) => to_int(value).map(Value::Int),
        (Function::ToFloat, value) => to_float(value).map(Value::Float),
        _ => Err(EvalError::Type),
    }
}

fn two(function: Function, a: &Value, b: &Value) -> Evaluated {
    let (Value::Text(a), Value::Text(b)) = (a, b) else { return Err(EvalError::Type) };
    match function {
        Function::Contains => Ok(Value::Bool(a.contains(&**b))),
        Function::StartsWith => Ok(Value::Bool(a.starts_with(&**b))),
        Function::EndsWith => Ok(Value::Bool(a.ends_with(&**b))),
        Function::Matches => pattern::is_match(b, a).map(Value::Bool),
        _ => Err(EvalError::Type),
    }
}

/// The whole part of a number; of a text, the number that it is.
fn to_int(value: &Value) -> Result<i64, EvalError> {
    /// Two to the power of 63: the first float above every `i64`.
    const END: f64 = 9_223_372_036_854_775_808.0;
    match value {
        Value::Int(value) => Ok(*value),
        Value::Float(value) if value.trunc() >= -END && value.trunc() < END => Ok(value.trunc() as i64),
        Value::Float(_) => Err(EvalError::Overflow),
        Value::Decimal(Decimal { units, scale }) => Ok(units / 10_i64.pow(u32::from(*scale).min(18))),
        Value::Text(text) => text.parse().map_err(|_| EvalError::Text),
        _ => Err(EvalError::Type),
    }
}

pub(super) fn to_float(value: &Value) -> Result<f64, EvalError> {
    match value {
        Value::Int(value) => Ok(*value as f64),
        Value::Float(value) => Ok(*value),
        Value::Decimal(decimal) => wire::format_decimal(*decimal).parse().map_err(|_| EvalError::Text),
        Value::Text(text) => wire::parse_float(text).map_err(|_| EvalError::Text),
        _ => Err(EvalError::Type),
    }
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

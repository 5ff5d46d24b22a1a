//! What SQLite lacks: functions that statements of its dialect call. Every connection has them.
use base64::{Engine, engine::general_purpose::STANDARD};
use mainstay_expr::{Decimal, TimePart, Value, time_part, wire};
use rusqlite::{
    Connection, Error, Result,
    functions::{Aggregate, Context, FunctionFlags, SubType},
    types::{Value as Stored, ValueRef},
};

/// SQLite's mark of a text that is JSON: it goes into JSON as it is.
pub(super) const JSON: SubType = Some(b'J' as std::ffi::c_uint);

/// Gives a connection the functions. All are null of null, and null where there is no outcome (out of range, division by zero).
///
/// - `mainstay_float(x)`: the shortest JSON number of a float; `mainstay_bool(x)`: JSON's `true` or `false`;
///   `mainstay_decimal(units, scale)`, `mainstay_base64(bytes)`: texts; `mainstay_bytes(base64)`: back again.
/// - `mainstay_add|sub|mul|div|rem(a, b)`, `mainstay_neg(a)`: on whole numbers or on floats; `mainstay_digits(units)`: the units of a
///   decimal, where it has not too many digits; `mainstay_int(float)`: its whole part; `mainstay_ratio(units, scale)`: a decimal as
///   the nearest float.
/// - `mainstay_sum(x)`: an aggregate, of whole numbers.
/// - `mainstay_finite(float)`: the same, where it is no infinity: that is an error of the statement, as SQLite's own overflow is.
/// - `mainstay_part(text, kind, name)`: a part of a moment (0), a day (1), a time of day (2) or a duration (3).
/// - `mainstay_later|earlier(moment, micros)`, `mainstay_between(moment, moment)`: arithmetic on moments.
pub(crate) fn register(connection: &Connection) -> Result<()> {
    let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    let json = pure | FunctionFlags::SQLITE_RESULT_SUBTYPE;
    connection.create_scalar_function(c"mainstay_float", 1, json, float)?;
    connection.create_scalar_function(c"mainstay_bool", 1, json, boolean)?;
    connection.create_scalar_function(c"mainstay_decimal", 2, pure, decimal)?;
    connection.create_scalar_function(c"mainstay_base64", 1, pure, base64)?;
    connection.create_scalar_function(c"mainstay_bytes", 1, pure, bytes)?;
    let operators: [(&str, Operator); 5] = [
        ("mainstay_add", Operator { int: i64::checked_add, float: |a, b| a + b }),
        ("mainstay_sub", Operator { int: i64::checked_sub, float: |a, b| a - b }),
        ("mainstay_mul", Operator { int: i64::checked_mul, float: |a, b| a * b }),
        ("mainstay_div", Operator { int: i64::checked_div, float: |a, b| a / b }),
        ("mainstay_rem", Operator { int: i64::checked_rem, float: |a, b| a % b }),
    ];
    for (name, operator) in operators {
        connection.create_scalar_function(name, 2, pure, move |context| operator.call(context))?;
    }
    connection.create_scalar_function(c"mainstay_finite", 1, pure, finite_or_overflow)?;
    connection.create_aggregate_function(c"mainstay_sum", 1, pure, Sum)?;
    connection.create_scalar_function(c"mainstay_neg", 1, pure, negate)?;
    connection.create_scalar_function(c"mainstay_digits", 1, pure, digits)?;
    connection.create_scalar_function(c"mainstay_int", 1, pure, whole)?;
    connection.create_scalar_function(c"mainstay_ratio", 2, pure, ratio)?;
    connection.create_scalar_function(c"mainstay_later", 2, pure, |context| moved(context, i64::checked_add))?;
    connection.create_scalar_function(c"mainstay_earlier", 2, pure, |context| moved(context, i64::checked_sub))?;
    connection.create_scalar_function(c"mainstay_part", 3, pure, part)?;
    connection.create_scalar_function(c"mainstay_between", 2, pure, between)
}

/// The exact sum of whole numbers: 0 of none, null where one is null or the sum is out of range.
struct Sum;

impl Aggregate<Option<i128>, Option<i64>> for Sum {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<i128>> {
        Ok(Some(0))
    }

    fn step(&self, context: &mut Context<'_>, total: &mut Option<i128>) -> Result<()> {
        *total = match context.get_raw(0) {
            ValueRef::Integer(value) => total.map(|total| total + i128::from(value)),
            _ => None,
        };
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, total: Option<Option<i128>>) -> Result<Option<i64>> {
        Ok(total.unwrap_or(Some(0)).and_then(|total| i64::try_from(total).ok()))
    }
}

/// What SQLite says of a sum of whole numbers that overflows; that of floats says nothing.
pub(super) const OVERFLOW: &str = "integer overflow";

fn finite_or_overflow(context: &Context<'_>) -> Result<Option<f64>> {
    match context.get_raw(0) {
        ValueRef::Real(value) if !value.is_finite() => Err(Error::UserFunctionError(OVERFLOW.into())),
        ValueRef::Real(value) => Ok(Some(value)),
        _ => Ok(None),
    }
}

fn float(context: &Context<'_>) -> Result<(Option<String>, SubType)> {
    let text = match context.get_raw(0) {
        ValueRef::Real(value) if value.is_finite() => Some(ryu::Buffer::new().format_finite(value).to_owned()),
        ValueRef::Integer(value) => Some(ryu::Buffer::new().format_finite(value as f64).to_owned()),
        _ => None,
    };
    Ok((text, JSON))
}

fn decimal(context: &Context<'_>) -> Result<Option<String>> {
    let (ValueRef::Integer(units), ValueRef::Integer(scale)) = (context.get_raw(0), context.get_raw(1)) else {
        return Ok(None);
    };
    let scale = u8::try_from(scale).unwrap_or(wire::DECIMAL_DIGITS_MAX);
    Ok(Some(wire::format_decimal(Decimal { units, scale })))
}

fn boolean(context: &Context<'_>) -> Result<(Option<&'static str>, SubType)> {
    let text = match context.get_raw(0) {
        ValueRef::Integer(0) => Some("false"),
        ValueRef::Integer(_) => Some("true"),
        _ => None,
    };
    Ok((text, JSON))
}

fn bytes(context: &Context<'_>) -> Result<Option<Vec<u8>>> {
    match context.get_raw(0) {
        ValueRef::Text(text) => Ok(STANDARD.decode(text).ok()),
        _ => Ok(None),
    }
}

fn base64(context: &Context<'_>) -> Result<Option<String>> {
    match context.get_raw(0) {
        ValueRef::Blob(bytes) => Ok(Some(STANDARD.encode(bytes))),
        _ => Ok(None),
    }
}

/// One arithmetic operator on whole numbers and on floats.
#[derive(Clone, Copy)]
struct Operator {
    int: fn(i64, i64) -> Option<i64>,
    float: fn(f64, f64) -> f64,
}

impl Operator {
    fn call(self, context: &Context<'_>) -> Result<Stored> {
        Ok(match (context.get_raw(0), context.get_raw(1)) {
            (ValueRef::Integer(a), ValueRef::Integer(b)) => (self.int)(a, b).map_or(Stored::Null, Stored::Integer),
            (ValueRef::Real(a), ValueRef::Real(b)) => finite((self.float)(a, b)),
            _ => Stored::Null,
        })
    }
}

fn negate(context: &Context<'_>) -> Result<Stored> {
    Ok(match context.get_raw(0) {
        ValueRef::Integer(a) => a.checked_neg().map_or(Stored::Null, Stored::Integer),
        ValueRef::Real(a) => finite(-a),
        _ => Stored::Null,
    })
}

fn finite(value: f64) -> Stored {
    if value.is_finite() { Stored::Real(value) } else { Stored::Null }
}

fn digits(context: &Context<'_>) -> Result<Option<i64>> {
    const UNITS_END: u64 = 10_u64.pow(wire::DECIMAL_DIGITS_MAX as u32);
    match context.get_raw(0) {
        ValueRef::Integer(units) if units.unsigned_abs() < UNITS_END => Ok(Some(units)),
        _ => Ok(None),
    }
}

fn whole(context: &Context<'_>) -> Result<Option<i64>> {
    /// Two to the power of 63: the first float above every `i64`.
    const END: f64 = 9_223_372_036_854_775_808.0;
    match context.get_raw(0) {
        ValueRef::Real(value) if value.trunc() >= -END && value.trunc() < END => Ok(Some(value.trunc() as i64)),
        _ => Ok(None),
    }
}

fn ratio(context: &Context<'_>) -> Result<Option<f64>> {
    Ok(decimal(context)?.and_then(|text| text.parse().ok()))
}

fn part(context: &Context<'_>) -> Result<Option<i64>> {
    let (ValueRef::Integer(kind), ValueRef::Text(name)) = (context.get_raw(1), context.get_raw(2)) else {
        return Ok(None);
    };
    let Some(part) = std::str::from_utf8(name).ok().and_then(TimePart::from_name) else { return Ok(None) };
    let text = |text| std::str::from_utf8(text).ok();
    let value = match (kind, context.get_raw(0)) {
        (0, ValueRef::Text(moment)) => {
            text(moment).and_then(|text| wire::parse_timestamp(text).ok()).map(Value::Timestamp)
        }
        (1, ValueRef::Text(day)) => text(day).and_then(|text| wire::parse_date(text).ok()).map(Value::Date),
        (2, ValueRef::Text(clock)) => text(clock).and_then(|text| wire::parse_time(text).ok()).map(Value::Time),
        (3, ValueRef::Integer(micros)) => Some(Value::Duration(micros)),
        _ => None,
    };
    Ok(value.and_then(|value| time_part(part, &value)))
}

fn moment(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Text(text) => wire::parse_timestamp(std::str::from_utf8(text).ok()?).ok(),
        _ => None,
    }
}

fn moved(context: &Context<'_>, step: fn(i64, i64) -> Option<i64>) -> Result<Option<String>> {
    let (Some(micros), ValueRef::Integer(by)) = (moment(context.get_raw(0)), context.get_raw(1)) else {
        return Ok(None);
    };
    let range = wire::TIMESTAMP_MIN..=wire::TIMESTAMP_MAX;
    let Some(micros) = step(micros, by).filter(|micros| range.contains(micros)) else { return Ok(None) };
    let mut text = String::with_capacity(wire::TIMESTAMP_LEN);
    wire::write_text(&Value::Timestamp(micros), &mut text);
    Ok(Some(text))
}

fn between(context: &Context<'_>) -> Result<Option<i64>> {
    let (a, b) = (moment(context.get_raw(0)), moment(context.get_raw(1)));
    Ok(a.zip(b).and_then(|(a, b)| a.checked_sub(b)))
}

//! Values of one column's type as values of another: as long as nothing of them is lost.
use mainstay_expr::{Value, wire};

use super::form::{Form, MemberForm, source, target};
use crate::{ColumnType, Json, JsonLimits, Scalar, Schema, Snapshot, json_float, json_string};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// How deep stored JSON may be.
const DEPTH: JsonLimits = JsonLimits { depth_max: 200 };

/// How the values of a column become values of another type.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversion {
    from: Form,
    to: Form,
    /// What the two types are called.
    names: (String, String),
}

impl Conversion {
    /// Between the types of two columns; `None` where every value is right as it stands.
    pub(crate) fn between(
        (from, old): (&ColumnType, &Snapshot),
        (to, new): (&ColumnType, &Snapshot),
        schema: &Schema,
    ) -> Option<Conversion> {
        let names = || (from.describe(), to.describe());
        let (from, to) = (Form::of(from, old, None), Form::of(to, new, Some(schema)));
        (!from.widens_to(&to)).then(|| Conversion { names: names(), from, to })
    }

    /// Between two scalars.
    pub fn of_scalars(from: Scalar, to: Scalar) -> Conversion {
        let names = (ColumnType::Scalar(from).describe(), ColumnType::Scalar(to).describe());
        Conversion { from: Form::Scalar(from), to: Form::Scalar(to), names }
    }

    /// The value in its new type; `None` where that would lose something of it. Null stays null.
    pub fn convert(&self, value: &Value) -> Option<Value> {
        if value.is_null() { Some(Value::Null) } else { convert(&self.from, &self.to, value) }
    }

    /// Whether something of a value is left out: members that are no longer there.
    pub(crate) fn loses(&self) -> bool {
        loses(&self.from, &self.to)
    }

    /// The two types, for people.
    pub fn describe(&self) -> (&str, &str) {
        (&self.names.0, &self.names.1)
    }
}

fn loses(from: &Form, to: &Form) -> bool {
    match (from, to) {
        (Form::List(from), to) => loses(from, if let Form::List(to) = to { to } else { to }),
        (from, Form::List(to)) => loses(from, to),
        (Form::Embedded(from), Form::Embedded(to)) => from.iter().any(|old| {
            let new = to.iter().find(|new| source(from, to, new).is_some_and(|source| source.name == old.name));
            new.is_none_or(|new| loses(&old.form, &new.form))
        }),
        _ => false,
    }
}

fn convert(from: &Form, to: &Form, value: &Value) -> Option<Value> {
    match (from, to) {
        (Form::List(_) | Form::Embedded(_), Form::Scalar(Scalar::Json)) => {
            let mut json = Vec::new();
            write(from, value, &mut json)?;
            Some(Value::Json(Json::parse(&json, DEPTH).ok()?.to_canonical().into()))
        }
        (Form::List(of), Form::List(to)) => items(of, value)?
            .iter()
            .map(|item| convert(of, to, item))
            .collect::<Option<Vec<_>>>()
            .and_then(|items| list(to, items)),
        // Exactly one: of none or of several something would be lost.
        (Form::List(of), to) => match items(of, value)?.as_slice() {
            [one] => convert(of, to, one),
            _ => None,
        },
        (Form::Scalar(Scalar::Json), Form::List(of)) => read_list(of, value),
        (from, Form::List(of)) => list(of, vec![convert(from, of, value)?]),
        (Form::Embedded(from), Form::Embedded(to)) => embedded(from, to, value),
        (Form::Embedded(_), _) => None,
        (_, Form::Embedded(_)) => read(to, value),
        (Form::Enum(from), Form::Enum(to)) => match value {
            Value::Text(text) => target(from, to, text).map(Value::text),
            _ => None,
        },
        (_, Form::Enum(values)) => {
            let text = text_of(value);
            values.iter().any(|known| known.name == text).then(|| Value::text(text))
        }
        (_, Form::Scalar(to)) => scalar(*to, value),
    }
}

/// A value of one scalar (or of an enum) as one of another.
fn scalar(to: Scalar, value: &Value) -> Option<Value> {
    let parsed = |text: &str| to.parse(None, text);
    match (value, to) {
        (Value::Int(value), Scalar::Int | Scalar::Long) => parsed(&value.to_string()),
        (Value::Int(value), Scalar::Float) => {
            let float = *value as f64;
            (i128::from(*value) == float as i128).then_some(Value::Float(float))
        }
        (Value::Int(value @ (0 | 1)), Scalar::Boolean) => Some(Value::Bool(*value == 1)),
        (Value::Bool(value), Scalar::Int | Scalar::Long) => Some(Value::Int(i64::from(*value))),
        (Value::Float(value), Scalar::Int | Scalar::Long) if value.fract() == 0.0 => parsed(&format!("{value}")),
        // A float is the shortest text that reads back as it, in both directions.
        (Value::Float(value), Scalar::Decimal { .. }) => parsed(&format!("{value}")),
        (Value::Decimal(value), Scalar::Float) => {
            let text = plain(&wire::format_decimal(*value));
            let float: f64 = text.parse().ok()?;
            (plain(&format!("{float}")) == text).then_some(Value::Float(float))
        }
        (Value::Decimal(value), Scalar::Int | Scalar::Long | Scalar::Decimal { .. }) => {
            parsed(&plain(&wire::format_decimal(*value)))
        }
        (Value::Date(days), Scalar::DateTime) => Some(Value::Timestamp(i64::from(*days) * DAY)),
        (Value::Timestamp(micros), Scalar::Date) if micros.rem_euclid(DAY) == 0 => {
            Some(Value::Date(i32::try_from(micros.div_euclid(DAY)).ok()?))
        }
        (Value::Timestamp(_), Scalar::Date) => None,
        (Value::List(_), _) => None,
        (value, _) => parsed(&text_of(value)),
    }
}

/// Without zeros behind the last digit that says something.
fn plain(text: &str) -> String {
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// As it is on the wire, without quotes.
fn text_of(value: &Value) -> String {
    if let Value::Float(float) = value {
        let mut json = Vec::new();
        json_float(&mut json, *float);
        return String::from_utf8_lossy(&json).into_owned();
    }
    let mut text = String::new();
    wire::write_text(value, &mut text);
    text
}

/// The elements of a stored list.
fn items(of: &Form, list: &Value) -> Option<Vec<Value>> {
    match list {
        Value::List(items) => Some(items.to_vec()),
        Value::Json(text) => match Json::parse(text.as_bytes(), DEPTH).ok()? {
            Json::Array(items) => items.iter().map(|item| from_json(of, item)).collect(),
            _ => None,
        },
        _ => None,
    }
}

/// A list of values of a form: of embedded ones, JSON.
fn list(of: &Form, items: Vec<Value>) -> Option<Value> {
    if !matches!(of, Form::Embedded(_)) {
        return Some(Value::List(items.into()));
    }
    let texts: Option<Vec<&str>> =
        items.iter().map(|item| if let Value::Json(text) = item { Some(&**text) } else { None }).collect();
    Some(Value::Json(format!("[{}]", texts?.join(",")).into()))
}

fn embedded(from: &[MemberForm], to: &[MemberForm], value: &Value) -> Option<Value> {
    let Value::Json(text) = value else { return None };
    let json = Json::parse(text.as_bytes(), DEPTH).ok()?;
    let mut members: Vec<&MemberForm> = to.iter().collect();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    let mut out = vec![b'{'];
    for (at, member) in members.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json_string(&mut out, &member.name);
        out.push(b':');
        let old = source(from, to, member);
        let stored = old.and_then(|old| json.get(&old.name)).filter(|json| !matches!(json, Json::Null));
        match (old, stored) {
            (Some(old), Some(json)) => {
                let value = from_json(&old.form, json)?;
                write(&member.form, &convert_or_keep(&old.form, &member.form, value)?, &mut out)?;
            }
            _ if member.required => return None,
            _ => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
    Some(Value::Json(String::from_utf8(out).ok()?.into()))
}

fn convert_or_keep(from: &Form, to: &Form, value: Value) -> Option<Value> {
    if from == to { Some(value) } else { convert(from, to, &value) }
}

/// A text, or JSON, as an embedded value or a list of them.
fn read(to: &Form, value: &Value) -> Option<Value> {
    let text = text_of(value);
    let json = Json::parse(text.as_bytes(), DEPTH).ok()?;
    from_json(to, &json).and_then(|value| {
        if let (Form::Embedded(members), Value::Json(_)) = (to, &value) {
            embedded(members, members, &value)
        } else {
            None
        }
    })
}

/// JSON as a list: the elements of an array, or the one that it is.
fn read_list(of: &Form, value: &Value) -> Option<Value> {
    let text = text_of(value);
    let Json::Array(items) = Json::parse(text.as_bytes(), DEPTH).ok()? else {
        return list(of, vec![convert(&Form::Scalar(Scalar::Json), of, value)?]);
    };
    let element = |item: &Json<'_>| match (of, item) {
        (Form::Enum(_), Json::Text(name)) => convert(&Form::Scalar(Scalar::String), of, &Value::text(name.as_ref())),
        (Form::Embedded(_), _) => read(of, &Value::Json(item.to_canonical().into())),
        _ => from_json(of, item),
    };
    list(of, items.iter().map(element).collect::<Option<_>>()?)
}

/// A value from its wire form.
fn from_json(of: &Form, json: &Json<'_>) -> Option<Value> {
    match (of, json) {
        (Form::Scalar(scalar), _) => scalar.read(None, json).ok(),
        (Form::Enum(_), Json::Text(text)) => Some(Value::text(text.as_ref())),
        (Form::List(of), Json::Array(items)) => {
            list(of, items.iter().map(|item| from_json(of, item)).collect::<Option<_>>()?)
        }
        (Form::Embedded(members), Json::Object(sent)) => {
            let known = sent.iter().all(|(name, _)| members.iter().any(|member| *name == member.name.as_str()));
            known.then(|| Value::Json(json.to_canonical().into()))
        }
        _ => None,
    }
}

/// Appends a value in its wire form.
fn write(of: &Form, value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match (of, value) {
        (Form::Scalar(scalar), value) => {
            Schema::default().write_value(&crate::FieldKind::Scalar(*scalar), value, out);
        }
        (Form::Enum(_), Value::Text(text)) => json_string(out, text),
        (_, Value::Json(text)) => out.extend_from_slice(text.as_bytes()),
        (Form::List(of), Value::List(items)) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(of, item, out)?;
            }
            out.push(b']');
        }
        _ => return None,
    }
    Some(())
}

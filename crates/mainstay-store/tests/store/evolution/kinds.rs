//! What fields hold, which values there are, and what a value becomes as another kind: said again, independently.
use serde_json::{Value as Json, json};

use super::model::{Key, Model, Uid, enum_name};
use crate::agreement::bytes::Bytes;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Long,
    Float,
    /// Digits in all, and behind the point.
    Decimal(u32, u32),
    Bool,
    Text,
    Date,
    Moment,
    Uuid,
    Enum(Uid),
    List(Box<Kind>),
    Link(Uid),
    Many(Uid),
}

pub(crate) const UUIDS: [&str; 3] = [
    "00000000-0000-7000-8000-000000000001",
    "00000000-0000-7000-8000-000000000002",
    "00000000-0000-7000-8000-000000000003",
];

impl Kind {
    pub(crate) fn draw(model: &Model, bytes: &mut Bytes<'_>) -> Kind {
        let scalar = |bytes: &mut Bytes<'_>| match bytes.below(10) {
            0 | 1 => Kind::Int,
            2 | 3 => Kind::Text,
            4 => Kind::Long,
            5 => Kind::Float,
            6 => bytes.one_of(&[Kind::Decimal(6, 2), Kind::Decimal(4, 1), Kind::Decimal(18, 0)]),
            7 => bytes.one_of(&[Kind::Bool, Kind::Uuid]),
            8 => bytes.one_of(&[Kind::Date, Kind::Moment]),
            _ => Kind::Enum(model.enums[0].uid),
        };
        match bytes.below(8) {
            0..=3 => scalar(bytes),
            4 => Kind::List(Box::new(scalar(bytes))),
            5 | 6 => Kind::Link(bytes.one_of(&model.types).uid),
            _ => Kind::Many(bytes.one_of(&model.types).uid),
        }
    }

    pub(crate) fn is_keyable(&self) -> bool {
        !matches!(self, Kind::List(_) | Kind::Many(_))
    }

    pub(crate) fn sdl(&self, model: &Model) -> String {
        match self {
            Kind::Int => "Int".into(),
            Kind::Long => "Long".into(),
            Kind::Float => "Float".into(),
            Kind::Decimal(..) => "Decimal".into(),
            Kind::Bool => "Boolean".into(),
            Kind::Text => "String".into(),
            Kind::Date => "Date".into(),
            Kind::Moment => "DateTime".into(),
            Kind::Uuid => "UUID".into(),
            Kind::Enum(uid) => enum_name(*uid),
            Kind::List(of) => format!("[{}!]", of.sdl(model)),
            Kind::Link(uid) => model.of(*uid).unwrap().name.clone(),
            Kind::Many(uid) => format!("[{}!]", model.of(*uid).unwrap().name),
        }
    }

    pub(crate) fn directive(&self) -> String {
        match self {
            Kind::Decimal(precision, scale) => format!(" @decimal(precision: {precision}, scale: {scale})"),
            Kind::List(of) => of.directive(),
            Kind::Many(_) => " @many".into(),
            _ => String::new(),
        }
    }

    /// A constant, as it stands in a schema.
    pub(crate) fn default_literal(&self, model: &Model) -> Option<String> {
        match self {
            Kind::Enum(uid) => Some(model.enums.iter().find(|of| of.uid == *uid)?.values[0].1.clone()),
            Kind::Text => Some("\"d\"".into()),
            Kind::Int => Some("3".into()),
            Kind::Bool => Some("true".into()),
            Kind::Float => Some("0.5".into()),
            Kind::Decimal(_, 2) => Some("1.25".into()),
            _ => None,
        }
    }

    /// The same as a value.
    pub(crate) fn default_value(&self, model: &Model) -> Option<Json> {
        let literal = self.default_literal(model)?;
        Some(match self {
            Kind::Enum(_) | Kind::Decimal(..) => json!(literal),
            _ => serde_json::from_str(&literal).unwrap(),
        })
    }

    pub(crate) fn fill_literal(&self) -> Option<&'static str> {
        match self {
            Kind::Int => Some("9"),
            Kind::Text => Some("'filled'"),
            Kind::Bool => Some("false"),
            Kind::Float => Some("2.5"),
            _ => None,
        }
    }

    pub(crate) fn fill_value(&self) -> Option<Json> {
        match self {
            Kind::Int => Some(json!(9)),
            Kind::Text => Some(json!("filled")),
            Kind::Bool => Some(json!(false)),
            Kind::Float => Some(json!(2.5)),
            _ => None,
        }
    }

    /// A value on the wire; of links, nothing.
    pub(crate) fn value(&self, model: &Model, bytes: &mut Bytes<'_>) -> Json {
        match self {
            Kind::Int => json!(bytes.one_of(&[0, 1, -5, 7, 5, 100, i32::MAX])),
            Kind::Long => json!(bytes.one_of(&["0", "1", "7", "9007199254740993", "5000000000", "-2147483648"])),
            Kind::Float => json!(bytes.one_of(&[0.5, 1.0, 3.0, 1e300, -2.25, 5.0])),
            Kind::Decimal(_, scale) => {
                let units = bytes.one_of(&[0_i64, 10, 150, -425, 9999, 500]);
                json!(decimal_text(units, *scale))
            }
            Kind::Bool => json!(bytes.rarely(2)),
            Kind::Text => {
                let long = "x".repeat(300);
                let texts = ["", "a", "b", "5", "1.5", "true", "2026-01-02", "red", UUIDS[0], "é", "07", &long];
                json!(bytes.one_of(&texts))
            }
            Kind::Date => json!(bytes.one_of(&["2026-01-02", "0001-01-01"])),
            Kind::Moment => json!(bytes.one_of(&["2026-01-02T00:00:00.000000Z", "2026-01-02T03:04:05.000006Z"])),
            Kind::Uuid => json!(bytes.one_of(&UUIDS)),
            Kind::Enum(uid) => {
                let of = model.enums.iter().find(|of| of.uid == *uid).unwrap();
                json!(bytes.one_of(&of.values).1)
            }
            Kind::List(of) => (0..bytes.below(3)).map(|_| of.value(model, bytes)).collect(),
            Kind::Link(_) | Kind::Many(_) => Json::Null,
        }
    }
}

/// `units` with so many digits behind the point.
pub(crate) fn decimal_text(units: i64, scale: u32) -> String {
    if scale == 0 {
        return units.to_string();
    }
    let (sign, units, one) = (if units < 0 { "-" } else { "" }, units.unsigned_abs(), 10_u64.pow(scale));
    format!("{sign}{}.{:0width$}", units / one, units % one, width = scale as usize)
}

/// A value of an old model as one of a new model's kind; `None` where that would lose something.
pub(crate) fn convert((from, old): (&Kind, &Model), (to, new): (&Kind, &Model), value: &Json) -> Option<Json> {
    if let (Kind::List(from), Kind::List(to)) = (from, to) {
        let items = value.as_array().unwrap().iter();
        return items.map(|item| convert((from, old), (to, new), item)).collect::<Option<Vec<_>>>().map(Json::from);
    }
    if let Kind::List(from) = from {
        let [one] = value.as_array().unwrap().as_slice() else { return None };
        return convert((from, old), (to, new), one);
    }
    if let Kind::List(to) = to {
        return Some(json!([convert((from, old), (to, new), value)?]));
    }
    if let (Kind::Enum(a), Kind::Enum(b)) = (from, to) {
        let text = value.as_str().unwrap();
        let of = |model: &Model, uid: Uid| model.enums.iter().find(|of| of.uid == uid).cloned();
        let uid = of(old, *a)?.values.into_iter().find(|(_, name, _)| name == text)?.0;
        let same = of(new, *b)?.values.into_iter().find(|(other, ..)| *other == uid);
        return same.map(|(_, name, _)| json!(name));
    }
    scalar(from, to, new, value)
}

fn scalar(from: &Kind, to: &Kind, new: &Model, value: &Json) -> Option<Json> {
    let text = value.as_str().map_or_else(|| value.to_string().replace("e+", "e"), str::to_owned);
    let is_number = |kind: &Kind| matches!(kind, Kind::Int | Kind::Long | Kind::Float | Kind::Decimal(..));
    let key = |uid: &Uid| new.of(*uid).unwrap().key;
    match (from, to) {
        (Kind::Bool, Kind::Int) => Some(json!(i32::from(value.as_bool()?))),
        (Kind::Bool, Kind::Long) => Some(json!(i32::from(value.as_bool()?).to_string())),
        (Kind::Int | Kind::Long, Kind::Bool) => ["0", "1"].contains(&&*text).then(|| json!(text == "1")),
        (from, to) if is_number(from) && is_number(to) => number(&text, to),
        (Kind::Text, to) if is_number(to) => {
            let canonical = text == "0" || !text.trim_start_matches('-').starts_with(['0', '.']);
            let fits = match to {
                Kind::Int | Kind::Long => canonical && text.parse::<i64>().is_ok(),
                _ => text.parse::<f64>().is_ok(),
            };
            fits.then(|| number(&text, to)).flatten()
        }
        (Kind::Link(_), to) if is_number(to) => scalar(&Kind::Text, to, new, value),
        (_, Kind::Text) => Some(json!(text)),
        (Kind::Date, Kind::Moment) => Some(json!(format!("{text}T00:00:00.000000Z"))),
        (Kind::Moment, Kind::Date) => text.strip_suffix("T00:00:00.000000Z").map(|day| json!(day)),
        (_, Kind::Link(uid)) => match key(uid) {
            Key::Uuid => is_uuid(&text).then(|| json!(text)),
            Key::Int if is_number(from) => number(&text, &Kind::Long),
            Key::Int => number(&text, &Kind::Long).filter(|long| *long == json!(text)),
            Key::Text => Some(json!(text)),
        },
        (_, Kind::Uuid) => is_uuid(&text).then(|| json!(text)),
        (Kind::Text | Kind::Link(_), Kind::Bool) => ["true", "false"].contains(&&*text).then(|| json!(text == "true")),
        (Kind::Text | Kind::Date | Kind::Link(_), Kind::Date) => is_day(&text).then(|| json!(text)),
        (Kind::Moment, Kind::Moment) => Some(json!(text)),
        (Kind::Text, Kind::Moment) => (text.len() == 27 && text.ends_with('Z')).then(|| json!(text)),
        (Kind::Bool, Kind::Bool) => Some(value.clone()),
        (_, Kind::Enum(uid)) => {
            let of = new.enums.iter().find(|of| of.uid == *uid)?;
            of.values.iter().any(|(_, name, _)| *name == text).then(|| json!(text))
        }
        _ => None,
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && text.as_bytes()[4] == b'-'
}

/// The number of this text, exactly; `None` where there is none.
fn number(text: &str, to: &Kind) -> Option<Json> {
    let float: f64 = text.parse().ok()?;
    // Digits that are exact: of a whole number or a short decimal, as it is; of a float, its shortest form.
    let exact = if text.contains(['e', 'E']) { format!("{float}") } else { text.to_owned() };
    let exact = if exact.contains('.') { exact.trim_end_matches('0').trim_end_matches('.') } else { &exact };
    let (whole, fraction) = exact.split_once('.').unwrap_or((exact, ""));
    match to {
        Kind::Int | Kind::Long if !fraction.is_empty() => None,
        Kind::Int => whole.parse::<i32>().ok().map(|value| json!(value)),
        Kind::Long => whole.parse::<i64>().ok().map(|value| json!(value.to_string())),
        Kind::Float => (format!("{float}") == exact).then(|| json!(float)),
        Kind::Decimal(precision, scale) => {
            let missing = (*scale as usize).checked_sub(fraction.len())?;
            let units: i128 = format!("{whole}{fraction}{}", "0".repeat(missing)).parse().ok()?;
            let fits = units.unsigned_abs() < 10_u128.pow(*precision);
            fits.then(|| json!(decimal_text(i64::try_from(units).unwrap(), *scale)))
        }
        _ => None,
    }
}

//! JSON as it comes in: borrowed from the body, with everything that is ambiguous refused.
use std::{borrow::Cow, cell::Cell, collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use mainstay_expr::wire;

use crate::json_numbers::as_written;

/// Objects with more members than this look for double keys by a set; smaller ones by comparing.
const COMPARED_MEMBERS_MAX: usize = 16;

/// One JSON value; texts are borrowed where they hold no escapes.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without fraction and exponent, of 64 bits.
    Int(i64),
    /// Any other number; finite, never `-0`.
    Float(f64),
    /// A number with more digits than a float keeps, as it was written: what wants it exactly refuses it or reads the text.
    Rounded(Cow<'a, str>),
    /// A text.
    Text(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object; no key comes twice.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// How much JSON is accepted. The length is bounded by whoever reads the bytes.
#[derive(Clone, Copy, Debug)]
pub struct JsonLimits {
    /// How deep arrays and objects may nest.
    pub depth_max: usize,
}

impl Default for JsonLimits {
    fn default() -> Self {
        JsonLimits { depth_max: 32 }
    }
}

/// Why bytes are no JSON that is accepted, and where, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line} column {column}")]
pub struct JsonError {
    /// What is wrong.
    pub message: String,
    /// The line.
    pub line: usize,
    /// The column, in bytes.
    pub column: usize,
}

impl<'a> Json<'a> {
    /// Reads one JSON value. Refused: double keys, invalid UTF-8, nesting beyond the limit, anything behind the value, and
    /// numbers that are out of a float's range, too small ones too.
    pub fn parse(bytes: &'a [u8], limits: JsonLimits) -> Result<Json<'a>, JsonError> {
        let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let float = Cell::new(false);
        let depth_max = limits.depth_max.min(100);
        let seed = Seed { depth_left: depth_max, depth_max, float: &float };
        let json = seed.deserialize(&mut deserializer).map_err(from_serde)?;
        deserializer.end().map_err(from_serde)?;
        if float.get() { as_written(json, text) } else { Ok(json) }
    }

    /// The number that a text is, with a fraction or an exponent or without; fails as [`wire::parse_float`] does.
    pub fn number(text: &'a str) -> Result<Json<'a>, String> {
        let number = wire::parse_float(text)?;
        Ok(if wire::keeps_digits(text, number) { Json::Float(number) } else { Json::Rounded(Cow::Borrowed(text)) })
    }

    /// What kind of value it is, for messages: `a number`.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Int(_) | Json::Float(_) | Json::Rounded(_) => "a number",
            Json::Text(_) => "a text",
            Json::Array(_) => "an array",
            Json::Object(_) => "an object",
        }
    }

    /// The member of an object; `None` of anything else.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        match self {
            Json::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text; `None` of anything else.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number as the float that is nearest to it; `None` of anything else.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Json::Int(value) => Some(*value as f64),
            Json::Float(value) => Some(*value),
            Json::Rounded(text) => wire::parse_float(text).ok(),
            _ => None,
        }
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Json<'static> {
        match self {
            Json::Null => Json::Null,
            Json::Bool(value) => Json::Bool(value),
            Json::Int(value) => Json::Int(value),
            Json::Float(value) => Json::Float(value),
            Json::Rounded(text) => Json::Rounded(Cow::Owned(text.into_owned())),
            Json::Text(text) => Json::Text(Cow::Owned(text.into_owned())),
            Json::Array(items) => Json::Array(items.into_iter().map(Json::into_owned).collect()),
            Json::Object(members) => Json::Object(
                members.into_iter().map(|(key, value)| (Cow::Owned(key.into_owned()), value.into_owned())).collect(),
            ),
        }
    }
}

fn not_utf8(bytes: &[u8], at: usize) -> JsonError {
    let before = &bytes[..at];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = at - before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1) + 1;
    JsonError { message: "this is not valid UTF-8".into(), line, column }
}

fn from_serde(error: serde_json::Error) -> JsonError {
    let mut message = error.to_string();
    if let Some(at) = message.rfind(" at line ") {
        message.truncate(at);
    }
    if let Some((_, ours)) = WORDS.iter().find(|(theirs, _)| message.starts_with(theirs)) {
        message = (*ours).to_owned();
    }
    JsonError { message, line: error.line(), column: error.column() }
}

/// The parser's words that say little to a caller, and ours.
const WORDS: [(&str, &str); 6] = [
    ("EOF", "the JSON ends too early"),
    ("expected value", "this is no JSON value"),
    ("trailing characters", "something stands behind the JSON value"),
    ("number out of range", "this number is out of range"),
    ("unexpected end of hex escape", "half of a surrogate pair is no character"),
    ("lone leading surrogate", "half of a surrogate pair is no character"),
];

/// Reads one value, knowing how deep it may still go.
#[derive(Clone, Copy)]
struct Seed<'z> {
    depth_left: usize,
    depth_max: usize,
    /// Whether a number was read that is no whole one of 64 bits: digits of it may be lost.
    float: &'z Cell<bool>,
}

impl<'z> Seed<'z> {
    fn inner<E: serde::de::Error>(self) -> Result<Seed<'z>, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Seed { depth_left, ..self }),
            None => Err(E::custom(format_args!("this nests deeper than {}", self.depth_max))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Json<'de>, E> {
        match i64::try_from(value) {
            Ok(value) => Ok(Json::Int(value)),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json<'de>, E> {
        if !value.is_finite() {
            return Err(E::custom("this number is out of range"));
        }
        self.float.set(true);
        // A negative zero is equal to zero everywhere but in its bits.
        Ok(Json::Float(if value == 0.0 { 0.0 } else { value }))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let inner = self.inner()?;
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::new();
        let mut seen: HashSet<Cow<'de, str>> = HashSet::new();
        while let Some(key) = access.next_key_seed(KeySeed)? {
            if is_double(&members, &mut seen, &key) {
                return Err(A::Error::custom(format_args!("the key {key:?} comes twice")));
            }
            members.push((key, access.next_value_seed(inner)?));
        }
        Ok(Json::Object(members))
    }
}

/// Whether `key` is there already; a set takes over where comparing would take quadratic time.
fn is_double<'de>(members: &[(Cow<'de, str>, Json<'de>)], seen: &mut HashSet<Cow<'de, str>>, key: &str) -> bool {
    if members.len() < COMPARED_MEMBERS_MAX {
        return members.iter().any(|(name, _)| name == key);
    }
    let known = seen.len();
    seen.extend(members[known..].iter().map(|(name, _)| name.clone()));
    seen.contains(key)
}

/// Reads a key, borrowed where it can be.
struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(KeySeed)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

//! Values on the wire: from JSON and addresses into [`Value`], and back.
use mainstay_expr::{Value, wire};

use crate::{Field, FieldKind, Json, JsonLimits, KeyKind, Scalar, Schema, snapshot::ColumnType};

mod contact;
mod embedded;
mod scalar;
mod write;

/// Most bytes of a text that has no maximum of its own.
pub const STRING_BYTES_MAX: usize = 1 << 20;
/// Most elements of a list.
pub const LIST_LENGTH_MAX: usize = 10_000;
/// Most characters of a key that is a text.
pub const KEY_LENGTH_MAX: u32 = 255;
/// Most characters of an `Email`.
pub const EMAIL_LENGTH_MAX: u32 = 320;
/// Most characters of a `URL`.
pub const URL_LENGTH_MAX: u32 = 2048;

/// Why JSON is no value of a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WireError {
    /// A stable name of the kind of error.
    pub code: &'static str,
    /// What is wrong, for people; lower case, no full stop.
    pub message: String,
    /// Where, as a JSON pointer from the value: empty for the value itself.
    pub pointer: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What else is wrong with the same value (the other members of an embedded value, the other elements of a list).
    pub more: Vec<WireError>,
}

impl WireError {
    /// An error of the value itself.
    pub fn new(code: &'static str, message: impl Into<String>) -> WireError {
        WireError { code, message: message.into(), pointer: String::new(), hint: None, more: Vec::new() }
    }

    /// The same error with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> WireError {
        WireError { hint: Some(hint.into()), ..self }
    }

    /// The same errors, one level further down.
    #[must_use]
    pub fn under(mut self, step: &str) -> WireError {
        self.pointer.insert_str(0, &format!("/{}", step.replace('~', "~0").replace('/', "~1")));
        self.more = self.more.into_iter().map(|error| error.under(step)).collect();
        self
    }

    /// This error and the others of the same value, each alone.
    pub fn into_all(mut self) -> Vec<WireError> {
        let more = std::mem::take(&mut self.more);
        std::iter::once(self).chain(more.into_iter().flat_map(WireError::into_all)).collect()
    }

    /// Several errors as one; `None` of none.
    pub(crate) fn join(errors: Vec<WireError>) -> Option<WireError> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        first.more.extend(errors);
        Some(first)
    }
}

impl Schema {
    /// The same value, where a field can have it: its length, its range and its form are those that a sent value must have,
    /// before its checks are asked.
    ///
    /// # Errors
    ///
    /// What would be wrong with it, were it sent.
    pub fn fitting(&self, field: &Field, value: Value) -> Result<Value, WireError> {
        let of_text = matches!(field.kind, FieldKind::Scalar(Scalar::String | Scalar::Id));
        let longest = field.unchecked_length_max.map_or(STRING_BYTES_MAX, |most| most as usize);
        match &value {
            Value::Null | Value::Bool(_) | Value::Timestamp(_) | Value::Uuid(_) => return Ok(value),
            // No character has more than four bytes.
            Value::Text(text) if of_text && text.len() <= longest => return Ok(value),
            _ => {}
        }
        let mut json = Vec::new();
        self.write_value(&field.kind, &value, &mut json);
        let json = Json::parse(&json, JsonLimits::default())
            .map_err(|error| WireError::new("wrong_type", error.to_string()))?;
        self.read_value(&field.kind, field.unchecked_length_max, &json)
    }

    /// Reads the value of a field of this kind. `null` is [`Value::Null`]: whether the field may be null, the caller knows.
    /// `length_max` is the field's. A to-one link is read as the other's key; a to-many link is no value and refused.
    pub fn read_value(&self, kind: &FieldKind, length_max: Option<u32>, json: &Json<'_>) -> Result<Value, WireError> {
        if matches!(json, Json::Null) {
            return Ok(Value::Null);
        }
        match kind {
            FieldKind::Scalar(scalar) => scalar.read(length_max, json),
            FieldKind::Enum(of) => {
                let of = &self.enums[of.0 as usize];
                scalar::read_enum(&of.name, &of.values, json)
            }
            FieldKind::ScalarList(scalar) => read_list(json, |item| scalar.read(length_max, item)),
            FieldKind::EnumList(of) => {
                let of = &self.enums[of.0 as usize];
                read_list(json, |item| scalar::read_enum(&of.name, &of.values, item))
            }
            FieldKind::Embedded { of, list } => self.read_embedded(*of, *list, json),
            FieldKind::ToOne { target, .. } => {
                let target = self.collection(*target);
                target.key.read(json).map_err(|error| error.hint(format!("send the id of a \"{}\"", target.name)))
            }
            FieldKind::Inverse { .. } | FieldKind::Many { .. } => {
                Err(WireError::new("wrong_type", "a list of links is not a value"))
            }
        }
    }

    /// Reads the value of a field from plain text: a part of an address, a cell of CSV. `None` when it is no such value.
    pub fn parse_field_text(&self, field: &Field, text: &str) -> Option<Value> {
        match &field.kind {
            FieldKind::ToOne { target, .. } => self.collection(*target).key.parse(text),
            FieldKind::Enum(of) => {
                let is_value = self.enums[of.0 as usize].values.iter().any(|value| value == text);
                is_value.then(|| Value::text(text))
            }
            FieldKind::Scalar(scalar) => scalar.parse(field.length_max, text),
            FieldKind::ScalarList(_) | FieldKind::EnumList(_) | FieldKind::Embedded { .. } => {
                let json = Json::parse(text.as_bytes(), JsonLimits::default()).ok()?;
                self.read_value(&field.kind, field.length_max, &json).ok().filter(|value| !value.is_null())
            }
            FieldKind::Inverse { .. } | FieldKind::Many { .. } => None,
        }
    }
}

impl KeyKind {
    /// Reads a key from an address; `None` when it is no key of this kind. One key has one text.
    pub fn parse(self, text: &str) -> Option<Value> {
        match self {
            KeyKind::Uuid => wire::parse_uuid(text).ok().map(Value::Uuid),
            KeyKind::Int => wire::parse_text(&self.ty(), text).ok(),
            KeyKind::String => is_text_key(text).then(|| Value::text(text)),
        }
    }

    /// Reads the key of a record that is to be made.
    pub fn read_new(self, json: &Json<'_>) -> Result<Value, WireError> {
        match self.read(json)? {
            Value::Int(key) if key > KEY_INT_MAX => {
                Err(scalar::invalid(format!("{key} is too large for a key: at most {KEY_INT_MAX}")))
            }
            // Clients take them for steps in a path, however they are encoded.
            Value::Text(key) if matches!(&*key, "." | "..") => {
                Err(scalar::invalid(format!("{key:?} is no key: no address leads to it")))
            }
            key => Ok(key),
        }
    }

    /// Reads a key from JSON: a text, and of integer keys a number too.
    pub fn read(self, json: &Json<'_>) -> Result<Value, WireError> {
        match (json, scalar::whole(json)) {
            (_, Some(value)) if self == KeyKind::Int => Ok(Value::Int(value)),
            (Json::Text(text), _) => self.parse(text).ok_or_else(|| match self {
                KeyKind::Uuid => scalar::invalid(wire::parse_uuid(text).err().unwrap_or_default()),
                KeyKind::Int => scalar::invalid(format!("{text:?} is no key: expected a whole number as a text")),
                KeyKind::String => scalar::invalid(format!(
                    "this is no key: expected 1 to {KEY_LENGTH_MAX} characters, none of them a control character"
                )),
            }),
            _ => Err(scalar::wrong_type("a key as a text", json)),
        }
    }
}

/// The largest whole number that a create may bring as its key. A collection counts on from its largest: 2^32 are kept for
/// that, so that nobody who may choose a key can use them up.
pub const KEY_INT_MAX: i64 = i64::MAX - (1 << 32);

/// A text key can stand in an address and in every index.
fn is_text_key(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= KEY_LENGTH_MAX as usize && !text.chars().any(char::is_control)
}

/// Reads an array, each element by `read`; elements are never null.
fn read_list(json: &Json<'_>, read: impl Fn(&Json<'_>) -> Result<Value, WireError>) -> Result<Value, WireError> {
    let items = list_items(json)?;
    let mut errors = Vec::new();
    let mut values = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let value = match item {
            Json::Null => Err(WireError::new("wrong_type", "an element of a list is never null")),
            item => read(item),
        };
        match value {
            Ok(value) => values.push(value),
            Err(error) => errors.push(error.under(&at.to_string())),
        }
    }
    match WireError::join(errors) {
        Some(error) => Err(error),
        None => Ok(Value::List(values.into())),
    }
}

fn list_items<'j, 'a>(json: &'j Json<'a>) -> Result<&'j [Json<'a>], WireError> {
    match json {
        Json::Array(items) if items.len() <= LIST_LENGTH_MAX => Ok(items),
        Json::Array(items) => Err(WireError::new(
            "too_long",
            format!("this list has {} elements, at most {LIST_LENGTH_MAX} are kept", items.len()),
        )),
        _ => Err(scalar::wrong_type("a list", json)),
    }
}

/// Reads what a column of a snapshot holds, where that is a constant that can be a default.
pub(crate) fn read_column(ty: &ColumnType, json: &Json<'_>) -> Option<Value> {
    match (ty, json) {
        (_, Json::Null) => None,
        (ColumnType::Scalar(scalar), _) => scalar.read(None, json).ok(),
        (ColumnType::Enum(_), Json::Text(text)) => Some(Value::text(text.as_ref())),
        (ColumnType::Key(key), _) => key.read(json).ok(),
        (ColumnType::List(of), Json::Array(items)) => {
            if matches!(**of, ColumnType::Embedded(_)) {
                return Some(Value::Json(json.to_canonical().into()));
            }
            items
                .iter()
                .map(|item| read_column(of, item))
                .collect::<Option<Vec<_>>>()
                .map(|items| Value::List(items.into()))
        }
        (ColumnType::Embedded(_), _) => Some(Value::Json(json.to_canonical().into())),
        _ => None,
    }
}

//! Keys in sets and in lists.
use std::{fmt::Write, sync::Arc};

use mainstay_expr::Value;
use mainstay_schema::json_string;
use uuid::Uuid;

use crate::StoreError;

/// A key that can be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Uuid(Uuid),
    Int(i64),
    Text(Arc<str>),
}

impl Key {
    pub(super) fn of(value: Value) -> Result<Key, StoreError> {
        match value {
            Value::Uuid(uuid) => Ok(Key::Uuid(uuid)),
            Value::Int(number) => Ok(Key::Int(number)),
            Value::Text(text) => Ok(Key::Text(text)),
            other => Err(StoreError::Engine(format!("{other:?} is no key"))),
        }
    }
}

/// The keys as JSON, in the form in which they are stored.
pub(super) fn json_of(keys: &[Key]) -> String {
    let mut out = String::with_capacity(2 + 39 * keys.len());
    out.push('[');
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match key {
            // Writing into a string never fails.
            Key::Uuid(uuid) => drop(write!(out, "\"{uuid}\"")),
            Key::Int(number) => drop(write!(out, "{number}")),
            Key::Text(text) => {
                let mut quoted = Vec::with_capacity(text.len() + 2);
                json_string(&mut quoted, text);
                out.push_str(&String::from_utf8_lossy(&quoted));
            }
        }
    }
    out.push(']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_one_json_text() {
        let uuid = Uuid::from_u128(7);
        let keys = [Key::Uuid(uuid), Key::Int(-3), Key::Text("a\"b".into())];
        assert_eq!(json_of(&keys), r#"["00000000-0000-0000-0000-000000000007",-3,"a\"b"]"#);
        assert_eq!(json_of(&[]), "[]");
    }
}

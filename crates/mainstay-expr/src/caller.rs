//! The caller's values, and the slots of a [`Compiled`] computed from them.
use std::{collections::BTreeMap, sync::Arc};

use uuid::Uuid;

use crate::{
    eval::eval_alone,
    tree::{Compiled, Outcome, SlotValue},
    types::Type,
    value::Value,
    wire,
};

/// What one request brings: who calls and how.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerValues {
    /// Who calls; `None` when anonymous.
    pub auth: Option<AuthValues>,
    /// `request.time`: microseconds since 1970.
    pub time_micros: i64,
    /// `request.ip`.
    pub ip: Arc<str>,
    /// `request.method`.
    pub method: Arc<str>,
    /// `request.host`.
    pub host: Arc<str>,
}

/// Who a signed-in caller is.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthValues {
    /// `auth.id`.
    pub id: Arc<str>,
    /// `auth.roles`: a [`Value::Text`] each.
    pub roles: Arc<[Value]>,
    /// `auth.claims.NAME`: the declared claims that the token has, with values of their declared types.
    pub claims: BTreeMap<Arc<str>, Value>,
}

/// Computes the slots of an expression for one caller. `params` are the `p.` values in the order of [`Compiled::params`].
pub fn resolve(compiled: &Compiled, caller: &CallerValues, params: &[Value]) -> Vec<SlotValue> {
    let mut out = Vec::with_capacity(compiled.slots.len());
    resolve_into(compiled, caller, params, &mut out);
    out
}

/// As [`resolve`], pushing one [`SlotValue`] for each slot onto `out`.
pub fn resolve_into(compiled: &Compiled, caller: &CallerValues, params: &[Value], out: &mut Vec<SlotValue>) {
    out.extend(compiled.slots.iter().map(|slot| {
        let value = eval_alone(&slot.expr, Some((caller, params)));
        match (value, &slot.key) {
            (Err(_), _) => SlotValue { outcome: Outcome::Error, value: Value::Null },
            (Ok(value), Some(key)) => as_key(key, value),
            (Ok(value), None) => plain(value),
        }
    }));
}

fn plain(value: Value) -> SlotValue {
    let outcome = match value {
        Value::Null => Outcome::Null,
        Value::Bool(true) => Outcome::True,
        Value::Bool(false) => Outcome::False,
        _ => return SlotValue { outcome: Outcome::Value, value },
    };
    SlotValue { outcome, value: Value::Null }
}

/// The value as a key: parsed when it is text. Of a list, the elements that are none are dropped: they are equal to nothing.
fn as_key(key: &Type, value: Value) -> SlotValue {
    match value {
        Value::List(values) => {
            let keys = values.iter().filter_map(|value| key_value(key, value));
            SlotValue { outcome: Outcome::Value, value: Value::List(keys.collect()) }
        }
        Value::Null => SlotValue { outcome: Outcome::Null, value: Value::Null },
        value => match key_value(key, &value) {
            Some(value) => SlotValue { outcome: Outcome::Value, value },
            None => SlotValue { outcome: Outcome::NoKey, value: Value::Null },
        },
    }
}

fn key_value(key: &Type, value: &Value) -> Option<Value> {
    match (key, value) {
        // Without the words of an error: callers with ids of another kind come here on each request.
        (Type::Uuid, Value::Text(text)) if text.len() != wire::UUID_LEN => None,
        (Type::Uuid, Value::Text(text)) => Uuid::try_parse(text).ok().map(Value::Uuid),
        (_, Value::Text(text)) => wire::parse_text(key, text).ok(),
        (Type::Uuid, Value::Uuid(_)) | (Type::Int, Value::Int(_)) => Some(value.clone()),
        _ => None,
    }
}

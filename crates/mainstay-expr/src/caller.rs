//! The caller's values, and the slots of a [`Compiled`] computed from them.
use std::{collections::BTreeMap, sync::Arc};

use crate::{
    tree::{Compiled, SlotValue},
    value::Value,
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
    let _ = (compiled, caller, params, out);
    todo!()
}

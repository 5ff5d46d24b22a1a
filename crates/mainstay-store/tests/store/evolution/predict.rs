//! What the records become, by the model alone.
use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{
    kinds::{Kind, convert},
    model::{FieldModel, Fill, Model, TypeModel, Uid},
    records::{Records, VERSION, obeys},
};

/// The records in the new model; the error says what is in the way.
pub(crate) fn predict(old: &Model, new: &Model, records: &Records) -> Result<Records, String> {
    let mut base = Records::new();
    for of in &new.types {
        let rows = base.entry(of.uid).or_default();
        let Some(was) = old.of(of.uid) else { continue };
        for (key, row) in &records[&of.uid] {
            let mut values = BTreeMap::from([(VERSION, row[&VERSION].clone())]);
            for field in &of.fields {
                values.insert(field.uid, base_value(old, new, was, field, row)?);
            }
            rows.insert(key.clone(), values);
        }
    }
    let filled = fill(old, new, &base);
    for of in new.types.iter().filter(|of| old.of(of.uid).is_some()) {
        if !obeys(new, of, &filled[&of.uid]) {
            return Err(format!("records of {} do not obey", of.name));
        }
        for (field, row) in of.fields.iter().flat_map(|field| filled[&of.uid].values().map(move |row| (field, row))) {
            links_lead_somewhere(field, &row[&field.uid], &filled)?;
        }
    }
    Ok(filled)
}

fn links_lead_somewhere(field: &FieldModel, value: &Json, records: &Records) -> Result<(), String> {
    let (Kind::Link(target) | Kind::Many(target)) = &field.kind else { return Ok(()) };
    let keys: Vec<&Json> = match value {
        Json::Array(keys) => keys.iter().collect(),
        Json::Null => Vec::new(),
        key => vec![key],
    };
    let is_there = |key: &&Json| records[target].contains_key(key.as_str().unwrap());
    if keys.iter().all(is_there) { Ok(()) } else { Err(format!("{} links to nothing", field.name)) }
}

/// Whether a field is new, or required where it was not.
fn becomes(was: &TypeModel, field: &FieldModel) -> bool {
    let old = was.field(field.uid).filter(|old| is_same_column(old, field));
    old.is_none_or(|old| !old.required && field.required)
}

/// A field whose values come from a column of the same field.
fn is_same_column(old: &FieldModel, new: &FieldModel) -> bool {
    !matches!(old.kind, Kind::Many(_)) && !matches!(new.kind, Kind::Many(_))
}

fn base_value(
    old: &Model,
    new: &Model,
    was: &TypeModel,
    field: &FieldModel,
    row: &BTreeMap<Uid, Json>,
) -> Result<Json, String> {
    let stored = was.field(field.uid).map(|old| (old, row[&old.uid].clone()));
    let value = match (stored, &field.kind) {
        (None, Kind::Many(_)) => json!([]),
        (None, _) => Json::Null,
        (Some((from, value)), Kind::Many(target)) => match &from.kind {
            Kind::Many(other) if same_keys(old, *other, new, *target) => value,
            Kind::Link(other) if same_keys(old, *other, new, *target) => {
                if value.is_null() {
                    json!([])
                } else {
                    json!([value])
                }
            }
            _ => json!([]),
        },
        (Some((from, value)), kind) => match (&from.kind, kind) {
            (Kind::Many(_), Kind::Link(_)) => match value.as_array().unwrap().as_slice() {
                [] => Json::Null,
                [one] => one_link(old, from, new, field, one)?,
                _ => return Err(format!("{} has several links", field.name)),
            },
            (Kind::Many(_), _) => Json::Null,
            _ if value.is_null() => Json::Null,
            (from, to) => convert((from, old), (to, new), &value)
                .ok_or_else(|| format!("{value} of {} does not become {to:?}", field.name))?,
        },
    };
    // What is new is filled in any case, what is there only where it must not be null.
    let is_new = was
        .field(field.uid)
        .is_none_or(|old| matches!(old.kind, Kind::Many(_)) && !matches!(field.kind, Kind::Link(_)));
    let defaults = field.default && (is_new || field.required && becomes(was, field));
    Ok(match field.kind.default_value(new).filter(|_| defaults && value.is_null()) {
        Some(default) => default,
        None => value,
    })
}

fn one_link(old: &Model, from: &FieldModel, new: &Model, to: &FieldModel, key: &Json) -> Result<Json, String> {
    let Kind::Many(target) = from.kind else { unreachable!() };
    let link = Kind::Link(target);
    convert((&link, old), (&to.kind, new), key).ok_or_else(|| format!("{key} is no key for {}", to.name))
}

fn same_keys(old: &Model, a: Uid, new: &Model, b: Uid) -> bool {
    old.of(a).map(|of| of.key) == new.of(b).map(|of| of.key)
}

/// Fills what is null, each from the records before anything is filled.
fn fill(old: &Model, new: &Model, base: &Records) -> Records {
    let mut filled = base.clone();
    for of in &new.types {
        let Some(was) = old.of(of.uid) else { continue };
        for field in &of.fields {
            let Some(expr) = new.fill_expr(of, field) else { continue };
            let before = was.field(field.uid).filter(|old| is_same_column(old, field));
            let is_known = before.and_then(|before| old.fill_expr(was, before)) == Some(expr);
            if !becomes(was, field) && is_known {
                continue;
            }
            for (key, row) in &base[&of.uid] {
                if row[&field.uid].is_null() {
                    let value = fill_value(of, field, row, base);
                    filled.get_mut(&of.uid).unwrap().get_mut(key).unwrap().insert(field.uid, value);
                }
            }
        }
    }
    filled
}

fn fill_value(of: &TypeModel, field: &FieldModel, row: &BTreeMap<Uid, Json>, base: &Records) -> Json {
    match field.fill {
        Some(Fill::Constant) => field.kind.fill_value().unwrap_or(Json::Null),
        Some(Fill::Own(other)) => row[&other].clone(),
        Some(Fill::Linked(link, other)) => {
            let Some(Kind::Link(target)) = of.field(link).map(|link| link.kind.clone()) else { return Json::Null };
            let there = row[&link].as_str().and_then(|key| base[&target].get(key));
            there.map_or(Json::Null, |there| there[&other].clone())
        }
        None => Json::Null,
    }
}

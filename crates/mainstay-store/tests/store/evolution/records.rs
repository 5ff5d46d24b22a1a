//! Records of a model: drawn so that they obey it, written into the tables and read from them again.
use std::collections::{BTreeMap, BTreeSet};

use mainstay_schema::{FieldKind, Schema};
use mainstay_test_db::{Engine, TestDatabase, engine};
use serde_json::{Value as Json, json};

use super::{
    kinds::{Kind, UUIDS, decimal_text},
    model::{FieldModel, Key, Model, TypeModel, Uid},
};
use crate::agreement::bytes::Bytes;

/// The records of each type, by key: the values of the fields, links to many as sorted lists.
pub(crate) type Records = BTreeMap<Uid, BTreeMap<String, BTreeMap<Uid, Json>>>;

/// Stands for the `version` among the fields.
pub(crate) const VERSION: Uid = usize::MAX;

pub(crate) fn draw(model: &Model, bytes: &mut Bytes<'_>) -> Records {
    let mut keys = BTreeMap::new();
    for of in &model.types {
        let some: Vec<String> = (0..bytes.below(8)).map(|at| key(of.key, at)).collect();
        keys.insert(of.uid, some);
    }
    let mut records = Records::new();
    for of in &model.types {
        let rows = records.entry(of.uid).or_default();
        for key in &keys[&of.uid] {
            let mut row: BTreeMap<Uid, Json> =
                of.fields.iter().map(|field| (field.uid, value(model, &keys, field, bytes))).collect();
            row.insert(VERSION, json!(1 + bytes.below(9)));
            rows.insert(key.clone(), row);
            if !obeys(model, of, rows) {
                rows.remove(key);
            }
        }
    }
    // Records that were left out may be linked to.
    while drop_dangling(model, &mut records) {}
    records
}

fn key(kind: Key, at: usize) -> String {
    match kind {
        Key::Uuid => {
            if at < 3 {
                UUIDS[at].to_owned()
            } else {
                UUIDS[0].replace("8000", &format!("80{at:02}"))
            }
        }
        Key::Int => (at + 1).to_string(),
        Key::Text => ["a", "b", "5", "é", "k", "1", "2", "x y"][at % 8].to_owned(),
    }
}

fn value(model: &Model, keys: &BTreeMap<Uid, Vec<String>>, field: &FieldModel, bytes: &mut Bytes<'_>) -> Json {
    match &field.kind {
        Kind::Many(target) => {
            let all = &keys[target];
            let some: BTreeSet<&String> =
                (0..bytes.below(3)).filter(|_| !all.is_empty()).map(|_| &all[bytes.below(all.len())]).collect();
            json!(some)
        }
        Kind::Link(target) if keys[target].is_empty() || (!field.required && bytes.rarely(3)) => Json::Null,
        Kind::Link(target) => json!(bytes.one_of(&keys[target])),
        _ if !field.required && bytes.rarely(3) => Json::Null,
        kind => kind.value(model, bytes),
    }
}

fn drop_dangling(model: &Model, records: &mut Records) -> bool {
    let there: BTreeMap<Uid, BTreeSet<String>> =
        records.iter().map(|(uid, rows)| (*uid, rows.keys().cloned().collect())).collect();
    let mut changed = false;
    for of in &model.types {
        let rows = records.get_mut(&of.uid).unwrap();
        let before = rows.len();
        rows.retain(|_, row| {
            of.fields.iter().all(|field| match &field.kind {
                Kind::Link(target) => row[&field.uid].as_str().is_none_or(|key| there[target].contains(key)),
                Kind::Many(target) => {
                    row[&field.uid].as_array().unwrap().iter().all(|key| there[target].contains(key.as_str().unwrap()))
                }
                _ => true,
            })
        });
        changed |= rows.len() < before;
    }
    changed
}

/// Whether the records of a type obey the model, but for their links.
pub(crate) fn obeys(model: &Model, of: &TypeModel, rows: &BTreeMap<String, BTreeMap<Uid, Json>>) -> bool {
    let of_row = |row: &BTreeMap<Uid, Json>, field: &FieldModel| {
        let value = &row[&field.uid];
        let is_keyed = field.unique || field.index || of.pair.is_some_and(|(a, b)| a == field.uid || b == field.uid);
        let too_long = is_keyed && value.as_str().is_some_and(|text| text.chars().count() > 255);
        let too_low = field.above.is_some_and(|above| value.as_i64().is_some_and(|value| value <= i64::from(above)));
        let missing = field.required && value.is_null() && !matches!(field.kind, Kind::Many(_));
        !(too_long && field.kind == Kind::Text || too_low || missing)
    };
    let single = of.fields.iter().filter(|field| field.unique).map(|field| (vec![field.uid], of.among(field)));
    let pairs =
        of.pair.filter(|(a, b)| of.field(*a).is_some() && of.field(*b).is_some()).map(|(a, b)| (vec![a, b], None));
    let uniques: Vec<(Vec<Uid>, Option<&FieldModel>)> = single.chain(pairs).collect();
    let differ = |(unique, among): &(Vec<Uid>, Option<&FieldModel>)| {
        let is_among = |row: &&BTreeMap<Uid, Json>| match among {
            None => true,
            Some(other) if other.kind == Kind::Int => row[&other.uid].as_i64().is_some_and(|value| value > 2),
            Some(other) => !row[&other.uid].is_null(),
        };
        let values = rows.values().filter(is_among);
        let values = values.map(|row| unique.iter().map(|uid| row[uid].clone()).collect::<Vec<_>>());
        let values: Vec<String> =
            values.filter(|values| !values.iter().any(Json::is_null)).map(|values| json!(values).to_string()).collect();
        values.iter().collect::<BTreeSet<_>>().len() == values.len()
    };
    let _ = model;
    rows.values().all(|row| of.fields.iter().all(|field| of_row(row, field))) && uniques.iter().all(differ)
}

/// Writes records into the tables of the model's schema.
pub(crate) fn write(database: &TestDatabase, model: &Model, schema: &Schema, records: &Records) {
    let mut all = match engine() {
        Engine::Sqlite => "PRAGMA foreign_keys = off;\n".to_owned(),
        Engine::Postgres => "SET session_replication_role = replica;\n".to_owned(),
    };
    for of in &model.types {
        let collection = schema.collection(schema.by_name[&of.name]);
        for (key, row) in &records[&of.uid] {
            let now = "'2026-01-01T00:00:00.000000Z'".to_owned();
            let mut columns = vec![
                ("id".to_owned(), key_literal(of.key, key)),
                ("created_at".to_owned(), now.clone()),
                ("updated_at".to_owned(), now),
                ("version".to_owned(), row[&VERSION].to_string()),
            ];
            for field in &of.fields {
                let stored_as = collection.field_named(&field.name).unwrap();
                match (&field.kind, &stored_as.kind) {
                    (Kind::Many(target), FieldKind::Many { table, .. }) => {
                        for other in row[&field.uid].as_array().unwrap() {
                            let to = key_literal(model.of(*target).unwrap().key, other.as_str().unwrap());
                            let from = key_literal(of.key, key);
                            all.push_str(&format!("INSERT INTO \"{table}\" (from_id, to_id) VALUES ({from}, {to});\n"));
                        }
                    }
                    (kind, _) => columns.push((stored_as.column.clone(), literal(model, kind, &row[&field.uid]))),
                }
            }
            let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            let values: Vec<String> = columns.into_iter().map(|(_, value)| value).collect();
            let (names, values) = (names.join(", "), values.join(", "));
            all.push_str(&format!("INSERT INTO \"{}\" ({names}) VALUES ({values});\n", collection.table));
        }
    }
    database.execute(&all);
}

/// Reads all records of the model's schema.
pub(crate) fn read(database: &TestDatabase, model: &Model, schema: &Schema) -> Records {
    let mut records = Records::new();
    for of in &model.types {
        let collection = schema.collection(schema.by_name[&of.name]);
        let rows = records.entry(of.uid).or_default();
        let stored = of.fields.iter().map(|field| (field, collection.field_named(&field.name).unwrap()));
        let (many, own): (Vec<_>, Vec<_>) =
            stored.partition(|(_, stored_as)| matches!(stored_as.kind, FieldKind::Many { .. }));
        let columns: String =
            own.iter().map(|(field, stored_as)| format!(", {}", shown(&field.kind, &stored_as.column))).collect();
        for row in database.rows(&format!("SELECT id, version{columns} FROM \"{}\"", collection.table)) {
            let mut cells = row.into_iter();
            let key = cells.next().flatten().unwrap();
            let version: i64 = cells.next().flatten().unwrap().parse().unwrap();
            let mut values = BTreeMap::from([(VERSION, json!(version))]);
            values.extend(own.iter().zip(cells).map(|((field, _), cell)| (field.uid, from_text(&field.kind, cell))));
            values.extend(many.iter().map(|(field, _)| (field.uid, json!([]))));
            rows.insert(key, values);
        }
        for (field, stored_as) in many {
            let FieldKind::Many { table, .. } = &stored_as.kind else { continue };
            let mut ends: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for row in database.rows(&format!("SELECT from_id, to_id FROM \"{table}\"")) {
                let mut cells = row.into_iter().flatten();
                let from = cells.next().unwrap();
                ends.entry(from).or_default().extend(cells);
            }
            for (from, ends) in ends {
                rows.get_mut(&from).unwrap().insert(field.uid, json!(ends));
            }
        }
    }
    records
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn key_literal(kind: Key, key: &str) -> String {
    match kind {
        Key::Int => key.to_owned(),
        Key::Uuid | Key::Text => quoted(key),
    }
}

/// A value as its column keeps it.
fn literal(model: &Model, kind: &Kind, value: &Json) -> String {
    let text = || value.as_str().unwrap();
    match kind {
        _ if value.is_null() => "NULL".to_owned(),
        Kind::Bool if engine() == Engine::Sqlite => i64::from(value.as_bool().unwrap()).to_string(),
        Kind::Int | Kind::Bool => value.to_string(),
        Kind::Long => text().to_owned(),
        Kind::Float => format!("{:e}", value.as_f64().unwrap()),
        Kind::Decimal(..) if engine() == Engine::Sqlite => text().replace('.', ""),
        Kind::Decimal(..) => text().to_owned(),
        Kind::Link(target) => key_literal(model.of(*target).unwrap().key, text()),
        Kind::List(_) => quoted(&value.to_string()),
        _ => quoted(text()),
    }
}

/// A column as it is asked for.
fn shown(kind: &Kind, column: &str) -> String {
    match kind {
        Kind::Moment if engine() == Engine::Postgres => {
            format!("to_char(\"{column}\" AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        }
        // Whatever the session's way of writing it is.
        Kind::Date if engine() == Engine::Postgres => format!("to_char(\"{column}\", 'YYYY-MM-DD')"),
        _ => format!("\"{column}\""),
    }
}

fn from_text(kind: &Kind, cell: Option<String>) -> Json {
    let Some(text) = cell else { return Json::Null };
    match kind {
        Kind::Int => json!(text.parse::<i64>().unwrap()),
        Kind::Bool => json!(matches!(&*text, "1" | "t")),
        Kind::Float => json!(text.parse::<f64>().unwrap()),
        Kind::Decimal(_, scale) if engine() == Engine::Sqlite => json!(decimal_text(text.parse().unwrap(), *scale)),
        Kind::List(_) => serde_json::from_str(&text).unwrap(),
        _ => json!(text),
    }
}

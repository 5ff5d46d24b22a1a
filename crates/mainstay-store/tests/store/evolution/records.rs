//! Records of a model: drawn so that they obey it, written into the tables and read from them again.
use std::collections::{BTreeMap, BTreeSet};

use mainstay_schema::{FieldKind, Schema};
use rusqlite::{Connection, types::Value as Stored};
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
pub(crate) fn write(connection: &Connection, model: &Model, schema: &Schema, records: &Records) {
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    for of in &model.types {
        let collection = schema.collection(schema.by_name[&of.name]);
        for (key, row) in &records[&of.uid] {
            let now = Stored::Text("2026-01-01T00:00:00.000000Z".into());
            let mut columns = vec![
                ("id".to_owned(), key_stored(of.key, key)),
                ("created_at".to_owned(), now.clone()),
                ("updated_at".to_owned(), now),
                ("version".to_owned(), Stored::Integer(row[&VERSION].as_i64().unwrap())),
            ];
            for field in &of.fields {
                let stored_as = collection.field_named(&field.name).unwrap();
                match (&field.kind, &stored_as.kind) {
                    (Kind::Many(target), FieldKind::Many { table, .. }) => {
                        for other in row[&field.uid].as_array().unwrap() {
                            let to = key_stored(model.of(*target).unwrap().key, other.as_str().unwrap());
                            let sql = format!("INSERT INTO \"{table}\" (from_id, to_id) VALUES (?1, ?2)");
                            connection.execute(&sql, (key_stored(of.key, key), to)).unwrap();
                        }
                    }
                    (kind, _) => columns.push((stored_as.column.clone(), to_stored(model, kind, &row[&field.uid]))),
                }
            }
            let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            let holes: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
            let sql =
                format!("INSERT INTO \"{}\" ({}) VALUES ({})", collection.table, names.join(", "), holes.join(", "));
            let values = rusqlite::params_from_iter(columns.into_iter().map(|(_, value)| value));
            connection.execute(&sql, values).unwrap();
        }
    }
}

/// Reads all records of the model's schema.
pub(crate) fn read(connection: &Connection, model: &Model, schema: &Schema) -> Records {
    let mut records = Records::new();
    for of in &model.types {
        let collection = schema.collection(schema.by_name[&of.name]);
        let rows = records.entry(of.uid).or_default();
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{}\"", collection.table)).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let get = |name: &str| -> Stored {
                row.get(names.iter().position(|other| other == name).unwrap_or_else(|| panic!("no {name}"))).unwrap()
            };
            let key = key_text(get("id"));
            let mut values = BTreeMap::from([(VERSION, json!(int(get("version"))))]);
            for field in &of.fields {
                let stored_as = collection.field_named(&field.name).unwrap();
                let value = match &stored_as.kind {
                    FieldKind::Many { table, .. } => ends(connection, table, get("id")),
                    _ => from_stored(&field.kind, get(&stored_as.column)),
                };
                values.insert(field.uid, value);
            }
            rows.insert(key, values);
        }
    }
    records
}

fn ends(connection: &Connection, table: &str, from: Stored) -> Json {
    let mut statement = connection.prepare(&format!("SELECT to_id FROM \"{table}\" WHERE from_id = ?1")).unwrap();
    let ends: BTreeSet<String> =
        statement.query_map([from], |row| Ok(key_text(row.get(0)?))).unwrap().collect::<Result<_, _>>().unwrap();
    json!(ends)
}

fn key_stored(kind: Key, key: &str) -> Stored {
    match kind {
        Key::Int => Stored::Integer(key.parse().unwrap()),
        Key::Uuid | Key::Text => Stored::Text(key.to_owned()),
    }
}

fn key_text(stored: Stored) -> String {
    match stored {
        Stored::Integer(key) => key.to_string(),
        Stored::Text(key) => key,
        other => panic!("{other:?} is no key"),
    }
}

fn int(stored: Stored) -> i64 {
    match stored {
        Stored::Integer(value) => value,
        other => panic!("{other:?} is no whole number"),
    }
}

fn to_stored(model: &Model, kind: &Kind, value: &Json) -> Stored {
    let text = || value.as_str().unwrap().to_owned();
    match kind {
        _ if value.is_null() => Stored::Null,
        Kind::Int => Stored::Integer(value.as_i64().unwrap()),
        Kind::Bool => Stored::Integer(i64::from(value.as_bool().unwrap())),
        Kind::Long => Stored::Integer(text().parse().unwrap()),
        Kind::Float => Stored::Real(value.as_f64().unwrap()),
        Kind::Decimal(..) => Stored::Integer(text().replace('.', "").parse().unwrap()),
        Kind::Link(target) => key_stored(model.of(*target).unwrap().key, &text()),
        Kind::List(_) => Stored::Text(value.to_string()),
        _ => Stored::Text(text()),
    }
}

fn from_stored(kind: &Kind, stored: Stored) -> Json {
    match (kind, stored) {
        (_, Stored::Null) => Json::Null,
        (Kind::Int, Stored::Integer(value)) => json!(value),
        (Kind::Bool, Stored::Integer(value)) => json!(value == 1),
        (Kind::Long | Kind::Link(_), Stored::Integer(value)) => json!(value.to_string()),
        (Kind::Float, Stored::Real(value)) => json!(value),
        (Kind::Decimal(_, scale), Stored::Integer(units)) => json!(decimal_text(units, *scale)),
        (Kind::List(_), Stored::Text(text)) => serde_json::from_str(&text).unwrap(),
        (_, Stored::Text(text)) => json!(text),
        (kind, other) => panic!("{other:?} is no {kind:?}"),
    }
}

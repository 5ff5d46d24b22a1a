//! Compares the two databases: counts and sums of everything that is stored of a collection, whatever the order.
use std::{hash::BuildHasher, thread};

use foldhash::quality::FixedState;
use mainstay_expr::Value;

use super::{MoveError, MovedCollection, Side, copy, plan::Part};
use crate::{StoreError, postgres::canonical, sql::MovedTable};

/// The seeds of the two halves of a row's hash.
const SEEDS: [u64; 2] = [0x6d61_696e_7374_6179, 0x6d6f_7665_2d72_6f77];

/// What some rows come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digest {
    rows: u64,
    sum: [u64; 2],
}

impl Digest {
    /// Adds rows of a table.
    pub(super) fn add(&mut self, table: &MovedTable, values: &[Value]) {
        let hashers = SEEDS.map(FixedState::with_seed);
        let mut bytes = Vec::with_capacity(256);
        for row in values.chunks(table.columns.len().max(1)) {
            bytes.clear();
            bytes.extend_from_slice(table.name.as_bytes());
            row.iter().for_each(|value| put(value, &mut bytes));
            self.rows += 1;
            for (sum, hasher) in self.sum.iter_mut().zip(&hashers) {
                *sum = sum.wrapping_add(hasher.hash_one(&bytes[..]));
            }
        }
    }

    fn text(self) -> String {
        format!("{:016x}{:016x}", self.sum[0], self.sum[1])
    }
}

/// A value with its kind and its length, so that no two rows have the same bytes.
fn put(value: &Value, out: &mut Vec<u8>) {
    let mut text = |kind: u8, bytes: &[u8]| {
        out.push(kind);
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        Value::Null => text(0, &[]),
        Value::Bool(value) => text(1, &[u8::from(*value)]),
        Value::Int(value) | Value::Duration(value) => text(2, &value.to_le_bytes()),
        Value::Float(value) => text(3, &value.to_bits().to_le_bytes()),
        Value::Decimal(value) => text(4, &value.units.to_le_bytes()),
        Value::Text(value) => text(5, value.as_bytes()),
        Value::Uuid(value) => text(6, value.as_bytes()),
        Value::Bytes(value) => text(7, value),
        Value::Timestamp(value) | Value::Time(value) => text(8, &value.to_le_bytes()),
        Value::Date(value) => text(9, &value.to_le_bytes()),
        Value::Json(json) => {
            let mut canonical = Vec::with_capacity(json.len());
            canonical::write(json, &mut canonical);
            text(10, &canonical);
        }
        Value::List(items) => {
            text(11, &[]);
            items.iter().for_each(|item| put(item, out));
        }
    }
}

/// All of a collection on one side: its records, and with their links.
fn digest(side: &mut dyn Side, part: &Part) -> Result<(u64, Digest), StoreError> {
    let (mut all, mut records) = (Digest::default(), 0);
    for (at, table) in part.tables.iter().enumerate() {
        copy::read(side, table, None, &mut |values| {
            all.add(table, &values);
            true
        })?;
        if at == 0 {
            records = all.rows;
        }
    }
    Ok((records, all))
}

/// Reads both sides at the same time.
pub(super) fn both<T: Send>(
    (source, target): (&mut dyn Side, &mut dyn Side),
    read: impl Fn(&mut dyn Side) -> Result<T, StoreError> + Sync,
) -> Result<(T, T), StoreError> {
    let (here, there) = thread::scope(|scope| {
        let read = &read;
        let here = scope.spawn(move || read(source));
        let there = read(target);
        (here.join().unwrap_or_else(|_| Err(StoreError::Engine("a comparison has ended".to_owned()))), there)
    });
    Ok((here?, there?))
}

/// Some collections on both sides, at the same time. Neither side may change meanwhile.
pub(super) fn digests(
    (source, target): (&mut dyn Side, &mut dyn Side),
    parts: &[&Part],
) -> Result<Vec<Compared>, StoreError> {
    let all = |side: &mut dyn Side| parts.iter().map(|part| digest(side, part)).collect::<Result<Vec<_>, _>>();
    let (here, there) = both((source, target), all)?;
    let pairs = here.into_iter().zip(there).zip(parts);
    Ok(pairs.map(|((source, target), part)| Compared { name: part.name.clone(), source, target }).collect())
}

/// A collection on both sides.
#[derive(Debug)]
pub(super) struct Compared {
    name: String,
    source: (u64, Digest),
    target: (u64, Digest),
}

impl Compared {
    pub(super) fn is_same(&self) -> bool {
        self.source == self.target
    }

    /// What is the same; else what differs.
    pub(super) fn same(self) -> Result<MovedCollection, MoveError> {
        let ((records, source), (target_records, target)) = (self.source, self.target);
        if !self.is_same() {
            return Err(MoveError::Differs {
                collection: self.name,
                source_records: records,
                source_sum: source.text(),
                target_records,
                target_sum: target.text(),
            });
        }
        Ok(MovedCollection { name: self.name, records, checksum: source.text() })
    }
}

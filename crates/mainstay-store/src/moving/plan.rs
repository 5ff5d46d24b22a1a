//! What is copied: the tables of each collection, and those of the server's own.
use std::collections::HashMap;

use mainstay_expr::Value;
use mainstay_schema::{KeyKind, Schema};
use uuid::Uuid;

use crate::{StoreError, sql::MovedTable};

/// All that is copied.
#[derive(Debug)]
pub(super) struct Plan {
    /// The collections, in the order of their tables.
    pub(super) parts: Vec<Part>,
    /// The answers that are kept for idempotency keys.
    pub(super) kept: MovedTable,
    /// The other tables of the server's own.
    pub(super) own: Vec<MovedTable>,
}

/// A collection.
#[derive(Debug)]
pub(super) struct Part {
    /// Its name.
    pub(super) name: String,
    /// Its address, by which the feed names it.
    pub(super) path: String,
    pub(super) key: KeyKind,
    /// Whether the feed tells its changes.
    pub(super) fed: bool,
    /// Whether a reference leads to it, or from it.
    pub(super) linked: bool,
    /// Its table, and those of its links to many.
    pub(super) tables: Vec<MovedTable>,
}

/// Records by their collection's place among [`Plan::parts`]: their keys.
pub(super) type Keys = HashMap<usize, Vec<Value>>;

impl Plan {
    pub(super) fn of(schema: &Schema) -> Plan {
        let snapshot = schema.snapshot();
        let part = |table: &mainstay_schema::TableSnapshot| {
            let of = schema.collection(*schema.by_name.get(&table.collection)?);
            let joins = snapshot.joins.iter().filter(|join| join.from_table == table.table);
            let mut tables = vec![MovedTable::of(table)];
            tables.extend(joins.map(MovedTable::of_join));
            let (name, path) = (of.name.clone(), of.path.clone());
            let mut references = snapshot.tables.iter().flat_map(|of| of.foreign_keys.iter().map(move |key| (of, key)));
            let linked = references.any(|(of, key)| of.table == table.table || key.table == table.table)
                || snapshot.joins.iter().any(|join| [&join.from_table, &join.to_table].contains(&&table.table));
            Some(Part { name, path, key: of.key, fed: !of.changes.off, linked, tables })
        };
        let mut own = MovedTable::own();
        let kept = own.remove(0);
        Plan { parts: snapshot.tables.iter().filter_map(part).collect(), kept, own }
    }

    /// The tables of all collections.
    pub(super) fn tables(&self) -> Vec<&MovedTable> {
        self.parts.iter().flat_map(|part| &part.tables).collect()
    }

    /// What the feed names, by collection; what it names of collections that are no more is left out.
    pub(super) fn keys(&self, touched: Vec<(String, String)>) -> Result<Keys, StoreError> {
        let places: HashMap<&str, usize> =
            self.parts.iter().enumerate().map(|(at, part)| (part.path.as_str(), at)).collect();
        let mut keys = Keys::new();
        for (path, key) in touched {
            let Some(at) = places.get(path.as_str()) else { continue };
            let value = key_of(self.parts[*at].key, &key);
            let value =
                value.ok_or_else(|| StoreError::Engine(format!("the feed names a record \"{key}\" of {path}")))?;
            keys.entry(*at).or_default().push(value);
        }
        Ok(keys)
    }
}

/// A key as the feed tells it.
fn key_of(kind: KeyKind, text: &str) -> Option<Value> {
    Some(match kind {
        KeyKind::Uuid => Value::Uuid(Uuid::try_parse(text).ok()?),
        KeyKind::Int => Value::Int(text.parse().ok()?),
        KeyKind::String => Value::text(text),
    })
}

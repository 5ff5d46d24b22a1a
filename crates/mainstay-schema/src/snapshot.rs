//! What storage depends on: remembered by the database, compared with the next schema.
use serde::{Deserialize, Serialize};

use mainstay_expr::Value;

use crate::{
    Collection, CollectionId, Default, EmbeddedId, Field, FieldKind, Json, JsonLimits, KeyKind, Scalar, Schema,
    hash::fingerprint,
};

/// The version of this format, so that a later one can still read it.
const FORMAT: u32 = 1;

/// Everything that the tables are made from, and nothing else: no rules, no checks, no documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The version of the format.
    pub format: u32,
    /// The tables of the collections, each after those that it refers to where that can be.
    pub tables: Vec<TableSnapshot>,
    /// The join tables of many-to-many links.
    pub joins: Vec<JoinSnapshot>,
    /// The enums.
    pub enums: Vec<EnumSnapshot>,
}

/// The table of a collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSnapshot {
    /// The type's name.
    pub collection: String,
    /// The table.
    pub table: String,
    /// The kind of its keys; the column is `id`.
    pub key: KeyKind,
    /// The columns in order, the system ones included.
    pub columns: Vec<ColumnSnapshot>,
    /// The uniques.
    pub uniques: Vec<UniqueSnapshot>,
    /// The indexes.
    pub indexes: Vec<IndexSnapshot>,
    /// The foreign keys.
    pub foreign_keys: Vec<ForeignKeySnapshot>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnSnapshot {
    /// The field's name.
    pub field: String,
    /// The column.
    pub column: String,
    /// What it holds.
    pub ty: ColumnType,
    /// Whether it is never null.
    pub required: bool,
    /// The constant default, as JSON in its wire form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The most code points of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_max: Option<u32>,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// One scalar.
    Scalar(Scalar),
    /// A value of the enum of this name.
    Enum(String),
    /// The key of a record of the table that the foreign key names.
    Key(KeyKind),
    /// A list, kept as JSON.
    List(Box<ColumnType>),
    /// An embedded value (or a list of them, inside [`ColumnType::List`]), kept as JSON.
    Embedded(String),
}

/// Columns that are unique together; nulls are never equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniqueSnapshot {
    /// Its name in the database.
    pub name: String,
    /// The columns, in order.
    pub columns: Vec<String>,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexSnapshot {
    /// Its name in the database.
    pub name: String,
    /// The columns, in order; the key comes last.
    pub columns: Vec<String>,
}

/// A column that holds keys of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKeySnapshot {
    /// The column.
    pub column: String,
    /// The table whose `id` it holds.
    pub table: String,
}

/// A join table: `from_id` and `to_id`, both together its key, and an index on `to_id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinSnapshot {
    /// The join table.
    pub table: String,
    /// The table on the side of the field.
    pub from_table: String,
    /// The kind of `from_id`.
    pub from_key: KeyKind,
    /// The table at the other end.
    pub to_table: String,
    /// The kind of `to_id`.
    pub to_key: KeyKind,
}

/// An enum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumSnapshot {
    /// Its name.
    pub name: String,
    /// Its values, in order.
    pub values: Vec<String>,
}

impl Schema {
    /// What storage depends on.
    pub fn snapshot(&self) -> Snapshot {
        let tables = self.in_dependency_order().into_iter().map(|id| self.table_snapshot(self.collection(id)));
        let enums = self.enums.iter().map(|of| EnumSnapshot { name: of.name.clone(), values: of.values.clone() });
        Snapshot { format: FORMAT, tables: tables.collect(), joins: self.joins(), enums: enums.collect() }
    }

    /// The collections, each after those that it links to, as far as there is no cycle.
    fn in_dependency_order(&self) -> Vec<CollectionId> {
        let mut order = Vec::with_capacity(self.collections.len());
        let mut seen = vec![false; self.collections.len()];
        for collection in &self.collections {
            self.visit(collection.id, &mut seen, &mut order);
        }
        order
    }

    fn visit(&self, id: CollectionId, seen: &mut [bool], order: &mut Vec<CollectionId>) {
        if std::mem::replace(&mut seen[id.0 as usize], true) {
            return;
        }
        for field in &self.collection(id).fields {
            if let FieldKind::ToOne { target, .. } = field.kind {
                self.visit(target, seen, order);
            }
        }
        order.push(id);
    }

    fn table_snapshot(&self, of: &Collection) -> TableSnapshot {
        let columns_of = |ids: &[crate::FieldId]| ids.iter().map(|id| of.field(*id).column.clone()).collect::<Vec<_>>();
        TableSnapshot {
            collection: of.name.clone(),
            table: of.table.clone(),
            key: of.key,
            columns: of.stored().map(|field| self.column_snapshot(field)).collect(),
            uniques: (of.uniques.iter())
                .map(|unique| columns_of(&unique.fields))
                .map(|columns| UniqueSnapshot { name: object_name(&of.table, &columns, "key"), columns })
                .collect(),
            indexes: (of.indexes.iter())
                .map(|index| columns_of(&index.fields))
                .map(|columns| IndexSnapshot { name: object_name(&of.table, &columns, "idx"), columns })
                .collect(),
            foreign_keys: (of.fields.iter())
                .filter_map(|field| match field.kind {
                    FieldKind::ToOne { target, .. } => Some((field, target)),
                    _ => None,
                })
                .map(|(field, target)| (field.column.clone(), self.collection(target).table.clone()))
                .map(|(column, table)| ForeignKeySnapshot { column, table })
                .collect(),
        }
    }

    fn column_snapshot(&self, field: &Field) -> ColumnSnapshot {
        let default = match &field.default {
            Some(Default::Value(value)) => {
                let mut out = Vec::new();
                self.write_value(&field.kind, value, &mut out);
                Some(String::from_utf8_lossy(&out).into_owned())
            }
            _ => None,
        };
        ColumnSnapshot {
            field: field.name.clone(),
            column: field.column.clone(),
            ty: self.column_type(&field.kind),
            required: field.required,
            default,
            length_max: field.length_max,
        }
    }

    fn column_type(&self, kind: &FieldKind) -> ColumnType {
        let embedded = |of: &EmbeddedId| ColumnType::Embedded(self.embedded[of.0 as usize].name.clone());
        let list = |of: ColumnType| ColumnType::List(Box::new(of));
        match kind {
            FieldKind::Scalar(scalar) => ColumnType::Scalar(*scalar),
            FieldKind::ScalarList(scalar) => list(ColumnType::Scalar(*scalar)),
            FieldKind::Enum(of) => ColumnType::Enum(self.enums[of.0 as usize].name.clone()),
            FieldKind::EnumList(of) => list(ColumnType::Enum(self.enums[of.0 as usize].name.clone())),
            FieldKind::Embedded { of, list: false } => embedded(of),
            FieldKind::Embedded { of, list: true } => list(embedded(of)),
            FieldKind::ToOne { target, .. } | FieldKind::Inverse { target, .. } | FieldKind::Many { target, .. } => {
                ColumnType::Key(self.collection(*target).key)
            }
        }
    }

    fn joins(&self) -> Vec<JoinSnapshot> {
        let many = self.collections.iter().flat_map(|from| from.fields.iter().map(move |field| (from, field)));
        many.filter_map(|(from, field)| {
            let FieldKind::Many { target, table } = &field.kind else { return None };
            let to = self.collection(*target);
            Some(JoinSnapshot {
                table: table.clone(),
                from_table: from.table.clone(),
                from_key: from.key,
                to_table: to.table.clone(),
                to_key: to.key,
            })
        })
        .collect()
    }
}

impl Snapshot {
    /// As JSON, to be remembered.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From what [`Snapshot::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Snapshot, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// A hash of the whole: equal snapshots have the same, on every machine.
    pub fn fingerprint(&self) -> String {
        fingerprint(self.to_json().as_bytes())
    }

    /// The values of an enum.
    pub fn enum_values(&self, name: &str) -> &[String] {
        self.enums.iter().find(|of| of.name == name).map_or(&[], |of| &of.values)
    }

    /// A table by its name.
    pub fn table(&self, name: &str) -> Option<&TableSnapshot> {
        self.tables.iter().find(|of| of.table == name)
    }
}

impl ColumnSnapshot {
    /// The constant default as a value.
    pub fn default_value(&self) -> Option<Value> {
        let json = Json::parse(self.default.as_deref()?.as_bytes(), JsonLimits::default()).ok()?;
        crate::wire::read_column(&self.ty, &json)
    }
}

/// The name of a unique or an index: never longer than every database allows, and then with a hash.
fn object_name(table: &str, columns: &[String], suffix: &str) -> String {
    const LENGTH_MAX: usize = 60;
    let name = format!("{table}_{}_{suffix}", columns.join("_"));
    if name.len() <= LENGTH_MAX {
        return name;
    }
    let hash = &fingerprint(name.as_bytes())[..12];
    format!("{}_{hash}_{suffix}", &table[..table.len().min(LENGTH_MAX - 20)])
}

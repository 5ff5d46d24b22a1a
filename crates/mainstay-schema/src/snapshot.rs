//! What storage depends on: remembered by the database, compared with the next schema.
use serde::{Deserialize, Serialize};

use mainstay_expr::Value;

use crate::{Json, JsonLimits, KeyKind, Scalar, hash::fingerprint};

mod build;
mod condition;

pub(crate) use condition::condition;
pub use condition::{Comparison, ConditionSnapshot, Operand};

/// The version of this format, so that a later one can still read it. 2 remembers checks and what filled a column.
const FORMAT: u32 = 2;

/// Everything that the tables are made from and that their records obey, and nothing else: no rules, no documents.
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
    /// The embedded types, whose values stand inside columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedded: Vec<EmbeddedSnapshot>,
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
    /// The checks that every record obeys; `None` where an older version did not remember them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Vec<CheckSnapshot>>,
    /// Whether the change feed keeps nothing of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changes_off: bool,
}

/// A condition that every record obeys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSnapshot {
    /// The field that it stands on; `None` for one of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The condition, with names in full.
    pub expr: String,
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
    /// What filled it where it was null, as it is written in the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill: Option<String>,
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

impl ColumnType {
    /// Its name in the schema language, for messages; a key is called as the scalar that it is kept as.
    pub(crate) fn describe(&self) -> String {
        match self {
            ColumnType::Scalar(Scalar::Decimal { precision, scale }) => format!("Decimal({precision}, {scale})"),
            ColumnType::Scalar(scalar) => scalar.name().to_owned(),
            ColumnType::Key(KeyKind::Uuid) => Scalar::Uuid.name().to_owned(),
            ColumnType::Key(KeyKind::Int) => Scalar::Long.name().to_owned(),
            ColumnType::Key(KeyKind::String) => Scalar::String.name().to_owned(),
            ColumnType::Enum(name) | ColumnType::Embedded(name) => name.clone(),
            ColumnType::List(of) => format!("[{}!]", of.describe()),
        }
    }
}

/// Columns that are unique together; nulls are never equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniqueSnapshot {
    /// Its name in the database.
    pub name: String,
    /// The columns, in order.
    pub columns: Vec<String>,
    /// The records among which they are unique; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionSnapshot>,
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
    /// The field that it belongs to; empty where an older version did not remember it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
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

/// An embedded type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedSnapshot {
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: Vec<MemberSnapshot>,
}

/// A member of an embedded type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberSnapshot {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub ty: ColumnType,
    /// Whether it is never null.
    pub required: bool,
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

impl JoinSnapshot {
    /// What the column of a link to one would be called in the place of the join table.
    pub fn column(&self) -> &str {
        let column = self.table.strip_prefix(&self.from_table).and_then(|rest| rest.strip_prefix('_'));
        column.unwrap_or(&self.table)
    }
}

impl ColumnSnapshot {
    /// The constant default as a value.
    pub fn default_value(&self) -> Option<Value> {
        let json = Json::parse(self.default.as_deref()?.as_bytes(), JsonLimits::default()).ok()?;
        crate::wire::read_column(&self.ty, &json)
    }
}

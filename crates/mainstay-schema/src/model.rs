//! The checked schema: immutable, shared, swapped whole.
use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;
use mainstay_expr::{Compiled, Type, fields_read, own_fields_only};
use serde::{Deserialize, Serialize};

use crate::{Defines, RuleText, past::Past, scalar::Scalar};

/// A collection by its position in [`Schema::collections`]; as a `RecordType` it has the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CollectionId(pub u32);

/// A field by its position in [`Collection::fields`]; as a `Symbol` it has the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub u32);

/// An enum by its position in [`Schema::enums`]; as an `EnumType` it has the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumId(pub u32);

/// An embedded type by its position in [`Schema::embedded`]; as a `RecordType` it is `EMBEDDED_BASE` plus the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmbeddedId(pub u32);

/// Where the numbers of embedded record types begin.
pub const EMBEDDED_BASE: u32 = 1 << 24;

/// A whole checked schema.
#[derive(Debug, Default)]
pub struct Schema {
    /// The collections, in the order of the files.
    pub collections: Vec<Collection>,
    /// The enums.
    pub enums: Vec<Enum>,
    /// The embedded types.
    pub embedded: Vec<Embedded>,
    /// The declared claims: `auth.claims.NAME`.
    pub claims: Vec<(String, Scalar)>,
    /// The path of each collection (`skills`) to its id.
    pub by_path: HashMap<String, CollectionId, RandomState>,
    /// The type name of each collection (`Skill`) to its id.
    pub by_name: HashMap<String, CollectionId, RandomState>,
    /// A hash of everything that matters, as hex: the same for the same schema.
    pub fingerprint: String,
    /// The named expressions (`@define`).
    pub defines: Defines,
    /// What things were called before.
    pub past: Past,
}

/// A `type` of the schema: a table and an address.
#[derive(Debug)]
pub struct Collection {
    /// Its id.
    pub id: CollectionId,
    /// The type's name: `Skill`.
    pub name: String,
    /// Its address under `/api`: `skills`.
    pub path: String,
    /// Its table: `skills`.
    pub table: String,
    /// Its doc string.
    pub doc: Option<String>,
    /// The kind of its keys.
    pub key: KeyKind,
    /// All fields in order: the system fields (`id`, `createdAt`, `updatedAt`, `version`) included, as they are answered.
    pub fields: Vec<Field>,
    /// Field names to ids.
    pub by_name: HashMap<String, FieldId, RandomState>,
    /// Who may do what.
    pub rules: Rules,
    /// Where the rules stand, those of fields too.
    pub rule_texts: Vec<RuleText>,
    /// The checks on the type and on fields, in order; a field's check is skipped when its field is null.
    pub checks: Vec<Check>,
    /// The uniques, single fields included.
    pub uniques: Vec<Unique>,
    /// The indexes to build, the automatic ones included; uniques are not repeated here.
    pub indexes: Vec<Index>,
    /// Where it stands in the files.
    pub at: Location,
    /// The system fields that are present.
    pub system: System,
    /// What the change feed keeps of its changes.
    pub changes: KeepChanges,
}

/// What the change feed keeps of a collection (`@changes`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepChanges {
    /// Whether nothing is kept.
    pub off: bool,
    /// For how many seconds; `None`: as the settings say.
    pub keep_s: Option<u64>,
}

/// The ids of the system fields, where present (they may be absent on adopted tables).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// `id`
    pub id: Option<FieldId>,
    /// `createdAt`
    pub created_at: Option<FieldId>,
    /// `updatedAt`
    pub updated_at: Option<FieldId>,
    /// `version`
    pub version: Option<FieldId>,
}

/// The kind of a collection's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// UUIDv7, made by the server unless sent.
    Uuid,
    /// `id: Int!` or `id: Long!`; sent by the caller, or counted by the database.
    Int,
    /// `id: String!`; sent by the caller.
    String,
}

/// One field of a collection.
#[derive(Debug)]
pub struct Field {
    /// Its id.
    pub id: FieldId,
    /// Its name on the wire: `monthsMin`.
    pub name: String,
    /// Its column: `months_min` (of a to-many link: empty).
    pub column: String,
    /// Its doc string.
    pub doc: Option<String>,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it is never null (`!`).
    pub required: bool,
    /// Whether it is one of the system fields.
    pub system: bool,
    /// Whether it never changes after the create.
    pub immutable: bool,
    /// What it is when it is not sent on a create.
    pub default: Option<Default>,
    /// What the server writes into it; the caller may not send it.
    pub set: Set,
    /// What a sent value becomes: an expression over this field alone.
    pub normalize: Option<Arc<Compiled>>,
    /// What it is computed from whenever it is read: then it is not stored.
    pub computed: Option<Arc<Compiled>>,
    /// Whether only admins may read and name it.
    pub hidden: bool,
    /// Who may read and write it, beside the rules of its collection.
    pub rules: FieldRules,
    /// The most code points of a text, where one is set (a unique or indexed text has 255 unless its check says less).
    pub length_max: Option<u32>,
    /// The same of a text before its checks are asked: nothing where they ask for it in words or with a code of their own.
    pub unchecked_length_max: Option<u32>,
    /// Where it stands in the files.
    pub at: Location,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldKind {
    /// One scalar.
    Scalar(Scalar),
    /// One value of an enum.
    Enum(EnumId),
    /// A list of scalars.
    ScalarList(Scalar),
    /// A list of enum values.
    EnumList(EnumId),
    /// An embedded value, or a list of them.
    Embedded {
        /// Its type.
        of: EmbeddedId,
        /// Whether it is a list.
        list: bool,
    },
    /// A to-one link: a column with the other's key.
    ToOne {
        /// The other collection.
        target: CollectionId,
        /// What happens to this record when the other is deleted.
        on_delete: OnDelete,
    },
    /// The other side of a to-one link; nothing stored.
    Inverse {
        /// The other collection.
        target: CollectionId,
        /// Its to-one field that points here.
        field: FieldId,
    },
    /// Many to many, through a join table.
    Many {
        /// The other collection.
        target: CollectionId,
        /// The join table: its two columns are `from_id` and `to_id`, its key is both.
        table: String,
    },
}

/// What happens to a record when the one it links to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnDelete {
    /// It is deleted too.
    Cascade,
    /// The delete is refused.
    Restrict,
    /// The link becomes null.
    SetNull,
}

/// A default.
#[derive(Clone, Debug, PartialEq)]
pub enum Default {
    /// A constant; also a default of the column.
    Value(mainstay_expr::Value),
    /// An expression over the caller, computed on each create.
    Expr(Arc<Compiled>),
}

/// What the server writes into a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Set {
    /// On a create.
    pub create: Option<Arc<Compiled>>,
    /// On an update.
    pub update: Option<Arc<Compiled>>,
}

/// The access rules of a field; where there is none, those of the collection decide.
#[derive(Clone, Debug, Default)]
pub struct FieldRules {
    /// Of which records it may be read.
    pub read: Option<Arc<Compiled>>,
    /// Of which records it may be sent: sees the new record, and on a change holds before and after.
    pub write: Option<Arc<Compiled>>,
    /// Of a list of links: which records (`item`) may be added to it. Where there is none, the update rule decides.
    pub add: Option<Arc<Compiled>>,
    /// Of a list of links: which records (`item`) may be taken out of it.
    pub remove: Option<Arc<Compiled>>,
}

/// The access rules of a collection; where there is none, admins only. `write:` is spread over create, update and delete,
/// `read:` over read and list.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Who may read a record, and what a list holds.
    pub read: Option<Arc<Compiled>>,
    /// Who may list (as well as `read`); `None` means that `read` alone decides.
    pub list: Option<Arc<Compiled>>,
    /// Who may create; sees the new record.
    pub create: Option<Arc<Compiled>>,
    /// Who may update; holds before and after.
    pub update: Option<Arc<Compiled>>,
    /// Who may delete; sees the stored record.
    pub delete: Option<Arc<Compiled>>,
}

/// A condition that every record obeys.
#[derive(Clone, Debug)]
pub struct Check {
    /// The field that it is written on; `None` for a check of the type.
    pub field: Option<FieldId>,
    /// The condition, over the record's own fields.
    pub expr: Arc<Compiled>,
    /// What the caller is told.
    pub message: String,
    /// Whether the schema says that, or gives a code: then nothing else is told in its place.
    pub has_words: bool,
    /// A code for programs.
    pub code: Option<String>,
    /// The fields that it reads, sorted: it runs when one of them changes.
    pub reads: Vec<FieldId>,
}

/// Fields that are unique together; nulls are never equal here.
#[derive(Clone, Debug, PartialEq)]
pub struct Unique {
    /// The fields, in order.
    pub fields: Vec<FieldId>,
    /// The records among which they are unique, over the record's own fields; `None`: all. Values that only some records
    /// cannot share name no record, so such a unique is nothing to look records up by.
    pub condition: Option<Arc<Compiled>>,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The fields, in order; the key is always added last.
    pub fields: Vec<FieldId>,
    /// Whether it was asked for in the schema (else it is automatic).
    pub declared: bool,
}

/// An enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enum {
    /// Its name.
    pub name: String,
    /// Its doc string.
    pub doc: Option<String>,
    /// Its values, in order.
    pub values: Vec<String>,
}

/// A type that is a value inside its record.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// Its name.
    pub name: String,
    /// Its doc string.
    pub doc: Option<String>,
    /// Its members.
    pub members: Vec<EmbeddedMember>,
}

/// A member of an embedded type.
#[derive(Clone, Debug)]
pub struct EmbeddedMember {
    /// Its name.
    pub name: String,
    /// Its doc string.
    pub doc: Option<String>,
    /// What it holds: a scalar, an enum, a list of those, or an embedded value.
    pub kind: FieldKind,
    /// Whether it is never null.
    pub required: bool,
}

/// A place in the schema files, counted from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The file's name as it was given.
    pub file: Arc<str>,
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

impl Schema {
    /// A collection.
    pub fn collection(&self, id: CollectionId) -> &Collection {
        &self.collections[id.0 as usize]
    }
}

impl Collection {
    /// A field.
    pub fn field(&self, id: FieldId) -> &Field {
        &self.fields[id.0 as usize]
    }

    /// A field by its name on the wire.
    pub fn field_named(&self, name: &str) -> Option<&Field> {
        self.by_name.get(name).map(|id| self.field(*id))
    }

    /// Whether a field is the key, or part of a unique or an index.
    pub fn is_key(&self, id: FieldId) -> bool {
        self.system.id == Some(id)
            || self.uniques.iter().any(|unique| unique.fields.contains(&id))
            || self.indexes.iter().any(|index| index.fields.contains(&id))
    }

    /// A field by its name, where the caller may know of it: what is hidden is there for admins alone.
    pub fn field_known(&self, name: &str, admin: bool) -> Option<&Field> {
        self.field_named(name).filter(|field| admin || !field.hidden)
    }

    /// Whether what the server gives to a field of a new record may be known in the transaction alone: it reads links, whose
    /// ends the same write may make or look up, or is computed from a field above it of which that is true.
    pub fn may_wait(&self, field: FieldId) -> bool {
        let Some(given) = self.field(field).given() else { return false };
        let is_link = |read: FieldId| matches!(self.field(read).kind, FieldKind::ToOne { .. });
        let mut reads = fields_read(&given.expr).into_iter().map(FieldId::of);
        !own_fields_only(&given.expr) || reads.any(|read| is_link(read) || (read < field && self.may_wait(read)))
    }

    /// The names of the fields that every caller may know of.
    pub fn open_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(|field| !field.hidden).map(|field| field.name.as_str())
    }

    /// The uniques that records are looked up by: those of all records.
    pub fn naming_uniques(&self) -> impl Iterator<Item = &Unique> {
        self.uniques.iter().filter(|unique| unique.condition.is_none())
    }

    /// Those of them that every caller may know of.
    pub fn open_uniques(&self) -> impl Iterator<Item = &Unique> {
        self.naming_uniques().filter(|unique| !unique.fields.iter().any(|id| self.field(*id).hidden))
    }

    /// The unique that names records by these fields, in whichever order they are named.
    pub fn unique_of(&self, fields: &[FieldId]) -> Option<&Unique> {
        self.naming_uniques().find(|unique| unique.has(fields))
    }

    /// Whether these fields are unique among some records alone.
    pub fn is_partly_unique(&self, fields: &[FieldId]) -> bool {
        self.uniques.iter().any(|unique| unique.condition.is_some() && unique.has(fields))
    }

    /// The fields that have a value: all but to-many links.
    pub fn valued(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.lists_links())
    }

    /// The fields that have a column: all but to-many links and computed ones.
    pub fn stored(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.stored())
    }
}

impl Unique {
    fn has(&self, fields: &[FieldId]) -> bool {
        self.fields.len() == fields.len() && self.fields.iter().all(|field| fields.contains(field))
    }
}

impl Field {
    /// Whether it has a column of its own.
    pub fn stored(&self) -> bool {
        !self.lists_links() && self.computed.is_none()
    }

    /// Whether it is a list of links: such a field has no value of its own.
    pub fn lists_links(&self) -> bool {
        matches!(self.kind, FieldKind::Inverse { .. } | FieldKind::Many { .. })
    }

    /// Whether the server alone writes it.
    pub fn read_only(&self) -> bool {
        self.set.create.is_some() || self.set.update.is_some() || self.computed.is_some()
    }

    /// What the server computes for a new record: by `@set`, or by a `@default` where nothing is sent.
    pub fn given(&self) -> Option<&Arc<Compiled>> {
        match (&self.set.create, &self.default) {
            (Some(compiled), _) | (None, Some(Default::Expr(compiled))) => Some(compiled),
            (None, Some(Default::Value(_)) | None) => None,
        }
    }

    /// The collection at the other end of a link.
    pub fn target(&self) -> Option<CollectionId> {
        match self.kind {
            FieldKind::ToOne { target, .. } | FieldKind::Inverse { target, .. } | FieldKind::Many { target, .. } => {
                Some(target)
            }
            _ => None,
        }
    }
}

impl KeyKind {
    /// The type of such keys in expressions.
    pub fn ty(self) -> Type {
        match self {
            KeyKind::Uuid => Type::Uuid,
            KeyKind::Int => Type::Int,
            KeyKind::String => Type::String,
        }
    }
}

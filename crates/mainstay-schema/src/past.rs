//! What things were called before, and how fields that are new are filled: nothing but a migration reads it.
use std::{collections::HashMap, sync::Arc};

use mainstay_expr::Compiled;

use crate::{CollectionId, EmbeddedId, EnumId, FieldId};

/// The `@was` and `@backfill` of a schema. They are no part of its snapshot's tables: to remove them changes nothing.
#[derive(Debug, Default)]
pub struct Past {
    types: HashMap<CollectionId, Vec<String>>,
    fields: HashMap<(CollectionId, FieldId), Vec<String>>,
    values: HashMap<(EnumId, String), Vec<String>>,
    members: HashMap<(EmbeddedId, String), Vec<String>>,
    backfills: HashMap<(CollectionId, FieldId), Arc<Compiled>>,
}

/// Something that may have had another name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Named {
    /// A collection.
    Type(CollectionId),
    /// A field of a collection.
    Field(CollectionId, FieldId),
    /// A value of an enum.
    Value(EnumId, String),
    /// A member of an embedded type.
    Member(EmbeddedId, String),
}

impl Past {
    /// Notes a former name; whether it was not noted before.
    pub(crate) fn add(&mut self, of: &Named, name: String) -> bool {
        let names = match of.clone() {
            Named::Type(id) => self.types.entry(id).or_default(),
            Named::Field(id, field) => self.fields.entry((id, field)).or_default(),
            Named::Value(id, value) => self.values.entry((id, value)).or_default(),
            Named::Member(id, member) => self.members.entry((id, member)).or_default(),
        };
        let is_new = !names.contains(&name);
        names.push(name);
        is_new
    }

    /// Notes how a field is filled.
    pub(crate) fn fill(&mut self, of: CollectionId, field: FieldId, expr: Arc<Compiled>) {
        self.backfills.insert((of, field), expr);
    }

    /// The former names of a type.
    pub fn of_type(&self, of: CollectionId) -> &[String] {
        self.types.get(&of).map_or(&[], Vec::as_slice)
    }

    /// The former names of a field.
    pub fn of_field(&self, of: CollectionId, field: FieldId) -> &[String] {
        self.fields.get(&(of, field)).map_or(&[], Vec::as_slice)
    }

    /// The former names of a value of an enum.
    pub fn of_value(&self, of: EnumId, value: &str) -> &[String] {
        self.values.get(&(of, value.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// The former names of a member of an embedded type.
    pub fn of_member(&self, of: EmbeddedId, member: &str) -> &[String] {
        self.members.get(&(of, member.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// What a field is filled with where it is null.
    pub fn backfill(&self, of: CollectionId, field: FieldId) -> Option<&Arc<Compiled>> {
        self.backfills.get(&(of, field))
    }
}

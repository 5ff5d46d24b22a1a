//! What the names inside expressions mean.
use std::{collections::HashMap, sync::Arc};

use mainstay_expr::{EnumType, Member, Nearest, RecordType, Scope, Symbol, Type};

use crate::{Collection, CollectionId, EMBEDDED_BASE, Embedded, EmbeddedId, FieldId, FieldKind, Schema, nearest};

/// The names of one schema, seen from records of one collection, or from none.
#[derive(Clone, Copy, Debug)]
pub struct SchemaScope<'a> {
    schema: &'a Schema,
    this: Option<CollectionId>,
    /// Whether hidden fields have names.
    hidden: bool,
    /// Whether computed fields stand for their expressions. To a caller they are fields, with rules of their own.
    trusted: bool,
}

impl Schema {
    /// The names that an expression may use: those of the records of `this`, or of the caller alone.
    pub fn scope(&self, this: Option<CollectionId>) -> SchemaScope<'_> {
        SchemaScope { schema: self, this, hidden: true, trusted: true }
    }

    /// The same as a caller sees it: what is hidden has no name unless for an admin.
    pub fn caller_scope(&self, this: CollectionId, admin: bool) -> SchemaScope<'_> {
        SchemaScope { schema: self, this: Some(this), hidden: admin, trusted: false }
    }

    /// The type that a field has in expressions; of a to-many link, its records.
    pub fn field_type(&self, kind: &FieldKind) -> Type {
        match kind {
            FieldKind::Scalar(scalar) => scalar.ty(),
            FieldKind::Enum(of) => Type::Enum(EnumType(of.0)),
            FieldKind::ScalarList(scalar) => Type::List(Box::new(scalar.ty())),
            FieldKind::EnumList(of) => Type::List(Box::new(Type::Enum(EnumType(of.0)))),
            FieldKind::Embedded { of, list: false } => Type::Embedded(RecordType(EMBEDDED_BASE + of.0)),
            FieldKind::Embedded { list: true, .. } => Type::Json,
            FieldKind::ToOne { target, .. } => Type::Key(RecordType(target.0)),
            FieldKind::Inverse { target, .. } | FieldKind::Many { target, .. } => Type::Records(RecordType(target.0)),
        }
    }

    /// The collection that a record type of an expression stands for.
    pub fn collection_of(&self, of: RecordType) -> Option<&Collection> {
        self.collections.get(of.0 as usize)
    }

    /// The embedded type that a record type of an expression stands for.
    pub fn embedded_of(&self, of: RecordType) -> Option<&Embedded> {
        self.embedded.get(of.0.checked_sub(EMBEDDED_BASE)? as usize)
    }
}

/// The named expressions: those of the schema, and those of each type.
#[derive(Clone, Debug, Default)]
pub struct Defines {
    /// Of the schema, by name.
    pub global: HashMap<String, Arc<str>>,
    /// Of a type, by the type and the name.
    pub of_type: HashMap<(CollectionId, String), Arc<str>>,
    /// Of the computed fields of a type, by the type and the name.
    pub computed: HashMap<(CollectionId, String), Arc<str>>,
    /// The rules of a type as they are written, `write` among them: what `can()` stands for.
    pub rules: HashMap<(CollectionId, &'static str), Arc<str>>,
}

/// The rules that `can()` asks for.
const ACTIONS: [&str; 4] = ["read", "create", "update", "delete"];

impl Scope for SchemaScope<'_> {
    fn this(&self) -> Option<RecordType> {
        self.this.map(|id| RecordType(id.0))
    }

    fn member(&self, of: RecordType, name: &str) -> Result<Member, Nearest> {
        match (self.schema.collection_of(of), self.schema.embedded_of(of)) {
            (Some(collection), _) => self.collection_member(collection, name),
            (None, Some(embedded)) => self.embedded_member(embedded, name),
            (None, None) => Err(Nearest(None)),
        }
    }

    fn define(&self, name: &str) -> Option<Arc<str>> {
        self.schema.defines.global.get(name).cloned()
    }

    fn rule(&self, of: RecordType, action: &str) -> Result<Option<Arc<str>>, Nearest> {
        let Some(action) = ACTIONS.into_iter().find(|known| *known == action) else {
            return Err(nearest_of(action, ACTIONS.into_iter()));
        };
        let text = |action| self.schema.defines.rules.get(&(CollectionId(of.0), action)).cloned();
        Ok(text(action).or_else(|| if action == "read" { None } else { text("write") }))
    }

    fn claim(&self, name: &str) -> Result<Type, Nearest> {
        let claims = &self.schema.claims;
        match claims.iter().find(|(claim, _)| claim == name) {
            Some((_, scalar)) => Ok(scalar.ty()),
            None => Err(nearest_of(name, claims.iter().map(|(claim, _)| claim.as_str()))),
        }
    }

    fn key(&self, of: RecordType) -> Type {
        self.schema.collection_of(of).map_or(Type::Null, |collection| collection.key.ty())
    }

    fn enum_value(&self, of: EnumType, value: &str) -> Result<(), Nearest> {
        let values = self.schema.enums.get(of.0 as usize).map_or(&[][..], |of| &of.values);
        if values.iter().any(|other| other == value) {
            return Ok(());
        }
        Err(nearest_of(value, values.iter().map(String::as_str)))
    }

    fn record_name(&self, of: RecordType) -> String {
        let collection = self.schema.collection_of(of).map(|of| &of.name);
        collection.or_else(|| self.schema.embedded_of(of).map(|of| &of.name)).cloned().unwrap_or_default()
    }

    fn enum_name(&self, of: EnumType) -> String {
        self.schema.enums.get(of.0 as usize).map(|of| of.name.clone()).unwrap_or_default()
    }
}

impl SchemaScope<'_> {
    fn collection_member(&self, of: &Collection, name: &str) -> Result<Member, Nearest> {
        if let Some(text) = self.schema.defines.of_type.get(&(of.id, name.to_owned())) {
            return Ok(Member::Define(text.clone()));
        }
        if let Some(text) = self.schema.defines.computed.get(&(of.id, name.to_owned())).filter(|_| self.trusted) {
            return Ok(Member::Define(text.clone()));
        }
        let Some(field) = of.field_known(name, self.hidden) else {
            let defines =
                self.schema.defines.of_type.keys().filter(|(id, _)| *id == of.id).map(|(_, name)| name.as_str());
            let global = self.schema.defines.global.keys().map(String::as_str);
            return Err(nearest_of(name, of.open_names().chain(defines).chain(global)));
        };
        if of.system.id == Some(field.id) {
            return Ok(Member::Key);
        }
        let symbol = Symbol(field.id.0);
        Ok(match &field.kind {
            FieldKind::ToOne { target, .. } => {
                Member::Link { symbol, target: RecordType(target.0), nullable: !field.required }
            }
            FieldKind::Inverse { target, .. } | FieldKind::Many { target, .. } => {
                Member::Links { symbol, target: RecordType(target.0) }
            }
            kind => Member::Field { symbol, ty: self.schema.field_type(kind), nullable: !field.required },
        })
    }

    fn embedded_member(&self, of: &Embedded, name: &str) -> Result<Member, Nearest> {
        match of.members.iter().position(|member| member.name == name) {
            Some(at) => {
                let member = &of.members[at];
                let ty = self.schema.field_type(&member.kind);
                Ok(Member::Field { symbol: Symbol(at as u32), ty, nullable: !member.required })
            }
            None => Err(nearest_of(name, of.members.iter().map(|member| member.name.as_str()))),
        }
    }
}

fn nearest_of<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Nearest {
    Nearest(nearest(name, names).map(str::to_owned))
}

impl FieldId {
    /// The field that a symbol of an expression over its collection stands for.
    pub fn of(symbol: Symbol) -> FieldId {
        FieldId(symbol.0)
    }
}

impl EmbeddedId {
    /// The record type that stands for it in expressions.
    pub fn record(self) -> RecordType {
        RecordType(EMBEDDED_BASE + self.0)
    }
}

impl CollectionId {
    /// The record type that stands for it in expressions.
    pub fn record(self) -> RecordType {
        RecordType(self.0)
    }
}

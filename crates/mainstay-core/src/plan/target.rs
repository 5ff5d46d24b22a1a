//! Targets: which record, by its key or by a unique.
use mainstay_expr::{Expr, Value, wire::write_text};
use mainstay_schema::{CollectionId, FieldId, Schema};
use smallvec::SmallVec;

use super::{Origin, Planner, all, equals, field_of, key_of, this};
use crate::{Error, ErrorKind, Target, expressions::Expressions, record::normalize};

/// The values of a target.
pub(crate) type TargetValues = SmallVec<[Value; 2]>;

/// A target without its values: part of a shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TargetShape {
    Key,
    Unique(Vec<FieldId>),
}

impl TargetShape {
    /// The shape of a target.
    pub(crate) fn of(target: &Target) -> TargetShape {
        match target {
            Target::Key(_) => TargetShape::Key,
            Target::Unique { fields, .. } => TargetShape::Unique(fields.clone()),
        }
    }

    /// Whether it is the shape of this target.
    pub(crate) fn fits(&self, target: &Target) -> bool {
        match (self, target) {
            (TargetShape::Key, Target::Key(_)) => true,
            (TargetShape::Unique(known), Target::Unique { fields, .. }) => known == fields,
            _ => false,
        }
    }
}

/// Fails unless the fields of a target are unique together.
pub(crate) fn check_target(schema: &Schema, of: CollectionId, target: &Target) -> Result<(), Error> {
    let Target::Unique { fields, values } = target else { return Ok(()) };
    let collection = schema.collection(of);
    let names = || fields.iter().map(|field| collection.field(*field).name.as_str()).collect::<Vec<_>>().join(",");
    if !collection.naming_uniques().any(|unique| unique.fields == *fields) {
        let among = if collection.is_partly_unique(fields) { " among all records" } else { "" };
        let message = format!("\"{}\" of \"{}\" is not unique{among}", names(), collection.name);
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    if fields.len() != values.len() {
        let message =
            format!("\"{}\" of \"{}\" takes {} values, not {}", names(), collection.name, fields.len(), values.len());
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(())
}

/// Fails where a version is asked of records that have none.
pub(crate) fn check_version(schema: &Schema, of: CollectionId, asked: bool) -> Result<(), Error> {
    let collection = schema.collection(of);
    if !asked || collection.system.version.is_some() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidArgument, format!("records of \"{}\" have no version", collection.name)))
}

/// The values of a target. A text that is no such value is the address of no record.
pub(crate) fn target_values(schema: &Schema, of: CollectionId, target: &Target) -> Result<TargetValues, Error> {
    let collection = schema.collection(of);
    let values = match target {
        Target::Key(text) => collection.key.parse(text).map(|key| SmallVec::from_iter([key])),
        Target::Unique { fields, values } => {
            let value = |(field, text): (&FieldId, &String)| {
                normalize::parse(schema, collection, collection.field(*field), text)
            };
            fields.iter().zip(values).map(value).collect()
        }
    };
    values.ok_or_else(|| not_found(schema, of))
}

/// A value as an address has it; null stands in none.
pub(crate) fn key_text(value: &Value) -> Option<String> {
    let mut text = String::new();
    write_text(value, &mut text);
    Some(text).filter(|_| !value.is_null())
}

/// The record of a key; null is the key of none.
pub(crate) fn by_key(key: &Value) -> Target {
    Target::Key(key_text(key).unwrap_or_default())
}

/// There is no such record, or the caller may not know of it.
pub(crate) fn not_found(schema: &Schema, of: CollectionId) -> Error {
    Error::new(ErrorKind::NotFound, format!("no such \"{}\"", schema.collection(of).name))
}

impl Planner<'_> {
    /// The condition that finds the target. A field that the caller may not read of a record does not find it.
    pub(crate) fn find(&mut self, of: CollectionId, target: &TargetShape) -> Result<Expr, Error> {
        Ok(match target {
            TargetShape::Key => equals(key_of(this(of), of), self.bind(Origin::Target(0))),
            TargetShape::Unique(fields) => {
                let collection = self.schema.collection(of);
                let mut conditions = Vec::with_capacity(fields.len());
                for (at, field) in fields.iter().enumerate() {
                    let own = field_of(self.schema, this(of), collection, *field);
                    conditions.push(equals(own, self.bind(Origin::Target(at as u16))));
                    conditions.push(self.named_field(of, *field)?);
                }
                all(conditions)
            }
        })
    }
}

/// Notes what the fields of a target need.
pub(crate) fn need_target(schema: &Schema, expressions: &mut Expressions, of: CollectionId, target: &TargetShape) {
    if let TargetShape::Unique(fields) = target {
        fields.iter().for_each(|field| expressions.need_field(schema, of, *field));
    }
}

//! Orders: by own fields and through to-one links, made total by the key.
use mainstay_expr::{Expr, Node, Symbol, Type};
use mainstay_plan::Order;
use mainstay_schema::{Collection, CollectionId, Field, FieldId, FieldKind, Scalar, Schema, nearest};

use super::{Planner, cursor::VALUES_MAX, field_of, key_of, this};
use crate::{
    Error, ErrorKind, Limits, Sort,
    expressions::{Expressions, RuleKind},
};

/// A sort key with its names resolved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SortKey {
    /// The to-one links that lead to the field.
    pub(crate) links: Vec<FieldId>,
    /// The field, on the last collection.
    pub(crate) field: FieldId,
    pub(crate) descending: bool,
}

/// Resolves an order. It ends with the key, in the direction of the last sort key, so that no two records are equal.
pub(crate) fn resolve_sort(
    schema: &Schema,
    limits: &Limits,
    expressions: &mut Expressions,
    collection: CollectionId,
    sort: &[Sort],
) -> Result<Vec<SortKey>, Error> {
    // The key of the record comes on top.
    let sort_max = limits.sort_max.min(VALUES_MAX - 1);
    if sort.len() > sort_max {
        let message = format!("{} sort keys are more than the {sort_max} that one request may have", sort.len());
        return Err(Error::new(ErrorKind::LimitExceeded, message));
    }
    let mut keys: Vec<SortKey> = Vec::with_capacity(sort.len() + 1);
    for one in sort {
        let key = resolve_key(schema, limits, expressions, collection, one)?;
        if keys.iter().any(|known| known.links == key.links && known.field == key.field) {
            return Err(invalid(format!("\"{}\" is sorted by twice", one.path.join("."))));
        }
        keys.push(key);
    }
    let of = schema.collection(collection);
    let Some(id) = of.system.id else { return Ok(keys) };
    if !keys.iter().any(|key| key.links.is_empty() && key.field == id) {
        let descending = keys.last().is_some_and(|key| key.descending);
        keys.push(SortKey { links: Vec::new(), field: id, descending });
    }
    Ok(keys)
}

fn resolve_key(
    schema: &Schema,
    limits: &Limits,
    expressions: &mut Expressions,
    collection: CollectionId,
    sort: &Sort,
) -> Result<SortKey, Error> {
    let path = resolve_path(schema, limits, expressions, collection, &sort.path)?;
    sortable(schema.collection(path.collection), schema.collection(path.collection).field(path.field))?;
    Ok(SortKey { links: path.links, field: path.field, descending: sort.descending })
}

/// A stored field of a record, or of one that to-one links lead to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    /// The to-one links that lead to the field.
    pub(crate) links: Vec<FieldId>,
    /// The collection that they lead to.
    pub(crate) collection: CollectionId,
    /// The field, of that collection.
    pub(crate) field: FieldId,
}

/// Resolves a path through to-one links to a field. Every collection on the way is read under its rule.
pub(crate) fn resolve_path(
    schema: &Schema,
    limits: &Limits,
    expressions: &mut Expressions,
    collection: CollectionId,
    names: &[String],
) -> Result<Path, Error> {
    let Some((last, path)) = names.split_last() else { return Err(invalid("a path is empty".into())) };
    if path.len() > limits.depth_max {
        let message = format!("\"{}\" goes through more than {} links", names.join("."), limits.depth_max);
        return Err(Error::new(ErrorKind::LimitExceeded, message));
    }
    let mut at = collection;
    let mut links = Vec::with_capacity(path.len());
    for name in path {
        let field = known_field(schema.collection(at), name, expressions.admin)?;
        expressions.need_field(schema, at, field.id);
        let FieldKind::ToOne { target, .. } = field.kind else {
            let of = &schema.collection(at).name;
            return Err(invalid(format!("\"{name}\" of \"{of}\" is no to-one link to go through")));
        };
        expressions.need(schema, (target, RuleKind::Read));
        links.push(field.id);
        at = target;
    }
    let field = known_field(schema.collection(at), last, expressions.admin)?;
    expressions.need_field(schema, at, field.id);
    Ok(Path { links, collection: at, field: field.id })
}

/// Refuses what has no order by name.
pub(crate) fn sortable(collection: &Collection, field: &Field) -> Result<(), Error> {
    let what = match &field.kind {
        FieldKind::Scalar(Scalar::Json) => "JSON",
        FieldKind::Scalar(_) | FieldKind::Enum(_) | FieldKind::ToOne { .. } => return Ok(()),
        FieldKind::ScalarList(_) | FieldKind::EnumList(_) => "a list",
        FieldKind::Embedded { .. } => "an embedded value",
        FieldKind::Inverse { .. } | FieldKind::Many { .. } => "a list of links",
    };
    Err(invalid(format!("\"{}\" of \"{}\" is {what}, which has no order", field.name, collection.name)))
}

/// A field by its name, or an error with the nearest one.
pub(crate) fn known_field<'s>(collection: &'s Collection, name: &str, admin: bool) -> Result<&'s Field, Error> {
    collection.field_known(name, admin).ok_or_else(|| {
        let error = invalid(format!("no field named \"{name}\" in \"{}\"", collection.name));
        match nearest(name, collection.open_names()) {
            Some(near) => error.with_hint(format!("did you mean \"{near}\"?")),
            None => error,
        }
    })
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

impl Planner<'_> {
    /// The order for this caller: what lies behind a hidden record sorts as null.
    pub(crate) fn order(&mut self, collection: CollectionId, keys: &[SortKey]) -> Result<Vec<Order>, Error> {
        let by = |key: &SortKey| {
            let by = self.path(collection, &key.links, key.field)?;
            Ok(Order { by, descending: key.descending })
        };
        keys.iter().map(by).collect()
    }

    /// The value at the end of a path for this caller: an error where a record on the way is missing or hidden.
    pub(crate) fn path(&mut self, collection: CollectionId, links: &[FieldId], field: FieldId) -> Result<Expr, Error> {
        let mut at = self.schema.collection(collection);
        let mut record = this(collection);
        for link in links {
            let Some(target) = at.field(*link).target() else {
                return Err(Error::internal("a path goes through no link"));
            };
            let node = Node::Link {
                of: Box::new(record),
                symbol: Symbol(link.0),
                target: target.record(),
                guard: self.guard(at.id, *link)?,
            };
            record = super::expr(node, Type::Record(target.record()), false, true);
            at = self.schema.collection(target);
        }
        let value = match at.system.id == Some(field) {
            true => key_of(record, at.id),
            false => field_of(self.schema, record, at, field),
        };
        self.require_fields(&value)?;
        Ok(self.with_field_rules(&value))
    }
}

/// The keys of an order in words, for the cursor to belong to.
pub(crate) fn write_sort(schema: &Schema, collection: CollectionId, keys: &[SortKey], out: &mut Vec<u8>) {
    for key in keys {
        let mut at = schema.collection(collection);
        for link in &key.links {
            out.extend_from_slice(at.field(*link).name.as_bytes());
            out.push(b'.');
            if let Some(target) = at.field(*link).target() {
                at = schema.collection(target);
            }
        }
        let field = at.field(key.field);
        out.extend_from_slice(field.name.as_bytes());
        out.extend_from_slice(format!(":{:?}", schema.field_type(&field.kind)).as_bytes());
        out.push(if key.descending { b'-' } else { b'+' });
    }
}

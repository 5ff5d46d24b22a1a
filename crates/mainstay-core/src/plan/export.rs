//! Exports: everything that is stored of a collection, in the order of its keys.
use mainstay_plan::{Nested, Output, OutputValue, Query};
use mainstay_schema::{Collection, CollectionId, Field, FieldKind, Schema};

use super::{Planner, sort::SortKey};
use crate::{
    Error,
    expressions::{Expressions, RuleKind},
};

/// The rules that an export needs.
pub(crate) fn expressions(schema: &Schema, of: CollectionId) -> Expressions {
    let mut expressions = Expressions::default();
    expressions.need(schema, (of, RuleKind::Read));
    let targets = exported(schema.collection(of)).filter_map(Field::target);
    targets.for_each(|target| expressions.need(schema, (target, RuleKind::Read)));
    expressions
}

/// The fields that an export holds: own fields, links as keys, lists of links that are stored on this side.
pub(crate) fn exported(of: &Collection) -> impl Iterator<Item = &Field> {
    of.fields.iter().filter(|field| field.stored() || matches!(field.kind, FieldKind::Many { .. }))
}

impl Planner<'_> {
    /// Every record of a collection.
    pub(crate) fn export(&mut self, of: CollectionId) -> Result<Query, Error> {
        let schema = self.schema;
        let mut select = Vec::new();
        for field in exported(schema.collection(of)) {
            let value = match field.kind {
                FieldKind::Many { target, .. } => OutputValue::Keys(Box::new(Nested {
                    field: field.id,
                    target,
                    condition: self.visible(target)?,
                    order: self.order(target, &by_key(schema, target))?,
                    limit: None,
                    select: Vec::new(),
                })),
                _ => OutputValue::Field(field.id),
            };
            select.push(Output { name: field.name.as_str().into(), value });
        }
        let condition = self.require((of, RuleKind::Read))?;
        Ok(Query { order: self.order(of, &by_key(schema, of))?, ..Query::new(of, condition, select) })
    }
}

fn by_key(schema: &Schema, of: CollectionId) -> Vec<SortKey> {
    let id = schema.collection(of).system.id;
    id.into_iter().map(|field| SortKey { links: Vec::new(), field, descending: false }).collect()
}

//! Loads: many new records of an admin at once, and what their links and uniques are looked up by.
use mainstay_expr::{Expr, Node, Type};
use mainstay_plan::{Load, Output, OutputValue, Query, WritePlan};
use mainstay_schema::{CollectionId, FieldId};

use super::{Origin, Planner, all, field_of, rules::Gate, this};
use crate::{Error, expressions::RuleKind};

impl Planner<'_> {
    /// Many new records: nothing is asked of them any more, so it is for those alone whom no rule is asked for.
    pub(crate) fn load(&mut self, of: CollectionId, keyed: bool) -> Result<WritePlan, Error> {
        if self.gate((of, RuleKind::Create)) != Gate::Open {
            return Err(Error::internal("records are loaded by admins only"));
        }
        let collection = self.schema.collection(of);
        let written = |field: &FieldId| keyed || collection.system.id != Some(*field);
        let columns = collection.stored().map(|field| field.id).filter(written).collect();
        Ok(WritePlan::Load(Load { collection: of, columns }))
    }

    /// The records whose field has one of the values of a list, with their keys: two columns, the key and the field.
    pub(crate) fn look_up(&mut self, of: CollectionId, field: FieldId) -> Result<Query, Error> {
        let collection = self.schema.collection(of);
        let value = field_of(self.schema, this(of), collection, field);
        let list = Expr {
            node: Node::Bound(self.bind(Origin::Input(0))),
            ty: Type::List(value.ty.clone().into()),
            span: value.span,
            may_null: false,
            may_error: false,
        };
        let found = Expr {
            span: value.span,
            node: Node::In(Box::new(value), Box::new(list)),
            ty: Type::Bool,
            may_null: false,
            may_error: false,
        };
        let output = |name: &str, field| Output { name: name.into(), value: OutputValue::Field(field) };
        let id = collection.system.id.ok_or_else(|| Error::internal("records without a key"))?;
        let condition = all([self.require((of, RuleKind::Read))?, found]);
        Ok(Query::new(of, condition, vec![output("key", id), output("name", field)]))
    }
}

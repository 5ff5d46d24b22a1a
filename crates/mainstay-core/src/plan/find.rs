//! Look-ups inside a write: keys by the values of a unique.
use mainstay_plan::{Find, WritePlan};
use mainstay_schema::{CollectionId, FieldId, Schema};

use super::{Origin, Planner, all, constant};
use crate::expressions::{Expressions, Resolved, RuleKind};

/// What of a look-up makes its shape.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct FindAsk<'a> {
    pub(crate) collection: CollectionId,
    pub(crate) fields: &'a [FieldId],
    pub(crate) kind: FindKind,
}

/// For whom it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FindKind {
    /// For the caller; what is missing, or may not be read, refuses the write.
    Needed,
    /// For the caller; what is missing does no harm.
    Wanted,
    /// For the server, which sees everything.
    Any,
}

/// The shape of a look-up.
#[derive(Debug)]
pub(crate) struct FindShape {
    collection: CollectionId,
    fields: Vec<FieldId>,
    kind: FindKind,
    pub(crate) expressions: Expressions,
}

impl FindShape {
    pub(crate) fn new(schema: &Schema, ask: &FindAsk<'_>) -> FindShape {
        let mut expressions = Expressions::default();
        if ask.kind != FindKind::Any {
            expressions.need(schema, (ask.collection, RuleKind::Read));
            ask.fields.iter().for_each(|field| expressions.need_field(schema, ask.collection, *field));
        }
        FindShape { collection: ask.collection, fields: ask.fields.to_vec(), kind: ask.kind, expressions }
    }

    pub(crate) fn fits(&self, ask: &FindAsk<'_>) -> bool {
        self.collection == ask.collection && self.fields == ask.fields && self.kind == ask.kind
    }

    /// The plan for one variant. The inputs are the lists of values, one for each field.
    pub(crate) fn plan(&self, schema: &Schema, resolved: &Resolved) -> (WritePlan, Vec<Origin>) {
        let mut planner = Planner::new(schema, &self.expressions, resolved);
        for at in 0..self.fields.len() {
            planner.bind(Origin::Input(at as u16));
        }
        let visible = match self.kind {
            FindKind::Any => constant(true),
            FindKind::Needed | FindKind::Wanted => {
                let visible = planner.gate((self.collection, RuleKind::Read)).condition();
                let fields = self.fields.iter().map(|field| planner.field_gate(self.collection, *field).condition());
                all(fields.collect::<Vec<_>>().into_iter().chain([visible]))
            }
        };
        let (fields, all) = (self.fields.clone(), self.kind == FindKind::Needed);
        (WritePlan::Find(Find { collection: self.collection, fields, visible, all }), planner.origins)
    }
}

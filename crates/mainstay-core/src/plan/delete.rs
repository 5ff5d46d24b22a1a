//! Deletes: which rules look at the stored record.
use std::hash::{Hash, Hasher};

use mainstay_plan::{Delete as PlanDelete, WritePlan};
use mainstay_schema::{CollectionId, Schema};

use super::{
    Origin, Planner,
    target::{TargetShape, check_target, check_version},
};
use crate::{
    Delete, Error, Target,
    expressions::{Expressions, Resolved, RuleKind},
};

/// What of a delete makes its shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeleteAsk<'a>(pub(crate) &'a Delete);

impl Hash for DeleteAsk<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.collection, self.0.version.is_some()).hash(state);
        match &self.0.target {
            Target::Key(_) => 0u8.hash(state),
            Target::Unique { fields, .. } => fields.hash(state),
        }
    }
}

/// The shape of a delete.
#[derive(Debug)]
pub(crate) struct DeleteShape {
    collection: CollectionId,
    target: TargetShape,
    version: bool,
    pub(crate) expressions: Expressions,
}

impl DeleteShape {
    pub(crate) fn new(schema: &Schema, ask: &DeleteAsk<'_>) -> Result<DeleteShape, Error> {
        let of = ask.0.collection;
        check_target(schema, of, &ask.0.target)?;
        check_version(schema, of, ask.0.version.is_some())?;
        let mut expressions = Expressions::default();
        expressions.need(schema, (of, RuleKind::Read));
        expressions.need(schema, (of, RuleKind::Delete));
        let target = TargetShape::of(&ask.0.target);
        Ok(DeleteShape { collection: of, target, version: ask.0.version.is_some(), expressions })
    }

    pub(crate) fn fits(&self, ask: &DeleteAsk<'_>) -> bool {
        self.collection == ask.0.collection
            && self.version == ask.0.version.is_some()
            && self.target.fits(&ask.0.target)
    }

    /// The plan for one variant.
    pub(crate) fn plan(&self, schema: &Schema, resolved: &Resolved) -> Result<(WritePlan, Vec<Origin>), Error> {
        let mut planner = Planner::new(schema, &self.expressions, resolved);
        let of = self.collection;
        let delete = PlanDelete {
            collection: of,
            find: planner.find(of, &self.target),
            visible: planner.require((of, RuleKind::Read))?,
            before: planner.require((of, RuleKind::Delete))?,
            version: self.version.then(|| planner.bind(Origin::Version)),
        };
        Ok((WritePlan::Delete(delete), planner.origins))
    }
}

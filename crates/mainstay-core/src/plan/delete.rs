//! Deletes: which rules look at the stored record.
use std::hash::{Hash, Hasher};

use mainstay_plan::{Delete as PlanDelete, WritePlan};
use mainstay_schema::{CollectionId, Schema};

use super::{
    Origin, Planner,
    target::{TargetShape, check_version, need_target},
};
use crate::{
    Error,
    expressions::{Expressions, Resolved, RuleKind},
};

/// What of a delete makes its shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeleteAsk<'a> {
    pub(crate) collection: CollectionId,
    pub(crate) target: &'a TargetShape,
    /// Whether a version is asked for.
    pub(crate) version: bool,
}

impl Hash for DeleteAsk<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.collection, self.target, self.version).hash(state);
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
        let of = ask.collection;
        check_version(schema, of, ask.version)?;
        let mut expressions = Expressions::default();
        expressions.need(schema, (of, RuleKind::Read));
        expressions.need(schema, (of, RuleKind::Delete));
        need_target(schema, &mut expressions, of, ask.target);
        Ok(DeleteShape { collection: of, target: ask.target.clone(), version: ask.version, expressions })
    }

    pub(crate) fn fits(&self, ask: &DeleteAsk<'_>) -> bool {
        self.collection == ask.collection && self.version == ask.version && self.target == *ask.target
    }

    /// The plan for one variant.
    pub(crate) fn plan(&self, schema: &Schema, resolved: &Resolved) -> Result<(WritePlan, Vec<Origin>), Error> {
        let mut planner = Planner::new(schema, &self.expressions, resolved);
        let of = self.collection;
        let delete = PlanDelete {
            collection: of,
            find: planner.find(of, &self.target)?,
            visible: planner.require((of, RuleKind::Read))?,
            before: planner.require((of, RuleKind::Delete))?,
            version: self.version.then(|| planner.bind(Origin::Version)),
        };
        Ok((WritePlan::Delete(delete), planner.origins))
    }
}

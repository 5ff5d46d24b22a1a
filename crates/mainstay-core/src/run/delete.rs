//! Deletes.
use std::sync::Arc;

use mainstay_store::Step;

use super::PreparedWrite;
use crate::{
    Core, Delete, Error, Request,
    errors::{StepPlace, from_step, from_store},
    expressions::{Class, Resolved, RuleKind},
    plan::{
        Given,
        delete::{DeleteAsk, DeleteShape},
        target::target_values,
    },
    plans::Kept,
};

type KeptDelete = Kept<DeleteShape, PreparedWrite>;

impl Core {
    /// Deletes one record, with what hangs on it.
    pub(crate) async fn delete(&self, request: &Request, delete: &Delete) -> Result<(), Error> {
        for kind in [RuleKind::Delete, RuleKind::Read] {
            let gate = self.gate(request, (delete.collection, kind))?;
            gate.require(&self.schema).map_err(|error| self.explain_gate(request, &gate, None, error))?;
        }
        let (prepared, resolved) = self.delete_plan(request, delete)?;
        let target = target_values(&self.schema, delete.collection, &delete.target)?;
        let version = delete.version.unwrap_or_default();
        let given = Given { slots: &resolved.slots, target: &target, version, ..Given::default() };
        let step = Step { statement: prepared.statement.clone(), values: given.bind(&prepared.origins) };
        match self.store.write(vec![step]).await {
            Ok(_) => Ok(()),
            Err(failure) => {
                let class = Class::of(&request.caller);
                let place = StepPlace {
                    schema: &self.schema,
                    collection: delete.collection,
                    class,
                    rule: RuleKind::Delete,
                    pointer: "",
                };
                let error = from_step(place, failure.error);
                Err(self
                    .explain_stored_refusal(request, (delete.collection, RuleKind::Delete), &delete.target, error)
                    .await)
            }
        }
    }

    pub(crate) fn delete_plan(
        &self,
        request: &Request,
        delete: &Delete,
    ) -> Result<(Arc<PreparedWrite>, Resolved), Error> {
        let kept = self.delete_shape(delete)?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, &[])?;
        let prepared = kept.plan(resolved.variant(&[]), |shape| {
            let (plan, origins) = shape.plan(&self.schema, &resolved)?;
            let statement = self.store.prepare_write(&self.schema, &plan).map_err(from_store)?;
            Ok(PreparedWrite { statement, origins })
        })?;
        Ok((prepared, resolved))
    }

    fn delete_shape(&self, delete: &Delete) -> Result<Arc<KeptDelete>, Error> {
        let ask = DeleteAsk(delete);
        self.deletes.shape(&ask, |shape| shape.fits(&ask), || DeleteShape::new(&self.schema, &ask))
    }
}

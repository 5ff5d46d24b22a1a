//! Updates: a patch read and checked, written, answered.
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_store::Step;

use super::PreparedWrite;
use crate::{
    Core, Error, ReadOne, Record, Request, Update,
    errors::{StepPlace, from_step, from_store, invalid_record},
    evaluate::Evaluator,
    expressions::{Class, RuleKind},
    plan::{
        Given,
        target::{check_target, check_version, target_values},
        update::{UpdateAsk, UpdateShape},
    },
    plans::Kept,
    record::{
        checks::failed_patch_checks,
        field::Sender,
        json::key_alone,
        patch::{Patch, Patches},
    },
};

type KeptUpdate = Kept<UpdateShape, PreparedWrite>;

impl Core {
    /// Changes one record.
    pub(crate) async fn update(&self, request: &Request, update: &Update<'_>) -> Result<Record, Error> {
        for kind in [RuleKind::Update, RuleKind::Read] {
            let gate = self.gate(request, (update.collection, kind))?;
            gate.require(&self.schema).map_err(|error| self.explain_gate(request, &gate, None, error))?;
        }
        check_target(&self.schema, update.collection, &update.target)?;
        let target = target_values(&self.schema, update.collection, &update.target)?;
        let patch = self.patch(request, update, Sender::Caller)?;
        if patch.is_empty() {
            return self.unchanged(request, update).await;
        }
        let (own, step) = self.update_step(request, update, &patch, &target, Sender::Caller)?;
        let written = match self.store.write(vec![step]).await {
            Ok(written) => written.into_iter().next(),
            Err(failure) => {
                let error = from_step(self.step_place(request, update), failure.error);
                return Err(self
                    .explain_stored_refusal(request, (update.collection, RuleKind::Update), &update.target, error)
                    .await);
            }
        };
        let Some(written) = written else { return Err(Error::internal("an update was answered by nothing")) };
        let collection = self.schema.collection(update.collection);
        let (json, own) = match written.record {
            Some(json) => (json, own),
            None => (key_alone(collection, &written.key), false),
        };
        Ok(Record { json, version: written.version, own, key: written.key })
    }

    /// Completes records of a file in one transaction, their versions stay as they are; of a failure, tells which update it was.
    pub(crate) async fn update_many(&self, request: &Request, updates: &[Update<'_>]) -> Result<(), (usize, Error)> {
        let mut steps = Vec::with_capacity(updates.len());
        for (at, update) in updates.iter().enumerate() {
            steps.push(self.step_of(request, update).map_err(|error| (at, error))?);
        }
        self.store.write(steps).await.map(|_| ()).map_err(|failure| {
            let place = self.step_place(request, &updates[failure.step.min(updates.len() - 1)]);
            (failure.step, from_step(place, failure.error))
        })
    }

    fn step_of(&self, request: &Request, update: &Update<'_>) -> Result<Step, Error> {
        let target = target_values(&self.schema, update.collection, &update.target)?;
        let patch = self.patch(request, update, Sender::File)?;
        self.update_step(request, update, &patch, &target, Sender::File).map(|(_, step)| step)
    }

    fn step_place<'a>(&'a self, request: &Request, update: &Update<'_>) -> StepPlace<'a> {
        let class = Class::of(&request.caller);
        StepPlace { schema: &self.schema, collection: update.collection, class, rule: RuleKind::Update, pointer: "" }
    }

    /// The patch, completed and checked as far as it goes alone.
    pub(crate) fn patch(&self, request: &Request, update: &Update<'_>, sender: Sender) -> Result<Patch, Error> {
        let collection = self.schema.collection(update.collection);
        let evaluator = Evaluator::new(&self.schema, request);
        let (schema, links_max) = (&*self.schema, self.settings.limits.links_max);
        let reader =
            Patches { schema, collection, evaluator: &evaluator, time_micros: request.time_micros, links_max, sender };
        let invalid = |errors| invalid_record(&self.schema, update.collection, errors);
        let patch = reader.read(&update.patch).map_err(invalid)?;
        let errors = failed_patch_checks(&self.schema, &evaluator, collection, &patch);
        if errors.is_empty() { Ok(patch) } else { Err(invalid(errors)) }
    }

    pub(crate) fn update_step(
        &self,
        request: &Request,
        update: &Update<'_>,
        patch: &Patch,
        target: &[Value],
        sender: Sender,
    ) -> Result<(bool, Step), Error> {
        let ask = UpdateAsk {
            collection: update.collection,
            target: &update.target,
            version: update.version.is_some(),
            patch,
            selection: update.selection.as_ref(),
            quiet: sender == Sender::File,
        };
        let kept = self.update_shape(&ask)?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, &[])?;
        let prepared = kept.plan(resolved.variant(&[]), |shape| {
            let (plan, origins) = shape.plan(&self.schema, &resolved)?;
            let statement = self.store.prepare_write(&self.schema, &plan).map_err(from_store)?;
            Ok(PreparedWrite { statement, origins })
        })?;
        let set = patch.set.iter().map(|(_, value)| value.clone());
        let input: Vec<Value> =
            set.chain(patch.lists.iter().map(|list| Value::List(list.keys.clone().into()))).collect();
        let version = update.version.unwrap_or_default();
        let given = Given { slots: &resolved.slots, target, version, input: &input, ..Given::default() };
        let step = Step { statement: prepared.statement.clone(), values: given.bind(&prepared.origins) };
        Ok((kept.shape.own, step))
    }

    fn update_shape(&self, ask: &UpdateAsk<'_>) -> Result<Arc<KeptUpdate>, Error> {
        let make = || UpdateShape::new(&self.schema, &self.settings.limits, ask);
        self.updates.shape(ask, |shape| shape.fits(ask), make)
    }

    /// Nothing to write: the record as it is, where it has the version that was asked for.
    async fn unchanged(&self, request: &Request, update: &Update<'_>) -> Result<Record, Error> {
        let (collection, target) = (update.collection, update.target.clone());
        let read = ReadOne { collection, target, selection: update.selection.clone() };
        check_version(&self.schema, collection, update.version.is_some())?;
        let record = self.read_one(request, &read).await?;
        match (update.version, record.version) {
            (Some(asked), Some(present)) if asked != present => {
                let failure = mainstay_store::StepError::OtherVersion { present };
                Err(from_step(self.step_place(request, update), failure))
            }
            _ => Ok(record),
        }
    }
}

//! Changes and deletes as steps.
use mainstay_expr::Value;
use mainstay_schema::{CollectionId, FieldId, FieldKind};
use mainstay_store::{Step, Task};
use smallvec::SmallVec;

use super::{
    create::late_inputs,
    failure::{Meaning, Part},
    outcome::Outcome,
    steps::{Around, Steps},
    target::Aim,
};
use crate::{
    Answered, Core, Error, Request,
    errors::from_store,
    expressions::RuleKind,
    plan::{
        Given,
        delete::{DeleteAsk, DeleteShape},
        links::{LinkShape, link_shapes},
        update::{UpdateAsk, UpdateShape},
    },
    record::{late::late_fields, patch::Patch},
    run::PreparedWrite,
};

/// A change of one record.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    pub(crate) of: CollectionId,
    pub(crate) aim: Aim,
    pub(crate) version: Option<i64>,
    pub(crate) patch: Patch,
    pub(crate) answered: &'a Answered,
    /// Whether the version stays as it is.
    pub(crate) quiet: bool,
    /// Where its fields stand in the body.
    pub(crate) place: String,
}

impl Steps<'_> {
    /// A change, as the next operation.
    pub(crate) fn update(&mut self, mut change: Change<'_>) -> Result<Outcome, Error> {
        let (own, task) = self.change(&mut change)?;
        let (of, whole) = (change.of, self.whole(&change.place).len());
        let part = Part::Write(RuleKind::Update);
        let step = self.push(Step::Run(task), Meaning { of, part, place: change.place, whole });
        self.operation(step);
        Ok(Outcome::Updated { of, step, own })
    }

    /// What a change does, and whether it answers own stored fields only.
    pub(super) fn change(&mut self, change: &mut Change<'_>) -> Result<(bool, Task), Error> {
        let of = change.of;
        self.settle(&mut change.patch.late, of, Around::default())?;
        self.settle(&mut change.aim.late, of, Around::default())?;
        let ruled = change.patch.ruled(self.core.schema.collection(of));
        self.core.may_send(self.request, of, ruled, &change.place)?;
        let task = self.core.update_task(self.request, change);
        task.map_err(|error| error.at(self.whole(&change.place)))
    }

    /// A delete, as the next operation.
    pub(crate) fn delete(
        &mut self,
        of: CollectionId,
        mut aim: Aim,
        version: Option<i64>,
        place: String,
    ) -> Result<Outcome, Error> {
        self.settle(&mut aim.late, of, Around::default())?;
        let task = self.core.delete_task(self.request, of, &aim, version).map_err(|error| error.at(&place))?;
        let step = self.push(Step::Run(task), Meaning::new(of, Part::Write(RuleKind::Delete), place));
        self.operation(step);
        Ok(Outcome::Deleted { of, step })
    }
}

impl Core {
    /// The statement of a change, and whether it answers own stored fields only.
    pub(crate) fn update_task(&self, request: &Request, change: &Change<'_>) -> Result<(bool, Task), Error> {
        let Change { of, aim, patch, .. } = change;
        let links = self.links_of(*of, patch);
        let ask = UpdateAsk {
            collection: *of,
            target: &aim.shape,
            version: change.version.is_some(),
            patch,
            links: &links,
            answered: change.answered,
            quiet: change.quiet,
            admin: request.is_admin(),
        };
        let make = || UpdateShape::new(&self.schema, &self.settings.limits, &ask);
        let kept = self.updates.shape(&ask, |shape| shape.fits(&ask), make)?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, &change.answered.params)?;
        let prepared = kept.plan(resolved.variant(&[]), |shape| {
            let (plan, origins) = shape.plan(&self.schema, &resolved)?;
            let statement = self.store.prepare_write(&self.schema, &plan).map_err(from_store)?;
            Ok(PreparedWrite { statement, origins })
        })?;
        let set = patch.set.iter().map(|(_, value)| value.clone());
        let input: Vec<Value> =
            set.chain(patch.lists.iter().map(|list| Value::List(list.keys.clone().into()))).collect();
        let version = change.version.unwrap_or_default();
        let given = Given { slots: &resolved.slots, target: &aim.values, version, input: &input, ..Given::default() };
        let mut task = Task::new(prepared.statement.clone(), given.bind(&prepared.origins));
        if !patch.late.is_empty() || !aim.late.is_empty() {
            let set: Vec<FieldId> = patch.set.iter().map(|(field, _)| *field).collect();
            let mut late = late_inputs(&patch.late, &set);
            late.extend(late_inputs(&aim.late, &[]));
            task.late = Given::late(&prepared.origins, &late);
        }
        Ok((kept.shape.own, task))
    }

    /// The to-one links that a patch leads somewhere, with what is asked of their ends.
    fn links_of(&self, of: CollectionId, patch: &Patch) -> SmallVec<[LinkShape; 4]> {
        let collection = self.schema.collection(of);
        let is_link = |field: &FieldId| matches!(collection.field(*field).kind, FieldKind::ToOne { .. });
        let leads =
            |field: FieldId, value: &Value| !value.is_null() || late_fields(&patch.late).any(|late| late == field);
        let set = patch.set.iter().filter(|(field, value)| is_link(field) && leads(*field, value));
        link_shapes(set.map(|(field, _)| *field), &patch.late, &patch.made).collect()
    }

    /// The statement of a delete.
    pub(crate) fn delete_task(
        &self,
        request: &Request,
        of: CollectionId,
        aim: &Aim,
        version: Option<i64>,
    ) -> Result<Task, Error> {
        let ask = DeleteAsk { collection: of, target: &aim.shape, version: version.is_some() };
        let kept = self.deletes.shape(&ask, |shape| shape.fits(&ask), || DeleteShape::new(&self.schema, &ask))?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, &[])?;
        let prepared = kept.plan(resolved.variant(&[]), |shape| {
            let (plan, origins) = shape.plan(&self.schema, &resolved)?;
            let statement = self.store.prepare_write(&self.schema, &plan).map_err(from_store)?;
            Ok(PreparedWrite { statement, origins })
        })?;
        let version = version.unwrap_or_default();
        let given = Given { slots: &resolved.slots, target: &aim.values, version, ..Given::default() };
        let late = Given::late(&prepared.origins, &late_inputs(&aim.late, &[]));
        Ok(Task { statement: prepared.statement.clone(), values: given.bind(&prepared.origins), late })
    }
}

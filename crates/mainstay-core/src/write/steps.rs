//! The steps of a write in the making.
use std::sync::Arc;

use mainstay_schema::CollectionId;
use mainstay_store::{Source as StoreSource, Step, StepError, Write, WriteError, Written};

use super::failure::{Failed, Meaning};
use crate::{
    Core, Error, Request,
    errors::from_once,
    expressions::RuleName,
    gate::CallerGate,
    record::late::{Late, Source},
};

/// The steps of a write, each with what its failure means.
pub(crate) struct Steps<'a> {
    pub(crate) core: &'a Core,
    pub(crate) request: &'a Request,
    list: Vec<Step>,
    meanings: Vec<Meaning>,
    /// The step that writes the record of each operation.
    operations: Vec<u32>,
    gates: Vec<Arc<CallerGate>>,
    /// Whether the operations stand in a batch, each with its fields under `/data`.
    batch: bool,
}

/// The steps around a record, which tell keys that it needs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around<'s> {
    /// The records made before it.
    pub(super) before: &'s [u32],
    /// The record that it hangs on.
    pub(super) parent: Option<u32>,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(core: &'a Core, request: &'a Request) -> Steps<'a> {
        let (list, meanings, operations, gates) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Steps { core, request, list, meanings, operations, gates, batch: false }
    }

    /// The same for the operations of a batch.
    pub(crate) fn batch(core: &'a Core, request: &'a Request) -> Steps<'a> {
        Steps { batch: true, ..Steps::new(core, request) }
    }

    /// Where an operation stands whose fields stand here.
    pub(super) fn whole<'p>(&self, fields: &'p str) -> &'p str {
        if self.batch { fields.strip_suffix("/data").unwrap_or(fields) } else { fields }
    }

    /// Room for steps that are about to be made.
    pub(crate) fn reserve(&mut self, steps: usize) {
        self.list.reserve(steps);
        self.meanings.reserve(steps);
    }

    /// How many there are so far: the number of the next.
    pub(super) fn next(&self) -> u32 {
        self.list.len() as u32
    }

    /// One step more; gives its number.
    pub(super) fn push(&mut self, step: Step, meaning: Meaning) -> u32 {
        let number = self.next();
        self.list.push(step);
        self.meanings.push(meaning);
        number
    }

    /// The steps, and what the failure of each means.
    pub(crate) fn into_parts(self) -> (Vec<Step>, Vec<Meaning>) {
        (self.list, self.meanings)
    }

    /// Says which step writes the record of the next operation.
    pub(crate) fn operation(&mut self, step: u32) {
        self.operations.push(step);
    }

    /// What a rule comes to for the caller, worked out once.
    pub(crate) fn gate(&mut self, rule: RuleName) -> Result<Arc<CallerGate>, Error> {
        if let Some(gate) = self.gates.iter().find(|gate| gate.rule == rule) {
            return Ok(gate.clone());
        }
        let gate = Arc::new(self.core.gate(self.request, rule)?);
        self.gates.push(gate.clone());
        Ok(gate)
    }

    /// Says of each key that is not known yet which step tells it.
    pub(super) fn settle(&mut self, late: &mut [Late], of: CollectionId, around: Around<'_>) -> Result<(), Error> {
        if late.is_empty() {
            return Ok(());
        }
        for one in late.iter_mut() {
            let step = match &one.source {
                Source::Operation(number) => self.operations.get(*number).copied(),
                Source::Nested(number) => around.before.get(*number).copied(),
                Source::Around => around.parent,
                Source::By(_) | Source::Step(_) => continue,
            };
            let step = step.ok_or_else(|| Error::internal("a key comes from a step that is not there"))?;
            one.source = Source::Step(StoreSource::Record(step));
        }
        self.look_up(late, of)
    }
}

impl Core {
    /// Does the steps in one transaction: all or nothing, and on disk once this returns.
    pub(crate) async fn carry_out(&self, steps: Steps<'_>) -> Result<Vec<Written>, Failed> {
        let Steps { request, list, meanings, .. } = steps;
        if list.is_empty() {
            return Ok(Vec::new());
        }
        self.store
            .write(Write { steps: list, author: request.author() })
            .await
            .map_err(|failure| self.step_failed(meanings, request, failure))
    }

    /// What the failure of a step means to the caller.
    pub(crate) fn step_failed(&self, mut meanings: Vec<Meaning>, request: &Request, failure: WriteError) -> Failed {
        // What is about the key is about no step.
        if meanings.is_empty() || matches!(failure.error, StepError::KeyReused | StepError::KeptTooLarge { .. }) {
            let error = from_once(failure.error);
            return Failed { step: failure.step, error };
        }
        let step = failure.step.min(meanings.len() - 1);
        meanings.swap_remove(step).failed(self, request, failure)
    }
}

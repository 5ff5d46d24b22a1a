//! Updates: a patch read and checked, written, answered.
use mainstay_store::Step;

use crate::{
    Answer, Core, Error, ErrorKind, ReadOne, Record, Request, Update,
    errors::{StepPlace, from_step, invalid_record},
    expressions::{Class, RuleKind},
    plan::target::check_version,
    record::{
        field::Sender,
        patch::{Patch, Patches},
        reading::Reading,
    },
    write::{Aim, Change, Steps},
};

fn updated(answers: Vec<(Record, bool)>) -> Answer {
    let none = || Record { json: Vec::new(), version: None, own: false, key: mainstay_expr::Value::Null };
    Answer::Updated(answers.into_iter().next().map_or_else(none, |(record, _)| record))
}

impl Core {
    /// Changes one record.
    pub(crate) async fn update(&self, request: &Request, update: &Update<'_>) -> Result<Answer, Error> {
        for kind in [RuleKind::Update, RuleKind::Read] {
            let gate = self.gate(request, (update.collection, kind))?;
            gate.require(&self.schema).map_err(|error| self.explain_gate(request, &gate, None, error))?;
        }
        let aim = Aim::of(&self.schema, update.collection, &update.target)?;
        let patch = self.patch(request, update, Sender::Caller)?;
        if patch.is_empty() {
            return self.unchanged(request, update).await.map(Answer::Updated);
        }
        let mut steps = Steps::new(self, request);
        let mut outcomes = vec![steps.update(change(update, aim, patch, Sender::Caller))?];
        match self.carry_out_once(steps, &mut outcomes, updated).await {
            Ok(answer) => Ok(answer),
            Err(failed) => {
                let rule = (update.collection, RuleKind::Update);
                Err(self.explain_stored_refusal(request, rule, &update.target, failed.error).await)
            }
        }
    }

    /// The step of a change of a file. What completes a record of a file leaves its version as it is.
    pub(crate) fn step_of(&self, request: &Request, update: &Update<'_>, sender: Sender) -> Result<Step, Error> {
        let aim = Aim::of(&self.schema, update.collection, &update.target)?;
        let patch = self.patch(request, update, sender)?;
        if !patch.late.is_empty() {
            return Err(Error::new(ErrorKind::InvalidBody, NOT_IN_FILES));
        }
        self.update_task(request, &change(update, aim, patch, sender)).map(|(_, task)| Step::Run(task))
    }

    /// The patch, completed and checked as far as it goes alone.
    pub(crate) fn patch(&self, request: &Request, update: &Update<'_>, sender: Sender) -> Result<Patch, Error> {
        let reading = Reading::new(self, request, sender, false);
        let collection = self.schema.collection(update.collection);
        let patch = Patches { reading: &reading, collection, given: &[] }.read(&update.patch, "");
        patch.map_err(|errors| invalid_record(&self.schema, update.collection, errors))
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
                let class = Class::of(&request.caller);
                let rule = RuleKind::Update;
                let place = StepPlace { schema: &self.schema, collection, class, rule, pointer: "" };
                Err(from_step(place, failure))
            }
            _ => Ok(record),
        }
    }
}

/// What a write of its own can hold, and a record of a file cannot.
pub(crate) const NOT_IN_FILES: &str = "a link of a file is an id, or the value of a unique field";

/// The change that an update asks for.
pub(crate) fn change<'u>(update: &'u Update<'_>, aim: Aim, patch: Patch, sender: Sender) -> Change<'u> {
    let (of, version, selection) = (update.collection, update.version, update.selection.as_ref());
    let quiet = sender == Sender::File;
    Change { of, aim, version, patch, selection, quiet, place: String::new() }
}

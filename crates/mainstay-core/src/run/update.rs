//! Updates: a patch read and checked, written, answered.
use mainstay_schema::{Collection, CollectionId, Json};
use mainstay_store::Step;

use crate::{
    Answer, Core, Error, ErrorKind, Record, Request, Update,
    errors::invalid_record,
    expressions::RuleKind,
    plan::rules::links_may_decide,
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
        for kind in changing(self.schema.collection(update.collection)) {
            let gate = self.gate(request, (update.collection, kind))?;
            gate.require(&self.schema).map_err(|error| self.explain_gate(request, &gate, None, error))?;
        }
        let aim = Aim::of(&self.schema, update.collection, &update.target)?;
        let patch = self.patch(request, update.collection, &update.patch, Sender::Caller)?;
        let mut steps = Steps::new(self, request);
        let mut outcomes = vec![steps.update(change(update, aim, patch, Sender::Caller))?];
        match self.carry_out_once(steps, &mut outcomes, updated).await {
            Ok(answer) => Ok(answer),
            Err(failed) => {
                let sent = (&update.target, &update.patch);
                Err(self.explain_change_refusal(request, update.collection, sent, failed.error).await)
            }
        }
    }

    /// The step of a change of a file. What completes a record of a file leaves its version as it is.
    pub(crate) fn step_of(&self, request: &Request, update: &Update<'_>, sender: Sender) -> Result<Step, Error> {
        let aim = Aim::of(&self.schema, update.collection, &update.target)?;
        let patch = self.patch(request, update.collection, &update.patch, sender)?;
        if !patch.late.is_empty() {
            return Err(Error::new(ErrorKind::InvalidBody, NOT_IN_FILES));
        }
        self.update_task(request, &change(update, aim, patch, sender)).map(|(_, task)| Step::Run(task))
    }

    /// The patch, completed and checked as far as it goes alone.
    pub(crate) fn patch(
        &self,
        request: &Request,
        of: CollectionId,
        patch: &Json<'_>,
        sender: Sender,
    ) -> Result<Patch, Error> {
        let reading = Reading::new(self, request, sender, false);
        let collection = self.schema.collection(of);
        let patch = Patches { reading: &reading, collection, given: &[] }.read(patch, "");
        patch.map_err(|errors| invalid_record(&self.schema, of, errors))
    }
}

/// The rules that are asked of a change before it is read: where rules of links may decide it, the update rule waits.
pub(crate) fn changing(of: &Collection) -> impl Iterator<Item = RuleKind> + use<> {
    let update = Some(RuleKind::Update).filter(|_| !links_may_decide(of));
    update.into_iter().chain([RuleKind::Read])
}

/// What a write of its own can hold, and a record of a file cannot.
pub(crate) const NOT_IN_FILES: &str = "a link of a file is an id, or the value of a unique field";

/// The change that an update asks for.
pub(crate) fn change<'u>(update: &'u Update<'_>, aim: Aim, patch: Patch, sender: Sender) -> Change<'u> {
    let (of, version, answered) = (update.collection, update.version, &update.answered);
    let quiet = sender == Sender::File;
    Change { of, aim, version, patch, answered, quiet, place: String::new() }
}

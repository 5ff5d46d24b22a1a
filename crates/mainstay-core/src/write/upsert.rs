//! An upsert as a step: a create or an update, as it turns out in the transaction.
use mainstay_expr::Value;
use mainstay_schema::{CollectionId, FieldId};
use mainstay_store::{Step, Task, Upsert};

use super::{
    create::Answering,
    failure::{Meaning, Part, Unable},
    outcome::Outcome,
    steps::{Around, Steps},
    target::Aim,
    update::Change,
};
use crate::{
    Answered, Error,
    expressions::RuleKind,
    plan::find::FindKind,
    record::{
        late::{By, Late, Slot},
        new::NewRecord,
        patch::Patch,
    },
};

/// A record that is created, or changed where one with its values is there.
#[derive(Debug)]
pub(crate) struct Upserting<'a> {
    pub(crate) of: CollectionId,
    /// The fields of the unique.
    pub(crate) unique: &'a [FieldId],
    /// The values of the unique, with those that the write fills in.
    pub(crate) by: By,
    /// The record where there is none; else why it cannot be made.
    pub(crate) record: Result<NewRecord, Error>,
    /// The change where there is one; else why it cannot be done.
    pub(crate) patch: Result<Patch, Error>,
    pub(crate) answered: &'a Answered,
    pub(crate) place: String,
}

impl Steps<'_> {
    /// A create or an update, as the next operation.
    pub(crate) fn upsert(&mut self, mut upsert: Upserting<'_>) -> Result<Outcome, Error> {
        let of = upsert.of;
        if let Ok(record) = &mut upsert.record {
            self.settle(&mut record.late, of, Around::default())?;
        }
        if let Ok(patch) = &mut upsert.patch {
            self.settle(&mut patch.late, of, Around::default())?;
        }
        self.settle(&mut upsert.by.late, of, Around::default())?;
        let find =
            self.core.find_task(self.request, FindKind::Any, of, upsert.unique, std::slice::from_ref(&upsert.by))?;
        let by = upsert.by.clone();
        let mut unable = Unable { fields: upsert.unique.to_vec(), ..Unable::default() };
        let created = upsert.record.and_then(|record| {
            let gate = self.gate((of, RuleKind::Create))?;
            gate.require(&self.core.schema)?;
            self.core.may_send(self.request, of, record.ruled.iter().copied(), &upsert.place)?;
            self.core.ready(self.request, &gate, record, Answering::Record(upsert.answered))
        });
        let whole = self.whole(&upsert.place).len();
        let (ready, create) = kept(created, &mut unable.create, &upsert.place[..whole]);
        let (aim, answered, place) = (Aim::by(upsert.by), upsert.answered, String::new());
        let changed = upsert.patch.and_then(|patch| {
            let update = patch.asks_update_rule(self.core.schema.collection(of)).then_some(RuleKind::Update);
            for kind in update.into_iter().chain([RuleKind::Read]) {
                self.gate((of, kind))?.require(&self.core.schema)?;
            }
            let ruled = patch.ruled(self.core.schema.collection(of));
            self.core.may_send(self.request, of, ruled, &upsert.place)?;
            self.core
                .update_task(self.request, &Change { of, aim, version: None, patch, answered, quiet: false, place })
        });
        let (own, update) = kept(changed, &mut unable.update, &upsert.place[..whole]);
        let seen = match &update {
            Some(_) => None,
            None => {
                let rows = std::slice::from_ref(&by);
                Some(self.core.find_task(self.request, FindKind::Wanted, of, upsert.unique, rows)?)
            }
        };
        let meaning = Meaning { of, part: Part::Upsert(Box::new(unable)), place: upsert.place, whole };
        let step = self.push(Step::Upsert(Box::new(Upsert { find, create, update, seen })), meaning);
        self.operation(step);
        let read = self.gate((of, RuleKind::Read))?;
        Ok(Outcome::Upserted { of, step, ready, read, own: own.unwrap_or_default() })
    }
}

/// The two parts of a write that can be done; of another one, why not.
fn kept<T>(outcome: Result<(T, Task), Error>, unable: &mut Option<Error>, place: &str) -> (Option<T>, Option<Task>) {
    match outcome {
        Ok((first, task)) => (Some(first), Some(task)),
        Err(error) => {
            *unable = Some(error.at(place));
            (None, None)
        }
    }
}

/// The values by which a record is looked for, out of the record as it would be created.
pub(crate) fn by_values(record: &NewRecord, unique: &[FieldId], pointer: &str) -> By {
    let values: Vec<Value> = unique.iter().map(|field| record.values[field.0 as usize].clone()).collect();
    let of_unique = |late: &&Late| matches!(late.slot, Slot::Field(field) if unique.contains(&field));
    let late = record.late.iter().filter(of_unique).cloned().collect();
    let (target, fields, pointer) = (record.collection, unique.to_vec(), pointer.to_owned());
    By { target, fields, values, late, needed: true, pointer }
}

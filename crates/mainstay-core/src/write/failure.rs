//! What the failure of a step means to the caller.
use mainstay_schema::{CollectionId, Schema};
use mainstay_store::{StepError, WriteError};

use crate::{
    Core, Error, FieldError, Request,
    errors::{StepPlace, from_step, invalid_record},
    expressions::{Class, RuleKind},
};

/// A write that was not done.
#[derive(Debug)]
pub(crate) struct Failed {
    /// Which step failed.
    pub(crate) step: usize,
    pub(crate) error: Error,
}

/// What a step is to the caller.
#[derive(Debug)]
pub(crate) struct Meaning {
    pub(super) of: CollectionId,
    pub(super) part: Part,
    /// Where the record's fields stand in the body.
    pub(super) place: String,
    /// How much of that names the operation as a whole.
    pub(super) whole: usize,
}

/// Which part of a write a step is.
#[derive(Debug)]
pub(super) enum Part {
    /// One write, that needs this rule.
    Write(RuleKind),
    /// Look-ups, with the places of the body and what is looked for there.
    Find(Vec<(String, CollectionId)>),
    /// A create or an update, as it turns out; each with why it cannot be done.
    Upsert(Box<Unable>),
    /// The answer.
    Read,
}

/// Why the writes of an upsert cannot be done.
#[derive(Debug, Default)]
pub(super) struct Unable {
    pub(super) create: Option<Error>,
    pub(super) update: Option<Error>,
    /// The fields by which it looks.
    pub(super) fields: Vec<mainstay_schema::FieldId>,
}

impl Meaning {
    /// Of a record that is an operation of its own, or stands inside of another.
    pub(super) fn new(of: CollectionId, part: Part, place: String) -> Meaning {
        let whole = place.len();
        Meaning { of, part, place, whole }
    }

    pub(super) fn failed(self, core: &Core, request: &Request, failure: WriteError) -> Failed {
        let class = Class::of(&request.caller);
        let error = self.error(&core.schema, class, failure.error);
        Failed { step: failure.step, error }
    }

    fn error(self, schema: &Schema, class: Class, failure: StepError) -> Error {
        let place = |rule| StepPlace { schema, collection: self.of, class, rule, pointer: &self.place };
        let error = match (self.part, failure) {
            (Part::Find(places), StepError::NotFoundAt { at }) => return missing(schema, self.of, &places, &at),
            (Part::Upsert(unable), failure) => upsert_error(place, *unable, failure),
            (Part::Write(rule), failure) => from_step(place(rule), failure),
            (Part::Find(_) | Part::Read, failure) => from_step(place(RuleKind::Read), failure),
        };
        error.at(&self.place[..self.whole])
    }
}

fn upsert_error<'s>(place: impl Fn(RuleKind) -> StepPlace<'s>, unable: Unable, failure: StepError) -> Error {
    match failure {
        StepError::OfUpdate(inner) => match *inner {
            // The record is there, and hidden: the same as when a create meets it.
            StepError::NotFound => unable
                .create
                .unwrap_or_else(|| from_step(place(RuleKind::Create), StepError::NotUnique { fields: unable.fields })),
            inner => from_step(place(RuleKind::Update), inner),
        },
        StepError::CannotUpsert { exists } => {
            let kept = if exists { unable.update } else { unable.create };
            kept.unwrap_or_else(|| Error::internal("an upsert came to nothing"))
        }
        failure => from_step(place(RuleKind::Create), failure),
    }
}

/// Records that were looked up and are not there, or may not be read.
fn missing(schema: &Schema, of: CollectionId, places: &[(String, CollectionId)], at: &[u32]) -> Error {
    let found = at.iter().filter_map(|at| places.get(*at as usize));
    let wrong = found.map(|(pointer, target)| FieldError {
        pointer: pointer.clone(),
        code: "link".to_owned(),
        message: format!("no such \"{}\", or the caller may not read it", schema.collection(*target).name),
        hint: None,
    });
    invalid_record(schema, of, wrong.collect())
}

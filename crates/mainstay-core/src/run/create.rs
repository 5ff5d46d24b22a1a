//! Creates and upserts: records completed and checked in memory, written together, answered.
use mainstay_schema::{FieldId, Json};

use crate::{
    Answer, Answered, Core, Create, Error, FieldError, Record, Request,
    errors::invalid_record,
    expressions::RuleKind,
    record::{
        field::Sender,
        late::late_fields,
        new::{NewRecord, NewRecords, Purpose},
        patch::Patches,
        reading::Reading,
    },
    write::{Outcome, Steps, Upserting, by_values},
};

fn one(answers: Vec<(Record, bool)>) -> Answer {
    let created = answers.iter().any(|(_, created)| *created);
    Answer::Created { records: answers.into_iter().map(|(record, _)| record).collect(), many: false, created }
}

fn many(answers: Vec<(Record, bool)>) -> Answer {
    let created = answers.iter().any(|(_, created)| *created);
    Answer::Created { records: answers.into_iter().map(|(record, _)| record).collect(), many: true, created }
}

impl Core {
    /// New records: all or none.
    pub(crate) async fn create(&self, request: &Request, create: &Create<'_>, sender: Sender) -> Result<Answer, Error> {
        let (steps, mut outcomes) = match &create.upsert {
            Some(unique) => self.upsert_steps(request, create, unique)?,
            None => self.create_steps(request, create, sender)?,
        };
        let answer = if create.many { many } else { one };
        match self.carry_out_once(steps, &mut outcomes, answer).await {
            Ok(answer) => Ok(answer),
            Err(failed) if create.upsert.is_some() => {
                let asked = self.explain_create(request, create);
                Err(self.explain_refusal_among(request, asked, &outcomes, failed).await)
            }
            Err(failed) => Err(self.explain_not_made(request, &outcomes, failed).await),
        }
    }

    fn create_steps<'s>(
        &'s self,
        request: &'s Request,
        create: &Create<'_>,
        sender: Sender,
    ) -> Result<(Steps<'s>, Vec<Outcome>), Error> {
        let mut steps = Steps::new(self, request);
        let gate = steps.gate((create.collection, RuleKind::Create))?;
        gate.require(&self.schema).map_err(|error| self.explain_gate(request, &gate, None, error))?;
        let mut records = self.new_records(request, create, sender)?;
        steps.reserve(records.len());
        let mut outcomes = Vec::with_capacity(records.len());
        steps.look_up_first(create.collection, &mut records)?;
        for record in records {
            outcomes.push(steps.create(record, &create.answered)?);
        }
        Ok((steps, outcomes))
    }

    /// The records, completed and checked; what is wrong with any of them comes at once.
    pub(crate) fn new_records(
        &self,
        request: &Request,
        create: &Create<'_>,
        sender: Sender,
    ) -> Result<Vec<NewRecord>, Error> {
        let reading = Reading::new(self, request, sender, false);
        reading.count(create.records.len())?;
        let reader = self.reader(&reading, create.collection, Purpose::Create);
        let mut records = Vec::with_capacity(create.records.len());
        let mut errors = Vec::new();
        for (at, json) in create.records.iter().enumerate() {
            records.push(reader.read(json, place(create, at), &mut errors)?);
        }
        if errors.is_empty() { Ok(records) } else { Err(invalid_record(&self.schema, create.collection, errors)) }
    }

    /// What new records of a collection are read by.
    pub(crate) fn reader<'r>(
        &'r self,
        reading: &'r Reading<'r>,
        of: mainstay_schema::CollectionId,
        purpose: Purpose,
    ) -> NewRecords<'r> {
        let nests = purpose == Purpose::Create && reading.sender == Sender::Caller;
        let depth_left = nests.then(|| reading.limits().create_depth_max);
        let (collection, may_change) = (self.schema.collection(of), purpose == Purpose::Upsert);
        NewRecords { reading, collection, tied: None, depth_left, may_change, checked: true }
    }

    fn upsert_steps<'s>(
        &'s self,
        request: &'s Request,
        create: &Create<'_>,
        unique: &[FieldId],
    ) -> Result<(Steps<'s>, Vec<Outcome>), Error> {
        self.may_upsert(request, create.collection, unique)?;
        let reading = Reading::new(self, request, Sender::Caller, false);
        reading.count(create.records.len())?;
        let mut upserts = Vec::with_capacity(create.records.len());
        let mut errors = Vec::new();
        for (at, json) in create.records.iter().enumerate() {
            let wanted = Wanted { of: create.collection, unique, answered: &create.answered };
            upserts.extend(self.upserting(&reading, wanted, json, place(create, at), &mut errors)?);
        }
        if !errors.is_empty() {
            return Err(invalid_record(&self.schema, create.collection, errors));
        }
        let mut steps = Steps::new(self, request);
        let outcomes = upserts.into_iter().map(|upsert| steps.upsert(upsert)).collect::<Result<_, _>>()?;
        Ok((steps, outcomes))
    }

    /// Fails where the caller may read a field of no record, so that it may not find any by it either.
    fn may_name(&self, request: &Request, of: mainstay_schema::CollectionId, fields: &[FieldId]) -> Result<(), Error> {
        for field in fields {
            if self.schema.collection(of).field(*field).rules.read.is_some() {
                self.gate(request, (of, RuleKind::ReadField(*field)))?.require(&self.schema)?;
            }
        }
        Ok(())
    }

    /// Fails where the caller may neither create nor change records of a collection, or may not find them by these fields.
    pub(crate) fn may_upsert(
        &self,
        request: &Request,
        of: mainstay_schema::CollectionId,
        unique: &[FieldId],
    ) -> Result<(), Error> {
        let create = self.gate(request, (of, RuleKind::Create))?;
        if let Err(error) = create.require(&self.schema) {
            let update = self.gate(request, (of, RuleKind::Update))?;
            update.require(&self.schema).map_err(|_| self.explain_gate(request, &create, None, error))?;
        }
        self.may_name(request, of, unique)
    }

    /// A record to be upserted, both as a new one and as a change. What is wrong with it as either comes as errors.
    pub(crate) fn upserting<'r>(
        &self,
        reading: &Reading<'_>,
        wanted: Wanted<'r>,
        json: &Json<'_>,
        place: String,
        errors: &mut Vec<FieldError>,
    ) -> Result<Option<Upserting<'r>>, Error> {
        let Wanted { of, unique, answered } = wanted;
        let collection = self.schema.collection(of);
        let mut as_new = Vec::new();
        let record = self.reader(reading, of, Purpose::Upsert).read(json, place.clone(), &mut as_new)?;
        let patch = Patches { reading, collection, given: unique }.read(json, &place);
        let by = by_values(&record, unique, &place);
        let missing = missing_values(&record, unique);
        let of_unique = |error: &FieldError| {
            let inside = error.pointer.strip_prefix(&*place).and_then(|inside| inside.strip_prefix('/'));
            let field = inside.and_then(|inside| inside.split('/').next()).unwrap_or_default();
            unique.iter().any(|id| collection.field(*id).name == field)
        };
        let before = errors.len();
        match &patch {
            _ if as_new.iter().any(of_unique) => errors.extend(as_new.iter().filter(|error| of_unique(error)).cloned()),
            Err(as_change) if !as_new.is_empty() => {
                let common = as_new.iter().filter(|error| as_change.contains(error));
                errors.extend(common.cloned());
            }
            _ => {}
        }
        let missing = if errors.len() == before { missing } else { Vec::new() };
        for field in missing {
            let name = &collection.field(field).name;
            let message = format!("\"{name}\" is needed to find the record");
            let hint = Some("nulls are never equal".to_owned());
            errors.push(FieldError { pointer: format!("{place}/{name}"), code: "required".into(), message, hint });
        }
        if errors.len() > before {
            return Ok(None);
        }
        let invalid = |errors| invalid_record(&self.schema, of, errors);
        let record = if as_new.is_empty() { Ok(record) } else { Err(invalid(as_new)) };
        Ok(Some(Upserting { of, unique, by, record, patch: patch.map_err(invalid), answered, place }))
    }
}

/// What is asked of an upsert.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) of: mainstay_schema::CollectionId,
    pub(crate) unique: &'a [FieldId],
    pub(crate) answered: &'a Answered,
}

/// The fields of a unique that have no value.
fn missing_values(record: &NewRecord, unique: &[FieldId]) -> Vec<FieldId> {
    let late: Vec<FieldId> = late_fields(&record.late).collect();
    let missing = |field: &&FieldId| record.values[field.0 as usize].is_null() && !late.contains(field);
    unique.iter().filter(missing).copied().collect()
}

/// Where a record stands in the body.
fn place(create: &Create<'_>, at: usize) -> String {
    if create.many { format!("/{at}") } else { String::new() }
}

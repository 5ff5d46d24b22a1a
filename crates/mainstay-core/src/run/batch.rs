//! Batches: operations of any kind in one transaction, each seeing what the earlier ones did.
use mainstay_expr::Value;
use mainstay_schema::CollectionId;

use super::Wanted;
use crate::{
    Act, Aimed, Answer, Batch, BatchOperation, Core, Error, ErrorKind, FieldError, Record, Request,
    expressions::RuleKind,
    plan::rules::links_may_decide,
    record::{
        field::{FieldReader, Sender},
        late::Source,
        links::Sent,
        new::{NewRecord, Purpose},
        patch::{Patch, Patches},
        reading::{Named, Reading},
    },
    write::{Aim, Change, Outcome, Steps, Upserting},
};

/// An operation that was read: nothing about it alone is wrong.
enum Read<'a> {
    Create(NewRecord),
    Upsert(Box<Upserting<'a>>),
    Update(Aim, Patch),
    Delete(Aim),
}

impl Core {
    /// The operations, all or none; gives their answers.
    pub(crate) async fn batch(&self, request: &Request, batch: &Batch<'_>) -> Result<Answer, Error> {
        let (steps, mut outcomes) = self.batch_steps(request, batch)?;
        let answer =
            |answers: Vec<(Record, bool)>| Answer::Batch(answers.into_iter().map(|(record, _)| record).collect());
        match self.carry_out_once(steps, &mut outcomes, answer).await {
            Ok(answer) => Ok(answer),
            Err(failed) => {
                let asked = self.explain_batch(request, batch);
                Err(self.explain_refusal_among(request, asked, &outcomes, failed).await)
            }
        }
    }

    fn batch_steps<'s>(
        &'s self,
        request: &'s Request,
        batch: &'s Batch<'_>,
    ) -> Result<(Steps<'s>, Vec<Outcome>), Error> {
        let mut read = self.read_batch(request, batch)?;
        let mut steps = Steps::batch(self, request);
        steps.reserve(read.len());
        self.look_up_first(&mut steps, &mut read)?;
        let mut outcomes = Vec::with_capacity(read.len());
        for (operation, read) in read {
            let place = || operation.place.clone();
            let fields = || format!("{}/data", operation.place);
            let (of, version, answered) = (operation.collection, operation.version, &operation.answered);
            outcomes.push(match read {
                Read::Create(record) => steps.create(record, answered)?,
                Read::Upsert(upsert) => steps.upsert(*upsert)?,
                Read::Update(aim, patch) => {
                    steps.update(Change { of, aim, version, patch, answered, quiet: false, place: fields() })?
                }
                Read::Delete(aim) => steps.delete(of, aim, version, place())?,
            });
        }
        Ok((steps, outcomes))
    }

    /// Reads all operations; what is wrong with any of them comes at once, a refusal comes alone.
    fn read_batch<'b>(
        &self,
        request: &Request,
        batch: &'b Batch<'_>,
    ) -> Result<Vec<(&'b BatchOperation<'b>, Read<'b>)>, Error> {
        let reading = Reading::new(self, request, Sender::Caller, true);
        reading.count(batch.operations.len())?;
        let mut all = Vec::with_capacity(batch.operations.len());
        let mut errors = Vec::new();
        for (number, operation) in batch.operations.iter().enumerate() {
            match operation {
                Ok(operation) => {
                    self.may_operate(request, operation).map_err(|error| error.at(&operation.place))?;
                    errors.extend(operation.wrong.iter().cloned());
                    let read = self.read_operation(&reading, operation, &mut errors);
                    let read = read.map_err(|error| error.at(&operation.place))?;
                    name(&reading, self, (number, operation), read.as_ref(), &mut errors);
                    all.extend(read.map(|read| (operation, read)));
                }
                Err(wrong) => errors.extend(wrong.iter().cloned()),
            }
        }
        if errors.is_empty() {
            return Ok(all);
        }
        let mut error = Error::new(ErrorKind::InvalidRecord, "operations of this batch are wrong; none was done");
        error.fields = errors;
        Err(error)
    }

    /// Fails where the caller may do nothing of the kind; who may not learns no names.
    fn may_operate(&self, request: &Request, operation: &BatchOperation<'_>) -> Result<(), Error> {
        let of = operation.collection;
        let kinds = match &operation.act {
            Act::Upsert { unique, .. } => return self.may_upsert(request, of, unique),
            Act::Create { .. } => [RuleKind::Create, RuleKind::Create],
            Act::Update { .. } if links_may_decide(self.schema.collection(of)) => [RuleKind::Read, RuleKind::Read],
            Act::Update { .. } => [RuleKind::Update, RuleKind::Read],
            Act::Delete { .. } => [RuleKind::Delete, RuleKind::Read],
        };
        for kind in kinds {
            let gate = self.gate(request, (of, kind))?;
            gate.require(&self.schema).map_err(|error| self.explain_gate(request, &gate, None, error))?;
        }
        Ok(())
    }

    /// Reads one operation; `None` where something is wrong with it, which is noted.
    fn read_operation<'b>(
        &self,
        reading: &Reading<'_>,
        operation: &'b BatchOperation<'_>,
        errors: &mut Vec<FieldError>,
    ) -> Result<Option<Read<'b>>, Error> {
        let of = operation.collection;
        let place = format!("{}/data", operation.place);
        let before = errors.len();
        let read = match &operation.act {
            Act::Create { data } => {
                Some(Read::Create(self.reader(reading, of, Purpose::Create).read(data, place, errors)?))
            }
            Act::Upsert { unique, data } => {
                let wanted = Wanted { of, unique, answered: &operation.answered };
                self.upserting(reading, wanted, data, place, errors)?.map(|upsert| Read::Upsert(Box::new(upsert)))
            }
            Act::Update { target, data } => {
                let patches = Patches { reading, collection: self.schema.collection(of), given: &[] };
                let patch = patches.read(data, &place).map_err(|wrong| errors.extend(wrong));
                let aim = self.aim(reading, operation, target, errors);
                aim.zip(patch.ok()).map(|(aim, patch)| Read::Update(aim, patch))
            }
            Act::Delete { target } => self.aim(reading, operation, target, errors).map(Read::Delete),
        };
        match read.filter(|_| errors.len() == before && operation.wrong.is_empty()) {
            None if errors.len() == before && operation.wrong.is_empty() => {
                Err(Error::internal("an operation that is right was not read"))
            }
            read => Ok(read),
        }
    }

    /// The record that an operation is about.
    fn aim(
        &self,
        reading: &Reading<'_>,
        operation: &BatchOperation<'_>,
        target: &Aimed<'_>,
        errors: &mut Vec<FieldError>,
    ) -> Option<Aim> {
        let of = operation.collection;
        let mut reader = FieldReader::new(reading, self.schema.collection(of), &operation.place, false);
        let aim = match target {
            Aimed::Id(json) => match reader.sent(of, json, true, &|| format!("{}/id", operation.place)) {
                Some(Sent::Key(key) | Sent::Made(key)) => Some(Aim::key(key)),
                Some(Sent::Late(Source::By(by))) => Some(Aim::by(*by)),
                Some(Sent::Late(source) | Sent::LateMade(source)) => Some(Aim::late(source)),
                Some(Sent::Record(..)) | None => None,
            },
            Aimed::By(json) => reader.unique(of, json, true, format!("{}/by", operation.place)).map(Aim::by),
            Aimed::Unnamed => None,
        };
        errors.append(&mut reader.errors);
        aim
    }

    /// Look-ups that nothing in the batch can change, before everything else.
    fn look_up_first(&self, steps: &mut Steps<'_>, read: &mut [(&BatchOperation<'_>, Read<'_>)]) -> Result<(), Error> {
        // What a delete takes with it, nobody knows before.
        if read.len() < 2 || read.iter().any(|(_, read)| matches!(read, Read::Delete(_))) {
            return Ok(());
        }
        let mut written: Vec<CollectionId> = Vec::new();
        for (operation, read) in read.iter_mut() {
            match read {
                Read::Create(record) => record.each(&mut |record| note(&mut written, record.collection)),
                _ => note(&mut written, operation.collection),
            }
        }
        let of = read[0].0.collection;
        steps.first(&written, of, &mut |run| {
            for (_, read) in read.iter_mut() {
                match read {
                    Read::Create(record) => {
                        record.each(&mut |record| record.late.iter_mut().for_each(&mut *run));
                    }
                    Read::Update(_, patch) => patch.late.iter_mut().for_each(&mut *run),
                    Read::Upsert(_) | Read::Delete(_) => {}
                }
            }
        })
    }
}

fn note(written: &mut Vec<CollectionId>, of: CollectionId) {
    if !written.contains(&of) {
        written.push(of);
    }
}

/// Gives the operation's record its name.
fn name(
    reading: &Reading<'_>,
    core: &Core,
    (number, operation): (usize, &BatchOperation<'_>),
    read: Option<&Read<'_>>,
    errors: &mut Vec<FieldError>,
) {
    let Some(name) = &operation.name else { return };
    let key = match read {
        Some(Read::Create(record)) => Some(record.key(core.schema.collection(operation.collection)).clone()),
        Some(Read::Update(aim, _)) => aim.known_key(),
        _ => None,
    };
    let key = key.filter(|key| *key != Value::Null);
    let made = matches!(operation.act, Act::Create { .. } | Act::Upsert { .. });
    let named = Named { collection: operation.collection, key, operation: number, made };
    let wrong = match operation.act {
        Act::Delete { .. } => Some("a record that is deleted has no name: nothing can link to it".to_owned()),
        _ if !reading.name(name, named) => Some(format!("\"{name}\" is the name of an earlier operation")),
        _ => None,
    };
    if let Some(message) = wrong {
        let pointer = format!("{}/as", operation.place);
        errors.push(FieldError { pointer, code: "as".to_owned(), message, hint: None });
    }
}

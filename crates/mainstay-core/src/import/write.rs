//! Chunks written: all records of one in a transaction, with the note of how far the part is.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_schema::{Collection, KeyKind};
use mainstay_store::{Step, StepError, Write, WriteError, WriteStatement};
use tokio::task::JoinHandle;

use super::{
    chunk::Chunk,
    load::Loading,
    notes::State,
    prepare::{OtherLinks, Ready, There},
};
use crate::{
    Error, FieldError,
    errors::{StepPlace, from_step, from_store},
    expressions::{Class, RuleKind},
    record::new::NewRecord,
    write::Answering,
};

/// What becomes of a write, and how long it takes.
type Writing = JoinHandle<(Result<(), WriteError>, Duration)>;

/// A chunk that is being written.
pub(super) struct Pending {
    pub(super) part: usize,
    pub(super) chunk: Chunk,
    /// What is noted once it is written.
    pub(super) state: State,
    pub(super) writing: Writing,
}

/// What a chunk's records come to, counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gained {
    pub(super) created: u64,
    pub(super) updated: u64,
    /// Links that were left out.
    pub(super) left_out: u64,
}

impl Gained {
    /// Counts it as done.
    pub(super) fn count(self, state: &mut State) {
        state.created += self.created;
        state.updated += self.updated;
        state.links_left_out += self.left_out;
    }
}

/// A failure of the database, or a defect.
pub(super) fn failed(error: WriteError) -> Error {
    match error.error {
        StepError::Store(error) => from_store(error),
        other => Error::internal(format!("{other:?}")),
    }
}

impl Loading<'_> {
    /// From here on no other import goes on.
    pub(super) async fn take_over(&self) -> Result<(), Error> {
        self.note(self.core.note_begun(&self.id)?).await
    }

    /// Nothing is held back any more. All that was written is on the disk then.
    pub(super) async fn leave(&self) -> Result<(), Error> {
        self.core.store().sync_commits().map_err(from_store)?;
        self.note(self.core.note_ended(&self.id)?).await
    }

    async fn note(&self, step: Step) -> Result<(), Error> {
        let write = Write { steps: vec![step], author: self.request.author() };
        self.core.store().write(write).await.map(|_| ()).map_err(failed)
    }

    /// Steps as a write of this import, which is none any more where another one has begun.
    pub(super) fn write_of(&self, mut steps: Vec<Step>) -> Result<Write, Error> {
        steps.push(self.core.note_holds(&self.id)?);
        Ok(Write { steps, author: self.request.author() })
    }

    /// Adds the steps that write records at once, without looking at each: what is wrong then shows as a failure of the whole.
    /// [`Loading::end_rows`] is due behind the last of them.
    pub(super) fn steps(&mut self, part: usize, readies: Vec<Ready>, made: &mut Made) -> Result<(), Error> {
        let of = self.parts[part].collection;
        let id = self.starts[part].id.clone();
        for ready in readies {
            match ready {
                Ready::Create(record, others)
                    if record.lists.is_empty() && record.computed.is_empty() && others.waiting.is_empty() =>
                {
                    made.gained.created += 1;
                    made.gained.left_out += others.left_out;
                    let keyed = is_keyed(self.core.schema().collection(of), &record);
                    if made.rows.keyed != keyed {
                        self.end_rows(of, made)?;
                        made.rows.keyed = keyed;
                    }
                    made.rows.add(self.core.schema().collection(of), *record);
                }
                ready => {
                    self.end_rows(of, made)?;
                    self.alone(part, &id, ready, &mut made.steps, &mut made.gained)?;
                }
            }
        }
        Ok(())
    }

    /// The steps of one record that is written alone.
    pub(super) fn alone(
        &self,
        part: usize,
        id: &str,
        ready: Ready,
        steps: &mut Vec<Step>,
        gained: &mut Gained,
    ) -> Result<(), Error> {
        let others = match ready {
            Ready::Create(record, others) => {
                let collection = self.parts[part].collection;
                let gate = self.core.gate(self.request, (collection, RuleKind::Create))?;
                steps.push(Step::Run(self.core.ready(self.request, &gate, *record, Answering::Key)?.1));
                gained.created += 1;
                others
            }
            Ready::Update(step, others) => {
                steps.push(*step);
                gained.updated += 1;
                others
            }
            // It is counted once it is written.
            Ready::Waits(what) => OtherLinks { waiting: vec![what], left_out: 0 },
            Ready::Bad(_) => OtherLinks::default(),
        };
        gained.left_out += others.left_out;
        let record = steps.len().saturating_sub(1) as u32;
        for what in others.waiting {
            steps.push(self.core.note_waits(id, &what, record)?);
        }
        Ok(())
    }

    /// Makes a step of the records that are written at once.
    pub(super) fn end_rows(&mut self, of: mainstay_schema::CollectionId, made: &mut Made) -> Result<(), Error> {
        if made.rows.values.is_empty() {
            return Ok(());
        }
        let statement = self.load_statement(of, made.rows.keyed)?;
        made.steps.push(Step::run(statement, std::mem::take(&mut made.rows.values)));
        Ok(())
    }

    fn load_statement(&mut self, of: mainstay_schema::CollectionId, keyed: bool) -> Result<Arc<WriteStatement>, Error> {
        if let Some((.., statement)) = self.statements.iter().find(|(known, key, _)| (*known, *key) == (of, keyed)) {
            return Ok(statement.clone());
        }
        let statement = self.core.load_statement(self.request, of, keyed)?;
        self.statements.push((of, keyed, statement.clone()));
        Ok(statement)
    }

    /// Begins to write; meanwhile the next chunk is made ready.
    pub(super) fn send(&self, steps: Vec<Step>) -> Result<Writing, Error> {
        let (store, write) = (self.core.store().clone(), self.write_of(steps)?);
        Ok(tokio::spawn(async move {
            let began = Instant::now();
            let outcome = store.write(write).await.map(|_| ());
            (outcome, began.elapsed())
        }))
    }

    /// Waits for the chunk that is being written. Where something is wrong with a record of it, it is written again, with a look at
    /// each record.
    pub(super) async fn settle(&mut self, pending: &mut Option<Pending>) -> Result<Option<(Duration, usize)>, Error> {
        let Some(Pending { part, chunk, state, writing }) = pending.take() else { return Ok(None) };
        let (outcome, time) = writing.await.map_err(|error| Error::internal(error.to_string()))?;
        match outcome {
            Ok(()) => {
                self.starts[part].state = state;
                self.tell(part);
                Ok(Some((time, chunk.raws.len())))
            }
            Err(WriteError { error: StepError::Store(error), .. }) if !is_about_a_record(&error) => {
                Err(from_store(error))
            }
            Err(_) => {
                self.carefully(part, &chunk).await?;
                Ok(None)
            }
        }
    }

    /// Writes steps together with the note of how far their part is then; or nothing, and then gives what is wrong with a record.
    pub(super) async fn write_noted(
        &mut self,
        part: usize,
        mut steps: Vec<Step>,
        state: State,
    ) -> Result<Option<WriteError>, Error> {
        steps.extend(self.reached(part, &state)?);
        match self.core.store().write(self.write_of(steps)?).await {
            Ok(_) => {
                self.starts[part].state = state;
                Ok(None)
            }
            Err(error) if matches!(error.error, StepError::Store(_)) => Err(failed(error)),
            Err(error) => Ok(Some(error)),
        }
    }

    /// What a failed step says of its record.
    pub(super) fn wrong(&self, part: usize, error: StepError) -> Vec<FieldError> {
        let place = StepPlace {
            schema: self.core.schema(),
            collection: self.parts[part].collection,
            class: Class::Admin,
            rule: RuleKind::Create,
            pointer: "",
        };
        let error = from_step(place, error);
        match error.fields.is_empty() {
            true => vec![super::prepare::plain_error("", error.cause.unwrap_or(error.message), error.hint)],
            false => error.fields,
        }
    }

    /// The names that are there already, and whatever else must be known before records can be made ready.
    pub(super) async fn look_up_for(
        &mut self,
        part: usize,
        rows: &[super::prepare::Understood<'_>],
    ) -> Result<There, Error> {
        self.look_up_links(part, rows).await?;
        self.look_up_there(part, rows).await
    }
}

/// Whether a failure may be about what one record holds, rather than about the database.
fn is_about_a_record(error: &mainstay_store::StoreError) -> bool {
    use mainstay_store::StoreError;
    matches!(error, StoreError::Engine(_) | StoreError::Overflow)
}

/// What a chunk's records come to.
#[derive(Default)]
pub(super) struct Made {
    pub(super) steps: Vec<Step>,
    pub(super) gained: Gained,
    rows: Rows,
}

/// Values of records that are written by one step.
#[derive(Default)]
struct Rows {
    keyed: bool,
    values: Vec<mainstay_expr::Value>,
}

impl Rows {
    fn add(&mut self, of: &Collection, mut record: NewRecord) {
        for field in of.stored() {
            if self.keyed || of.system.id != Some(field.id) {
                self.values
                    .push(std::mem::replace(&mut record.values[field.id.0 as usize], mainstay_expr::Value::Null));
            }
        }
    }
}

/// Whether the key of a record is known before it is written.
fn is_keyed(of: &Collection, record: &NewRecord) -> bool {
    let key = of.system.id.and_then(|id| record.values.get(id.0 as usize));
    of.key != KeyKind::Int || key.is_some_and(|key| !key.is_null())
}

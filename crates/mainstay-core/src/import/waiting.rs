//! What waited for records that came later: tried again once everything is read, some at a time, until nothing more can be settled.
pub(super) mod note;
mod rounds;

use std::{borrow::Cow, collections::HashMap};

use mainstay_schema::{CollectionId, Json};
use mainstay_store::{Step, StepError};

use note::{Note, What, shown};
use rounds::Round;

use super::{
    MissingLinks,
    links::{End, Link, Name, take_links},
    load::Loading,
    order::Before,
    prepare::{Here, Origin, Ready, There, Understood, plain_error},
    write::{Gained, failed},
};
use crate::{Error, FieldError, Target, Update, record::field::Sender};

/// Something that waits no more, once this is written.
struct Settled<'n, 'r> {
    note: &'n Note<'r>,
    becomes: Becomes,
}

/// What becomes of something that waited.
enum Becomes {
    /// Its record is ready.
    Record(Ready),
    /// Its links are set, but for so many that lead nowhere.
    Links(Vec<Step>, u64),
}

impl Loading<'_> {
    /// Settles what can be settled; whether each of the notes waits on.
    async fn some(&mut self, part: usize, notes: &[Note<'_>], round: &mut Round) -> Result<Vec<bool>, Error> {
        let rows: Vec<Understood<'_>> = notes.iter().map(|note| self.understood(part, note)).collect();
        self.look_up_links(part, &rows).await?;
        let there = self.look_up_there(part, &rows).await?;
        let (mut ready, mut wrong, mut stays) = (Vec::new(), Vec::new(), vec![true; notes.len()]);
        let mut before = Before::default();
        for (at, (note, row)) in notes.iter().zip(rows).enumerate() {
            if self.must_wait_on(part, note, &there, &mut before) {
                continue;
            }
            let outcome = self.now(part, (note, row), &there);
            stays[at] = matches!(outcome, Ok(None));
            match outcome {
                Ok(Some(becomes)) => ready.push(Settled { note, becomes }),
                Ok(None) => {}
                Err(errors) => wrong.push((note, errors)),
            }
        }
        round.settled += self.write_settled(part, ready, &mut wrong).await?;
        round.settled += if self.bad.is_some() { wrong.len() as u64 } else { 0 };
        self.tell_wrong(part, wrong).await?;
        Ok(stays)
    }

    fn understood<'n>(&self, part: usize, note: &'n Note<'_>) -> Understood<'n> {
        let read = match &note.what {
            What::Record { fields, .. } => {
                let mut fields = fields.clone();
                let links = take_links(self.core.schema(), self.parts[part].collection, &mut fields);
                (fields, links)
            }
            What::Links { link, .. } => (Vec::new(), vec![link.clone()]),
            What::Gone { .. } => (Vec::new(), Vec::new()),
        };
        Understood { line: note.line, at: note.at, origin: Origin::Note(note.sum, note.key()), read: Ok(read) }
    }

    /// Writes what is ready together; where something is wrong with one of them, one by one. Gives how many were written.
    async fn write_settled<'n, 'r>(
        &mut self,
        part: usize,
        ready: Vec<Settled<'n, 'r>>,
        wrong: &mut Vec<(&'n Note<'r>, Vec<FieldError>)>,
    ) -> Result<u64, Error> {
        if ready.is_empty() {
            return Ok(0);
        }
        let mut written = 0;
        if self.write_together(part, &ready).await?.is_none() {
            written = ready.len() as u64;
        } else {
            for one in &ready {
                match self.write_together(part, std::slice::from_ref(one)).await? {
                    None => written += 1,
                    Some(error) => wrong.push((one.note, self.wrong(part, error))),
                }
            }
        }
        for one in &ready {
            if matches!(&one.becomes, Becomes::Record(ready) if ready.waits()) {
                self.hold(part, one.note);
            }
        }
        self.known.forget_missing();
        Ok(written)
    }

    /// Writes all of it, or nothing, and then gives what is wrong.
    async fn write_together(&mut self, part: usize, ready: &[Settled<'_, '_>]) -> Result<Option<StepError>, Error> {
        let (mut steps, mut gained) = (Vec::new(), Gained::default());
        for Settled { note, becomes } in ready {
            match becomes {
                Becomes::Record(ready) => {
                    self.alone(part, &self.starts[part].id, ready.clone(), &mut steps, &mut gained)?;
                }
                Becomes::Links(links, left_out) => {
                    steps.extend(links.iter().cloned());
                    gained.left_out += left_out;
                }
            }
            steps.push(self.core.note_settled(note.number)?);
        }
        let mut state = self.starts[part].state.clone();
        gained.count(&mut state);
        Ok(self.write_noted(part, steps, state).await?.map(|error| error.error))
    }

    /// Tells what is wrong; with a file for bad records it waits no more.
    async fn tell_wrong(&mut self, part: usize, wrong: Vec<(&Note<'_>, Vec<FieldError>)>) -> Result<(), Error> {
        let mut steps = Vec::new();
        for (notes, wrong) in of_records(wrong) {
            self.tell_record(part, &notes, wrong, &mut steps)?;
        }
        let Some(bad) = self.bad.as_ref().filter(|_| !steps.is_empty()) else { return Ok(()) };
        self.starts[part].state.bad_bytes = bad.bytes();
        steps.push(self.core.note_reached(&self.starts[part].id, &self.starts[part].state)?);
        self.core.store().write(self.write_of(steps)?).await.map(|_| ()).map_err(failed)
    }

    /// Tells all that is wrong with a record.
    fn tell_record(
        &mut self,
        part: usize,
        notes: &[&Note<'_>],
        wrong: Vec<FieldError>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Error> {
        let Some(first) = notes.first() else { return Ok(()) };
        let problems = self.problems(part, first.line, first.at, wrong);
        let key = first.key().map(str::to_owned);
        if self.bad.is_some() {
            if self.put_aside(part, &problems, (first.at, key), &shown(notes))? {
                self.starts[part].state.subtract(first.sum);
            }
            for note in notes {
                steps.push(self.core.note_settled(note.number)?);
            }
        } else {
            self.count_wrong(part, first.at, key.is_some());
            notes.iter().for_each(|note| self.hold(part, note));
            self.starts[part].state.tell_wrong(first.at, first.sum);
            self.report.problems(problems);
        }
        Ok(())
    }

    /// What becomes of something that waited; `None`: it must wait on.
    fn now(
        &mut self,
        part: usize,
        (note, row): (&Note<'_>, Understood<'_>),
        there: &There,
    ) -> Result<Option<Becomes>, Vec<FieldError>> {
        match &note.what {
            What::Record { .. } => match self.prepare(part, vec![row], there, &mut Here::default()).pop() {
                Some(Ready::Bad(wrong)) => Err(wrong),
                Some(Ready::Waits(_)) if self.is_last_round => {
                    Err(vec![plain_error("", "it still waits, and nothing comes any more".to_owned(), None)])
                }
                Some(Ready::Waits(_)) | None => Ok(None),
                Some(ready) => Ok(Some(Becomes::Record(ready))),
            },
            What::Links { key, link } => {
                let lead_nowhere = |name: &&Name<'_>| self.end_now(link.target, name) == End::Missing;
                let missing = link.names.iter().filter(lead_nowhere).count();
                if missing > 0 && !self.is_last_round {
                    return Ok(None);
                }
                Ok(Some(Becomes::Links(self.link_steps(part, key, link)?, missing as u64)))
            }
            What::Gone { field, .. } => Err(vec![self.gone(part, field)]),
        }
    }

    fn gone(&self, part: usize, field: &str) -> FieldError {
        let of = &self.core.schema().collection(self.parts[part].collection).name;
        let message =
            format!("the links of \"{field}\" wait for their records, and \"{of}\" has no such link any more");
        let hint = format!("--map {field}=FIELD says what it is called now");
        plain_error(&format!("/{field}"), message, Some(hint))
    }

    fn end_now(&self, target: CollectionId, name: &Name<'_>) -> End<'_> {
        match self.known.get(target, name) {
            Some(Some(key)) => End::Key(Cow::Borrowed(key)),
            _ => End::Missing,
        }
    }

    /// A link as changes of its record; a long list as several.
    fn link_steps(&self, part: usize, key: &str, link: &Link<'_>) -> Result<Vec<Step>, Vec<FieldError>> {
        let of = self.core.schema().collection(self.parts[part].collection);
        let (mut found, mut wrong) = (Vec::with_capacity(link.names.len()), Vec::new());
        for (at, name) in link.names.iter().enumerate() {
            match self.end_now(link.target, name) {
                End::Key(key) => found.push(Json::Text(Cow::Owned(key.into_owned()))),
                _ if self.options.missing_links == MissingLinks::Null => {}
                _ => wrong.push(self.missing(of, link, at, name)),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let name = &of.field(link.field).name;
        let step = |value: Json<'static>| {
            let update = Update {
                collection: of.id,
                target: Target::Key(key.to_owned()),
                version: None,
                patch: Json::Object(vec![(Cow::Owned(name.clone()), value)]),
                answered: self.key_only.clone(),
            };
            self.core.step_of(self.request, &update, Sender::File).map_err(|error| match error.fields.is_empty() {
                true => vec![plain_error("", error.message, error.hint)],
                false => error.fields,
            })
        };
        if !link.many {
            return found.pop().map(step).into_iter().collect();
        }
        let chunks = found.chunks(self.core.limits().links_max.max(1));
        chunks.map(|keys| step(Json::Object(vec![(Cow::Borrowed("add"), Json::Array(keys.to_vec()))]))).collect()
    }

    /// Notes that everything is done; where nothing can go on, nothing is kept.
    pub(super) async fn note_end(&mut self) -> Result<(), Error> {
        let mut steps = Vec::new();
        for start in &mut self.starts {
            start.state.done = self.report.errors.is_empty();
            if !start.state.digest.is_empty() {
                steps.push(self.core.note_reached(&start.id, &start.state)?);
            } else {
                steps.push(self.core.note_forgotten(&start.id)?);
            }
        }
        self.core.store().write(self.write_of(steps)?).await.map(|_| ()).map_err(failed)
    }
}

/// What is wrong with each record: of one that is written each link has its note.
fn of_records<'n, 'r>(wrong: Vec<(&'n Note<'r>, Vec<FieldError>)>) -> Vec<(Vec<&'n Note<'r>>, Vec<FieldError>)> {
    let mut records: Vec<(Vec<&Note<'_>>, Vec<FieldError>)> = Vec::with_capacity(wrong.len());
    let mut places: HashMap<u64, usize> = HashMap::with_capacity(wrong.len());
    for (note, errors) in wrong {
        let place = *places.entry(note.at).or_insert(records.len());
        match records.get_mut(place) {
            Some((notes, more)) => {
                notes.push(note);
                more.extend(errors);
            }
            None => records.push((vec![note], errors)),
        }
    }
    records
}

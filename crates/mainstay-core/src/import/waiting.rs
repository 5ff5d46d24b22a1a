//! What waited for records that came later: tried again once everything is read, some at a time, until nothing more can be settled.
pub(super) mod note;

use std::{borrow::Cow, collections::HashSet};

use mainstay_schema::{CollectionId, Json};
use mainstay_store::{Step, StepError};

use note::{Note, What};

use super::{
    MissingLinks,
    first_look::Names,
    links::{End, Link, Name, as_name, name_fields, take_links},
    load::Loading,
    lookup::spelled,
    prepare::{Here, Origin, Ready, There, Understood},
    write::{Gained, failed},
};
use crate::{Error, FieldError, Target, Update, record::field::Sender};

/// Something that waits no more, once these steps are done.
struct Settled<'n, 'r> {
    note: &'n Note<'r>,
    steps: Vec<Step>,
    gained: Gained,
}

/// What became of a round.
#[derive(Default)]
struct Round {
    settled: u64,
    left: u64,
}

/// What becomes of links to records that are not there.
#[derive(Clone, Copy)]
enum Missing<'n> {
    /// Who has one waits on.
    Wait,
    /// Who has one to these waits on.
    WaitFor(&'n Names),
    /// They are told, or left out.
    Told,
}

impl Loading<'_> {
    /// Settles what waits of all parts.
    pub(super) async fn settle_waiting(&mut self) -> Result<(), Error> {
        // What was not there while parts were read may be there by now.
        self.known = super::lookup::Known::default();
        let mut left = self.rounds().await?;
        if left > 0 && self.options.missing_links == MissingLinks::Null && self.report.errors.is_empty() {
            // A record whose link is left out may be the one that others wait for.
            let names = self.names_that_wait()?;
            for part in 0..self.parts.len() {
                self.round(part, false, Missing::WaitFor(&names)).await?;
            }
            left = self.rounds().await?;
        }
        if left > 0 && self.report.errors.is_empty() {
            for part in 0..self.parts.len() {
                self.round(part, false, Missing::Told).await?;
            }
        }
        Ok(())
    }

    /// Goes over what waits of all parts as long as something is settled. Gives how much is left.
    async fn rounds(&mut self) -> Result<u64, Error> {
        let mut backward = true;
        loop {
            let mut all = Round::default();
            for part in 0..self.parts.len() {
                let round = self.round(part, backward, Missing::Wait).await?;
                (all.settled, all.left) = (all.settled + round.settled, all.left + round.left);
            }
            if all.left == 0 || all.settled == 0 || !self.report.errors.is_empty() {
                return Ok(all.left);
            }
            // Each record may need the one before it, or the one behind it: so every other round goes the other way.
            backward = !backward;
        }
    }

    /// Goes over what waits of a part. Where missing links are told, something is said of all that is left.
    async fn round(&mut self, part: usize, backward: bool, missing: Missing<'_>) -> Result<Round, Error> {
        self.upsert = self.upsert_field(part)?;
        let id = self.starts[part].id.clone();
        let mut from = None;
        let mut round = Round::default();
        while let Some(noted) = self.noted_from(&id, &mut from, backward)? {
            let notes = noted.iter().map(|(number, text)| self.parse(part, *number, text));
            self.all_of(part, notes.collect::<Result<_, _>>()?, missing, &mut round).await?;
            if !self.report.errors.is_empty() && !matches!(missing, Missing::Told) {
                break;
            }
        }
        Ok(round)
    }

    /// The names of records that wait, as far as there is room.
    fn names_that_wait(&self) -> Result<Names, Error> {
        let mut names = Names::default();
        for part in 0..self.parts.len() {
            let of = self.parts[part].collection;
            let collection = self.core.schema().collection(of);
            let mut from = None;
            while let Some(noted) = self
                .noted_from(&self.starts[part].id, &mut from, false)?
                .filter(|_| names.len() < self.options.names_max)
            {
                for (number, text) in &noted {
                    let What::Record(fields) = self.parse(part, *number, text)?.what else { continue };
                    for id in name_fields(collection) {
                        let value = fields.iter().find(|(name, _)| **name == *collection.field(id).name);
                        let name = value.and_then(|(_, value)| as_name(value));
                        names
                            .extend(name.and_then(|name| spelled(self.core, of, id, &name)).map(|name| (of, id, name)));
                    }
                }
            }
        }
        Ok(names)
    }

    /// Goes over some notes as long as one of them is settled: others may wait for it.
    async fn all_of(
        &mut self,
        part: usize,
        mut notes: Vec<Note<'_>>,
        missing: Missing<'_>,
        round: &mut Round,
    ) -> Result<(), Error> {
        if self.upsert.is_some() {
            // The last of one name holds.
            notes.sort_by_key(|note| note.number);
        }
        let mut before = usize::MAX;
        let goes_on = |this: &Self| matches!(missing, Missing::Told) || this.report.errors.is_empty();
        while notes.len() < before && !notes.is_empty() && goes_on(self) {
            before = notes.len();
            let stays = self.some(part, &notes, missing, round).await?;
            let mut stays = stays.into_iter();
            notes.retain(|_| stays.next().unwrap_or(true));
        }
        round.left += notes.len() as u64;
        Ok(())
    }

    /// Settles what can be settled; whether each of the notes waits on.
    async fn some(
        &mut self,
        part: usize,
        notes: &[Note<'_>],
        missing: Missing<'_>,
        round: &mut Round,
    ) -> Result<Vec<bool>, Error> {
        let rows: Vec<Understood<'_>> = notes.iter().map(|note| self.understood(part, note)).collect();
        let until = self.twice(part, &rows, &mut HashSet::new()).unwrap_or(rows.len());
        self.look_up_links(part, &rows).await?;
        let there = self.look_up_there(part, &rows).await?;
        let (mut ready, mut wrong, mut stays) = (Vec::new(), Vec::new(), vec![true; notes.len()]);
        for (at, (note, row)) in notes.iter().zip(rows).take(until).enumerate() {
            let outcome = self.now(part, (note, row), &there, missing);
            stays[at] = matches!(outcome, Ok(None));
            match outcome {
                Ok(Some((mut steps, gained))) => {
                    steps.push(self.core.note_settled(note.number)?);
                    ready.push(Settled { note, steps, gained });
                }
                Ok(None) => {}
                Err(errors) => wrong.push((note, errors)),
            }
        }
        round.settled += self.write_settled(part, ready, &mut wrong).await?;
        self.tell_wrong(part, wrong).await?;
        Ok(stays)
    }

    fn understood<'r>(&self, part: usize, note: &Note<'r>) -> Understood<'r> {
        let read = match &note.what {
            What::Record(fields) => {
                let mut fields = fields.clone();
                let links = take_links(self.core.schema(), self.parts[part].collection, &mut fields);
                (fields, links)
            }
            What::Links { link, .. } => (Vec::new(), vec![link.clone()]),
            What::Gone(_) => (Vec::new(), Vec::new()),
        };
        Understood { line: note.line, at: note.at, origin: Origin::Note(note.sum), read: Ok(read) }
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
        self.known.forget_missing();
        Ok(written)
    }

    /// Writes all of it, or nothing, and then gives what is wrong.
    async fn write_together(&mut self, part: usize, ready: &[Settled<'_, '_>]) -> Result<Option<StepError>, Error> {
        let mut state = self.starts[part].state.clone();
        ready.iter().for_each(|one| one.gained.count(&mut state));
        let steps = ready.iter().flat_map(|one| one.steps.iter().cloned()).collect();
        Ok(self.write_noted(part, steps, state).await?.map(|error| error.error))
    }

    /// Tells what is wrong; with a file for bad records it waits no more.
    async fn tell_wrong(&mut self, part: usize, wrong: Vec<(&Note<'_>, Vec<FieldError>)>) -> Result<(), Error> {
        let mut steps = Vec::new();
        for (note, wrong) in wrong {
            if matches!(note.what, What::Record(_)) {
                self.skipped[part] += u64::from(self.bad.is_none());
            }
            let problems = self.problems(part, note.line, note.at, wrong);
            match &self.bad {
                Some(_) => {
                    let key = if let What::Links { key, .. } = &note.what { Some(key.clone()) } else { None };
                    if self.put_aside(part, &problems, (note.at, key), &note.shown())? {
                        self.starts[part].state.subtract(note.sum);
                    }
                    steps.push(self.core.note_settled(note.number)?);
                }
                None => {
                    self.starts[part].state.tell_wrong(note.at, note.sum);
                    self.report.problems(problems);
                }
            }
        }
        let Some(bad) = self.bad.as_ref().filter(|_| !steps.is_empty()) else { return Ok(()) };
        self.starts[part].state.bad_bytes = bad.bytes();
        steps.push(self.core.note_reached(&self.starts[part].id, &self.starts[part].state)?);
        self.core.store().write(self.write_of(steps)).await.map(|_| ()).map_err(failed)
    }

    /// How many names of a link lead to none.
    fn leads_nowhere(&self, link: &Link<'_>) -> u64 {
        link.names.iter().filter(|name| self.end_now(link.target, name) == End::Missing).count() as u64
    }

    /// The steps of something that waited; `None`: it must wait on.
    fn now(
        &mut self,
        part: usize,
        (note, row): (&Note<'_>, Understood<'_>),
        there: &There,
        missing: Missing<'_>,
    ) -> Result<Option<(Vec<Step>, Gained)>, Vec<FieldError>> {
        let links = row.read.as_ref().map(|(_, links)| links.as_slice()).unwrap_or_default();
        let awaited = |link: &Link<'_>, name: &Name<'_>| match missing {
            Missing::Wait => true,
            Missing::WaitFor(names) => link.required || self.is_among(names, link.target, name),
            Missing::Told => false,
        };
        let waits =
            |link: &Link<'_>, name: &Name<'_>| self.end_now(link.target, name) == End::Missing && awaited(link, name);
        if links.iter().any(|link| link.names.iter().any(|name| waits(link, name))) {
            return Ok(None);
        }
        match &note.what {
            What::Record(_) => {
                let mut here = Here::default();
                let readies = self.prepare(part, vec![row], there, &mut here);
                let (mut steps, mut gained) = (Vec::new(), Gained::default());
                for ready in readies {
                    match ready {
                        Ready::Bad(problems) => {
                            let error = |problem: super::Problem| {
                                super::prepare::plain_error(&problem.pointer, problem.message, problem.hint)
                            };
                            return Err(problems.into_iter().map(error).collect());
                        }
                        // Everything is read: a record that waits on now would be lost.
                        Ready::Waits(_) => {
                            let message = "it still waits, and nothing comes any more".to_owned();
                            return Err(vec![super::prepare::plain_error("", message, None)]);
                        }
                        ready => {
                            let id = &self.starts[part].id;
                            let alone = self.alone(part, id, ready, &mut steps, &mut gained);
                            alone.map_err(|error| vec![super::prepare::plain_error("", error.message, error.hint)])?;
                        }
                    }
                }
                Ok(Some((steps, gained)))
            }
            What::Links { key, link } => {
                let steps = self.link_steps(part, key, link)?;
                Ok(Some((steps, Gained { left_out: self.leads_nowhere(link), ..Gained::default() })))
            }
            What::Gone(field) => Err(vec![self.gone(part, field)]),
        }
    }

    fn gone(&self, part: usize, field: &str) -> FieldError {
        let of = &self.core.schema().collection(self.parts[part].collection).name;
        let message =
            format!("the links of \"{field}\" wait for their records, and \"{of}\" has no such link any more");
        let hint = format!("--map {field}=FIELD says what it is called now");
        super::prepare::plain_error(&format!("/{field}"), message, Some(hint))
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
                true => vec![super::prepare::plain_error("", error.message, error.hint)],
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
        self.core.store().write(self.write_of(steps)).await.map(|_| ()).map_err(failed)
    }
}

//! What waited for records that came later: tried again once everything is read, some at a time, until nothing more can be settled.
use std::{borrow::Cow, collections::HashSet};

use mainstay_schema::{FieldKind, Json, JsonLimits};
use mainstay_store::{Step, StepError};

use super::{
    invalid,
    links::{End, Link, take_links},
    load::Loading,
    notes::State,
    prepare::{Origin, Ready, There, Understood},
    read::Fields,
    sum::Sum,
    write::{Gained, failed},
};
use crate::{Error, FieldError, Target, Update, errors::from_store, record::field::Sender};

/// Notes that are taken at once.
pub(super) const NOTES_MAX: usize = 500;

/// Something that waits.
struct Note<'r> {
    number: i64,
    line: u64,
    at: u64,
    sum: Sum,
    what: What<'r>,
    text: &'r str,
}

enum What<'r> {
    Record(Fields<'r>),
    Links {
        key: String,
        link: Link<'r>,
    },
    /// Links of a field that is none any more.
    Gone(Cow<'r, str>),
}

impl Note<'_> {
    /// What waits, as far as it can be shown.
    fn shown(&self) -> String {
        match &self.what {
            What::Record(fields) => Json::Object(fields.clone()).to_canonical(),
            What::Links { .. } | What::Gone(_) => self.text.to_owned(),
        }
    }
}

/// Something that waits no more, once these steps are done.
struct Settled<'n, 'r> {
    note: &'n Note<'r>,
    steps: Vec<Step>,
    gained: Gained,
    left_out: u64,
}

impl Settled<'_, '_> {
    /// Counts it as done.
    fn count(&self, state: &mut State) {
        state.created += self.gained.created;
        state.updated += self.gained.updated;
        state.links_left_out += self.left_out;
    }
}

/// What became of a round.
#[derive(Default)]
struct Round {
    settled: u64,
    left: u64,
}

impl Loading<'_> {
    /// Settles what waits of all parts.
    pub(super) async fn settle_waiting(&mut self) -> Result<(), Error> {
        // What was not there while parts were read may be there by now.
        self.known = super::lookup::Known::default();
        let mut backward = true;
        loop {
            let mut all = Round::default();
            for part in 0..self.parts.len() {
                let round = self.round(part, backward, false).await?;
                (all.settled, all.left) = (all.settled + round.settled, all.left + round.left);
            }
            if all.left == 0 || !self.report.errors.is_empty() {
                return Ok(());
            }
            if all.settled == 0 {
                break;
            }
            // Each record may need the one before it, or the one behind it: so every other round goes the other way.
            backward = !backward;
        }
        for part in 0..self.parts.len() {
            self.round(part, false, true).await?;
        }
        Ok(())
    }

    /// Goes over what waits of a part. The last round says of all that is left what is wrong with it.
    async fn round(&mut self, part: usize, backward: bool, last: bool) -> Result<Round, Error> {
        let id = self.starts[part].id.clone();
        self.upsert = self.upsert_field(part)?;
        let mut from = if backward { i64::MAX } else { 0 };
        let mut round = Round::default();
        loop {
            let noted = self.core.store().noted_waiting(&id, from, backward, NOTES_MAX).map_err(from_store)?;
            let Some((number, _)) = noted.last() else { return Ok(round) };
            from = *number;
            let notes = noted.iter().map(|(number, text)| self.parse(part, *number, text));
            self.all_of(part, notes.collect::<Result<_, _>>()?, last, &mut round).await?;
            if !self.report.errors.is_empty() && !last {
                return Ok(round);
            }
        }
    }

    /// Reads a note. The schema may have changed since it was written.
    fn parse<'r>(&self, part: usize, number: i64, text: &'r str) -> Result<Note<'r>, Error> {
        let unreadable = || {
            let source = &self.sources[self.parts[part].source].name;
            invalid(format!("what waits of {source} cannot be read: note {number} in the database is no such note"))
        };
        // The note stands around the record.
        let limits = JsonLimits { depth_max: JsonLimits::default().depth_max + 1 };
        let Ok(Json::Object(members)) = Json::parse(text.as_bytes(), limits) else { return Err(unreadable()) };
        let (mut line, mut at, mut sum, mut record, mut key) = (0, 0, Sum::default(), None, None);
        let (mut field, mut names) = (None, None);
        for (name, value) in members {
            match (&*name, value) {
                ("line", Json::Int(value)) => line = u64::try_from(value).unwrap_or(0),
                ("at", Json::Int(value)) => at = u64::try_from(value).unwrap_or(0),
                ("sum", Json::Text(value)) => sum = Sum::from(value.into_owned()),
                ("record", Json::Object(fields)) => record = Some(fields),
                ("key", Json::Text(value)) => key = Some(value.into_owned()),
                ("field", Json::Text(value)) => field = Some(value),
                ("names", Json::Array(value)) => names = Some(value),
                _ => {}
            }
        }
        let what = match (record, key, field, names) {
            (Some(fields), ..) => What::Record(self.with_names_of_today(part, fields)),
            (None, Some(key), Some(field), Some(names)) => self.waiting_link(part, key, field, names),
            _ => return Err(unreadable()),
        };
        Ok(Note { number, line, at, sum, what, text })
    }

    fn waiting_link<'r>(&self, part: usize, key: String, field: Cow<'r, str>, names: Vec<Json<'r>>) -> What<'r> {
        let field = self.name_of_today(part, field);
        let of = self.core.schema().collection(self.parts[part].collection);
        let Some((known, target)) = of.field_named(&field).and_then(|known| Some((known, known.target()?))) else {
            return What::Gone(field);
        };
        let many = matches!(known.kind, FieldKind::Many { .. });
        let text = |name: Json<'r>| if let Json::Text(name) = name { Some(name) } else { None };
        let names = names.into_iter().filter_map(text).collect();
        What::Links { key, link: Link { field: known.id, target, required: false, many, names } }
    }

    fn with_names_of_today<'r>(&self, part: usize, fields: Fields<'r>) -> Fields<'r> {
        fields.into_iter().map(|(name, value)| (self.name_of_today(part, name), value)).collect()
    }

    /// What a field is called that was called so when its note was written: where there is none, as the file's names say.
    fn name_of_today<'r>(&self, part: usize, name: Cow<'r, str>) -> Cow<'r, str> {
        let of = self.core.schema().collection(self.parts[part].collection);
        let renamed = || self.options.names.iter().find(|(from, _)| *from == name).and_then(|(_, to)| to.clone());
        match of.field_named(&name) {
            Some(_) => name,
            None => renamed().map_or(name, Cow::Owned),
        }
    }

    /// Goes over some notes as long as one of them is settled: others may wait for it.
    async fn all_of(
        &mut self,
        part: usize,
        mut notes: Vec<Note<'_>>,
        last: bool,
        round: &mut Round,
    ) -> Result<(), Error> {
        if self.upsert.is_some() {
            // The last of one name holds.
            notes.sort_by_key(|note| note.number);
        }
        let mut before = usize::MAX;
        while notes.len() < before && !notes.is_empty() && (last || self.report.errors.is_empty()) {
            before = notes.len();
            let stays = self.some(part, &notes, last, round).await?;
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
        last: bool,
        round: &mut Round,
    ) -> Result<Vec<bool>, Error> {
        let rows: Vec<Understood<'_>> = notes.iter().map(|note| self.understood(part, note)).collect();
        let until = self.twice(part, &rows, &mut HashSet::new()).unwrap_or(rows.len());
        self.look_up_links(part, &rows).await?;
        let there = self.look_up_there(part, &rows).await?;
        let (mut ready, mut wrong, mut stays) = (Vec::new(), Vec::new(), vec![true; notes.len()]);
        for (at, (note, row)) in notes.iter().zip(rows).take(until).enumerate() {
            let left_out = if last { self.leads_nowhere(&row) } else { 0 };
            let outcome = self.now(part, (note, row), &there, last);
            stays[at] = matches!(outcome, Ok(None));
            match outcome {
                Ok(Some((mut steps, gained))) => {
                    steps.push(self.core.note_settled(note.number)?);
                    ready.push(Settled { note, steps, gained, left_out });
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
                let links = take_links(self.core.schema().collection(self.parts[part].collection), &mut fields);
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
        ready.iter().for_each(|one| one.count(&mut state));
        let mut steps: Vec<Step> = ready.iter().flat_map(|one| one.steps.iter().cloned()).collect();
        steps.push(self.core.note_reached(&self.starts[part].id, &state)?);
        match self.core.store().write(self.write_of(steps)).await {
            Ok(_) => {
                self.starts[part].state = state;
                Ok(None)
            }
            Err(error) if matches!(error.error, StepError::Store(_)) => Err(failed(error)),
            Err(error) => Ok(Some(error.error)),
        }
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

    /// How many links of a record lead to none.
    fn leads_nowhere(&self, row: &Understood<'_>) -> u64 {
        let links = row.read.as_ref().map(|(_, links)| links.as_slice()).unwrap_or_default();
        let missing = |link: &Link<'_>| {
            link.names.iter().filter(|name| self.end_now(link.target, name) == End::Missing).count() as u64
        };
        links.iter().map(missing).sum()
    }

    /// The steps of something that waited; `None`: it must wait on.
    fn now(
        &mut self,
        part: usize,
        (note, row): (&Note<'_>, Understood<'_>),
        there: &There,
        last: bool,
    ) -> Result<Option<(Vec<Step>, Gained)>, Vec<FieldError>> {
        let links = row.read.as_ref().map(|(_, links)| links.as_slice()).unwrap_or_default();
        let missing = |link: &Link<'_>| link.names.iter().any(|name| self.end_now(link.target, name) == End::Missing);
        if !last && links.iter().any(missing) {
            return Ok(None);
        }
        match &note.what {
            What::Record(_) => {
                let mut here = There::default();
                let readies = self.prepare(part, vec![row], there, &mut here, &mut 0);
                let (mut steps, mut gained) = (Vec::new(), Gained::default());
                for ready in readies {
                    match ready {
                        Ready::Bad(problems) => {
                            let error = |problem: super::Problem| {
                                super::prepare::plain_error(&problem.pointer, problem.message, problem.hint)
                            };
                            return Err(problems.into_iter().map(error).collect());
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
            What::Links { key, link } => Ok(Some((self.link_steps(part, key, link)?, Gained::default()))),
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

    fn end_now(&self, target: mainstay_schema::CollectionId, name: &str) -> End<'_> {
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
                _ if self.options.missing_links == super::MissingLinks::Null => {}
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

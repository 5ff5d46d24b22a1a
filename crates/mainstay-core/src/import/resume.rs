//! Where a run that was killed goes on: a source is known by the bytes that were done, so one that was repaired or has grown behind
//! them goes on too.
use std::io::Read;

use aws_lc_rs::digest::{Context, SHA256};

use mainstay_store::Step;

use super::{
    Source,
    behind::Behind,
    load::{Loading, Start},
    notes::{SOURCES_MAX, State},
    parts::{Part, open},
    read,
    remembered::{Noted, Place, Remembered, Whose, file_of},
    repair::Repaired,
    sum::Sum,
    unreadable,
};
use crate::{Error, errors::from_store};

/// The SHA-256 of the beginning of a source.
pub(super) struct Digest<'a> {
    context: Context,
    /// `None`: nobody asks for it.
    input: Option<Box<dyn Read + Send + 'a>>,
    source: &'a Source,
    at: u64,
}

impl<'a> Digest<'a> {
    pub(super) fn of(source: &'a Source, wanted: bool) -> Result<Digest<'a>, Error> {
        let input = if wanted { open(source, 0)? } else { None };
        Ok(Digest { context: Context::new(&SHA256), input, source, at: 0 })
    }

    /// Of the bytes before a position; empty where nobody asks.
    pub(super) fn up_to(&mut self, position: u64) -> Result<String, Error> {
        if position < self.at {
            *self = Digest::of(self.source, self.input.is_some())?;
        }
        let Some(input) = &mut self.input else { return Ok(String::new()) };
        let mut buffer = vec![0; 64 * 1024];
        while self.at < position {
            let wanted = usize::try_from(position - self.at).unwrap_or(usize::MAX).min(buffer.len());
            let count = input.read(&mut buffer[..wanted]).map_err(|error| unreadable(&self.source.name, &error))?;
            if count == 0 {
                break;
            }
            self.context.update(&buffer[..count]);
            self.at += count as u64;
        }
        let digest = self.context.clone().finish();
        Ok(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl<'a> Loading<'a> {
    /// Finds where each part goes on. Nothing is written yet: the import may still be refused.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        let noted = if self.options.resumable { self.core.noted()? } else { Vec::new() };
        let places: Vec<Place> = self.parts.iter().map(|part| Place::of(&self.sources[part.source], part)).collect();
        let mut remembered = Remembered::new(&noted, &places);
        for (part, place) in self.parts.clone().iter().zip(&places) {
            let start = self.start_of(part, place, &remembered)?;
            remembered.take(&start.id);
            self.starts.push(start);
        }
        let surplus = remembered.left().count().saturating_sub(SOURCES_MAX);
        for id in remembered.left().take(surplus) {
            self.first.push(self.core.note_forgotten(id)?);
        }
        Ok(())
    }

    /// Where a part goes on: behind what is done of the same bytes; or of the same records, where those that were wrong were repaired
    /// since. Where others changed too, nobody knows which of them are new.
    fn start_of(&mut self, part: &Part, place: &Place, remembered: &Remembered<'_>) -> Result<Start<'a>, Error> {
        let source = &self.sources[part.source];
        let (notes, tried) = self.of_part(part, place, remembered)?;
        let alike = alike(source, part, &notes)?;
        let known = self.known(part, place, &alike, &notes, remembered)?;
        let mut found =
            known.map(|(id, state)| Repaired { id: id.clone(), state: state.clone(), ..Repaired::default() });
        // What was put aside is tried once more: what it links to may have been repaired.
        let is_open = found.as_ref().is_none_or(|found| !found.state.aside.is_empty());
        let repaired = if is_open && !place.is_none() { self.repaired(part, place, &notes, remembered)? } else { None };
        let was_repaired = repaired.is_some();
        found = repaired.or(found);
        let replaces = match &found {
            Some(found) => self.moved(found, place, &notes, remembered, was_repaired).map(|()| Vec::new())?,
            None => self.replaced(part, place, &notes, &alike, remembered)?,
        };
        let waits = found.as_ref().map_or(Ok(false), |found| self.has_waiting(&found.id))?;
        let new = || Repaired { id: uuid::Uuid::now_v7().to_string(), ..Repaired::default() };
        let Repaired { id, state, repairs, steps } = found.unwrap_or_else(new);
        self.first.extend(steps);
        Ok(Start {
            id,
            before: state.clone(),
            state: State { place: place.whole.clone(), again: self.options.again, ..state },
            digest: Digest::of(source, self.options.resumable)?,
            replaces,
            names: Sum::default(),
            waits,
            was_repaired: was_repaired || tried,
            repairs,
            behind: Behind::default(),
        })
    }

    /// What is remembered that may be of a part; and whether it was tried, and nothing of it came in: then it is tried again as a new one.
    fn of_part<'n>(
        &mut self,
        part: &Part,
        place: &Place,
        remembered: &Remembered<'n>,
    ) -> Result<(Vec<&'n Noted>, bool), Error> {
        let mut notes = Vec::new();
        let all = remembered.of(self.core.schema(), part.collection);
        let count = all.len();
        for noted in all {
            let (id, state) = noted;
            if remembered.is_own(state, place) && state.has_nothing() && !self.has_waiting(id)? {
                self.first.push(self.core.note_forgotten(id)?);
            } else {
                notes.push(noted);
            }
        }
        let tried = notes.len() < count;
        Ok((notes, tried))
    }

    fn has_waiting(&self, id: &str) -> Result<bool, Error> {
        Ok(!self.core.store().noted_waiting(id, 0, false, 1).map_err(from_store)?.is_empty())
    }

    /// The note of a part whose bytes it begins with: its own, if there is one, since several files may begin alike. Another file's, only
    /// where it is a copy of that.
    fn known<'n>(
        &self,
        part: &Part,
        place: &Place,
        alike: &[&'n Noted],
        notes: &[&Noted],
        remembered: &Remembered<'_>,
    ) -> Result<Option<&'n Noted>, Error> {
        let mut may: Vec<&Noted> =
            alike.iter().copied().filter(|noted| !noted.1.repairing && self.goes_on(noted, notes)).collect();
        if may.iter().any(|(_, state)| remembered.is_own(state, place)) {
            may.retain(|(_, state)| remembered.is_own(state, place));
        }
        let mut known: Option<(Whose, &Noted)> = None;
        for noted in may {
            let whose = remembered.whose(&noted.1, place);
            let counts = known.is_none_or(|(than, _)| whose >= than);
            // What a copy changes may have been changed since by the file itself.
            let may_go_on = whose != Whose::Another || self.options.upsert.is_empty() && self.is_all(part, &noted.1)?;
            if counts && may_go_on {
                known = Some((whose, noted));
            }
        }
        Ok(known.map(|(_, noted)| noted))
    }

    /// Whether a run may go on with a note. One that loads all of it again: only with what such a run has left unfinished. One that
    /// changes what is there: not where another form of the file has changed it since.
    pub(super) fn goes_on(&self, (id, state): &Noted, notes: &[&Noted]) -> bool {
        let since = |(later, other): &&Noted| other.place == state.place && later > id;
        let is_last = self.options.upsert.is_empty() || state.place.is_empty() || !notes.iter().any(since);
        is_last && (!self.options.again || state.again && !state.done)
    }

    /// Whether a part holds nothing else than what a note says is done.
    fn is_all(&self, part: &Part, state: &State) -> Result<bool, Error> {
        let behind = read::Place { position: state.position, line: state.line, count: state.count };
        Ok(state.done && self.open_from(part, Some(behind), None)?.next()?.is_none())
    }

    /// A part takes a note along to its place. What is known of the other file stays known, where that is still there; one that others
    /// came in from than it holds now, too.
    fn moved(
        &mut self,
        found: &Repaired,
        place: &Place,
        notes: &[&Noted],
        remembered: &Remembered<'_>,
        was_repaired: bool,
    ) -> Result<(), Error> {
        let is_there = |state: &State| match was_repaired {
            true => !remembered.is_own(state, place) && file_of(state).is_some(),
            false => remembered.whose(state, place) == Whose::Another,
        };
        let was = notes.iter().find(|(id, state)| *id == found.id && is_there(state));
        let Some((_, was)) = was else { return Ok(()) };
        let (aside, wrong) = Default::default();
        let stays = State { done: true, repairing: false, aside, wrong, ..was.clone() };
        self.first.push(self.core.note_reached(&uuid::Uuid::now_v7().to_string(), &stays)?);
        let here = State { place: place.whole.clone(), ..found.state.clone() };
        self.first.push(self.core.note_reached(&found.id, &here)?);
        Ok(())
    }

    /// Notes how far a part is; with the first of it that is in, what it replaces is forgotten.
    pub(super) fn reached(&self, part: usize, state: &State) -> Result<Vec<Step>, Error> {
        let start = &self.starts[part];
        let replaces = start.replaces.iter().filter(|_| start.state.digest.is_empty());
        let mut steps = replaces.map(|id| self.core.note_forgotten(id)).collect::<Result<Vec<_>, _>>()?;
        steps.push(self.core.note_reached(&start.id, state)?);
        Ok(steps)
    }
}

/// The notes whose bytes a source begins with, the one that goes farthest last.
fn alike<'n>(source: &Source, part: &Part, notes: &[&'n Noted]) -> Result<Vec<&'n Noted>, Error> {
    let mut notes = notes.to_vec();
    notes.retain(|(_, state)| state.position > part.start && state.position <= part.start + part.bytes);
    notes.sort_by_key(|(_, state)| state.position);
    let mut digest = Digest::of(source, !notes.is_empty())?;
    let mut alike = Vec::new();
    for noted in notes {
        if digest.up_to(noted.1.position)? == noted.1.digest && !noted.1.digest.is_empty() {
            alike.push(noted);
        }
    }
    Ok(alike)
}

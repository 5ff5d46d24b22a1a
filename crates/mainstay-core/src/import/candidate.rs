//! The notes that a file may be the repaired form of, and what they are known by: the records that were right; or where none was, what
//! is in of those that were wrong.
use std::collections::BTreeMap;

use mainstay_schema::Json;

use super::{
    Input,
    links::name_fields,
    load::Loading,
    notes::{SOME_MAX, State},
    parts::Part,
    read::{Fields, Raw, fields},
    remembered::{Noted, Place, Remembered},
    repair::Repair,
    sum::Sum,
    waiting::note,
};
use crate::Error;

/// Notes that a source is compared with: its own, then the newest of the others.
const CANDIDATES_MAX: usize = 16;

/// A note that a source may be the repaired form of.
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) state: State,
    pub(super) open: BTreeMap<u64, Repair>,
    /// What all the others come to.
    rest: Sum,
    /// What the records that were wrong are now.
    open_now: Sum,
    /// What those must still be known by, where there are no others.
    known_by: BTreeMap<u64, Sum>,
}

impl Loading<'_> {
    /// The notes that a part may be the repaired form of: its own, then others in which something was wrong, the newest first.
    pub(super) fn candidates(
        &self,
        place: &Place,
        notes: &[&Noted],
        remembered: &Remembered<'_>,
    ) -> Result<Vec<Candidate>, Error> {
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for noted in notes.iter().rev() {
            let state = &noted.1;
            let (is_own, is_wrong) =
                (remembered.is_own(state, place), !state.aside.is_empty() || !state.wrong.is_empty());
            if (is_own || is_wrong) && state.count > 0 && !state.more_wrong && self.goes_on(noted, notes) {
                if is_own { own.push(*noted) } else { others.push(*noted) }
            }
        }
        let all = own.into_iter().map(|noted| (noted, true)).chain(others.into_iter().map(|noted| (noted, false)));
        let mut candidates = Vec::new();
        for (noted, is_own) in all {
            if candidates.len() < CANDIDATES_MAX {
                candidates.extend(self.candidate(noted, is_own)?);
            }
        }
        Ok(candidates)
    }

    /// A note as a candidate, if anything of it is in.
    fn candidate(&self, (id, state): &Noted, is_own: bool) -> Result<Option<Candidate>, Error> {
        let mut open: BTreeMap<u64, Repair> = BTreeMap::new();
        for (at, key) in &state.aside {
            open.insert(*at, Repair { key: key.clone(), ..Repair::default() });
        }
        if !state.aside.is_empty() || !state.wrong.is_empty() {
            self.add_waiting(id, state, &mut open)?;
        }
        let mut rest = state.sum;
        open.values().filter_map(|repair| repair.counted).for_each(|counted| rest.subtract(counted));
        let all_were_wrong = state.count <= open.len() as u64;
        if all_were_wrong && (!is_own || state.known_by.is_empty()) {
            return Ok(None);
        }
        let known_by = if all_were_wrong { state.known_by.clone() } else { BTreeMap::new() };
        let (id, state, open_now) = (id.clone(), state.clone(), Sum::default());
        Ok(Some(Candidate { id, state, open, rest, open_now, known_by }))
    }

    /// Adds the notes by which records wait that were told to be wrong.
    fn add_waiting(&self, id: &str, state: &State, open: &mut BTreeMap<u64, Repair>) -> Result<(), Error> {
        let mut from = None;
        while let Some(noted) = self.noted_from(id, &mut from, false)? {
            for (number, text) in &noted {
                let Some(note) = note::json(text) else { continue };
                let Some(Json::Int(at)) = note.get("at") else { continue };
                let Ok(at) = u64::try_from(*at) else { continue };
                let counted = state.wrong.get(&at).filter(|_| !state.aside.contains_key(&at));
                if counted.is_none() && !open.contains_key(&at) {
                    continue;
                }
                let repair = open.entry(at).or_default();
                repair.notes.push(*number);
                repair.counted = counted.copied();
                if let Some(Json::Text(key)) = note.get("key") {
                    repair.key = Some(key.clone().into_owned());
                }
            }
        }
        Ok(())
    }

    /// Remembers of each part of which no record is right what those that are in are known by.
    pub(super) fn remember_wrong(&mut self) -> Result<(), Error> {
        for part in 0..self.parts.len() {
            let state = &self.starts[part].state;
            let all_wrong = state.count > 0 && state.count == (state.aside.len() + state.wrong.len()) as u64;
            let once = matches!(self.sources[self.parts[part].source].input, Input::Stream(_));
            let known_by =
                if all_wrong && !once && self.options.resumable { self.all_known_by(part)? } else { BTreeMap::new() };
            self.starts[part].state.known_by = known_by;
        }
        Ok(())
    }

    fn all_known_by(&self, part: usize) -> Result<BTreeMap<u64, Sum>, Error> {
        let (of, state) = (&self.parts[part], &self.starts[part].state);
        let is_in = |at: u64| state.wrong.contains_key(&at) || state.aside.get(&at).is_some_and(Option::is_some);
        let mut records = self.open_from(of, None, None)?;
        let columns = records.columns().to_vec();
        let mut known_by = BTreeMap::new();
        while known_by.len() < SOME_MAX
            && let Some(raw) = records.next()?.filter(|raw| raw.at < state.count)
        {
            let sum = if is_in(raw.at) { self.known_by(of, &columns, &raw) } else { None };
            known_by.extend(sum.map(|sum| (raw.at, sum)));
        }
        Ok(known_by)
    }

    /// What a record is known by, whatever it links to: its unique values, or all of them where it has none.
    pub(super) fn known_by(&self, part: &Part, columns: &[Option<String>], raw: &Raw) -> Option<Sum> {
        let of = self.core.schema().collection(part.collection);
        let mut values = fields(of, columns, self.options, raw).ok()?;
        values.retain(|(name, _)| of.field_named(name).is_some_and(|field| field.target().is_none()));
        let is_name = |name: &str| name_fields(of).into_iter().any(|id| of.field(id).name == name);
        let names: Fields<'_> = values.iter().filter(|(name, _)| is_name(name)).cloned().collect();
        let known_by = if names.is_empty() { values } else { names };
        (!known_by.is_empty()).then(|| Sum::of_parts([Json::Object(known_by).to_canonical().as_bytes()]))
    }
}

impl Candidate {
    /// Takes in a record of the source.
    pub(super) fn see(&mut self, at: u64, sum: Sum, known_by: impl Fn() -> Option<Sum>) {
        if self.open.contains_key(&at) {
            self.open_now.add(sum);
        }
        if self.known_by.get(&at).is_some_and(|before| known_by() == Some(*before)) {
            self.known_by.remove(&at);
        }
    }

    /// Whether the records up to there are those that are done: with the wrong ones as they are now (`false`), or without them (`true`).
    pub(super) fn fits(&self, now: Sum, count: u64) -> Option<bool> {
        let mut rest = now;
        rest.subtract(self.open_now);
        if count == self.state.count && rest == self.rest {
            return self.known_by.is_empty().then_some(false);
        }
        let without = !self.open.is_empty() && count + self.open.len() as u64 == self.state.count;
        (without && now == self.rest).then_some(true)
    }
}

//! A file that was repaired: the records of it that are in are known again, wherever those that were wrong have changed, and only
//! these are loaded. Where others have changed too, it is refused: nothing comes in twice unless that is asked for.
use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
};

use mainstay_store::Step;

use super::{
    Source,
    bad::BadFile,
    chunk::Chunk,
    invalid,
    load::{Loading, Start},
    notes::State,
    parts::Part,
    prepare::Here,
    read::{self, Raw},
    remembered::{Noted, Place, Remembered},
    resume::Digest,
    sum::Sum,
};
use crate::Error;

/// A record that was wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Repair {
    /// The notes by which it waits.
    pub(super) notes: Vec<i64>,
    /// Its key where it is written, and wrong only in its links.
    pub(super) key: Option<String>,
    /// What the sum of the done ones has of it.
    pub(super) counted: Option<Sum>,
    /// Whether it is wrong once more, and was put aside.
    pub(super) aside: bool,
    /// Whether something of it waits: that may still turn out to be wrong.
    pub(super) waits: bool,
}

/// A part that was repaired: its note, as the source is now.
#[derive(Default)]
pub(super) struct Repaired {
    pub(super) id: String,
    pub(super) state: State,
    /// The records that were wrong, as far as they are in the source still.
    pub(super) repairs: BTreeMap<u64, Repair>,
    /// What forgets those that are not.
    pub(super) steps: Vec<Step>,
}

impl Start<'_> {
    /// Adds records that are done to what is known of the source.
    pub(super) fn add_up(&self, state: &mut State, chunk: &Chunk, rows: Range<usize>) {
        if state.count == 0 && !chunk.repaired {
            state.sum.add(self.names);
        }
        for raw in &chunk.raws[rows] {
            match self.repairs.get(&raw.at).filter(|_| chunk.repaired) {
                Some(repair) if repair.aside => {}
                Some(repair) => {
                    state.wrong.remove(&raw.at);
                    state.aside.remove(&raw.at);
                    repair.counted.into_iter().for_each(|counted| state.subtract(counted));
                    state.add(Sum::of(raw));
                    self.load_again_behind(state, raw.at);
                    if repair.waits {
                        state.wrong.insert(raw.at, Sum::of(raw));
                    }
                }
                None if state.aside.contains_key(&raw.at) => {}
                None => state.add(Sum::of(raw)),
            }
        }
    }

    /// Remembers a record that is put aside; whether it was none of these before.
    pub(super) fn put_aside(&mut self, at: u64, key: Option<String>) -> bool {
        if let Some(repair) = self.repairs.get_mut(&at) {
            repair.counted.take().into_iter().for_each(|counted| self.state.subtract(counted));
            repair.aside = true;
        }
        self.state.put_aside(at, key)
    }
}

impl Loading<'_> {
    /// The note that goes farthest of those that the part is the repaired form of.
    pub(super) fn repaired(
        &self,
        part: &Part,
        place: &Place,
        notes: &[&Noted],
        remembered: &Remembered<'_>,
    ) -> Result<Option<Repaired>, Error> {
        let mut left = self.candidates(place, notes, remembered)?;
        if left.is_empty() {
            return Ok(None);
        }
        let mut records = self.open_from(part, None, None)?;
        let columns = records.columns().to_vec();
        let mut now = Sum::of_parts(records.header().iter().map(String::as_bytes));
        let (mut found, mut count) = (None, 0);
        while !left.is_empty()
            && let Some(raw) = records.next()?
        {
            let sum = Sum::of(&raw);
            now.add(sum);
            count += 1;
            let here = read::Place { position: raw.end, line: raw.next_line, count };
            for one in &mut left {
                one.see(raw.at, sum, || self.known_by(part, &columns, &raw));
                if let Some(removed) = one.fits(now, count) {
                    let digest = Digest::of(&self.sources[part.source], true)?.up_to(here.position)?;
                    found = Some((one.id.clone(), one.state.clone(), one.open.clone(), here, digest, removed));
                }
            }
            left.retain(|one| one.state.count > count);
        }
        found
            .map(|(id, state, open, here, digest, removed)| {
                let read::Place { position, line, count } = here;
                let state = State { position, line, count, digest, ..state };
                self.as_repaired(id, state, open, removed)
            })
            .transpose()
    }

    fn as_repaired(
        &self,
        id: String,
        mut state: State,
        open: BTreeMap<u64, Repair>,
        removed: bool,
    ) -> Result<Repaired, Error> {
        state.repairing = !removed && !open.is_empty();
        if !removed {
            return Ok(Repaired { id, state, repairs: open, steps: Vec::new() });
        }
        let mut steps = Vec::new();
        for repair in open.values() {
            repair.counted.into_iter().for_each(|counted| state.subtract(counted));
            steps.extend(self.settled(repair)?);
        }
        (state.aside, state.wrong) = Default::default();
        steps.push(self.core.note_reached(&id, &state)?);
        Ok(Repaired { id, state, repairs: BTreeMap::new(), steps })
    }

    /// The notes that the part replaces; refused where records would come in twice: those of an unfinished run, or any that is known.
    pub(super) fn replaced(
        &self,
        part: &Part,
        place: &Place,
        notes: &[&Noted],
        alike: &[&Noted],
        remembered: &Remembered<'_>,
    ) -> Result<Vec<String>, Error> {
        let here = notes.iter().filter(|(_, state)| state.count > 0 && remembered.is_own(state, place));
        let is_alike = |id: &String| alike.iter().any(|(other, _)| other == id);
        if self.options.again || !self.options.upsert.is_empty() {
            return Ok(here.filter(|(id, state)| !state.done || is_alike(id)).map(|(id, _)| id.clone()).collect());
        }
        let mut holds = here.clone().any(|(_, state)| !state.done);
        let some: HashSet<Sum> = here.flat_map(|(_, state)| state.some.iter().copied()).collect();
        if !some.is_empty() && !holds {
            let mut records = self.open_from(part, None, None)?;
            while let Some(raw) = records.next()?.filter(|_| !holds) {
                holds = some.contains(&Sum::of(&raw));
            }
        }
        if !holds {
            return Ok(Vec::new());
        }
        let name = &self.sources[part.source].name;
        let message = format!(
            "{name} was loaded before, and more of it has changed since than was told to be wrong: the rest would come in twice"
        );
        Err(invalid(message).with_hint(
            "put back what came in, and repair only what was told to be wrong; --upsert FIELD changes the records that are there, --again loads all of them once more",
        ))
    }

    /// Loads the records that were wrong, as they are now, each for itself: one that is still wrong keeps none of the others out.
    pub(super) async fn repair(&mut self, part: usize) -> Result<(), Error> {
        if self.starts[part].repairs.is_empty() || !self.report.errors.is_empty() {
            return Ok(());
        }
        self.see_behind(part)?;
        let mut records = self.open_from(&self.parts[part], None, None)?;
        self.columns[part] = records.columns().to_vec();
        while let Some(raw) = records.next()?.filter(|raw| self.is_repaired_from(part, raw.at)) {
            let at = raw.at;
            if self.starts[part].repairs.contains_key(&at) {
                let told = std::mem::take(&mut self.report.errors);
                self.repair_one(part, &Chunk { raws: vec![raw], repaired: true }).await?;
                let more = std::mem::replace(&mut self.report.errors, told);
                let is_in = more.is_empty() && self.starts[part].repairs.get(&at).is_some_and(|repair| !repair.aside);
                if is_in {
                    self.starts[part].follow(at);
                }
                self.report.problems(more);
            }
        }
        self.starts[part].repairs.clear();
        self.starts[part].state.repairing = !self.report.errors.is_empty();
        Ok(())
    }

    /// Whether a record is repaired, or one behind it.
    fn is_repaired_from(&self, part: usize, at: u64) -> bool {
        self.starts[part].repairs.range(at..).next().is_some()
    }

    async fn repair_one(&mut self, part: usize, chunk: &Chunk) -> Result<(), Error> {
        let columns = self.columns[part].clone();
        let rows = self.understand(part, &columns, &chunk.raws);
        let there = self.look_up_for(part, &rows).await?;
        let readies = self.prepare(part, rows, &there, &mut Here::default());
        self.put_bad_aside(part, &chunk.raws, &readies)?;
        for (raw, ready) in chunk.raws.iter().zip(&readies) {
            if let Some(repair) = self.starts[part].repairs.get_mut(&raw.at) {
                repair.waits = ready.waits();
            }
        }
        if self.report.errors.is_empty() {
            return self.carefully(part, chunk).await;
        }
        self.skipped[part] += 1;
        Ok(())
    }

    /// The key of a record that is repaired, where it is written already.
    pub(super) fn repaired_key(&self, part: usize, at: u64) -> Option<String> {
        self.starts[part].repairs.get(&at)?.key.clone()
    }

    /// The steps by which a record that is repaired does not wait any more.
    pub(super) fn settled_by(&self, part: usize, raw: &Raw) -> Result<Vec<Step>, Error> {
        self.starts[part].repairs.get(&raw.at).map_or(Ok(Vec::new()), |repair| self.settled(repair))
    }

    fn settled(&self, repair: &Repair) -> Result<Vec<Step>, Error> {
        repair.notes.iter().map(|number| self.core.note_settled(*number)).collect()
    }

    /// Takes out of the file of bad records what is read once more, or is not in its source any more.
    pub(super) fn forget_repaired(&self, bad: &mut BadFile) -> Result<(), Error> {
        let repaired = self.parts.iter().zip(&self.starts).filter(|(_, start)| start.was_repaired);
        let of: Vec<(&Source, &str)> = repaired
            .map(|(part, _)| (&self.sources[part.source], self.core.schema().collection(part.collection).name.as_str()))
            .collect();
        if of.is_empty() { Ok(()) } else { bad.forget(&of) }
    }
}

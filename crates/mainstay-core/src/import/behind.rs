//! Records behind one that is repaired, of the same name: where records are changed by a field, these come in once more behind it, so
//! that the last one holds.
use std::{
    collections::{BTreeMap, HashSet},
    slice,
};

use super::{
    load::{Loading, Start},
    notes::State,
    read::Raw,
    repair::Repair,
    sum::Sum,
};
use crate::Error;

/// What comes behind the records of a part that are repaired.
#[derive(Default)]
pub(super) struct Behind {
    /// The names of those that are repaired, by their numbers.
    repaired: BTreeMap<u64, String>,
    others: BTreeMap<u64, Other>,
}

/// A record of the name of one that is repaired.
struct Other {
    name: String,
    sum: Sum,
    /// The notes by which it waits.
    notes: Vec<i64>,
}

impl Behind {
    /// Those behind a record that was repaired.
    fn of(&self, at: u64) -> impl Iterator<Item = (u64, &Other)> {
        let name = self.repaired.get(&at);
        let behind = name.into_iter().flat_map(move |name| self.others.range(at..).map(move |other| (name, other)));
        behind.filter(|(name, (_, other))| **name == other.name).map(|(_, (at, other))| (*at, other))
    }
}

impl Start<'_> {
    /// Those behind a record that was repaired do not count as done until they have come in once more, also where this run ends before.
    pub(super) fn load_again_behind(&self, state: &mut State, at: u64) {
        for (at, other) in self.behind.of(at) {
            state.load_again(at, other.sum);
        }
    }

    /// Those behind a record that was repaired come in as if they were repaired.
    pub(super) fn follow(&mut self, at: u64) {
        for (at, other) in self.behind.of(at) {
            let counted = (!self.state.aside.contains_key(&at)).then_some(other.sum);
            let repair = || Repair { notes: other.notes.clone(), counted, ..Repair::default() };
            self.repairs.entry(at).or_insert_with(repair);
        }
    }
}

impl Loading<'_> {
    /// Finds what comes behind the records of a part that are repaired; where there is no room for all, the last of them.
    pub(super) fn see_behind(&mut self, part: usize) -> Result<(), Error> {
        if self.upsert.is_none() {
            return Ok(());
        }
        let mut repaired = BTreeMap::new();
        self.each_named(part, |loading, raw, name| {
            if loading.starts[part].repairs.contains_key(&raw.at) {
                repaired.insert(raw.at, name);
            }
        })?;
        let names: HashSet<&String> = repaired.values().collect();
        let mut others = BTreeMap::new();
        self.each_named(part, |loading, raw, name| {
            if names.contains(&name) && !repaired.contains_key(&raw.at) {
                others.insert(raw.at, Other { name, sum: Sum::of(raw), notes: Vec::new() });
            }
            if others.len() > loading.options.names_max {
                others.pop_first();
            }
        })?;
        self.starts[part].behind = Behind { repaired, others };
        self.see_waiting_behind(part)
    }

    /// Finds which of them wait since an earlier run: who is repaired must wait behind those before it.
    fn see_waiting_behind(&mut self, part: usize) -> Result<(), Error> {
        let mut from = None;
        while self.starts[part].waits
            && let Some(noted) = self.noted_from(&self.starts[part].id, &mut from, false)?
        {
            for (number, text) in &noted {
                let at = self.parse(part, *number, text)?.at;
                let Behind { repaired, others } = &mut self.starts[part].behind;
                let Some(other) = others.get_mut(&at) else { continue };
                other.notes.push(*number);
                if repaired.range(at..).any(|(_, name)| *name == other.name) {
                    let name = (self.parts[part].collection, other.name.clone());
                    self.order.wait_behind(name, (part, at), self.options.names_max);
                }
            }
        }
        Ok(())
    }

    /// Calls something with each record of a part that is done, and its name.
    fn each_named(&self, part: usize, mut see: impl FnMut(&Self, &Raw, String)) -> Result<(), Error> {
        let Some(field) = self.upsert else { return Ok(()) };
        let of = self.parts[part].collection;
        let mut records = self.open_from(&self.parts[part], None, None)?;
        let columns = records.columns().to_vec();
        while let Some(raw) = records.next()?.filter(|raw| raw.at < self.starts[part].state.count) {
            let rows = self.understand(part, &columns, slice::from_ref(&raw));
            let name = rows.first().and_then(|row| self.upsert_name(of, field, row));
            if let Some((_, name)) = name.and_then(|name| self.name_in_order(part, &name)) {
                see(self, &raw, name);
            }
        }
        Ok(())
    }
}

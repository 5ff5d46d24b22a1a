//! The order of records that are changed by a field: whoever comes behind one of its name that waits must wait too, and is settled behind
//! it, so that the last one holds.
use std::collections::{HashMap, HashSet};

use mainstay_schema::CollectionId;

use super::{
    links::as_name,
    load::Loading,
    lookup::spelled,
    prepare::{Ready, There},
    waiting::note::{Note, What},
};
use crate::Error;

/// Names and keys of records.
type Records = HashSet<(CollectionId, String)>;

/// Who comes behind whom.
#[derive(Default)]
pub(super) struct Order {
    /// Records of which something waits, as far as there is room: behind one that is not among them nobody waits.
    waiting: Records,
    /// Those that must wait on in this round, or something of them.
    held: Records,
    /// The first of each name of those that wait and are repaired, or are before such a one: their parts and numbers.
    repaired: HashMap<(CollectionId, String), (usize, u64)>,
    /// Whether one may wait behind another.
    counts: bool,
}

/// Records that come before others in a batch.
#[derive(Default)]
pub(super) struct Before(Records);

impl Order {
    /// Whether the order matters.
    pub(super) fn counts(&self) -> bool {
        self.counts
    }

    /// Lets those that are repaired wait behind one of their name.
    pub(super) fn wait_behind(&mut self, record: (CollectionId, String), at: (usize, u64), max: usize) {
        self.counts = true;
        if self.repaired.len() < max {
            let first = self.repaired.entry(record).or_insert(at);
            *first = at.min(*first);
        }
    }

    fn is_repaired_behind(&self, record: &(CollectionId, String), at: (usize, u64)) -> bool {
        self.repaired.get(record).is_some_and(|first| *first < at)
    }

    pub(super) fn begin_round(&mut self) {
        self.held.clear();
    }
}

fn add(records: &mut Records, record: (CollectionId, String), max: usize) {
    if records.len() < max {
        records.insert(record);
    }
}

impl Loading<'_> {
    /// Finds what waits since an earlier run.
    pub(super) fn see_order(&mut self) -> Result<(), Error> {
        for part in 0..self.parts.len() {
            self.upsert = self.upsert_field(part)?;
            let mut from = None;
            while self.upsert.is_some() && self.order.waiting.len() < self.options.names_max {
                let Some(noted) = self.noted_from(&self.starts[part].id, &mut from, false)? else { break };
                self.order.counts = true;
                for (number, text) in &noted {
                    let note = self.parse(part, *number, text)?;
                    let of = self.parts[part].collection;
                    let record = self.record_of(part, &note).map(|record| (of, record));
                    record.into_iter().for_each(|record| add(&mut self.order.waiting, record, self.options.names_max));
                }
            }
        }
        Ok(())
    }

    /// A name as it is compared with others.
    pub(super) fn name_in_order(&self, part: usize, name: &str) -> Option<(CollectionId, String)> {
        let of = self.parts[part].collection;
        Some((of, spelled(self.core, of, self.upsert?, name).unwrap_or_else(|| name.to_owned())))
    }

    /// Whether a record comes behind one of its name of which something waits. What is repaired, only behind others that are.
    pub(super) fn is_behind(&self, part: usize, at: u64, name: Option<&str>, key: Option<&str>) -> bool {
        let waiting = &self.order.waiting;
        let Some(name) = name.filter(|_| !waiting.is_empty() && !self.is_all_read()) else { return false };
        if self.starts[part].repairs.contains_key(&at) {
            let name = self.name_in_order(part, name);
            return name.is_some_and(|name| self.order.is_repaired_behind(&name, (part, at)));
        }
        let of = self.parts[part].collection;
        self.name_in_order(part, name).is_some_and(|name| waiting.contains(&name))
            || key.is_some_and(|key| waiting.contains(&(of, key.to_owned())))
    }

    /// Remembers a record of which something waits.
    pub(super) fn see_waiting(&mut self, part: usize, at: u64, name: Option<String>, ready: &Ready) {
        if !self.is_all_read()
            && ready.waits()
            && let Some(name) = name.and_then(|name| self.name_in_order(part, &name))
        {
            if self.starts[part].repairs.contains_key(&at) {
                self.order.wait_behind(name.clone(), (part, at), self.options.names_max);
            }
            self.order.counts |= self.order.waiting.contains(&name);
            add(&mut self.order.waiting, name, self.options.names_max);
        }
    }

    /// The record that a note is about: by its name, or the key of one that is written.
    fn record_of(&self, part: usize, note: &Note<'_>) -> Option<String> {
        match &note.what {
            What::Links { key, .. } | What::Gone { key, .. } => Some(key.clone()),
            What::Record { .. } => self.name_in_order(part, &self.name_of_note(part, note)?).map(|(_, name)| name),
        }
    }

    fn name_of_note(&self, part: usize, note: &Note<'_>) -> Option<String> {
        let What::Record { fields, .. } = &note.what else { return None };
        let field = &self.core.schema().collection(self.parts[part].collection).field(self.upsert?).name;
        let (_, value) = fields.iter().find(|(name, _)| **name == **field)?;
        as_name(value).map(|name| name.into_owned())
    }

    /// Whether a record that waits comes behind another one of its name that does.
    pub(super) fn must_wait_on(&self, part: usize, note: &Note<'_>, there: &There, before: &mut Before) -> bool {
        if !self.order.counts || self.upsert.is_none() {
            return false;
        }
        let Some(record) = self.record_of(part, note) else { return false };
        let of = self.parts[part].collection;
        let key = self.name_of_note(part, note).and_then(|name| there.get(&name)).cloned();
        let held = &self.order.held;
        let waits = matches!(note.what, What::Record { .. })
            && [Some(record.clone()), key].into_iter().flatten().any(|record| {
                let record = (of, record);
                held.contains(&record) || before.0.contains(&record)
            });
        before.0.insert((of, record));
        waits
    }

    /// Keeps those behind a record of which links wait from being settled before these, wherever their notes stand: no link waits of one
    /// that comes behind another.
    pub(super) fn hold_links(&mut self) -> Result<(), Error> {
        for part in 0..self.parts.len() {
            self.upsert = self.upsert_field(part)?;
            let mut from = None;
            while let Some(noted) = self.noted_from(&self.starts[part].id, &mut from, false)? {
                for (number, text) in &noted {
                    let note = self.parse(part, *number, text)?;
                    if !matches!(note.what, What::Record { .. }) {
                        self.hold(part, &note);
                    }
                }
            }
        }
        Ok(())
    }

    /// Keeps those behind a record that waits on from being settled before it.
    pub(super) fn hold(&mut self, part: usize, note: &Note<'_>) {
        if self.order.counts
            && let Some(record) = self.record_of(part, note)
        {
            add(&mut self.order.held, (self.parts[part].collection, record), self.options.names_max);
        }
    }
}

//! What the writers know: each record with its acknowledged state and the one request that may be under way.
use std::collections::BTreeMap;

use super::check::Violation;

/// A record's name among all of a run: its writer, and how many that one had made before.
pub(super) type Name = (u64, u64);

/// A request that was sent and not answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum UnderWay {
    Create,
    Patch,
    Delete,
}

/// One record, as far as its writer knows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// The first record of the array that it was created in; its own number when it came alone.
    pub(super) array: u64,
    /// Known once the create is acknowledged.
    pub(super) id: Option<String>,
    /// The version when it was created.
    pub(super) first_version: i64,
    /// Acknowledged patches.
    pub(super) counter: u64,
    /// Acknowledged.
    pub(super) deleted: bool,
    pub(super) under_way: Option<UnderWay>,
}

impl Entry {
    /// A record whose create has been sent.
    pub(super) fn sent(array: u64) -> Self {
        Entry { array, id: None, first_version: 1, counter: 0, deleted: false, under_way: Some(UnderWay::Create) }
    }
}

/// What one writer leaves behind.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) writer: u64,
    pub(super) entries: Vec<Entry>,
    /// An answer that no request should get.
    pub(super) refusal: Option<String>,
}

/// Everything that was written in one life of the server.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) run: u64,
    pub(super) entries: BTreeMap<Name, Entry>,
}

/// How much was written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Records created alone, acknowledged.
    pub creates: u64,
    /// Arrays of records, acknowledged.
    pub arrays: u64,
    /// Patches, acknowledged.
    pub patches: u64,
    /// Deletions, acknowledged.
    pub deletes: u64,
    /// Requests that the kill cut off.
    pub under_way: u64,
}

impl Ledger {
    /// Nothing yet.
    pub(super) fn new(run: u64) -> Self {
        Ledger { run, entries: BTreeMap::new() }
    }

    /// Takes over what a writer knows.
    pub(super) fn take(&mut self, written: Written, violations: &mut Vec<Violation>) {
        let Written { writer, entries, refusal } = written;
        violations.extend(refusal.map(|text| Violation(format!("run {}: writer {writer}: {text}", self.run))));
        self.entries.extend(entries.into_iter().enumerate().map(|(seq, entry)| ((writer, seq as u64), entry)));
    }

    /// The records of one array, the sole record for one that came alone.
    pub(super) fn array(&self, (writer, array): Name) -> impl Iterator<Item = (&Name, &Entry)> {
        self.entries.range((writer, array)..(writer + 1, 0)).take_while(move |(_, entry)| entry.array == array)
    }

    /// How much is in it.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (name @ (_, seq), entry) in &self.entries {
            let begins = entry.array == *seq;
            let alone = begins && self.array(*name).count() == 1;
            counts.creates += u64::from(alone && entry.id.is_some());
            counts.arrays += u64::from(begins && !alone && entry.id.is_some());
            counts.patches += entry.counter;
            counts.deletes += u64::from(entry.deleted);
            let cut_off = if entry.under_way == Some(UnderWay::Create) { begins } else { entry.under_way.is_some() };
            counts.under_way += u64::from(cut_off);
        }
        counts
    }
}

impl Counts {
    pub(super) fn add(&mut self, other: &Counts) {
        self.creates += other.creates;
        self.arrays += other.arrays;
        self.patches += other.patches;
        self.deletes += other.deletes;
        self.under_way += other.under_way;
    }
}

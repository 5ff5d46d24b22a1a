//! What the writers know: each record with its acknowledged state and the one request that may be under way.
use std::collections::BTreeMap;

use super::{
    asked::{Acknowledged, Asked},
    check::Violation,
};

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
    /// The first record of the batch that the patch under way belongs to: it is there with it, or not at all.
    pub(super) with: Option<u64>,
}

impl Entry {
    /// A record whose create has been sent.
    pub(super) fn sent(array: u64) -> Self {
        let under_way = Some(UnderWay::Create);
        Entry { array, id: None, first_version: 1, counter: 0, deleted: false, under_way, with: None }
    }

    /// Takes over an acknowledged patch.
    pub(super) fn patched(&mut self, answer: &Acknowledged) -> Result<(), String> {
        let counter = self.counter + 1;
        if (answer.counter, answer.version) != (counter, self.first_version + counter as i64) {
            return Err(format!("patch {counter} is answered with {}, version {}", answer.counter, answer.version));
        }
        (self.counter, self.under_way, self.with) = (counter, None, None);
        Ok(())
    }
}

/// What one writer leaves behind.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) writer: u64,
    pub(super) entries: Vec<Entry>,
    /// The request under way, where it carries an idempotency key.
    pub(super) under_way: Option<Asked>,
    /// An answer that no request should get.
    pub(super) refusal: Option<String>,
}

/// Everything that was written in one life of the server.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) run: u64,
    pub(super) entries: BTreeMap<Name, Entry>,
    /// Requests under way that carry an idempotency key, with their writers.
    pub(super) under_way: Vec<(u64, Asked)>,
    /// How many of them were sent again.
    pub(super) sent_again: u64,
}

/// How much was written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Records created alone, acknowledged.
    pub creates: u64,
    /// Arrays and batches of records, acknowledged.
    pub arrays: u64,
    /// Patches, acknowledged.
    pub patches: u64,
    /// Deletions, acknowledged.
    pub deletes: u64,
    /// Requests that the kill cut off.
    pub under_way: u64,
    /// Those of them that were sent again with their idempotency key.
    pub sent_again: u64,
}

impl Ledger {
    /// Nothing yet.
    pub(super) fn new(run: u64) -> Self {
        Ledger { run, entries: BTreeMap::new(), under_way: Vec::new(), sent_again: 0 }
    }

    /// Takes over what a writer knows.
    pub(super) fn take(&mut self, written: Written, violations: &mut Vec<Violation>) {
        let Written { writer, entries, under_way, refusal } = written;
        self.under_way.extend(under_way.map(|asked| (writer, asked)));
        violations.extend(refusal.map(|text| Violation(format!("run {}: writer {writer}: {text}", self.run))));
        self.entries.extend(entries.into_iter().enumerate().map(|(seq, entry)| ((writer, seq as u64), entry)));
    }

    /// The records of one array, the sole record for one that came alone.
    pub(super) fn array(&self, (writer, array): Name) -> impl Iterator<Item = (&Name, &Entry)> {
        self.entries.range((writer, array)..(writer + 1, 0)).take_while(move |(_, entry)| entry.array == array)
    }

    /// How much is in it.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts { sent_again: self.sent_again, ..Counts::default() };
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
        self.sent_again += other.sent_again;
    }
}

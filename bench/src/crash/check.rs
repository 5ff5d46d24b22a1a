//! What is there, held against what was acknowledged and what was under way.
use std::collections::BTreeMap;

use super::{
    ledger::{Entry, Ledger, Name, UnderWay},
    listing::Found,
    writer::body,
};

/// Something that must not be, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation(pub String);

/// Finds what is wrong, and writes what became of the requests under way into the ledger: from now on it must stay so.
pub(super) fn settle(ledger: &mut Ledger, found: Vec<Found>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut there: BTreeMap<Name, Found> = BTreeMap::new();
    for record in found {
        let name = (record.writer, record.seq);
        match ledger.entries.get(&name) {
            None => violations.push(never_asked_for(&record)),
            Some(_) => violations.extend(there.insert(name, record).map(|twin| said(&twin, "is there twice"))),
        }
    }
    violations.extend(torn_arrays(ledger, &there));
    violations.extend(torn_batches(ledger, &there));
    let run = ledger.run;
    for (name, entry) in &mut ledger.entries {
        let record = there.get(name);
        let wrong = match record {
            None => {
                missing(entry).map(|text| Violation(format!("run {run}, writer {}, record {} {text}", name.0, name.1)))
            }
            Some(record) => wrong(entry, record).map(|text| said(record, &text)),
        };
        violations.extend(wrong);
        entry.settle(record);
    }
    violations
}

/// A record that is in no ledger.
pub(super) fn never_asked_for(record: &Found) -> Violation {
    said(record, "was never asked for")
}

fn said(record: &Found, text: &str) -> Violation {
    let Found { run, writer, seq, counter, version, .. } = record;
    Violation(format!("run {run}, writer {writer}, record {seq} (counter {counter}, version {version}) {text}"))
}

/// Arrays under way of which some records are there and some are not.
fn torn_arrays(ledger: &Ledger, there: &BTreeMap<Name, Found>) -> Vec<Violation> {
    let firsts = ledger.entries.iter().filter(|((_, seq), entry)| entry.array == *seq && entry.creating());
    let torn = firsts.filter_map(|(name @ (writer, seq), _)| {
        let all = ledger.array(*name).count();
        let present = ledger.array(*name).filter(|(name, _)| there.contains_key(name)).count();
        let text = || format!("run {}, writer {writer}, array {seq}: {present} of {all} records are there", ledger.run);
        (present != 0 && present != all).then(|| Violation(text()))
    });
    torn.collect()
}

/// Batches under way whose patch is there without their records, or these without it.
fn torn_batches(ledger: &Ledger, there: &BTreeMap<Name, Found>) -> Vec<Violation> {
    let torn = ledger.entries.iter().filter_map(|((writer, seq), entry)| {
        let made = there.contains_key(&(*writer, entry.with?));
        let patched = there.get(&(*writer, *seq))?.counter > entry.counter;
        let text = || format!("run {}, writer {writer}: a batch is half there: its patch of record {seq}", ledger.run);
        (made != patched).then(|| Violation(text()))
    });
    torn.collect()
}

/// Why this record must not be missing.
fn missing(entry: &Entry) -> Option<&'static str> {
    match entry.under_way {
        _ if entry.deleted => None,
        Some(UnderWay::Create | UnderWay::Delete) => None,
        Some(UnderWay::Patch) | None => Some("is lost"),
    }
}

/// What is wrong with this record, first things first.
fn wrong(entry: &Entry, record: &Found) -> Option<String> {
    if entry.deleted {
        return Some("is there, though its deletion was acknowledged".into());
    }
    if let Some(id) = entry.id.as_ref().filter(|id| **id != record.id) {
        return Some(format!("has the id {}, acknowledged was {id}", record.id));
    }
    let most = entry.counter + u64::from(entry.under_way == Some(UnderWay::Patch));
    if !(entry.counter..=most).contains(&record.counter) {
        return Some(format!("has not kept {} acknowledged patches", entry.counter));
    }
    if record.version != entry.first_version + record.counter as i64 {
        return Some(format!("is half there: its version should be {}", entry.first_version + record.counter as i64));
    }
    if record.body != body(record.run, record.writer, record.seq, record.counter) {
        return Some("is half there: its body belongs to another state".into());
    }
    None
}

impl Entry {
    fn creating(&self) -> bool {
        self.under_way == Some(UnderWay::Create)
    }

    fn settle(&mut self, record: Option<&Found>) {
        (self.under_way, self.with) = (None, None);
        match record {
            None => self.deleted = true,
            Some(record) => {
                self.deleted = false;
                self.counter = record.counter;
                self.id = Some(record.id.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;

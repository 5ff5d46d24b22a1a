//! The check must find every kind of loss, and nothing where there is none.
use super::*;

const RUN: u64 = 3;
const WRITER: u64 = 1;

fn acknowledged(array: u64, counter: u64) -> Entry {
    Entry { array, id: Some("id".into()), first_version: 1, counter, deleted: false, under_way: None, with: None }
}

fn under_way(what: UnderWay, counter: u64) -> Entry {
    Entry { under_way: Some(what), ..acknowledged(0, counter) }
}

fn record(seq: u64, counter: u64) -> Found {
    let body = body(RUN, WRITER, seq, counter);
    Found { id: "id".into(), version: 1 + counter as i64, run: RUN, writer: WRITER, seq, counter, body }
}

fn ledger(entries: Vec<Entry>) -> Ledger {
    let mut ledger = Ledger::new(RUN);
    ledger.entries.extend(entries.into_iter().enumerate().map(|(seq, entry)| ((WRITER, seq as u64), entry)));
    ledger
}

fn check(entries: Vec<Entry>, found: Vec<Found>, expected: &[&str]) {
    let violations = settle(&mut ledger(entries), found);
    assert_eq!(violations.len(), expected.len(), "{violations:?}");
    for (Violation(text), part) in violations.iter().zip(expected) {
        assert!(text.contains(part), "{text} holds no {part}");
    }
}

#[test]
fn what_was_acknowledged_must_be_there() {
    check(vec![acknowledged(0, 2)], vec![record(0, 2)], &[]);
    check(vec![acknowledged(0, 2)], vec![], &["is lost"]);
    check(vec![acknowledged(0, 2)], vec![record(0, 1)], &["has not kept 2"]);
    check(vec![acknowledged(0, 2)], vec![record(0, 3)], &["has not kept 2"]);
    check(vec![acknowledged(0, 0)], vec![Found { id: "other".into(), ..record(0, 0) }], &["has the id other"]);
    let deleted = Entry { deleted: true, ..acknowledged(0, 0) };
    check(vec![deleted.clone()], vec![], &[]);
    check(vec![deleted], vec![record(0, 0)], &["its deletion was acknowledged"]);
}

#[test]
fn what_was_under_way_is_there_whole_or_not_at_all() {
    check(vec![Entry::sent(0)], vec![], &[]);
    check(vec![Entry::sent(0)], vec![record(0, 0)], &[]);
    check(vec![Entry::sent(0)], vec![record(0, 1)], &["has not kept"]);
    for counter in [2, 3] {
        check(vec![under_way(UnderWay::Patch, 2)], vec![record(0, counter)], &[]);
    }
    check(vec![under_way(UnderWay::Patch, 2)], vec![], &["is lost"]);
    check(vec![under_way(UnderWay::Patch, 2)], vec![record(0, 4)], &["has not kept"]);
    check(vec![under_way(UnderWay::Delete, 2)], vec![], &[]);
    check(vec![under_way(UnderWay::Delete, 2)], vec![record(0, 2)], &[]);
    let half = Found { version: 3, ..record(0, 3) };
    check(vec![under_way(UnderWay::Patch, 2)], vec![half], &["its version should be 4"]);
    let half = Found { body: record(0, 2).body, ..record(0, 3) };
    check(vec![under_way(UnderWay::Patch, 2)], vec![half], &["its body belongs to another state"]);
}

#[test]
fn arrays_are_there_whole_or_not_at_all() {
    let array = || vec![Entry::sent(0), Entry::sent(0), acknowledged(2, 0)];
    check(array(), vec![record(2, 0)], &[]);
    check(array(), vec![record(0, 0), record(1, 0), record(2, 0)], &[]);
    check(array(), vec![record(1, 0), record(2, 0)], &["array 0: 1 of 2"]);
}

#[test]
fn batches_are_there_whole_or_not_at_all() {
    let patched = Entry { with: Some(1), ..under_way(UnderWay::Patch, 2) };
    let batch = || vec![patched.clone(), Entry::sent(1)];
    check(batch(), vec![record(0, 2)], &[]);
    check(batch(), vec![record(0, 3), record(1, 0)], &[]);
    check(batch(), vec![record(0, 3)], &["a batch is half there"]);
    check(batch(), vec![record(0, 2), record(1, 0)], &["a batch is half there"]);
}

#[test]
fn nothing_is_there_twice_or_unasked_for() {
    check(vec![acknowledged(0, 0)], vec![record(0, 0), record(0, 0)], &["is there twice"]);
    check(vec![acknowledged(0, 0)], vec![record(0, 0), record(9, 0)], &["was never asked for"]);
}

#[test]
fn what_became_of_a_request_must_stay_so() {
    let mut ledger = ledger(vec![Entry::sent(0), Entry::sent(1)]);
    assert_eq!(settle(&mut ledger, vec![record(0, 0)]), []);
    assert_eq!(settle(&mut ledger, vec![record(0, 0)]), []);
    assert_eq!(settle(&mut ledger, vec![]).len(), 1);
    assert_eq!(settle(&mut ledger, vec![record(0, 0), record(1, 0)]).len(), 2);
}

#[test]
fn counts_are_of_requests() {
    let mut entries = vec![acknowledged(0, 3), acknowledged(1, 0), acknowledged(1, 0), Entry::sent(3), Entry::sent(3)];
    entries.push(Entry { array: 5, ..under_way(UnderWay::Delete, 0) });
    let counts = ledger(entries).counts();
    assert_eq!((counts.creates, counts.arrays, counts.patches, counts.under_way), (2, 1, 3, 2));
}

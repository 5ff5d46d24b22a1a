//! A request that creates: what it asks for, and what its answer makes of the ledger. Where it carries an idempotency key it can
//! be sent again after a crash, and must not act twice.
use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    check::Violation,
    ledger::{Entry, Ledger},
    writer::body,
};
use crate::{Outcome, http::Connection};

/// How the records are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// One object.
    Alone,
    /// An array: all or none.
    Array,
    /// A batch that also patches this record: all or none.
    Batch {
        /// The number of the record.
        patched: usize,
    },
}

/// A request that creates records.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// The whole request.
    pub(super) request: String,
    form: Form,
    /// The number of its first record, and how many they are.
    first: usize,
    records: usize,
}

/// What an acknowledged write tells of a record.
#[derive(Deserialize)]
pub(super) struct Acknowledged {
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) counter: u64,
}

/// Who asks, and what is known so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) run: u64,
    pub(super) writer: u64,
    pub(super) token: &'a str,
    pub(super) entries: &'a [Entry],
}

impl Asked {
    /// The request for the next records.
    pub(super) fn new(place: Place<'_>, form: Form, records: usize, keyed: bool) -> Asked {
        let Place { run, writer, token, entries } = place;
        let first = entries.len();
        let record = |seq: u64| json!({"run": run, "writer": writer, "seq": seq, "counter": 0, "body": body(run, writer, seq, 0)});
        let all = (first as u64..(first + records) as u64).map(record);
        let (path, data) = match form {
            Form::Alone => ("/api/entries", record(first as u64)),
            Form::Array => ("/api/entries", all.collect()),
            Form::Batch { patched } => ("/api/batch", json!({"ops": batch(place, all, patched)})),
        };
        let key = if keyed { format!("idempotency-key: \"{run}-{writer}-{first}\"\r\n") } else { String::new() };
        let (data, length) = (data.to_string(), data.to_string().len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n{key}\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{data}"
        );
        Asked { request, form, first, records }
    }

    /// The records that are under way with it.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> + use<> {
        let first = self.first as u64;
        std::iter::repeat_n(Entry::sent(first), self.records)
    }

    /// The record that is patched along with it.
    pub(super) fn patched(&self) -> Option<usize> {
        match self.form {
            Form::Batch { patched } => Some(patched),
            Form::Alone | Form::Array => None,
        }
    }

    /// Takes over what the answer says; fails in words where no request should get such an answer.
    pub(super) fn acknowledge(&self, entries: &mut [&mut Entry], answer: &[u8]) -> Result<(), String> {
        let wrong = |error| format!("{error} in the answer {}", String::from_utf8_lossy(answer));
        let mut made: Vec<Acknowledged> = match self.form {
            Form::Alone => vec![serde_json::from_slice(answer).map_err(wrong)?],
            Form::Array => serde_json::from_slice(answer).map_err(wrong)?,
            Form::Batch { .. } => {
                let mut answer: Value = serde_json::from_slice(answer).map_err(wrong)?;
                serde_json::from_value(answer["results"].take()).map_err(wrong)?
            }
        };
        if let Some(patched) = self.patched() {
            let last = made.pop().ok_or("a batch is answered by nothing")?;
            entries[patched].patched(&last)?;
        }
        if made.len() != self.records {
            return Err(format!("{} records were acknowledged of {}", made.len(), self.records));
        }
        for (entry, made) in entries[self.first..].iter_mut().zip(made) {
            (entry.id, entry.first_version, entry.under_way) = (Some(made.id), made.version, None);
        }
        Ok(())
    }
}

fn batch(place: Place<'_>, records: impl Iterator<Item = Value>, patched: usize) -> Vec<Value> {
    let entry = &place.entries[patched];
    let counter = entry.counter + 1;
    let text = body(place.run, place.writer, patched as u64, counter);
    let patch = json!({"op": "update", "in": "entries", "id": entry.id, "data": {"counter": counter, "body": text}});
    records.map(|data| json!({"op": "create", "in": "entries", "data": data})).chain([patch]).collect()
}

/// After a crash: every request under way that carries a key is sent again, twice. Both answers are the same, and from now on
/// it counts as acknowledged.
pub(super) async fn send_again(address: SocketAddr, ledger: &mut Ledger) -> Outcome<Vec<Violation>> {
    let mut violations = Vec::new();
    let mut connection = Connection::open(address).await?;
    for (writer, asked) in std::mem::take(&mut ledger.under_way) {
        let mut answers = Vec::new();
        for _ in 0..2 {
            let answer = connection.exchange(asked.request.as_bytes()).await?;
            answers.push((answer.status, answer.body.to_vec()));
        }
        let (status, answer) = &answers[0];
        let mut entries: Vec<&mut Entry> =
            ledger.entries.range_mut((writer, 0)..(writer + 1, 0)).map(|(_, entry)| entry).collect();
        let outcome = match status / 100 {
            2 => asked.acknowledge(&mut entries, answer),
            _ => Err(format!("answered with {status}: {}", String::from_utf8_lossy(answer))),
        };
        let said = |text: &str| Violation(format!("run {}, writer {writer}, sent again: {text}", ledger.run));
        violations.extend(outcome.err().map(|text| said(&text)));
        if answers[0] != answers[1] {
            violations.push(said("the second answer is another one"));
        }
        ledger.sent_again += 1;
    }
    Ok(violations)
}

//! One writer: creates, arrays, patches and deletions of its own records, until the server is gone.
use std::{io, net::SocketAddr};

use serde::Deserialize;
use serde_json::json;

use super::ledger::{Entry, UnderWay, Written};
use crate::{
    http::{Connection, request},
    random::Random,
};

/// Records in an array.
const ARRAY: u64 = 5;
/// The longest body: several pages of the file, so that a record can be torn.
const BODY_BYTES_MAX: u64 = 9_000;

/// Why a writer ends.
enum End {
    /// The connection broke: the last request may or may not have been carried out.
    Gone,
    /// An answer that it should not have got.
    Refused(String),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        End::Gone
    }
}

/// What an acknowledged write tells.
#[derive(Deserialize)]
struct Acknowledged {
    id: String,
    version: i64,
    counter: u64,
}

struct Writer {
    connection: Connection,
    random: Random,
    run: u64,
    written: Written,
}

/// Writes until the connection breaks and gives what it knows by then.
pub(super) async fn write(address: SocketAddr, run: u64, number: u64, random: Random) -> Written {
    let written = Written { writer: number, ..Written::default() };
    let Ok(connection) = Connection::open(address).await else {
        return written;
    };
    let mut writer = Writer { connection, random, run, written };
    loop {
        match writer.step().await {
            Ok(()) => {}
            Err(End::Gone) => return writer.written,
            Err(End::Refused(text)) => {
                writer.written.refusal = Some(text);
                return writer.written;
            }
        }
    }
}

/// The body that belongs to this state of this record: whoever sees another has a torn one.
pub(super) fn body(run: u64, writer: u64, seq: u64, counter: u64) -> String {
    let name = format!("{run}/{writer}/{seq}/{counter} ");
    let mut random = Random::new(run).split(writer).split(seq).split(counter);
    // Most are short, one in sixteen is up to the longest.
    let most = if random.below(16) == 0 { BODY_BYTES_MAX } else { 200 };
    let length = random.below(most) as usize;
    name.chars().cycle().take(name.len() + length).collect()
}

impl Writer {
    async fn step(&mut self) -> Result<(), End> {
        let live: Vec<usize> =
            (0..self.written.entries.len()).filter(|at| !self.written.entries[*at].deleted).collect();
        let record = live.get(self.random.below(live.len() as u64) as usize).copied();
        match (self.random.below(10), record) {
            (0..4, _) | (_, None) => self.create(1).await,
            (4..6, _) => self.create(ARRAY).await,
            (6..9, Some(record)) => self.patch(record).await,
            (_, Some(record)) => self.delete(record).await,
        }
    }

    /// One record, or an array that must be there whole or not at all.
    async fn create(&mut self, records: u64) -> Result<(), End> {
        let first = self.written.entries.len() as u64;
        let (run, writer) = (self.run, self.written.writer);
        let record =
            |seq| json!({"run": run, "writer": writer, "seq": seq, "counter": 0, "body": body(run, writer, seq, 0)});
        let data = if records == 1 { record(first) } else { (first..first + records).map(record).collect() };
        self.written.entries.extend((0..records).map(|_| Entry::sent(first)));
        let answer = self.send("POST", "/api/entries", &data.to_string()).await?;
        let made: Vec<Acknowledged> = if records == 1 { vec![read(&answer)?] } else { read(&answer)? };
        if made.len() as u64 != records {
            return Err(End::Refused(format!("{} records were acknowledged of {records}", made.len())));
        }
        for (entry, made) in self.written.entries[first as usize..].iter_mut().zip(made) {
            (entry.id, entry.first_version, entry.under_way) = (Some(made.id), made.version, None);
        }
        Ok(())
    }

    async fn patch(&mut self, record: usize) -> Result<(), End> {
        let counter = self.written.entries[record].counter + 1;
        let text = body(self.run, self.written.writer, record as u64, counter);
        let path = self.begin(record, UnderWay::Patch);
        let answer = self.send("PATCH", &path, &json!({"counter": counter, "body": text}).to_string()).await?;
        let Acknowledged { version, counter: answered, .. } = read(&answer)?;
        let entry = &mut self.written.entries[record];
        if (answered, version) != (counter, entry.first_version + counter as i64) {
            return Err(End::Refused(format!("patch {counter} is answered with {answered}, version {version}")));
        }
        (entry.counter, entry.under_way) = (counter, None);
        Ok(())
    }

    async fn delete(&mut self, record: usize) -> Result<(), End> {
        let path = self.begin(record, UnderWay::Delete);
        self.send("DELETE", &path, "").await?;
        let entry = &mut self.written.entries[record];
        (entry.deleted, entry.under_way) = (true, None);
        Ok(())
    }

    fn begin(&mut self, record: usize, what: UnderWay) -> String {
        let entry = &mut self.written.entries[record];
        entry.under_way = Some(what);
        format!("/api/entries/{}", entry.id.as_deref().unwrap_or_default())
    }

    async fn send(&mut self, method: &str, path: &str, body: &str) -> Result<Vec<u8>, End> {
        let answer = self.connection.exchange(request(method, path, None, body).as_bytes()).await?;
        if answer.status / 100 != 2 {
            let said = String::from_utf8_lossy(answer.body);
            return Err(End::Refused(format!("{method} {path} is answered with {}: {said}", answer.status)));
        }
        Ok(answer.body.to_vec())
    }
}

fn read<T: for<'de> Deserialize<'de>>(answer: &[u8]) -> Result<T, End> {
    serde_json::from_slice(answer)
        .map_err(|error| End::Refused(format!("{error} in the answer {}", String::from_utf8_lossy(answer))))
}

//! One writer: creates, arrays, batches, patches and deletions of its own records, until the server is gone.
use std::{io, net::SocketAddr};

use serde_json::json;

use super::{
    asked::{Asked, Form, Place},
    ledger::{UnderWay, Written},
};
use crate::{
    http::{Connection, request},
    random::Random,
};

/// Records in an array.
const ARRAY: usize = 5;
/// Records in a batch, beside the patch in it.
const BATCH: usize = 2;
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

struct Writer {
    connection: Connection,
    random: Random,
    run: u64,
    token: String,
    written: Written,
}

/// Writes until the connection breaks and gives what it knows by then.
pub(super) async fn write(address: SocketAddr, run: u64, number: u64, token: String, random: Random) -> Written {
    let written = Written { writer: number, ..Written::default() };
    let Ok(connection) = Connection::open(address).await else {
        return written;
    };
    let mut writer = Writer { connection, random, run, token, written };
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
        match (self.random.below(12), record) {
            (0..4, _) | (_, None) => self.create(Form::Alone, 1).await,
            (4..6, _) => self.create(Form::Array, ARRAY).await,
            (6..8, Some(patched)) => self.create(Form::Batch { patched }, BATCH).await,
            (8..11, Some(record)) => self.patch(record).await,
            (_, Some(record)) => self.delete(record).await,
        }
    }

    /// One record, or several that must be there whole or not at all; every second time under an idempotency key.
    async fn create(&mut self, form: Form, records: usize) -> Result<(), End> {
        let keyed = self.random.below(2) == 0;
        let entries = &self.written.entries;
        let place = Place { run: self.run, writer: self.written.writer, token: &self.token, entries };
        let (first, asked) = (entries.len() as u64, Asked::new(place, form, records, keyed));
        if let Some(patched) = asked.patched() {
            let entry = &mut self.written.entries[patched];
            (entry.under_way, entry.with) = (Some(UnderWay::Patch), Some(first));
        }
        self.written.entries.extend(asked.entries());
        self.written.under_way = keyed.then(|| asked.clone());
        let answer = self.send(&asked.request).await?;
        let mut entries: Vec<_> = self.written.entries.iter_mut().collect();
        asked.acknowledge(&mut entries, &answer).map_err(End::Refused)?;
        self.written.under_way = None;
        Ok(())
    }

    async fn patch(&mut self, record: usize) -> Result<(), End> {
        let counter = self.written.entries[record].counter + 1;
        let text = body(self.run, self.written.writer, record as u64, counter);
        let path = self.begin(record, UnderWay::Patch);
        let data = json!({"counter": counter, "body": text}).to_string();
        let answer = self.send(&request("PATCH", &path, None, &data)).await?;
        let answer = serde_json::from_slice(&answer).map_err(|error| End::Refused(error.to_string()))?;
        self.written.entries[record].patched(&answer).map_err(End::Refused)
    }

    async fn delete(&mut self, record: usize) -> Result<(), End> {
        let path = self.begin(record, UnderWay::Delete);
        self.send(&request("DELETE", &path, None, "")).await?;
        let entry = &mut self.written.entries[record];
        (entry.deleted, entry.under_way) = (true, None);
        Ok(())
    }

    fn begin(&mut self, record: usize, what: UnderWay) -> String {
        let entry = &mut self.written.entries[record];
        entry.under_way = Some(what);
        format!("/api/entries/{}", entry.id.as_deref().unwrap_or_default())
    }

    async fn send(&mut self, request: &str) -> Result<Vec<u8>, End> {
        let answer = self.connection.exchange(request.as_bytes()).await?;
        if answer.status / 100 != 2 {
            let (said, line) = (String::from_utf8_lossy(answer.body), request.lines().next().unwrap_or_default());
            return Err(End::Refused(format!("{line} is answered with {}: {said}", answer.status)));
        }
        Ok(answer.body.to_vec())
    }
}

//! Chunks: records that are read and written together.
use std::{collections::VecDeque, time::Duration};

use super::read::{Place, Raw, Records};
use crate::Error;

/// Records of a chunk, to begin with and at most.
const ROWS_FIRST: usize = 500;
const ROWS_MIN: usize = 100;
const ROWS_MAX: usize = 12_000;

/// Bytes of a chunk's records, about.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// A chunk grows while its write is quicker than this, and shrinks when it is slower than that. Each commit writes every page of every
/// index that it touched, so that larger chunks cost less for each record.
const QUICK: Duration = Duration::from_millis(250);
const SLOW: Duration = Duration::from_millis(1_000);

/// Some records of a part.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) raws: Vec<Raw>,
    /// Whether these are records from anywhere that were wrong before; how far the part is does not change then.
    pub(super) repaired: bool,
}

impl Chunk {
    /// Where the part goes on behind the first `rows` records.
    pub(super) fn place(&self, rows: usize) -> Option<Place> {
        let last = self.raws.get(rows.checked_sub(1)?).filter(|_| !self.repaired)?;
        Some(Place { position: last.end, line: last.next_line, count: last.at + 1 })
    }
}

/// Reads chunks of a part.
pub(super) struct Chunks<'a> {
    pub(super) records: Records<'a>,
    /// Records that were read and belong to the next chunk.
    left: VecDeque<Raw>,
    rows_max: usize,
}

impl<'a> Chunks<'a> {
    pub(super) fn new(records: Records<'a>) -> Chunks<'a> {
        Chunks { records, left: VecDeque::new(), rows_max: ROWS_FIRST }
    }

    /// The next chunk; empty at the end.
    pub(super) fn next(&mut self) -> Result<Chunk, Error> {
        let mut chunk = Chunk::default();
        let mut bytes = 0;
        while chunk.raws.len() < self.rows_max && bytes < BYTES_MAX {
            let next = match self.left.pop_front() {
                Some(raw) => Some(raw),
                None => self.records.next()?,
            };
            let Some(raw) = next else { break };
            bytes += raw.size();
            chunk.raws.push(raw);
        }
        Ok(chunk)
    }

    /// Gives back the records of a chunk from there on.
    pub(super) fn give_back(&mut self, chunk: &mut Chunk, from: usize) {
        for raw in chunk.raws.drain(from..).rev() {
            self.left.push_front(raw);
        }
    }

    /// A chunk was refused: it is made ready again record by record, so that the next ones are small.
    pub(super) fn refused(&mut self) {
        self.rows_max = ROWS_FIRST;
    }

    /// Learns from how long a write took.
    pub(super) fn took(&mut self, time: Duration, rows: usize) {
        if time < QUICK && rows >= self.rows_max {
            self.rows_max = (self.rows_max * 2).min(ROWS_MAX);
        } else if time > SLOW {
            self.rows_max = (self.rows_max / 2).max(ROWS_MIN);
        }
    }
}

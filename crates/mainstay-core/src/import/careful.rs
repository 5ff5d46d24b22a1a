//! Chunks in which something is wrong, looked at record by record.
use std::ops::Range;

use mainstay_store::Step;

use super::{
    chunk::Chunk,
    load::Loading,
    prepare::Here,
    read::Raw,
    write::{Gained, failed},
};
use crate::Error;

/// Records that are looked at one by one together, where bad ones are put aside: behind each of those the rest is made ready again.
const CAREFUL_ROWS: usize = 500;

/// The steps of records that are looked at one by one.
struct OneByOne {
    steps: Vec<Step>,
    /// Of which record each of them is.
    row_of: Vec<usize>,
    /// What the records before each come to, and all of them.
    gained: Vec<Gained>,
}

impl OneByOne {
    /// The steps of the records before one, and what these come to.
    fn before(&self, row: usize) -> (Vec<Step>, Gained) {
        let count = self.row_of.partition_point(|of| *of < row);
        (self.steps[..count].to_vec(), self.gained[row])
    }
}

impl Loading<'_> {
    /// Writes a chunk record by record in one transaction, so that it shows which one is wrong. Without a file for bad records the first
    /// of them ends the import, and nothing of the chunk is written; with one, those before it are written, and those behind it go on.
    pub(super) async fn carefully(&mut self, part: usize, chunk: &Chunk) -> Result<(), Error> {
        let mut from = 0;
        while from < chunk.raws.len() && self.report.errors.is_empty() {
            let to = if self.bad.is_some() { chunk.raws.len().min(from + CAREFUL_ROWS) } else { chunk.raws.len() };
            from = self.one_by_one(part, chunk, from..to).await?;
        }
        self.tell(part);
        Ok(())
    }

    /// Writes some records of a chunk up to the first that is wrong, which is put aside. Gives where the chunk goes on.
    async fn one_by_one(&mut self, part: usize, chunk: &Chunk, rows: Range<usize>) -> Result<usize, Error> {
        let made = self.make_one_by_one(part, &chunk.raws[rows.clone()]).await?;
        let (steps, gained) = made.before(rows.len());
        let state = self.state_behind(part, chunk, rows.clone(), gained)?;
        let Some(error) = self.write_noted(part, steps, state).await? else { return Ok(rows.end) };
        let row = made.row_of.get(error.step).copied().unwrap_or(0);
        let raw = &chunk.raws[rows.start + row];
        let wrong = self.wrong(part, error.error);
        let problems = self.problems(part, raw.line, raw.at, wrong);
        if self.bad.is_none() {
            self.refuse(part, chunk.raws.len() as u64, problems);
            return Ok(rows.end);
        }
        self.put_aside(part, &problems, (raw.at, self.repaired_key(part, raw.at)), &raw.shown())?;
        let behind = rows.start + row + 1;
        let (mut steps, gained) = made.before(row);
        steps.extend(self.settled_by(part, raw)?);
        let state = self.state_behind(part, chunk, rows.start..behind, gained)?;
        self.write_noted(part, steps, state).await?.map_or(Ok(behind), |error| Err(failed(error)))
    }

    async fn make_one_by_one(&mut self, part: usize, raws: &[Raw]) -> Result<OneByOne, Error> {
        let columns = self.columns[part].clone();
        let rows = self.understand(part, &columns, raws);
        let there = self.look_up_for(part, &rows).await?;
        let readies = self.prepare(part, rows, &there, &mut Here::default());
        let id = self.starts[part].id.clone();
        let mut made = OneByOne { steps: Vec::new(), row_of: Vec::new(), gained: vec![Gained::default()] };
        let mut gained = Gained::default();
        for (row, ready) in readies.into_iter().enumerate() {
            made.steps.extend(self.settled_by(part, &raws[row])?);
            self.alone(part, &id, ready, &mut made.steps, &mut gained)?;
            made.row_of.resize(made.steps.len(), row);
            made.gained.push(gained);
        }
        Ok(made)
    }
}

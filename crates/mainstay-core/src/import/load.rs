//! The loading itself: part after part, chunk after chunk; one chunk is written while the next is made ready.
use std::{
    collections::{BTreeMap, HashSet},
    io::Read,
    ops::Range,
    sync::Arc,
};

use mainstay_schema::{CollectionId, FieldId};
use mainstay_store::{Step, WriteStatement};

use super::{
    MissingLinks, Options, Progress, Report, Source,
    arrange::targets,
    bad::BadFile,
    behind::Behind,
    chunk::{Chunk, Chunks},
    links::take_links,
    lookup::Known,
    mapped::Mapped,
    notes::State,
    order::Order,
    parts::Part,
    prepare::{Here, Origin, Ready, Understood},
    read::{Place, Raw, Records, fields},
    repair::Repair,
    resume::Digest,
    sum::Sum,
    write::{Gained, Made, Pending, failed},
};
use crate::{Answered, Core, Error, Request};

/// Records that are understood and made ready together.
const ROWS_AT_ONCE: usize = 1_000;

/// An import under way.
pub(super) struct Loading<'a> {
    /// Which import of this database it is.
    pub(super) id: String,
    pub(super) core: &'a Core,
    pub(super) request: &'a Request,
    pub(super) sources: &'a [Source],
    pub(super) options: &'a Options,
    /// In the order of loading.
    pub(super) parts: Vec<Part>,
    /// The sources that come once.
    pub(super) streams: Vec<Option<Box<dyn Read + Send>>>,
    pub(super) report: Report,
    pub(super) progress: &'a mut (dyn FnMut(Progress) + Send),
    /// Where each part begins, and how far it is.
    pub(super) starts: Vec<Start<'a>>,
    /// What is noted before anything is loaded.
    pub(super) first: Vec<Step>,
    /// The columns of each part, once it is open.
    pub(super) columns: Vec<Vec<Option<String>>>,
    pub(super) known: Known,
    /// Which records come behind others of their names.
    pub(super) order: Order,
    pub(super) upsert: Option<FieldId>,
    pub(super) bad: Option<BadFile>,
    pub(super) statements: Vec<(CollectionId, bool, Arc<WriteStatement>)>,
    pub(super) key_only: Answered,
    /// Records of each part that were read and not written.
    pub(super) skipped: Vec<u64>,
    /// Records of each part that are written, and wrong in their links.
    pub(super) incomplete: Vec<u64>,
    /// The last record that was told to be wrong in its links.
    pub(super) told: Option<(usize, u64)>,
    /// The part that is read; behind the last one what waits is settled.
    pub(super) at: usize,
    /// Whether no record comes any more, of those that wait either.
    pub(super) is_last_round: bool,
    pub(super) mapped: Mapped,
}

/// How far a part is.
pub(super) struct Start<'a> {
    /// What its notes go by.
    pub(super) id: String,
    /// How far it was when this run began.
    pub(super) before: State,
    /// How far it is.
    pub(super) state: State,
    pub(super) digest: Digest<'a>,
    /// The notes that are forgotten once the first of it is in.
    pub(super) replaces: Vec<String>,
    /// The names of its columns.
    pub(super) names: Sum,
    /// Whether something of it may wait for what comes later.
    pub(super) waits: bool,
    /// Whether records that were wrong were repaired or taken out since.
    pub(super) was_repaired: bool,
    /// Those that were repaired, by their numbers.
    pub(super) repairs: BTreeMap<u64, Repair>,
    /// What comes behind those, of the same names.
    pub(super) behind: Behind,
}

impl<'a> Loading<'a> {
    pub(super) fn new(
        core: &'a Core,
        request: &'a Request,
        sources: &'a [Source],
        options: &'a Options,
        progress: &'a mut (dyn FnMut(Progress) + Send),
    ) -> Result<Loading<'a>, Error> {
        Ok(Loading {
            id: uuid::Uuid::now_v7().to_string(),
            core,
            request,
            sources,
            options,
            parts: Vec::new(),
            streams: Vec::new(),
            report: Report::default(),
            progress,
            starts: Vec::new(),
            first: Vec::new(),
            columns: Vec::new(),
            known: Known::default(),
            order: Order::default(),
            upsert: None,
            bad: None,
            statements: Vec::new(),
            key_only: Answered { selection: Some(core.keys.clone()), params: Vec::new() },
            skipped: Vec::new(),
            incomplete: Vec::new(),
            told: None,
            at: 0,
            is_last_round: false,
            mapped: Mapped::default(),
        })
    }

    /// Loads all parts, then what waits.
    pub(super) async fn run(&mut self) -> Result<(), Error> {
        self.skipped = vec![0; self.parts.len()];
        self.incomplete = vec![0; self.parts.len()];
        self.columns = vec![Vec::new(); self.parts.len()];
        if let Some(path) = &self.options.bad {
            let keep = self.starts.iter().map(|start| start.state.bad_bytes).max().unwrap_or(0);
            let mut bad = BadFile::open(path, keep, self.sources)?;
            self.forget_repaired(&mut bad)?;
            self.bad = Some(bad);
        }
        if !self.first.is_empty() {
            let first = std::mem::take(&mut self.first);
            self.core.store().write(self.write_of(first)?).await.map_err(failed)?;
        }
        self.see_order()?;
        for at in 0..self.parts.len() {
            self.at = at;
            self.upsert = self.upsert_field(at)?;
            self.repair(at).await?;
            if self.report.errors.is_empty() && !self.is_read(at) {
                self.part(at).await?;
            }
        }
        self.at = self.parts.len();
        if self.report.errors.is_empty() {
            self.settle_waiting().await?;
        }
        self.remember_wrong()?;
        self.note_end().await
    }

    /// Whether an earlier run has read all of a part.
    fn is_read(&self, at: usize) -> bool {
        let state = &self.starts[at].state;
        state.done && state.position >= self.parts[at].start + self.parts[at].bytes
    }

    /// Opens the records of a part where they go on.
    pub(super) fn open(&mut self, at: usize) -> Result<Records<'a>, Error> {
        let state = &self.starts[at].state;
        let place = (state.position > self.parts[at].start).then_some(Place {
            position: state.position,
            line: state.line,
            count: state.count,
        });
        let stream = self.streams[self.parts[at].source].take();
        self.open_from(&self.parts[at], place, stream)
    }

    /// Opens the records of a part at a place, or at the start.
    pub(super) fn open_from(
        &self,
        part: &Part,
        place: Option<Place>,
        stream: Option<Box<dyn Read + Send>>,
    ) -> Result<Records<'a>, Error> {
        let of = self.core.schema().collection(part.collection);
        Records::open(of, part, &self.sources[part.source], self.options, place, stream)
    }

    async fn part(&mut self, at: usize) -> Result<(), Error> {
        let records = self.open(at)?;
        self.columns[at] = records.columns().to_vec();
        self.see_names(at, &records)?;
        self.starts[at].names = Sum::of_parts(records.header().iter().map(String::as_bytes));
        let mut chunks = Chunks::new(records);
        let mut pending: Option<Pending> = None;
        loop {
            let mut chunk = chunks.next()?;
            if chunk.raws.is_empty() {
                break;
            }
            if !self.mapped.all_seen() {
                chunk.raws.iter().for_each(|raw| self.mapped.see_record(raw));
            }
            let Made { mut steps, gained, .. } = self.make_ready(at, &mut chunk, &mut pending, &mut chunks).await?;
            self.wait(&mut pending, &mut chunks).await?;
            if !self.report.errors.is_empty() {
                return Ok(());
            }
            let state = self.state_behind(at, &chunk, 0..chunk.raws.len(), gained)?;
            steps.extend(self.reached(at, &state)?);
            let writing = self.send(steps)?;
            pending = Some(Pending { part: at, chunk, state, writing });
        }
        self.wait(&mut pending, &mut chunks).await
    }

    /// Makes the records of a chunk ready, some at a time: while they are read they take several times as much memory.
    async fn make_ready(
        &mut self,
        at: usize,
        chunk: &mut Chunk,
        pending: &mut Option<Pending>,
        chunks: &mut Chunks<'a>,
    ) -> Result<Made, Error> {
        let columns = self.columns[at].clone();
        let mut made = Made::default();
        let (mut names, mut here, mut from, mut refused) = (HashSet::new(), Here::default(), 0, false);
        while from < chunk.raws.len() {
            let raws = &chunk.raws[from..(from + ROWS_AT_ONCE).min(chunk.raws.len())];
            let mut rows = self.understand(at, &columns, raws);
            let mut unknown = self.unknown(at, &rows);
            // The database must be asked of records that may be among those that are being written.
            let written = self.parts[at].collection;
            let asks_of_them = self.upsert.is_some() || unknown.iter().any(|((target, _), _)| *target == written);
            if asks_of_them && pending.is_some() {
                self.wait(pending, chunks).await?;
                // Where those were looked at one by one, other names were looked up, and some forgotten for them.
                unknown = self.unknown(at, &rows);
            }
            let twice = self.twice(at, &rows, &mut names);
            self.look_up(at, unknown).await?;
            let there = self.look_up_there(at, &rows).await?;
            rows.truncate(twice.unwrap_or(rows.len()));
            let readies = self.prepare(at, rows, &there, &mut here);
            if readies.iter().any(|ready| matches!(ready, Ready::Bad(_))) {
                self.wait(pending, chunks).await?;
                self.put_bad_aside(at, raws, &readies)?;
                refused |= self.bad.is_none();
            }
            self.steps(at, readies, &mut made)?;
            from += raws.len();
            if let Some(twice) = twice {
                chunks.give_back(chunk, from - raws.len() + twice);
                break;
            }
        }
        self.end_rows(self.parts[at].collection, &mut made)?;
        if refused {
            self.skipped[at] += chunk.raws.len() as u64;
        }
        Ok(made)
    }

    async fn wait(&mut self, pending: &mut Option<Pending>, chunks: &mut Chunks<'a>) -> Result<(), Error> {
        let waited = pending.is_some();
        match self.settle(pending).await? {
            Some((time, rows)) => chunks.took(time, rows),
            None if waited => chunks.refused(),
            None => {}
        }
        Ok(())
    }

    /// Understands records as far as they go alone.
    pub(super) fn understand<'r>(
        &self,
        part: usize,
        columns: &'r [Option<String>],
        raws: &'r [Raw],
    ) -> Vec<Understood<'r>> {
        let of = self.core.schema().collection(self.parts[part].collection);
        let one = |raw: &'r Raw| {
            let read = fields(of, columns, self.options, raw).map(|mut fields| {
                let links = take_links(self.core.schema(), of.id, &mut fields);
                (fields, links)
            });
            Understood { line: raw.line, at: raw.at, origin: Origin::File(raw), read }
        };
        raws.iter().map(one).collect()
    }

    /// Whether records of a collection may still come: from a part that is not read yet, or of those that wait.
    pub(super) fn comes_later(&self, part: usize, target: CollectionId) -> bool {
        if self.is_all_read() {
            return !self.is_last_round;
        }
        self.waits(target) || self.parts[part.min(self.at)..].iter().any(|later| later.collection == target)
    }

    /// Whether all parts are read, and what waits is settled.
    pub(super) fn is_all_read(&self) -> bool {
        self.at >= self.parts.len()
    }

    /// Whether records of a collection may wait, or were repaired and are not in yet.
    pub(super) fn waits(&self, of: CollectionId) -> bool {
        let waits = |start: &Start<'_>| start.waits || !start.repairs.is_empty();
        self.parts.iter().zip(&self.starts).any(|(part, start)| part.collection == of && waits(start))
    }

    /// Whether it is looked whether keys are there: else the database says so, of the whole chunk.
    pub(super) fn verifies(&self, part: usize, target: CollectionId) -> bool {
        self.options.missing_links == MissingLinks::Null || self.is_all_read() || self.comes_later(part, target)
    }

    /// Whether records of a collection link to others of it.
    pub(super) fn links_to_itself(&self, of: CollectionId) -> bool {
        targets(self.core.schema(), of).any(|(_, target)| target == of)
    }

    /// How far a part is behind these records of a chunk.
    pub(super) fn state_behind(
        &mut self,
        part: usize,
        chunk: &Chunk,
        rows: Range<usize>,
        gained: Gained,
    ) -> Result<State, Error> {
        let bad_bytes = self.bad.as_ref().map_or(0, BadFile::bytes);
        let of = self.core.schema().collection(self.parts[part].collection).name.clone();
        let name = self.sources[self.parts[part].source].name.clone();
        let start = &mut self.starts[part];
        let mut state = State { collection: of, name, bad_bytes, done: false, ..start.state.clone() };
        if self.options.resumable {
            start.add_up(&mut state, chunk, rows.clone());
        }
        if let Some(place) = chunk.place(rows.end) {
            (state.position, state.line, state.count) = (place.position, place.line, place.count);
            state.digest = start.digest.up_to(place.position)?;
        }
        gained.count(&mut state);
        Ok(state)
    }
}

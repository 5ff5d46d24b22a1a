//! A move from its beginning to its end.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_schema::Schema;

use super::{
    MoveError, MoveSettings, MoveStep, Moved, MovedCollection, Side,
    compare::{Compared, digests},
    copy,
    plan::{Part, Plan},
    prepare::{COPIED, LOOSE, MAKES, MAKING},
};
use crate::{Store, sql::MovedTable};

/// A move under way.
pub(super) struct Moving<'a> {
    pub(super) source: Box<dyn Side>,
    pub(super) target: Box<dyn Side>,
    /// The target, to make its tables.
    pub(super) store: &'a Store,
    pub(super) schema: &'a Arc<Schema>,
    pub(super) plan: Plan,
    pub(super) settings: &'a MoveSettings,
    pub(super) tell: &'a mut (dyn FnMut(MoveStep<'_>) + Send),
    /// Whether nobody writes to the source now.
    pub(super) is_paused: bool,
}

impl<'a> Moving<'a> {
    pub(super) fn new(
        (source, target): (Box<dyn Side>, Box<dyn Side>),
        store: &'a Store,
        schema: &'a Arc<Schema>,
        settings: &'a MoveSettings,
        tell: &'a mut (dyn FnMut(MoveStep<'_>) + Send),
    ) -> Moving<'a> {
        let plan = Plan::of(schema);
        Moving { source, target, store, schema, plan, settings, tell, is_paused: false }
    }

    /// All of it.
    pub(super) fn run(mut self) -> Result<Moved, MoveError> {
        let began = Instant::now();
        if !self.target.hold()? {
            return Err(MoveError::Held);
        }
        let outcome = if self.is_sealed()? { self.end_sealed() } else { self.go(began) };
        if outcome.is_err() && self.is_paused {
            // The source is open again in any case: its transaction ends with this process, if not here.
            let _ = self.source.roll_back();
        }
        outcome.map(|moved| Moved { took: began.elapsed(), ..moved })
    }

    /// An earlier run had sealed the source.
    fn end_sealed(&mut self) -> Result<Moved, MoveError> {
        let collections = self.compare(|_| true)?;
        self.finish()?;
        Ok(Moved { collections, ..Moved::default() })
    }

    fn go(&mut self, began: Instant) -> Result<Moved, MoveError> {
        let resumed = self.prepare()?;
        self.begins(resumed)?;
        let (copied, copying) = self.copy()?;
        self.follow_loosely()?;
        self.make_again()?;
        self.follow()?;
        let mut collections = self.compare_now()?;
        self.follow()?;
        let paused = self.begin_pause()?;
        collections.extend(self.seal()?);
        let paused = Some(paused.elapsed());
        self.finish()?;
        Ok(Moved { collections, paused, copied, copying, took: began.elapsed() })
    }

    fn begins(&mut self, resumed: bool) -> Result<(), MoveError> {
        let mut records = 0;
        for part in &self.plan.parts {
            if let Some(table) = part.tables.first() {
                records += self.source.count(table)?;
            }
        }
        let apart = self.plan.parts.iter().filter(|part| !part.fed);
        let apart: Vec<String> = apart.map(|part| part.name.clone()).collect();
        (self.tell)(MoveStep::Begins { records, resumed, apart: &apart });
        Ok(())
    }

    /// Copies the tables that are not copied yet.
    fn copy(&mut self) -> Result<(u64, Duration), MoveError> {
        let (began, mut copied) = (Instant::now(), 0);
        let copied_before = self.target.notes(COPIED)?;
        for part in &self.plan.parts {
            for (at, table) in part.tables.iter().enumerate() {
                let note = format!("{COPIED}{}", table.name);
                if copied_before.iter().any(|(name, _)| *name == note) {
                    continue;
                }
                let tell = &mut *self.tell;
                let mut told = |rows: u64| {
                    // Links are no records.
                    if at == 0 {
                        copied += rows;
                        tell(MoveStep::Copied(rows));
                    }
                };
                copy::table((&mut *self.source, &mut *self.target), table, &mut told)?;
                self.target.note(&note, "")?;
            }
        }
        self.copy_kept_first()?;
        Ok((copied, began.elapsed()))
    }

    /// Makes the indexes and references that were taken away, each kept by itself.
    fn make_again(&mut self) -> Result<(), MoveError> {
        if self.target.noted(LOOSE)?.is_none() {
            return Ok(());
        }
        (self.tell)(MoveStep::Indexes);
        self.target.note(LOOSE, MAKING)?;
        for (name, make) in self.target.notes(MAKES)? {
            self.target.begin()?;
            let made = self.target.batch(&make).and_then(|()| self.target.forget(&name));
            if made.is_err() {
                // The first failure is the one to tell.
                let _ = self.target.roll_back();
            }
            made?;
            self.target.commit()?;
        }
        let tables: Vec<&MovedTable> = self.plan.tables();
        self.target.settle(&tables)?;
        let (drift, _) = self.store.drift(&self.schema.snapshot())?;
        match drift.first() {
            // Not before: the next run would take what is broken for whole.
            None => Ok(self.target.forget(LOOSE)?),
            Some(drift) => Err(MoveError::Unfit(drift.what.clone())),
        }
    }

    /// Compares both sides as the source is at one moment.
    fn compare_now(&mut self) -> Result<Vec<MovedCollection>, MoveError> {
        self.in_snapshot(|moving| {
            moving.catch_up()?;
            moving.compare(|part| part.fed)
        })
    }

    /// Compares collections. Nobody may write meanwhile, or it is done in a snapshot.
    fn compare(&mut self, is_wanted: impl Fn(&Part) -> bool) -> Result<Vec<MovedCollection>, MoveError> {
        (self.tell)(MoveStep::Compares);
        let parts: Vec<&Part> = self.plan.parts.iter().filter(|part| is_wanted(part)).collect();
        let compared = digests((&mut *self.source, &mut *self.target), &parts)?;
        compared.into_iter().map(Compared::same).collect()
    }
}

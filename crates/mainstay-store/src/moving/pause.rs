//! The pause: what is left is copied while nobody writes, and the source is sealed.
use std::time::{Duration, Instant};

use super::{
    MoveError, MoveStep, MovedCollection,
    apart::copy_anew,
    compare::Compared,
    prepare::{INTO, MOVED, MOVING},
    run::Moving,
};
use crate::{
    StoreError,
    sql::{MovedTable, number_anew, sql_names},
};

/// Tables of ours that are written with records, or instead of them.
const SEALED: [&str; 2] = ["mainstay_schema", "mainstay_changes"];
/// A table of ours that goes on taking rows: a server that begins on a database that has moved makes its key, where none did before.
const OPEN: &str = "mainstay_keys";

impl Moving<'_> {
    /// Pauses writers. Fails where somebody always writes.
    pub(super) fn begin_pause(&mut self) -> Result<Instant, MoveError> {
        (self.tell)(MoveStep::Pauses);
        let wait_ms = self.settings.wait_ms_max;
        loop {
            let tables = self.sealed()?;
            let of: Vec<&MovedTable> = tables.iter().collect();
            let began = self.source.begin_pause(&of, Duration::from_millis(wait_ms))?;
            let began = began.ok_or(MoveError::NoPause(wait_ms))?;
            self.is_paused = true;
            // One that was made meanwhile may be written to.
            if self.sealed()?.len() == tables.len() {
                return Ok(began);
            }
            self.source.roll_back()?;
            self.is_paused = false;
        }
    }

    /// Does what is left, and seals the source: all or nothing. The collections that were compared only now.
    pub(super) fn seal(&mut self) -> Result<Vec<MovedCollection>, MoveError> {
        // A move into another target may have been faster.
        if self.source.noted(MOVED)?.is_some() {
            return Err(MoveError::Sealed);
        }
        let (_, apart) = self.catch_up()?;
        let apart = apart.into_iter().map(Compared::same).collect::<Result<_, _>>()?;
        self.copy_own()?;
        let id = self.target.noted(INTO)?;
        let id = id.ok_or_else(|| StoreError::Engine("the target does not know of the move".to_owned()))?;
        let tables = self.sealed()?;
        self.source.seal(&tables.iter().collect::<Vec<_>>())?;
        self.source.note(MOVED, &id)?;
        for (name, _) in self.source.notes(MOVING)? {
            self.source.forget(&name)?;
        }
        self.source.commit()?;
        self.is_paused = false;
        Ok(apart)
    }

    /// The last step: the target is whole. What it remembers of the move goes.
    pub(super) fn finish(&mut self) -> Result<(), MoveError> {
        self.begin_feed()?;
        self.in_target(|moving| {
            let anew = number_anew(moving.target.dialect());
            anew.iter().try_for_each(|sql| moving.target.batch(sql))
        })?;
        let tables = self.plan.tables();
        self.target.tighten(&tables)?;
        self.target.begin()?;
        for (name, _) in self.target.notes("")? {
            self.target.forget(&name)?;
        }
        Ok(self.target.commit()?)
    }

    /// The tables that take no writes any more.
    fn sealed(&mut self) -> Result<Vec<MovedTable>, MoveError> {
        let mut tables: Vec<MovedTable> = self.plan.tables().into_iter().cloned().collect();
        let there = self.source.tables()?;
        let own = self.plan.own.iter().chain([&self.plan.kept]).filter(|table| table.name != OPEN);
        tables.extend(own.filter(|table| there.contains(&table.name)).cloned());
        tables.extend(SEALED.into_iter().filter(|name| there.iter().any(|of| of == name)).map(sql_names));
        Ok(tables)
    }

    /// What the server keeps beside the records.
    fn copy_own(&mut self) -> Result<(), MoveError> {
        self.make_import_notes()?;
        let there = self.source.tables()?;
        let own: Vec<MovedTable> = self.plan.own.iter().filter(|table| there.contains(&table.name)).cloned().collect();
        self.in_target(|moving| {
            copy_anew((&mut *moving.source, &mut *moving.target), &own.iter().collect::<Vec<_>>())
        })?;
        let counted = self.plan.tables().into_iter().filter(|table| table.counted);
        let counted = counted.chain(own.iter().chain([&self.plan.kept]).filter(|table| table.counted));
        let counted: Vec<MovedTable> = counted.cloned().collect();
        for table in &counted {
            let last = self.source.counter(table)?;
            let there = self.target.last(table)?;
            let there = match there.as_deref() {
                Some([mainstay_expr::Value::Int(key)]) => Some(*key),
                _ => None,
            };
            if let Some(last) = last.max(there) {
                self.target.count_on(table, last)?;
            }
        }
        Ok(())
    }

    fn begin_feed(&mut self) -> Result<(), MoveError> {
        let paths: Vec<&str> = self.plan.parts.iter().map(|part| part.path.as_str()).collect();
        self.target.begin()?;
        self.target.begin_feed(&paths)?;
        Ok(self.target.commit()?)
    }
}

//! Copies again what was written meanwhile: the records that the feed names, as they are by now.
use mainstay_expr::Value;
use mainstay_plan::Position;

use super::{
    Changed, MoveError, MoveStep, Side,
    compare::Digest,
    plan::{Keys, Plan},
    prepare::{LOOSE, MAKING, POSITION},
    run::Moving,
};
use crate::StoreError;

/// Keys that are asked for together.
const KEYS: usize = 2_000;

/// Changes that are looked at in one round while nothing in the target holds rows to each other: that many keys fit into memory.
const CHANGES: u64 = 200_000;

impl Moving<'_> {
    /// Rounds while indexes and references are away, each about so many changes at most, until the end was seen.
    pub(super) fn follow_loosely(&mut self) -> Result<(), MoveError> {
        let mut before = usize::MAX;
        while self.target.noted(LOOSE)?.is_some_and(|stage| stage != MAKING) {
            let (count, is_more) = self.round(Some(CHANGES))?;
            if !is_more && self.is_enough(count, before) {
                break;
            }
            before = if is_more { usize::MAX } else { count };
        }
        Ok(())
    }

    /// Rounds, until few records are left. The target is as the source was at the last.
    pub(super) fn follow(&mut self) -> Result<(), MoveError> {
        let mut before = usize::MAX;
        loop {
            let (count, _) = self.round(None)?;
            if self.is_enough(count, before) {
                return Ok(());
            }
            before = count;
        }
    }

    /// Whether another round would not help: few records are left, or about as many as were left by the one before, which writers
    /// write while a round lasts.
    fn is_enough(&self, count: usize, before: usize) -> bool {
        count <= self.settings.few || count > before / 2
    }

    /// One round, in a snapshot of the source: how many records it was about, and whether there are more changes.
    fn round(&mut self, limit: Option<u64>) -> Result<(usize, bool), MoveError> {
        self.source.begin_snapshot()?;
        let outcome = self.catch_up(limit);
        // Nothing is written in a snapshot.
        let ended = self.source.roll_back();
        let count = outcome?;
        ended?;
        Ok(count)
    }

    /// The same inside of a transaction of the source.
    pub(super) fn catch_up(&mut self, limit: Option<u64>) -> Result<(usize, bool), MoveError> {
        self.copy_kept()?;
        let after = self.position()?;
        let Changed { records, end, is_more } = self.source.touched(after, limit)?;
        let keys = self.plan.keys(records)?;
        let count = keys.values().map(Vec::len).sum();
        if count == 0 && end == after {
            return Ok((0, is_more));
        }
        self.target.begin()?;
        let replaced = replace((&mut *self.source, &mut *self.target), &self.plan, &keys)
            .and_then(|()| self.target.note(POSITION, &end.to_string()));
        if replaced.is_err() {
            // The first failure is the one to tell.
            let _ = self.target.roll_back();
        }
        replaced?;
        self.target.commit()?;
        (self.tell)(MoveStep::Follows(count));
        Ok((count, is_more))
    }

    /// Up to where the target has what the feed told.
    fn position(&mut self) -> Result<Position, MoveError> {
        let noted = self.target.noted(POSITION)?;
        let position = noted.as_deref().and_then(|text| text.parse().ok());
        position.ok_or_else(|| StoreError::Engine("the target does not say how far it is".to_owned()).into())
    }
}

/// Takes records out of the target and writes them as they are in the source: all of them out first, so that uniques that
/// were swapped are in nobody's way.
fn replace((source, target): (&mut dyn Side, &mut dyn Side), plan: &Plan, keys: &Keys) -> Result<(), StoreError> {
    let lists = |keys: &[Value]| keys.chunks(KEYS).map(|some| Value::List(some.into())).collect::<Vec<_>>();
    for (at, keys) in keys {
        for list in lists(keys) {
            for table in &plan.parts[*at].tables {
                let delete = table.delete_keys(target.dialect());
                target.execute(&delete, std::slice::from_ref(&list))?;
            }
        }
    }
    for (at, keys) in keys {
        for list in lists(keys) {
            for table in &plan.parts[*at].tables {
                let rows = source.of_keys(table, &list)?;
                target.fill(table, &rows)?;
                let (mut wanted, mut written) = (Digest::default(), Digest::default());
                wanted.add(table, &rows);
                written.add(table, &target.of_keys(table, &list)?);
                if wanted != written {
                    return Err(StoreError::Engine(format!("rows of table \"{}\" came out differently", table.name)));
                }
            }
        }
    }
    Ok(())
}

//! Copies again what was written meanwhile: the records that the feed names, as they are by now.
use mainstay_expr::Value;
use mainstay_plan::Position;

use super::{
    Changed, MoveError, MoveStep, Side,
    apart::Apart,
    compare::{Compared, Digest},
    copy::Room,
    plan::Keys,
    prepare::{LOOSE, MAKING, POSITION},
    run::Moving,
};
use crate::{StoreError, sql::MovedTable};

/// Keys that are taken out together, and asked for at most.
const KEYS: usize = 2_000;

/// Some of what was written behind a position.
struct Portion {
    keys: Keys,
    end: Position,
    is_more: bool,
}

impl Moving<'_> {
    /// Rounds while indexes and references are away, each about a portion, until the end was seen: nothing in the target holds rows
    /// to each other.
    pub(super) fn follow_loosely(&mut self) -> Result<(), MoveError> {
        let mut before = usize::MAX;
        while self.target.noted(LOOSE)?.is_some_and(|stage| stage != MAKING) {
            let (count, is_more) = self.in_snapshot(Moving::catch_up_some)?;
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
            let (count, _) = self.in_snapshot(Moving::catch_up)?;
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

    /// Works while the source stays as it is now.
    pub(super) fn in_snapshot<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, MoveError>,
    ) -> Result<T, MoveError> {
        self.source.begin_snapshot()?;
        let outcome = work(self);
        // Nothing is written in a snapshot.
        let ended = self.source.roll_back();
        let value = outcome?;
        ended?;
        Ok(value)
    }

    /// Works in one transaction of the target: all or nothing.
    pub(super) fn in_target<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, MoveError> {
        self.target.begin()?;
        let outcome = work(self);
        if outcome.is_err() {
            // The first failure is the one to tell.
            let _ = self.target.roll_back();
        }
        let value = outcome?;
        self.target.commit()?;
        Ok(value)
    }

    /// A portion of what the feed tells: how many records it was about, and whether there is more.
    fn catch_up_some(&mut self) -> Result<(usize, bool), MoveError> {
        self.begin_round()?;
        let after = self.position()?;
        let some = self.portion(after)?;
        let is_more = some.is_more;
        let apart = if is_more { Apart::None } else { Apart::All };
        let (count, _) = self.write_round(after, Portion { is_more: false, ..some }, apart)?;
        Ok((count, is_more))
    }

    /// All that the feed tells, inside of a transaction of the source: how many records it was about, and what the collections come to
    /// that it does not tell of, where they were looked at.
    pub(super) fn catch_up(&mut self) -> Result<(usize, Vec<Compared>), MoveError> {
        self.begin_round()?;
        let after = self.position()?;
        let first = self.portion(after)?;
        let apart = if self.is_paused { Apart::All } else { Apart::Linked };
        self.write_round(after, first, apart)
    }

    /// What each round begins with.
    fn begin_round(&mut self) -> Result<(), MoveError> {
        self.require_schema()?;
        self.copy_kept()
    }

    fn write_round(
        &mut self,
        after: Position,
        first: Portion,
        apart: Apart,
    ) -> Result<(usize, Vec<Compared>), MoveError> {
        if first.keys.is_empty() && first.end == after && apart != Apart::All {
            return Ok((0, Vec::new()));
        }
        let (count, compared) = self.in_target(|moving| {
            let (count, end) = moving.replace_all(first)?;
            let compared = moving.bring_apart(apart)?;
            moving.target.note(POSITION, &end.to_string())?;
            Ok((count, compared))
        })?;
        (self.tell)(MoveStep::Follows(count));
        Ok((count, compared))
    }

    /// Replaces the records of a portion, and of all behind it: how many they are, and where they end. Uniques and references may
    /// hold records of one portion to those of another, so that all are taken out before the first is written.
    fn replace_all(&mut self, first: Portion) -> Result<(usize, Position), StoreError> {
        let mut last = (first.end, first.is_more);
        self.take_out(&first.keys)?;
        while last.1 {
            let some = self.portion(last.0)?;
            self.take_out(&some.keys)?;
            last = (some.end, some.is_more);
        }
        let (mut count, mut some) = (0, first);
        loop {
            count += some.keys.values().map(Vec::len).sum::<usize>();
            self.write(&some.keys)?;
            if !some.is_more {
                return Ok((count, some.end));
            }
            some = self.portion(some.end)?;
            // One that is in two portions was written with the first of them.
            self.take_out(&some.keys)?;
        }
    }

    /// What the feed tells behind a position, as much as fits into memory.
    fn portion(&mut self, after: Position) -> Result<Portion, StoreError> {
        let Changed { records, end, is_more } = self.source.touched(after, self.settings.changes)?;
        Ok(Portion { keys: self.plan.keys(records)?, end, is_more })
    }

    /// Takes records out of the target.
    fn take_out(&mut self, keys: &Keys) -> Result<(), StoreError> {
        for (at, keys) in keys {
            for some in keys.chunks(KEYS) {
                for table in &self.plan.parts[*at].tables {
                    let delete = table.delete_keys(self.target.dialect());
                    self.target.execute(&delete, &[Value::List(some.into())])?;
                }
            }
        }
        Ok(())
    }

    /// Writes records as they are in the source, as many at a time as there is room for.
    fn write(&mut self, keys: &Keys) -> Result<(), StoreError> {
        for (at, keys) in keys {
            for table in &self.plan.parts[*at].tables {
                let (mut rest, mut room) = (&keys[..], Room::new());
                while !rest.is_empty() {
                    let (some, others) = rest.split_at(room.rows().min(KEYS).min(rest.len()));
                    let rows = write_some((&mut *self.source, &mut *self.target), table, &Value::List(some.into()))?;
                    room.learn(some.len(), &rows);
                    rest = others;
                }
            }
        }
        Ok(())
    }

    /// Up to where the target has what the feed told.
    fn position(&mut self) -> Result<Position, StoreError> {
        let noted = self.target.noted(POSITION)?;
        let position = noted.as_deref().and_then(|text| text.parse().ok());
        position.ok_or_else(|| StoreError::Engine("the target does not say how far it is".to_owned()))
    }
}

/// Writes the rows of some keys, which are none in the target, and looks whether they came out as they are; what they are.
fn write_some(
    (source, target): (&mut dyn Side, &mut dyn Side),
    table: &MovedTable,
    keys: &Value,
) -> Result<Vec<Value>, StoreError> {
    let rows = source.of_keys(table, keys)?;
    target.fill(table, &rows)?;
    let (mut wanted, mut written) = (Digest::default(), Digest::default());
    wanted.add(table, &rows);
    written.add(table, &target.of_keys(table, keys)?);
    if wanted == written {
        return Ok(rows);
    }
    Err(StoreError::Engine(format!("rows of table \"{}\" came out differently", table.name)))
}

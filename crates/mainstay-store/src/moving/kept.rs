//! The answers that are kept for idempotency keys. The feed does not tell them, and nothing else says which came lately: the clocks of
//! nodes differ, and an id is given before the transaction ends that keeps it. So both sides sum theirs up by groups of ids, and
//! groups that differ are copied again, as they are in the source: little of it is left to the pause, and however many there are, only
//! the sums and a portion are in memory.
use std::collections::BTreeMap;

use mainstay_expr::Value;

use super::{
    MoveError, Side,
    compare::both,
    copy::{self, Room},
    run::Moving,
};
use crate::{
    StoreError,
    sql::{Decode, MovedTable, kept_sums},
};

/// Ids of a group.
const IDS: i64 = 1_024;

/// Groups, and what they come to.
type Sums = BTreeMap<i64, [i64; 3]>;

impl Moving<'_> {
    /// Copies all of them for the first time, in portions.
    pub(super) fn copy_kept_first(&mut self) -> Result<(), MoveError> {
        let table = self.plan.kept.clone();
        if self.source.has(&table.name)? {
            // One whose key is used again meanwhile is in the way of the other; the next round begins with what is missing.
            let _ = copy::table((&mut *self.source, &mut *self.target), &table, &mut |_| {});
        }
        Ok(())
    }

    /// Copies again those of which the target has others, in a transaction of the source.
    pub(super) fn copy_kept(&mut self) -> Result<(), MoveError> {
        let table = self.plan.kept.clone();
        if !self.source.has(&table.name)? {
            return Ok(());
        }
        let (here, there) = both((&mut *self.source, &mut *self.target), sums)?;
        let others = ranges(&here, &there);
        if others.is_empty() {
            return Ok(());
        }
        self.in_target(|moving| {
            let (source, target) = (&mut *moving.source, &mut *moving.target);
            // All of them out first: one whose key was used again has another id.
            let delete = table.delete_between(target.dialect());
            others.iter().try_for_each(|range| target.execute(&delete, &range.map(Value::Int)))?;
            others.iter().try_for_each(|range| copy_between((&mut *source, &mut *target), &table, *range))
        })
    }
}

fn sums(side: &mut dyn Side) -> Result<Sums, StoreError> {
    let sql = kept_sums(side.dialect(), IDS);
    let mut sums = Sums::new();
    side.rows(&sql, &[], &[Decode::Int; 4], &mut |row| {
        if let [Value::Int(group), Value::Int(count), Value::Int(first), Value::Int(second)] = row[..] {
            sums.insert(group, [count, first, second]);
        }
    })?;
    Ok(sums)
}

/// The ids of the groups that differ: behind the first of the two, up to the second. Groups beside each other are one.
fn ranges(here: &Sums, there: &Sums) -> Vec<[i64; 2]> {
    let mut groups: Vec<i64> = here.keys().chain(there.keys()).copied().collect();
    groups.sort_unstable();
    groups.dedup();
    let mut ranges: Vec<[i64; 2]> = Vec::new();
    for group in groups.into_iter().filter(|group| here.get(group) != there.get(group)) {
        let (behind, last) = (group * IDS - 1, group * IDS + IDS - 1);
        match ranges.last_mut() {
            Some([_, end]) if *end == behind => *end = last,
            _ => ranges.push([behind, last]),
        }
    }
    ranges
}

fn copy_between(
    (source, target): (&mut dyn Side, &mut dyn Side),
    table: &MovedTable,
    [mut behind, last]: [i64; 2],
) -> Result<(), StoreError> {
    let (decodes, mut room) = (table.decodes().collect::<Vec<_>>(), Room::new());
    loop {
        let sql = table.between(source.dialect(), room.rows());
        let rows = source.all(&sql, &[Value::Int(behind), Value::Int(last)], &decodes)?;
        let count = rows.len() / decodes.len().max(1);
        let is_last = count < room.rows();
        if let Some(Value::Int(id)) = rows.chunks(decodes.len().max(1)).next_back().and_then(<[Value]>::first) {
            behind = *id;
            room.learn(count, &rows);
            target.fill(table, &rows)?;
        }
        if is_last {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_differ_are_ranges_of_ids() {
        let sums = |of: &[(i64, i64)]| of.iter().map(|(group, sum)| (*group, [1, *sum, 0])).collect::<Sums>();
        let here = sums(&[(0, 1), (1, 2), (2, 3), (5, 5)]);
        assert_eq!(ranges(&here, &here), Vec::<[i64; 2]>::new());
        // One that is gone, two that are others, one that is new.
        let there = sums(&[(0, 1), (1, 4), (2, 4), (9, 9)]);
        assert_eq!(ranges(&here, &there), [[1_023, 3_071], [5_119, 6_143], [9_215, 10_239]]);
    }
}

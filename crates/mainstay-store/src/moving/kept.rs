//! The answers that are kept for idempotency keys. The feed does not tell them, but each has a time and is never changed: what came
//! lately is copied again in each round, so that little is left to the pause. Old ones that are gone by now do no harm in the target.
use std::collections::HashMap;

use mainstay_expr::Value;

use super::{MoveError, copy, prepare::KEPT, run::Moving};
use crate::{
    StoreError,
    sql::{Decode, KEPT_COLUMNS, forget_kept, plain},
};

/// A write may come so long behind the time that it is noted with.
const LATE_MICROS: i64 = 60_000_000;

impl Moving<'_> {
    /// Copies all of them for the first time, in portions.
    pub(super) fn copy_kept_first(&mut self) -> Result<(), MoveError> {
        if !self.source.has(&self.plan.kept.name)? {
            return Ok(());
        }
        if self.target.noted(KEPT)?.is_none() {
            let time = self.last_kept()?.saturating_sub(LATE_MICROS);
            self.target.note(KEPT, &time.to_string())?;
        }
        let table = self.plan.kept.clone();
        Ok(copy::table((&mut *self.source, &mut *self.target), &table, &mut |_| {})?)
    }

    /// Copies again those that came lately, where the target has them not or otherwise.
    pub(super) fn copy_kept(&mut self) -> Result<(), MoveError> {
        let since = self.target.noted(KEPT)?.and_then(|time| time.parse::<i64>().ok());
        let Some(since) = since else { return Ok(()) };
        let next = self.last_kept()?.saturating_sub(LATE_MICROS).max(since);
        let table = self.plan.kept.clone();
        let decodes: Vec<Decode> = table.decodes().collect();
        let sql = table.since(self.source.dialect(), "time");
        let mut rows: HashMap<i64, Vec<Value>> = HashMap::new();
        self.source.rows(&sql, &[Value::Int(since)], &decodes, &mut |row| {
            if let Some(Value::Int(id)) = row.first() {
                rows.insert(*id, row);
            }
        })?;
        let ids = Value::List(rows.keys().map(|id| Value::Int(*id)).collect());
        for row in self.target.of_keys(&table, &ids)?.chunks(decodes.len()) {
            if let Some(Value::Int(id)) = row.first()
                && rows.get(id).is_some_and(|wanted| wanted == row)
            {
                rows.remove(id);
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows: Vec<Vec<Value>> = rows.into_values().collect();
        // An old one that is in another's way, because its key was used again or its number given again, is rare.
        self.replace_kept(&rows, next, false).or_else(|_| self.replace_kept(&rows, next, true)).map_err(MoveError::from)
    }

    fn replace_kept(&mut self, rows: &[Vec<Value>], next: i64, one_by_one: bool) -> Result<(), StoreError> {
        self.target.begin()?;
        let replaced = self.try_replace_kept(rows, next, one_by_one);
        if replaced.is_err() {
            // The first failure is the one to tell.
            let _ = self.target.roll_back();
        }
        replaced?;
        self.target.commit()
    }

    fn try_replace_kept(&mut self, rows: &[Vec<Value>], next: i64, one_by_one: bool) -> Result<(), StoreError> {
        let table = self.plan.kept.clone();
        if one_by_one {
            let delete = forget_kept(self.target.dialect());
            for row in rows {
                // In the order of the columns.
                self.target.execute(&delete, row.get(..KEPT_COLUMNS.len()).unwrap_or_default())?;
            }
        } else {
            let ids = Value::List(rows.iter().filter_map(|row| row.first().cloned()).collect());
            let delete = table.delete_keys(self.target.dialect());
            self.target.execute(&delete, &[ids])?;
        }
        self.target.fill(&table, &rows.concat())?;
        self.target.note(KEPT, &next.to_string())
    }

    /// The time of the last.
    fn last_kept(&mut self) -> Result<i64, StoreError> {
        let sql = plain("SELECT max(time) FROM mainstay_idempotency".to_owned(), 0);
        match self.source.all(&sql, &[], &[Decode::Int])?.first() {
            Some(Value::Int(time)) => Ok(*time),
            _ => Ok(0),
        }
    }
}

//! Bounds lists inside of lists while the database builds them: they multiply, and each level is held on its own until it is part of
//! the one above, so that the bound of single values alone lets one statement take many times as much.
use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use rusqlite::{
    Connection, Error, Result,
    functions::{Context, FunctionFlags, SubType},
    types::ValueRef,
};

use super::functions::JSON;
use crate::{Settings, StoreError};

/// Levels that are told apart; deeper ones count as the last.
const LEVELS: usize = 16;
/// What an error of the statement begins with; the limit follows.
const TOO_MANY: &str = "too many nested records: ";
/// An error of the statement.
const TOO_LARGE: &str = "the nested records are too large";

/// What the running statement of one connection has built so far, level by level.
#[derive(Debug)]
pub(super) struct Nested {
    /// Bytes of the records of each level that are not yet part of one above.
    held: [AtomicU64; LEVELS],
    records: AtomicUsize,
    records_max: usize,
    bytes_max: u64,
}

impl Nested {
    /// Gives a connection the function `mainstay_nested(json, level)`: the same JSON, counted.
    pub(super) fn register(connection: &Connection, settings: &Settings) -> Result<Arc<Nested>> {
        let nested = Arc::new(Nested {
            held: Default::default(),
            records: AtomicUsize::new(0),
            records_max: settings.answer_nested_max,
            bytes_max: u64::from(settings.answer_bytes_max),
        });
        let (flags, counting) = (FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_RESULT_SUBTYPE, nested.clone());
        connection.create_scalar_function(c"mainstay_nested", 2, flags, move |context| counting.call(context))?;
        Ok(nested)
    }

    /// Bytes of all records of an answer at most.
    pub(super) fn bytes_max(&self) -> usize {
        usize::try_from(self.bytes_max).unwrap_or(usize::MAX)
    }

    /// Another statement begins.
    pub(super) fn begin(&self) {
        // Most statements nest nothing.
        if self.records.swap(0, Ordering::Relaxed) > 0 {
            for held in &self.held {
                held.store(0, Ordering::Relaxed);
            }
        }
    }

    fn call(&self, context: &Context<'_>) -> Result<(Option<String>, SubType)> {
        let ValueRef::Text(json) = context.get_raw(0) else { return Ok((None, JSON)) };
        let level = context.get::<i64>(1).ok().and_then(|level| usize::try_from(level).ok()).unwrap_or(0);
        self.add(json.len() as u64, level.min(LEVELS - 1))?;
        let json = std::str::from_utf8(json).map_err(|error| Error::UserFunctionError(error.into()))?;
        Ok((Some(json.to_owned()), JSON))
    }

    /// A record is finished: what its own lists held is part of it now.
    fn add(&self, bytes: u64, level: usize) -> Result<()> {
        if self.records.fetch_add(1, Ordering::Relaxed) >= self.records_max {
            return Err(Error::UserFunctionError(format!("{TOO_MANY}{}", self.records_max).into()));
        }
        self.held[level].fetch_add(bytes, Ordering::Relaxed);
        if let Some(inner) = self.held.get(level + 1) {
            inner.store(0, Ordering::Relaxed);
        }
        let held: u64 = self.held.iter().map(|held| held.load(Ordering::Relaxed)).sum();
        if held > self.bytes_max { Err(Error::UserFunctionError(TOO_LARGE.into())) } else { Ok(()) }
    }
}

/// What a statement says that was ended here.
pub(super) fn failure(message: &str) -> Option<StoreError> {
    if message == TOO_LARGE {
        return Some(StoreError::AnswerTooLarge);
    }
    let limit = message.strip_prefix(TOO_MANY)?.parse().ok()?;
    Some(StoreError::TooManyNested { limit })
}

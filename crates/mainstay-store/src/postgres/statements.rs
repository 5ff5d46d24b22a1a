//! The prepared statements of one connection, by their text; those that were not used for longest go first.
use std::collections::HashMap;

use tokio_postgres::{Client, Error, Statement};

/// Bytes of SQL past which a statement is not kept prepared: their number is bounded, and such a one holds much.
const KEPT_BYTES_MAX: usize = 32 * 1024;

/// What is kept.
#[derive(Debug)]
pub(super) struct Statements {
    kept: HashMap<Box<str>, Kept, foldhash::fast::RandomState>,
    max: usize,
    /// Counts uses.
    now: u64,
}

#[derive(Debug)]
struct Kept {
    statement: Statement,
    used: u64,
}

impl Statements {
    /// None yet, and at most so many.
    pub(super) fn new(max: usize) -> Statements {
        Statements { kept: HashMap::default(), max: max.max(1), now: 0 }
    }

    /// The statement of this text, prepared where it is not yet.
    pub(super) async fn get(&mut self, client: &Client, text: &str) -> Result<Statement, Error> {
        self.now += 1;
        if let Some(kept) = self.kept.get_mut(text) {
            kept.used = self.now;
            return Ok(kept.statement.clone());
        }
        let statement = client.prepare(text).await?;
        if text.len() <= KEPT_BYTES_MAX {
            self.make_room();
            self.kept.insert(text.into(), Kept { statement: statement.clone(), used: self.now });
        }
        Ok(statement)
    }

    /// Forgets all of them: the tables have changed.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }

    fn make_room(&mut self) {
        if self.kept.len() < self.max {
            return;
        }
        let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(text, _)| text.clone());
        if let Some(oldest) = oldest {
            // The server forgets it when the last who uses it does.
            self.kept.remove(&oldest);
        }
    }
}

//! A read, rendered and kept.
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::sql::ReadSql;

/// A read rendered for the engine: kept and used again for every request of its shape.
pub struct ReadStatement {
    pub(crate) sql: ReadSql,
    /// Whether it took long the last time.
    slow: AtomicBool,
}

impl ReadStatement {
    pub(crate) fn new(sql: ReadSql) -> ReadStatement {
        ReadStatement { sql, slow: AtomicBool::new(false) }
    }

    /// Its SQL.
    pub fn sql(&self) -> &str {
        &self.sql.page.text
    }

    /// Whether it is worth a try on the thread that asks.
    pub(crate) fn is_slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed)
    }

    /// Remembers how long it took.
    pub(crate) fn mark_slow(&self, slow: bool) {
        self.slow.store(slow, Ordering::Relaxed);
    }
}

impl fmt::Debug for ReadStatement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.sql())
    }
}

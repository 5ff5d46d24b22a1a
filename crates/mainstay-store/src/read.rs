//! A read, rendered and kept.
use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use mainstay_schema::Schema;

use crate::{advice::Origin, sql::ReadSql};

/// A read rendered for the engine: kept and used again for every request of its shape.
pub struct ReadStatement {
    pub(crate) sql: ReadSql,
    /// Whether it took long the last time.
    slow: AtomicBool,
    /// What it was made from, where the store explains.
    origin: Option<Box<(Arc<Schema>, Origin)>>,
    /// What is told of it when it is slow: the plan in words, the missing indexes.
    told: OnceLock<String>,
}

impl ReadStatement {
    pub(crate) fn new(sql: ReadSql, origin: Option<(Arc<Schema>, Origin)>) -> ReadStatement {
        ReadStatement { sql, slow: AtomicBool::new(false), origin: origin.map(Box::new), told: OnceLock::new() }
    }

    /// What it was made from.
    pub(crate) fn origin(&self) -> Option<(&Arc<Schema>, &Origin)> {
        self.origin.as_deref().map(|(schema, origin)| (schema, origin))
    }

    /// What is told of it, once that is known.
    pub(crate) fn told(&self) -> Option<&str> {
        self.told.get().map(String::as_str)
    }

    /// What is told of it, made once.
    pub(crate) fn tell(&self, make: impl FnOnce() -> String) -> &str {
        self.told.get_or_init(make)
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

//! How SQLite writes things.
use crate::sql::Dialect;

/// SQLite's dialect.
#[derive(Clone, Copy, Debug, Default)]
pub struct SqliteDialect;

impl Dialect for SqliteDialect {
    fn quote(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    fn placeholder(&self, n: usize) -> String {
        format!("?{n}")
    }

    fn rebuilds(&self) -> bool {
        true
    }
}

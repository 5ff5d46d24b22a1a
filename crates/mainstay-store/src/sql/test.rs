//! Conditions in the making: constants are folded on the way.
use crate::sql::Dialect;

/// A condition in a place where null stands for "not true".
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// True of every row.
    Always,
    /// True of none.
    Never,
    /// True where this SQL is; it binds closer than AND.
    When(String),
}

impl Test {
    /// A condition from its SQL.
    pub(crate) fn when(sql: impl Into<String>) -> Test {
        Test::When(sql.into())
    }

    /// Always or never.
    pub(crate) fn constant(value: bool) -> Test {
        if value { Test::Always } else { Test::Never }
    }

    /// All of them.
    pub(crate) fn all(tests: impl IntoIterator<Item = Test>) -> Test {
        let mut kept: Vec<String> = Vec::new();
        for test in tests {
            match test {
                Test::Always => {}
                Test::Never => return Test::Never,
                Test::When(sql) if kept.contains(&sql) => {}
                Test::When(sql) => kept.push(sql),
            }
        }
        if kept.is_empty() { Test::Always } else { Test::When(kept.join(" AND ")) }
    }

    /// One of them.
    pub(crate) fn any(tests: impl IntoIterator<Item = Test>) -> Test {
        let mut kept: Vec<String> = Vec::new();
        for test in tests {
            match test {
                Test::Never => {}
                Test::Always => return Test::Always,
                Test::When(sql) if kept.contains(&sql) => {}
                Test::When(sql) => kept.push(sql),
            }
        }
        match kept.len() {
            0 => Test::Never,
            1 => Test::When(kept.swap_remove(0)),
            _ => Test::When(format!("({})", kept.join(" OR "))),
        }
    }

    /// This and the other one.
    pub(crate) fn and(self, other: Test) -> Test {
        Test::all([self, other])
    }

    /// Its SQL.
    pub(crate) fn sql(&self, dialect: &dyn Dialect) -> String {
        match self {
            Test::Always => dialect.boolean(true).to_owned(),
            Test::Never => dialect.boolean(false).to_owned(),
            Test::When(sql) => sql.clone(),
        }
    }

    /// ` WHERE …`, or nothing where it always holds.
    pub(crate) fn filter(&self, dialect: &dyn Dialect) -> String {
        match self {
            Test::Always => String::new(),
            _ => format!(" WHERE {}", self.sql(dialect)),
        }
    }

    /// Whether it does not hold, null included.
    pub(crate) fn fails(self, dialect: &dyn Dialect) -> Test {
        match self {
            Test::Always => Test::Never,
            Test::Never => Test::Always,
            Test::When(sql) => Test::When(dialect.is_not_true(&sql)),
        }
    }
}

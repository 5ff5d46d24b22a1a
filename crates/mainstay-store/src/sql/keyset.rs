//! Where a page begins: behind the sort keys of the last record of the page before.
use mainstay_expr::Type;

use crate::{
    StoreError,
    sql::{
        Bind,
        test::Test,
        writer::{Writer, defect},
    },
};

/// A sort key, rendered.
pub(crate) struct SortColumn {
    pub(crate) sql: String,
    pub(crate) ty: Type,
    pub(crate) descending: bool,
    /// Whether it may be null in SQL, where an error is null too.
    pub(crate) may_be_null: bool,
}

/// One sort key of the record that the page follows.
struct Key {
    /// The key of a record.
    sql: String,
    /// Its value in the record before; `None`: null.
    value: Option<String>,
    descending: bool,
    may_be_null: bool,
}

impl Writer<'_> {
    /// Whether a record comes after these values of its sort keys.
    pub(crate) fn after(&mut self, by: &[SortColumn], after: &[Option<u16>]) -> Result<Test, StoreError> {
        if by.len() != after.len() || by.is_empty() {
            return Err(defect("a page begins after as many values as it has sort keys"));
        }
        let key = |(by, value): (&SortColumn, &Option<u16>)| Key {
            sql: by.sql.clone(),
            value: value.map(|value| self.bind_as(Bind::Value(value), &by.ty)),
            descending: by.descending,
            may_be_null: by.may_be_null,
        };
        let keys: Vec<Key> = by.iter().zip(after).map(key).collect();
        Ok(after_all(&keys))
    }
}

fn after_all(keys: &[Key]) -> Test {
    let same_way = keys.iter().all(|key| key.descending == keys[0].descending);
    if let Some((values, true)) = values_without_null(keys).map(|values| (values, same_way)) {
        let sign = if keys[0].descending { "<" } else { ">" };
        let columns: Vec<&str> = keys.iter().map(|key| key.sql.as_str()).collect();
        return match columns.as_slice() {
            [one] => Test::when(format!("{one} {sign} {}", values[0])),
            all => Test::when(format!("({}) {sign} ({})", all.join(", "), values.join(", "))),
        };
    }
    // From the last key to the first: after this key, or equal in it and after in the ones behind.
    let mut rest = Test::Never;
    for key in keys.iter().rev() {
        rest = Test::any([key.after(), key.equal().and(rest)]);
    }
    // What the first key alone rules out, said once more: a range that an index can be asked for.
    keys[0].not_before().and(rest)
}

/// The values, where neither they nor the keys are ever null: then the keys compare as one row.
fn values_without_null(keys: &[Key]) -> Option<Vec<&str>> {
    keys.iter().map(|key| key.value.as_deref().filter(|_| !key.may_be_null)).collect()
}

impl Key {
    fn after(&self) -> Test {
        match (&self.value, self.descending) {
            (Some(value), false) => Test::when(format!("{} > {value}", self.sql)),
            (Some(value), true) => {
                let below = Test::when(format!("{} < {value}", self.sql));
                if self.may_be_null { Test::any([below, self.null()]) } else { below }
            }
            (None, false) => Test::when(format!("{} IS NOT NULL", self.sql)),
            (None, true) => Test::Never,
        }
    }

    fn equal(&self) -> Test {
        match &self.value {
            Some(value) => Test::when(format!("{} = {value}", self.sql)),
            None => self.null(),
        }
    }

    fn not_before(&self) -> Test {
        match (&self.value, self.descending) {
            (Some(value), false) => Test::when(format!("{} >= {value}", self.sql)),
            (Some(value), true) if !self.may_be_null => Test::when(format!("{} <= {value}", self.sql)),
            _ => Test::Always,
        }
    }

    fn null(&self) -> Test {
        if self.may_be_null { Test::when(format!("{} IS NULL", self.sql)) } else { Test::Never }
    }
}

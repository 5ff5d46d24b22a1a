//! The table of writes that are done once for their key: one row for each, with the answer that was given.
use mainstay_schema::Scalar;

use super::own::OwnTable;
use crate::sql::{Bind, Dialect, Sql};

/// The table. `id` counts all rows, `number` those of one caller: both grow with time, so that the oldest are found without a
/// search.
pub(super) const ONCE: OwnTable = OwnTable {
    name: "mainstay_idempotency",
    counted: Some("id"),
    columns: &[
        ("caller", Scalar::String, true),
        ("number", Scalar::Long, true),
        ("key", Scalar::String, true),
        ("request", Scalar::Bytes, true),
        ("body", Scalar::Bytes, true),
        ("time", Scalar::Long, true),
        ("answer", Scalar::Bytes, true),
    ],
};

/// Old rows that one write looks at, and of one caller takes out, at most: more than it adds, so that the table shrinks, and
/// so few that nobody waits.
const TRIMMED_MAX: usize = 8;

/// Makes the table, where there is none.
pub fn make_once(dialect: &dyn Dialect) -> String {
    ONCE.make(dialect, &[&["caller", "key", "request"], &["caller", "number"]])
}

/// The statements about writes that are done once. Their values are, in this order: caller, key, request, body, time, answer,
/// the time before which a row is forgotten, and the number up to which those of the caller are.
#[derive(Debug)]
pub(crate) struct OnceSql {
    /// The body and the answer of a write that was done, if it is not forgotten.
    pub(crate) recall: Sql,
    /// Takes out the row of a write that is forgotten.
    pub(crate) forget: Sql,
    /// Writes a row; gives its number back.
    pub(crate) remember: Sql,
    /// Takes out rows of anybody that are too old; `None`: that is done by itself.
    pub(crate) trim_old: Option<Sql>,
    /// Takes out rows of the caller that are too many.
    pub(crate) trim_many: Sql,
}

/// What the values of [`OnceSql`] are.
#[derive(Clone, Copy)]
enum Of {
    Caller,
    Key,
    Request,
    Body,
    Time,
    Answer,
    Before,
    UpTo,
}

impl OnceSql {
    /// For many who write at once: they would get in each other's way over the same few old rows.
    pub(crate) fn beside_others(dialect: &dyn Dialect) -> OnceSql {
        OnceSql { trim_old: None, ..OnceSql::new(dialect) }
    }

    pub(crate) fn new(dialect: &dyn Dialect) -> OnceSql {
        let table = dialect.quote(ONCE.name);
        let write = |template: &str, of: &[Of]| {
            let placed = of.iter().enumerate().fold(template.replace("{t}", &table), |text, (at, _)| {
                text.replace(&format!("{{{}}}", at + 1), &dialect.placeholder(at + 1))
            });
            let named =
                ONCE.all().fold(placed, |text, (name, _)| text.replace(&format!("[{name}]"), &dialect.quote(name)));
            Sql { text: named, binds: of.iter().map(|of| Bind::Value(*of as u16)).collect() }
        };
        let same = "[caller] = {1} AND [key] = {2} AND [request] = {3}";
        OnceSql {
            recall: write(
                &format!("SELECT [body], [answer] FROM {{t}} WHERE {same} AND [time] >= {{4}}"),
                &[Of::Caller, Of::Key, Of::Request, Of::Before],
            ),
            forget: write(&format!("DELETE FROM {{t}} WHERE {same}"), &[Of::Caller, Of::Key, Of::Request]),
            remember: write(
                "INSERT INTO {t} ([caller], [number], [key], [request], [body], [time], [answer]) SELECT {1}, \
                 coalesce(max([number]), 0) + 1, {2}, {3}, {4}, {5}, {6} FROM {t} WHERE [caller] = {1} RETURNING [number]",
                &[Of::Caller, Of::Key, Of::Request, Of::Body, Of::Time, Of::Answer],
            ),
            trim_old: Some(write(
                &format!(
                    "DELETE FROM {{t}} WHERE [id] IN (SELECT [id] FROM (SELECT [id], [time] FROM {{t}} ORDER BY [id] \
                     LIMIT {TRIMMED_MAX}) AS oldest WHERE [time] < {{1}})"
                ),
                &[Of::Before],
            )),
            trim_many: write(
                &format!(
                    "DELETE FROM {{t}} WHERE [id] IN (SELECT [id] FROM {{t}} WHERE [caller] = {{1}} AND [number] <= {{2}} \
                     ORDER BY [number] LIMIT {TRIMMED_MAX})"
                ),
                &[Of::Caller, Of::UpTo],
            ),
        }
    }
}

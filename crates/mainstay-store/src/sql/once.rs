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

/// Of so many writes that are kept one trims, where that is done beside them.
pub(crate) const TRIMMED_ONE_IN: usize = 64;

/// Makes the table, where there is none.
pub fn make_once(dialect: &dyn Dialect) -> String {
    ONCE.make(dialect, &[&["caller", "key", "request"], &["caller", "number"]])
}

/// The statements about writes that are done once. Their values are, in this order: caller, key, request, body, time, answer,
/// the time before which a row is forgotten, the number up to which those of the caller are, and how many of them are kept.
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
    /// Whether a write only writes its row, in its transaction: the rest is done beside it. Where many write at once, what one reads of
    /// this table is what others write, and one of two would have to be run again.
    pub(crate) is_beside: bool,
}

/// Numbers the rows of each caller without gaps, where how many there are is told by that; rows of another engine may have others.
pub(crate) fn number_anew(dialect: &dyn Dialect) -> Vec<String> {
    if dialect.next_number(ONCE.name, "id").is_some() {
        return Vec::new();
    }
    let ranked = "SELECT [id], row_number() OVER (PARTITION BY [caller] ORDER BY [number]) AS place FROM {t}";
    // None of the new numbers is one of the old ones at any time.
    let anew = [
        format!("UPDATE {{t}} SET [number] = -ranked.place FROM ({ranked}) AS ranked WHERE ranked.[id] = {{t}}.[id]"),
        "UPDATE {t} SET [number] = -[number]".to_owned(),
    ];
    anew.iter().map(|text| written(dialect, text, &[]).text).collect()
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
    Most,
}

impl OnceSql {
    pub(crate) fn new(dialect: &dyn Dialect) -> OnceSql {
        match dialect.next_number(ONCE.name, "id") {
            None => OnceSql::inside(dialect),
            Some(next) => OnceSql::beside(dialect, &next),
        }
    }

    /// All of it is done in the transaction of the write.
    fn inside(dialect: &dyn Dialect) -> OnceSql {
        let same = "[caller] = {1} AND [key] = {2} AND [request] = {3}";
        OnceSql {
            recall: written(
                dialect,
                &format!("SELECT [body], [answer] FROM {{t}} WHERE {same} AND [time] >= {{4}}"),
                &[Of::Caller, Of::Key, Of::Request, Of::Before],
            ),
            forget: written(dialect, &format!("DELETE FROM {{t}} WHERE {same}"), &[Of::Caller, Of::Key, Of::Request]),
            remember: written(
                dialect,
                "INSERT INTO {t} ([caller], [number], [key], [request], [body], [time], [answer]) SELECT {1}, \
                 coalesce(max([number]), 0) + 1, {2}, {3}, {4}, {5}, {6} FROM {t} WHERE [caller] = {1} RETURNING [number]",
                &[Of::Caller, Of::Key, Of::Request, Of::Body, Of::Time, Of::Answer],
            ),
            trim_old: Some(written(
                dialect,
                &format!(
                    "DELETE FROM {{t}} WHERE [id] IN (SELECT [id] FROM (SELECT [id], [time] FROM {{t}} ORDER BY [id] \
                     LIMIT {TRIMMED_MAX}) AS oldest WHERE [time] < {{1}})"
                ),
                &[Of::Before],
            )),
            trim_many: written(
                dialect,
                &format!(
                    "DELETE FROM {{t}} WHERE [id] IN (SELECT [id] FROM {{t}} WHERE [caller] = {{1}} AND [number] <= {{2}} \
                     ORDER BY [number] LIMIT {TRIMMED_MAX})"
                ),
                &[Of::Caller, Of::UpTo],
            ),
            is_beside: false,
        }
    }

    /// The write adds its row. Numbers have gaps then, so that what is too many is counted, among those that were added later.
    fn beside(dialect: &dyn Dialect, next: &str) -> OnceSql {
        let same = "kept.[caller] = {1} AND kept.[key] = {2} AND kept.[request] = {3}";
        let known = "kept.[time] >= {4} AND (SELECT count(*) FROM (SELECT 1 FROM {t} AS newer WHERE newer.[caller] = {1} AND \
                     newer.[number] > kept.[number] LIMIT {5}) AS newest) < {5}";
        let of_known = [Of::Caller, Of::Key, Of::Request, Of::Before, Of::Most];
        let trimmed_max = TRIMMED_MAX * TRIMMED_ONE_IN;
        OnceSql {
            recall: written(
                dialect,
                &format!("SELECT kept.[body], kept.[answer] FROM {{t}} AS kept WHERE {same} AND {known}"),
                &of_known,
            ),
            forget: written(dialect, &format!("DELETE FROM {{t}} AS kept WHERE {same} AND NOT ({known})"), &of_known),
            remember: written(
                dialect,
                &format!(
                    "INSERT INTO {{t}} ([caller], [number], [key], [request], [body], [time], [answer]) \
                     VALUES ({{1}}, {next}, {{2}}, {{3}}, {{4}}, {{5}}, {{6}})"
                ),
                &[Of::Caller, Of::Key, Of::Request, Of::Body, Of::Time, Of::Answer],
            ),
            trim_old: None,
            trim_many: written(
                dialect,
                &format!(
                    "DELETE FROM {{t}} WHERE [id] IN (SELECT [id] FROM {{t}} WHERE [caller] = {{1}} ORDER BY [number] DESC \
                     LIMIT {trimmed_max} OFFSET {{2}})"
                ),
                &[Of::Caller, Of::Most],
            ),
            is_beside: true,
        }
    }
}

/// A statement with its table, its columns in brackets, and its values, which are these.
fn written(dialect: &dyn Dialect, template: &str, of: &[Of]) -> Sql {
    let table = dialect.quote(ONCE.name);
    let placed = of.iter().enumerate().fold(template.replace("{t}", &table), |text, (at, _)| {
        text.replace(&format!("{{{}}}", at + 1), &dialect.placeholder(at + 1))
    });
    let text = ONCE.all().fold(placed, |text, (name, _)| text.replace(&format!("[{name}]"), &dialect.quote(name)));
    Sql { text, binds: of.iter().map(|of| Bind::Value(*of as u16)).collect() }
}

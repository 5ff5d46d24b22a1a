//! SQLite's errors as ours: the one place where they are told apart.
use rusqlite::{Error, ErrorCode, ffi};

use super::{functions::OVERFLOW, nested};
use crate::{StoreError, exec::Failure};

/// What a sealed database says to every write.
pub(super) const MOVED: &str = "mainstay: this database has moved";

/// What an error means for a statement that had so many milliseconds.
pub(super) fn failure(error: Error, limit_ms: u64) -> Failure {
    if let Error::SqliteFailure(cause, message) = &error {
        match cause.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
                if let Some((table, columns)) = message.as_deref().and_then(columns_of) {
                    return Failure::Unique { table, columns };
                }
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return Failure::ForeignKey,
            _ => {}
        }
    }
    Failure::Store(store_error(error, limit_ms))
}

/// What an error means for a statement that writes no records.
pub(super) fn store_error(error: Error, limit_ms: u64) -> StoreError {
    let Error::SqliteFailure(cause, message) = &error else { return StoreError::Engine(error.to_string()) };
    if let Some(ended) = message.as_deref().and_then(nested::failure) {
        return ended;
    }
    match cause.code {
        ErrorCode::OperationInterrupted => StoreError::TimedOut { limit_ms },
        ErrorCode::TooBig => StoreError::AnswerTooLarge,
        ErrorCode::DiskFull => StoreError::DiskFull,
        ErrorCode::DatabaseBusy => StoreError::Paused,
        _ if message.as_deref() == Some(MOVED) => StoreError::Moved,
        _ if message.as_deref() == Some(OVERFLOW) => StoreError::Overflow,
        _ => StoreError::Engine(format!("{error} (SQLite's code {})", cause.extended_code)),
    }
}

/// The table and columns in `UNIQUE constraint failed: skills.owner, skills.slug`.
fn columns_of(message: &str) -> Option<(String, Vec<String>)> {
    let names = message.strip_prefix("UNIQUE constraint failed: ")?;
    let pairs: Vec<(&str, &str)> = names.split(", ").map(|name| name.split_once('.')).collect::<Option<_>>()?;
    let (table, _) = pairs.first()?;
    Some(((*table).to_owned(), pairs.iter().map(|(_, column)| (*column).to_owned()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_unique_are_read_from_the_message() {
        let check = |message: &str, expected: Option<(&str, &[&str])>| {
            let expected = expected.map(|(table, columns)| {
                (table.to_owned(), columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>())
            });
            assert_eq!(columns_of(message), expected, "{message}");
        };
        check("UNIQUE constraint failed: skills.slug", Some(("skills", &["slug"])));
        check("UNIQUE constraint failed: a.owner, a.skill", Some(("a", &["owner", "skill"])));
        check("UNIQUE constraint failed: index 'x'", None);
        check("CHECK constraint failed: x", None);
    }
}

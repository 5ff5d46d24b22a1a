//! PostgreSQL's errors as ours: the one place where they are told apart.
use std::io::ErrorKind;

use tokio_postgres::{
    Error,
    error::{DbError, SqlState},
};

use super::{address::Address, dialect::too_much};
use crate::{StoreError, exec::Failure};

/// What a sealed database says to every write.
pub(super) const MOVED: &str = "mainstay: this database has moved";

/// What an error means for a statement that had so many milliseconds.
pub(super) fn failure(error: &Error, limit_ms: u64) -> Failure {
    if let Some(cause) = error.as_db_error() {
        let code = cause.code();
        if *code == SqlState::UNIQUE_VIOLATION
            && let (Some(table), Some(columns)) = (cause.table(), cause.detail().and_then(columns_of))
        {
            return Failure::Unique { table: table.to_owned(), columns };
        }
        if *code == SqlState::FOREIGN_KEY_VIOLATION || *code == SqlState::RESTRICT_VIOLATION {
            return Failure::ForeignKey;
        }
    }
    Failure::Store(store_error(error, limit_ms))
}

/// What an error means for a statement that writes no records.
pub(super) fn store_error(error: &Error, limit_ms: u64) -> StoreError {
    let Some(cause) = error.as_db_error() else {
        return if is_lost(error) { StoreError::Unavailable(told(error)) } else { StoreError::Engine(told(error)) };
    };
    let code = cause.code();
    if *code == SqlState::INVALID_TEXT_REPRESENTATION
        && let Some(too_much) = too_much(cause.message())
    {
        return too_much;
    }
    if *code == SqlState::QUERY_CANCELED {
        StoreError::TimedOut { limit_ms }
    } else if *code == SqlState::DISK_FULL {
        StoreError::DiskFull
    } else if *code == SqlState::PROGRAM_LIMIT_EXCEEDED {
        StoreError::AnswerTooLarge
    } else if *code == SqlState::RAISE_EXCEPTION && cause.message() == MOVED {
        StoreError::Moved
    } else if *code == SqlState::NUMERIC_VALUE_OUT_OF_RANGE {
        StoreError::Overflow
    } else if is_conflict(error) {
        StoreError::Conflict
    } else if is_lost(error) || only_reads(error) {
        StoreError::Unavailable(cause.message().to_owned())
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        StoreError::Engine(format!("{}; the user must own it, or be granted what is denied", cause.message()))
    } else {
        StoreError::Engine(in_words(cause))
    }
}

/// What the names of the server's own tables begin with.
const OWN_TABLES: &str = "mainstay_";

/// Whether the same again may do: somebody else was in the way. A row of our own tables that is there already is one that
/// somebody else has just written: the next look finds it.
pub(super) fn is_conflict(error: &Error) -> bool {
    error.as_db_error().is_some_and(|cause| {
        let code = cause.code();
        *code == SqlState::T_R_SERIALIZATION_FAILURE
            || *code == SqlState::T_R_DEADLOCK_DETECTED
            || (*code == SqlState::UNIQUE_VIOLATION && cause.table().is_some_and(|table| table.starts_with(OWN_TABLES)))
    })
}

/// Whether the server had no room for a statement just now: too many others wrote at the same time.
pub(super) fn is_crowded(error: &Error) -> bool {
    error.as_db_error().is_some_and(|cause| *cause.code() == SqlState::OUT_OF_MEMORY)
}

/// Whether a statement was prepared for tables that have changed since.
pub(super) fn is_stale(error: &Error) -> bool {
    error.as_db_error().is_some_and(|cause| {
        // "cached plan must not change result type"; and whoever forgets the statements of a session that is not its own.
        (*cause.code() == SqlState::FEATURE_NOT_SUPPORTED && cause.routine() == Some("RevalidateCachedQuery"))
            || *cause.code() == SqlState::INVALID_SQL_STATEMENT_NAME
    })
}

/// Whether the connection is of no use any more, or none can be made now.
pub(super) fn is_lost(error: &Error) -> bool {
    match error.as_db_error() {
        None => error.is_closed() || is_io(error),
        Some(cause) => {
            let code = cause.code().code();
            // Connections; an operator's intervention except for cancels; no room for more connections.
            code.starts_with("08") || (code.starts_with("57P")) || code == "53300"
        }
    }
}

/// Where a standby says that it takes no transaction as ours are that write: before it comes to a statement, and by a general code.
const STANDBY: &[&str] = &["GetSerializableTransactionSnapshot", "call_enum_check_hook", "call_bool_check_hook"];

/// Whether the server takes no writes: it is a standby, or was told so.
pub(super) fn only_reads(error: &Error) -> bool {
    error.as_db_error().is_some_and(|cause| {
        *cause.code() == SqlState::READ_ONLY_SQL_TRANSACTION
            || (*cause.code() == SqlState::FEATURE_NOT_SUPPORTED
                && cause.routine().is_some_and(|routine| STANDBY.contains(&routine)))
    })
}

/// Whether the server is there, and has no room for one more connection.
pub(super) fn has_no_room(error: &Error) -> bool {
    error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS)
}

/// Whether a connection has ended that the server had taken: an operator has done that, whose word may get lost on the way. It says
/// nothing of the next one.
pub(super) fn is_ended(error: &Error) -> bool {
    let is_cut = |kind| {
        matches!(
            kind,
            ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::UnexpectedEof
        )
    };
    match error.as_db_error() {
        Some(cause) => *cause.code() == SqlState::ADMIN_SHUTDOWN,
        None => error.is_closed() || io_kind(error).is_some_and(is_cut),
    }
}

fn is_io(error: &Error) -> bool {
    io_kind(error).is_some()
}

/// What kind of error the system told, where it told one.
fn io_kind(error: &Error) -> Option<ErrorKind> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<std::io::Error>() {
            return Some(cause.kind());
        }
        source = cause.source();
    }
    None
}

/// An error that is none of the server's, with its cause.
pub(super) fn told(error: &Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(cause), _) => in_words(cause),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

/// Why no connection can be made, in words that say what to do.
pub(super) fn unreachable(error: &Error, address: &Address) -> String {
    if let Some(cause) = error.as_db_error() {
        let message = cause.message();
        return match *cause.code() {
            SqlState::INVALID_CATALOG_NAME => format!("{message}; CREATE DATABASE makes it"),
            SqlState::TOO_MANY_CONNECTIONS => {
                format!("{message}; database.connections says how many each process takes")
            }
            _ => message.to_owned(),
        };
    }
    let told = told(error);
    if told.contains("password missing") {
        return "the address holds no password, and the server asks for one".to_owned();
    }
    match io_kind(error) {
        Some(ErrorKind::ConnectionRefused) => format!("nobody listens at {}", address.host()),
        Some(_) if told.contains("failed to lookup address") => {
            format!("there is no host \"{}\", as far as this machine can find out", address.host_name())
        }
        _ => CERTIFICATES.iter().find(|(part, _)| told.contains(part)).map_or(told, |(_, words)| (*words).to_owned()),
    }
}

/// What the verifier says of a certificate, in words that say what to do.
const CERTIFICATES: &[(&str, &str)] = &[
    (
        "UnknownIssuer",
        "the server's certificate is signed by nobody who is trusted; sslrootcert names a file with the certificate of who signed it",
    ),
    ("xpired", "the server's certificate has expired"),
    ("not valid for name", "the server's certificate is for another host; sslmode=verify-ca does not look at the name"),
];

/// Whether a connection that is asked for encrypted where that can be had may be had as plain text.
pub(super) fn is_refused_encrypted(error: &Error) -> bool {
    match error.code() {
        Some(code) => *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        None => error.to_string().contains("TLS handshake"),
    }
}

fn in_words(cause: &DbError) -> String {
    format!("{} (SQLSTATE {})", cause.message(), cause.code().code())
}

/// The columns in `Key (owner, "order")=(a, b) already exists.`, whatever the language.
fn columns_of(detail: &str) -> Option<Vec<String>> {
    let (names, _) = detail.split_once(")=(")?;
    let (_, names) = names.split_once('(')?;
    Some(names.split(", ").map(unquoted).collect())
}

fn unquoted(name: &str) -> String {
    match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(name) => name.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_unique_are_read_from_the_detail() {
        let check = |detail: &str, expected: Option<&[&str]>| {
            let expected = expected.map(|columns| columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
            assert_eq!(columns_of(detail), expected, "{detail}");
        };
        check("Key (slug)=(a) already exists.", Some(&["slug"]));
        check("Key (owner, \"order\")=(a, )=() already exists.", Some(&["owner", "order"]));
        check("Schlüssel »(slug)=(a)« existiert bereits.", Some(&["slug"]));
        check("something else", None);
    }
}

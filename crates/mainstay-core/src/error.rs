//! What a caller is told when something is not done.
use crate::Over;

/// A refusal or a failure, in words for the caller. What is secret is not in it: the cause goes to the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The stable code.
    pub kind: ErrorKind,
    /// For people: short, lower case, no full stop.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Which fields are wrong, all at once.
    pub fields: Vec<FieldError>,
    /// Where in the body the operation stands, as a JSON pointer, where there are several and no field is wrong.
    pub place: Option<String>,
    /// The version that the record has, for [`ErrorKind::VersionMismatch`].
    pub version: Option<i64>,
    /// Which rule refused, `Skill.update`: only shown where refusals are explained.
    pub rule: Option<String>,
    /// In which state of a record that changes a rule refused, as far as that is known.
    pub(crate) over: Option<Over>,
    /// Of several records that match, the key of the one whose write was not done.
    pub(crate) record: Option<String>,
    /// The cause, for the log only.
    pub cause: Option<String>,
}

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) into the body: `/monthsMin`, `/0/slug`.
    pub pointer: String,
    /// The stable code: `required`, `type`, `check`, `unique`, …
    pub code: String,
    /// For people.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// The kinds of error that the core knows; the wire gives each a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A filter, sort, selection or other argument is wrong.
    InvalidArgument,
    /// A cursor is not one of ours, or belongs to another request.
    InvalidCursor,
    /// The body is no JSON, or not of the shape that is expected.
    InvalidBody,
    /// Fields of the record are wrong.
    InvalidRecord,
    /// The caller must sign in.
    Unauthenticated,
    /// The caller may not.
    Forbidden,
    /// No such record (or the caller may not know of it).
    NotFound,
    /// Another record has the same unique values.
    NotUnique,
    /// The idempotency key was used for another content.
    IdempotencyMismatch,
    /// Other records hold on to it.
    Restricted,
    /// The record has another version.
    VersionMismatch,
    /// The changes behind a position are kept no more.
    ChangesGone,
    /// More was asked than a limit allows.
    LimitExceeded,
    /// A number left the range of its type while the database computed.
    Overflow,
    /// A statement took too long.
    TimedOut,
    /// Too many requests wait.
    Overloaded,
    /// The database cannot be reached.
    NotReady,
    /// Other writes got in the way each time that it was tried.
    WriteConflict,
    /// Nobody writes for a moment.
    WritesPaused,
    /// The database has moved, and takes no writes any more.
    Moved,
    /// No room on the disk.
    DiskFull,
    /// A defect or a failing database.
    Internal,
}

impl Error {
    /// An error with a kind and a message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
            hint: None,
            fields: Vec::new(),
            place: None,
            version: None,
            rule: None,
            over: None,
            record: None,
            cause: None,
        }
    }

    /// The same with a hint.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// Where in the body it is about something, as far as that is told.
    pub(crate) fn place_told(&self) -> Option<&str> {
        self.place.as_deref().or(self.fields.first().map(|field| field.pointer.as_str()))
    }

    /// The same of an operation at a place of the body; where fields are wrong they say so themselves.
    pub(crate) fn at(mut self, place: &str) -> Error {
        if self.place.is_none() && !place.is_empty() {
            self.place = Some(place.to_owned());
        }
        self
    }

    /// A failure whose cause is for the log alone.
    pub fn internal(cause: impl Into<String>) -> Error {
        let mut error = Error::new(ErrorKind::Internal, "something went wrong on our side");
        error.cause = Some(cause.into());
        error
    }
}

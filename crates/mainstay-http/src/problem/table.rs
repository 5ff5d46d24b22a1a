//! The one table of errors: what a client can be told, with its status. A retired code is never used again.
use http::StatusCode;
use mainstay_core::ErrorKind;

/// A code for programs; its row says everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    UnknownPath,
    MethodNotAllowed,
    PathNotAvailable,
    NotAvailable,
    UnknownParameter,
    RepeatedParameter,
    InvalidArgument,
    InvalidEncoding,
    InvalidHeader,
    InvalidCursor,
    ChangesGone,
    LimitExceeded,
    Overflow,
    InvalidBody,
    UnsupportedMediaType,
    BodyTooLarge,
    BodyTimeout,
    InvalidToken,
    Unauthenticated,
    Forbidden,
    NotFound,
    NotUnique,
    IdempotencyMismatch,
    Restricted,
    VersionMismatch,
    InvalidRecord,
    TimedOut,
    Overloaded,
    WriteConflict,
    WritesPaused,
    Moved,
    NotReady,
    SchemaOutdated,
    DiskFull,
    Internal,
}

/// What there is to say about a code.
#[derive(Debug)]
pub(crate) struct Row {
    /// Whose row it is.
    code: Code,
    /// The code as it is sent.
    pub(crate) name: &'static str,
    /// The status of the answer.
    pub(crate) status: u16,
    /// A short name for people.
    pub(crate) title: &'static str,
    /// When it comes, for the documentation.
    pub(crate) about: &'static str,
    /// What to do next, unless the error itself knows better.
    pub(crate) hint: &'static str,
}

const fn row(
    code: Code,
    status: u16,
    name: &'static str,
    title: &'static str,
    about: &'static str,
    hint: &'static str,
) -> Row {
    Row { code, name, status, title, about, hint }
}

/// The table, in the order of [`Code`].
#[rustfmt::skip]
pub(crate) const TABLE: [Row; 35] = [
    row(Code::UnknownPath, 404, "unknown_path", "no such path",
        "Nothing is served at this path: no type of the schema has it, or its fields are no unique.",
        "GET /openapi.json lists every path"),
    row(Code::MethodNotAllowed, 405, "method_not_allowed", "method not allowed",
        "The path exists, the method does not fit; `Allow` lists those that do.",
        "use one of the methods in the Allow header"),
    row(Code::PathNotAvailable, 501, "path_not_available", "not available yet",
        "The path is kept for something that this version does not have yet.",
        "use the single calls of GET /openapi.json until then"),
    row(Code::NotAvailable, 400, "not_available", "not available yet",
        "A parameter or a header asks for something that this version does not have yet. It is refused, not ignored.",
        "leave it out"),
    row(Code::UnknownParameter, 400, "unknown_parameter", "unknown parameter",
        "The address has a parameter that this call does not know; none is ignored.",
        "GET /openapi.json lists the parameters of every call"),
    row(Code::RepeatedParameter, 400, "repeated_parameter", "repeated parameter",
        "A parameter comes twice that may come once; only `filter` may be repeated.",
        "send it once"),
    row(Code::InvalidArgument, 400, "invalid_argument", "invalid argument",
        "A filter, a sort, a selection or another parameter is wrong; the detail says where.",
        "GET /openapi.json describes every parameter"),
    row(Code::InvalidEncoding, 400, "invalid_encoding", "invalid encoding",
        "A part of the address is not percent-encoded UTF-8, or holds U+0000.",
        "encode texts as UTF-8, then by percent signs"),
    row(Code::InvalidHeader, 400, "invalid_header", "invalid header",
        "A header has a value that is not understood.",
        "the detail names the header"),
    row(Code::InvalidCursor, 404, "invalid_cursor", "no such page",
        "There is no page behind this cursor: it is not one of ours, or belongs to another sort, filter or caller.",
        "start again without after"),
    row(Code::ChangesGone, 410, "changes_gone", "these changes are kept no more",
        "The changes behind the position are older than what the feed keeps, or the position is of another database.",
        "read the records anew, then go on from GET /api/changes?after=end"),
    row(Code::LimitExceeded, 400, "limit_exceeded", "limit exceeded",
        "More was asked than a limit allows; the detail names it.",
        "ask for less at a time"),
    row(Code::Overflow, 400, "overflow", "a number is too large",
        "A figure, such as the sum of many large numbers, leaves the range of its type. It is never rounded or cut.",
        "ask for fewer records at once, or for other figures"),
    row(Code::InvalidBody, 400, "invalid_body", "invalid body",
        "The body is no JSON, or not of the expected shape.",
        "send one JSON value, UTF-8, every key once"),
    row(Code::UnsupportedMediaType, 415, "unsupported_media_type", "unsupported media type",
        "The body has another content type than JSON.",
        "send Content-Type: application/json"),
    row(Code::BodyTooLarge, 413, "body_too_large", "body too large",
        "The body has more bytes than the server reads.",
        "send less at a time"),
    row(Code::BodyTimeout, 408, "body_timeout", "the body came too slowly",
        "The body did not come in time.",
        "send it again"),
    row(Code::InvalidToken, 401, "invalid_token", "invalid token",
        "The bearer token is malformed, expired, not yet valid, or not for this server.",
        "sign in again"),
    row(Code::Unauthenticated, 401, "unauthenticated", "sign in first",
        "An anonymous caller may not do this.",
        "send Authorization: Bearer and a token"),
    row(Code::Forbidden, 403, "forbidden", "forbidden",
        "A rule does not allow this to the caller; `rule` names it.",
        "the rule stands in the schema"),
    row(Code::NotFound, 404, "not_found", "not found",
        "There is no such record, or the caller may not know of it.",
        "check the key"),
    row(Code::NotUnique, 409, "not_unique", "not unique",
        "Another record has the same values in unique fields. Where several uniques are taken, one of them is told: which, the database says.",
        "change the fields that errors names, or change the other record"),
    row(Code::IdempotencyMismatch, 422, "idempotency_mismatch", "the key was used for something else",
        "The `Idempotency-Key` was used for the same call with another query or body.",
        "send what was sent before, or choose a new key"),
    row(Code::Restricted, 409, "restricted", "others hold on to it",
        "Other records link to this one and forbid its delete.",
        "delete or change those first"),
    row(Code::VersionMismatch, 412, "version_mismatch", "the record has another version",
        "`If-Match` names another version than the record has, or is a weak tag (`W/…`), which never matches; `version` is the present one.",
        "read the record again and repeat the change on it"),
    row(Code::InvalidRecord, 422, "invalid_record", "invalid record",
        "Fields of the record are wrong; `errors` names all of them.",
        "correct the fields that errors names"),
    row(Code::TimedOut, 503, "timed_out", "it took too long",
        "The database needed longer than the limit for one statement.",
        "ask for less, or add the index that mainstay explain names"),
    row(Code::Overloaded, 503, "overloaded", "too many requests wait",
        "More requests wait than the limits allow.",
        "try again after Retry-After seconds"),
    row(Code::WriteConflict, 503, "write_conflict", "other writes got in the way",
        "The write was tried several times, and each time others changed what it reads or writes; nothing of it was done.",
        "try again after Retry-After seconds"),
    row(Code::WritesPaused, 503, "writes_paused", "no writes for a moment",
        "The database is held so that nobody writes: a move is about to end, or a backup is made. Nothing of the write was done.",
        "try again after Retry-After seconds"),
    row(Code::Moved, 503, "moved", "the database has moved",
        "`mainstay move` has moved everything into another database. This one is read, and takes no writes any more.",
        "the operator sets database.url to the new database and starts the servers again"),
    row(Code::NotReady, 503, "not_ready", "not ready",
        "The server does not reach its database, or is about to stop.",
        "try again after Retry-After seconds"),
    row(Code::SchemaOutdated, 503, "schema_outdated", "this node's schema is outdated",
        "Another node has changed the tables by steps that this node's schema does not live with; its log names the first of them.",
        "ask another node; the operator starts this one again with the present schema"),
    row(Code::DiskFull, 507, "disk_full", "the disk is full",
        "There is no room for the write; nothing of it was done.",
        "make room on the server's disk"),
    row(Code::Internal, 500, "internal", "something went wrong on our side",
        "A defect or a failing database. The cause is in the server's log under the request id.",
        "tell the operator the requestId"),
];

const _: () = {
    let mut at = 0;
    while at < TABLE.len() {
        assert!(TABLE[at].code as usize == at, "the table is in the order of the codes");
        at += 1;
    }
};

impl Code {
    /// Its row.
    pub(crate) const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The status of an answer with it.
    pub(crate) fn status(self) -> StatusCode {
        StatusCode::from_u16(self.row().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// How many seconds a client does well to wait.
    pub(crate) fn retry_after_s(self) -> Option<&'static str> {
        match self {
            Code::TimedOut
            | Code::Overloaded
            | Code::WriteConflict
            | Code::WritesPaused
            | Code::Moved
            | Code::NotReady
            | Code::SchemaOutdated => Some("1"),
            _ => None,
        }
    }
}

impl From<ErrorKind> for Code {
    fn from(kind: ErrorKind) -> Code {
        match kind {
            ErrorKind::InvalidArgument => Code::InvalidArgument,
            ErrorKind::InvalidCursor => Code::InvalidCursor,
            ErrorKind::InvalidBody => Code::InvalidBody,
            ErrorKind::InvalidRecord => Code::InvalidRecord,
            ErrorKind::Unauthenticated => Code::Unauthenticated,
            ErrorKind::Forbidden => Code::Forbidden,
            ErrorKind::NotFound => Code::NotFound,
            ErrorKind::NotUnique => Code::NotUnique,
            ErrorKind::IdempotencyMismatch => Code::IdempotencyMismatch,
            ErrorKind::Restricted => Code::Restricted,
            ErrorKind::VersionMismatch => Code::VersionMismatch,
            ErrorKind::ChangesGone => Code::ChangesGone,
            ErrorKind::LimitExceeded => Code::LimitExceeded,
            ErrorKind::Overflow => Code::Overflow,
            ErrorKind::TimedOut => Code::TimedOut,
            ErrorKind::Overloaded => Code::Overloaded,
            ErrorKind::NotReady => Code::NotReady,
            ErrorKind::WriteConflict => Code::WriteConflict,
            ErrorKind::WritesPaused => Code::WritesPaused,
            ErrorKind::Moved => Code::Moved,
            ErrorKind::DiskFull => Code::DiskFull,
            ErrorKind::Internal => Code::Internal,
        }
    }
}

//! What can go wrong in the store.
use mainstay_schema::{CollectionId, FieldId};

/// The database cannot be opened; the message says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct OpenError {
    /// In plain words.
    pub message: String,
}

/// An operating error of the database.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The statement took longer than the limit.
    #[error("the statement took longer than {limit_ms} ms")]
    TimedOut {
        /// The limit.
        limit_ms: u64,
    },
    /// The answer would be larger than the limit.
    #[error("the answer would be larger than the limit")]
    AnswerTooLarge,
    /// The answer would hold more records in lists inside of lists than the limit.
    #[error("the answer would hold more than {limit} nested records")]
    TooManyNested {
        /// The limit.
        limit: usize,
    },
    /// No room is left on the disk.
    #[error("no room is left on the disk")]
    DiskFull,
    /// More requests wait than the limit allows.
    #[error("too many requests wait for the database")]
    Overloaded,
    /// The database cannot be reached, or is closed.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// Other writes got in the way of this one each time that it was tried; nothing of it was done.
    #[error("other writes got in the way each time")]
    Conflict,
    /// A computation in the database went past the range of its type.
    #[error("a number went out of its range")]
    Overflow,
    /// The changes behind a position are kept no more, or the position is of another database.
    #[error("the changes behind this position are kept no more")]
    ChangesGone,
    /// Somebody else holds the database so that nobody writes: the end of a move, or a backup.
    #[error("the database takes no writes for a moment")]
    Paused,
    /// The database was moved: it is read, and takes no writes any more.
    #[error("the database has moved, and takes no writes any more")]
    Moved,
    /// Another import has begun since this one did.
    #[error("another import has begun on this database")]
    ImportEnded,
    /// What was written down of the schema last applied says nothing to this version, for the log.
    #[error("the schema that the database remembers cannot be read: {0}")]
    Unreadable(String),
    /// The plan cannot be written as SQL: a defect, for the log.
    #[error("the plan cannot be written as SQL: {0}")]
    Plan(String),
    /// Whatever else the engine says, for the log.
    #[error("{0}")]
    Engine(String),
}

impl From<StoreError> for WriteError {
    /// Of no step in particular.
    fn from(error: StoreError) -> WriteError {
        WriteError { step: 0, error: error.into() }
    }
}

/// A step of a write that was not done; nothing of the transaction is.
#[derive(Debug, thiserror::Error)]
#[error("step {step}: {error}")]
pub struct WriteError {
    /// Which step.
    pub step: usize,
    /// Why.
    pub error: StepError,
}

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// No such record, or it is not visible.
    #[error("no such record")]
    NotFound,
    /// The rule does not hold of the stored record.
    #[error("the rule does not hold of the stored record")]
    RefusedBefore,
    /// The rule does not hold of the record as it becomes.
    #[error("the rule does not hold of the record as it becomes")]
    RefusedAfter,
    /// The rule of a field that is sent does not hold.
    #[error("the rule of a field does not hold")]
    RefusedField {
        /// The field.
        field: FieldId,
        /// Whether it is the rule that reads it, which a sum is asked.
        reads: bool,
        /// Whether it was asked of the record as it becomes.
        after: bool,
    },
    /// The rule of a link does not hold of a record that is added to it or taken out.
    #[error("the rule of a link does not hold")]
    RefusedLink {
        /// The link.
        field: FieldId,
        /// Whether a record is added.
        adds: bool,
    },
    /// The stored version is another one.
    #[error("the version is {present}")]
    OtherVersion {
        /// The stored one.
        present: i64,
    },
    /// A check of the collection (its position) does not hold.
    #[error("check {0} does not hold")]
    Check(usize),
    /// The server cannot compute the value of a field.
    #[error("the value of a field cannot be computed: {why}")]
    NotGiven {
        /// Which.
        field: FieldId,
        /// Why not.
        why: String,
    },
    /// A number cannot be added to: it is null, or would go out of its range.
    #[error("a number cannot be added to")]
    NoSum {
        /// Which.
        field: FieldId,
        /// Whether it is null.
        of_null: bool,
    },
    /// Another record has the same values in these unique fields (the key itself: its id field).
    #[error("not unique")]
    NotUnique {
        /// The fields.
        fields: Vec<FieldId>,
    },
    /// The records of these places of a look-up are missing or hidden.
    #[error("{} records are missing", at.len())]
    NotFoundAt {
        /// Which places.
        at: Vec<u32>,
    },
    /// More records match than the limit.
    #[error("more than {limit} records match")]
    TooManyMatch {
        /// The limit.
        limit: usize,
    },
    /// The write of one of the records that match was not done.
    #[error("of the record {key:?}: {error}")]
    OfRecord {
        /// Its key.
        key: mainstay_expr::Value,
        /// Why.
        error: Box<StepError>,
    },
    /// An upsert came to the one of its two writes that cannot be done.
    #[error("the record {}", if *exists { "is there" } else { "is not there" })]
    CannotUpsert {
        /// Whether there is such a record.
        exists: bool,
    },
    /// The write that an upsert came to, as a change of a record that was there.
    #[error(transparent)]
    OfUpdate(Box<StepError>),
    /// The record that a link names is missing or hidden.
    #[error("the linked record is missing")]
    LinkMissing {
        /// The link.
        field: FieldId,
    },
    /// Other records hold on to the one to be deleted.
    #[error("other records link to this one")]
    Restricted {
        /// The collection that holds on.
        by: CollectionId,
        /// Its link.
        field: FieldId,
    },
    /// A table that the schema does not know refers to the record to be deleted.
    #[error("a table outside of the schema refers to this one")]
    HeldOutside,
    /// The cascade reaches more records than the limit.
    #[error("the delete reaches more than {limit} records")]
    CascadeTooLarge {
        /// The limit.
        limit: usize,
    },
    /// The key was used for the same request with another content.
    #[error("the key was used for another content")]
    KeyReused,
    /// The answer that is to be kept for its key is too large.
    #[error("the answer has more than the {limit} bytes that are kept")]
    KeptTooLarge {
        /// The limit.
        limit: usize,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

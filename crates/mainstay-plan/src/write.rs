//! What to write: each plan is one step of a transaction, and can be run again.
use mainstay_expr::Expr;
use mainstay_schema::{CollectionId, FieldId};

use crate::query::Output;

/// One step of a write, without its values.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "made once for each shape, and never kept in numbers")]
pub enum WritePlan {
    /// A new record.
    Create(Create),
    /// A change of one record.
    Update(Update),
    /// The end of one record, with what hangs on it.
    Delete(Delete),
    /// Keys that later steps need.
    Find(Find),
    /// Keys of the records that later writes are about.
    Matching(Matching),
    /// Many new records of one collection.
    Load(Load),
    /// A note of an import.
    Note(Note),
}

/// Looks keys up by the values of a unique, many at a time. The bound value n is the list of the values of field n; a place
/// without a record that is visible gives null.
#[derive(Clone, Debug, PartialEq)]
pub struct Find {
    /// The collection.
    pub collection: CollectionId,
    /// The fields of the unique.
    pub fields: Vec<FieldId>,
    /// What must hold of a record to be found.
    pub visible: Expr,
    /// Whether every place must be found, else the write is refused.
    pub all: bool,
}

/// The keys of all records that a condition holds of, in their order. Where there are more than the limit, the write is refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Matching {
    /// The collection.
    pub collection: CollectionId,
    /// What must hold of each record: the rules and the filters, joined by AND.
    pub condition: Expr,
    /// The bound value that holds how many there may be.
    pub limit: u16,
}

/// Many new records that are complete and checked: nothing is asked and nothing answered. The values are those of the columns, record
/// after record.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// The collection.
    pub collection: CollectionId,
    /// The columns written.
    pub columns: Vec<FieldId>,
}

/// A note of an import, kept beside the records and in the same transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// An import begins, and every other one ends with its next write. Values: its id.
    Begun,
    /// No import has begun since; else the write fails. Values: the import's id.
    Holds,
    /// An import has ended. Values: its id.
    Ended,
    /// How far a source is. Values: its id, the state as text.
    Reached,
    /// Something that waits for records that come later. Values: the source's id, what waits as text.
    Waits,
    /// Something that waits of a record whose key is counted. Values: the source's id, what waits as text before that key, the key, the
    /// text behind it.
    WaitsOf,
    /// It waits no more. Values: its number.
    Settled,
    /// A source is forgotten, with what waits of it. Values: its id.
    Forgotten,
}

/// A new record. Checks and rules over its own fields are done before, in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// The collection.
    pub collection: CollectionId,
    /// The columns written; the n-th takes the bound value n.
    pub columns: Vec<FieldId>,
    /// Whether the key comes from outside, so that another record may have had it, whose end comes first.
    pub key_is_given: bool,
    /// Fields whose values are computed once the transaction is open, in order: what is bound for them is no value. Each may read
    /// those before it.
    pub compute: Vec<(FieldId, Expr)>,
    /// Checks of the collection (positions in its list) that read values which only the transaction tells.
    pub checks: Vec<usize>,
    /// Links whose other end must exist and be readable.
    pub links: Vec<LinkCheck>,
    /// The records of its to-many links.
    pub changes: Vec<LinkChange>,
    /// What must hold of the new record, asked in SQL once it is written (rules that look further than the record).
    pub after: Option<Expr>,
    /// What must hold of the new record for these fields to be sent.
    pub fields: Vec<FieldRule>,
    /// What to answer.
    pub answer: Answer,
}

impl Create {
    /// A new record that nothing is asked of and that answers with its key: what more there is to it is named beside this.
    pub fn new(collection: CollectionId, columns: Vec<FieldId>) -> Create {
        Create {
            collection,
            columns,
            key_is_given: false,
            compute: Vec::new(),
            checks: Vec::new(),
            links: Vec::new(),
            changes: Vec::new(),
            after: None,
            fields: Vec::new(),
            answer: Answer::Key,
        }
    }
}

/// A change of one record.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The collection.
    pub collection: CollectionId,
    /// Which record: by key or by a unique.
    pub find: Expr,
    /// What must hold of the stored record, else it is not found (the read rule).
    pub visible: Expr,
    /// What must hold of the stored record, else the update is refused (the update rule).
    pub before: Expr,
    /// The bound value that the stored version must equal, from `If-Match`.
    pub version: Option<u16>,
    /// The columns changed, each with its bound value. The version is counted up without being named.
    pub set: Vec<(FieldId, u16)>,
    /// Those of them whose bound value is added to what is stored.
    pub add: Vec<FieldId>,
    /// Those of them that are computed from the record as it becomes, in order: what is bound for them is no value. Each may read
    /// those before it.
    pub compute: Vec<(FieldId, Expr)>,
    /// Whether the version stays as it is: the change completes a record that is being loaded.
    pub quiet: bool,
    /// Checks of the collection (positions in its list) that also read fields that are not set: evaluated in memory over the
    /// record as it becomes.
    pub checks: Vec<usize>,
    /// Links whose other end must exist and be readable.
    pub links: Vec<LinkCheck>,
    /// Changes of its to-many links.
    pub changes: Vec<LinkChange>,
    /// What must hold of the record as it becomes, asked once it is written (the update rule, where the change can touch it).
    pub after: Option<Expr>,
    /// What must hold of the record for these fields to be sent, before and after.
    pub fields: Vec<FieldRule>,
    /// What to answer.
    pub answer: Answer,
}

impl Update {
    /// A change of nothing, under the rules of reading and of updating, that answers with the key: what more there is to it is
    /// named beside this.
    pub fn new(collection: CollectionId, find: Expr, visible: Expr, before: Expr) -> Update {
        Update {
            collection,
            find,
            visible,
            before,
            version: None,
            set: Vec::new(),
            add: Vec::new(),
            compute: Vec::new(),
            quiet: false,
            checks: Vec::new(),
            links: Vec::new(),
            changes: Vec::new(),
            after: None,
            fields: Vec::new(),
            answer: Answer::Key,
        }
    }

    /// Whether it changes anything of the record.
    pub fn writes(&self) -> bool {
        !(self.set.is_empty() && self.changes.is_empty())
    }

    /// Whether the version is counted up.
    pub fn counts(&self) -> bool {
        self.writes() && !self.quiet
    }
}

/// The end of one record.
#[derive(Clone, Debug, PartialEq)]
pub struct Delete {
    /// The collection.
    pub collection: CollectionId,
    /// Which record.
    pub find: Expr,
    /// What must hold of the stored record, else it is not found.
    pub visible: Expr,
    /// What must hold of the stored record, else the delete is refused.
    pub before: Expr,
    /// The bound value that the stored version must equal.
    pub version: Option<u16>,
}

/// What must hold of a record for one of its fields to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldRule {
    /// The field.
    pub field: FieldId,
    /// Whether it is the rule that reads the field, which a sum is asked; else the one that writes it.
    pub reads: bool,
    /// The condition.
    pub rule: Expr,
}

/// A to-one link whose other end must exist and be readable by the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkCheck {
    /// The link.
    pub field: FieldId,
    /// The collection at the other end.
    pub target: CollectionId,
    /// The bound value with the key.
    pub key: u16,
    /// The read rule of the other end, over the other record.
    pub visible: Expr,
}

/// A change of a to-many link (`@many`).
#[derive(Clone, Debug, PartialEq)]
pub struct LinkChange {
    /// The link.
    pub field: FieldId,
    /// The collection at the other end.
    pub target: CollectionId,
    /// What happens.
    pub mode: LinkMode,
    /// The bound value with the list of keys.
    pub keys: u16,
    /// The read rule of the other end: keys of hidden records are as good as missing, and links to them stay as they are.
    pub visible: Expr,
    /// What must hold of the record and of each other one (`ITEM`) that comes to be linked; `None`: nothing.
    pub add: Option<Expr>,
    /// The same of each that is linked no more.
    pub remove: Option<Expr>,
    /// Whether the record is new: then both are asked once the links are there, else before and after.
    pub is_new: bool,
}

/// What happens to a to-many link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkMode {
    /// The list becomes this one.
    Replace,
    /// These are added; those that are there already stay.
    Add,
    /// These are taken away; those that are not there do no harm.
    Remove,
}

/// What a write answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Only the key and the version.
    Key,
    /// The record as it is after the write, where the condition (the read rule) allows it, else as [`Answer::Key`].
    Record {
        /// The read rule over the record as it becomes.
        visible: Expr,
        /// What to answer of it.
        select: Vec<Output>,
    },
}

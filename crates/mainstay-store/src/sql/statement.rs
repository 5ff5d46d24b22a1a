//! What rendering gives: statements with their binds, and how their columns are read.
use mainstay_expr::Value;
use mainstay_schema::{CollectionId, FieldId, KeyKind, OnDelete, Scalar};

/// A statement: its text, and what each of its placeholders (numbered from 1) is bound to.
#[derive(Clone, Debug, PartialEq)]
pub struct Sql {
    /// The text.
    pub text: String,
    /// The n-th (from 0) is bound to placeholder n + 1.
    pub binds: Vec<Bind>,
}

/// The insert of many rows.
#[derive(Clone, Debug, PartialEq)]
pub struct InsertSql {
    /// The insert of one.
    pub each: Sql,
    /// The table and its columns, in the order of the values, where nothing else is to be done: such rows may be copied.
    pub into: Option<String>,
}

/// What a placeholder is bound to. A list is bound as one JSON text of its elements in their stored form.
#[derive(Clone, Debug, PartialEq)]
pub enum Bind {
    /// The n-th value of the request, in its stored form.
    Value(u16),
    /// The n-th value of the request plus one: a page's size, to see whether there are more.
    Limit(u16),
    /// The n-th value of the request, for a column that keeps a list: JSON of the elements in their wire form.
    List(u16, Scalar),
    /// A constant of the plan, in its stored form.
    Literal(Value),
    /// The key of the record that the step is about, known once it is found or made.
    Key,
    /// A list of keys, given by the executor.
    Keys,
    /// The time of the write, as a moment.
    Now,
    /// What a field of the record was before the step changed it, in its stored form.
    Old(FieldId),
    /// The n-th value of the change that the step leaves, in the order of the feed's columns.
    Fed(u16),
}

/// A read: one statement, and one more for the count of the same snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadSql {
    /// The page. Its first columns are those of `columns`; sort keys and version may stand behind them.
    pub page: Sql,
    /// How many records there are in all: one row, one column.
    pub count: Option<Sql>,
    /// How a record is written; an object ends with `}`, and one without columns is `{}`.
    pub columns: Vec<Column>,
    /// Where the sort keys stand, for the cursor.
    pub keys: Vec<Cell>,
    /// Which column holds the version.
    pub version: Option<usize>,
    /// The request's value with the page's size.
    pub limit: Option<u16>,
}

/// A column that is written into the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What goes before the value: `{"slug":` for the first, `,"slug":` for the others.
    pub prefix: Vec<u8>,
    /// How the value is written; SQL's null is `null`.
    pub encode: Encode,
}

/// How a column's value is written as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encode {
    /// Text, escaped.
    Text,
    /// Text that needs no escaping (UUIDs, enum values): only quoted.
    Plain,
    /// A moment, quoted.
    Timestamp,
    /// A day, quoted.
    Date,
    /// A time of day, quoted.
    Time,
    /// A whole number.
    Int,
    /// A whole number in quotes.
    Long,
    /// The shortest number that reads back as the same float.
    Float,
    /// 0 or 1 as `false` or `true`.
    Bool,
    /// Units as a decimal with so many digits behind the point, in quotes.
    Decimal(u8),
    /// Bytes as base64.
    Base64,
    /// A column that keeps JSON.
    Json,
    /// JSON that the statement builds; whether it holds columns that keep JSON.
    Built(bool),
}

/// How a column's value is read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decode {
    /// 0 or 1.
    Bool,
    /// A whole number.
    Int,
    /// A float.
    Float,
    /// Units of a decimal with so many digits behind the point.
    Decimal(u8),
    /// Text.
    Text,
    /// A UUID.
    Uuid,
    /// Bytes.
    Bytes,
    /// A moment.
    Timestamp,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A length of time.
    Duration,
    /// JSON text.
    Json,
    /// A list: JSON of its elements in their wire form.
    List(Scalar),
}

/// A column that is read back as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Which column.
    pub column: usize,
    /// How.
    pub decode: Decode,
}

/// What a writing statement gives back of the row that it wrote. The first columns are those of `columns`.
#[derive(Clone, Debug, PartialEq)]
pub struct Returning {
    /// The record's key.
    pub key: Cell,
    /// Which column holds the version.
    pub version: Option<usize>,
    /// Which column says (0 or 1) whether the record may be answered; `None`: it may.
    pub visible: Option<usize>,
    /// How the record is written; empty: it is not asked for.
    pub columns: Vec<Column>,
    /// The whole record, for the change feed.
    pub image: Option<Image>,
}

/// A whole record among the columns of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Where its columns begin.
    pub first: usize,
    /// How it is written.
    pub columns: Vec<Column>,
}

/// A member of an object: the bytes before its value, and the field that this is of.
pub type Member = (Vec<u8>, FieldId);

/// What the change feed is told of a record that is written from values.
#[derive(Clone, Debug, PartialEq)]
pub struct FedValues {
    /// The collection's name in the feed.
    pub collection: Value,
    /// The fields in order: the bytes before each value, and which of the values it is.
    pub fields: Vec<(Vec<u8>, FieldId, Option<usize>)>,
    /// The lists of links that are made with it.
    pub lists: Vec<FedList>,
}

/// What the change feed is told of an update.
#[derive(Clone, Debug, PartialEq)]
pub struct FedUpdate {
    /// The collection's name in the feed.
    pub collection: Value,
    /// The fields that change.
    pub changed: Vec<Member>,
    /// All stored fields.
    pub all: Vec<Member>,
    /// The lists of links that change.
    pub lists: Vec<FedList>,
}

/// A list of links of the record that the step is about.
#[derive(Clone, Debug, PartialEq)]
pub struct FedList {
    /// The link's name.
    pub name: String,
    /// Gives the keys at the other end, a row for each.
    pub items: Sql,
    /// Where such a key is.
    pub item: Cell,
    /// What kind it is of.
    pub kind: KeyKind,
}

/// What the change feed is told of records that end: the statement gives each of them back.
#[derive(Clone, Debug, PartialEq)]
pub struct FedDelete {
    /// The collection's name in the feed.
    pub collection: Value,
    /// What the statement gives back.
    pub returning: Returning,
}

/// What the change feed is told of records whose links are cut.
#[derive(Clone, Debug, PartialEq)]
pub struct FedLinks {
    /// The collection's name in the feed.
    pub collection: Value,
    /// Reads keys and what the fields are that change.
    pub before: (Sql, Image),
    /// What the statement that cuts gives back.
    pub returning: Returning,
    /// The list that changes, where it is one.
    pub list: Option<FedList>,
}

/// How a create is carried out: links, insert, changes, after, answer, in this order.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateSql {
    /// Questions about the links.
    pub links: Vec<LinkSql>,
    /// Computes fields.
    pub compute: Option<ComputeSql>,
    /// The insert.
    pub insert: Sql,
    /// The same where it notes its change itself.
    pub noting: Option<Sql>,
    /// What is known of the record behind the insert.
    pub inserted: Inserted,
    /// Changes of to-many links.
    pub changes: Vec<ChangeSql>,
    /// Gives one row with 1 when the rule holds of the new record.
    pub after: Option<Sql>,
    /// The same of each field that is sent.
    pub fields: Vec<FieldRuleSql>,
    /// Reads the answer (no row: it may not be read). `None`: what the insert gave back is the answer.
    pub answer: Option<ReadSql>,
    /// What the change feed is told.
    pub fed: Option<FedValues>,
}

/// Where key, version and answer of a new record come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Inserted {
    /// Out of the row that the insert gives back.
    Returned(Returning),
    /// Out of the values that it was given, where nothing else is asked: it gives nothing back.
    Given {
        /// Which value the key is.
        key: usize,
        /// Which the version, where there is one.
        version: Option<usize>,
    },
}

/// Computes values of a record that is written: one row.
#[derive(Clone, Debug, PartialEq)]
pub struct ComputeSql {
    /// The read.
    pub sql: Sql,
    /// What it gives.
    pub fields: Vec<Computed>,
}

/// A field with its value, and the column that is 1 where that is no error (`None`: always).
pub type Computed = (FieldId, Cell, Option<usize>);

/// How an update is carried out: as one statement where that is given; when it changes no row, `look` says why. Otherwise look,
/// links, update, changes, after, answer, in this order.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateSql {
    /// The whole update as one statement: where each statement is a way to a server and back. It tells the change feed nothing.
    pub fast: Option<(Sql, Returning)>,
    /// The same where it notes its change itself.
    pub noting: Option<(Sql, Returning)>,
    /// Finds the record, with the verdicts of its rules, and what it is where that is told or answered.
    pub look: LookSql,
    /// Questions about the links.
    pub links: Vec<LinkSql>,
    /// Computes fields.
    pub compute: Option<ComputeSql>,
    /// Writes the columns and counts the version up; `None` when nothing changes.
    pub update: Option<Sql>,
    /// Changes of to-many links.
    pub changes: Vec<ChangeSql>,
    /// Gives one row with 1 when the rule holds of the record as it becomes.
    pub after: Option<Sql>,
    /// The same of each field that is sent; asked of the record as it was, too.
    pub fields: Vec<FieldRuleSql>,
    /// Where its answer comes from.
    pub answer: Updated,
    /// What the change feed is told.
    pub fed: Option<FedUpdate>,
}

/// Where the answer of an update comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Updated {
    /// Key and version are all of it.
    Key,
    /// It is read (no row: it may not be).
    Read(ReadSql),
    /// Out of what was looked at, and of what is set in it.
    Known(Vec<Member>),
}

/// How a delete is carried out: look, then the collection's [`Cascade`].
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteSql {
    /// Finds the record, with the verdicts of its rules.
    pub look: LookSql,
}

/// Looks keys up: one row for each place, null where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct FindSql {
    /// The statement.
    pub sql: Sql,
    /// The key.
    pub key: Cell,
}

/// Finds the record of a step: at most one row.
#[derive(Clone, Debug, PartialEq)]
pub struct LookSql {
    /// The statement.
    pub sql: Sql,
    /// The record's key.
    pub key: Cell,
    /// Which column holds the version, where the collection has one.
    pub version: Option<usize>,
    /// Which column says (0 or 1) whether the caller may see the record; `None`: it may.
    pub visible: Option<usize>,
    /// Which column says (0 or 1) whether the rule holds of the stored record; `None`: it does.
    pub before: Option<usize>,
    /// The stored fields of the record, where checks need them.
    pub fields: Vec<(FieldId, Cell)>,
    /// The stored fields in order, where they are told or answered: each with its column.
    pub image: Vec<(FieldId, usize, Encode)>,
    /// Which column says (0 or 1) whether the record may be answered as it becomes; `None`: it may.
    pub answered: Option<usize>,
}

/// The question whether the record that a link names is there and may be seen.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSql {
    /// The link.
    pub field: FieldId,
    /// Gives one row: 1 when it is there and may be seen, or when the link is null.
    pub check: Sql,
}

/// A change of a to-many link.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeSql {
    /// The link.
    pub field: FieldId,
    /// Gives one row with the number of keys that name no visible record: it must be 0.
    pub missing: Option<Sql>,
    /// The rules that are asked of what is linked anew and of what is linked no more.
    pub rules: Vec<LinkRuleSql>,
    /// The bound value with the list of keys.
    pub keys: u16,
    /// What is then run, in this order.
    pub statements: Vec<Sql>,
}

/// A rule of a field that is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldRuleSql {
    /// The field.
    pub field: FieldId,
    /// Whether it is the rule that reads the field.
    pub reads: bool,
    /// Gives one row with 1 when it holds of the record.
    pub sql: Sql,
}

/// A rule of a to-many link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkRuleSql {
    /// Whether it is about records that are added.
    pub adds: bool,
    /// Gives the keys of the records that come or go.
    pub items: Sql,
    /// Where such a key is.
    pub key: Cell,
    /// Gives one row with the number of keys in the list of which the rule does not hold: it must be 0.
    pub refused: Sql,
    /// Whether it is also asked before the change.
    pub before: bool,
}

/// What deleting records of a collection takes with it. All lists of keys are [`Bind::Keys`].
#[derive(Clone, Debug, PartialEq)]
pub struct Cascade {
    /// The collection.
    pub collection: CollectionId,
    /// How its keys are read.
    pub key: Decode,
    /// The links of other collections (or itself) that point at it.
    pub incoming: Vec<Incoming>,
    /// Takes the records of the keys out of join tables, and counts up the versions of those that listed them.
    pub unlink: Vec<Unlink>,
    /// Deletes the records of the keys.
    pub delete: Sql,
    /// What the change feed is told of them.
    pub fed: Option<FedDelete>,
}

/// Takes records out of a join table.
#[derive(Clone, Debug, PartialEq)]
pub struct Unlink {
    /// Counts up the versions of those that list them.
    pub count_up: Option<(Sql, Option<FedLinks>)>,
    /// Deletes the links.
    pub delete: Sql,
}

/// A link that points at a collection.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// The collection that has the link.
    pub from: CollectionId,
    /// The link.
    pub field: FieldId,
    /// What happens to its records.
    pub on_delete: OnDelete,
    /// The keys of the records whose link is one of the keys, one more than the first bound value says at most.
    pub find: Sql,
    /// Makes the link null where it is one of the keys, and counts up version and time of change; `None` when it is required.
    pub clear: Option<Clear>,
}

/// Makes a link null.
#[derive(Clone, Debug, PartialEq)]
pub struct Clear {
    /// The statement.
    pub sql: Sql,
    /// What the change feed is told of the records.
    pub fed: Option<FedLinks>,
}

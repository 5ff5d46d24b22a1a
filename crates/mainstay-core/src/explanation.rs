//! Why something is allowed or refused, and how the database answers it: what `explain` and `dev` show.
use serde::Serialize;

/// Everything that there is to say about one operation of one caller.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explanation {
    /// What was asked: `list Skill`.
    pub operation: String,
    /// Who asked: `anonymous`, `user "anna"`, `admin`.
    pub caller: String,
    /// Why it is refused; `None` when it is not.
    pub refused: Option<String>,
    /// Whether it was carried out: a write in a transaction that was rolled back.
    pub tried: bool,
    /// The rules that apply, and the checks that do not hold.
    pub rules: Vec<RuleExplained>,
    /// How many records a write makes, changes and deletes, by collection.
    pub changes: Vec<Changes>,
    /// What holds on to a record that is deleted.
    pub held_by: Vec<Held>,
    /// The statements, in their order.
    pub statements: Vec<Statement>,
    /// What a read took.
    pub measured: Option<Figures>,
    /// Indexes that would help.
    pub missing_indexes: Vec<MissingIndex>,
}

/// One statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The SQL; it holds no values.
    pub sql: String,
    /// The engine's plan for it, line by line.
    pub plan: Vec<String>,
    /// The same in words.
    pub words: Vec<String>,
}

/// The records of one collection that a write touches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// The type: `Skill`.
    pub collection: String,
    /// New ones.
    pub created: u64,
    /// Changed ones.
    pub changed: u64,
    /// Deleted ones.
    pub deleted: u64,
}

/// Records that keep another one from being deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The type: `Progress`.
    pub collection: String,
    /// The link: `skill`.
    pub field: String,
    /// How many of them.
    pub records: u64,
}

/// What a read took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// How often it was run.
    pub times: usize,
    /// Milliseconds; as many runs took longer as took less.
    pub median_ms: f64,
    /// Rows that the statement gave.
    pub rows: u64,
    /// Records that were looked at because a table was read from end to end.
    pub scanned: u64,
    /// How often something was sorted.
    pub sorts: u64,
    /// Steps of the engine.
    pub steps: u64,
}

/// One rule for this caller.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleExplained {
    /// Its name: `Skill.read`; of a check its field: `Skill.monthsMax @check`.
    pub name: String,
    /// Which operation of several it is about, as a JSON pointer: `/ops/2`, `/3`.
    pub of: Option<String>,
    /// Of an update: over the record as it was, or as it becomes.
    pub over: Option<Over>,
    /// Its text; `None` where there is no rule (admins only).
    pub text: Option<String>,
    /// What it comes to.
    pub outcome: Verdict,
    /// Its parts, split at the outermost `&&` or `||`.
    pub clauses: Vec<Clause>,
}

/// Which state of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// As it is stored.
    Before,
    /// As it would become.
    After,
}

/// One part of a rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clause {
    /// The part, as text.
    pub text: String,
    /// What it comes to.
    pub outcome: Verdict,
    /// What it reads, with the values: `auth.id` and `"anna"`.
    pub values: Vec<ValueRead>,
}

/// A value that a clause reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValueRead {
    /// The name: `auth.id`, `owner`.
    pub name: String,
    /// The value, as text.
    pub value: String,
}

/// What a rule or a part of one comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It is an error, which refuses.
    Error,
    /// It depends on the record.
    PerRecord,
    /// It does not apply: the caller is an admin.
    Skipped,
}

/// An index that the schema does not have and the operation could use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingIndex {
    /// The type that it belongs on: `Skill`.
    pub collection: String,
    /// Where the type stands: `schema.graphql:12`.
    pub place: String,
    /// What to paste behind the type's name: `@index(fields: ["createdAt"])`.
    pub directive: String,
    /// What it would help.
    pub reason: String,
}

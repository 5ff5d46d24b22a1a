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
    /// The rules that apply.
    pub rules: Vec<RuleExplained>,
    /// The statements, in their order.
    pub sql: Vec<String>,
    /// The query plan of the database, line by line.
    pub plan: Vec<String>,
    /// Indexes that would help.
    pub missing_indexes: Vec<MissingIndex>,
}

/// One rule for this caller.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleExplained {
    /// Its name: `Skill.read`.
    pub name: String,
    /// Its text; `None` where there is no rule (admins only).
    pub text: Option<String>,
    /// What it comes to.
    pub outcome: Verdict,
    /// Its parts, split at the outermost `&&` or `||`.
    pub clauses: Vec<Clause>,
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
    /// What to paste behind the type's name: `@index(fields: ["createdAt"])`.
    pub directive: String,
    /// What it would help.
    pub reason: String,
}

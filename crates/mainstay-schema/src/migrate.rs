//! The way from the tables of one schema to those of another: steps for people, and where each value comes from for a store.
//!
//! Nothing here knows an engine. A store reads [`Migration::tables`] and [`Migration::joins`], and writes them down as it can.
use std::fmt;

use serde::Serialize;

use crate::{Schema, snapshot::Snapshot};

mod convert;
mod diff;
mod form;
mod looks;
mod names;
mod sources;

pub use convert::Conversion;
pub use looks::{Look, LookKind};
pub use sources::{ColumnChange, ColumnSource, JoinChange, JoinSource, TableChange};

/// All that leads from one schema's tables to another's.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The tables as they are.
    pub from: Snapshot,
    /// Whether there are any yet.
    pub is_first: bool,
    /// The tables as they become.
    pub to: Snapshot,
    /// What is done, in words.
    pub steps: Vec<Step>,
    /// Where the values of each table of `to` come from, in its order.
    pub tables: Vec<TableChange>,
    /// The same for each join table of `to`.
    pub joins: Vec<JoinChange>,
}

/// One step, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is done, for programs.
    pub kind: StepKind,
    /// To what: `Skill`, `Skill.name`.
    pub subject: String,
    /// What is done, for people, in one line.
    pub text: String,
    /// What it means for nodes and data.
    pub class: Class,
    /// Why it is of this class.
    pub why: &'static str,
}

/// What a step means for running nodes and for the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Nodes with the old schema and with the new one both work on the outcome.
    Additive,
    /// Nodes with the old schema must have stopped.
    NeedsDrain,
    /// Data is lost.
    Destructive,
    /// It cannot be carried out.
    Refused,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say all that there is")]
pub enum StepKind {
    CreateTable,
    DropTable,
    RenameTable,
    AddColumn,
    DropColumn,
    RenameColumn,
    ChangeType,
    Require,
    Relax,
    ChangeDefault,
    Backfill,
    ChangeLength,
    Retarget,
    AddEnumValues,
    DropEnumValue,
    RenameEnumValue,
    ChangeMember,
    AddUnique,
    DropUnique,
    AddIndex,
    DropIndex,
    AddCheck,
    DropCheck,
    CreateJoin,
    DropJoin,
    RenameJoin,
    LinkToMany,
    LinkToOne,
    ChangeKey,
    KeepChanges,
    DropChanges,
}

impl Migration {
    /// The way from what a database has (`None`: nothing yet) to what a schema says.
    pub fn between(from: Option<&Snapshot>, schema: &Schema) -> Migration {
        let old = from.cloned().unwrap_or_default();
        let new = schema.snapshot();
        let (tables, joins) = sources::sources(&old, &new, schema);
        let steps = diff::steps(&old, &new, &tables, &joins, schema);
        Migration { from: old, is_first: from.is_none(), to: new, steps, tables, joins }
    }

    /// What has become of the tables since they were those of a schema: whoever still has that schema can go on where all of it is
    /// additive. What was renamed is gone for it, and what it is called now is new.
    pub fn since(schema: &Schema, database: &Snapshot) -> Vec<Step> {
        let own = schema.snapshot();
        let (tables, joins) = sources::sources(&own, database, schema);
        diff::steps(&own, database, &tables, &joins, schema)
    }

    /// Whether there is nothing to do.
    pub fn is_done(&self) -> bool {
        self.steps.is_empty()
    }

    /// The worst class of its steps.
    pub fn class(&self) -> Class {
        self.steps.iter().map(|step| step.class).max().unwrap_or(Class::Additive)
    }

    /// What has to hold of the records that are there.
    pub fn looks(&self) -> Vec<Look> {
        looks::looks(self)
    }

    /// The tables that are no longer there.
    pub fn dropped_tables(&self) -> impl Iterator<Item = &str> {
        let is_kept = |table: &str| self.tables.iter().any(|change| change.old.as_deref() == Some(table));
        self.from.tables.iter().map(|table| table.table.as_str()).filter(move |table| !is_kept(table))
    }

    /// The join tables that are no longer there.
    pub fn dropped_joins(&self) -> impl Iterator<Item = &str> {
        let is_kept = |table: &str| {
            self.joins.iter().any(|change| matches!(&change.source, JoinSource::Join(old) if old == table))
        };
        self.from.joins.iter().map(|join| join.table.as_str()).filter(move |table| !is_kept(table))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Class::Additive => "additive",
            Class::NeedsDrain => "needs drain",
            Class::Destructive => "destructive",
            Class::Refused => "refused",
        })
    }
}

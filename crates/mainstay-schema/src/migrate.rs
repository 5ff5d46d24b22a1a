//! The difference of two snapshots, as steps that a store can carry out.
use std::fmt;

use serde::Serialize;

use crate::snapshot::{ColumnSnapshot, ForeignKeySnapshot, IndexSnapshot, JoinSnapshot, TableSnapshot, UniqueSnapshot};

mod diff;

pub use diff::diff;

/// One step from the old tables to the new ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is done.
    pub kind: StepKind,
    /// What it means for nodes and data.
    pub class: Class,
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
}

/// What is done, with everything that is needed to write it down for a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum StepKind {
    /// A new table, with its columns, uniques, indexes and foreign keys.
    CreateTable {
        /// The table.
        table: TableSnapshot,
    },
    /// A new join table.
    CreateJoin {
        /// The join table.
        join: JoinSnapshot,
    },
    /// A new column: optional, or with a constant default. Its unique, if any, is a step of its own.
    AddColumn {
        /// The table as it will be.
        table: TableSnapshot,
        /// The column.
        column: ColumnSnapshot,
        /// What it refers to.
        foreign_key: Option<ForeignKeySnapshot>,
    },
    /// New values of an enum.
    AddEnumValues {
        /// The enum.
        name: String,
        /// The values that are new.
        added: Vec<String>,
        /// All values as they will be.
        values: Vec<String>,
        /// The tables with a column of it, as they are before the other steps.
        tables: Vec<TableSnapshot>,
    },
    /// A new unique over columns of which at least one is new.
    CreateUnique {
        /// The table.
        table: String,
        /// The unique.
        unique: UniqueSnapshot,
    },
    /// A new index.
    CreateIndex {
        /// The table.
        table: String,
        /// The index.
        index: IndexSnapshot,
    },
    /// An index that is no longer wanted.
    DropIndex {
        /// The table.
        table: String,
        /// The index.
        index: IndexSnapshot,
    },
    /// A difference that cannot be carried out yet.
    Unsupported {
        /// What, for people: `dropping field "Skill.name" is not available yet`.
        what: String,
    },
}

impl Step {
    /// What is done, for people, in one line.
    pub fn describe(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            StepKind::CreateTable { table } => {
                write!(out, "create table \"{}\" for \"{}\"", table.table, table.collection)
            }
            StepKind::CreateJoin { join } => {
                write!(
                    out,
                    "create join table \"{}\" from \"{}\" to \"{}\"",
                    join.table, join.from_table, join.to_table
                )
            }
            StepKind::AddColumn { table, column, .. } => {
                write!(out, "add column \"{}\" to \"{}\"", column.column, table.table)
            }
            StepKind::AddEnumValues { name, added, .. } => {
                write!(out, "add {} to enum \"{name}\"", quoted(added))
            }
            StepKind::CreateUnique { table, unique } => {
                write!(out, "make {} unique in \"{table}\"", quoted(&unique.columns))
            }
            StepKind::CreateIndex { table, index } => write!(out, "index \"{table}\" by {}", quoted(&index.columns)),
            StepKind::DropIndex { table, index } => {
                write!(out, "drop the index of \"{table}\" by {}", quoted(&index.columns))
            }
            StepKind::Unsupported { what } => out.write_str(what),
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

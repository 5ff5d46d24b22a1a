//! Records reached over to-one links, as joins inside a subquery.
use std::fmt::Write;

use mainstay_expr::{Expr, Guard, Node, Symbol};
use mainstay_schema::{FieldId, FieldKind};

use crate::{
    StoreError,
    sql::{
        test::Test,
        writer::{Env, Place, Row, Writer, defect},
    },
};

/// How a record is reached: from a row in reach over zero or more links.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    /// The record itself.
    pub(crate) row: Row,
    /// `"orgs" AS t3` for each link.
    tables: Vec<String>,
    /// What ties them together, with their guards.
    pub(crate) ties: Test,
}

impl Path {
    /// A row in reach.
    pub(crate) fn here(row: Row) -> Path {
        Path { row, tables: Vec::new(), ties: Test::Always }
    }

    /// Whether the record is a row in reach: no link is followed.
    pub(crate) fn is_here(&self) -> bool {
        self.tables.is_empty()
    }

    /// One link further.
    pub(crate) fn join(mut self, table: String, row: Row, ties: Test) -> Path {
        self.tables.push(table);
        Path { row, tables: self.tables, ties: self.ties.and(ties) }
    }

    /// `FROM a, b WHERE …`, with a condition more.
    pub(crate) fn rows_where(&self, writer: &Writer<'_>, more: Test) -> String {
        let mut text = format!("FROM {}", self.tables.join(", "));
        let ties = self.ties.clone().and(more);
        // Writing to a String cannot fail.
        let _ = write!(text, "{}", ties.filter(writer.dialect));
        text
    }

    /// A column of the record; null where the path leads nowhere.
    pub(crate) fn scalar(&self, writer: &Writer<'_>, column: &str) -> String {
        if self.is_here() {
            return column.to_owned();
        }
        format!("(SELECT {column} {})", self.rows_where(writer, Test::Always))
    }

    /// Whether there is such a record.
    pub(crate) fn exists(&self, writer: &Writer<'_>, more: Test) -> Test {
        let ties = self.ties.clone().and(more);
        if self.is_here() || ties == Test::Never {
            return ties;
        }
        Test::when(format!("EXISTS (SELECT 1 {})", self.clone().with_ties(ties).rows_where(writer, Test::Always)))
    }

    fn with_ties(self, ties: Test) -> Path {
        Path { ties, ..self }
    }
}

/// Links that a statement over many records follows for each of them, as tables beside: unlike subqueries they leave the database the
/// choice where to begin, and are read once however many of their columns are wanted.
#[derive(Default)]
pub(crate) struct Joins {
    known: Vec<(Expr, Row, bool)>,
    sql: String,
}

impl Joins {
    /// As they stand behind the table that they begin at.
    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }

    /// The row that a link leads to, where it is joined already, and whether it is always there.
    fn row(&self, of: &Expr) -> Option<(Row, bool)> {
        self.known.iter().find(|(known, ..)| known == of).map(|(_, row, sure)| (row.clone(), *sure))
    }
}

impl Writer<'_> {
    /// The row of an expression, with the links on the way joined; all columns of a row that is not there are null. Whether it is
    /// always there.
    pub(crate) fn joined(&mut self, of: &Expr, env: &Env, joins: &mut Joins) -> Result<(Row, bool), StoreError> {
        let Node::Link { of: from, symbol, target, guard } = &of.node else {
            return Ok((self.path(of, env)?.row, true));
        };
        if let Some(known) = joins.row(of) {
            return Ok(known);
        }
        let (from, is_sure) = self.joined(from, env, joins)?;
        let is_sure = is_sure && guard.is_none() && !of.may_null && !of.may_error;
        let key = self.link_column(&from, *symbol)?;
        let target = self.target(*target)?;
        let row = self.row(target);
        let tie = Test::when(format!("{} = {key}", self.key(&row))).and(self.guard(guard, &row)?);
        let join = if is_sure { "JOIN" } else { "LEFT JOIN" };
        // Writing to a String cannot fail.
        let _ = write!(joins.sql, " {join} {} ON {}", self.from(&row), tie.sql(self.dialect));
        joins.known.push((of.clone(), row.clone(), is_sure));
        Ok((row, is_sure))
    }

    /// How the record of an expression is reached.
    pub(crate) fn path(&mut self, of: &Expr, env: &Env) -> Result<Path, StoreError> {
        match &of.node {
            Node::Var(var) => match env.get(*var)? {
                Place::Row(row) => Ok(Path::here(row.clone())),
                Place::Element(_) => Err(defect("an element of a list is no record")),
            },
            Node::Link { of, symbol, target, guard } => {
                let from = self.path(of, env)?;
                let key = self.link_column(&from.row, *symbol)?;
                let row = {
                    let target = self.target(*target)?;
                    self.row(target)
                };
                let guard = self.guard(guard, &row)?;
                let tie = Test::when(format!("{} = {key}", self.key(&row)));
                let table = self.from(&row);
                Ok(from.join(table, row, tie.and(guard)))
            }
            _ => Err(defect("this is no record")),
        }
    }

    /// What a guard asks of a row.
    pub(crate) fn guard(&mut self, guard: &Guard, row: &Row) -> Result<Test, StoreError> {
        match guard {
            Some(guard) => self.holds(guard, row),
            None => Ok(Test::Always),
        }
    }

    /// The column of a to-one link.
    fn link_column(&self, row: &Row, symbol: Symbol) -> Result<String, StoreError> {
        let field = self.field(row, symbol)?;
        match field.kind {
            FieldKind::ToOne { .. } => Ok(self.column(row, FieldId::of(symbol))),
            _ => Err(defect(format!("\"{}\" is no to-one link", field.name))),
        }
    }

    /// The key of a record, with the last link's own column where nothing guards it.
    pub(crate) fn key_of(&mut self, of: &Expr, env: &Env) -> Result<(Path, String), StoreError> {
        if let Node::Link { of: from, symbol, guard: None, .. } = &of.node {
            let path = self.path(from, env)?;
            let column = self.link_column(&path.row, *symbol)?;
            return Ok((path, column));
        }
        let path = self.path(of, env)?;
        let key = self.key(&path.row);
        Ok((path, key))
    }

    /// Whether the record of an expression is there: no link on the way is null, every guard holds.
    pub(crate) fn is_there(&mut self, of: &Expr, env: &Env) -> Result<Test, StoreError> {
        match &of.node {
            Node::Var(_) => Ok(Test::Always),
            Node::Link { guard: None, .. } if !of.may_null && !of.may_error => Ok(Test::Always),
            Node::Link { guard: None, .. } => {
                let (path, column) = self.key_of(of, env)?;
                Ok(Test::when(format!("{} IS NOT NULL", path.scalar(self, &column))))
            }
            _ => {
                let path = self.path(of, env)?;
                Ok(path.exists(self, Test::Always))
            }
        }
    }
}

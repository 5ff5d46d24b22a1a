//! Quantifiers and sizes: over links and over lists.
use mainstay_expr::{Expr, Guard, Node, Quantifier, Reduction, Symbol, Type, VarId};
use mainstay_schema::{CollectionId, FieldId, FieldKind};

use crate::{
    StoreError,
    sql::{
        path::Path,
        test::Test,
        value::{Rendered, in_memory_only},
        writer::{Env, Place, Row, Writer, defect},
    },
};

/// The ways over links that a statement can go.
struct Rows {
    /// FROM and WHERE.
    path: Path,
    /// Whether the path to the links leads somewhere.
    there: Test,
}

impl Writer<'_> {
    /// `over.exists(var, body)` or `over.all(var, body)` has this truth value.
    pub(crate) fn quantify(
        &mut self,
        kind: Quantifier,
        var: VarId,
        [over, body]: [&Expr; 2],
        want: bool,
        env: &Env,
    ) -> Result<Test, StoreError> {
        let over = match (&over.ty, &over.node) {
            (Type::Records(_), _) => self.over_links(over, env)?,
            (_, Node::Cond(c, a, b)) => {
                return self.chosen([c, a, b], env, |writer, over| writer.quantify(kind, var, [over, body], want, env));
            }
            (_, Node::List(items)) => match self.bound_list(items) {
                Some(list) => return self.over_list(&list, Test::Always, &over.ty, kind, var, body, want, env),
                None => return self.over_written(kind, var, items, body, want, env),
            },
            _ => {
                let list = self.value(over, env)?;
                let there = list.present(over);
                return self.over_list(&list.sql, there, &over.ty, kind, var, body, want, env);
            }
        };
        let env = env.with(var, Place::Row(over.path.row.clone()));
        if kind == Quantifier::ExistsOne {
            let [yes, no] = [self.is_true(body, &env)?, self.is_false(body, &env)?];
            let none_fails = none(over.path.exists(self, Test::any([yes.clone(), no]).fails(self.dialect)));
            let count = format!("(SELECT count(*) {})", over.path.rows_where(self, yes));
            return Ok(over.there.and(none_fails).and(exactly_one(&count, want)));
        }
        // Whether one element decides: an `exists` that is true, an `all` that is false.
        let one_decides = (kind == Quantifier::Exists) == want;
        let test = self.is(body, want, &env)?;
        if one_decides {
            return Ok(over.path.exists(self, test));
        }
        Ok(match test.fails(self.dialect) {
            Test::Never => over.there,
            failing => over.there.and(none(over.path.exists(self, failing))),
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one quantifier, used in one place")]
    fn over_list(
        &mut self,
        list: &str,
        there: Test,
        ty: &Type,
        kind: Quantifier,
        var: VarId,
        body: &Expr,
        want: bool,
        env: &Env,
    ) -> Result<Test, StoreError> {
        let Type::List(of) = ty else { return Err(defect("a quantifier goes over links or a list")) };
        let alias = self.alias();
        let from = self.dialect.elements(list, &alias);
        let element = self.dialect.element(&alias, &self.stored_type(of));
        let env = env.with(var, Place::Element(element));
        if kind == Quantifier::ExistsOne {
            let [yes, no] = [self.is_true(body, &env)?, self.is_false(body, &env)?];
            let rows = |test: Test| format!("FROM {from}{}", test.filter(self.dialect));
            let none_fails = match Test::any([yes.clone(), no]).fails(self.dialect) {
                Test::Never => Test::Always,
                fails => Test::when(format!("NOT EXISTS (SELECT 1 {})", rows(fails))),
            };
            let count = format!("(SELECT count(*) {})", rows(yes));
            return Ok(there.and(none_fails).and(exactly_one(&count, want)));
        }
        let test = self.is(body, want, &env)?;
        let over = |test: Test, not: &str| match test {
            Test::Never => Test::constant(!not.is_empty()),
            test => Test::when(format!("{not}EXISTS (SELECT 1 FROM {from}{})", test.filter(self.dialect))),
        };
        Ok(if (kind == Quantifier::Exists) == want {
            over(test, "")
        } else {
            there.and(over(test.fails(self.dialect), "NOT "))
        })
    }

    /// Over a list that is written out with elements that are no constants.
    fn over_written(
        &mut self,
        kind: Quantifier,
        var: VarId,
        items: &[Expr],
        body: &Expr,
        want: bool,
        env: &Env,
    ) -> Result<Test, StoreError> {
        let mut tests = vec![];
        let mut others = vec![];
        let one = kind == Quantifier::ExistsOne;
        for item in items {
            let value = self.value(item, env)?;
            let env = env.with(var, Place::Element(value.sql));
            tests.push(self.is(body, want || one, &env)?);
            others.push(if one { self.is_false(body, &env)? } else { Test::Never });
        }
        let sure = self.all_sure(items, env)?;
        if one {
            let dialect = self.dialect;
            let counted = tests.iter().map(|test| format!("CASE WHEN {} THEN 1 ELSE 0 END", test.clone().sql(dialect)));
            let count = format!("({})", counted.collect::<Vec<_>>().join(" + "));
            let known = tests.into_iter().zip(others).map(|(yes, no)| Test::any([yes, no]));
            return Ok(Test::all(known.collect::<Vec<_>>()).and(exactly_one(&count, want)).and(sure));
        }
        let one_decides = (kind == Quantifier::Exists) == want;
        Ok(if one_decides { Test::any(tests) } else { Test::all(tests) }.and(sure))
    }

    /// `over.sum(var, body)` and the like; null where it is an error.
    pub(crate) fn reduce(
        &mut self,
        expr: &Expr,
        kind: Reduction,
        var: VarId,
        [over, body]: [&Expr; 2],
        env: &Env,
    ) -> Result<Rendered, StoreError> {
        if matches!(over.ty, Type::Records(_)) {
            let over = self.over_links(over, env)?;
            let value = self.value(body, &env.with(var, Place::Row(over.path.row.clone())))?.sql;
            let row = &over.path.row;
            let value = of_each(value, &row.alias, &self.key(row));
            let figure = self.reduced(kind, &value, &body.ty)?;
            let rows = over.path.rows_where(self, Test::Always);
            return Ok(self.figure_where(&over.there, &figure, &rows));
        }
        let (list, there) = match &over.node {
            Node::Cond(c, a, b) => {
                let reduce = |over: &Expr| {
                    let (over, body) = (Box::new(over.clone()), Box::new(body.clone()));
                    Expr { node: Node::Reduce { kind, var, over, body }, ..expr.clone() }
                };
                return self.choice(expr, [c, &reduce(a), &reduce(b)], env);
            }
            Node::List(items) => match self.bound_list(items) {
                Some(list) => (list, Test::Always),
                None => return Err(in_memory_only(kind.as_str())),
            },
            _ => {
                let list = self.value(over, env)?;
                (list.sql.clone(), list.present(over))
            }
        };
        let Type::List(of) = &over.ty else { return Err(defect("a figure goes over links or a list")) };
        let alias = self.alias();
        let element = self.dialect.element(&alias, &self.stored_type(of));
        let value = self.value(body, &env.with(var, Place::Element(element.clone())))?.sql;
        let value = of_each(value, &alias, &element);
        let figure = self.reduced(kind, &value, &body.ty)?;
        let rows = format!("FROM {}", self.dialect.elements(&list, &alias));
        Ok(self.figure_where(&there, &figure, &rows))
    }

    fn reduced(&self, kind: Reduction, value: &str, ty: &Type) -> Result<String, StoreError> {
        self.dialect.reduce(kind, value, ty).ok_or_else(|| in_memory_only(kind.as_str()))
    }

    fn figure_where(&self, there: &Test, figure: &str, rows: &str) -> Rendered {
        let sql = format!("(SELECT {figure} {rows})");
        Rendered::plain(match there {
            Test::Always => sql,
            there => format!("CASE WHEN {} THEN {sql} END", there.clone().sql(self.dialect)),
        })
    }

    /// How many records a to-many link has; null where the path to it leads nowhere.
    pub(crate) fn count_links(&mut self, links: &Expr, env: &Env) -> Result<String, StoreError> {
        let over = self.over_links(links, env)?;
        let count = format!("(SELECT count(*) {})", over.path.rows_where(self, Test::Always));
        Ok(match over.there {
            Test::Always => count,
            there => format!("CASE WHEN {} THEN {count} END", there.sql(self.dialect)),
        })
    }

    fn over_links(&mut self, links: &Expr, env: &Env) -> Result<Rows, StoreError> {
        let Node::Links { of, symbol, guard, .. } = &links.node else {
            return Err(defect("this is no to-many link"));
        };
        let there = if links.may_error { self.is_there(of, env)? } else { Test::Always };
        // The parent's key: of an unguarded link its own column, so that its table is not needed.
        let (from, key) = self.key_of(of, env)?;
        let parent = match &of.node {
            Node::Link { target, .. } => self.target(*target)?,
            _ => from.row.collection,
        };
        let path = self.linked(from, parent, &key, *symbol, guard)?;
        Ok(Rows { path, there })
    }

    fn linked(
        &mut self,
        from: Path,
        parent: CollectionId,
        key: &str,
        symbol: Symbol,
        guard: &Guard,
    ) -> Result<Path, StoreError> {
        let row = self.linked_row(parent, FieldId::of(symbol))?;
        let guard = self.guard(guard, &row)?;
        let (table, tie) = self.link_source(parent, FieldId::of(symbol), &row, key)?;
        Ok(from.join(table, row, tie.and(guard)))
    }

    /// A new row for the other end of a to-many link.
    pub(crate) fn linked_row(&mut self, of: CollectionId, link: FieldId) -> Result<Row, StoreError> {
        let target = self.schema.collection(of).field(link).target();
        let target = target.ok_or_else(|| defect("this field is no link"))?;
        Ok(self.row(target))
    }

    /// The tables of a to-many link with the row at its other end, and what ties them to the key of the record that has it.
    pub(crate) fn link_source(
        &mut self,
        of: CollectionId,
        link: FieldId,
        row: &Row,
        key: &str,
    ) -> Result<(String, Test), StoreError> {
        match &self.schema.collection(of).field(link).kind {
            FieldKind::Inverse { field, .. } => {
                Ok((self.from(row), Test::when(format!("{} = {key}", self.column(row, *field)))))
            }
            FieldKind::Many { table, .. } => {
                let join = self.alias();
                let tables = format!("{} AS {join}, {}", self.dialect.quote(table), self.from(row));
                let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| format!("{join}.{}", self.dialect.quote(name)));
                let tie = Test::when(format!("{from} = {key}")).and(Test::when(format!("{} = {to}", self.key(row))));
                Ok((tables, tie))
            }
            _ => Err(defect("this field is no to-many link")),
        }
    }
}

/// A join table's column with the keys of the records that have the link.
pub(crate) const JOIN_FROM: &str = "from_id";
/// A join table's column with the keys of the records at the other end.
pub(crate) const JOIN_TO: &str = "to_id";

/// The value as one of each row: an aggregate of what reads only rows outside of its statement would be taken for theirs.
fn of_each(value: String, alias: &str, column: &str) -> String {
    if value.contains(&format!("{alias}.")) {
        return value;
    }
    format!("CASE WHEN ({column} IS NULL) IS NOT NULL THEN {value} END")
}

/// Whether a count, or anything but it, is 1.
fn exactly_one(count: &str, want: bool) -> Test {
    Test::when(format!("{count} {} 1", if want { "=" } else { "<>" }))
}

/// No such row exists.
fn none(exists: Test) -> Test {
    match exists {
        Test::Always => Test::Never,
        Test::Never => Test::Always,
        Test::When(sql) => Test::When(format!("NOT {sql}")),
    }
}

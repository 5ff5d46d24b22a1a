//! Comparisons and membership.
use std::borrow::Cow;

use mainstay_expr::{CompareOp, Expr, Node, Type};

use crate::{
    StoreError,
    sql::{
        Bind,
        test::Test,
        value::{Rendered, constant_list},
        writer::{Env, Writer, defect},
    },
};

impl Writer<'_> {
    /// `a op b` has this truth value.
    pub(crate) fn compare(
        &mut self,
        op: CompareOp,
        [a, b]: [&Expr; 2],
        want: bool,
        env: &Env,
    ) -> Result<Test, StoreError> {
        let symbol = match (op, want) {
            (CompareOp::Eq, _) => return self.equal([a, b], want, env),
            (CompareOp::Ne, _) => return self.equal([a, b], !want, env),
            (CompareOp::Lt, true) | (CompareOp::Ge, false) => "<",
            (CompareOp::Le, true) | (CompareOp::Gt, false) => "<=",
            (CompareOp::Gt, true) | (CompareOp::Le, false) => ">",
            (CompareOp::Ge, true) | (CompareOp::Lt, false) => ">=",
        };
        let (x, y) = (self.value(a, env)?.sql, self.value(b, env)?.sql);
        let (x, y) = self.dialect.comparable((x, &a.ty), (y, &b.ty));
        Ok(Test::when(format!("{x} {symbol} {y}")))
    }

    /// Both are equal, or both are not.
    fn equal(&mut self, [a, b]: [&Expr; 2], want: bool, env: &Env) -> Result<Test, StoreError> {
        if b.is_null() {
            return self.null(a, want, env);
        }
        if a.is_null() {
            return self.null(b, want, env);
        }
        if let Some(test) = self.bool_equal([a, b], want, env)? {
            return Ok(test);
        }
        let (a, b) = (&*meeting(a, &b.ty), &*meeting(b, &a.ty));
        let (x, y) = (self.value(a, env)?, self.value(b, env)?);
        Ok(self.rendered_equal([a, b], [&x, &y], want))
    }

    fn rendered_equal(&self, [a, b]: [&Expr; 2], [x, y]: [&Rendered; 2], want: bool) -> Test {
        let (one, other) = self.dialect.comparable((x.sql.clone(), &a.ty), (y.sql.clone(), &b.ty));
        // Where one side cannot be null in earnest, its null is an error, and a comparison with it is neither true nor false.
        match (want, a.may_null, b.may_null) {
            (true, true, true) => Test::when(self.dialect.same(&one, &other)).and(x.sure(a)).and(y.sure(b)),
            (true, ..) => Test::when(format!("{one} = {other}")),
            (false, false, false) => Test::when(format!("{one} <> {other}")),
            (false, ..) => Test::when(self.dialect.differ(&one, &other)).and(x.sure(a)).and(y.sure(b)),
        }
    }

    /// The expression is null, or is not.
    fn null(&mut self, expr: &Expr, want: bool, env: &Env) -> Result<Test, StoreError> {
        if matches!(expr.ty, Type::Record(_)) {
            return self.absent(expr, want, env);
        }
        match &expr.node {
            Node::List(_) if want => return Ok(Test::Never),
            Node::List(items) => return self.all_sure(items, env),
            Node::Cond(c, a, b) if matches!(expr.ty, Type::List(_)) => {
                return self.chosen([c, a, b], env, |writer, list| writer.null(list, want, env));
            }
            _ => {}
        }
        let value = self.value(expr, env)?;
        Ok(match want {
            true if !expr.may_null => Test::Never,
            true => Test::when(format!("{} IS NULL", value.sql)).and(value.sure(expr)),
            false => value.present(expr),
        })
    }

    /// A record is never null: it is there, or the path to it is an error.
    fn absent(&mut self, expr: &Expr, want: bool, env: &Env) -> Result<Test, StoreError> {
        if want { Ok(Test::Never) } else { self.is_there(expr, env) }
    }

    /// Truth values are equal: a constant one is the condition itself.
    fn bool_equal(&mut self, [a, b]: [&Expr; 2], want: bool, env: &Env) -> Result<Option<Test>, StoreError> {
        let (expr, constant) = match (a.as_bool(), b.as_bool()) {
            (_, Some(constant)) => (a, constant),
            (Some(constant), _) => (b, constant),
            _ => return Ok(None),
        };
        if expr.may_null {
            return Ok(None);
        }
        self.is(expr, constant == want, env).map(Some)
    }

    /// `item in list` has this truth value.
    pub(crate) fn membership(&mut self, item: &Expr, list: &Expr, want: bool, env: &Env) -> Result<Test, StoreError> {
        let of = match &list.ty {
            Type::List(of) => of,
            _ => return Err(defect("only a list has elements")),
        };
        let (item, list) = (&*meeting(item, of), &*meeting(list, &Type::List(Box::new(item.ty.clone()))));
        match &list.node {
            Node::List(items) => self.in_written(item, items, want, env),
            Node::Cond(c, a, b) => self.chosen([c, a, b], env, |writer, list| writer.membership(item, list, want, env)),
            _ => self.in_list(item, list, want, env),
        }
    }

    /// In a list that is kept or bound.
    fn in_list(&mut self, item: &Expr, list: &Expr, want: bool, env: &Env) -> Result<Test, StoreError> {
        let (value, whole) = (self.value(item, env)?, self.value(list, env)?);
        let alias = self.alias();
        let from = self.dialect.elements(&whole.sql, &alias);
        let of = match &list.ty {
            Type::List(of) => self.stored_type(of),
            _ => self.stored_type(&item.ty),
        };
        let element = self.dialect.element(&alias, &of);
        let (element, item_sql) = self.dialect.comparable((element, &of), (value.sql.clone(), &item.ty));
        if !want {
            let none = format!("NOT EXISTS (SELECT 1 FROM {from} WHERE {element} = {item_sql})");
            return Ok(Test::all([Test::when(none), value.sure(item), whole.present(list)]));
        }
        Ok(Test::when(match list.node {
            // Bound: the same list for every row, so that an index on the item can be used.
            Node::Bound(_) => format!("{item_sql} IN (SELECT {element} FROM {from})"),
            _ => format!("EXISTS (SELECT 1 FROM {from} WHERE {element} = {item_sql})"),
        }))
    }

    /// In a list that is written out.
    fn in_written(&mut self, item: &Expr, items: &[Expr], want: bool, env: &Env) -> Result<Test, StoreError> {
        let value = self.value(item, env)?;
        let apart = |other: &Expr| other.may_null || other.may_error || other.ty != item.ty;
        if items.is_empty() || items.iter().any(apart) {
            let mut tests = Vec::with_capacity(items.len());
            for other in items {
                let other_value = self.value(other, env)?;
                tests.push(self.rendered_equal([item, other], [&value, &other_value], want));
            }
            let sure = self.all_sure(items, env)?.and(value.sure(item));
            return Ok(if want { Test::any(tests).and(sure) } else { Test::all(tests).and(sure) });
        }
        let mut list = Vec::with_capacity(items.len());
        for other in items {
            list.push(self.value(other, env)?.sql);
        }
        let list = list.join(", ");
        Ok(match (want, item.may_null) {
            (true, _) => Test::when(format!("{} IN ({list})", value.sql)),
            (false, false) => Test::when(format!("{} NOT IN ({list})", value.sql)),
            (false, true) => {
                let null = Test::when(format!("{} IS NULL", value.sql));
                let other = Test::when(format!("{} NOT IN ({list})", value.sql));
                Test::any([null, other]).and(value.sure(item))
            }
        })
    }

    /// A constant list as one bind.
    pub(crate) fn bound_list(&mut self, items: &[Expr]) -> Option<String> {
        let of = items.first().map_or(Type::Null, |item| item.ty.clone());
        constant_list(items).map(|list| self.bind_as(Bind::Literal(list), &Type::List(Box::new(of))))
    }
}

/// A caller's text, or list of texts, where it meets keys: what is bound are keys, too.
fn meeting<'e>(expr: &'e Expr, ty: &Type) -> Cow<'e, Expr> {
    let is_key = |ty: &Type| matches!(ty, Type::Key(_) | Type::Uuid);
    let becomes = match (&expr.ty, ty) {
        (Type::String, ty) => is_key(ty),
        (Type::List(from), Type::List(of)) => **from == Type::String && is_key(of),
        _ => false,
    };
    match &expr.node {
        Node::Bound(_) if becomes => Cow::Owned(Expr { ty: ty.clone(), ..expr.clone() }),
        Node::List(items) => match ty {
            Type::List(of) => {
                let items = items.iter().map(|item| meeting(item, of).into_owned()).collect();
                Cow::Owned(Expr { node: Node::List(items), ..expr.clone() })
            }
            _ => Cow::Borrowed(expr),
        },
        _ => Cow::Borrowed(expr),
    }
}

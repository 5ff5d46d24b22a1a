//! Expressions as SQL values. One that is an error is null.
use mainstay_expr::{Expr, Function, Node, RecordType, Symbol, Type, Value};
use mainstay_schema::{FieldId, KeyKind};

use crate::{
    StoreError,
    sql::{
        Bind,
        columns::list_scalar,
        test::Test,
        writer::{Env, Place, Writer, defect},
    },
};

/// A rendered expression. It is an error where its SQL is null although [`Expr::may_null`] denies that, or where `ok` does not
/// hold; in both cases the SQL is null.
pub(crate) struct Rendered {
    pub(crate) sql: String,
    /// Tells a null that is meant from one that is an error.
    pub(crate) ok: Test,
}

impl Rendered {
    pub(crate) fn plain(sql: impl Into<String>) -> Rendered {
        Rendered { sql: sql.into(), ok: Test::Always }
    }

    /// Whether it is not an error.
    pub(crate) fn sure(&self, expr: &Expr) -> Test {
        match (expr.may_error, expr.may_null) {
            (false, _) => Test::Always,
            (true, true) => self.ok.clone(),
            (true, false) => Test::when(format!("{} IS NOT NULL", self.sql)),
        }
    }

    /// Whether it is neither an error nor null.
    pub(crate) fn present(&self, expr: &Expr) -> Test {
        if expr.may_error || expr.may_null { Test::when(format!("{} IS NOT NULL", self.sql)) } else { Test::Always }
    }
}

impl Writer<'_> {
    /// An expression as a value.
    pub(crate) fn value(&mut self, expr: &Expr, env: &Env) -> Result<Rendered, StoreError> {
        match &expr.node {
            Node::Literal(value) => Ok(Rendered::plain(self.literal(value, &expr.ty))),
            Node::Error => Ok(Rendered { sql: self.no_value(&expr.ty), ok: Test::Never }),
            Node::Bound(number) => {
                let bind = match &expr.ty {
                    Type::List(of) => Bind::List(*number, list_scalar(of)?),
                    _ => Bind::Value(*number),
                };
                Ok(Rendered::plain(self.bind_as(bind, &expr.ty)))
            }
            Node::Var(var) => match env.get(*var)? {
                Place::Row(row) => Ok(Rendered::plain(self.key(row))),
                Place::Element(sql) => Ok(Rendered::plain(sql.clone())),
            },
            Node::Field { of, symbol } => self.field_value(expr, of, *symbol, env),
            Node::Key(of) => {
                let (path, key) = self.key_of(of, env)?;
                Ok(Rendered::plain(path.scalar(self, &key)))
            }
            Node::Cond(c, a, b) => self.choice(expr, [c, a, b], env),
            Node::Arith(op, a, b) => {
                let (x, y) = (self.value(a, env)?.sql, self.value(b, env)?.sql);
                let sql = self.dialect.arith(*op, &expr.ty, (&x, &a.ty), (&y, &b.ty));
                sql.map(Rendered::plain).ok_or_else(|| in_memory_only(op.as_str()))
            }
            Node::Neg(a) => {
                let sql = self.value(a, env)?.sql;
                self.dialect.negate(&a.ty, &sql).map(Rendered::plain).ok_or_else(|| in_memory_only("-"))
            }
            Node::Call(function, args) if expr.ty != Type::Bool => self.call(expr, *function, args, env),
            Node::Reduce { kind, var, over, body } => self.reduce(expr, *kind, *var, [over, body], env),
            _ if expr.ty == Type::Bool => self.truth_value(expr, env),
            _ => Err(defect("this is no value in SQL")),
        }
    }

    fn field_value(&mut self, expr: &Expr, of: &Expr, symbol: Symbol, env: &Env) -> Result<Rendered, StoreError> {
        if let Type::Embedded(record) = of.ty {
            return self.member_value(expr, of, record, symbol, env);
        }
        let path = self.path(of, env)?;
        self.field(&path.row, symbol)?;
        let column = self.column(&path.row, FieldId::of(symbol));
        let ok = if expr.may_null && expr.may_error { self.is_there(of, env)? } else { Test::Always };
        Ok(Rendered { sql: path.scalar(self, &column), ok })
    }

    fn member_value(
        &mut self,
        expr: &Expr,
        of: &Expr,
        record: RecordType,
        symbol: Symbol,
        env: &Env,
    ) -> Result<Rendered, StoreError> {
        let whole = self.value(of, env)?;
        let member = self.member(record, symbol)?;
        let sql = self.dialect.member(&whole.sql, &member.name, &self.stored_type(&expr.ty));
        Ok(Rendered { sql, ok: whole.present(of) })
    }

    /// `c ? a : b` as a value.
    pub(crate) fn choice(&mut self, expr: &Expr, [c, a, b]: [&Expr; 3], env: &Env) -> Result<Rendered, StoreError> {
        let (yes, no) = (self.is_true(c, env)?, self.is_false(c, env)?);
        let (a_value, b_value) = (self.value(a, env)?, self.value(b, env)?);
        let sql = format!(
            "CASE WHEN {} THEN {} WHEN {} THEN {} END",
            yes.sql(self.dialect),
            a_value.sql,
            no.sql(self.dialect),
            b_value.sql
        );
        let ok = if expr.may_null && expr.may_error {
            Test::any([yes.and(a_value.sure(a)), no.and(b_value.sure(b))])
        } else {
            Test::Always
        };
        Ok(Rendered { sql, ok })
    }

    fn call(&mut self, expr: &Expr, function: Function, args: &[Expr], env: &Env) -> Result<Rendered, StoreError> {
        if let (Function::Size, [of]) = (function, args) {
            match (&of.ty, &of.node) {
                (Type::Records(_), _) => return self.count_links(of, env).map(Rendered::plain),
                (_, Node::List(items)) => return self.size_of_written(items, env).map(Rendered::plain),
                (Type::List(_), Node::Cond(c, a, b)) => {
                    let [a, b] =
                        [a, b].map(|list| Expr { node: Node::Call(function, vec![(**list).clone()]), ..expr.clone() });
                    return self.choice(expr, [c, &a, &b], env);
                }
                (Type::List(_), _) => {
                    let list = self.value(of, env)?;
                    return Ok(Rendered::plain(self.dialect.list_size(&list.sql)));
                }
                _ => {}
            }
        }
        self.function(function, args, env).map(Rendered::plain)
    }

    /// A function of plain values.
    pub(crate) fn function(&mut self, function: Function, args: &[Expr], env: &Env) -> Result<String, StoreError> {
        let mut rendered = Vec::with_capacity(args.len());
        for arg in args {
            rendered.push((self.value(arg, env)?.sql, &arg.ty));
        }
        self.dialect.call(function, &rendered).ok_or_else(|| in_memory_only(function.as_str()))
    }

    /// The size of a list that is written out: known, unless an element is an error.
    fn size_of_written(&mut self, items: &[Expr], env: &Env) -> Result<String, StoreError> {
        let sure = self.all_sure(items, env)?;
        Ok(match sure {
            Test::Always => items.len().to_string(),
            sure => format!("CASE WHEN {} THEN {} END", sure.sql(self.dialect), items.len()),
        })
    }

    /// Whether none of the expressions is an error.
    pub(crate) fn all_sure(&mut self, items: &[Expr], env: &Env) -> Result<Test, StoreError> {
        let mut sure = Test::Always;
        for item in items.iter().filter(|item| item.may_error) {
            sure = sure.and(self.value(item, env)?.sure(item));
        }
        Ok(sure)
    }

    /// A condition as a value: true, false, or null where it is an error.
    fn truth_value(&mut self, expr: &Expr, env: &Env) -> Result<Rendered, StoreError> {
        let (yes, no) = (self.is_true(expr, env)?, self.is_false(expr, env)?);
        Ok(Rendered::plain(match (yes, no) {
            (Test::Always, _) => self.dialect.boolean(true).to_owned(),
            (_, Test::Always) => self.dialect.boolean(false).to_owned(),
            (yes, no) => format!(
                "CASE WHEN {} THEN {} WHEN {} THEN {} END",
                yes.sql(self.dialect),
                self.dialect.boolean(true),
                no.sql(self.dialect),
                self.dialect.boolean(false)
            ),
        }))
    }

    /// The type with the type of its keys in the place of a key.
    pub(crate) fn stored_type(&self, ty: &Type) -> Type {
        match ty {
            Type::Key(of) => self.schema.collection_of(*of).map_or(KeyKind::String, |of| of.key).ty(),
            Type::List(of) => Type::List(Box::new(self.stored_type(of))),
            ty => ty.clone(),
        }
    }
}

/// A constant list or value that SQL takes as a bind.
pub(crate) fn constant_list(items: &[Expr]) -> Option<Value> {
    let constant = |item: &Expr| match &item.node {
        Node::Literal(value) if !value.is_null() => Some(value.clone()),
        _ => None,
    };
    items.iter().map(constant).collect::<Option<Vec<_>>>().map(|values| Value::List(values.into()))
}

pub(crate) fn in_memory_only(what: &str) -> StoreError {
    defect(format!("\"{what}\" has no meaning in SQL that every engine shares"))
}

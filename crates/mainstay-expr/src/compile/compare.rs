//! Comparisons and `in`: both sides brought to one type.
use super::context::Context;
use crate::{
    parse::Ast,
    tree::{CompareOp, Expr, Node},
    types::{Span, Type},
    value::Value,
};

impl Context<'_> {
    /// `a == b`, `a < b`, …
    pub(super) fn comparison(&mut self, op: CompareOp, [a, b]: &[Ast; 2], span: Span) -> Option<Expr> {
        let (a, b) = (self.lower_value(a), self.lower_value(b));
        let (a, b) = (a?, b?);
        if a.is_null() || b.is_null() {
            return self.with_null(op, a, b, span);
        }
        let b = self.adapt(b, &a.ty)?;
        let a = self.adapt(a, &b.ty)?;
        let (b, a) = (self.widen(b, &a.ty), a);
        let a = self.widen(a, &b.ty);
        self.check_comparable(op, &a, &b, span)?;
        Some(Expr::composite(Node::Compare(op, Box::new(a), Box::new(b)), Type::Bool, span))
    }

    /// `has(x.y)`: `x.y != null`.
    pub(super) fn is_present(&mut self, expr: Expr, span: Span) -> Option<Expr> {
        let null = Expr::literal(Value::Null, Type::Null, span);
        self.with_null(CompareOp::Ne, expr, null, span)
    }

    fn with_null(&mut self, op: CompareOp, a: Expr, b: Expr, span: Span) -> Option<Expr> {
        if !op.is_equality() {
            return self.refuse("type_mismatch", span, format!("null has no order, {:?} does not apply", op.as_str()));
        }
        let (a_ty, b_ty) = (a.ty.clone(), b.ty.clone());
        let typed = |expr: Expr, other: Type| if expr.is_null() { Expr { ty: other, ..expr } } else { expr };
        let (a, b) = (typed(a, b_ty), typed(b, a_ty));
        Some(Expr::composite(Node::Compare(op, Box::new(a), Box::new(b)), Type::Bool, span))
    }

    fn check_comparable(&mut self, op: CompareOp, a: &Expr, b: &Expr, span: Span) -> Option<()> {
        for side in [a, b] {
            if matches!(side.ty, Type::Json | Type::Embedded(_) | Type::Auth) {
                let message = format!("{} is only compared with null", self.describe(&side.ty));
                return self.refuse("type_mismatch", span, message);
            }
            if matches!(side.ty, Type::List(_)) {
                let hint = "ask about its elements: x in list, exists(x, …), all(x, …), size()".to_owned();
                return self.refuse_with("type_mismatch", span, "lists are not compared with each other", Some(hint));
            }
        }
        if !self.is_comparable(a, b) {
            return self.mismatch(a, b, span);
        }
        let unordered = [a, b].into_iter().find(|side| !has_order(&side.ty));
        let Some(side) = unordered.filter(|_| !op.is_equality()) else { return Some(()) };
        let message = format!("{} has no order, {:?} does not apply", self.describe(&side.ty), op.as_str());
        self.refuse("type_mismatch", span, message)
    }

    /// Whether the sides have one type, or an exact comparison in spite of two.
    fn is_comparable(&self, a: &Expr, b: &Expr) -> bool {
        let text_of_enum = |a: &Expr, b: &Expr| {
            matches!(a.ty, Type::Enum(_)) && b.ty == Type::String && super::slots::is_caller_only(b)
        };
        self.fits(a, &b.ty)
            || self.fits(b, &a.ty)
            || matches!((&a.ty, &b.ty), (Type::Int, Type::Float) | (Type::Float, Type::Int))
            || text_of_enum(a, b)
            || text_of_enum(b, a)
    }

    fn mismatch<T>(&mut self, a: &Expr, b: &Expr, span: Span) -> Option<T> {
        let message = format!("{} is compared with {}", self.describe_expr(a), self.describe_expr(b));
        let hint = match (&a.ty, &b.ty) {
            (Type::Key(_), Type::Key(_)) => Some("a link is its id, of its own type only".to_owned()),
            (Type::Key(_), _) | (_, Type::Key(_)) => {
                Some("a link is compared with a link to the same type, an id in quotes, or auth.id".to_owned())
            }
            (Type::Float, Type::Decimal(_)) | (Type::Decimal(_), Type::Float) => {
                Some("a Float and a Decimal have no exact comparison".to_owned())
            }
            _ => None,
        };
        self.refuse_with("type_mismatch", span, message, hint)
    }

    /// `item in list`.
    pub(super) fn membership(&mut self, [item, list]: &[Ast; 2], span: Span) -> Option<Expr> {
        let (item, list) = (self.lower_value(item), self.lower(list));
        let (item, list) = (item?, list?);
        if let Type::Records(_) = list.ty {
            let hint = "write links.exists(x, x == …)".to_owned();
            return self.refuse_with("type_mismatch", span, "\"in\" does not apply to links", Some(hint));
        }
        let list = self.value_of(list)?;
        if item.is_null() {
            return self.refuse("type_mismatch", span, "null is never in a list");
        }
        let list = self.adapt(list, &Type::List(Box::new(item.ty.clone())))?;
        let Type::List(of) = list.ty.clone() else {
            let message = format!("\"in\" needs a list, this is {}", self.describe(&list.ty));
            return self.refuse("type_mismatch", list.span, message);
        };
        let item = self.adapt(item, &of)?;
        let item = self.widen(item, &of);
        let list = self.adapt(list, &Type::List(Box::new(item.ty.clone())))?;
        self.check_elements(&item, &list, span)?;
        Some(Expr::composite(Node::In(Box::new(item), Box::new(list)), Type::Bool, span))
    }

    /// Whether each element compares with the item: of a written list one by one.
    fn check_elements(&mut self, item: &Expr, list: &Expr, span: Span) -> Option<()> {
        let Node::List(elements) = &list.node else {
            let of = match &list.ty {
                Type::List(of) => (**of).clone(),
                _ => Type::Null,
            };
            // An element has the origin of its list, so that keys may be among a caller's texts.
            let element = Expr { ty: of, ..list.clone() };
            return self.check_comparable(CompareOp::Eq, item, &element, span);
        };
        let mut fine = Some(());
        for element in elements {
            fine = fine.and(self.check_comparable(CompareOp::Eq, item, element, element.span));
        }
        fine
    }

    /// `[a, b]`: elements of one type.
    pub(super) fn list(&mut self, items: &[Ast], span: Span) -> Option<Expr> {
        let lowered: Vec<Option<Expr>> = items.iter().map(|item| self.lower_value(item)).collect();
        let mut lowered: Vec<Expr> = lowered.into_iter().collect::<Option<_>>()?;
        if let Some(item) = lowered.iter().find(|item| item.is_null() || matches!(item.ty, Type::List(_))) {
            return self.refuse("type_mismatch", item.span, "a list holds neither null nor lists");
        }
        let is_literal = |item: &&Expr| matches!(item.node, Node::Literal(_)) || item.ty == Type::Null;
        let find = |is: &dyn Fn(&&Expr) -> bool| lowered.iter().find(is);
        let typed = find(&|item| matches!(item.ty, Type::Key(_)))
            .or_else(|| find(&|item| !is_literal(item)))
            .or_else(|| find(&|item| item.ty == Type::Float))
            .or(lowered.first());
        let ty = typed.map_or(Type::Null, |item| item.ty.clone());
        for item in &mut lowered {
            *item = self.adapt(item.clone(), &ty)?;
            if item.ty != ty && !self.fits(item, &ty) && ty != Type::Null {
                let message = format!("a list of {} and {}", self.describe(&ty), self.describe(&item.ty));
                return self.refuse("type_mismatch", item.span, message);
            }
        }
        Some(Expr::composite(Node::List(lowered), Type::List(Box::new(ty)), span))
    }
}

/// Whether values of the type have an order that every engine agrees on.
fn has_order(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Int
            | Type::Float
            | Type::Decimal(_)
            | Type::String
            | Type::Timestamp
            | Type::Date
            | Type::Time
            | Type::Duration
    )
}

//! Names and members: fields, links, defines, the caller, the request.
use std::sync::Arc;

use super::{
    context::{Context, Frame},
    describe::{did_you_mean, nearest},
};
use crate::{
    parse::{Ast, Kind, parse},
    scope::{Member, Nearest},
    tree::{Caller, Expr, ITEM, NEW, Node, OLD},
    types::{RecordType, Span, Type},
};

/// Names that are never fields or variables.
pub(super) const RESERVED: [&str; 3] = ["auth", "request", "p"];

impl Context<'_> {
    /// A plain name.
    pub(super) fn name(&mut self, name: &str, span: Span) -> Option<Expr> {
        if let Some((_, var)) = self.frame.vars.iter().rev().find(|(known, _)| known == name) {
            return Some(Expr { span, ..var.clone() });
        }
        match name {
            "auth" => return Some(caller(Caller::Auth, Type::Auth, span)),
            "request" => {
                return self.refuse(
                    "type_mismatch",
                    span,
                    "\"request\" is no value by itself; it has time, ip, method and host",
                );
            }
            _ => {}
        }
        if let ("item", Some(of), None) = (name, self.limits.item, self.frame.inlined_at) {
            return Some(Expr::composite(Node::Var(ITEM), Type::Record(of), span));
        }
        let mut near = Nearest(None);
        if let Some((this, of)) = self.frame.this.clone() {
            match self.scope.member(of, name) {
                Ok(member) => return self.member(Expr { span, ..this }, of, name, member, span),
                Err(nearest) => near = nearest,
            }
        }
        if let Some(text) = self.scope.define(name) {
            return self.inline(None, None, name, &text, span);
        }
        let message = match (name, self.frame.this.as_ref()) {
            ("old" | "new", _) if self.frame.inlined_at.is_none() => return self.of_change(name, span),
            ("old" | "new", _) => not_of_change(name),
            (_, Some((_, of))) => format!("no field named {name:?} in {:?}", self.scope.record_name(*of)),
            (_, None) => format!("no value named {name:?}"),
        };
        if self.frame.inlined_at.is_some() {
            return self.out_of_reach(span, message);
        }
        let change = if self.limits.change { nearest(name, ["old", "new"]) } else { Nearest(None) };
        let hint = did_you_mean(change).or_else(|| did_you_mean(near)).or_else(|| {
            let is_itself = ["this", "self", "record", "resource", "it"].contains(&name);
            is_itself.then(|| "the record's own fields are named alone: owner == auth.id".to_owned())
        });
        self.refuse_with("unknown_name", span, message, hint)
    }

    /// `old` or `new`: the record before and after a change.
    fn of_change(&mut self, name: &str, span: Span) -> Option<Expr> {
        let this = self.frame.this.clone().filter(|_| self.frame.inlined_at.is_none());
        let Some((_, of)) = this.filter(|_| self.limits.change) else {
            return self.refuse("not_available", span, not_of_change(name));
        };
        let var = if name == "old" { OLD } else { NEW };
        Some(Expr::composite(Node::Var(var), Type::Record(of), span))
    }

    /// `of.name`.
    pub(super) fn select(&mut self, of: &Ast, name: &str, span: Span) -> Option<Expr> {
        if let Kind::Name(root) = &of.kind
            && !self.frame.vars.iter().any(|(known, _)| known == root)
        {
            match root.as_str() {
                "auth" => return self.auth(name, span),
                "request" => return self.request(name, span),
                "p" if self.limits.params && self.frame.inlined_at.is_none() => return self.param(name, span),
                "p" if !self.this_has("p") => {
                    return self.refuse("not_available", span, "\"p.\" values are for the filters of callers only");
                }
                _ => {}
            }
        }
        if let Kind::Select(root, claims) = &of.kind
            && claims == "claims"
            && matches!(&root.kind, Kind::Name(root) if root == "auth")
        {
            return self.claim(name, span);
        }
        let of = self.lower(of)?;
        self.select_from(of, name, span)
    }

    fn select_from(&mut self, of: Expr, name: &str, span: Span) -> Option<Expr> {
        let record = match of.ty {
            Type::Record(record) | Type::Embedded(record) => record,
            Type::Records(record) => {
                let message = format!("{:?} is asked of many {}", name, self.scope.record_name(record));
                let hint = "ask each of them: exists(x, …), all(x, …), or their size()".to_owned();
                return self.refuse_with("type_mismatch", span, message, Some(hint));
            }
            Type::Json => {
                return self.refuse(
                    "not_available",
                    span,
                    "members of JSON are not available; it is only compared with null",
                );
            }
            ref ty => {
                let message = format!("{} has no member {name:?}", self.describe(ty));
                return self.refuse("type_mismatch", span, message);
            }
        };
        match self.scope.member(record, name) {
            Ok(member) => self.member(of, record, name, member, span),
            Err(near) => {
                let message = format!("no field named {name:?} in {:?}", self.scope.record_name(record));
                match self.frame.inlined_at {
                    Some(_) => self.out_of_reach(span, message),
                    None => self.refuse_with("unknown_name", span, message, did_you_mean(near)),
                }
            }
        }
    }

    /// A member of a record or embedded value. A to-one link is left unfollowed: nullable means that `may_null` is set.
    fn member(&mut self, of: Expr, record: RecordType, name: &str, member: Member, span: Span) -> Option<Expr> {
        let of = followed(of);
        self.count(of.size(), span)?;
        let boxed = Box::new(of);
        if let (Node::Var(OLD | NEW), Member::Links { .. }) = (&boxed.node, &member) {
            let message = format!("{name:?} is a list of links, which \"old\" and \"new\" do not tell apart");
            return self.refuse_with("not_available", span, message, Some("ask the record itself".to_owned()));
        }
        let (node, ty, nullable) = match member {
            Member::Field { symbol, ty, nullable } => (Node::Field { of: boxed, symbol }, ty, nullable),
            Member::Link { symbol, target, nullable } => {
                (Node::Link { of: boxed, symbol, target, guard: None }, Type::Record(target), nullable)
            }
            Member::Links { symbol, target } => {
                (Node::Links { of: boxed, symbol, target, guard: None }, Type::Records(target), false)
            }
            Member::Key => (Node::Key(boxed), Type::Key(record), false),
            Member::Define(text) => return self.inline(Some(*boxed), Some(record), name, &text, span),
        };
        let expr = Expr { node, ty, span, may_null: nullable, may_error: false };
        Some(expr.with_flags())
    }

    /// A define's expression in its place: its plain names are members of `this`.
    pub(super) fn inline(
        &mut self,
        this: Option<Expr>,
        record: Option<RecordType>,
        name: &str,
        text: &Arc<str>,
        span: Span,
    ) -> Option<Expr> {
        let key = (record, name.to_owned());
        if self.inlining.contains(&key) {
            let through: Vec<String> = self.inlining.iter().skip(1).map(|(_, name)| format!("{name:?}")).collect();
            let through = if through.is_empty() { String::new() } else { format!(", through {}", through.join(", ")) };
            return self.refuse("define_cycle", span, format!("{name:?} is defined by itself{through}"));
        }
        let ast = match parse(text, self.limits) {
            Ok(ast) => ast,
            Err(problems) => {
                let message = problems.into_iter().next().map(|problem| problem.message).unwrap_or_default();
                self.refuse::<()>("define_syntax", span, format!("{name:?} does not parse: {message}"));
                self.problems.last_mut()?.inlined = Some(message);
                return None;
            }
        };
        self.inlining.push(key);
        let frame = Frame { this: this.zip(record), vars: Vec::new(), inlined_at: Some(span) };
        let outer = std::mem::replace(&mut self.frame, frame);
        let expr = self.lower(&ast);
        self.frame = outer;
        self.inlining.pop();
        expr
    }

    /// What a named condition reads beyond its asker's names: those are not told. `said` is what is said where it stands.
    fn out_of_reach(&mut self, span: Span, said: String) -> Option<Expr> {
        self.refuse::<()>("unknown_name", span, "this named condition reads what cannot be named here");
        self.problems.last_mut()?.inlined = Some(said);
        None
    }

    fn this_has(&self, name: &str) -> bool {
        self.frame.this.as_ref().is_some_and(|(_, of)| self.scope.member(*of, name).is_ok())
    }

    fn auth(&mut self, name: &str, span: Span) -> Option<Expr> {
        match name {
            "id" => Some(caller(Caller::Id, Type::String, span)),
            "roles" => Some(caller(Caller::Roles, Type::List(Box::new(Type::String)), span)),
            "claims" => self.refuse(
                "type_mismatch",
                span,
                "\"auth.claims\" is no value by itself; name a claim: auth.claims.NAME",
            ),
            "user" => self.refuse("not_available", span, "\"auth.user\" is not available"),
            _ => {
                let hint = did_you_mean(nearest(name, ["id", "roles", "claims"]));
                self.refuse_with("unknown_name", span, format!("the caller has no {name:?}"), hint)
            }
        }
    }

    fn claim(&mut self, name: &str, span: Span) -> Option<Expr> {
        match self.scope.claim(name) {
            Ok(ty) => Some(caller(Caller::Claim(Arc::from(name)), ty, span)),
            Err(near) => {
                let hint = did_you_mean(near)
                    .unwrap_or_else(|| format!("declare it: extend schema @claim(name: {name:?}, type: String)"));
                self.refuse_with("unknown_claim", span, format!("no claim named {name:?} is declared"), Some(hint))
            }
        }
    }

    fn request(&mut self, name: &str, span: Span) -> Option<Expr> {
        match name {
            "time" => Some(caller(Caller::Time, Type::Timestamp, span)),
            "ip" => Some(caller(Caller::Ip, Type::String, span)),
            "method" => Some(caller(Caller::Method, Type::String, span)),
            "host" => Some(caller(Caller::Host, Type::String, span)),
            _ => {
                let hint = did_you_mean(nearest(name, ["time", "ip", "method", "host"]));
                self.refuse_with("unknown_name", span, format!("the request has no {name:?}"), hint)
            }
        }
    }

    /// The expression as a plain value: a record is its key, a to-one link the key that is stored.
    pub(super) fn value_of(&mut self, expr: Expr) -> Option<Expr> {
        match (&expr.node, &expr.ty) {
            (Node::Link { of, symbol, target, .. }, _) => {
                let node = Node::Field { of: of.clone(), symbol: *symbol };
                let ty = Type::Key(*target);
                Some(Expr { node, ty, span: expr.span, may_null: expr.may_null, may_error: false }.with_flags())
            }
            (Node::Var(_), Type::Record(of)) => {
                let (ty, span) = (Type::Key(*of), expr.span);
                Some(Expr::composite(Node::Key(Box::new(expr)), ty, span))
            }
            (_, Type::Records(of)) => {
                let message = format!("a list of links to {} is no value", self.scope.record_name(*of));
                let hint = "ask about them: size(), exists(x, …), all(x, …)".to_owned();
                self.refuse_with("type_mismatch", expr.span, message, Some(hint))
            }
            _ => Some(expr),
        }
    }
}

fn not_of_change(name: &str) -> String {
    format!("{name:?} stands in update rules only")
}

/// A to-one link that something is read through: null is an error.
pub(super) fn followed(expr: Expr) -> Expr {
    match expr.node {
        Node::Link { .. } => Expr { may_error: expr.may_error || expr.may_null, may_null: false, ..expr },
        _ => expr,
    }
}

/// A part of the caller or the request.
pub(super) fn caller(part: Caller, ty: Type, span: Span) -> Expr {
    let may_error = matches!(part, Caller::Id | Caller::Roles | Caller::Claim(_));
    let may_null = part == Caller::Auth;
    Expr { node: Node::Caller(part), ty, span, may_null, may_error }
}

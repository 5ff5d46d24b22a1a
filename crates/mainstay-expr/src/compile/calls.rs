//! Calls: macros (`has`, `can`, `exists`, `sum` and the like) here, functions elsewhere; what CEL has and we do not is refused by name.
use super::{
    context::Context,
    describe::{did_you_mean, nearest},
    names::{RESERVED, followed},
};
use crate::{
    operators::FUNCTIONS,
    parse::{Ast, Kind},
    tree::{Expr, Function, Node, Quantifier, Reduction, VarId},
    types::{Span, Type},
};

/// Calls that other CELs or later versions know.
const NOT_AVAILABLE: [&str; 23] = [
    "count",
    "map",
    "filter",
    "sortBy",
    "bool",
    "bytes",
    "uint",
    "dyn",
    "type",
    "split",
    "join",
    "replace",
    "substring",
    "indexOf",
    "lastIndexOf",
    "charAt",
    "format",
    "reverse",
    "distinct",
    "flatten",
    "slice",
    "first",
    "last",
];

/// What is written as a call and reads its arguments in its own way.
const MACROS: [&str; 9] = ["has", "can", "exists", "all", "exists_one", "sum", "avg", "min", "max"];

impl Context<'_> {
    /// `f(a)` or `a.f(b)`.
    pub(super) fn call(&mut self, target: Option<&Ast>, name: &str, args: &[Ast], span: Span) -> Option<Expr> {
        match (name, target) {
            ("has", None) => return self.has(args, span),
            ("exists", Some(over)) => return self.quantifier(Quantifier::Exists, over, args, span),
            ("all", Some(over)) => return self.quantifier(Quantifier::All, over, args, span),
            // CEL's newer spelling is the same macro.
            ("exists_one" | "existsOne", Some(over)) => {
                return self.quantifier(Quantifier::ExistsOne, over, args, span);
            }
            ("can", None) => return self.can(args, span),
            _ => {}
        }
        if let (Some(kind), Some(over)) = (Reduction::from_name(name), target) {
            return self.reduction(kind, over, args, span);
        }
        if let Some(function) = Function::from_name(name) {
            let parts: Vec<&Ast> = target.into_iter().chain(args).collect();
            return self.function(function, target.is_some(), &parts, span);
        }
        if NOT_AVAILABLE.contains(&name) {
            let hint = match name {
                "count" | "filter" => Some("count with a sum: links.sum(x, x.open ? 1 : 0)".to_owned()),
                "map" => Some("ask with exists, all, sum, min or max: links.sum(x, x.amount)".to_owned()),
                _ => None,
            };
            return self.refuse_with("not_available", span, format!("\"{name}()\" is not available"), hint);
        }
        let known = FUNCTIONS.iter().map(|(name, ..)| *name).chain(MACROS);
        let hint = did_you_mean(nearest(name, known));
        self.refuse_with("unknown_function", span, format!("no function named {name:?}"), hint)
    }

    /// `has(x.y)`.
    fn has(&mut self, args: &[Ast], span: Span) -> Option<Expr> {
        let [arg] = args else {
            return self.refuse("wrong_arguments", span, "\"has()\" takes one field");
        };
        if !matches!(arg.kind, Kind::Select(..) | Kind::Name(_)) {
            return self.refuse("wrong_arguments", span, "\"has()\" takes a field");
        }
        let field = self.lower_value(arg)?;
        self.is_present(field, span)
    }

    /// `over.exists(x, body)`, `over.all(x, body)`, `over.exists_one(x, body)`.
    fn quantifier(&mut self, kind: Quantifier, over: &Ast, args: &[Ast], span: Span) -> Option<Expr> {
        let (over, var, body) =
            self.over((kind.as_str(), "a condition on it", "x != null"), over, args, span, Context::condition)?;
        let node = Node::Quantify { kind, var, over: Box::new(over), body: Box::new(body) };
        Some(Expr::composite(node, Type::Bool, span))
    }

    /// `over.sum(x, body)` and the like.
    fn reduction(&mut self, kind: Reduction, over: &Ast, args: &[Ast], span: Span) -> Option<Expr> {
        let name = kind.as_str();
        let (over, var, body) =
            self.over((name, "a value of it", "x.total"), over, args, span, Context::lower_value)?;
        let number = matches!(body.ty, Type::Int | Type::Float | Type::Decimal(_));
        let ordered = matches!(body.ty, Type::String | Type::Timestamp | Type::Date | Type::Time | Type::Duration);
        let ty = match kind {
            Reduction::Sum if number => body.ty.clone(),
            Reduction::Avg if number => Type::Float,
            Reduction::Min | Reduction::Max if number || ordered => body.ty.clone(),
            _ => {
                let message = format!("\"{name}()\" does not apply to {}", self.describe_expr(&body));
                return self.refuse("type_mismatch", body.span, message);
            }
        };
        let node = Node::Reduce { kind, var, over: Box::new(over), body: Box::new(body) };
        Some(Expr::composite(node, ty, span))
    }

    /// What a macro goes over, its variable, and what it asks of each element.
    fn over(
        &mut self,
        (name, usage, example): (&str, &str, &str),
        over: &Ast,
        args: &[Ast],
        span: Span,
        ask: fn(&mut Self, &Ast) -> Option<Expr>,
    ) -> Option<(Expr, VarId, Expr)> {
        let over = self.lower(over);
        let [Ast { kind: Kind::Name(variable), span: variable_span }, body] = args else {
            let message = format!("\"{name}()\" takes a name and {usage}: {name}(x, {example})");
            return self.refuse("wrong_arguments", span, message);
        };
        if RESERVED.contains(&variable.as_str()) {
            let place = self.frame.inlined_at.unwrap_or(*variable_span);
            return self.refuse("reserved_name", place, format!("{variable:?} cannot name an element"));
        }
        let over = followed(over?);
        let element = match &over.ty {
            Type::Records(of) => Type::Record(*of),
            Type::List(of) => (**of).clone(),
            ty => {
                let message = format!("\"{name}()\" goes over links and lists, this is {}", self.describe(ty));
                return self.refuse("type_mismatch", over.span, message);
            }
        };
        if self.quantifiers >= self.limits.quantifier_depth_max {
            let message = format!("more than {} exists and all inside each other", self.limits.quantifier_depth_max);
            return self.refuse("too_deep", span, message);
        }
        let var = self.new_var();
        // Elements that are kept or sent are never null; those that are written out may be.
        let may_null = over.any_element(|element| element.may_null);
        let bound = Expr { may_null, ..Expr::composite(Node::Var(var), element, span) };
        self.frame.vars.push((variable.clone(), bound));
        self.quantifiers += 1;
        let body = ask(self, body);
        self.quantifiers -= 1;
        self.frame.vars.pop();
        Some((over, var, body?))
    }

    /// `can(record, 'read')`: the rule of another record, in its place.
    fn can(&mut self, args: &[Ast], span: Span) -> Option<Expr> {
        let [record, Ast { kind: Kind::Text(action), span: action_span }] = args else {
            let message = "\"can()\" takes a record and an action: can(issue, 'read')";
            return self.refuse("wrong_arguments", span, message);
        };
        if self.limits.params {
            let message = "\"can()\" is for rules: a filter sees what its caller may read anyway";
            return self.refuse("not_available", span, message);
        }
        let place = self.frame.inlined_at.unwrap_or(*action_span);
        let record = followed(self.lower(record)?);
        let Type::Record(of) = record.ty else {
            let message = format!("\"can()\" asks about a record, this is {}", self.describe(&record.ty));
            return self.refuse("type_mismatch", record.span, message);
        };
        match self.scope.rule(of, action) {
            // Where there is no rule, only admins may, and they are asked nothing.
            Ok(None) => Some(Expr::bool(false, span)),
            Ok(Some(text)) => {
                let name = format!("{action} of {}", self.scope.record_name(of));
                self.inline(Some(record), Some(of), &name, &text, span)
            }
            Err(near) => {
                let hint = did_you_mean(near).or_else(|| Some("one of read, create, update and delete".to_owned()));
                self.refuse_with("unknown_name", place, format!("there is no rule named {action:?}"), hint)
            }
        }
    }
}

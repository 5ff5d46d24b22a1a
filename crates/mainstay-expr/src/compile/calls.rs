//! Calls: macros (`has`, `exists`, `all`) here, functions elsewhere; what CEL has and we do not is refused by name.
use super::{
    context::Context,
    describe::{did_you_mean, nearest},
    names::{RESERVED, followed},
};
use crate::{
    operators::FUNCTIONS,
    parse::{Ast, Kind},
    tree::{Expr, Function, Node, Quantifier},
    types::{Span, Type},
};

/// Calls that other CELs or later versions know.
const NOT_AVAILABLE: [&str; 42] = [
    "can",
    "old",
    "new",
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "exists_one",
    "existsOne",
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
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
    "distinct",
    "flatten",
    "slice",
    "first",
    "last",
];

impl Context<'_> {
    /// `f(a)` or `a.f(b)`.
    pub(super) fn call(&mut self, target: Option<&Ast>, name: &str, args: &[Ast], span: Span) -> Option<Expr> {
        match (name, target) {
            ("has", None) => return self.has(args, span),
            ("exists", Some(over)) => return self.quantifier(Quantifier::Exists, over, args, span),
            ("all", Some(over)) => return self.quantifier(Quantifier::All, over, args, span),
            _ => {}
        }
        if let Some(function) = Function::from_name(name) {
            let parts: Vec<&Ast> = target.into_iter().chain(args).collect();
            return self.function(function, target.is_some(), &parts, span);
        }
        if NOT_AVAILABLE.contains(&name) {
            return self.refuse("not_available", span, format!("\"{name}()\" is not available"));
        }
        let known = FUNCTIONS.iter().map(|(name, ..)| *name).chain(["has", "exists", "all"]);
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

    /// `over.exists(x, body)`, `over.all(x, body)`.
    fn quantifier(&mut self, kind: Quantifier, over: &Ast, args: &[Ast], span: Span) -> Option<Expr> {
        let name = kind.as_str();
        let over = self.lower(over);
        let [Ast { kind: Kind::Name(variable), span: variable_span }, body] = args else {
            let message = format!("\"{name}()\" takes a name and a condition on it: {name}(x, x != null)");
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
        let body = self.condition(body);
        self.quantifiers -= 1;
        self.frame.vars.pop();
        let node = Node::Quantify { kind, var, over: Box::new(over), body: Box::new(body?) };
        Some(Expr::composite(node, Type::Bool, span))
    }
}

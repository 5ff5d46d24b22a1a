//! Random conditions, as text.
use mainstay_expr::Type;
use mainstay_schema::{CollectionId, Schema};

use super::{
    bytes::Bytes,
    paths::{Named, Reach, has_order, is_scalar},
};

/// Quantifiers inside each other: one less than the limit.
const QUANTIFIERS_MAX: usize = 3;

/// An expression in the making.
pub(crate) struct Draw<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) bytes: Bytes<'a>,
    /// Innermost last.
    pub(crate) reach: Vec<Reach>,
    pub(crate) params: Option<usize>,
    variables: usize,
}

impl<'a> Draw<'a> {
    /// Over records of a collection; with `p.` values, or without.
    pub(crate) fn new(schema: &'a Schema, bytes: &'a [u8], of: CollectionId, params: bool) -> Draw<'a> {
        let (reach, params) = (vec![Reach::This(of)], params.then_some(0));
        Draw { schema, bytes: Bytes::new(bytes), reach, params, variables: 0 }
    }

    /// A condition.
    pub(crate) fn truth(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.fact();
        }
        let depth = depth - 1;
        match self.bytes.below(21) {
            0 => self.fact(),
            1 => format!("({} && {})", self.truth(depth), self.truth(depth)),
            2 => format!("({} || {})", self.truth(depth), self.truth(depth)),
            3 => format!("!({})", self.truth(depth)),
            4 => format!("({} ? {} : {})", self.truth(depth), self.truth(depth), self.truth(depth)),
            5..=8 => self.comparison(depth),
            9 => self.numbers_compared(depth),
            10 | 11 => self.membership(depth),
            12 => self.text_function(depth),
            13..=15 => self.over_links(depth),
            16 => self.over_list(depth),
            17 => self.of_caller(),
            18 | 19 => self.reduced(depth),
            _ => format!("({}) {} ({})", self.truth(depth), self.bytes.one_of(&["==", "!="]), self.truth(depth)),
        }
    }

    /// A condition without parts.
    fn fact(&mut self) -> String {
        match self.bytes.below(6) {
            5 => format!("({} != null)", self.list(&Type::Int, 1)),
            0 => (self.bytes.one_of(&["true", "false"])).to_owned(),
            1 => self.known(|ty| *ty == Type::Bool).unwrap_or_else(|| "true".to_owned()),
            2 => self.of_caller(),
            number => {
                let named = self.known(|ty| !matches!(ty, Type::Records(_))).unwrap_or_else(|| "auth".to_owned());
                format!("({named} {} null)", if number == 3 { "==" } else { "!=" })
            }
        }
    }

    /// Something that can be named, more often in the innermost reach.
    pub(crate) fn named(&mut self, is: impl Fn(&Type) -> bool) -> Option<Named> {
        let inner = self.reach.last().map(|reach| reach.named(self.schema)).unwrap_or_default();
        let mut found: Vec<Named> = inner.into_iter().filter(|named| is(&named.ty)).collect();
        if found.is_empty() || self.bytes.rarely(4) {
            let all = self.reach.iter().flat_map(|reach| reach.named(self.schema));
            found = all.filter(|named| is(&named.ty)).collect();
        }
        if found.is_empty() { None } else { Some(self.bytes.one_of(&found)) }
    }

    fn known(&mut self, is: impl Fn(&Type) -> bool) -> Option<String> {
        self.named(is).map(|named| named.text)
    }

    fn comparison(&mut self, depth: usize) -> String {
        let Some(Named { ty, .. }) = self.named(is_scalar) else { return self.fact() };
        let op = self.operator(&ty);
        let left = self.value(&ty, depth);
        let right = if self.bytes.rarely(6) { self.known(|other| *other == ty) } else { None };
        let right = right.unwrap_or_else(|| self.value_or_param(&ty, depth));
        if self.bytes.rarely(5) { format!("({right} {op} {left})") } else { format!("({left} {op} {right})") }
    }

    fn operator(&mut self, ty: &Type) -> &'static str {
        let all = ["==", "!=", "<", "<=", ">", ">="];
        self.bytes.one_of(if has_order(ty) { &all } else { &all[..2] })
    }

    /// Numbers of different types.
    fn numbers_compared(&mut self, depth: usize) -> String {
        let is_decimal = |ty: &Type| matches!(ty, Type::Decimal(_));
        let op = self.operator(&Type::Int);
        let decimals = if self.bytes.rarely(2) { self.named(is_decimal).zip(self.named(is_decimal)) } else { None };
        match decimals {
            Some((a, b)) if self.bytes.rarely(2) => format!("({} {op} {})", a.text, b.text),
            Some((a, _)) => format!("({} {op} {})", a.text, self.value(&Type::Int, depth)),
            None => format!("({} {op} {})", self.value(&Type::Float, depth), self.value(&Type::Int, depth)),
        }
    }

    fn membership(&mut self, depth: usize) -> String {
        let list = if self.bytes.rarely(2) { self.named(|ty| matches!(ty, Type::List(_))) } else { None };
        if let Some(Named { text, ty: Type::List(of) }) = list {
            return format!("({} in {text})", self.value_or_param(&of, depth));
        }
        let Some(item) = self.named(is_scalar) else { return self.fact() };
        if self.bytes.rarely(5)
            && let Some(param) = self.param()
        {
            return format!("({} in {param})", item.text);
        }
        format!("({} in {})", item.text, self.list(&item.ty, depth))
    }

    fn text_function(&mut self, depth: usize) -> String {
        let function = self.bytes.one_of(&["contains", "startsWith", "endsWith"]);
        let text = self.value(&Type::String, depth);
        let text = if self.bytes.rarely(20) { format!("{text}.lowerAscii()") } else { text };
        format!("{text}.{function}({})", self.value_or_param(&Type::String, depth))
    }

    fn over_links(&mut self, depth: usize) -> String {
        match self.named(|ty| matches!(ty, Type::Records(_))) {
            Some(Named { text, ty: Type::Records(of) }) if self.quantifiers() < QUANTIFIERS_MAX => {
                let name = self.variable();
                self.quantifier(&text, Reach::Record(name.clone(), CollectionId(of.0)), &name, depth)
            }
            _ => self.comparison(depth),
        }
    }

    fn over_list(&mut self, depth: usize) -> String {
        if self.quantifiers() == QUANTIFIERS_MAX {
            return self.comparison(depth);
        }
        let kept = if self.bytes.rarely(3) { None } else { self.named(|ty| matches!(ty, Type::List(_))) };
        let (list, ty) = match kept {
            Some(Named { text, ty: Type::List(of) }) => (text, *of),
            _ => {
                let Some(Named { text, ty }) = self.named(is_scalar) else { return self.fact() };
                let list = if self.bytes.rarely(4) { self.list(&ty, depth) } else { format!("[{text}]") };
                (list, ty)
            }
        };
        let name = self.variable();
        self.quantifier(&list, Reach::Element(Named { text: name.clone(), ty }), &name, depth)
    }

    fn quantifier(&mut self, over: &str, reach: Reach, name: &str, depth: usize) -> String {
        let kind = self.bytes.one_of(&["exists", "all", "exists_one"]);
        self.reach.push(reach);
        let body = self.truth(depth);
        self.reach.pop();
        format!("{over}.{kind}({name}, {body})")
    }

    /// What is made of the values of many, compared with a value of the same type.
    fn reduced(&mut self, depth: usize) -> String {
        let over = self.named(|ty| matches!(ty, Type::Records(_) | Type::List(_)));
        let (Some(Named { text, ty }), true) = (over, self.quantifiers() < QUANTIFIERS_MAX) else {
            return self.comparison(depth);
        };
        let name = self.variable();
        let reach = match ty {
            Type::Records(of) => Reach::Record(name.clone(), CollectionId(of.0)),
            Type::List(of) => Reach::Element(Named { text: name.clone(), ty: *of }),
            _ => return self.fact(),
        };
        let sums = self.bytes.rarely(2);
        let fits = move |ty: &Type| match ty {
            Type::Int | Type::Decimal(_) => true,
            Type::Float | Type::String | Type::Timestamp | Type::Date | Type::Time => !sums,
            _ => false,
        };
        self.reach.push(reach);
        let of = self.named(fits);
        let value = of.map(|of| (if self.bytes.rarely(3) { self.value(&of.ty, depth) } else { of.text }, of.ty));
        self.reach.pop();
        let Some((value, of)) = value else { return self.comparison(depth) };
        let kind = self.bytes.one_of(if sums { &["sum", "avg"] } else { &["min", "max"] });
        let out = if kind == "avg" { Type::Float } else { of };
        let op = self.operator(&out);
        format!("({text}.{kind}({name}, {value}) {op} {})", self.value(&out, depth))
    }

    fn quantifiers(&self) -> usize {
        self.reach.len() - 1
    }

    fn variable(&mut self) -> String {
        self.variables += 1;
        format!("v{}", self.variables)
    }

    /// A condition that reads the caller.
    fn of_caller(&mut self) -> String {
        let text = self.known(|ty| *ty == Type::String).unwrap_or_else(|| "'a'".to_owned());
        let key = self.known(|ty| matches!(ty, Type::Key(_))).unwrap_or_else(|| text.clone());
        let id = self.known(|ty| *ty == Type::Uuid).unwrap_or_else(|| "auth.claims.org".to_owned());
        match self.bytes.below(12) {
            0 => "(auth == null)".to_owned(),
            1 => "(auth != null)".to_owned(),
            2 => format!("({key} == auth.id)"),
            3 => format!("({key} != auth.id)"),
            4 => format!("({key} in auth.roles)"),
            5 => format!("({text} in auth.roles)"),
            6 => format!("({text} == auth.id)"),
            7 => format!("auth.roles.exists(r, r == {text})"),
            8 => format!("({id} == auth.claims.org)"),
            9 => "(size(auth.roles) > 1)".to_owned(),
            10 => format!("({} < auth.claims.level)", self.value(&Type::Int, 0)),
            _ => format!("({key} in [auth.id, {key}])"),
        }
    }
}

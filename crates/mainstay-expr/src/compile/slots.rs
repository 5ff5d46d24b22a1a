//! Taking the caller's parts out of a tree.
use crate::{
    scope::Scope,
    tree::{Expr, Node, Slot, VarId},
    types::{Span, Type},
};

/// Whether the expression reads the caller and nothing else: no record, no variable from outside of it.
pub(super) fn is_caller_only(expr: &Expr) -> bool {
    let mut reads_caller = false;
    let mut inner: Vec<VarId> = Vec::new();
    let mut outer: Vec<VarId> = Vec::new();
    expr.any(&mut |part| {
        match &part.node {
            Node::Caller(_) => reads_caller = true,
            Node::Var(var) => outer.push(*var),
            Node::Quantify { var, .. } | Node::Reduce { var, .. } => inner.push(*var),
            _ => {}
        }
        false
    });
    reads_caller && outer.iter().all(|var| inner.contains(var))
}

/// The tree with slots in place of the caller's parts, and the slots. `want` is the type of the root.
pub(super) fn extract(expr: &Expr, scope: &dyn Scope, want: &Type) -> (Expr, Vec<Slot>) {
    let mut slots = Slots { scope, slots: Vec::new() };
    let expr = slots.replace(expr, Some(want));
    (expr, slots.slots)
}

struct Slots<'a> {
    scope: &'a dyn Scope,
    slots: Vec<Slot>,
}

impl Slots<'_> {
    /// `meets` is the type that the expression is equal to or wanted as.
    fn replace(&mut self, expr: &Expr, meets: Option<&Type>) -> Expr {
        if is_caller_only(expr) {
            return self.slot(expr, meets);
        }
        match &expr.node {
            Node::Compare(op, a, b) => {
                let node =
                    Node::Compare(*op, Box::new(self.replace(a, Some(&b.ty))), Box::new(self.replace(b, Some(&a.ty))));
                Expr { node, ..expr.clone() }
            }
            Node::In(item, list) => {
                let of = element(&list.ty);
                let item_slot = self.replace(item, of);
                let list_slot = self.replace(list, Some(&item.ty));
                Expr { node: Node::In(Box::new(item_slot), Box::new(list_slot)), ..expr.clone() }
            }
            Node::List(_) => expr.map_parts(&mut |item| self.replace(item, meets)),
            Node::And(terms) => Expr { node: Node::And(self.terms(terms, Node::And)), ..expr.clone() },
            Node::Or(terms) => Expr { node: Node::Or(self.terms(terms, Node::Or)), ..expr.clone() },
            _ => expr.map_parts(&mut |part| self.replace(part, None)),
        }
    }

    /// The terms of a connective; those that read only the caller become one slot, in the place of the first.
    fn terms(&mut self, terms: &[Expr], connect: fn(Vec<Expr>) -> Node) -> Vec<Expr> {
        let (callers, _): (Vec<&Expr>, Vec<&Expr>) = terms.iter().partition(|term| is_caller_only(term));
        let joined = match callers.as_slice() {
            [] | [_] => None,
            [first, ..] => {
                let node = connect(callers.iter().map(|term| (*term).clone()).collect());
                Some(Expr::composite(node, Type::Bool, first.span))
            }
        };
        let mut out = Vec::with_capacity(terms.len());
        let mut joined_placed = false;
        for term in terms {
            match &joined {
                Some(joined) if is_caller_only(term) => {
                    if !joined_placed {
                        out.push(self.slot(joined, None));
                        joined_placed = true;
                    }
                }
                _ => out.push(self.replace(term, None)),
            }
        }
        out
    }

    fn slot(&mut self, expr: &Expr, meets: Option<&Type>) -> Expr {
        let slot = Slot { expr: without_spans(expr), key: meets.and_then(|meets| self.key(&expr.ty, meets)) };
        let number = self.slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
            self.slots.push(slot);
            self.slots.len() - 1
        });
        // Nodes are bounded far below 65,536.
        let node = Node::Slot(u16::try_from(number).unwrap_or(u16::MAX));
        Expr { node, ..expr.clone() }
    }

    /// The key type to parse into, when a caller's text (or list of texts) meets a key or a UUID.
    fn key(&self, from: &Type, meets: &Type) -> Option<Type> {
        match meets {
            Type::Key(of) => Some(self.scope.key(*of)),
            Type::Uuid if *element(from).unwrap_or(from) == Type::String => Some(Type::Uuid),
            Type::List(of) => self.key(from, of),
            _ => None,
        }
    }
}

fn element(list: &Type) -> Option<&Type> {
    match list {
        Type::List(of) => Some(of),
        _ => None,
    }
}

/// Equal parts are one slot wherever they stand.
fn without_spans(expr: &Expr) -> Expr {
    let expr = expr.map_parts(&mut |part| without_spans(part));
    Expr { span: Span::default(), ..expr }
}

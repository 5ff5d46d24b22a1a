//! Fields whose reading is a matter of its own: behind a rule, or computed.
use crate::{
    tree::{Expr, Node, THIS, VarId},
    types::{RecordType, Span, Symbol, Type},
};

/// What reading a field or following a link comes to, over the [`THIS`] of its record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldReading {
    /// What must hold of the record, else reading is an error.
    pub when: Option<Expr>,
    /// What stands in the place of the field.
    pub instead: Option<Expr>,
}

/// The expression with each reading of a field as `read` says; `None` leaves it. What is put in is not looked into.
pub fn with_fields(expr: &Expr, read: &mut dyn FnMut(RecordType, Symbol) -> Option<FieldReading>) -> Expr {
    let mut walk = Walk { read, base: highest(expr) };
    let (walked, pending) = walk.go(expr);
    guarded(walked, pending)
}

/// The expression over another record than [`THIS`], which has no variables of its own.
pub fn over_record(expr: &Expr, this: &Expr) -> Expr {
    substitute(expr, this, 0)
}

struct Walk<'r> {
    read: &'r mut dyn FnMut(RecordType, Symbol) -> Option<FieldReading>,
    /// The highest variable so far: what is put in counts on from here.
    base: u16,
}

impl Walk<'_> {
    /// The expression, and what must hold for it besides: said where a value is made of what is read, since a record is none.
    fn go(&mut self, expr: &Expr) -> (Expr, Vec<Expr>) {
        let mut pending = Vec::new();
        let mut walked = expr.map_parts(&mut |part| {
            let (part, more) = self.go(part);
            pending.extend(more);
            part
        });
        if let Some((of, reading)) = self.reading(&walked) {
            if let Some(when) = reading.when {
                pending.push(self.put_in(&when, &of));
            }
            if let Some(instead) = reading.instead {
                walked = Expr { span: expr.span, ..self.put_in(&instead, &of) };
            }
        }
        match walked.ty {
            Type::Record(_) | Type::Records(_) | Type::Embedded(_) | Type::List(_) => (walked, pending),
            _ => (guarded(walked, pending), Vec::new()),
        }
    }

    fn reading(&mut self, expr: &Expr) -> Option<(Expr, FieldReading)> {
        let (Node::Field { of, symbol } | Node::Link { of, symbol, .. } | Node::Links { of, symbol, .. }) = &expr.node
        else {
            return None;
        };
        let Type::Record(record) = of.ty else { return None };
        (self.read)(record, *symbol).map(|reading| ((**of).clone(), reading))
    }

    fn put_in(&mut self, expr: &Expr, this: &Expr) -> Expr {
        let base = self.base;
        self.base = base.saturating_add(highest(expr));
        substitute(expr, this, base)
    }
}

fn guarded(expr: Expr, mut pending: Vec<Expr>) -> Expr {
    let span = expr.span;
    let when = match pending.len() {
        0 => return expr,
        1 => pending.swap_remove(0),
        _ => Expr::composite(Node::And(pending), Type::Bool, Span::default()),
    };
    let (ty, refused) = (expr.ty.clone(), Expr::error(expr.ty.clone(), span));
    Expr::composite(Node::Cond(Box::new(when), Box::new(expr), Box::new(refused)), ty, span)
}

fn substitute(expr: &Expr, this: &Expr, base: u16) -> Expr {
    let shifted = |var: VarId| if var == THIS { var } else { VarId(var.0.saturating_add(base)) };
    match &expr.node {
        Node::Var(THIS) => this.clone(),
        Node::Var(var) => Expr { node: Node::Var(shifted(*var)), ..expr.clone() },
        _ => {
            let mut moved = expr.map_parts(&mut |part| substitute(part, this, base));
            if let Node::Quantify { var, .. } | Node::Reduce { var, .. } = &mut moved.node {
                *var = shifted(*var);
            }
            moved
        }
    }
}

/// The highest variable that is bound.
fn highest(expr: &Expr) -> u16 {
    let here = match &expr.node {
        Node::Var(var) | Node::Quantify { var, .. } | Node::Reduce { var, .. } => var.0,
        _ => 0,
    };
    expr.parts().into_iter().map(highest).fold(here, u16::max)
}

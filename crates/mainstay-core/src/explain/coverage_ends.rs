//! Clauses that compare what links of a record led to with what they lead to now: decided in memory, for rule tests.
use mainstay_expr::{Expr, NEW, Node, OLD, Symbol, THIS, Value, VarId, own_fields_only, reads_change};
use mainstay_plan::OwnFields;
use mainstay_schema::{Collection, CollectionId};

use super::{clauses::RuleParts, linked::Stored};
use crate::{Core, Error, Request, Verdict, evaluate::condition_holds, plan::Given};

impl Core {
    /// Decides the open clauses over `old` and `new` that read nothing but the two and what their links lead to.
    pub(super) async fn decide_ends(
        &self,
        request: &Request,
        of: CollectionId,
        (before, after): (&[Value], &[Value]),
        parts: &mut RuleParts,
    ) -> Result<(), Error> {
        let record = OwnFields { collection: self.schema.collection(of), values: after };
        let bound = Given { slots: &parts.slots, ..Given::default() }.bind(&parts.origins);
        for (at, condition) in std::mem::take(&mut parts.open) {
            let mut known = condition.clone();
            for (state, values) in [(OLD, before), (NEW, after), (THIS, after)] {
                for link in links_of(&known, state) {
                    let end = self.end_of(request, of, values, link).await?;
                    known = self.with_end(&known, (state, link), end.as_ref());
                }
            }
            if reads_change(&condition) && own_fields_only(&known) && !reads_change(&known) {
                let holds = condition_holds(&self.schema, &known, &record, &bound);
                parts.explained.clauses[at].outcome = if holds { Verdict::True } else { Verdict::False };
            } else {
                parts.open.push((at, condition));
            }
        }
        Ok(())
    }

    /// An expression with the values of the record that a link leads to; where it leads nowhere, reading it is an error.
    fn with_end(&self, expr: &Expr, link: (VarId, Symbol), end: Option<&Stored>) -> Expr {
        let value = |symbol: Option<Symbol>| {
            let (of, values) = end?;
            let of: &Collection = self.schema.collection(*of);
            let at = symbol.map(|symbol| symbol.0).or(of.system.id.map(|id| id.0))?;
            values.get(at as usize).cloned()
        };
        let found = match &expr.node {
            Node::Field { of, symbol } if is_link(of, link) => value(Some(*symbol)),
            Node::Key(of) if is_link(of, link) => value(None),
            _ => return expr.map_parts(&mut |part| self.with_end(part, link, end)),
        };
        match found {
            Some(value) => Expr::literal(value, expr.ty.clone(), expr.span),
            None => Expr { node: Node::Error, ..expr.clone() },
        }
    }
}

fn is_link(expr: &Expr, (state, link): (VarId, Symbol)) -> bool {
    matches!(&expr.node, Node::Link { of, symbol, .. } if of.node == Node::Var(state) && *symbol == link)
}

/// The links of one state of the record that an expression follows.
fn links_of(expr: &Expr, state: VarId) -> Vec<Symbol> {
    let mut links = Vec::new();
    expr.any(&mut |part| {
        if let Node::Link { of, symbol, .. } = &part.node
            && of.node == Node::Var(state)
            && !links.contains(symbol)
        {
            links.push(*symbol);
        }
        false
    });
    links
}

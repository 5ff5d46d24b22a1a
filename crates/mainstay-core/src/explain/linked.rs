//! Clauses that follow links, over a record that is not stored: what its links lead to is stored, and answers for them.
use std::cell::Cell;

use mainstay_expr::{Expr, ITEM, Node, Symbol, THIS, Value, own_fields_only, reads_change};
use mainstay_plan::OwnFields;
use mainstay_schema::{Collection, CollectionId, FieldId, FieldKind};

use super::{
    clauses::{RuleParts, Subject},
    obeying::{Asked, Subjects},
    values::shown,
};
use crate::{
    Core, Error, Request, RuleExplained, Target, ValueRead, Verdict,
    evaluate::condition_holds,
    expressions::RuleName,
    plan::{Given, target::key_text},
};

/// Values behind links that are told of one clause at most.
const FOLLOWED_MAX: usize = 16;

/// The values of a stored record.
pub(super) type Stored = (CollectionId, Vec<Value>);

impl Core {
    /// A rule over a record in memory; what clauses read behind its links is looked up.
    pub(crate) async fn explain_made(
        &self,
        request: &Request,
        rule: RuleName,
        subject: Subject<'_>,
    ) -> Result<RuleExplained, Error> {
        let parts = self.rule_parts(request, rule, subject, None)?;
        self.explain_parts(request, rule, parts, subject.values(), None).await
    }

    /// Tells what the open clauses read behind links: `team.name`.
    pub(super) async fn tell_followed(
        &self,
        request: &Request,
        of: CollectionId,
        record: &[Value],
        parts: &mut RuleParts,
    ) -> Result<(), Error> {
        let RuleParts { explained, open, .. } = parts;
        for (at, condition) in open {
            for path in paths(condition) {
                let known = &mut explained.clauses[*at].values;
                if let Some(read) = self.followed(request, of, record, &path).await? {
                    known.push(read);
                }
            }
        }
        Ok(())
    }

    /// What stands at the end of a path; `None` where it does not lead there.
    async fn followed(
        &self,
        request: &Request,
        mut of: CollectionId,
        record: &[Value],
        path: &[Symbol],
    ) -> Result<Option<ValueRead>, Error> {
        let Some((last, links)) = path.split_last() else { return Ok(None) };
        let mut record = record.to_vec();
        let mut name = String::new();
        for link in links {
            let Some((target, next)) = self.end_of(request, of, &record, *link).await? else { return Ok(None) };
            name.push_str(&self.schema.collection(of).field(FieldId::of(*link)).name);
            name.push('.');
            (of, record) = (target, next);
        }
        let value = shown(record.get(last.0 as usize));
        name.push_str(&self.schema.collection(of).field(FieldId::of(*last)).name);
        Ok(Some(ValueRead { name, value }))
    }

    /// The record that a link leads to, if it leads to one.
    pub(super) async fn end_of(
        &self,
        request: &Request,
        of: CollectionId,
        record: &[Value],
        link: Symbol,
    ) -> Result<Option<Stored>, Error> {
        let FieldKind::ToOne { target, .. } = self.schema.collection(of).field(FieldId::of(link)).kind else {
            return Ok(None);
        };
        let key = Target::Key(record.get(link.0 as usize).and_then(key_text).unwrap_or_default());
        Ok(self.stored_values(request, target, &key).await?.map(|values| (target, values)))
    }

    /// Whether two records of a collection have one key.
    fn is_same(&self, of: CollectionId, a: &[Value], b: &[Value]) -> bool {
        let key = self.schema.collection(of).system.id.map(|id| id.0 as usize);
        key.is_some_and(|key| a.get(key) == b.get(key))
    }

    /// What a clause comes to: asked of the record that one of its links leads to, with all else put in as values. `None` where
    /// it needs more than that.
    pub(super) async fn linked_verdict(
        &self,
        request: &Request,
        (of, record): (CollectionId, &[Value]),
        condition: &Expr,
        parts: &RuleParts,
    ) -> Result<Option<Verdict>, Error> {
        if reads_change(condition) || condition.any(&mut |part| goes_further(part)) {
            return Ok(None);
        }
        let mut ends = Vec::new();
        for link in links(condition) {
            let end = self.end_of(request, of, record, link).await?;
            if end.as_ref().is_some_and(|(target, values)| *target == of && self.is_same(of, values, record)) {
                return Ok(None);
            }
            ends.push((link, end));
        }
        let asked = ends.iter().find_map(|(link, end)| end.as_ref().map(|(target, _)| (*link, *target)));
        let collection = self.schema.collection(of);
        let known = Known { collection, record, ends, asked: asked.map(|(link, _)| link), lost: Cell::new(false) };
        let condition = known.put_into(condition);
        if known.lost.get() {
            return Ok(None);
        }
        let holds = match asked {
            Some((link, target)) => {
                let key = Target::Key(record.get(link.0 as usize).and_then(key_text).unwrap_or_default());
                let over = Subjects::One(&key);
                match self.obeying(Asked { of: target, over, parts }, condition).await? {
                    Some(records) => records > 0,
                    None => return Ok(None),
                }
            }
            None if own_fields_only(&condition) => {
                let bound = Given { slots: &parts.slots, ..Given::default() }.bind(&parts.origins);
                condition_holds(&self.schema, &condition, &OwnFields { collection, values: record }, &bound)
            }
            None => return Ok(None),
        };
        Ok(Some(if holds { Verdict::True } else { Verdict::False }))
    }
}

/// What is known of a record and of those that it links to.
struct Known<'a> {
    collection: &'a Collection,
    record: &'a [Value],
    /// Each link with the record that it leads to.
    ends: Vec<(Symbol, Option<Stored>)>,
    /// The link whose record is asked: it is what [`THIS`] becomes.
    asked: Option<Symbol>,
    /// Whether something could not be put in.
    lost: Cell<bool>,
}

impl Known<'_> {
    /// The expression over the record that is asked, with the values of all others in it.
    fn put_into(&self, expr: &Expr) -> Expr {
        let value = match &expr.node {
            Node::Link { of, symbol, .. } if is_this(of) => return self.link(expr, *symbol),
            Node::Field { of, symbol } if is_this(of) => self.record.get(symbol.0 as usize).cloned(),
            Node::Key(of) if is_this(of) => {
                self.collection.system.id.and_then(|id| self.record.get(id.0 as usize).cloned())
            }
            Node::Field { of, symbol } => self.values_at(of).and_then(|values| values.get(symbol.0 as usize).cloned()),
            _ => None,
        };
        if let Some(value) = value {
            return Expr::literal(value, expr.ty.clone(), expr.span);
        }
        let mapped = expr.map_parts(&mut |part| self.put_into(part));
        match &mapped.node {
            Node::Field { of, .. } | Node::Key(of) | Node::Link { of, .. } if of.node == Node::Error => {
                Expr { node: Node::Error, ..mapped }
            }
            _ => mapped,
        }
    }

    fn link(&self, expr: &Expr, link: Symbol) -> Expr {
        if self.asked == Some(link) {
            return Expr { node: Node::Var(THIS), ..expr.clone() };
        }
        // A link that leads nowhere is an error; of one that leads on, more is needed than its own values.
        let there = self.ends.iter().any(|(of, end)| *of == link && end.is_some());
        self.lost.set(self.lost.get() || there);
        Expr { node: Node::Error, ..expr.clone() }
    }

    /// The values of the record at the end of a link that is not the one asked.
    fn values_at(&self, expr: &Expr) -> Option<&[Value]> {
        let Node::Link { of, symbol, .. } = &expr.node else { return None };
        let other = is_this(of) && self.asked != Some(*symbol);
        let (_, end) = self.ends.iter().find(|(link, _)| other && link == symbol)?;
        end.as_ref().map(|(_, values)| &values[..])
    }
}

fn is_this(expr: &Expr) -> bool {
    expr.node == Node::Var(THIS)
}

/// Whether a part reads what no link of the record alone leads to.
fn goes_further(part: &Expr) -> bool {
    match &part.node {
        Node::Links { of, .. } => is_this(of),
        Node::Var(ITEM) => true,
        _ => false,
    }
}

/// Whether a condition over a record as a write leaves it looks from another record back at those of its collection: what it finds
/// there, the write itself has a part in. Of a change that is so of links to one record, too.
pub(super) fn looks_back(condition: &Expr, of: CollectionId, changes: bool) -> bool {
    condition.any(&mut |part| match &part.node {
        Node::Links { target, .. } => target.0 == of.0,
        Node::Link { of: from, target, .. } => changes && target.0 == of.0 && !matches!(from.node, Node::Var(_)),
        _ => false,
    })
}

/// The links of the record that an expression follows.
fn links(expr: &Expr) -> Vec<Symbol> {
    let mut links = Vec::new();
    expr.any(&mut |part| {
        if let Node::Link { of, symbol, .. } = &part.node
            && is_this(of)
            && !links.contains(symbol)
        {
            links.push(*symbol);
        }
        false
    });
    links
}

/// The fields behind links that an expression reads, each with the links that lead there.
fn paths(expr: &Expr) -> Vec<Vec<Symbol>> {
    let mut paths = Vec::new();
    expr.any(&mut |part| {
        if let Node::Field { of, symbol } = &part.node
            && let Some(mut path) = chain(of).filter(|path| !path.is_empty())
        {
            path.push(*symbol);
            if paths.len() < FOLLOWED_MAX && !paths.contains(&path) {
                paths.push(path);
            }
        }
        false
    });
    paths
}

/// The links that lead from the record to this one, if that is how it is reached.
fn chain(expr: &Expr) -> Option<Vec<Symbol>> {
    match &expr.node {
        Node::Var(THIS) => Some(Vec::new()),
        Node::Link { of, symbol, .. } => chain(of).map(|mut path| {
            path.push(*symbol);
            path
        }),
        _ => None,
    }
}

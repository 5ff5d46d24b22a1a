//! The clauses of the rules of a schema: what there is to be tested.
use std::sync::Arc;

use mainstay_expr::{Compiled, Expr, Node};
use mainstay_schema::{Collection, CollectionId, Field, FieldId};

use super::{
    ClauseSeen,
    texts::{source_of, text_of},
};
use crate::{Core, expressions::RuleKind};

/// A clause of a rule: a part that is not itself several parts joined by `&&` or `||`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleClause {
    /// Whose rule it is.
    pub collection: CollectionId,
    /// The field that it is about, if it is about one.
    pub field: Option<FieldId>,
    /// What the rule is about: `read`, `create`; `write` where one text is about all writes.
    pub kind: &'static str,
    /// The kinds that share the rule.
    kinds: Vec<RuleKind>,
    /// Its position among the clauses of the rule.
    number: usize,
    /// The clause, as text.
    pub text: String,
    /// The file that its rule stands in.
    pub file: Arc<str>,
    /// The line there that it begins in; what comes out of a define begins where that is named.
    pub line: u32,
}

impl RuleClause {
    /// Whether this is the clause that was seen.
    pub fn is(&self, seen: &ClauseSeen) -> bool {
        self.collection == seen.collection && self.number == seen.number && self.kinds.contains(&seen.kind)
    }

    /// Whether making a record asks it.
    pub(super) fn is_of_new(&self) -> bool {
        self.kinds.iter().any(|kind| matches!(kind, RuleKind::Create | RuleKind::AddLink(_)))
    }
}

/// The kinds of rules that are of a collection as a whole.
pub(super) const KINDS: [RuleKind; 5] =
    [RuleKind::Read, RuleKind::List, RuleKind::Create, RuleKind::Update, RuleKind::Delete];

/// The kinds of rules that are of a field.
pub(super) fn field_kinds(field: &Field) -> [RuleKind; 4] {
    let id = field.id;
    [RuleKind::ReadField(id), RuleKind::WriteField(id), RuleKind::AddLink(id), RuleKind::RemoveLink(id)]
}

impl Core {
    /// All clauses of all rules, in the order of the schema; a clause that is a constant is left out.
    pub fn rule_clauses(&self) -> Vec<RuleClause> {
        let schema = &self.schema;
        let mut clauses = Vec::new();
        for collection in &schema.collections {
            let of = |kind: RuleKind| kind.of(schema, collection.id);
            for (at, kind) in KINDS.into_iter().enumerate() {
                let Some(compiled) = of(kind) else { continue };
                let same = |other: RuleKind| of(other).is_some_and(|other| other.text == compiled.text);
                if KINDS[..at].iter().any(|earlier| same(*earlier)) {
                    continue;
                }
                let kinds: Vec<RuleKind> = KINDS.into_iter().filter(|kind| same(*kind)).collect();
                clauses.extend(clauses_of(collection, None, (word(&kinds), kinds), compiled));
            }
            for kind in collection.fields.iter().flat_map(field_kinds) {
                let Some(compiled) = of(kind) else { continue };
                clauses.extend(clauses_of(collection, kind.field(), (kind.word(), vec![kind]), compiled));
            }
        }
        clauses
    }
}

/// The clauses of one rule that are worth a test.
fn clauses_of(
    of: &Collection,
    field: Option<FieldId>,
    (kind, kinds): (&'static str, Vec<RuleKind>),
    compiled: &Arc<Compiled>,
) -> impl Iterator<Item = RuleClause> {
    clause_texts(compiled).into_iter().map(move |(number, at, text)| {
        let place = of.rule_line(compiled, at).unwrap_or_else(|| (of.at.file.clone(), of.at.line));
        let (collection, kinds, (file, line)) = (of.id, kinds.clone(), place);
        RuleClause { collection, field, kind, kinds, number, text, file, line }
    })
}

fn word(kinds: &[RuleKind]) -> &'static str {
    match kinds {
        [RuleKind::Create, RuleKind::Update, RuleKind::Delete] => "write",
        [] => "",
        [RuleKind::Read, RuleKind::List, RuleKind::Create, ..] => "read and write",
        [first, ..] => first.word(),
    }
}

/// The clauses of a rule, from the left.
pub(super) fn leaves(expr: &Expr) -> Vec<&Expr> {
    fn walk<'a>(expr: &'a Expr, out: &mut Vec<&'a Expr>) {
        match &expr.node {
            Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| walk(part, out)),
            _ => out.push(expr),
        }
    }
    let mut out = Vec::new();
    walk(expr, &mut out);
    out
}

/// The clauses that are worth a test, by their number and where they begin: as they are written, and those of a define or of another
/// record's rule by its name there and their place in it.
fn clause_texts(compiled: &Compiled) -> Vec<(usize, usize, String)> {
    let leaves = leaves(&compiled.expr);
    let constant = |leaf: &Expr| match &leaf.node {
        Node::Literal(_) => true,
        Node::Slot(at) => {
            compiled.slots.get(*at as usize).is_some_and(|slot| matches!(slot.expr.node, Node::Literal(_)))
        }
        _ => false,
    };
    let text = |at: usize, leaf: &Expr| {
        let alike = |leaves: &[&Expr]| leaves.iter().filter(|other| other.span == leaf.span).count();
        let (several, before) = (alike(&leaves), leaves.get(..at).map_or(0, alike));
        match several {
            1 => text_of(compiled, leaf),
            _ => format!("{}, part {} of {several}", source_of(compiled, leaf), before + 1),
        }
    };
    let worth = leaves.iter().enumerate().filter(|(_, leaf)| !constant(leaf));
    worth.map(|(at, leaf)| (at, leaf.span.start as usize, text(at, leaf))).collect()
}

//! A rule taken apart: its clauses, what the caller alone decides of them, and what they read.
use mainstay_expr::{
    Expr, ITEM, NEW, Node, OLD, SlotValue, Symbol, THIS, Value, as_condition, own_fields_only, reads_change,
};
use mainstay_plan::OwnFields;
use mainstay_schema::{FieldId, Schema};

use super::{
    linked::looks_back,
    texts::text_of,
    values::{item_values, values_read},
};
use crate::{
    Clause, Core, Error, Over, Request, RuleExplained, Verdict,
    evaluate::condition_holds,
    expressions::{Class, Expressions, RuleName},
    plan::{Given, Origin, Planner, always, never},
};

/// The record that a rule is explained over.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// None in particular.
    Any,
    /// A new record, in memory.
    New(Made<'a>),
    /// A stored record, whose values are known.
    Stored(&'a [Value]),
    /// A record that changes.
    Changed(Changed<'a>),
}

/// A new record, and the fields of which only the write knows what they hold, or what they lead to.
#[derive(Clone, Copy)]
pub(crate) struct Made<'a> {
    pub(crate) record: &'a OwnFields<'a>,
    pub(crate) unknown: &'a [FieldId],
}

/// A record that changes, in which of its states a rule is asked of it, and the fields of which only the write knows what they
/// become.
#[derive(Clone, Copy)]
pub(crate) struct Changed<'a> {
    pub(crate) before: &'a [Value],
    pub(crate) after: &'a OwnFields<'a>,
    pub(crate) over: Over,
    pub(crate) unknown: &'a [FieldId],
}

impl<'a> Subject<'a> {
    /// The values of the record that plain names read.
    pub(super) fn values(self) -> Option<&'a [Value]> {
        match self {
            Subject::Any => None,
            Subject::New(made) => Some(made.record.values),
            Subject::Stored(values) => Some(values),
            Subject::Changed(Changed { before, over: Over::Before, .. }) => Some(before),
            Subject::Changed(Changed { after, .. }) => Some(after.values),
        }
    }

    /// Whether only the write knows a field of what an expression names.
    pub(super) fn lacks(self, of: &Expr, field: Symbol) -> bool {
        let (unknown, over) = match self {
            Subject::Any | Subject::Stored(_) => return false,
            Subject::New(made) => (made.unknown, Over::After),
            Subject::Changed(changed) => (changed.unknown, changed.over),
        };
        let becoming = of.node == Node::Var(NEW) || over == Over::After && of.node == Node::Var(THIS);
        becoming && unknown.contains(&FieldId::of(field))
    }

    /// Whether a condition reads what only the write knows.
    fn waits(self, condition: &Expr) -> bool {
        let looks_back = match self {
            Subject::New(made) => looks_back(condition, made.record.collection.id, false),
            Subject::Changed(Changed { after, over: Over::After, .. }) => {
                looks_back(condition, after.collection.id, true)
            }
            _ => false,
        };
        looks_back
            || condition.any(&mut |part| match &part.node {
                Node::Field { of, symbol } | Node::Link { of, symbol, .. } => self.lacks(of, *symbol),
                _ => false,
            })
    }
}

/// The record at the other end of a link that is added or taken out: its key, and its values.
pub(crate) type Item<'a> = (&'a Value, &'a [Value]);

/// How a rule is taken apart: its clauses, and whether all of them must hold.
pub(super) type Split = fn(&Expr) -> (Vec<&Expr>, bool);

/// A rule taken apart for one caller.
pub(crate) struct RuleParts {
    pub(crate) explained: RuleExplained,
    /// The clauses that only the record decides, by their position, each with its condition.
    pub(crate) open: Vec<(usize, Expr)>,
    pub(crate) origins: Vec<Origin>,
    pub(crate) slots: Vec<SlotValue>,
    /// Whether all clauses must hold, or one.
    pub(crate) all: bool,
}

impl Core {
    /// Takes a rule apart into its outermost clauses; `item` is what a rule of links is asked of.
    pub(crate) fn rule_parts(
        &self,
        request: &Request,
        rule: RuleName,
        subject: Subject<'_>,
        item: Option<Item<'_>>,
    ) -> Result<RuleParts, Error> {
        self.take_apart(request, rule, (subject, item), split)
    }

    /// Takes a rule apart.
    pub(super) fn take_apart(
        &self,
        request: &Request,
        rule: RuleName,
        (subject, item): (Subject<'_>, Option<Item<'_>>),
        split: Split,
    ) -> Result<RuleParts, Error> {
        let schema = &*self.schema;
        let mut expressions = Expressions::default();
        expressions.need(schema, rule);
        let resolved = expressions.resolve(schema, request, &[])?;
        let mut parts = RuleParts::new(schema, rule, resolved.class);
        let (Some(compiled), Some(number)) = (rule.1.of(schema, rule.0), expressions.rule(rule)) else {
            return Ok(parts);
        };
        if resolved.class == Class::Admin {
            return Ok(parts);
        }
        let mut planner = Planner::new(schema, &expressions, &resolved);
        let (clauses, all) = split(&compiled.expr);
        parts.all = all;
        for (at, clause) in clauses.into_iter().enumerate() {
            let condition = planner.part(number, clause);
            let condition = item.map_or(condition.clone(), |item| with_item(&condition, item));
            let outcome = outright(&condition);
            let mut values = values_read(schema.collection(rule.0), compiled, clause, &resolved, subject);
            if let (Some(item), Some(target)) = (item, rule.1.target(schema, rule.0)) {
                values.extend(item_values(schema.collection(target), clause, item));
            }
            parts.explained.clauses.push(Clause { text: text_of(compiled, clause), outcome, values });
            // What stands behind the other record's own links is not asked.
            let waits = subject.waits(&condition) || condition.any(&mut |part| part.node == Node::Var(ITEM));
            if outcome == Verdict::PerRecord && !waits {
                parts.open.push((at, as_condition(condition)));
            }
        }
        parts.origins = planner.origins;
        parts.slots = resolved.slots;
        self.decide_here(&mut parts, subject);
        parts.conclude();
        Ok(parts)
    }

    /// Decides in memory what a new record's own fields decide.
    fn decide_here(&self, parts: &mut RuleParts, subject: Subject<'_>) {
        let (collection, changed) = match subject {
            Subject::New(made) => (made.record.collection, None),
            Subject::Changed(changed) => (changed.after.collection, Some(changed)),
            Subject::Any | Subject::Stored(_) => return,
        };
        let record = OwnFields { collection, values: subject.values().unwrap_or_default() };
        let bound = Given { slots: &parts.slots, ..Given::default() }.bind(&parts.origins);
        let clauses = &mut parts.explained.clauses;
        parts.open.retain_mut(|(at, condition)| {
            // Over the record as it is stored, the database decides what it can.
            let stored = changed.is_some_and(|changed| changed.over == Over::Before) && !reads_change(condition);
            if let Some(changed) = changed {
                *condition = with_change(condition, changed);
            }
            if stored || !own_fields_only(condition) || reads_change(condition) {
                return true;
            }
            let holds = condition_holds(&self.schema, condition, &record, &bound);
            clauses[*at].outcome = if holds { Verdict::True } else { Verdict::False };
            false
        });
    }
}

impl RuleParts {
    /// A rule that is not taken apart yet: where there is none, it refuses all but admins.
    fn new(schema: &Schema, rule: RuleName, class: Class) -> RuleParts {
        let text = rule.1.of(schema, rule.0).map(|compiled| compiled.text.to_string());
        let refuses = text.is_none() && class != Class::Admin;
        let explained = RuleExplained {
            name: rule.1.name(schema, rule.0),
            of: None,
            over: None,
            text,
            outcome: if refuses { Verdict::False } else { Verdict::Skipped },
            clauses: Vec::new(),
        };
        RuleParts { explained, open: Vec::new(), origins: Vec::new(), slots: Vec::new(), all: true }
    }

    /// What the rule comes to, from its clauses; without any, it is known already.
    pub(crate) fn conclude(&mut self) {
        conclude(&mut self.explained, self.all);
    }
}

/// What a rule comes to, from its clauses, of which all must hold or one; without any, it is known already.
pub(super) fn conclude(explained: &mut RuleExplained, all: bool) {
    if explained.clauses.is_empty() {
        return;
    }
    let is = |verdict: Verdict| explained.clauses.iter().any(|clause| clause.outcome == verdict);
    let refuses = is(Verdict::False) || is(Verdict::Error);
    explained.outcome = match all {
        true if refuses => Verdict::False,
        false if is(Verdict::True) => Verdict::True,
        _ if is(Verdict::PerRecord) => Verdict::PerRecord,
        true => Verdict::True,
        false => Verdict::False,
    };
}

/// The outermost parts, and whether all of them must hold.
///
/// What stands for a rule or a define that is written elsewhere, as `can(issue, 'read')`, is one part: its text is that name.
pub(super) fn split(expr: &Expr) -> (Vec<&Expr>, bool) {
    match &expr.node {
        Node::And(parts) | Node::Or(parts) if parts.iter().all(|part| part.span == expr.span) => (vec![expr], true),
        Node::And(parts) => (parts.iter().collect(), true),
        Node::Or(parts) => (parts.iter().collect(), false),
        _ => (vec![expr], true),
    }
}

/// What a clause comes to where no record is asked.
pub(super) fn outright(condition: &Expr) -> Verdict {
    if matches!(condition.node, Node::Error) {
        Verdict::Error
    } else if always(condition) {
        Verdict::True
    } else if never(condition) || never(&as_condition(condition.clone())) {
        Verdict::False
    } else {
        Verdict::PerRecord
    }
}

/// A condition in which `old` and `new` are what they are known to be; what they share with the record that is asked is asked of
/// that one.
fn with_change(expr: &Expr, changed: Changed<'_>) -> Expr {
    let values = |of: &Expr| match of.node {
        Node::Var(OLD) => Some(changed.before),
        Node::Var(NEW) => Some(changed.after.values),
        _ => None,
    };
    let this = |of: &Expr| Box::new(Expr { node: Node::Var(THIS), ..of.clone() });
    match &expr.node {
        Node::Field { of, symbol } if values(of).is_some() => {
            let value = values(of).and_then(|values| values.get(symbol.0 as usize).cloned()).unwrap_or(Value::Null);
            Expr { node: Node::Literal(value), ..expr.clone() }
        }
        Node::Key(of) if values(of).is_some() => Expr { node: Node::Key(this(of)), ..expr.clone() },
        Node::Link { of, symbol, target, guard } if values(of).is_some() => {
            let at = symbol.0 as usize;
            let same = changed.before.get(at) == changed.after.values.get(at);
            let asked = if changed.over == Over::Before { OLD } else { NEW };
            match same || of.node == Node::Var(asked) {
                true => {
                    let node = Node::Link { of: this(of), symbol: *symbol, target: *target, guard: guard.clone() };
                    Expr { node, ..expr.clone() }
                }
                false => expr.clone(),
            }
        }
        _ => expr.map_parts(&mut |part| with_change(part, changed)),
    }
}

/// A condition of a rule of links with the values of the other record.
fn with_item(clause: &Expr, item: Item<'_>) -> Expr {
    let value = match &clause.node {
        Node::Field { of, symbol } if of.node == Node::Var(ITEM) => item.1.get(symbol.0 as usize).cloned(),
        Node::Key(of) if of.node == Node::Var(ITEM) => Some(item.0.clone()),
        _ => None,
    };
    match value {
        Some(value) => Expr::literal(value, clause.ty.clone(), clause.span),
        None => clause.map_parts(&mut |part| with_item(part, item)),
    }
}

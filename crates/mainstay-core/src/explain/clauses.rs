//! A rule taken apart: its clauses, what the caller alone decides of them, and what they read.
use std::ops::Range;

use mainstay_expr::{
    Compiled, Expr, ITEM, NEW, Node, OLD, Outcome, SlotValue, Symbol, THIS, Value, as_condition, own_fields_only,
    reads_change, wire,
};
use mainstay_plan::OwnFields;
use mainstay_schema::{Collection, FieldId, Schema};

use crate::{
    Clause, Core, Error, Over, Request, RuleExplained, ValueRead, Verdict,
    evaluate::condition_holds,
    expressions::{Class, Expressions, Resolved, RuleName},
    plan::{Given, Origin, Planner, always, never},
};

/// The record that a rule is explained over.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// None in particular.
    Any,
    /// A new record, in memory.
    New(&'a OwnFields<'a>),
    /// A stored record, whose values are known.
    Stored(&'a [Value]),
    /// A record that changes.
    Changed(Changed<'a>),
}

/// A record that changes, and in which of its states a rule is asked of it.
#[derive(Clone, Copy)]
pub(crate) struct Changed<'a> {
    pub(crate) before: &'a [Value],
    pub(crate) after: &'a OwnFields<'a>,
    pub(crate) over: Over,
}

impl<'a> Subject<'a> {
    /// The values of the record that plain names read.
    pub(super) fn values(self) -> Option<&'a [Value]> {
        match self {
            Subject::Any => None,
            Subject::New(record) => Some(record.values),
            Subject::Stored(values) => Some(values),
            Subject::Changed(Changed { before, over: Over::Before, .. }) => Some(before),
            Subject::Changed(Changed { after, .. }) => Some(after.values),
        }
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
            if outcome == Verdict::PerRecord && !condition.any(&mut |part| part.node == Node::Var(ITEM)) {
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
            Subject::New(record) => (record.collection, None),
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
        if self.explained.clauses.is_empty() {
            return;
        }
        let is = |verdict: Verdict| self.explained.clauses.iter().any(|clause| clause.outcome == verdict);
        let refuses = is(Verdict::False) || is(Verdict::Error);
        self.explained.outcome = match self.all {
            true if refuses => Verdict::False,
            false if is(Verdict::True) => Verdict::True,
            _ if is(Verdict::PerRecord) => Verdict::PerRecord,
            true => Verdict::True,
            false => Verdict::False,
        };
    }
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

/// A part as it was written; what comes out of a define is written anew.
pub(super) fn text_of(compiled: &Compiled, part: &Expr) -> String {
    let whole = part.span == compiled.expr.span && *part != compiled.expr;
    match source_of(compiled, part) {
        text if whole || text.is_empty() => part.to_string(),
        text => text.to_owned(),
    }
}

/// What stands at the place of a part.
pub(super) fn source_of<'a>(compiled: &'a Compiled, part: &Expr) -> &'a str {
    let range = part.span.start as usize..part.span.end as usize;
    compiled.text.get(with_brackets(&compiled.text, range)).unwrap_or_default()
}

/// The range of a part with the brackets that it opens or closes itself: the place of `(a && b) || c` begins behind the first one.
fn with_brackets(text: &str, mut range: Range<usize>) -> Range<usize> {
    let (mut open, mut missing, mut quote) = (0, 0, None);
    for sign in text.get(range.clone()).unwrap_or_default().chars() {
        match (quote, sign) {
            (Some(begun), _) if begun == sign => quote = None,
            (None, '\'' | '"') => quote = Some(sign),
            (None, '(') => open += 1,
            (None, ')') if open > 0 => open -= 1,
            (None, ')') => missing += 1,
            _ => {}
        }
    }
    for _ in 0..open {
        let rest = text.get(range.end..).unwrap_or_default();
        let Some(at) = rest.find(|sign: char| !sign.is_whitespace()).filter(|at| rest[*at..].starts_with(')')) else {
            break;
        };
        range.end += at + 1;
    }
    for _ in 0..missing {
        let before = text.get(..range.start).unwrap_or_default().trim_end();
        let Some(before) = before.strip_suffix('(') else { break };
        range.start = before.len();
    }
    range
}

/// What a clause reads of the caller and of the record itself.
pub(super) fn values_read(
    collection: &Collection,
    compiled: &Compiled,
    clause: &Expr,
    resolved: &Resolved,
    subject: Subject<'_>,
) -> Vec<ValueRead> {
    let mut values: Vec<ValueRead> = Vec::new();
    let mut push = |name: String, value: String| {
        if !values.iter().any(|known| known.name == name) {
            values.push(ValueRead { name, value });
        }
    };
    let record = subject.values();
    clause.any(&mut |part| {
        match &part.node {
            Node::Slot(at) => {
                let Some(slot) = compiled.slots.get(*at as usize) else { return false };
                push(slot.expr.to_string(), resolved.slots.get(*at as usize).map(shown_slot).unwrap_or_default());
            }
            Node::Field { of, symbol } | Node::Link { of, symbol, .. } if of.node == Node::Var(THIS) => {
                if let (Some(field), Some(record)) = (own_field(collection, *symbol), record) {
                    push(collection.field(field).name.clone(), shown(record.get(field.0 as usize)));
                }
            }
            Node::Field { of, symbol } if matches!(of.node, Node::Var(OLD | NEW)) => {
                let (Some(field), Subject::Changed(changed)) = (own_field(collection, *symbol), subject) else {
                    return false;
                };
                let (word, values) = match of.node {
                    Node::Var(OLD) => ("old", changed.before),
                    _ => ("new", changed.after.values),
                };
                let name = format!("{word}.{}", collection.field(field).name);
                push(name, shown(values.get(field.0 as usize)));
            }
            _ => {}
        }
        false
    });
    values
}

/// What a clause reads of the record at the other end of a link.
fn item_values(target: &Collection, clause: &Expr, (_, values): Item<'_>) -> Vec<ValueRead> {
    let mut read: Vec<ValueRead> = Vec::new();
    clause.any(&mut |part| {
        if let Node::Field { of, symbol } = &part.node
            && of.node == Node::Var(ITEM)
            && let Some(field) = own_field(target, *symbol)
        {
            let name = format!("item.{}", target.field(field).name);
            if !read.iter().any(|known| known.name == name) {
                read.push(ValueRead { name, value: shown(values.get(field.0 as usize)) });
            }
        }
        false
    });
    read
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

fn own_field(collection: &Collection, symbol: Symbol) -> Option<FieldId> {
    collection.fields.get(symbol.0 as usize).map(|field| field.id)
}

fn shown_slot(slot: &SlotValue) -> String {
    match slot.outcome {
        Outcome::False => "false".to_owned(),
        Outcome::True => "true".to_owned(),
        Outcome::Null => "null".to_owned(),
        Outcome::Error => "not there".to_owned(),
        Outcome::NoKey => "no key of that type".to_owned(),
        Outcome::Value => shown(Some(&slot.value)),
    }
}

pub(super) fn shown(value: Option<&Value>) -> String {
    let mut out = String::new();
    match value {
        None => out.push_str("null"),
        Some(Value::Text(text)) => out = format!("{text:?}"),
        Some(value) => wire::write_text(value, &mut out),
    }
    out
}

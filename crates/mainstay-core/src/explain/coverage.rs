//! Which clauses of which rules hold, and which do not, over the records that an operation is about: for rule tests.
use std::borrow::Cow;

use mainstay_expr::{
    Compiled, Expr, ITEM, NEW, Node, OLD, SlotValue, THIS, Value, as_condition, own_fields_only, wire::write_text,
};
use mainstay_plan::{Count, LinkMode, Output, OutputValue, OwnFields, Query};
use mainstay_schema::{CollectionId, Field, FieldId, FieldKind, Json};

use super::clauses::{outright, source_of, text_of};
use crate::{
    AdminPass, Caller, Core, Error, Operation, Request, Target, Update, Verdict,
    errors::from_store,
    evaluate::condition_holds,
    expressions::{Class, Expressions, Resolved, RuleKind, RuleName},
    gate::CallerGate,
    plan::{
        Given, Origin, Planner, all, constant, read::ReadAsk, rules::Gate, target::TargetShape, target::target_values,
    },
    record::{field::Sender, normalize},
};

/// A clause of a rule: a part that is not itself several parts joined by `&&` or `||`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleClause {
    /// Whose rule it is.
    pub collection: CollectionId,
    /// The link that it is about, if it is about one.
    pub field: Option<FieldId>,
    /// What the rule is about: `read`, `create`; `write` where one text is about all writes.
    pub kind: &'static str,
    /// The kinds that share the rule.
    kinds: Vec<RuleKind>,
    /// Its position among the clauses of the rule.
    number: usize,
    /// The clause, as text.
    pub text: String,
}

/// What a clause came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClauseSeen {
    collection: CollectionId,
    kind: RuleKind,
    number: usize,
    /// Whether it held of one of the records.
    pub held: bool,
    /// Whether it did not hold of one of them; an error does not hold.
    pub failed: bool,
}

impl RuleClause {
    /// Whether this is the clause that was seen.
    pub fn is(&self, seen: &ClauseSeen) -> bool {
        self.collection == seen.collection && self.number == seen.number && self.kinds.contains(&seen.kind)
    }
}

/// Which records a rule is asked of.
#[derive(Clone, Copy)]
pub(super) enum Subjects<'a> {
    All,
    One(&'a Target),
    /// One that is about to get these values: `old` is what is stored, `new` what it becomes.
    Changed(&'a Target, &'a [(FieldId, Value)]),
}

impl<'a> Subjects<'a> {
    fn target(self) -> Option<&'a Target> {
        match self {
            Subjects::All => None,
            Subjects::One(target) | Subjects::Changed(target, _) => Some(target),
        }
    }
}

const KINDS: [RuleKind; 5] = [RuleKind::Read, RuleKind::List, RuleKind::Create, RuleKind::Update, RuleKind::Delete];

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
                for (number, text) in clause_texts(compiled) {
                    let kind = word(&kinds);
                    let (collection, kinds) = (collection.id, kinds.clone());
                    clauses.push(RuleClause { collection, field: None, kind, kinds, number, text });
                }
            }
            let of_field = |field: &Field| [RuleKind::AddLink(field.id), RuleKind::RemoveLink(field.id)];
            for kind in collection.fields.iter().flat_map(of_field) {
                let Some((field, compiled)) = kind.field().zip(of(kind)) else { continue };
                for (number, text) in clause_texts(compiled) {
                    clauses.push(RuleClause {
                        collection: collection.id,
                        field: Some(field),
                        kind: kind.word(),
                        kinds: vec![kind],
                        number,
                        text,
                    });
                }
            }
        }
        clauses
    }

    /// What the clauses of the rules that an operation asks come to, over the records as they are stored now. The rule of a
    /// create is asked of the new record: [`Core::created_coverage`].
    pub async fn coverage(&self, request: &Request, operation: &Operation<'_>) -> Result<Vec<ClauseSeen>, Error> {
        let mut seen = Vec::new();
        match operation {
            Operation::ReadOne(read) => {
                let kept = self.read_shape(request, &ReadAsk::one(request, read))?;
                for rule in kept.shape.expressions.rules().collect::<Vec<_>>() {
                    let own = rule == (read.collection, RuleKind::Read);
                    let over = if own { Subjects::One(&read.target) } else { Subjects::All };
                    self.see(request, rule, over, &mut seen).await?;
                }
            }
            Operation::List(list) => {
                let kept = self.read_shape(request, &ReadAsk::list(request, list))?;
                for rule in kept.shape.expressions.rules().collect::<Vec<_>>() {
                    self.see(request, rule, Subjects::All, &mut seen).await?;
                }
            }
            Operation::Group(group) => {
                let kept = self.group_shape(request, group)?;
                for rule in kept.shape.expressions.rules().collect::<Vec<_>>() {
                    self.see(request, rule, Subjects::All, &mut seen).await?;
                }
            }
            Operation::Create(create) => {
                let gate = self.gate(request, (create.collection, RuleKind::Create))?;
                if *gate.gate() == Gate::Shut {
                    self.see(request, gate.rule, Subjects::All, &mut seen).await?;
                }
            }
            Operation::Update(update) => {
                let (of, new) = (update.collection, self.sent_values(update.collection, &update.patch));
                self.see(request, (of, RuleKind::Read), Subjects::One(&update.target), &mut seen).await?;
                self.see(request, (of, RuleKind::Update), Subjects::Changed(&update.target, &new), &mut seen).await?;
                self.see_links(request, update, &mut seen).await?;
            }
            Operation::Delete(delete) => {
                for kind in [RuleKind::Read, RuleKind::Delete] {
                    self.see(request, (delete.collection, kind), Subjects::One(&delete.target), &mut seen).await?;
                }
            }
            Operation::UpdateMatching(update) => {
                self.see_matching(request, &update.matching, RuleKind::Update, &mut seen).await?;
            }
            Operation::DeleteMatching(matching) => {
                self.see_matching(request, matching, RuleKind::Delete, &mut seen).await?;
            }
            Operation::Batch(_) => {}
        }
        Ok(seen)
    }

    /// The same for the rule of a create, over a record that the request has made.
    pub async fn created_coverage(
        &self,
        request: &Request,
        collection: CollectionId,
        id: &str,
    ) -> Result<Vec<ClauseSeen>, Error> {
        let mut seen = Vec::new();
        let target = Target::Key(id.to_owned());
        self.see(request, (collection, RuleKind::Create), Subjects::One(&target), &mut seen).await?;
        Ok(seen)
    }

    /// Asks each clause of a rule. Where the caller alone decides against the rule, no record is asked.
    pub(super) async fn see(
        &self,
        request: &Request,
        rule: RuleName,
        over: Subjects<'_>,
        seen: &mut Vec<ClauseSeen>,
    ) -> Result<(), Error> {
        let Some(compiled) = rule.1.of(&self.schema, rule.0).filter(|_| !request.caller.is_admin()) else {
            return Ok(());
        };
        let shut = *CallerGate::gate(&self.gate(request, rule)?) == Gate::Shut;
        for (number, clause) in leaves(compiled).into_iter().enumerate() {
            let (condition, origins, bound) = self.clause_condition(request, rule, clause)?;
            let condition = if let Subjects::Changed(_, new) = over { as_changed(&condition, new) } else { condition };
            let (held, failed) = match outright(&condition) {
                Verdict::True => (true, false),
                Verdict::PerRecord if shut => continue,
                Verdict::PerRecord => {
                    self.split_records(request, rule.0, over, &as_condition(condition), origins, bound).await?
                }
                _ => (false, true),
            };
            seen.push(ClauseSeen { collection: rule.0, kind: rule.1, number, held, failed });
        }
        Ok(())
    }

    /// Asks each clause of the rules of links, of each record that a change sends to be added or taken out. What a clause reads
    /// behind such a record's own links is left out.
    async fn see_links(&self, request: &Request, update: &Update<'_>, seen: &mut Vec<ClauseSeen>) -> Result<(), Error> {
        let of = update.collection;
        let Ok(patch) = self.patch(request, of, &update.patch, Sender::Caller) else { return Ok(()) };
        for list in patch.lists.iter().filter(|_| !request.caller.is_admin()) {
            let kind = match list.mode {
                LinkMode::Remove => RuleKind::RemoveLink(list.field),
                LinkMode::Add | LinkMode::Replace => RuleKind::AddLink(list.field),
            };
            let Some(compiled) = kind.of(&self.schema, of) else { continue };
            for key in &list.keys {
                let mut text = String::new();
                write_text(key, &mut text);
                let Some(item) = self.stored_values(request, list.target, &Target::Key(text)).await? else { continue };
                for (number, clause) in leaves(compiled).into_iter().enumerate() {
                    let (condition, origins, bound) = self.clause_condition(request, (of, kind), clause)?;
                    let condition = with_item(&condition, key, &item);
                    let (held, failed) = match outright(&condition) {
                        _ if condition.any(&mut |part| part.node == Node::Var(ITEM)) => continue,
                        Verdict::True => (true, false),
                        Verdict::PerRecord => {
                            let (over, condition) = (Subjects::One(&update.target), as_condition(condition));
                            self.split_records(request, of, over, &condition, origins, bound).await?
                        }
                        _ => (false, true),
                    };
                    seen.push(ClauseSeen { collection: of, kind, number, held, failed });
                }
            }
        }
        Ok(())
    }

    /// A clause for this caller, with where its values come from, and the values.
    fn clause_condition(
        &self,
        request: &Request,
        rule: RuleName,
        clause: &Expr,
    ) -> Result<(Expr, Vec<Origin>, Vec<SlotValue>), Error> {
        let mut expressions = Expressions::default();
        expressions.need(&self.schema, rule);
        let resolved = expressions.resolve(&self.schema, request, &[])?;
        let Some(number) = expressions.rule(rule) else {
            return Err(Error::internal("a rule that is there has no number"));
        };
        let mut planner = Planner::new(&self.schema, &expressions, &resolved);
        let condition = planner.part(number, clause);
        Ok((condition, planner.origins, resolved.slots))
    }

    /// Whether a condition holds of one of the records, and whether it does not hold of one.
    async fn split_records(
        &self,
        request: &Request,
        of: CollectionId,
        over: Subjects<'_>,
        condition: &Expr,
        origins: Vec<Origin>,
        slots: Vec<SlotValue>,
    ) -> Result<(bool, bool), Error> {
        let there = self.obeying(of, over, constant(true), &origins, &slots).await?.unwrap_or(0);
        let holding = match self.obeying(of, over, condition.clone(), &origins, &slots).await? {
            Some(holding) => holding,
            None => self.count_in_memory(request, of, over, condition, &origins, &slots).await?,
        };
        Ok((holding > 0, holding < there))
    }

    /// How many records obey a condition; `None` where it has no SQL.
    pub(super) async fn obeying(
        &self,
        of: CollectionId,
        over: Subjects<'_>,
        condition: Expr,
        origins: &[Origin],
        slots: &[SlotValue],
    ) -> Result<Option<usize>, Error> {
        let expressions = Expressions::default();
        let resolved = Resolved { class: Class::Admin, slots: Vec::new() };
        let mut planner = Planner::new(&self.schema, &expressions, &resolved);
        planner.origins = origins.to_vec();
        let (find, values) = match over.target() {
            None => (constant(true), Default::default()),
            Some(target) => (planner.find(of, &TargetShape::of(target))?, target_values(&self.schema, of, target)?),
        };
        let id = self.schema.collection(of).system.id;
        let query = Query {
            collection: of,
            condition: all([find, condition]),
            order: Vec::new(),
            after: None,
            limit: None,
            select: id.map(|id| Output { name: "id".into(), value: OutputValue::Field(id) }).into_iter().collect(),
            count: Count::No,
        };
        let bound: Vec<Value> = Given { slots, target: &values, ..Given::default() }.bind(&planner.origins);
        let Ok(statement) = self.store.prepare_read(&self.schema, &query) else { return Ok(None) };
        let page = self.store.read(&statement, bound, Vec::new()).await.map_err(from_store)?;
        Ok(Some(page.rows))
    }

    /// The same in memory, for what only a new record is asked.
    async fn count_in_memory(
        &self,
        request: &Request,
        of: CollectionId,
        over: Subjects<'_>,
        condition: &Expr,
        origins: &[Origin],
        slots: &[SlotValue],
    ) -> Result<usize, Error> {
        let Some(target) = over.target() else { return Ok(0) };
        let admin = Caller::Admin(AdminPass::for_command("a rule test looks at a record"));
        let request = Request { caller: admin, ..request.clone() };
        let Some(values) = self.stored_values(&request, of, target).await? else { return Ok(0) };
        let record = OwnFields { collection: self.schema.collection(of), values: &values };
        let bound = Given { slots, ..Given::default() }.bind(origins);
        Ok(usize::from(own_fields_only(condition) && condition_holds(&self.schema, condition, &record, &bound)))
    }
}

impl Core {
    /// The values that a patch sends, as far as they are plain ones.
    fn sent_values(&self, of: CollectionId, patch: &Json<'_>) -> Vec<(FieldId, Value)> {
        let of = self.schema.collection(of);
        let Json::Object(members) = patch else { return Vec::new() };
        let value = |(name, json): &(Cow<'_, str>, Json<'_>)| {
            let field = of.field_named(name)?;
            let plain = matches!(field.kind, FieldKind::Scalar(_) | FieldKind::Enum(_));
            let value = normalize::read(&self.schema, of, field, json);
            value.ok().filter(|_| plain).map(|value| (field.id, value))
        };
        members.iter().filter_map(value).collect()
    }
}

/// A clause of the rule of a link with the values of the other record.
fn with_item(clause: &Expr, key: &Value, item: &[Value]) -> Expr {
    let value = match &clause.node {
        Node::Field { of, symbol } if of.node == Node::Var(ITEM) => item.get(symbol.0 as usize).cloned(),
        Node::Key(of) if of.node == Node::Var(ITEM) => Some(key.clone()),
        _ => None,
    };
    match value {
        Some(value) => Expr::literal(value, clause.ty.clone(), clause.span),
        None => clause.map_parts(&mut |part| with_item(part, key, item)),
    }
}

/// A clause over a change as one over the stored record alone.
fn as_changed(clause: &Expr, new: &[(FieldId, Value)]) -> Expr {
    match &clause.node {
        Node::Var(OLD | NEW) => Expr { node: Node::Var(THIS), ..clause.clone() },
        Node::Field { of, symbol } if of.node == Node::Var(NEW) => {
            match new.iter().find(|(field, _)| *field == FieldId::of(*symbol)) {
                Some((_, value)) => Expr::literal(value.clone(), clause.ty.clone(), clause.span),
                None => clause.map_parts(&mut |part| as_changed(part, new)),
            }
        }
        _ => clause.map_parts(&mut |part| as_changed(part, new)),
    }
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
fn leaves(compiled: &Compiled) -> Vec<&Expr> {
    fn walk<'a>(expr: &'a Expr, out: &mut Vec<&'a Expr>) {
        match &expr.node {
            Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| walk(part, out)),
            _ => out.push(expr),
        }
    }
    let mut out = Vec::new();
    walk(&compiled.expr, &mut out);
    out
}

/// The clauses that are worth a test, by their number: as they are written, and those of a define or of another record's rule by its
/// name there and their place in it.
fn clause_texts(compiled: &Compiled) -> Vec<(usize, String)> {
    let leaves = leaves(compiled);
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
        let written = text_of(compiled, leaf);
        match &leaf.node {
            _ if several == 1 => written,
            Node::Slot(at) => compiled.slots.get(*at as usize).map_or(written, |slot| slot.expr.to_string()),
            _ => format!("{}, part {} of {several}", source_of(compiled, leaf), before + 1),
        }
    };
    leaves.iter().enumerate().filter(|(_, leaf)| !constant(leaf)).map(|(at, leaf)| (at, text(at, leaf))).collect()
}

//! The expressions of a shape: every rule and filter that an operation needs, and what they come to for one caller.
use std::sync::Arc;

use mainstay_expr::{CallerValues, Compiled, Outcome, SlotValue, Type, Value, resolve_into, wire};
use mainstay_schema::{Collection, CollectionId, Field, FieldId, FieldKind, Schema, nearest};
use smallvec::SmallVec;

use crate::{Caller, Error, ErrorKind, Request};

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RuleKind {
    Read,
    List,
    Create,
    Update,
    Delete,
    /// Of a field: whether it may be read.
    ReadField(FieldId),
    /// Of a field: whether it may be sent.
    WriteField(FieldId),
    /// Of a list of links: which records may be added.
    AddLink(FieldId),
    /// Of a list of links: which records may be taken out.
    RemoveLink(FieldId),
}

impl RuleKind {
    /// The word of the schema language.
    pub(crate) fn word(self) -> &'static str {
        match self {
            RuleKind::Read | RuleKind::ReadField(_) => "read",
            RuleKind::List => "list",
            RuleKind::Create => "create",
            RuleKind::Update => "update",
            RuleKind::Delete => "delete",
            RuleKind::WriteField(_) => "write",
            RuleKind::AddLink(_) => "add",
            RuleKind::RemoveLink(_) => "remove",
        }
    }

    /// The field that the rule is about.
    pub(crate) fn field(self) -> Option<FieldId> {
        match self {
            RuleKind::ReadField(field)
            | RuleKind::WriteField(field)
            | RuleKind::AddLink(field)
            | RuleKind::RemoveLink(field) => Some(field),
            _ => None,
        }
    }

    /// The collection at the other end of the link that the rule is about.
    pub(crate) fn target(self, schema: &Schema, collection: CollectionId) -> Option<CollectionId> {
        match schema.collection(collection).field(self.field()?).kind {
            FieldKind::Many { target, .. } => Some(target),
            _ => None,
        }
    }

    /// The rule's name: `Skill.update`, `User.salary.read`.
    pub(crate) fn name(self, schema: &Schema, collection: CollectionId) -> String {
        let of = schema.collection(collection);
        match self.field() {
            Some(field) => format!("{}.{}.{}", of.name, of.field(field).name, self.word()),
            None => format!("{}.{}", of.name, self.word()),
        }
    }

    /// The collection's rule of this kind.
    pub(crate) fn of(self, schema: &Schema, collection: CollectionId) -> Option<&Arc<Compiled>> {
        let rules = &schema.collection(collection).rules;
        match self {
            RuleKind::Read => rules.read.as_ref(),
            RuleKind::List => rules.list.as_ref(),
            RuleKind::Create => rules.create.as_ref(),
            RuleKind::Update => rules.update.as_ref(),
            RuleKind::Delete => rules.delete.as_ref(),
            RuleKind::ReadField(field) => schema.collection(collection).field(field).rules.read.as_ref(),
            RuleKind::WriteField(field) => schema.collection(collection).field(field).rules.write.as_ref(),
            RuleKind::AddLink(field) => schema.collection(collection).field(field).rules.add.as_ref(),
            RuleKind::RemoveLink(field) => schema.collection(collection).field(field).rules.remove.as_ref(),
        }
    }
}

/// A rule by its collection and kind.
pub(crate) type RuleName = (CollectionId, RuleKind);

/// All expressions of a shape, each known by its number.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    list: Vec<Expression>,
    rules: Vec<(RuleName, Option<usize>)>,
    /// What fields are computed from.
    computed: Vec<((CollectionId, FieldId), usize)>,
    slots: usize,
    /// Whether hidden fields have names here.
    pub(crate) admin: bool,
}

#[derive(Debug)]
struct Expression {
    compiled: Arc<Compiled>,
    /// Whether it is a rule: then it does not matter to admins.
    rule: bool,
    /// For each `p.` value: which of the sent ones, and its type.
    params: Vec<(usize, Type)>,
    /// The number of its first slot among all.
    first_slot: usize,
}

impl Expressions {
    /// None yet; for an admin, or for somebody else.
    pub(crate) fn of(admin: bool) -> Expressions {
        Expressions { admin, ..Expressions::default() }
    }

    /// Notes that a field is read: its rule is needed, that of the link whose other side it is, and what it is computed from.
    pub(crate) fn need_field(&mut self, schema: &Schema, of: CollectionId, field: FieldId) {
        let declared = schema.collection(of).field(field);
        if declared.rules.read.is_some() {
            self.need(schema, (of, RuleKind::ReadField(field)));
        }
        if let Some(compiled) = &declared.computed
            && self.computed(of, field).is_none()
        {
            let number = self.push(compiled.clone(), false, Vec::new());
            self.computed.push(((of, field), number));
        }
        if let FieldKind::Inverse { target, field } = declared.kind
            && schema.collection(target).field(field).rules.read.is_some()
        {
            self.need(schema, (target, RuleKind::ReadField(field)));
        }
    }

    /// Notes that a rule is needed.
    pub(crate) fn need(&mut self, schema: &Schema, rule: RuleName) {
        if self.rules.iter().any(|(name, _)| *name == rule) {
            return;
        }
        let number = rule.1.of(schema, rule.0).map(|compiled| self.add_rule(compiled));
        self.rules.push((rule, number));
    }

    /// Adds what the server computes for these fields. Gives the number of each.
    pub(crate) fn need_values<'s>(
        &mut self,
        of: &'s Collection,
        fields: &[FieldId],
        given: impl Fn(&'s Field) -> Option<&'s Arc<Compiled>>,
    ) -> Vec<(FieldId, usize)> {
        let given = fields.iter().filter_map(|field| Some((*field, given(of.field(*field))?)));
        given.map(|(field, compiled)| (field, self.push(compiled.clone(), false, Vec::new()))).collect()
    }

    /// Adds a caller's expression, with the `p.` values that were sent along. Fails when one is missing.
    pub(crate) fn add_filter(&mut self, compiled: Compiled, sent: &[(String, String)]) -> Result<usize, Error> {
        let mut params = Vec::with_capacity(compiled.params.len());
        for param in &compiled.params {
            let at =
                sent.iter().position(|(name, _)| **name == *param.name).ok_or_else(|| missing_param(&param.name))?;
            params.push((at, param.ty.clone()));
        }
        Ok(self.push(Arc::new(compiled), false, params))
    }

    /// Fails when a `p.` value was sent that no expression reads.
    pub(crate) fn all_params_read(&self, sent: &[(String, String)]) -> Result<(), Error> {
        let read = |at: usize| self.list.iter().any(|one| one.params.iter().any(|(param, _)| *param == at));
        match (0..sent.len()).find(|at| !read(*at)) {
            Some(at) => Err(self.extra_param(&sent[at].0, sent)),
            None => Ok(()),
        }
    }

    /// The number of a rule's expression; `None` where the schema has no such rule.
    pub(crate) fn rule(&self, rule: RuleName) -> Option<usize> {
        self.rules.iter().find(|(name, _)| *name == rule).and_then(|(_, number)| *number)
    }

    /// The number of what a field is computed from; `None` where it is stored.
    pub(crate) fn computed(&self, of: CollectionId, field: FieldId) -> Option<usize> {
        self.computed.iter().find(|(known, _)| *known == (of, field)).map(|(_, number)| *number)
    }

    /// The rules, in the order in which they were needed.
    pub(crate) fn rules(&self) -> impl Iterator<Item = RuleName> + '_ {
        self.rules.iter().map(|(name, _)| *name)
    }

    pub(crate) fn compiled(&self, number: usize) -> &Arc<Compiled> {
        &self.list[number].compiled
    }

    /// Which slots of the whole belong to an expression.
    pub(crate) fn slots_of(&self, number: usize) -> std::ops::Range<usize> {
        let one = &self.list[number];
        one.first_slot..one.first_slot + one.compiled.slots.len()
    }

    /// What all slots come to for this request. Fails when a `p.` value does not parse.
    pub(crate) fn resolve(
        &self,
        schema: &Schema,
        request: &Request,
        sent: &[(String, String)],
    ) -> Result<Resolved, Error> {
        let mut resolved = Resolved { class: Class::of(&request.caller), slots: Vec::with_capacity(self.slots) };
        if self.slots == 0 {
            return Ok(resolved);
        }
        let caller = caller_values(request);
        for one in &self.list {
            if one.rule && resolved.class == Class::Admin {
                resolved.slots.extend(one.compiled.slots.iter().map(|_| unread_slot()));
                continue;
            }
            let params = parse_params(schema, one, sent)?;
            resolve_into(&one.compiled, &caller, &params, &mut resolved.slots);
        }
        Ok(resolved)
    }

    fn add_rule(&mut self, compiled: &Arc<Compiled>) -> usize {
        match self.list.iter().position(|one| Arc::ptr_eq(&one.compiled, compiled)) {
            Some(number) => number,
            None => self.push(compiled.clone(), true, Vec::new()),
        }
    }

    fn push(&mut self, compiled: Arc<Compiled>, rule: bool, params: Vec<(usize, Type)>) -> usize {
        let first_slot = self.slots;
        self.slots += compiled.slots.len();
        self.list.push(Expression { compiled, rule, params, first_slot });
        self.list.len() - 1
    }

    fn extra_param(&self, name: &str, sent: &[(String, String)]) -> Error {
        let error = Error::new(ErrorKind::InvalidArgument, format!("the value \"p.{name}\" is not used by any filter"));
        let used = self.list.iter().flat_map(|one| one.compiled.params.iter()).map(|param| &*param.name);
        match nearest(name, used.filter(|used| !sent.iter().any(|(name, _)| name == used))) {
            Some(near) => error.with_hint(format!("did you mean \"p.{near}\"?")),
            None => error.with_hint(format!("use it in a filter: filter=name.contains(p.{name})")),
        }
    }
}

/// What kind of caller: part of a plan's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Class {
    Anonymous = 0,
    User = 1,
    Admin = 2,
}

impl Class {
    pub(crate) fn of(caller: &Caller) -> Class {
        match caller {
            Caller::Anonymous => Class::Anonymous,
            Caller::User(_) => Class::User,
            Caller::Admin(_) => Class::Admin,
        }
    }
}

/// What the expressions of a shape come to for one request.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) class: Class,
    /// The slots of all expressions, in order.
    pub(crate) slots: Vec<SlotValue>,
}

/// The part of a request that chooses among the plans of one shape: the caller's kind and the outcomes.
pub(crate) type Variant = SmallVec<[u8; 24]>;

impl Resolved {
    /// What of this chooses the plan, with `more` bytes of the operation's own.
    pub(crate) fn variant(&self, more: &[u8]) -> Variant {
        let mut variant = Variant::with_capacity(1 + more.len() + self.slots.len());
        variant.push(self.class as u8);
        variant.extend_from_slice(more);
        variant.extend(self.slots.iter().map(|slot| slot.outcome as u8));
        variant
    }
}

/// The request as expressions read it.
pub(crate) fn caller_values(request: &Request) -> CallerValues {
    CallerValues {
        auth: request.caller.identity().map(|identity| mainstay_expr::AuthValues {
            id: identity.id.clone(),
            roles: identity.roles.clone(),
            claims: identity.claims.clone(),
        }),
        time_micros: request.time_micros,
        ip: request.ip.clone(),
        method: request.method.clone(),
        host: request.host.clone(),
    }
}

/// Stands for the slot of a rule that is not asked.
fn unread_slot() -> SlotValue {
    SlotValue { outcome: Outcome::Error, value: Value::Null }
}

fn parse_params(schema: &Schema, one: &Expression, sent: &[(String, String)]) -> Result<SmallVec<[Value; 4]>, Error> {
    one.params.iter().map(|(at, ty)| parse_param(schema, ty, &sent[*at])).collect()
}

fn parse_param(schema: &Schema, ty: &Type, (name, text): &(String, String)) -> Result<Value, Error> {
    let wrong =
        |why: String| Error::new(ErrorKind::InvalidArgument, format!("the value \"p.{name}\" does not fit: {why}"));
    let value = wire::parse_text(ty, text).map_err(wrong)?;
    let of = match ty {
        Type::Enum(of) => of,
        Type::List(of) => match &**of {
            Type::Enum(of) => of,
            _ => return Ok(value),
        },
        _ => return Ok(value),
    };
    let Some(of) = schema.enums.get(of.0 as usize) else { return Ok(value) };
    let sent = match &value {
        Value::List(items) => items.iter().collect(),
        one => SmallVec::<[&Value; 4]>::from_slice(&[one]),
    };
    for text in sent.into_iter().filter_map(|value| if let Value::Text(text) = value { Some(text) } else { None }) {
        if !of.values.iter().any(|value| **value == **text) {
            let error = wrong(format!("{text:?} is no value of \"{}\"", of.name));
            let near = nearest(text, of.values.iter().map(String::as_str));
            return Err(match near {
                Some(near) => error.with_hint(format!("did you mean \"{near}\"?")),
                None => error,
            });
        }
    }
    Ok(value)
}

fn missing_param(name: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("the filter reads \"p.{name}\", which was not sent"))
        .with_hint(format!("send it along: &p.{name}=…, in a body \"params\": {{\"{name}\": …}}"))
}

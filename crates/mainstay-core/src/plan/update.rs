//! Updates: which columns change, which rules look at the record before and after, which checks are asked of the stored record.
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use mainstay_expr::{Expr, Value};
use mainstay_plan::{Answer, Update, WritePlan};
use mainstay_schema::{CollectionId, FieldId, Schema};

use super::{
    Origin, Planner, constant,
    links::{LinkShape, ListShape, list_shapes, need_links},
    read::{check_params, names, same_selection},
    select::{Part, Selecting, own_fields_only},
    target::{TargetShape, check_version, need_target},
};
use crate::{
    Answered, Error, Limits, Selection,
    expressions::{Expressions, Resolved, RuleKind},
    reads::reads_any,
    record::{checks::stored_checks, late::late_fields, patch::Patch},
};

/// What of an update makes its shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UpdateAsk<'a> {
    pub(crate) collection: CollectionId,
    pub(crate) target: &'a TargetShape,
    /// Whether a version is asked for.
    pub(crate) version: bool,
    pub(crate) patch: &'a Patch,
    /// The to-one links that are asked about.
    pub(crate) links: &'a [LinkShape],
    pub(crate) answered: &'a Answered,
    /// Whether the version stays as it is.
    pub(crate) quiet: bool,
    /// Whether hidden fields have names.
    pub(crate) admin: bool,
}

impl UpdateAsk<'_> {
    /// The fields that are set, and whether to null: a null link is not asked for.
    fn set(&self) -> impl Iterator<Item = (FieldId, bool)> + '_ {
        self.patch.set.iter().map(|(field, value)| (*field, self.is_null(*field, value)))
    }

    /// A key that the write fills in is not null.
    fn is_null(&self, field: FieldId, value: &Value) -> bool {
        value.is_null() && !late_fields(&self.patch.late).any(|late| late == field)
    }
}

impl Hash for UpdateAsk<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.collection, self.version, &self.answered.selection, self.quiet, self.target).hash(state);
        (self.links, self.admin).hash(state);
        names(&self.answered.params).for_each(|name| name.hash(state));
        self.set().for_each(|set| set.hash(state));
        (&self.patch.added, &self.patch.computed).hash(state);
        list_shapes(&self.patch.lists).for_each(|list| list.hash(state));
    }
}

/// The shape of an update.
#[derive(Debug)]
pub(crate) struct UpdateShape {
    collection: CollectionId,
    target: TargetShape,
    version: bool,
    set: Vec<(FieldId, bool)>,
    lists: Vec<ListShape>,
    selection: Option<Arc<Selection>>,
    params: Vec<String>,
    pub(crate) expressions: Expressions,
    parts: Vec<Part>,
    links: Vec<LinkShape>,
    late: Vec<FieldId>,
    added: Vec<FieldId>,
    /// The fields that the write computes, each with its expression.
    computed: Vec<(FieldId, usize)>,
    checks: Vec<usize>,
    /// The fields with a write rule that are sent.
    ruled: Vec<FieldId>,
    /// Whether the update rule is asked: not where rules of links decide all of it.
    asks_rule: bool,
    /// Whether it answers own stored fields only.
    pub(crate) own: bool,
    quiet: bool,
}

impl UpdateShape {
    pub(crate) fn new(schema: &Schema, limits: &Limits, ask: &UpdateAsk<'_>) -> Result<UpdateShape, Error> {
        let mut expressions = Expressions::of(ask.admin);
        let of = ask.collection;
        let collection = schema.collection(of);
        check_version(schema, of, ask.version)?;
        expressions.need(schema, (of, RuleKind::Read));
        let asks_rule = ask.patch.asks_update_rule(collection);
        if asks_rule {
            expressions.need(schema, (of, RuleKind::Update));
        }
        let lists: Vec<ListShape> = list_shapes(&ask.patch.lists).collect();
        let links = ask.links.to_vec();
        let late: Vec<FieldId> = late_fields(&ask.patch.late).collect();
        let unknown: Vec<FieldId> = ask.patch.unknown().collect();
        need_links(schema, &mut expressions, collection, &links, &lists);
        need_target(schema, &mut expressions, of, ask.target);
        let ruled: Vec<FieldId> = ask.patch.ruled(collection).collect();
        ruled.iter().for_each(|field| expressions.need(schema, (of, RuleKind::WriteField(*field))));
        ask.patch.added.iter().for_each(|field| expressions.need_field(schema, of, *field));
        let computed = expressions.need_values(collection, &ask.patch.computed, |field| field.set.update.as_ref());
        let Answered { selection, params } = ask.answered;
        let parts = Selecting::new(schema, limits, &mut expressions, params).resolve(of, selection.as_deref())?;
        check_params(&expressions, params)?;
        Ok(UpdateShape {
            collection: of,
            target: ask.target.clone(),
            version: ask.version,
            set: ask.set().collect(),
            lists,
            selection: selection.clone(),
            params: names(params).map(str::to_owned).collect(),
            expressions,
            own: own_fields_only(&parts),
            parts,
            links,
            quiet: ask.quiet,
            checks: stored_checks(collection, &unknown, |field| ask.patch.sets(field)),
            late,
            added: ask.patch.added.clone(),
            computed,
            ruled,
            asks_rule,
        })
    }

    pub(crate) fn fits(&self, ask: &UpdateAsk<'_>) -> bool {
        self.collection == ask.collection
            && self.version == ask.version
            && self.quiet == ask.quiet
            && self.expressions.admin == ask.admin
            && self.target == *ask.target
            && self.set.iter().copied().eq(ask.set())
            && self.late.iter().copied().eq(late_fields(&ask.patch.late))
            && self.added == ask.patch.added
            && self.computed.iter().map(|(field, _)| field).eq(&ask.patch.computed)
            && self.links == ask.links
            && self.lists.iter().copied().eq(list_shapes(&ask.patch.lists))
            && same_selection(self.selection.as_ref(), ask.answered.selection.as_ref())
            && self.params.iter().map(String::as_str).eq(names(&ask.answered.params))
    }

    /// The plan for one variant. The inputs are the values that are set, then the keys of each list.
    pub(crate) fn plan(&self, schema: &Schema, resolved: &Resolved) -> Result<(WritePlan, Vec<Origin>), Error> {
        let mut planner = Planner::new(schema, &self.expressions, resolved);
        let of = self.collection;
        let input = |planner: &mut Planner<'_>, at: usize| planner.bind(Origin::Input(at as u16));
        let set: Vec<(FieldId, u16)> =
            self.set.iter().enumerate().map(|(at, (field, _))| (*field, input(&mut planner, at))).collect();
        let bound = |field: FieldId| set.iter().find(|(set, _)| *set == field).map(|(_, bound)| *bound);
        let visible = planner.require((of, RuleKind::Read))?;
        let before = if self.asks_rule { planner.require((of, RuleKind::Update))? } else { constant(true) };
        let seen_after = if self.touches(schema, &visible) { visible.clone() } else { constant(true) };
        let update = Update {
            collection: of,
            find: planner.find(of, &self.target)?,
            after: self.touches(schema, &before).then(|| before.clone()),
            fields: [planner.field_rules(of, &self.ruled), planner.sum_rules(of, &self.added)].concat(),
            visible,
            before,
            quiet: self.quiet,
            version: self.version.then(|| planner.bind(Origin::Version)),
            checks: self.checks.clone(),
            links: planner.link_checks(schema.collection(of), &self.links, bound),
            changes: planner.link_changes(of, &self.lists, self.set.len(), false),
            answer: match self.parts.is_empty() {
                true => Answer::Key,
                false => Answer::Record { visible: seen_after, select: planner.outputs(&self.parts)? },
            },
            add: self.added.clone(),
            compute: planner.values(&self.computed),
            set,
        };
        Ok((WritePlan::Update(update), planner.origins))
    }

    /// Whether the change can make another thing of a condition: it reads a field that changes, of this record or of others.
    fn touches(&self, schema: &Schema, condition: &Expr) -> bool {
        let version = schema.collection(self.collection).system.version;
        let fields =
            self.set.iter().map(|(field, _)| *field).chain(self.lists.iter().map(|(field, ..)| *field)).chain(version);
        reads_any(schema, condition, self.collection, &fields.collect::<Vec<_>>())
    }
}

//! Creates: which columns are written, which links are asked, what is answered.
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use mainstay_expr::{Expr, own_fields_only as reads_own_fields};
use mainstay_plan::{Answer, Create, WritePlan};
use mainstay_schema::{CollectionId, FieldId, KeyKind, Schema};

use super::{
    Origin, Planner,
    links::{LinkShape, ListShape, list_shapes, need_links},
    read::{check_params, names, same_selection},
    rules::Gate,
    select::{Part, Selecting, own_fields, own_fields_only},
};
use crate::{
    Error, Limits, Selection,
    expressions::{Expressions, Resolved, RuleKind},
    reads::reads_any,
    record::{checks::waiting_checks, json::RecordWriter, lists::ListChange},
    write::Answering,
};

/// What of a create makes its shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CreateAsk<'a> {
    pub(crate) collection: CollectionId,
    pub(crate) answering: Answering<'a>,
    /// Whether the key is known before the write.
    pub(crate) keyed: bool,
    /// Whether another record may have had it.
    pub(crate) key_is_given: bool,
    /// The to-one links that are asked about.
    pub(crate) links: &'a [LinkShape],
    pub(crate) lists: &'a [ListChange],
    /// The fields whose values only the write knows.
    pub(crate) late: &'a [FieldId],
    /// Those of them that the write computes.
    pub(crate) computed: &'a [FieldId],
    /// The fields with a write rule that were sent.
    pub(crate) ruled: &'a [FieldId],
    /// Whether hidden fields have names.
    pub(crate) admin: bool,
}

impl Hash for CreateAsk<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.collection, self.answering.parts(), self.keyed, self.links, self.late).hash(state);
        (self.key_is_given, self.ruled, self.computed, self.admin).hash(state);
        names(self.answering.params()).for_each(|name| name.hash(state));
        list_shapes(self.lists).for_each(|list| list.hash(state));
    }
}

/// The shape of a create.
#[derive(Debug)]
pub(crate) struct CreateShape {
    collection: CollectionId,
    selection: Option<Arc<Selection>>,
    params: Vec<String>,
    silent: bool,
    keyed: bool,
    key_is_given: bool,
    links: Vec<LinkShape>,
    lists: Vec<ListShape>,
    late: Vec<FieldId>,
    /// The fields that the write computes, each with its expression.
    computed: Vec<(FieldId, usize)>,
    ruled: Vec<FieldId>,
    pub(crate) expressions: Expressions,
    parts: Vec<Part>,
    /// The columns that are written, in order: the first inputs.
    pub(crate) columns: Vec<FieldId>,
    /// Whether it answers own stored fields only.
    pub(crate) own: bool,
}

/// A planned create.
#[derive(Debug)]
pub(crate) struct CreatePlan {
    pub(crate) plan: WritePlan,
    pub(crate) origins: Vec<Origin>,
    /// Writes the answer, where it is made from the values that were written.
    pub(crate) writer: Option<RecordWriter>,
}

impl CreateShape {
    pub(crate) fn new(schema: &Schema, limits: &Limits, ask: &CreateAsk<'_>) -> Result<CreateShape, Error> {
        let mut expressions = Expressions::of(ask.admin);
        let of = ask.collection;
        let collection = schema.collection(of);
        let lists: Vec<ListShape> = list_shapes(ask.lists).collect();
        expressions.need(schema, (of, RuleKind::Create));
        expressions.need(schema, (of, RuleKind::Read));
        need_links(schema, &mut expressions, collection, ask.links, &lists);
        ask.ruled.iter().for_each(|field| expressions.need(schema, (of, RuleKind::WriteField(*field))));
        let (silent, selection) = ask.answering.parts();
        let params = ask.answering.params();
        let parts = Selecting::new(schema, limits, &mut expressions, params)
            .resolve(of, selection.map(|selection| &**selection))?;
        check_params(&expressions, params)?;
        let computed = expressions.need_values(collection, ask.computed, |field| field.given());
        let written = |field: &FieldId| ask.keyed || collection.system.id != Some(*field);
        Ok(CreateShape {
            collection: of,
            selection: selection.cloned(),
            params: names(params).map(str::to_owned).collect(),
            silent,
            keyed: ask.keyed,
            key_is_given: ask.key_is_given,
            links: ask.links.to_vec(),
            lists,
            late: ask.late.to_vec(),
            computed,
            ruled: ask.ruled.to_vec(),
            expressions,
            own: own_fields_only(&parts),
            parts,
            columns: collection.stored().map(|field| field.id).filter(written).collect(),
        })
    }

    pub(crate) fn fits(&self, ask: &CreateAsk<'_>) -> bool {
        self.collection == ask.collection
            && self.keyed == ask.keyed
            && self.key_is_given == ask.key_is_given
            && self.links == ask.links
            && self.late == ask.late
            && self.computed.iter().map(|(field, _)| field).eq(ask.computed)
            && self.ruled == ask.ruled
            && self.expressions.admin == ask.admin
            && self.lists.iter().copied().eq(list_shapes(ask.lists))
            && self.silent == ask.answering.parts().0
            && same_selection(self.selection.as_ref(), ask.answering.parts().1)
            && self.params.iter().map(String::as_str).eq(names(ask.answering.params()))
    }

    /// The plan for one variant.
    pub(crate) fn plan(&self, schema: &Schema, resolved: &Resolved) -> Result<CreatePlan, Error> {
        let mut planner = Planner::new(schema, &self.expressions, resolved);
        let collection = schema.collection(self.collection);
        for at in 0..self.columns.len() {
            planner.bind(Origin::Input(at as u16));
        }
        let column = |field: FieldId| self.columns.iter().position(|column| *column == field).map(|at| at as u16);
        let links = planner.link_checks(collection, &self.links, column);
        let changes = planner.link_changes(self.collection, &self.lists, self.columns.len(), true);
        let after = match planner.gate((self.collection, RuleKind::Create)) {
            Gate::When(condition) if !in_memory(schema, self.collection, self.keyed, &self.late, &condition) => {
                Some(condition)
            }
            _ => None,
        };
        let fields = planner.field_rules(self.collection, &self.ruled);
        let (answer, writer) = self.answer(&mut planner)?;
        let create = Create {
            collection: self.collection,
            columns: self.columns.clone(),
            key_is_given: self.key_is_given,
            compute: planner.values(&self.computed),
            checks: waiting_checks(collection, &self.late),
            links,
            changes,
            after,
            fields,
            answer,
        };
        Ok(CreatePlan { plan: WritePlan::Create(create), origins: planner.origins, writer })
    }

    /// What the store answers: the key alone, where the record is known without asking.
    fn answer(&self, planner: &mut Planner<'_>) -> Result<(Answer, Option<RecordWriter>), Error> {
        if self.silent || self.parts.is_empty() {
            return Ok((Answer::Key, None));
        }
        let schema = planner.schema;
        let select = planner.outputs(&self.parts)?;
        let gate = planner.gate((self.collection, RuleKind::Read));
        let known = match &gate {
            Gate::Open => true,
            Gate::Shut => return Ok((Answer::Key, None)),
            Gate::When(condition) => in_memory(schema, self.collection, true, &self.late, condition),
        };
        match own_fields(&select).filter(|_| known && self.late.is_empty()) {
            Some(fields) => Ok((Answer::Key, Some(RecordWriter::new(&fields)))),
            None => Ok((Answer::Record { visible: gate.condition(), select }, None)),
        }
    }
}

/// Whether a condition over a new record can be computed before it is written: it looks no further than the record, and
/// what it reads is known.
pub(crate) fn in_memory(schema: &Schema, of: CollectionId, keyed: bool, late: &[FieldId], condition: &Expr) -> bool {
    let known = keyed || schema.collection(of).key != KeyKind::Int;
    known && reads_own_fields(condition) && (late.is_empty() || !reads_any(schema, condition, of, late))
}

//! Creates: which columns are written, which links are asked, what is answered.
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use mainstay_expr::own_fields_only as reads_own_fields;
use mainstay_plan::{Answer, Create, WritePlan};
use mainstay_schema::{CollectionId, FieldId, KeyKind, Schema};

use super::{
    Origin, Planner,
    links::{ListShape, list_shapes, need_links},
    read::same_selection,
    rules::Gate,
    select::{Part, Selecting, own_fields, own_fields_only},
};
use crate::{
    Error, Limits, Selection,
    expressions::{Expressions, Resolved, RuleKind},
    record::{json::RecordWriter, lists::ListChange},
};

/// What of a create makes its shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CreateAsk<'a> {
    pub(crate) collection: CollectionId,
    pub(crate) selection: Option<&'a Arc<Selection>>,
    /// Whether the key is known before the write.
    pub(crate) keyed: bool,
    /// The to-one links that are not null.
    pub(crate) links: &'a [FieldId],
    pub(crate) lists: &'a [ListChange],
}

impl Hash for CreateAsk<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.collection, self.selection, self.keyed, self.links).hash(state);
        list_shapes(self.lists).for_each(|list| list.hash(state));
    }
}

/// The shape of a create.
#[derive(Debug)]
pub(crate) struct CreateShape {
    collection: CollectionId,
    selection: Option<Arc<Selection>>,
    keyed: bool,
    links: Vec<FieldId>,
    lists: Vec<ListShape>,
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
        let mut expressions = Expressions::default();
        let of = ask.collection;
        let collection = schema.collection(of);
        let lists: Vec<ListShape> = list_shapes(ask.lists).collect();
        expressions.need(schema, (of, RuleKind::Create));
        expressions.need(schema, (of, RuleKind::Read));
        need_links(schema, &mut expressions, collection, ask.links, &lists);
        let selection = ask.selection.map(|selection| &**selection);
        let parts = Selecting::new(schema, limits, &mut expressions, &[]).resolve(of, selection)?;
        let written = |field: &FieldId| ask.keyed || collection.system.id != Some(*field);
        Ok(CreateShape {
            collection: of,
            selection: ask.selection.cloned(),
            keyed: ask.keyed,
            links: ask.links.to_vec(),
            lists,
            expressions,
            own: own_fields_only(&parts),
            parts,
            columns: collection.stored().map(|field| field.id).filter(written).collect(),
        })
    }

    pub(crate) fn fits(&self, ask: &CreateAsk<'_>) -> bool {
        self.collection == ask.collection
            && self.keyed == ask.keyed
            && self.links == ask.links
            && self.lists.iter().copied().eq(list_shapes(ask.lists))
            && same_selection(self.selection.as_ref(), ask.selection)
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
        let changes = planner.link_changes(&self.lists, self.columns.len());
        let after = match planner.gate((self.collection, RuleKind::Create)) {
            Gate::When(condition) if !in_memory(schema, self.collection, self.keyed, &condition) => Some(condition),
            _ => None,
        };
        let (answer, writer) = self.answer(&mut planner)?;
        let create =
            Create { collection: self.collection, columns: self.columns.clone(), links, changes, after, answer };
        Ok(CreatePlan { plan: WritePlan::Create(create), origins: planner.origins, writer })
    }

    /// What the store answers: the key alone, where the record is known without asking.
    fn answer(&self, planner: &mut Planner<'_>) -> Result<(Answer, Option<RecordWriter>), Error> {
        let schema = planner.schema;
        let select = planner.outputs(&self.parts)?;
        let gate = planner.gate((self.collection, RuleKind::Read));
        let known = match &gate {
            Gate::Open => true,
            Gate::Shut => return Ok((Answer::Key, None)),
            Gate::When(condition) => in_memory(schema, self.collection, true, condition),
        };
        match own_fields(&self.parts).filter(|_| known) {
            Some(fields) => Ok((Answer::Key, Some(RecordWriter::new(&fields)))),
            None => Ok((Answer::Record { visible: gate.condition(), select }, None)),
        }
    }
}

/// Whether a condition over a new record can be computed before it is written: it looks no further than the record, and the
/// record's key is known.
pub(crate) fn in_memory(schema: &Schema, of: CollectionId, keyed: bool, condition: &mainstay_expr::Expr) -> bool {
    (keyed || schema.collection(of).key != KeyKind::Int) && reads_own_fields(condition)
}

//! A new record as steps, with those that are made with it.
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_plan::OwnFields;
use mainstay_schema::{Collection, CollectionId, FieldId, FieldKind, KeyKind};
use mainstay_store::{ReadTask, Source as StoreSource, Step, Task};
use smallvec::SmallVec;

use super::{
    failure::{Meaning, Part},
    outcome::Outcome,
    steps::{Around, Steps},
};
use crate::{
    Answered, Core, Error, ReadOne, Request, Selection, Target,
    errors::from_store,
    explain::Made,
    expressions::RuleKind,
    gate::CallerGate,
    plan::{
        Given, Origin,
        create::{CreateAsk, CreateShape, in_memory},
        links::{LinkShape, link_shapes},
        read::ReadAsk,
        rules::{Gate, refused_field},
    },
    plans::Kept,
    record::{
        late::{Late, Slot, Source, late_fields},
        new::NewRecord,
    },
    run::PreparedCreate,
};

type KeptCreate = Kept<CreateShape, PreparedCreate>;

/// What to answer of a new record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answering<'a> {
    /// This.
    Record(&'a Answered),
    /// Nothing but its key.
    Key,
}

impl<'a> Answering<'a> {
    /// Whether nothing is answered, else what.
    pub(crate) fn parts(self) -> (bool, Option<&'a Arc<Selection>>) {
        match self {
            Answering::Record(answered) => (false, answered.selection.as_ref()),
            Answering::Key => (true, None),
        }
    }

    /// The `p.` values of what is answered.
    pub(crate) fn params(self) -> &'a [(String, String)] {
        match self {
            Answering::Record(answered) => &answered.params,
            Answering::Key => &[],
        }
    }
}

/// A record that is ready to be written.
#[derive(Clone)]
pub(crate) struct Ready {
    pub(crate) prepared: Arc<PreparedCreate>,
    /// Its values; null where the write fills a key in.
    pub(crate) values: Vec<Value>,
    /// The fields, but a counted key, of which only the write knows what they hold, or what they lead to.
    pub(crate) unknown: SmallVec<[FieldId; 4]>,
}

impl Steps<'_> {
    /// A new record, as the next operation.
    pub(crate) fn create(&mut self, record: NewRecord, answered: &Answered) -> Result<Outcome, Error> {
        let (of, place) = (record.collection, record.place.clone());
        let inside = !record.after.is_empty();
        let (ready, step) = self.record(record, Answering::Record(answered), None)?;
        self.operation(step);
        let read = self.gate((of, RuleKind::Read))?;
        let silent = answered.selection.as_ref().is_some_and(|selection| selection.parts.is_empty());
        let again = inside && !silent && ready.prepared.writer.is_none() && !matches!(read.gate(), Gate::Shut);
        let answer = match again {
            true => Some(self.read_again(of, &ready, step, answered, place)?),
            false => None,
        };
        Ok(Outcome::Created { of, step, ready, read, answer })
    }

    /// A new record, those before it and those that hang on it. Gives its own step.
    fn record(
        &mut self,
        mut record: NewRecord,
        answering: Answering<'_>,
        parent: Option<u32>,
    ) -> Result<(Ready, u32), Error> {
        let mut before = Vec::new();
        for made in std::mem::take(&mut record.before) {
            before.push(self.record(made, Answering::Key, None)?.1);
        }
        let after = std::mem::take(&mut record.after);
        self.settle(&mut record.late, record.collection, Around { before: &before, parent })?;
        let gate = self.gate((record.collection, RuleKind::Create))?;
        let place = std::mem::take(&mut record.place);
        let of = record.collection;
        self.core.may_send(self.request, of, record.ruled.iter().copied(), &place)?;
        let ready = self.core.ready(self.request, &gate, record, answering);
        let root = matches!(answering, Answering::Record(_));
        let whole = if root { self.whole(&place).len() } else { place.len() };
        let (ready, task) = ready.map_err(|error| error.at(&place[..whole]))?;
        let step = self.push(Step::Run(task), Meaning { of, part: Part::Write(RuleKind::Create), place, whole });
        for (_, made) in after {
            self.record(made, Answering::Key, Some(step))?;
        }
        Ok((ready, step))
    }

    /// Reads the record once those that hang on it are there. Gives its step.
    fn read_again(
        &mut self,
        of: CollectionId,
        ready: &Ready,
        step: u32,
        answered: &Answered,
        place: String,
    ) -> Result<u32, Error> {
        let (core, request) = (self.core, self.request);
        let (target, Answered { selection, params }) = (Target::Key(String::new()), answered.clone());
        let read = ReadOne { collection: of, target, params, selection };
        let kept = core.read_shape(request, &ReadAsk::one(request, &read))?;
        let resolved = kept.shape.expressions.resolve(&core.schema, request, &read.params)?;
        let prepared = core.read_plan(&kept, &resolved, None)?;
        let key = key_of(core.schema.collection(of), &ready.values).clone();
        let late = match key.is_null() {
            true => Given::late(&prepared.origins, &[(Origin::Target(0), None, StoreSource::Record(step))]),
            false => Vec::new(),
        };
        let given = Given { slots: &resolved.slots, target: &[key], ..Given::default() };
        let values = given.bind(&prepared.origins);
        let task = ReadTask { statement: prepared.statement.clone(), values, late, of: step as usize };
        Ok(self.push(Step::Read(task), Meaning::new(of, Part::Read, place)))
    }
}

impl Core {
    /// Fails where a field is sent whose rule holds of no record.
    pub(super) fn may_send(
        &self,
        request: &Request,
        of: CollectionId,
        fields: impl Iterator<Item = FieldId>,
        place: &str,
    ) -> Result<(), Error> {
        for field in fields {
            let gate = self.gate(request, (of, RuleKind::WriteField(field)))?;
            if let Gate::Shut = gate.gate() {
                let error = refused_field(&self.schema, gate.class, gate.rule, place);
                return Err(self.explain_gate(request, &gate, None, error));
            }
        }
        Ok(())
    }

    /// Asks the rule in memory where that is enough, and makes the statement of the record.
    pub(crate) fn ready(
        &self,
        request: &Request,
        gate: &CallerGate,
        record: NewRecord,
        answering: Answering<'_>,
    ) -> Result<(Ready, Task), Error> {
        let collection = self.schema.collection(record.collection);
        let keyed = collection.key != KeyKind::Int || !key_of(collection, &record.values).is_null();
        let row = OwnFields { collection, values: &record.values };
        let late: SmallVec<[FieldId; 4]> = record.unknown().collect();
        let asked_here = match gate.gate() {
            Gate::When(condition) => in_memory(&self.schema, collection.id, keyed, &late, condition),
            Gate::Open | Gate::Shut => false,
        };
        if asked_here && !gate.holds(&self.schema, &row) {
            let made = Made { record: &row, unknown: &late };
            return Err(self.explain_gate(request, gate, Some(made), gate.refused(&self.schema)));
        }
        let links: SmallVec<[LinkShape; 4]> = links(collection, &record).collect();
        let ask = CreateAsk {
            collection: collection.id,
            answering,
            keyed,
            // Nobody else had one that is made up here.
            key_is_given: keyed && (collection.key != KeyKind::Uuid || record.has_own_key),
            links: &links,
            lists: &record.lists,
            late: &late,
            computed: &record.computed,
            ruled: &record.ruled,
            admin: request.is_admin(),
        };
        let kept = self.create_shape(&ask)?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, answering.params())?;
        let prepared = kept.plan(resolved.variant(&[]), |shape| {
            let planned = shape.plan(&self.schema, &resolved)?;
            let statement = self.store.prepare_write(&self.schema, &planned.plan).map_err(from_store)?;
            Ok(PreparedCreate { statement, origins: planned.origins, writer: planned.writer, own: shape.own })
        })?;
        let input = inputs(&kept.shape, &record);
        let given = Given { slots: &resolved.slots, input: &input, ..Given::default() };
        let values = given.bind(&prepared.origins);
        let mut unknown = late;
        unknown.extend_from_slice(&record.made);
        let late = late_inputs(&record.late, &kept.shape.columns);
        let late = Given::late(&prepared.origins, &late);
        let task = Task { statement: prepared.statement.clone(), values, late };
        Ok((Ready { prepared, unknown, values: record.values }, task))
    }

    fn create_shape(&self, ask: &CreateAsk<'_>) -> Result<Arc<KeptCreate>, Error> {
        let make = || CreateShape::new(&self.schema, &self.settings.limits, ask);
        self.creates.shape(ask, |shape| shape.fits(ask), make)
    }
}

fn key_of<'v>(collection: &Collection, values: &'v [Value]) -> &'v Value {
    collection.system.id.and_then(|id| values.get(id.0 as usize)).unwrap_or(&Value::Null)
}

/// The to-one links that lead somewhere, with what is asked of their ends.
fn links<'r>(collection: &'r Collection, record: &'r NewRecord) -> impl Iterator<Item = LinkShape> + 'r {
    let leads = |field: FieldId| {
        !record.values[field.0 as usize].is_null() || late_fields(&record.late).any(|late| late == field)
    };
    // It is there as soon as it is written.
    let leads_to_itself = move |field: FieldId, target: CollectionId| {
        let key = key_of(collection, &record.values);
        target == collection.id && !key.is_null() && record.values[field.0 as usize] == *key
    };
    let to_one = collection.fields.iter().filter_map(move |field| match field.kind {
        FieldKind::ToOne { target, .. } if !leads_to_itself(field.id, target) => Some(field.id),
        _ => None,
    });
    link_shapes(to_one.filter(move |field| leads(*field)), &record.late, &record.made)
}

/// The values that are written: the columns, then the keys of each list.
fn inputs(shape: &CreateShape, record: &NewRecord) -> Vec<Value> {
    let columns = shape.columns.iter().map(|column| record.values[column.0 as usize].clone());
    let lists = record.lists.iter().map(|list| Value::List(list.keys.clone().into()));
    columns.chain(lists).collect()
}

/// Where keys go that other steps tell: a column, or an element of a list behind the columns.
pub(super) fn late_inputs(late: &[Late], columns: &[FieldId]) -> Vec<(Origin, Option<u32>, StoreSource)> {
    let one = |late: &Late| {
        let Source::Step(source) = &late.source else { return None };
        let (at, element) = match late.slot {
            Slot::Field(field) => (columns.iter().position(|column| *column == field)?, None),
            Slot::Element(list, at) => (columns.len() + list, Some(at as u32)),
            Slot::Target(at) => return Some((Origin::Target(at as u16), None, *source)),
        };
        Some((Origin::Input(at as u16), element, *source))
    };
    late.iter().filter_map(one).collect()
}

//! Creates: records completed and checked in memory, written together, answered.
use mainstay_expr::Value;
use mainstay_plan::OwnFields;
use mainstay_schema::{Collection, FieldId, FieldKind, KeyKind};
use mainstay_store::{Step, StepError, WriteError, Written};

use super::PreparedCreate;
use crate::{
    Core, Create, Error, ErrorKind, Record, Request,
    errors::{StepPlace, from_step, from_store, invalid_record},
    evaluate::Evaluator,
    expressions::RuleKind,
    gate::CallerGate,
    plan::{
        Given,
        create::{CreateAsk, CreateShape, in_memory},
        rules::Gate,
    },
    plans::Kept,
    record::{
        checks::failed_checks,
        field::Sender,
        json::key_alone,
        new::{NewRecord, NewRecords},
    },
};
use std::sync::Arc;

type KeptCreate = Kept<CreateShape, PreparedCreate>;

/// A record that is ready to be written.
pub(crate) struct Ready {
    pub(crate) prepared: Arc<PreparedCreate>,
    values: Vec<Value>,
}

impl Core {
    /// New records: all or none.
    pub(crate) async fn create(
        &self,
        request: &Request,
        create: &Create<'_>,
        sender: Sender,
    ) -> Result<Vec<Record>, Error> {
        let gate = self.gate(request, (create.collection, RuleKind::Create))?;
        gate.require(&self.schema).map_err(|error| self.explain_gate(request, &gate, None, error))?;
        self.check_batch(create.records.len())?;
        let records = self.new_records(request, create, sender)?;
        let mut readies = Vec::with_capacity(records.len());
        let mut steps = Vec::with_capacity(records.len());
        for record in records {
            let (ready, step) = self.ready(request, create, &gate, record)?;
            readies.push(ready);
            steps.push(step);
        }
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let written = match self.store.write(steps).await {
            Ok(written) => written,
            Err(failure) => return Err(self.not_created(request, create, &gate, &readies, failure)),
        };
        let read = self.gate(request, (create.collection, RuleKind::Read))?;
        Ok(readies
            .into_iter()
            .zip(written)
            .map(|(ready, written)| self.created(create.collection, &read, ready, written))
            .collect())
    }

    fn check_batch(&self, records: usize) -> Result<(), Error> {
        let batch_max = self.settings.limits.batch_max;
        if records <= batch_max {
            return Ok(());
        }
        let message = format!("{records} records are more than the {batch_max} of one request");
        Err(Error::new(ErrorKind::LimitExceeded, message).with_hint("send them in several requests"))
    }

    fn not_created(
        &self,
        request: &Request,
        create: &Create<'_>,
        gate: &CallerGate,
        readies: &[Ready],
        failure: WriteError,
    ) -> Error {
        let refused = matches!(failure.error, StepError::RefusedAfter);
        let pointer = place(create, failure.step);
        let place = StepPlace {
            schema: &self.schema,
            collection: create.collection,
            class: gate.class,
            rule: RuleKind::Create,
            pointer: &pointer,
        };
        let error = from_step(place, failure.error);
        match readies.get(failure.step).filter(|_| refused) {
            Some(ready) => {
                let collection = self.schema.collection(create.collection);
                self.explain_gate(request, gate, Some(&OwnFields { collection, values: &ready.values }), error)
            }
            None => error,
        }
    }

    /// The records, completed and checked; what is wrong with any of them comes at once.
    pub(crate) fn new_records(
        &self,
        request: &Request,
        create: &Create<'_>,
        sender: Sender,
    ) -> Result<Vec<NewRecord>, Error> {
        let collection = self.schema.collection(create.collection);
        let evaluator = Evaluator::new(&self.schema, request);
        let (schema, links_max) = (&*self.schema, self.settings.limits.links_max);
        let reader = NewRecords {
            schema,
            collection,
            evaluator: &evaluator,
            time_micros: request.time_micros,
            links_max,
            sender,
        };
        let mut records = Vec::with_capacity(create.records.len());
        let mut errors = Vec::new();
        for (at, json) in create.records.iter().enumerate() {
            let place = place(create, at);
            match reader.read(json, &place) {
                Ok(record) => {
                    let row = OwnFields { collection, values: &record.values };
                    errors.extend(failed_checks(&self.schema, &evaluator, &row, &place));
                    records.push(record);
                }
                Err(wrong) => errors.extend(wrong),
            }
        }
        if errors.is_empty() { Ok(records) } else { Err(invalid_record(&self.schema, create.collection, errors)) }
    }

    /// Asks the rule in memory where that is enough, and makes the step.
    pub(crate) fn ready(
        &self,
        request: &Request,
        create: &Create<'_>,
        gate: &CallerGate,
        record: NewRecord,
    ) -> Result<(Ready, Step), Error> {
        let collection = self.schema.collection(create.collection);
        let keyed = collection.key != KeyKind::Int || !key_of(collection, &record.values).is_null();
        let row = OwnFields { collection, values: &record.values };
        let asked_here = match gate.gate() {
            Gate::When(condition) => in_memory(&self.schema, collection.id, keyed, condition),
            Gate::Open | Gate::Shut => false,
        };
        if asked_here && !gate.holds(&self.schema, &row) {
            return Err(self.explain_gate(request, gate, Some(&row), gate.refused(&self.schema)));
        }
        let links = set_links(collection, &record.values);
        let selection = create.selection.as_ref();
        let ask = CreateAsk { collection: collection.id, selection, keyed, links: &links, lists: &record.lists };
        let kept = self.create_shape(&ask)?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, &[])?;
        let prepared = kept.plan(resolved.variant(&[]), |shape| {
            let planned = shape.plan(&self.schema, &resolved)?;
            let statement = self.store.prepare_write(&self.schema, &planned.plan).map_err(from_store)?;
            Ok(PreparedCreate { statement, origins: planned.origins, writer: planned.writer, own: shape.own })
        })?;
        let input = inputs(&kept.shape, &record);
        let given = Given { slots: &resolved.slots, input: &input, ..Given::default() };
        let step = Step { statement: prepared.statement.clone(), values: given.bind(&prepared.origins) };
        Ok((Ready { prepared, values: record.values }, step))
    }

    fn create_shape(&self, ask: &CreateAsk<'_>) -> Result<Arc<KeptCreate>, Error> {
        let make = || CreateShape::new(&self.schema, &self.settings.limits, ask);
        self.creates.shape(ask, |shape| shape.fits(ask), make)
    }

    /// The answer for one record.
    fn created(&self, of: mainstay_schema::CollectionId, read: &CallerGate, ready: Ready, written: Written) -> Record {
        let collection = self.schema.collection(of);
        let mut values = ready.values;
        if let Some(id) = collection.system.id {
            values[id.0 as usize] = written.key.clone();
        }
        let visible = || read.holds(&self.schema, &OwnFields { collection, values: &values });
        let (json, own) = match (&ready.prepared.writer, written.record) {
            (Some(writer), _) if visible() => (writer.write(&self.schema, collection, &values), true),
            (None, Some(json)) => (json, ready.prepared.own),
            _ => (key_alone(collection, &written.key), false),
        };
        Record { json, version: written.version, own, key: written.key }
    }
}

/// Where a record stands in the body.
fn place(create: &Create<'_>, at: usize) -> String {
    if create.many { format!("/{at}") } else { String::new() }
}

fn key_of<'v>(collection: &Collection, values: &'v [Value]) -> &'v Value {
    collection.system.id.and_then(|id| values.get(id.0 as usize)).unwrap_or(&Value::Null)
}

/// The to-one links that lead somewhere.
fn set_links(collection: &Collection, values: &[Value]) -> Vec<FieldId> {
    let to_one = collection.fields.iter().filter(|field| matches!(field.kind, FieldKind::ToOne { .. }));
    to_one.map(|field| field.id).filter(|field| !values[field.0 as usize].is_null()).collect()
}

/// The values that are written: the columns, then the keys of each list.
fn inputs(shape: &CreateShape, record: &NewRecord) -> Vec<Value> {
    let columns = shape.columns.iter().map(|column| record.values[column.0 as usize].clone());
    let lists = record.lists.iter().map(|list| Value::List(list.keys.clone().into()));
    columns.chain(lists).collect()
}

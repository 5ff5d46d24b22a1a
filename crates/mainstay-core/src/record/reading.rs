//! What all records of one write are read by.
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use mainstay_expr::Value;
use mainstay_schema::{CollectionId, Json, Schema};

use super::field::Sender;
use crate::{Core, Error, ErrorKind, Limits, Request, evaluate::Evaluator, expressions::RuleKind};

/// What all records of one write are read by.
pub(crate) struct Reading<'a> {
    pub(crate) core: &'a Core,
    pub(crate) request: &'a Request,
    pub(crate) evaluator: Evaluator<'a>,
    pub(crate) sender: Sender,
    /// The operations so far that have a name; `None` outside of a batch.
    names: Option<RefCell<HashMap<String, Named>>>,
    /// The records so far.
    records: Cell<usize>,
}

/// The record of an operation that has a name.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) collection: CollectionId,
    /// Its key, where it is known before the write.
    pub(crate) key: Option<Value>,
    /// Which operation.
    pub(crate) operation: usize,
    /// Whether the operation makes the record, so that whoever made it may link to it.
    pub(crate) made: bool,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(core: &'a Core, request: &'a Request, sender: Sender, batch: bool) -> Reading<'a> {
        Reading {
            core,
            request,
            evaluator: Evaluator::new(&core.schema, request),
            sender,
            names: batch.then(RefCell::default),
            records: Cell::new(0),
        }
    }

    pub(crate) fn schema(&self) -> &'a Schema {
        &self.core.schema
    }

    pub(crate) fn limits(&self) -> &'a Limits {
        &self.core.settings.limits
    }

    /// Counts records that are written; fails past the limit.
    pub(crate) fn count(&self, records: usize) -> Result<(), Error> {
        let records = self.records.get().saturating_add(records);
        self.records.set(records);
        self.core.check_count(records)
    }

    /// Fails where the caller may create no record of a collection; who may not learns no names.
    pub(crate) fn may_create(&self, of: CollectionId) -> Result<(), Error> {
        let gate = self.core.gate(self.request, (of, RuleKind::Create))?;
        let refused = |error| self.core.explain_gate(self.request, &gate, None, error);
        gate.require(&self.core.schema).map_err(refused)
    }

    /// Gives a name to the record of an operation; whether it is new.
    pub(crate) fn name(&self, name: &str, named: Named) -> bool {
        match &self.names {
            Some(names) => names.borrow_mut().insert(name.to_owned(), named).is_none(),
            None => false,
        }
    }

    /// The record that a reference names, which must be of this collection; else why it is none, and what to do.
    pub(crate) fn named(&self, target: CollectionId, json: &Json<'_>) -> Result<Named, (String, Option<String>)> {
        let Some(names) = &self.names else {
            return Err(("a \"ref\" stands for an earlier operation of a batch, and this is none".to_owned(), None));
        };
        let Some(name) = json.as_text() else {
            return Err((format!("expected the name of an operation, got {}", json.kind()), None));
        };
        let names = names.borrow();
        let Some(named) = names.get(name) else {
            let near = mainstay_schema::nearest(name, names.keys().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => "name an earlier operation by \"as\"".to_owned(),
            };
            return Err((format!("no earlier operation is called \"{name}\""), Some(hint)));
        };
        if named.collection == target {
            return Ok(named.clone());
        }
        let of = |id: CollectionId| &self.schema().collection(id).name;
        Err((format!("\"{name}\" is a \"{}\", expected a \"{}\"", of(named.collection), of(target)), None))
    }
}

impl Core {
    /// Fails where one request may not have so many records or operations: asked before what stands in a body is read.
    pub fn check_count(&self, records: usize) -> Result<(), Error> {
        let batch_max = self.settings.limits.batch_max;
        if records <= batch_max {
            return Ok(());
        }
        let message = format!("{records} records are more than the {batch_max} of one request");
        Err(Error::new(ErrorKind::LimitExceeded, message).with_hint("send them in several requests"))
    }
}

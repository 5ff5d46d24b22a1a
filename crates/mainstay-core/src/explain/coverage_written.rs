//! What an operation writes, read for rule tests: its new records, and those that it changes or ends.
use mainstay_expr::Value;
use mainstay_schema::{CollectionId, FieldId, Json};

use crate::{
    Act, Aimed, BatchOperation, Core, Create, Operation, Request, Target,
    plan::target::by_key,
    record::{
        field::Sender,
        new::{NewRecord, Purpose},
        patch::{Patch, Patches},
        reading::{Named, Reading},
    },
};

/// What an operation, or one of a batch, does to records.
#[derive(Clone)]
pub(super) enum Written {
    New(New),
    Changed { of: CollectionId, target: Target, patch: Patch },
    Gone { of: CollectionId, target: Target },
}

/// New records, as far as they can be read.
#[derive(Clone)]
pub(super) struct New {
    pub(super) of: CollectionId,
    /// Each with the change that it is where an upsert finds one.
    pub(super) records: Vec<(NewRecord, Option<Patch>)>,
    /// The unique of an upsert.
    pub(super) unique: Option<Vec<FieldId>>,
    /// Whether nothing is wrong with them as new records.
    pub(super) whole: bool,
}

impl Core {
    /// What an operation writes. What cannot be read is left out.
    pub(super) fn written(&self, request: &Request, operation: &Operation<'_>) -> Vec<Written> {
        match operation {
            Operation::Create(create) => vec![Written::New(self.new_sent(request, create))],
            Operation::Update(update) => {
                let (of, target) = (update.collection, update.target.clone());
                let patch = self.patch_sent(request, of, &update.patch).unwrap_or_default();
                vec![Written::Changed { of, target, patch }]
            }
            Operation::Delete(delete) => {
                vec![Written::Gone { of: delete.collection, target: delete.target.clone() }]
            }
            Operation::Batch(batch) => self.batch_sent(request, &batch.right().collect::<Vec<_>>()),
            _ => Vec::new(),
        }
    }

    fn new_sent(&self, request: &Request, create: &Create<'_>) -> New {
        let (of, unique) = (create.collection, create.upsert.clone());
        match self.records_explained(request, create, usize::MAX) {
            Ok((records, errors)) => New { of, records, unique, whole: errors.is_empty() },
            Err(_) => New { of, records: Vec::new(), unique, whole: false },
        }
    }

    /// A patch, whether its checks hold or not; `None` where it cannot be read.
    pub(super) fn patch_sent(&self, request: &Request, of: CollectionId, json: &Json<'_>) -> Option<Patch> {
        let reading = Reading::new(self, request, Sender::Caller, false);
        Patches { reading: &reading, collection: self.schema.collection(of), given: &[] }.unchecked(json, "").ok()
    }

    fn batch_sent(&self, request: &Request, operations: &[&BatchOperation<'_>]) -> Vec<Written> {
        let reading = Reading::new(self, request, Sender::Caller, true);
        let mut all = Vec::with_capacity(operations.len());
        for (number, operation) in operations.iter().enumerate() {
            let written = self.operation_sent(&reading, operation);
            if let Some(name) = &operation.name {
                let made = matches!(operation.act, Act::Create { .. } | Act::Upsert { .. });
                let key = written.as_ref().and_then(|written| self.key_sent(written));
                reading.name(name, Named { collection: operation.collection, key, operation: number, made });
            }
            all.extend(written);
        }
        all
    }

    fn operation_sent<'b>(&'b self, reading: &Reading<'_>, operation: &'b BatchOperation<'b>) -> Option<Written> {
        let (of, collection) = (operation.collection, self.schema.collection(operation.collection));
        let patch = |data, given| Patches { reading, collection, given }.unchecked(data, "").ok();
        let new = |data, unique: Option<&'b Vec<FieldId>>| {
            let mut errors = Vec::new();
            let purpose = if unique.is_some() { Purpose::Upsert } else { Purpose::Create };
            let record = self.reader(reading, of, purpose).read(data, String::new(), &mut errors).ok();
            let records = record.map(|record| (record, unique.and_then(|unique| patch(data, unique))));
            let (records, unique) = (records.into_iter().collect(), unique.cloned());
            Some(Written::New(New { of, records, unique, whole: errors.is_empty() }))
        };
        match &operation.act {
            Act::Create { data } => new(data, None),
            Act::Upsert { unique, data } => new(data, Some(unique)),
            Act::Update { target, data } => {
                let target = self.aimed_at(reading, operation, target)?;
                Some(Written::Changed { of, target, patch: patch(data, &[]).unwrap_or_default() })
            }
            Act::Delete { target } => Some(Written::Gone { of, target: self.aimed_at(reading, operation, target)? }),
        }
    }

    /// The record that an operation of a batch is about, where its key or its unique is known before the write.
    fn aimed_at(&self, reading: &Reading<'_>, operation: &BatchOperation<'_>, aimed: &Aimed<'_>) -> Option<Target> {
        let named = match aimed {
            Aimed::Id(json) => json.get("ref").and_then(|name| reading.named(operation.collection, name).ok()),
            Aimed::By(_) | Aimed::Unnamed => None,
        };
        match named {
            Some(named) => named.key.as_ref().map(by_key),
            None => self.target_of(operation, aimed),
        }
    }

    /// The key of the one record that is written, where it is known before the write.
    fn key_sent(&self, written: &Written) -> Option<Value> {
        match written {
            Written::New(New { of, records, unique: None, .. }) => {
                let (record, _) = records.first().filter(|(record, _)| record.has_own_key)?;
                let id = self.schema.collection(*of).system.id?;
                record.values.get(id.0 as usize).cloned()
            }
            Written::Changed { of, target: Target::Key(text), .. } => self.schema.collection(*of).key.parse(text),
            _ => None,
        }
    }
}

//! Batches explained: the rules of each operation, as far as its record is known before the batch is done.
use mainstay_expr::Value;
use mainstay_schema::{CollectionId, FieldId, Json};

use super::{
    clauses::Subject,
    refusals::is_refusal,
    upserts::Upserted,
    writes::EXPLAINED_MAX,
    written::{Asked, Touched},
};
use crate::{
    Act, Aimed, Batch, BatchOperation, Core, Error, Explanation, Request, Target,
    expressions::RuleKind,
    record::{
        field::Sender,
        new::{NewRecord, Purpose},
        patch::{Patch, Patches},
        reading::{Named, Reading},
    },
};

/// An operation whose record is looked at, once all operations are read.
enum Later<'b> {
    /// Its rules are known.
    Known(Explanation),
    /// A new record, or an upsert of one.
    Sent(Box<NewRecord>, Option<Upserted<'b>>),
    /// A change of a stored record.
    Change(Target, Option<Patch>),
    /// The end of a stored record.
    End(Target),
}

impl Core {
    pub(crate) async fn explain_batch(&self, request: &Request, batch: &Batch<'_>) -> Result<Explanation, Error> {
        let mut explanation = Explanation::default();
        let mut touched = Touched::default();
        for (operation, later) in self.read_for_explaining(request, batch)? {
            let mut explained = self.explain_later(request, operation, later, &mut touched).await?;
            explained.rules.iter_mut().for_each(|rule| rule.of = Some(operation.place.clone()));
            explanation.rules.append(&mut explained.rules);
            explanation.refused = explanation.refused.or(explained.refused);
        }
        Ok(explanation)
    }

    /// What there is to say of one operation, behind those that were before it.
    async fn explain_later(
        &self,
        request: &Request,
        operation: &BatchOperation<'_>,
        later: Later<'_>,
        touched: &mut Touched,
    ) -> Result<Explanation, Error> {
        let of = operation.collection;
        let mut explained = Explanation::default();
        match later {
            Later::Known(known) => {
                explained = known;
                match operation.act {
                    Act::Create { .. } => touched.made.push(of),
                    Act::Upsert { .. } | Act::Update { .. } => touched.change(of, None),
                    Act::Delete { .. } => touched.end(&self.schema, of, None),
                }
            }
            Later::Sent(mut record, upserted) => {
                (explained, _) = self.explain_sent(request, &mut record, upserted, touched).await?;
            }
            Later::Change(target, patch) => {
                let key = self.key_stored(request, of, &target).await?;
                self.explain_change(request, of, &target, patch.as_ref(), &mut explained).await?;
                let written = patch.map(|patch| patch.fields());
                let asked = Asked { has_changed: touched.has_changed(of, key.as_ref()), written: written.as_deref() };
                self.leave_to_write(request, touched, asked, &mut explained)?;
                touched.change(of, key);
            }
            Later::End(target) => {
                let key = self.key_stored(request, of, &target).await?;
                self.explain_stored(request, (of, RuleKind::Delete), &target, &mut explained).await?;
                let asked = Asked { has_changed: touched.has_changed(of, key.as_ref()), written: Some(&[]) };
                self.leave_to_write(request, touched, asked, &mut explained)?;
                touched.end(&self.schema, of, key);
            }
        }
        Ok(explained)
    }

    /// The key of a stored record.
    pub(super) async fn key_stored(
        &self,
        request: &Request,
        of: CollectionId,
        target: &Target,
    ) -> Result<Option<Value>, Error> {
        let stored = self.stored_values(request, of, target).await?;
        let id = self.schema.collection(of).system.id;
        Ok(stored.zip(id).and_then(|(values, id)| values.get(id.0 as usize).cloned()))
    }

    fn read_for_explaining<'b>(
        &'b self,
        request: &'b Request,
        batch: &'b Batch<'b>,
    ) -> Result<Vec<(&'b BatchOperation<'b>, Later<'b>)>, Error> {
        let reading = Reading::new(self, request, Sender::Caller, true);
        let mut all = Vec::new();
        for (number, operation) in batch.right().enumerate().take(EXPLAINED_MAX) {
            all.push((operation, self.operation_explained(request, &reading, operation)?));
            if let Some(name) = &operation.name {
                // Its key is not known yet, as in a batch that is done.
                let made = matches!(operation.act, Act::Create { .. } | Act::Upsert { .. });
                reading.name(name, Named { collection: operation.collection, key: None, operation: number, made });
            }
        }
        Ok(all)
    }

    fn operation_explained<'b>(
        &'b self,
        request: &'b Request,
        reading: &Reading<'_>,
        operation: &'b BatchOperation<'b>,
    ) -> Result<Later<'b>, Error> {
        let of = operation.collection;
        let outright = |kinds: &[RuleKind]| -> Result<Later<'b>, Error> {
            let mut explanation = Explanation::default();
            for kind in kinds {
                explanation.rules.push(self.rule_parts(request, (of, *kind), Subject::Any, None)?.explained);
            }
            Ok(Later::Known(explanation))
        };
        match &operation.act {
            Act::Create { data } => self.sent_explained(request, reading, of, (data, None)),
            Act::Upsert { unique, data } => self.sent_explained(request, reading, of, (data, Some(unique))),
            Act::Update { target, data } => match self.target_of(operation, target) {
                Some(target) => {
                    let patches = Patches { reading, collection: self.schema.collection(of), given: &[] };
                    Ok(Later::Change(target, patches.unchecked(data, "").ok()))
                }
                None => outright(&[RuleKind::Read, RuleKind::Update]),
            },
            Act::Delete { target } => match self.target_of(operation, target) {
                Some(target) => Ok(Later::End(target)),
                None => outright(&[RuleKind::Read, RuleKind::Delete]),
            },
        }
    }

    /// A record that is sent as a new one, or by an upsert.
    fn sent_explained<'b>(
        &'b self,
        request: &'b Request,
        reading: &Reading<'_>,
        of: CollectionId,
        (data, unique): (&'b Json<'b>, Option<&'b Vec<FieldId>>),
    ) -> Result<Later<'b>, Error> {
        let purpose = if unique.is_some() { Purpose::Upsert } else { Purpose::Create };
        let refused = unique.and_then(|unique| self.may_upsert(request, of, unique).err());
        let record = match refused {
            Some(refusal) => Err(refusal),
            None => self.reader(reading, of, purpose).read(data, String::new(), &mut Vec::new()),
        };
        let mut explanation = Explanation::default();
        match (record, unique) {
            (Ok(record), unique) => {
                let collection = self.schema.collection(of);
                let patch = |given| Patches { reading, collection, given }.unchecked(data, "").ok();
                let upserted = unique.map(|unique| (&unique[..], patch(unique)));
                return Ok(Later::Sent(Box::new(record), upserted));
            }
            (Err(refusal), _) if is_refusal(&refusal) => {
                self.explain_unread(request, (of, RuleKind::Create), &refusal, &mut explanation)?;
            }
            (Err(_), Some(_)) => self.explain_either(request, of, &mut explanation)?,
            (Err(_), None) => {
                let create = self.rule_parts(request, (of, RuleKind::Create), Subject::Any, None)?;
                explanation.rules.push(create.explained);
            }
        }
        Ok(Later::Known(explanation))
    }

    /// The record that is named by its key, or by values that are sent as texts or numbers.
    pub(super) fn target_of(&self, operation: &BatchOperation<'_>, aimed: &Aimed<'_>) -> Option<Target> {
        let written = |json: &Json<'_>| match json {
            Json::Text(text) => Some(text.clone().into_owned()),
            Json::Int(number) => Some(number.to_string()),
            _ => None,
        };
        match aimed {
            Aimed::Id(json) => written(json).map(Target::Key),
            Aimed::By(Json::Object(members)) => {
                let collection = self.schema.collection(operation.collection);
                let named: Vec<_> = members
                    .iter()
                    .map(|(name, json)| Some((*collection.by_name.get(&**name)?, written(json)?)))
                    .collect::<Option<_>>()?;
                let unique = collection.uniques.iter().find(|unique| {
                    unique.fields.len() == named.len() && named.iter().all(|(field, _)| unique.fields.contains(field))
                })?;
                let value = |field| named.iter().find(|(of, _)| of == field).map(|(_, value)| value.clone());
                let values = unique.fields.iter().map(value).collect::<Option<_>>()?;
                Some(Target::Unique { fields: unique.fields.clone(), values })
            }
            Aimed::By(_) | Aimed::Unnamed => None,
        }
    }
}

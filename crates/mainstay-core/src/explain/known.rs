//! What a write would leave, as far as it is known before it: keys that a unique names are looked up.
use std::pin::Pin;

use mainstay_expr::Value;
use mainstay_plan::sum;
use mainstay_schema::{Collection, CollectionId, FieldId};

use crate::{
    Core, Error, Request, Target,
    plan::target::key_text,
    record::{
        late::{By, Late, Slot, Source, late_fields},
        lists::ListChange,
        new::NewRecord,
        patch::Patch,
    },
};

/// A new record before the write.
pub(super) struct KnownRecord {
    pub(super) of: CollectionId,
    /// Where it stands in the body.
    pub(super) place: String,
    pub(super) values: Vec<Value>,
    pub(super) lists: Vec<ListChange>,
    /// The fields with a write rule that were sent.
    pub(super) ruled: Vec<FieldId>,
    /// The fields of which only the write knows what they hold, or what they lead to.
    pub(super) unknown: Vec<FieldId>,
}

impl KnownRecord {
    /// The record that an upsert by a unique would change, where that is known.
    pub(super) fn named_by(&self, unique: &[FieldId]) -> Option<Target> {
        let known = !unique.iter().any(|field| self.unknown.contains(field));
        named(unique, unique.iter().map(|field| &self.values[field.0 as usize])).filter(|_| known)
    }
}

impl Core {
    /// A new record and all that are made with it, at most so many.
    pub(super) async fn known_records(
        &self,
        request: &Request,
        record: &mut NewRecord,
        max: usize,
    ) -> Result<Vec<KnownRecord>, Error> {
        let mut all = Vec::new();
        record.each(&mut |record| {
            let known = KnownRecord {
                of: record.collection,
                place: record.place.clone(),
                values: record.values.clone(),
                lists: record.lists.clone(),
                ruled: record.ruled.clone(),
                unknown: record.made.iter().chain(&record.computed).copied().collect(),
            };
            if all.len() < max {
                all.push((known, record.late.clone()));
            }
        });
        let mut records = Vec::with_capacity(all.len());
        for (mut record, late) in all {
            let KnownRecord { values, lists, .. } = &mut record;
            let put = |slot, key: Value| match slot {
                Slot::Field(field) => values[field.0 as usize] = key,
                slot => put_element(lists, slot, key),
            };
            let late = self.fill_in(request, late, put).await?;
            record.unknown.extend(late_fields(&late));
            records.push(record);
        }
        Ok(records)
    }

    /// A change before the write.
    pub(super) async fn known_patch(&self, request: &Request, patch: &Patch) -> Result<Patch, Error> {
        let mut known = patch.clone();
        let late = std::mem::take(&mut known.late);
        let Patch { set, lists, .. } = &mut known;
        let put = |slot, key: Value| match slot {
            Slot::Field(field) => {
                set.iter_mut().filter(|(set, _)| *set == field).for_each(|(_, value)| *value = key.clone())
            }
            slot => put_element(lists, slot, key),
        };
        known.late = self.fill_in(request, late, put).await?;
        Ok(known)
    }

    /// Fills in the keys that are found; gives those that are not.
    async fn fill_in(
        &self,
        request: &Request,
        late: Vec<Late>,
        mut put: impl FnMut(Slot, Value),
    ) -> Result<Vec<Late>, Error> {
        let mut left = Vec::new();
        for one in late {
            let found = match &one.source {
                Source::By(by) => self.found(request, by).await?,
                _ => None,
            };
            match found {
                Some(key) => put(one.slot, key),
                None => left.push(one),
            }
        }
        Ok(left)
    }

    /// The key of the record that a unique names now, whoever asks.
    fn found<'f>(
        &'f self,
        request: &'f Request,
        by: &'f By,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Value>, Error>> + Send + 'f>> {
        Box::pin(async move {
            let mut values = by.values.clone();
            let put = |slot, key| {
                if let Slot::Field(field) = slot
                    && let Some(at) = by.fields.iter().position(|of| *of == field)
                {
                    values[at] = key;
                }
            };
            if !self.fill_in(request, by.late.clone(), put).await?.is_empty() {
                return Ok(None);
            }
            let Some(target) = named(&by.fields, values.iter()) else { return Ok(None) };
            let id = self.schema.collection(by.target).system.id;
            let stored = self.stored_values(request, by.target, &target).await?;
            Ok(stored.zip(id).and_then(|(values, id)| values.get(id.0 as usize).cloned()))
        })
    }
}

fn put_element(lists: &mut [ListChange], slot: Slot, key: Value) {
    if let Slot::Element(list, at) = slot
        && let Some(known) = lists.get_mut(list).and_then(|list| list.keys.get_mut(at))
    {
        *known = key;
    }
}

/// The record that holds these values in the fields of a unique: none has a null there.
fn named<'v>(unique: &[FieldId], values: impl Iterator<Item = &'v Value>) -> Option<Target> {
    let values = values.map(key_text).collect::<Option<_>>()?;
    Some(Target::Unique { fields: unique.to_vec(), values })
}

/// The fields of which only the write knows what they become, or what they lead to.
pub(super) fn unknown(patch: &Patch) -> Vec<FieldId> {
    let late = patch.unknown().filter(|field| !patch.added.contains(field));
    late.chain(patch.made.iter().copied()).collect()
}

/// The record as a patch leaves it, as far as it is known before the write, with the version that it then has.
pub(super) fn becoming(of: &Collection, before: &[Value], patch: &Patch) -> Vec<Value> {
    let mut after = before.to_vec();
    for (field, value) in &patch.set {
        let slot = &mut after[field.0 as usize];
        *slot = match patch.added.contains(field) {
            true => sum(&of.field(*field).kind, slot, value).unwrap_or(Value::Null),
            false => value.clone(),
        };
    }
    let version = of.system.version.filter(|_| !patch.is_empty());
    if let Some(Value::Int(version)) = version.and_then(|version| after.get_mut(version.0 as usize)) {
        *version += 1;
    }
    after
}

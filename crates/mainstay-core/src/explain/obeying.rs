//! Which records obey a condition: the database is asked, or, where it cannot be, the record in memory.
use std::collections::BTreeSet;

use mainstay_expr::{Expr, Value, own_fields_only, reads_change};
use mainstay_plan::{Count, Output, OutputValue, OwnFields, Query};
use mainstay_schema::{CollectionId, Json, JsonLimits};

use super::clauses::RuleParts;
use crate::{
    Core, Error, Matching, Request, Target,
    errors::from_store,
    evaluate::condition_holds,
    expressions::{Class, Expressions, Resolved},
    plan::{
        Given, Origin, Planner, all, constant,
        read::ReadAsk,
        target::{TargetShape, by_key, target_values},
    },
};

/// Which records a rule is asked of.
#[derive(Clone, Copy)]
pub(super) enum Subjects<'a> {
    All,
    One(&'a Target),
}

impl<'a> Subjects<'a> {
    fn target(self) -> Option<&'a Target> {
        match self {
            Subjects::All => None,
            Subjects::One(target) => Some(target),
        }
    }
}

/// Of which records of a collection conditions of a rule are asked.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) of: CollectionId,
    pub(super) over: Subjects<'a>,
    /// The rule: what its conditions read besides the records.
    pub(super) parts: &'a RuleParts,
}

/// Records to be found: by a condition and the values that it reads.
pub(super) struct Found {
    pub(super) of: CollectionId,
    pub(super) condition: Expr,
    pub(super) bound: Vec<Value>,
}

impl Core {
    /// Whether a condition holds of one of the records, and whether it does not hold of one; `None` where that cannot be told.
    /// `there` remembers how many records there are.
    pub(super) async fn split_records(
        &self,
        request: &Request,
        asked: Asked<'_>,
        condition: &Expr,
        there: &mut Option<usize>,
    ) -> Result<Option<(bool, bool)>, Error> {
        let there = match *there {
            Some(known) => known,
            None => *there.insert(self.obeying(asked, constant(true)).await?.unwrap_or(0)),
        };
        let holding = match self.obeying(asked, condition.clone()).await? {
            Some(holding) => Some(holding),
            None => self.count_in_memory(request, asked, condition).await?,
        };
        Ok(holding.map(|holding| (holding > 0, holding < there)))
    }

    /// How many records obey a condition; `None` where it has no SQL.
    pub(super) async fn obeying(
        &self,
        Asked { of, over, parts }: Asked<'_>,
        condition: Expr,
    ) -> Result<Option<usize>, Error> {
        let expressions = Expressions::default();
        let resolved = Resolved { class: Class::Admin, slots: Vec::new() };
        let mut planner = Planner::new(&self.schema, &expressions, &resolved);
        planner.origins = parts.origins.clone();
        let (find, values) = match over.target() {
            None => (constant(true), Default::default()),
            Some(target) => (planner.find(of, &TargetShape::of(target))?, target_values(&self.schema, of, target)?),
        };
        let limit = Some(planner.bind(Origin::Limit));
        let query = Query { limit, count: Count::Too, ..Query::new(of, all([find, condition]), self.key_output(of)) };
        let given = Given { slots: &parts.slots, target: &values, limit: 1, ..Given::default() };
        let bound: Vec<Value> = given.bind(&planner.origins);
        let Ok(statement) = self.store.prepare_read(&self.schema, &query) else { return Ok(None) };
        let page = self.store.read(&statement, bound, Vec::new()).await.map_err(from_store)?;
        Ok(page.count.map(|count| usize::try_from(count).unwrap_or(usize::MAX)))
    }

    /// The same in memory, for what only a new record is asked.
    async fn count_in_memory(
        &self,
        request: &Request,
        Asked { of, over, parts }: Asked<'_>,
        condition: &Expr,
    ) -> Result<Option<usize>, Error> {
        let Some(target) = over.target().filter(|_| own_fields_only(condition) && !reads_change(condition)) else {
            return Ok(None);
        };
        let Some(values) = self.stored_values(request, of, target).await? else { return Ok(Some(0)) };
        let record = OwnFields { collection: self.schema.collection(of), values: &values };
        let bound = Given { slots: &parts.slots, ..Given::default() }.bind(&parts.origins);
        Ok(Some(usize::from(condition_holds(&self.schema, condition, &record, &bound))))
    }

    /// The records that a change or delete of all that match is about now.
    pub(super) async fn matching_now(&self, request: &Request, matching: &Matching) -> Result<Vec<Target>, Error> {
        let of = matching.collection;
        let ask = ReadAsk::matching(request, matching, &self.keys);
        let kept = self.read_shape(request, &ask)?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, ask.params)?;
        let (query, origins) = kept.shape.plan(&self.schema, &resolved, None)?;
        let bound = Given { slots: &resolved.slots, ..Given::default() }.bind(&origins);
        self.targets(Found { of, condition: query.condition, bound }).await
    }

    /// The keys of the records of all collections where making one asks a clause, or linking it.
    pub async fn keys_covered(&self) -> Result<BTreeSet<(CollectionId, String)>, Error> {
        let mut keys = BTreeSet::new();
        let of_new: BTreeSet<CollectionId> =
            self.rule_clauses().iter().filter(|clause| clause.is_of_new()).map(|clause| clause.collection).collect();
        for of in of_new {
            let all = Found { of, condition: constant(true), bound: Vec::new() };
            let texts = self.targets(all).await?.into_iter().filter_map(|target| match target {
                Target::Key(text) => Some((of, text)),
                Target::Unique { .. } => None,
            });
            keys.extend(texts);
        }
        Ok(keys)
    }

    async fn targets(&self, found: Found) -> Result<Vec<Target>, Error> {
        let of = found.of;
        let Some(key) = self.key_output(of).pop() else { return Ok(Vec::new()) };
        Ok(self.keys_answered(found, key, of).await?.iter().map(by_key).collect())
    }

    /// The keys that records answer: one each, or a list.
    pub(super) async fn keys_answered(
        &self,
        Found { of, condition, bound }: Found,
        output: Output,
        other: CollectionId,
    ) -> Result<Vec<Value>, Error> {
        let name = output.name.clone();
        let query = Query::new(of, condition, vec![output]);
        let statement = self.store.prepare_read(&self.schema, &query).map_err(from_store)?;
        let page = self.store.read(&statement, bound, b"[".to_vec()).await.map_err(from_store)?;
        let text = [page.json, b"]".to_vec()].concat();
        let records = Json::parse(&text, JsonLimits::default()).map_err(|error| Error::internal(error.to_string()))?;
        let kind = self.schema.collection(other).key;
        let answered = elements(&records).iter().filter_map(|record| record.get(&name));
        Ok(answered.flat_map(elements).filter_map(|key| kind.read(key).ok()).collect())
    }

    fn key_output(&self, of: CollectionId) -> Vec<Output> {
        let id = self.schema.collection(of).system.id;
        id.map(|id| Output { name: "id".into(), value: OutputValue::Field(id) }).into_iter().collect()
    }
}

/// The elements of an array; of anything else, itself.
fn elements<'j, 'a>(json: &'j Json<'a>) -> &'j [Json<'a>] {
    match json {
        Json::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

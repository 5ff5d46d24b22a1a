//! Changes and deletes of all records that match, as one step.
use mainstay_plan::{Matching as PlanMatching, WritePlan};
use mainstay_schema::CollectionId;
use mainstay_store::{Each, Source as StoreSource, Step, Task};

use super::{
    failure::{Meaning, Part},
    outcome::Outcome,
    steps::Steps,
    target::Aim,
    update::Change,
};
use crate::{
    Core, Error, ErrorKind, Matching, Request,
    errors::from_store,
    expressions::RuleKind,
    plan::{
        Given,
        read::{ReadAsk, ReadShape},
    },
    record::{late::Source, patch::Patch},
    run::PreparedWrite,
};

impl Steps<'_> {
    /// A change of all records that match, as the next operation.
    pub(crate) fn update_matching(&mut self, matching: &Matching, patch: Patch) -> Result<Outcome, Error> {
        let of = matching.collection;
        let find = self.core.matching_task(self.request, matching)?;
        let changes = !patch.is_empty();
        let nothing = self.core.nothing.clone();
        let (answered, place) = (&nothing, String::new());
        let mut change = Change { of, aim: each(), version: None, patch, answered, quiet: false, place };
        let write = self.change(&mut change)?.1;
        Ok(self.each(of, RuleKind::Update, Each { find, write }, changes))
    }

    /// The end of all records that match, as the next operation.
    pub(crate) fn delete_matching(&mut self, matching: &Matching) -> Result<Outcome, Error> {
        let of = matching.collection;
        let find = self.core.matching_task(self.request, matching)?;
        let write = self.core.delete_task(self.request, of, &each(), None)?;
        Ok(self.each(of, RuleKind::Delete, Each { find, write }, true))
    }

    fn each(&mut self, of: CollectionId, rule: RuleKind, each: Each, changes: bool) -> Outcome {
        let step = self.push(Step::Each(Box::new(each)), Meaning::new(of, Part::Write(rule), String::new()));
        self.operation(step);
        Outcome::Matched { step, changes }
    }
}

/// Each of the records that match.
pub(crate) fn each() -> Aim {
    Aim::late(Source::Step(StoreSource::Each))
}

impl Core {
    /// The look-up of all records that match: of those that the caller may list.
    pub(crate) fn matching_task(&self, request: &Request, matching: &Matching) -> Result<Task, Error> {
        if matching.filter.is_empty() {
            let error = Error::new(ErrorKind::InvalidArgument, "without a filter no records are changed or deleted");
            return Err(error.with_hint("name them: filter=stock == 0; all of them: filter=true"));
        }
        let limit = self.bulk_limit(matching.limit)?;
        let ask = ReadAsk::matching(request, matching, &self.keys);
        let make = || ReadShape::new(&self.schema, &self.settings.limits, &ask);
        let kept = self.matchings.shape(&ask, |shape| shape.fits(&ask), make)?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, ask.params)?;
        let prepared = kept.plan(resolved.variant(&[]), |shape| {
            let (query, origins) = shape.plan(&self.schema, &resolved, None)?;
            let limit = query.limit.ok_or_else(|| Error::internal("a list without a limit"))?;
            let plan = PlanMatching { collection: query.collection, condition: query.condition, limit };
            let statement = self.store.prepare_write(&self.schema, &WritePlan::Matching(plan)).map_err(from_store)?;
            Ok(PreparedWrite { statement, origins })
        })?;
        let given = Given { slots: &resolved.slots, limit, ..Given::default() };
        Ok(Task::new(prepared.statement.clone(), given.bind(&prepared.origins)))
    }

    /// How many records may match.
    fn bulk_limit(&self, limit: Option<u32>) -> Result<u32, Error> {
        let bulk_max = self.settings.limits.bulk_max;
        match limit {
            None => Ok(bulk_max),
            Some(0) => {
                Err(Error::new(ErrorKind::InvalidArgument, "the limit is 0").with_hint("allow at least 1 record"))
            }
            Some(limit) if limit > bulk_max => {
                let message =
                    format!("the limit is {limit}, one request changes or deletes at most {bulk_max} records");
                Err(Error::new(ErrorKind::LimitExceeded, message))
            }
            Some(limit) => Ok(limit),
        }
    }
}

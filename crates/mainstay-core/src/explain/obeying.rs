//! Which records obey a condition: the database is asked, or, where it cannot be, the record in memory.
use mainstay_expr::{Expr, Value, own_fields_only};
use mainstay_plan::{Output, OutputValue, OwnFields, Query};
use mainstay_schema::CollectionId;

use super::clauses::RuleParts;
use crate::{
    AdminPass, Caller, Core, Error, Request, Target,
    errors::from_store,
    evaluate::condition_holds,
    expressions::{Class, Expressions, Resolved},
    plan::{Given, Planner, all, constant, target::TargetShape, target::target_values},
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

impl Core {
    /// Whether a condition holds of one of the records, and whether it does not hold of one.
    pub(super) async fn split_records(
        &self,
        request: &Request,
        asked: Asked<'_>,
        condition: &Expr,
    ) -> Result<(bool, bool), Error> {
        let there = self.obeying(asked, constant(true)).await?.unwrap_or(0);
        let holding = match self.obeying(asked, condition.clone()).await? {
            Some(holding) => holding,
            None => self.count_in_memory(request, asked, condition).await?,
        };
        Ok((holding > 0, holding < there))
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
        let id = self.schema.collection(of).system.id;
        let select = id.map(|id| Output { name: "id".into(), value: OutputValue::Field(id) });
        let query = Query::new(of, all([find, condition]), select.into_iter().collect());
        let bound: Vec<Value> =
            Given { slots: &parts.slots, target: &values, ..Given::default() }.bind(&planner.origins);
        let Ok(statement) = self.store.prepare_read(&self.schema, &query) else { return Ok(None) };
        let page = self.store.read(&statement, bound, Vec::new()).await.map_err(from_store)?;
        Ok(Some(page.rows))
    }

    /// The same in memory, for what only a new record is asked.
    async fn count_in_memory(
        &self,
        request: &Request,
        Asked { of, over, parts }: Asked<'_>,
        condition: &Expr,
    ) -> Result<usize, Error> {
        let Some(target) = over.target() else { return Ok(0) };
        let admin = Caller::Admin(AdminPass::for_command("a rule test looks at a record"));
        let request = Request { caller: admin, ..request.clone() };
        let Some(values) = self.stored_values(&request, of, target).await? else { return Ok(0) };
        let record = OwnFields { collection: self.schema.collection(of), values: &values };
        let bound = Given { slots: &parts.slots, ..Given::default() }.bind(&parts.origins);
        Ok(usize::from(own_fields_only(condition) && condition_holds(&self.schema, condition, &record, &bound)))
    }
}

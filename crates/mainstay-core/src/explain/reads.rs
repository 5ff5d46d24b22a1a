//! Reads explained: rules, statement, query plan, missing indexes.
use mainstay_expr::Value;

use super::indexes::missing_indexes;
use crate::{
    Core, Error, Explanation, Group, List, ReadOne, Request, Target, Verdict,
    errors::from_store,
    expressions::Expressions,
    plan::{Given, cursor::nulls, read::ReadAsk, target::not_found, target::target_values},
    run::cursor_context,
};

impl Core {
    pub(super) async fn explain_read_one(&self, request: &Request, read: &ReadOne) -> Result<Explanation, Error> {
        let ask = ReadAsk::one(request, read);
        let target = target_values(&self.schema, read.collection, &read.target)?;
        let mut explanation =
            self.explain_statement(request, &ask, None, Given { target: &target, ..Given::default() })?;
        let kept = self.read_shape(request, &ask)?;
        self.explain_rules(request, &kept.shape.expressions, (read.collection, &read.target), &mut explanation).await?;
        let hidden = explanation.rules.first().is_some_and(|rule| rule.outcome == Verdict::False);
        if explanation.refused.is_none() && hidden {
            let missing = not_found(&self.schema, read.collection);
            explanation.refused = Some(format!("{}: the rule hides it", missing.message));
        }
        Ok(explanation)
    }

    pub(super) async fn explain_list(&self, request: &Request, list: &List) -> Result<Explanation, Error> {
        let ask = ReadAsk::list(request, list);
        let kept = self.read_shape(request, &ask)?;
        let limit = self.page_limit(list.limit)?;
        let context = || cursor_context(&kept.shape.cursor_context, request, &list.params);
        let cursor = self.open_cursor(context, list.after.as_deref(), kept.shape.order.len())?;
        let given = Given { cursor: cursor.as_deref().unwrap_or_default(), limit, ..Given::default() };
        let mut explanation = self.explain_statement(request, &ask, cursor.as_deref(), given)?;
        for rule in kept.shape.expressions.rules().collect::<Vec<_>>() {
            explanation.rules.push(self.explain_rule(request, rule, None).await?);
        }
        explanation.missing_indexes = missing_indexes(self.schema.collection(list.collection), &kept.shape);
        Ok(explanation)
    }

    pub(super) async fn explain_group(&self, request: &Request, group: &Group) -> Result<Explanation, Error> {
        let kept = self.group_shape(request, group)?;
        let mut explanation = Explanation::default();
        match self.prepare_group(request, group, &kept) {
            Ok((prepared, values)) => {
                let explained = self.store.explain(&prepared.statement, &values).map_err(from_store)?;
                explanation.sql.push(explained.sql);
                explanation.plan = explained.plan;
            }
            Err(refusal) => explanation.refused = Some(refusal.message),
        }
        for rule in kept.shape.expressions.rules().collect::<Vec<_>>() {
            explanation.rules.push(self.explain_rule(request, rule, None).await?);
        }
        Ok(explanation)
    }

    /// The statement of a read with its query plan, or the refusal.
    fn explain_statement(
        &self,
        request: &Request,
        ask: &ReadAsk<'_>,
        cursor: Option<&[Value]>,
        given: Given<'_>,
    ) -> Result<Explanation, Error> {
        let kept = self.read_shape(request, ask)?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, ask.params)?;
        let mut explanation = Explanation::default();
        match self.read_plan(&kept, &resolved, cursor.map(nulls)) {
            Ok(prepared) => {
                let values = Given { slots: &resolved.slots, ..given }.bind(&prepared.origins);
                let explained = self.store.explain(&prepared.statement, &values).map_err(from_store)?;
                explanation.sql.push(explained.sql);
                explanation.plan = explained.plan;
            }
            Err(refusal) => explanation.refused = Some(refusal.message),
        }
        Ok(explanation)
    }

    /// The rules of an operation; those of the target's own collection over the target.
    pub(super) async fn explain_rules(
        &self,
        request: &Request,
        expressions: &Expressions,
        (of, target): (mainstay_schema::CollectionId, &Target),
        explanation: &mut Explanation,
    ) -> Result<(), Error> {
        for rule in expressions.rules().collect::<Vec<_>>() {
            let target = (rule.0 == of).then_some(target);
            explanation.rules.push(self.explain_rule(request, rule, target).await?);
        }
        Ok(())
    }
}

//! Reads explained: rules, statement, query plan, missing indexes.
use mainstay_expr::Value;
use mainstay_schema::{Collection, FieldKind, Scalar};
use mainstay_store::{Explained, IndexWanted};

use super::refusals::is_refusal;
use crate::{
    Core, Error, Explanation, Figures, Group, List, MissingIndex, Operation, ReadOne, Request, Statement, Target,
    Verdict,
    errors::from_store,
    expressions::Expressions,
    plan::{Given, cursor::nulls, read::ReadAsk, target::not_found, target::target_values},
    run::{PreparedRead, cursor_context},
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
        Ok(explanation)
    }

    pub(super) async fn explain_group(&self, request: &Request, group: &Group) -> Result<Explanation, Error> {
        let kept = self.group_shape(request, group)?;
        let mut explanation = Explanation::default();
        match self.prepare_group(request, group, &kept) {
            Ok((prepared, values)) => {
                self.explain_prepared(&prepared, &values, &mut explanation)?;
            }
            Err(error) if is_refusal(&error) => explanation.refused = Some(error.message),
            Err(error) => return Err(error),
        }
        for rule in kept.shape.expressions.rules().collect::<Vec<_>>() {
            explanation.rules.push(self.explain_rule(request, rule, None).await?);
        }
        Ok(explanation)
    }

    /// A statement with its plan and what it lacks.
    fn explain_prepared(
        &self,
        prepared: &PreparedRead,
        values: &[Value],
        explanation: &mut Explanation,
    ) -> Result<(), Error> {
        let explained = self.store.explain(&prepared.statement, values).map_err(from_store)?;
        let Explained { sql, plan, words, missing } = explained;
        explanation.statements.push(Statement { sql, plan, words });
        for wanted in missing {
            let of = self.schema.collection(wanted.collection);
            explanation.missing_indexes.push(MissingIndex {
                collection: of.name.clone(),
                place: format!("{}:{}", of.at.file, of.at.line),
                directive: wanted.directive(&self.schema),
                reason: reason(of, &wanted),
            });
        }
        Ok(())
    }

    /// Runs a page so many times, and says what it took; `None` where it is none, or refused.
    pub async fn measure(
        &self,
        request: &Request,
        operation: &Operation<'_>,
        times: usize,
    ) -> Result<Option<Figures>, Error> {
        let (prepared, values) = match operation {
            Operation::List(list) => {
                let ask = ReadAsk::list(request, list);
                let kept = self.read_shape(request, &ask)?;
                let resolved = kept.shape.expressions.resolve(&self.schema, request, ask.params)?;
                let context = || cursor_context(&kept.shape.cursor_context, request, &list.params);
                let cursor = self.open_cursor(context, list.after.as_deref(), kept.shape.order.len())?;
                let prepared = self.read_plan(&kept, &resolved, cursor.as_deref().map(nulls))?;
                let (cursor, limit) = (cursor.unwrap_or_default(), self.page_limit(list.limit)?);
                let given = Given { slots: &resolved.slots, cursor: &cursor, limit, ..Given::default() };
                let values = given.bind(&prepared.origins);
                (prepared, values)
            }
            Operation::Group(group) => {
                let kept = self.group_shape(request, group)?;
                self.prepare_group(request, group, &kept)?
            }
            Operation::ReadOne(read) => {
                let ask = ReadAsk::one(request, read);
                let kept = self.read_shape(request, &ask)?;
                let resolved = kept.shape.expressions.resolve(&self.schema, request, ask.params)?;
                let prepared = self.read_plan(&kept, &resolved, None)?;
                let target = target_values(&self.schema, read.collection, &read.target)?;
                let given = Given { slots: &resolved.slots, target: &target, ..Given::default() };
                let values = given.bind(&prepared.origins);
                (prepared, values)
            }
            _ => return Ok(None),
        };
        let measured = self.store.measure(&prepared.statement, &values, times).map_err(from_store)?;
        Ok(Some(Figures {
            times: measured.times,
            median_ms: measured.median.as_secs_f64() * 1_000.0,
            rows: measured.rows,
            scanned: measured.scanned,
            sorts: measured.sorts,
            steps: measured.steps,
        }))
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
                self.explain_prepared(&prepared, &values, &mut explanation)?;
            }
            Err(error) if is_refusal(&error) => explanation.refused = Some(error.message),
            Err(error) => return Err(error),
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

/// What an index would be for.
fn reason(of: &Collection, wanted: &IndexWanted) -> String {
    let names = |fields: &[mainstay_schema::FieldId]| {
        fields.iter().map(|field| of.field(*field).name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let (compared, then) = wanted.fields.split_at(wanted.compared.min(wanted.fields.len()));
    let mut reason = match (compared.is_empty(), then.is_empty()) {
        (false, true) => format!("finds the records by {}", names(compared)),
        (true, _) => format!("gives the order or the range of {}", names(then)),
        (false, false) => {
            format!("finds the records by {}, in the order or the range of {}", names(compared), names(then))
        }
    };
    let long = |field: &mainstay_schema::FieldId| {
        let field = of.field(*field);
        field.length_max.is_none() && matches!(field.kind, FieldKind::Scalar(Scalar::String))
    };
    if wanted.fields.iter().any(long) {
        reason.push_str("; texts that are indexed have 255 characters at most, unless a check says another number");
    }
    reason
}

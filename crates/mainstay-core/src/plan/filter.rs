//! Filters: a caller's conditions, checked against the schema, seeing what the caller may see.
use std::{borrow::Cow, sync::Arc};

use mainstay_expr::{Expr, Limits as ExprLimits, Problem, Type, compile, in_memory_only, with_fields, with_guards};
use mainstay_schema::{CollectionId, FieldId, Schema};

use super::{Planner, all, constant};
use crate::{
    Error, ErrorKind, Limits,
    expressions::{Expressions, RuleKind},
};

/// Checks filters over the records of a collection; what comes back are their numbers.
pub(crate) fn compile_filters(
    schema: &Schema,
    limits: &Limits,
    expressions: &mut Expressions,
    collection: CollectionId,
    filters: &[String],
    sent: &[(String, String)],
) -> Result<Vec<usize>, Error> {
    if filters.len() > limits.filters_max {
        let message =
            format!("{} filters are more than the {} that one request may have", filters.len(), limits.filters_max);
        return Err(Error::new(ErrorKind::LimitExceeded, message).with_hint("join them by &&"));
    }
    filters.iter().map(|text| compile_filter(schema, limits, expressions, collection, text, sent)).collect()
}

fn compile_filter(
    schema: &Schema,
    limits: &Limits,
    expressions: &mut Expressions,
    collection: CollectionId,
    text: &str,
    sent: &[(String, String)],
) -> Result<usize, Error> {
    let expr_limits = ExprLimits { length_max: limits.expression_length_max, ..ExprLimits::default() }.with_params();
    let compiled = compile(text, &schema.caller_scope(collection, expressions.admin), &Type::Bool, &expr_limits)
        .map_err(|problems| invalid_filter(text, &problems))?;
    if let Some(part) = in_memory_only(&compiled.expr) {
        let problem = Problem::new("memory_only", part.span, "not every database answers this alike");
        let error = invalid_filter(text, &[problem]);
        return Err(error.with_hint("compare with ==, <, in, contains, startsWith, endsWith or size"));
    }
    // Only to learn which collections the filter looks into: the guards themselves belong to a caller.
    with_guards(&compiled.expr, &mut |_, _, target| {
        expressions.need(schema, (CollectionId(target.0), RuleKind::Read));
        None
    });
    with_fields(&compiled.expr, &mut |record, symbol| {
        expressions.need_field(schema, CollectionId(record.0), FieldId::of(symbol));
        None
    });
    expressions.add_filter(compiled, sent)
}

impl Planner<'_> {
    /// The filters for this caller: hidden records are absent, through links too.
    pub(crate) fn filters(&mut self, numbers: &[usize]) -> Result<Expr, Error> {
        let conditions: Vec<Expr> = numbers.iter().map(|number| self.filter(*number)).collect::<Result<_, _>>()?;
        Ok(all(conditions))
    }

    fn filter(&mut self, number: usize) -> Result<Expr, Error> {
        // The guards come from the expression as it was written: what is forbidden outright is refused even where it folds away.
        let written = self.expressions.compiled(number).clone();
        let mut refused = None;
        with_guards(&written.expr, &mut |record, symbol, _| {
            refused = refused.take().or_else(|| self.guard(CollectionId(record.0), FieldId::of(symbol)).err());
            None
        });
        if let Some(error) = refused {
            return Err(error);
        }
        self.require_fields(&written.expr)?;
        let condition = self.specialised(number);
        let shut = || Some(Arc::new(constant(false)));
        let guarded = with_guards(&condition, &mut |record, symbol, _| {
            self.guard(CollectionId(record.0), FieldId::of(symbol)).unwrap_or_else(|_| shut())
        });
        // Behind the guards, since the rules of fields themselves see everything.
        Ok(self.with_field_rules(&guarded))
    }
}

/// All problems of a filter, the first one shown in its place.
fn invalid_filter(text: &str, problems: &[Problem]) -> Error {
    let Some(first) = problems.first() else {
        return Error::new(ErrorKind::InvalidArgument, "the filter is not valid");
    };
    let mut message = format!("the filter is not valid: {}", shown(text, first));
    for problem in &problems[1..] {
        message.push_str(&format!("; {}", shown(text, problem)));
    }
    let mut error = Error::new(ErrorKind::InvalidArgument, message);
    error.hint = problems.iter().find_map(|problem| problem.hint.clone());
    error
}

/// Characters of a filter that are shown in an error; the rest is left out.
const SHOWN_LENGTH_MAX: usize = 120;

fn shown(text: &str, problem: &Problem) -> String {
    let start = (problem.span.start as usize).min(text.len());
    let column = text.get(..start).map_or(1, |before| before.chars().count() + 1);
    let part = text.get(start..(problem.span.end as usize).min(text.len())).unwrap_or_default();
    match part {
        "" => format!("{} at column {column} of \"{}\"", problem.message, shortened(text)),
        part => {
            format!("{} at column {column} (\"{}\") of \"{}\"", problem.message, shortened(part), shortened(text))
        }
    }
}

fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN_LENGTH_MAX) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

//! Checks that do not hold, with their values.
use mainstay_expr::{Compiled, resolve};
use mainstay_plan::OwnFields;
use mainstay_schema::{Check, Collection, FieldId};

use super::{
    clauses::{Made, Subject, split},
    texts::text_of,
    values::values_read,
};
use crate::{
    Clause, Core, Request, RuleExplained, Verdict,
    evaluate::Evaluator,
    expressions::{Class, Resolved, caller_values},
    record::checks::failing,
};

impl Core {
    /// The checks that do not hold of a record, of those that are asked; those that read what only the write knows are left out.
    pub(super) fn failing_checks(
        &self,
        request: &Request,
        record: &OwnFields<'_>,
        late: &[FieldId],
        of: Option<&str>,
        asked: impl Fn(&Check) -> bool,
    ) -> Vec<RuleExplained> {
        let evaluator = Evaluator::new(&self.schema, request);
        let failing = failing(&evaluator, record, late).filter(|(_, check)| asked(check));
        failing.map(|(_, check)| self.check_parts(request, &evaluator, check, record, of)).collect()
    }

    fn check_parts(
        &self,
        request: &Request,
        evaluator: &Evaluator<'_>,
        check: &Check,
        record: &OwnFields<'_>,
        of: Option<&str>,
    ) -> RuleExplained {
        let compiled = &*check.expr;
        let slots = resolve(compiled, &caller_values(request), &[]);
        let resolved = Resolved { class: Class::of(&request.caller), slots };
        let (parts, _) = split(&compiled.expr);
        let clauses = parts.into_iter().map(|part| {
            let alone = Compiled { expr: part.clone(), ..compiled.clone() };
            let outcome = if evaluator.holds(&alone, record) { Verdict::True } else { Verdict::False };
            let values =
                values_read(record.collection, compiled, part, &resolved, Subject::New(Made { record, unknown: &[] }));
            Clause { text: text_of(compiled, part), outcome, values }
        });
        RuleExplained {
            name: check_name(record.collection, check),
            of: of.map(str::to_owned),
            over: None,
            text: Some(compiled.text.to_string()),
            outcome: Verdict::False,
            clauses: clauses.collect(),
        }
    }
}

fn check_name(of: &Collection, check: &Check) -> String {
    match check.field {
        Some(field) => format!("{}.{} @check", of.name, of.field(field).name),
        None => format!("{} @check", of.name),
    }
}

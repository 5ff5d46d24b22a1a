//! Changes and deletes of all records that match, explained: how the records are found, and the rule of the write.
use mainstay_schema::Json;

use super::writes::{of_sql, with_fields};
use crate::{
    Core, Error, Explanation, List, Matching, Request, Verdict,
    expressions::{Class, RuleKind},
    plan::rules::refused,
    record::{field::Sender, patch::Patch},
    write::{Change, each},
};

impl Core {
    /// How the records are found, what the rules come to as far as the caller decides, and the statements. Without a patch it is
    /// a delete.
    pub(super) async fn explain_matching(
        &self,
        request: &Request,
        matching: &Matching,
        patch: Option<&Json<'_>>,
    ) -> Result<Explanation, Error> {
        let rule = (matching.collection, if patch.is_some() { RuleKind::Update } else { RuleKind::Delete });
        let mut explanation = self.explain_list(request, &self.list_of(matching)).await?;
        let explained = self.explain_rule(request, rule, None).await?;
        if explained.outcome == Verdict::False && explanation.refused.is_none() {
            explanation.refused = Some(refused(&self.schema, Class::of(&request.caller), rule).message);
        }
        explanation.rules.push(explained);
        match self.matching_task(request, matching) {
            Ok(find) => explanation.statements = find.statement.sql().into_iter().map(of_sql).collect(),
            Err(error) => drop(explanation.refused.get_or_insert(error.message)),
        }
        let Some(patch) = patch else {
            if let Ok(task) = self.delete_task(request, matching.collection, &each(), None) {
                explanation.statements.extend(task.statement.sql().into_iter().map(of_sql));
            }
            return Ok(explanation);
        };
        match self.patch(request, matching.collection, patch, Sender::Caller) {
            Ok(patch) if patch.late.is_empty() => {
                let sql = self.change_sql(request, matching, patch);
                explanation.statements.extend(sql.into_iter().map(of_sql));
            }
            Ok(_) => {}
            Err(error) => drop(explanation.refused.get_or_insert_with(|| with_fields(&error))),
        }
        Ok(explanation)
    }

    fn change_sql(&self, request: &Request, matching: &Matching, patch: Patch) -> Vec<String> {
        let (answered, place) = (&self.nothing, String::new());
        let of = matching.collection;
        let change = Change { of, aim: each(), version: None, patch, answered, quiet: false, place };
        self.update_task(request, &change).map(|(_, task)| task.statement.sql()).unwrap_or_default()
    }

    /// The records that match as a page that answers nothing of them.
    fn list_of(&self, matching: &Matching) -> List {
        List {
            collection: matching.collection,
            filter: matching.filter.clone(),
            params: matching.params.clone(),
            sort: Vec::new(),
            selection: self.nothing.selection.clone(),
            limit: None,
            after: None,
            count: false,
        }
    }
}

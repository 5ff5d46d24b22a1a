//! Changes and deletes of all records that match, explained: how the records are found, and the rules of the write.
use mainstay_plan::LinkMode;
use mainstay_schema::{CollectionId, Json};

use super::writes::{of_sql, with_fields};
use crate::{
    Core, Error, Explanation, List, Matching, Request, RuleExplained, Target, Verdict,
    expressions::RuleKind,
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
        let of = matching.collection;
        let mut explanation = self.explain_list(request, &self.list_of(matching)).await?;
        for kind in self.kinds_of_matching(request, of, patch) {
            let explained = self.explain_rule(request, (of, kind), None).await?;
            self.add_rule(request, (of, kind), explained, None, &mut explanation);
        }
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

    /// The rules that the write of each record asks: of a change those of its links and of its fields, too.
    fn kinds_of_matching(&self, request: &Request, of: CollectionId, patch: Option<&Json<'_>>) -> Vec<RuleKind> {
        let Some(patch) = patch else { return vec![RuleKind::Delete] };
        let Some(patch) = self.patch_sent(request, of, patch) else { return vec![RuleKind::Update] };
        let lists = patch.lists.iter().flat_map(|list| {
            let adds = (list.mode != LinkMode::Remove).then_some(RuleKind::AddLink(list.field));
            let removes = (list.mode != LinkMode::Add).then_some(RuleKind::RemoveLink(list.field));
            adds.into_iter().chain(removes)
        });
        let update = Some(RuleKind::Update).filter(|_| patch.asks_update_rule(self.schema.collection(of)));
        lists.chain(update).chain(self.rules_of_fields(of, &patch)).collect()
    }

    /// Tells the rule that refused of the record that it refused, with the values there, where that is known.
    pub(super) async fn tell_refused(
        &self,
        request: &Request,
        (of, patch): &(CollectionId, Option<Patch>),
        error: &Error,
        rules: &mut [RuleExplained],
    ) -> Result<(), Error> {
        let rule = error.rule.as_deref().and_then(|name| self.rule_called(name)).filter(|rule| rule.0 == *of);
        let Some((rule, key)) = rule.zip(error.record.clone()) else { return Ok(()) };
        let target = Target::Key(key);
        let explained = match patch {
            Some(patch) => self.state_refusing(request, rule, (&target, patch), error).await?,
            None => Some(self.explain_rule(request, rule, Some(&target)).await?),
        };
        if let Some(explained) = explained.filter(|explained| explained.outcome == Verdict::False)
            && let Some(told) = rules.iter_mut().find(|told| told.name == explained.name)
        {
            *told = explained;
        }
        Ok(())
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
            selection: Some(self.keys.clone()),
            limit: None,
            after: None,
            count: false,
        }
    }
}

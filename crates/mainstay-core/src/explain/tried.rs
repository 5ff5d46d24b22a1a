//! Operations explained by carrying them out: a write in a transaction that the store rolls back, so that what is told is what
//! the operation comes to.
use mainstay_schema::{Collection, FieldKind, OnDelete};

use crate::{
    AdminPass, Answer, Caller, Changes, Core, Delete, Error, ErrorKind, Explanation, Held, List, Operation, Request,
    RuleExplained, Statement, Target, Verdict, explain::writes::with_fields, expressions::RuleKind,
    plan::target::key_text,
};

/// What there is to say about an operation, and what it came to.
#[derive(Debug)]
pub struct Tried {
    /// What there is to say.
    pub explanation: Explanation,
    /// The answer, or the refusal; `None` where it was not carried out.
    pub outcome: Option<Result<Answer, Error>>,
}

impl Core {
    /// Explains an operation and carries it out where that writes nothing: on a store that rehearses. Pages are not read.
    pub async fn explain_tried(&self, request: &Request, operation: Operation<'_>) -> Result<Tried, Error> {
        let mut explanation = self.explain(request, &operation).await?;
        let page = matches!(operation, Operation::List(_) | Operation::Group(_));
        let reads = page || matches!(operation, Operation::ReadOne(_));
        if page || !reads && !self.store.rehearses() {
            return Ok(Tried { explanation, outcome: None });
        }
        let deleted = match &operation {
            Operation::Delete(delete) => Some(Delete { target: delete.target.clone(), ..*delete }),
            _ => None,
        };
        let matching = match &operation {
            Operation::UpdateMatching(update) => {
                let of = update.matching.collection;
                Some((of, Some(self.patch_sent(request, of, &update.patch).unwrap_or_default())))
            }
            Operation::DeleteMatching(matching) => Some((matching.collection, None)),
            _ => None,
        };
        let outcome = self.run(request, operation).await;
        explanation.tried = true;
        if let Some(rehearsed) = self.store.rehearsed() {
            let statement =
                |of: mainstay_store::StatementExplained| Statement { sql: of.sql, plan: of.plan, words: of.words };
            explanation.statements = rehearsed.statements.into_iter().map(statement).collect();
            if outcome.is_ok() {
                explanation.changes = self.changes(&rehearsed.touched);
            }
        }
        explanation.refused = outcome.as_ref().err().map(with_fields);
        if let (Some(matching), Err(error)) = (&matching, &outcome) {
            self.tell_refused(request, matching, error, &mut explanation.rules).await?;
        }
        if outcome.is_ok() {
            explanation.rules.retain(|rule| rule.outcome != Verdict::False || !self.is_of_link(rule));
        }
        settle(&mut explanation.rules, outcome.as_ref().err());
        if let (Some(delete), Err(error)) = (&deleted, &outcome)
            && error.kind == ErrorKind::Restricted
        {
            explanation.held_by = self.held_by(request, delete).await;
        }
        Ok(Tried { explanation, outcome: Some(outcome) })
    }

    /// Whether it is the rule of a link. Where no link comes or goes it is asked of nothing, so that what was done it did not refuse.
    fn is_of_link(&self, rule: &RuleExplained) -> bool {
        let of_link = |kind| matches!(kind, RuleKind::AddLink(_) | RuleKind::RemoveLink(_));
        self.rule_called(&rule.name).is_some_and(|(_, kind)| of_link(kind))
    }

    fn changes(&self, touched: &[mainstay_store::Touched]) -> Vec<Changes> {
        let of = |table: &str| self.schema.collections.iter().find(|of| of.table == table);
        let change = |touched: &mainstay_store::Touched| {
            let collection = of(&touched.table)?.name.clone();
            let mainstay_store::Touched { created, changed, deleted, .. } = *touched;
            Some(Changes { collection, created, changed, deleted })
        };
        touched.iter().filter_map(change).collect()
    }

    /// The records that keep one from being deleted, counted.
    async fn held_by(&self, request: &Request, delete: &Delete) -> Vec<Held> {
        let admin = Caller::Admin(AdminPass::for_command("a delete is explained"));
        let request = Request { caller: admin, once: None, ..request.clone() };
        let Some(key) = self.key_of(&request, delete.collection, &delete.target).await else { return Vec::new() };
        let mut held = Vec::new();
        for by in &self.schema.collections {
            for field in &by.fields {
                let FieldKind::ToOne { target, on_delete: OnDelete::Restrict } = field.kind else { continue };
                if target != delete.collection {
                    continue;
                }
                let records = self.linking(&request, by, &field.name, &key).await;
                if records > 0 {
                    held.push(Held { collection: by.name.clone(), field: field.name.clone(), records });
                }
            }
        }
        held
    }

    async fn linking(&self, request: &Request, by: &Collection, field: &str, key: &str) -> u64 {
        let list = List {
            collection: by.id,
            filter: vec![format!("{field} == p.key")],
            params: vec![("key".to_owned(), key.to_owned())],
            sort: Vec::new(),
            selection: None,
            limit: Some(1),
            after: None,
            count: true,
        };
        let Ok(page) = self.list(request, &list).await else { return 0 };
        let count = page.json.rsplit(|byte| !byte.is_ascii_digit()).find(|digits| !digits.is_empty());
        count.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).unwrap_or(0)
    }

    async fn key_of(&self, request: &Request, of: mainstay_schema::CollectionId, target: &Target) -> Option<String> {
        if let Target::Key(key) = target {
            return Some(key.clone());
        }
        let values = self.stored_values(request, of, target).await.ok()??;
        let id = self.schema.collection(of).system.id?;
        key_text(values.get(id.0 as usize)?)
    }
}

/// What the rules came to, once it is known what the operation came to: of what was done all held, and one that refused is named by
/// the refusal, with its place. Where that may be one of several, none is said to be it.
fn settle(rules: &mut [RuleExplained], error: Option<&Error>) {
    let Some(error) = error else {
        let open = rules.iter_mut().filter(|rule| rule.outcome == Verdict::PerRecord);
        return open.for_each(|rule| rule.outcome = Verdict::True);
    };
    let Some(name) = error.rule.as_deref() else { return };
    let place = error.place_told();
    let mut named: Vec<_> = rules.iter_mut().filter(|rule| rule.name == name && is_at(rule, place)).collect();
    if named.iter().any(|rule| rule.outcome == Verdict::False) {
        return;
    }
    let in_state = |rule: &RuleExplained| error.over.is_none() || rule.over.is_none() || rule.over == error.over;
    named.retain(|rule| rule.outcome == Verdict::PerRecord && in_state(rule));
    if let [rule] = &mut named[..] {
        rule.outcome = Verdict::False;
    }
}

/// Whether a rule is about what stands at a place of the body, as far as both are known.
pub(super) fn is_at(rule: &RuleExplained, place: Option<&str>) -> bool {
    let (Some(of), Some(place)) = (rule.of.as_deref(), place) else { return true };
    let inside = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    inside(place, of) || inside(of, place)
}

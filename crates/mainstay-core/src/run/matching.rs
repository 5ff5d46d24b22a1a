//! Changes and deletes of all records that match.
use mainstay_schema::CollectionId;

use crate::{
    Answer, Core, Error, Matching, Record, Request, Target, UpdateMatching,
    expressions::RuleKind,
    plan::rules::links_may_decide,
    record::field::Sender,
    write::{Failed, Steps},
};

fn matched(answers: Vec<(Record, bool)>) -> Answer {
    Answer::Matched(answers.into_iter().next().map(|(record, _)| record.json).unwrap_or_default())
}

impl Core {
    /// Changes all records that match, or none.
    pub(crate) async fn update_matching(
        &self,
        request: &Request,
        update: &UpdateMatching<'_>,
    ) -> Result<Answer, Error> {
        let of = update.matching.collection;
        let rule = Some(RuleKind::Update).filter(|_| !links_may_decide(self.schema.collection(of)));
        self.may_match(request, of, rule)?;
        let patch = self.patch(request, of, &update.patch, Sender::Caller)?;
        let mut steps = Steps::new(self, request);
        let mut outcomes = vec![steps.update_matching(&update.matching, patch)?];
        match self.carry_out_once(steps, &mut outcomes, matched).await {
            Ok(answer) => Ok(answer),
            Err(Failed { error, .. }) => match error.record.clone().map(Target::Key) {
                Some(target) => Err(self.explain_change_refusal(request, of, (&target, &update.patch), error).await),
                None => Err(error),
            },
        }
    }

    /// Deletes all records that match, or none.
    pub(crate) async fn delete_matching(&self, request: &Request, matching: &Matching) -> Result<Answer, Error> {
        let of = matching.collection;
        self.may_match(request, of, Some(RuleKind::Delete))?;
        let mut steps = Steps::new(self, request);
        let mut outcomes = vec![steps.delete_matching(matching)?];
        match self.carry_out_once(steps, &mut outcomes, matched).await {
            Ok(answer) => Ok(answer),
            Err(Failed { error, .. }) => match error.record.clone().map(Target::Key) {
                Some(target) => Err(self.explain_stored_refusal(request, (of, RuleKind::Delete), &target, error).await),
                None => Err(error),
            },
        }
    }

    /// Fails where the caller may write or see none; who may not learns no names.
    fn may_match(&self, request: &Request, of: CollectionId, write: Option<RuleKind>) -> Result<(), Error> {
        let list = self.schema.collection(of).rules.list.is_some().then_some(RuleKind::List);
        for kind in write.into_iter().chain([RuleKind::Read]).chain(list) {
            let gate = self.gate(request, (of, kind))?;
            gate.require(&self.schema).map_err(|error| self.explain_gate(request, &gate, None, error))?;
        }
        Ok(())
    }
}

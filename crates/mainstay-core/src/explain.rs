//! Why a rule holds or refuses, clause by clause.
mod clauses;
mod coverage;
mod indexes;
mod matching;
mod reads;
mod refusals;
mod verdicts;
mod writes;

pub use coverage::{ClauseSeen, RuleClause};

use crate::{Caller, Core, Error, ErrorKind, Explanation, Operation, Request};

impl Core {
    /// Says which rules apply to the operation, what they come to for this caller, and how the database would answer it. Nothing
    /// is written.
    pub async fn explain(&self, request: &Request, operation: Operation<'_>) -> Result<Explanation, Error> {
        let mut explanation = match &operation {
            Operation::ReadOne(read) => self.explain_read_one(request, read).await?,
            Operation::List(list) => self.explain_list(request, list).await?,
            Operation::Group(group) => self.explain_group(request, group).await?,
            Operation::Create(create) => self.explain_create(request, create)?,
            Operation::Update(update) => self.explain_update(request, update).await?,
            Operation::Delete(delete) => self.explain_delete(request, delete).await?,
            Operation::UpdateMatching(update) => {
                self.explain_matching(request, &update.matching, Some(&update.patch)).await?
            }
            Operation::DeleteMatching(matching) => self.explain_matching(request, matching, None).await?,
            Operation::Batch(_) => return Err(batch_not_explained()),
        };
        let (word, of) = match &operation {
            Operation::ReadOne(read) => ("read", read.collection),
            Operation::List(list) => ("list", list.collection),
            Operation::Group(group) => ("group", group.collection),
            Operation::Create(create) => ("create", create.collection),
            Operation::Update(update) => ("update", update.collection),
            Operation::Delete(delete) => ("delete", delete.collection),
            Operation::UpdateMatching(update) => ("update", update.matching.collection),
            Operation::DeleteMatching(matching) => ("delete", matching.collection),
            Operation::Batch(_) => return Err(batch_not_explained()),
        };
        explanation.operation = format!("{word} {}", self.schema.collection(of).name);
        explanation.caller = match &request.caller {
            Caller::Anonymous => "anonymous".to_owned(),
            Caller::User(identity) => format!("user \"{}\"", identity.id),
            Caller::Admin(pass) => format!("admin, by {}", pass.reason()),
        };
        Ok(explanation)
    }
}

fn batch_not_explained() -> Error {
    let message = "a batch is not explained: what an operation may do depends on what the earlier ones did";
    Error::new(ErrorKind::InvalidArgument, message).with_hint("explain its operations one by one")
}

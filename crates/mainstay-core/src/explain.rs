//! Why a rule holds or refuses, clause by clause.
mod batch;
mod checks;
mod clauses;
mod coverage;
mod coverage_batches;
mod coverage_changes;
mod coverage_ends;
mod coverage_fields;
mod coverage_links;
mod coverage_written;
mod known;
mod linked;
mod links;
mod matching;
mod obeying;
mod reads;
mod refusals;
mod rule_clauses;
mod texts;
mod tried;
mod upserts;
mod values;
mod verdicts;
mod writes;
mod written;

pub(crate) use clauses::Made;
pub use coverage::{ClauseSeen, Covered};
pub use coverage_changes::Changing;
pub use rule_clauses::RuleClause;
pub use tried::Tried;

use crate::{Caller, Core, Error, Explanation, Operation, Request};

impl Core {
    /// Says which rules apply to the operation, what they come to for this caller, and how the database would answer it. Nothing
    /// is carried out.
    pub async fn explain(&self, request: &Request, operation: &Operation<'_>) -> Result<Explanation, Error> {
        let mut explanation = match operation {
            Operation::ReadOne(read) => self.explain_read_one(request, read).await?,
            Operation::List(list) => self.explain_list(request, list).await?,
            Operation::Group(group) => self.explain_group(request, group).await?,
            Operation::Create(create) => self.explain_create(request, create).await?,
            Operation::Update(update) => self.explain_update(request, update).await?,
            Operation::Delete(delete) => self.explain_delete(request, delete).await?,
            Operation::UpdateMatching(update) => {
                self.explain_matching(request, &update.matching, Some(&update.patch)).await?
            }
            Operation::DeleteMatching(matching) => self.explain_matching(request, matching, None).await?,
            Operation::Batch(batch) => self.explain_batch(request, batch).await?,
        };
        explanation.operation = self.told(operation);
        explanation.caller = match &request.caller {
            Caller::Anonymous => "anonymous".to_owned(),
            Caller::User(identity) => format!("user \"{}\"", identity.id),
            Caller::Admin(pass) => format!("admin, by {}", pass.reason()),
        };
        Ok(explanation)
    }

    /// What is asked, in short.
    fn told(&self, operation: &Operation<'_>) -> String {
        let (word, of) = match operation {
            Operation::ReadOne(read) => ("read", read.collection),
            Operation::List(list) => ("list", list.collection),
            Operation::Group(group) => ("group", group.collection),
            Operation::Create(create) if create.upsert.is_some() => ("create or update", create.collection),
            Operation::Create(create) => ("create", create.collection),
            Operation::Update(update) => ("update", update.collection),
            Operation::Delete(delete) => ("delete", delete.collection),
            Operation::UpdateMatching(update) => ("update matching", update.matching.collection),
            Operation::DeleteMatching(matching) => ("delete matching", matching.collection),
            Operation::Batch(batch) => return format!("batch of {}", batch.operations.len()),
        };
        format!("{word} {}", self.schema.collection(of).name)
    }
}

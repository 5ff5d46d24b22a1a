//! Why a rule holds or refuses, clause by clause.
use mainstay_plan::OwnFields;
use mainstay_schema::CollectionId;

use crate::{Core, Error, Explanation, Operation, Request, Target, expressions::RuleKind, gate::CallerGate};

impl Core {
    /// Says which rules apply to the operation, what they come to for this caller, and how the database would answer it.
    pub async fn explain(&self, request: &Request, operation: Operation<'_>) -> Result<Explanation, Error> {
        let _ = (request, operation);
        Err(Error::internal("not built yet"))
    }

    pub(crate) fn explain_gate(
        &self,
        request: &Request,
        gate: &CallerGate,
        record: Option<&OwnFields<'_>>,
        error: Error,
    ) -> Error {
        let _ = (request, gate, record);
        error
    }

    pub(crate) async fn explain_write(
        &self,
        request: &Request,
        rule: RuleKind,
        of: CollectionId,
        target: &Target,
        error: Error,
    ) -> Error {
        let _ = (request, rule, of, target);
        error
    }
}

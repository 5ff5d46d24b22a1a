//! Deletes.
use crate::{
    Core, Delete, Error, Request,
    expressions::RuleKind,
    write::{Aim, Steps},
};

impl Core {
    /// Deletes one record, with what hangs on it.
    pub(crate) async fn delete(&self, request: &Request, delete: &Delete) -> Result<(), Error> {
        let of = delete.collection;
        for kind in [RuleKind::Delete, RuleKind::Read] {
            let gate = self.gate(request, (of, kind))?;
            gate.require(&self.schema).map_err(|error| self.explain_gate(request, &gate, None, error))?;
        }
        let mut steps = Steps::new(self, request);
        steps.delete(of, Aim::of(&self.schema, of, &delete.target)?, delete.version, String::new())?;
        match self.carry_out(steps).await {
            Ok(_) => Ok(()),
            Err(failed) => {
                let rule = (of, RuleKind::Delete);
                Err(self.explain_stored_refusal(request, rule, &delete.target, failed.error).await)
            }
        }
    }
}

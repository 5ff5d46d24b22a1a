//! Loads: steps of many records at once, notes, and look-ups of keys.
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_plan::{Note, WritePlan};
use mainstay_schema::{CollectionId, FieldId};
use mainstay_store::{LateValue, ReadStatement, Step, Task, WriteStatement};

use crate::{
    Core, Error, Request,
    errors::from_store,
    expressions::{Expressions, RuleKind},
    plan::Planner,
};

impl Core {
    /// The statement that writes many records of a collection; the values are those of its stored fields, record after record.
    pub(crate) fn load_statement(
        &self,
        request: &Request,
        of: CollectionId,
        keyed: bool,
    ) -> Result<Arc<WriteStatement>, Error> {
        let mut expressions = Expressions::default();
        expressions.need(&self.schema, (of, RuleKind::Create));
        let resolved = expressions.resolve(&self.schema, request, &[])?;
        let plan = Planner::new(&self.schema, &expressions, &resolved).load(of, keyed)?;
        self.store.prepare_write(&self.schema, &plan).map_err(from_store)
    }

    /// A step that writes a note.
    pub(crate) fn note(&self, note: Note, values: Vec<Value>) -> Result<Step, Error> {
        self.note_late(note, values, Vec::new())
    }

    /// A step that writes a note, some of whose values earlier steps tell.
    pub(crate) fn note_late(&self, note: Note, values: Vec<Value>, late: Vec<LateValue>) -> Result<Step, Error> {
        let statement = self.store.prepare_write(&self.schema, &WritePlan::Note(note)).map_err(from_store)?;
        Ok(Step::Run(Task { statement, values, late }))
    }

    /// The statement that looks up keys by the values of a field; its one value is the list.
    pub(crate) fn look_up_statement(
        &self,
        request: &Request,
        of: CollectionId,
        field: FieldId,
    ) -> Result<Arc<ReadStatement>, Error> {
        let mut expressions = Expressions::default();
        expressions.need(&self.schema, (of, RuleKind::Read));
        let resolved = expressions.resolve(&self.schema, request, &[])?;
        let query = Planner::new(&self.schema, &expressions, &resolved).look_up(of, field)?;
        self.store.prepare_read(&self.schema, &query).map_err(from_store)
    }
}

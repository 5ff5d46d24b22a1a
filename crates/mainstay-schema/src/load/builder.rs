//! The schema while it is built, stage by stage.
use std::collections::{HashMap, HashSet};

use apollo_compiler::{Name, Node, ast::Value};
use mainstay_expr::Problem;

use super::{
    declared::Declared, directives, expressions::Used, fields, files::Place, indexes, lengths, names, report::Report,
};
use crate::{CollectionId, Diagnostics, EmbeddedId, EnumId, Schema};

/// What the name of a type stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypeRef {
    Collection(CollectionId),
    Embedded(EmbeddedId),
    Enum(EnumId),
}

/// Everything that the stages work on.
pub(super) struct Builder {
    pub(super) report: Report,
    pub(super) schema: Schema,
    /// The declared types, by name.
    pub(super) types: HashMap<String, TypeRef>,
    /// Names whose declaration is wrong: errors of expressions that use them would only repeat it.
    pub(super) broken: HashSet<String>,
    /// What is wrong inside of named expressions, where they are used.
    pub(super) inlined: Vec<(Used, Place, Problem)>,
    declared: Declared,
}

impl Builder {
    pub(super) fn new(declared: Declared, report: Report) -> Builder {
        let schema = Schema::default();
        Builder { report, schema, types: HashMap::new(), broken: HashSet::new(), inlined: Vec::new(), declared }
    }

    /// Runs the stages.
    pub(super) fn build(mut self) -> Result<Schema, Diagnostics> {
        let declared = std::mem::take(&mut self.declared);
        names::assign(&mut self, &declared);
        fields::build(&mut self, &declared);
        directives::apply(&mut self, &declared);
        self.tell_inlined();
        indexes::add_automatic(&mut self);
        lengths::limit(&mut self);
        if !self.report.is_empty() {
            return Err(self.report.finish());
        }
        self.schema.fingerprint = self.schema.snapshot().fingerprint();
        Ok(self.schema)
    }

    /// The place of a name.
    pub(super) fn at(&self, name: &Name) -> Place {
        self.report.files.place(name.location())
    }

    /// The place of a value.
    pub(super) fn at_value(&self, value: &Node<Value>) -> Place {
        self.report.files.place(value.location())
    }

    /// The names of all types and scalars, for the nearest one.
    pub(super) fn type_names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str).chain(crate::scalar::SCALAR_NAMES)
    }
}

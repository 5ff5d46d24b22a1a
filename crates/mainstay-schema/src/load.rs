//! Schema files to a checked schema, with all errors at once.
//!
//! The stages: text to syntax trees; which words may stand where; names and numbers for every type; the fields; the
//! directives with their expressions; indexes and lengths. A later stage leaves out what an earlier one has told of.
use apollo_compiler::parser::Parser;

use crate::{Diagnostics, PRELUDE, Schema};

mod builder;
mod declared;
mod definitions;
mod directives;
mod expressions;
mod fields;
mod files;
mod indexes;
mod lengths;
mod names;
mod report;
mod syntax;
mod text_map;
mod validation;
mod vocabulary;

/// One schema file.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its name, as errors show it.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

impl Schema {
    /// Reads and checks schema files. Everything that is wrong comes at once, in the order of the files.
    pub fn load(sources: &[Source<'_>]) -> Result<Schema, Diagnostics> {
        let prelude = match Parser::new().parse_ast(PRELUDE, "prelude.graphql") {
            Ok(document) => document,
            Err(failed) => failed.partial,
        };
        let mut report = report::Report::default();
        let documents = syntax::parse(sources, &mut report);
        if !report.is_empty() {
            return Err(report.finish());
        }
        let words = vocabulary::Vocabulary::of(&prelude);
        definitions::check(&documents, &words, &mut report);
        validation::validate(&prelude, &documents, &mut report);
        builder::Builder::new(declared::Declared::of(&documents), report).build()
    }
}

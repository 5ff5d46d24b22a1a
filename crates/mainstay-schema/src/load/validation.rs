//! What GraphQL itself asks of a schema: the net below our own checks.
use apollo_compiler::{Schema, ast::Document, diagnostic::ToCliReport as _, validation::DiagnosticList};

use super::{report::Report, syntax::readable};

/// Errors that our own checks tell in better words.
const TOLD_BY_US: [&str; 6] = [
    "UndefinedDirective",
    "UndefinedDefinition",
    "UndefinedArgument",
    "UnsupportedLocation",
    "OutputType",
    "QueryRootOperationType",
];

/// Validates the files together with the prelude; adds what was not told yet.
pub(super) fn validate(prelude: &Document, documents: &[Document], report: &mut Report) {
    let mut builder = Schema::builder().adopt_orphan_extensions().add_ast(prelude);
    for document in documents {
        builder = builder.add_ast(document);
    }
    match builder.build() {
        Ok(schema) => {
            if let Err(failed) = schema.validate() {
                tell(&failed.errors, report);
            }
        }
        Err(failed) => {
            tell(&failed.errors, report);
            if let Err(failed) = failed.partial.validate() {
                tell(&failed.errors, report);
            }
        }
    }
}

fn tell(errors: &DiagnosticList, report: &mut Report) {
    for error in errors.iter() {
        let location = error.error.location();
        let by_us = error.error.unstable_error_name().is_some_and(|name| TOLD_BY_US.contains(&name));
        if by_us || !report.files.holds(location) {
            continue;
        }
        let place = report.files.place(location);
        if !report.told_at(place) {
            report.error(place, "invalid_schema", readable(&error.error.to_string()));
        }
    }
}

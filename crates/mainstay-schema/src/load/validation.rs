//! What GraphQL itself asks of a schema: the net below our own checks.
use apollo_compiler::{
    Schema,
    ast::{Definition, Document},
    diagnostic::ToCliReport as _,
    validation::DiagnosticList,
};

use super::{report::Report, syntax::readable};
use crate::nearest;

/// Errors that our own checks tell in better words.
const TOLD_BY_US: [&str; 6] = [
    "UndefinedDirective",
    "UndefinedDefinition",
    "UndefinedArgument",
    "UnsupportedLocation",
    "OutputType",
    "QueryRootOperationType",
];

/// Validates the files together with the prelude; adds what was not told yet. An extension of nothing is an error here: it
/// would be lost in silence.
pub(super) fn validate(prelude: &Document, documents: &[Document], report: &mut Report) {
    let mut builder = Schema::builder().add_ast(prelude);
    for document in documents {
        builder = builder.add_ast(document);
    }
    match builder.build() {
        Ok(schema) => {
            if let Err(failed) = schema.validate() {
                tell(prelude, &failed.errors, report);
            }
        }
        Err(failed) => {
            tell(prelude, &failed.errors, report);
            if let Err(failed) = failed.partial.validate() {
                tell(prelude, &failed.errors, report);
            }
        }
    }
}

fn tell(prelude: &Document, errors: &DiagnosticList, report: &mut Report) {
    for error in errors.iter() {
        let location = error.error.location();
        let by_us = error.error.unstable_error_name().is_some_and(|name| TOLD_BY_US.contains(&name));
        if by_us || !report.files.holds(location) {
            continue;
        }
        let place = report.files.place(location);
        if report.told_at(place) {
            continue;
        }
        let hint = match error.error.unstable_error_name() {
            Some("UndefinedEnumValue") => nearest_value(prelude, report.files.text(place)),
            _ => None,
        };
        let message = match error.error.unstable_error_name() {
            Some("UniqueDirective") => {
                let directive = report.files.text(place).split(['(', ' ']).next().unwrap_or_default();
                format!("{directive} stands here twice")
            }
            _ => readable(&error.error.to_string()),
        };
        let told = report.error(place, "invalid_schema", message);
        if let Some(hint) = hint {
            told.hint(hint);
        }
    }
}

/// The value of one of the prelude's enums that is meant most likely; their values have no name in common.
fn nearest_value(prelude: &Document, name: &str) -> Option<String> {
    let enums = prelude.definitions.iter().filter_map(|definition| match definition {
        Definition::EnumTypeDefinition(of) => Some(&of.values),
        _ => None,
    });
    let near = nearest(name, enums.flatten().map(|value| value.value.as_str()))?;
    Some(format!("did you mean {near}?"))
}

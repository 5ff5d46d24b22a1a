//! The schema language, its errors, its values on the wire and its steps, one file per subject.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod design;
mod migrate;
mod refusals;
mod wire;

use mainstay_schema::{Schema, Source};

/// Loads one file named `schema.graphql`.
fn load(text: &str) -> Schema {
    match Schema::load(&[Source { name: "schema.graphql", text }]) {
        Ok(schema) => schema,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

/// The errors of one file, as people see them.
fn errors(text: &str) -> String {
    match Schema::load(&[Source { name: "schema.graphql", text }]) {
        Ok(schema) => panic!("this loads: {:?}", schema.by_name),
        Err(diagnostics) => diagnostics.to_string(),
    }
}

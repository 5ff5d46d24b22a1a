//! Schema files, with the expressions in them.
#![no_main]
use mainstay_schema::{Migration, Schema, Source};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match Schema::load(&[Source { name: "schema.graphql", text }]) {
        Ok(schema) => {
            let snapshot = schema.snapshot();
            assert!(Migration::between(Some(&snapshot), &schema).is_done());
        }
        Err(errors) => drop(errors.to_string()),
    }
});

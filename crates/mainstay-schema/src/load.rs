//! Schema files to a checked schema, with all errors at once.
use crate::{Diagnostics, Schema};

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
        let _ = sources;
        Err(Diagnostics::default())
    }
}

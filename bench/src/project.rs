//! The project that the bench measures and the harness kills, carried inside the program.
use std::{fs, path::Path};

use crate::Outcome;

/// The data of the bench.
pub const SCHEMA: &str = include_str!("../project/schema.graphql");
/// Its settings.
pub const SETTINGS: &str = include_str!("../project/mainstay.toml");

/// The embedded database, from the project's folder on.
pub const DATABASE: &str = "data/mainstay.db";

/// Settings for what is measured without the disk, by callers without a token.
pub const BARE_SETTINGS: &str = "[database]\ndurable = false\n\n[auth]\nanonymous_only = true\n";

/// Writes a project into a folder that is made if need be.
pub fn write_into(folder: &Path, schema: &str, settings: &str) -> Outcome<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("schema.graphql"), schema)?;
    fs::write(folder.join("mainstay.toml"), settings)?;
    Ok(())
}

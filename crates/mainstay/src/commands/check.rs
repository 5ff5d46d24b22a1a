//! `mainstay check`: the schema and the settings alone.
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::Outcome;
use crate::{build::check_secret, output::Output, project::Project};

/// Check the schema and the settings, and nothing else; for CI
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay check --json\n\nAll errors come at once, each with its file, line, column and a hint."
)]
pub(crate) struct Arguments {}

pub(crate) fn run(project: &Project, output: Output) -> Outcome {
    let schema = project.schema()?;
    check_secret(project, &schema)?;
    let collections = schema.collections.len();
    let text =
        format!("the schema is sound: {collections} {}", if collections == 1 { "collection" } else { "collections" });
    let names: Vec<&str> = schema.collections.iter().map(|collection| collection.name.as_str()).collect();
    output.result(text, &json!({"ok": true, "fingerprint": schema.fingerprint, "collections": names}));
    Ok(ExitCode::SUCCESS)
}

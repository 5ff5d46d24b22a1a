//! `mainstay plan`: what the database needs to match the schema.
use std::{fs, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Outcome;
use crate::{build, database::Way, failure::Failure, output::Output, project::Project};

/// Show the steps from the database to the schema, with their SQL and class
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay plan --out p.json && echo nothing to do\n\nThe exit code is 0 when the database matches, 2 when there are steps, 1 on failure."
)]
pub(crate) struct Arguments {
    /// Also write the plan into this file, for `mainstay apply`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The exit code that says that there are steps.
const STEPS: u8 = 2;

/// A plan in a file: where it begins, where it leads to, and what it does.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct PlanFile {
    /// The version of this form.
    pub(super) form: u32,
    /// The fingerprint of the schema that it begins with.
    pub(super) from: Option<String>,
    /// The fingerprint of the tables as they are.
    pub(super) tables: Option<String>,
    /// The fingerprint of the schema that it leads to.
    pub(super) to: String,
    /// The steps, as `plan` shows them.
    pub(super) steps: Value,
    /// The statements.
    pub(super) sql: Value,
    /// The schema that it begins with, so that what has changed since can be told.
    pub(super) snapshot: Option<Value>,
}

/// The form of plan files that this version writes and reads.
pub(super) const FORM: u32 = 2;

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let schema = Arc::new(project.schema()?);
    let store = build::reading_store(project)?;
    let way = Way::to_schema(&store, &schema)?;
    let json = way.to_json(&store)?;
    if let Some(path) = &arguments.out {
        let broken = |error: serde_json::Error| Failure::new("plan", error.to_string());
        let snapshot = way.from().map(|_| serde_json::from_str(&way.migration.from.to_json())).transpose();
        let file = PlanFile {
            form: FORM,
            from: way.from(),
            tables: way.tables.clone(),
            to: way.to(),
            steps: json["steps"].clone(),
            sql: json["sql"].clone(),
            snapshot: snapshot.map_err(broken)?,
        };
        let text = serde_json::to_string_pretty(&file).map_err(broken)?;
        fs::write(path, text).map_err(|error| Failure::io(path.display(), &error))?;
    }
    output.result(way.to_text(&store)?, &json);
    Ok(if way.is_done() { ExitCode::SUCCESS } else { ExitCode::from(STEPS) })
}

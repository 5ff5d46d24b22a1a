//! `mainstay plan`: what the database needs to match the schema.
use std::{fs, path::PathBuf, process::ExitCode};

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

/// A plan in a file: where it begins and where it leads to. What it shows of the steps is for people and is checked again.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct PlanFile {
    /// The version of this form.
    pub(super) form: u32,
    /// The fingerprint of the tables that it begins with.
    pub(super) from: Option<String>,
    /// The tables that it leads to.
    pub(super) to: Value,
    /// The steps, as `plan` shows them.
    pub(super) steps: Value,
}

/// The form of plan files that this version writes and reads.
pub(super) const FORM: u32 = 1;

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let schema = project.schema()?;
    let store = build::reading_store(project)?;
    let way = Way::to_schema(&store, &schema)?;
    let json = way.to_json(&store)?;
    if let Some(path) = &arguments.out {
        let to = serde_json::from_str(&way.to.to_json()).map_err(|error| Failure::new("plan", error.to_string()))?;
        let file = PlanFile { form: FORM, from: way.from.clone(), to, steps: json["steps"].clone() };
        let text = serde_json::to_string_pretty(&file).map_err(|error| Failure::new("plan", error.to_string()))?;
        fs::write(path, text).map_err(|error| Failure::io(path.display(), &error))?;
    }
    output.result(way.to_text(&store)?, &json);
    Ok(if way.is_done() { ExitCode::SUCCESS } else { ExitCode::from(STEPS) })
}

//! `mainstay openapi`: the description of the API.
use std::process::ExitCode;

use clap::Args;

use super::Outcome;
use crate::{output::Output, project::Project};

/// Print the OpenAPI 3.1 document of the API
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mainstay openapi > openapi.json")]
pub(crate) struct Arguments {}

pub(crate) fn run(project: &Project, output: Output) -> Outcome {
    let schema = project.schema()?;
    let settings = &project.settings;
    let document = mainstay_http::openapi::document(&schema, &settings.limits.core(), &settings.server.title);
    output.raw(&document.to_json_pretty());
    output.raw(b"\n");
    Ok(ExitCode::SUCCESS)
}

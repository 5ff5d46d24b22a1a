//! `mainstay types`: the types of the API for clients.
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::Outcome;
use crate::{output::Output, project::Project};

/// Print the types of records, inputs and errors for clients in TypeScript
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mainstay types ts > api.ts")]
pub(crate) struct Arguments {
    /// The language.
    language: Language,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    /// TypeScript
    Ts,
}

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let schema = project.schema()?;
    let text = match arguments.language {
        Language::Ts => mainstay_http::openapi::typescript(&schema),
    };
    output.raw(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

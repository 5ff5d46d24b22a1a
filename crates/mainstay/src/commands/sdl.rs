//! `mainstay sdl`: the schema as one text, or what it is written in.
use std::process::ExitCode;

use clap::Args;
use mainstay_schema::PRELUDE;

use super::Outcome;
use crate::{output::Output, project::Project};

/// Print the project's schema as one text, or the definitions of its directives and scalars
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay sdl --prelude > prelude.graphql\n\nWith the prelude, ordinary GraphQL tools can check a schema."
)]
pub(crate) struct Arguments {
    /// The definitions of directives and scalars, instead of the schema.
    #[arg(long)]
    prelude: bool,
}

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    if arguments.prelude {
        output.raw(PRELUDE.as_bytes());
        return Ok(ExitCode::SUCCESS);
    }
    let files = project.schema_files()?;
    crate::project::load(&files)?;
    for (at, file) in files.iter().enumerate() {
        output.raw(if at > 0 { b"\n" } else { b"" });
        output.raw(file.text.as_bytes());
    }
    Ok(ExitCode::SUCCESS)
}

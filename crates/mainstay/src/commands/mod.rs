//! The commands, one file each.
pub(crate) mod apply;
pub(crate) mod changes;
pub(crate) mod check;
pub(crate) mod dev;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod moving;
pub(crate) mod new;
pub(crate) mod nodes;
pub(crate) mod openapi;
pub(crate) mod plan;
pub(crate) mod sdl;
pub(crate) mod serve;
pub(crate) mod test;
pub(crate) mod token;
pub(crate) mod types;

use std::process::ExitCode;

use crate::{
    cli::{Cli, Command},
    failure::Failure,
    logging,
    output::Output,
    project::Project,
};

/// What a command comes to: an exit code, or a failure to be told.
pub(crate) type Outcome = Result<ExitCode, Failure>;

/// Runs the command.
pub(crate) fn run(cli: Cli, output: &Output) -> Outcome {
    if let Command::New(arguments) = &cli.command {
        return new::run(arguments, &cli.project, *output);
    }
    let project = Project::open(&cli.project)?;
    logging::start(&project.settings.log, cli.log_json)?;
    match &cli.command {
        Command::New(arguments) => new::run(arguments, &cli.project, *output),
        Command::Dev(arguments) => dev::run(arguments, project, *output),
        Command::Serve(arguments) => serve::run(arguments, &project, *output),
        Command::Check(_) => check::run(&project, *output),
        Command::Plan(arguments) => plan::run(arguments, &project, *output),
        Command::Apply(arguments) => apply::run(arguments, &project, *output),
        Command::Export(arguments) => export::run(arguments, &project, *output),
        Command::Import(arguments) => import::run(arguments, &project, *output),
        Command::Test(arguments) => test::run(arguments, &project, *output),
        Command::Move(arguments) => moving::run(arguments, &project, *output),
        Command::Changes(arguments) => changes::run(arguments, &project, *output),
        Command::Nodes(_) => nodes::run(&project, *output),
        Command::Token(arguments) => token::run(arguments, &project, *output),
        Command::Explain(arguments) => explain::run(arguments, &project, *output),
        Command::Openapi(_) => openapi::run(&project, *output),
        Command::Types(arguments) => types::run(arguments, &project, *output),
        Command::Sdl(arguments) => sdl::run(arguments, &project, *output),
    }
}

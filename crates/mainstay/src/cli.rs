//! The command line.
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    apply, changes, check, dev, explain, export, import, moving, new, nodes, openapi, plan, sdl, serve, test, token,
    types,
};

/// Declare your data once, in schema.graphql, and get the backend.
#[derive(Debug, Parser)]
#[command(name = "mainstay", version, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// The project's folder.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub(crate) project: PathBuf,
    /// Answer with JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Log JSON lines, also on a terminal.
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::Arguments),
    Dev(dev::Arguments),
    Serve(serve::Arguments),
    Check(check::Arguments),
    Plan(plan::Arguments),
    Apply(apply::Arguments),
    Import(import::Arguments),
    Export(export::Arguments),
    Test(test::Arguments),
    Move(moving::Arguments),
    Nodes(nodes::Arguments),
    Changes(changes::Arguments),
    Token(token::Arguments),
    Explain(explain::Arguments),
    Openapi(openapi::Arguments),
    Sdl(sdl::Arguments),
    Types(types::Arguments),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_each_command_has_an_example() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("mainstay {}", command.get_name())), "{}", command.get_name());
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }
}

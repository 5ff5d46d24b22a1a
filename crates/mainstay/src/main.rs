//! The mainstay binary: reads the command line and runs one command.

mod build;
mod cli;
mod commands;
mod database;
mod failure;
mod keys;
mod loading;
mod logging;
mod membership;
mod output;
mod progress;
mod project;
mod settings;
mod signals;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let output = output::Output::new(cli.json);
    match commands::run(cli, &output) {
        Ok(code) => code,
        Err(failure) => output.failure(&failure),
    }
}

//! The bench: `compare` measures side by side, `crash` kills and counts what was lost.
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use mainstay_bench::{Outcome, chaos, compare::Plan, crash, run, say};

/// Measures Mainstay side by side with a hand-written server, and kills it to see what it loses.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Both servers under the same load, in interleaved rounds; prints tables. Exit code 2: a goal was missed.
    Compare(Compare),
    /// SIGKILL at random moments under many writers. Exit code 2: something acknowledged was lost, or half there.
    Crash(Crash),
    /// Three nodes on PostgreSQL behind nginx, killed, stopped, cut off. Exit code 2: something was lost, done twice or refused.
    Chaos(Chaos),
}

#[derive(Args)]
struct Chaos {
    /// The program `mainstay`.
    #[arg(long, env = "MAINSTAY_BINARY")]
    mainstay: PathBuf,
    /// The configuration of nginx.
    #[arg(long, default_value = "deploy/nginx/nginx.conf")]
    nginx: PathBuf,
    /// How long things are broken, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Writers at a time.
    #[arg(long, default_value_t = 32)]
    writers: u64,
    /// Where the random numbers begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keeps logs and the database in this folder, which must be empty; else they are temporary.
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(Args)]
struct Compare {
    /// The program of the hand-written server on SQLite; without it nothing is measured there.
    #[arg(long, env = "YARDSTICK")]
    yardstick: Option<PathBuf>,
    /// A PostgreSQL whose user may make databases; without it nothing is measured there.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// The program of the hand-written server on PostgreSQL; the one beside this program, if none is given.
    #[arg(long)]
    bare: Option<PathBuf>,
    /// The program `mainstay`; without it a second hand-written server is measured, which shows how far to trust the figures.
    #[arg(long, env = "MAINSTAY_BINARY")]
    mainstay: Option<PathBuf>,
    /// Numbers of records.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 1_000_000])]
    sizes: Vec<u64>,
    /// Numbers of connections.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
    connections: Vec<usize>,
    /// Rounds for each side.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of a round.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Seconds of a round before it counts.
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
    /// Only the operations whose name holds this; several, with commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Where the random numbers begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes everything there too, each round of it, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Keeps the databases in this folder, which must be empty; else they are temporary.
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(Args)]
struct Crash {
    /// The program `mainstay`.
    #[arg(long, env = "MAINSTAY_BINARY")]
    mainstay: PathBuf,
    /// How often the server is killed under load.
    #[arg(long, default_value_t = 50)]
    times: u64,
    /// Writers at a time.
    #[arg(long, default_value_t = 64)]
    writers: u64,
    /// Where the random numbers begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keeps the database in this folder, which must be empty; else it is temporary.
    #[arg(long)]
    folder: Option<PathBuf>,
}

fn main() -> ExitCode {
    // One thread for the whole load generator: the servers need the rest of the machine.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime.map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            match Cli::parse().command {
                Command::Compare(options) => compare(options).await,
                Command::Crash(options) => kill(options).await,
                Command::Chaos(options) => break_things(options).await,
            }
        })
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn compare(options: Compare) -> Outcome<bool> {
    let (_temporary, folder) = folder(options.folder.as_deref())?;
    let plan = Plan {
        connections: options.connections,
        rounds: options.rounds,
        seconds: options.seconds,
        warm_up_seconds: options.warm_up,
        seed: options.seed,
    };
    let Compare { yardstick, postgres, bare, mainstay, sizes, only, json, .. } = options;
    if yardstick.is_none() && postgres.is_none() {
        return Err("nothing to measure: give --yardstick, --postgres or both".into());
    }
    let bare = bare.map_or_else(|| std::env::current_exe().map(|own| own.with_file_name("bare-postgres")), Ok)?;
    let postgres = postgres.map(|url| run::Postgres { url, bare });
    let report = run::run(run::Setup { yardstick, postgres, mainstay, folder, sizes, only, plan }).await?;
    std::io::stdout().write_all(report.table().as_bytes())?;
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?)?;
    }
    if let Some(error) = report.first_error() {
        return Err(format!("{} answers were not 2xx, the first: {error}", report.errors()).into());
    }
    Ok(report.reached())
}

async fn kill(options: Crash) -> Outcome<bool> {
    let (_temporary, folder) = folder(options.folder.as_deref())?;
    let Crash { mainstay, times, writers, seed, .. } = options;
    let report = crash::run(&crash::Setup { mainstay, folder, times, writers, seed, feed: true }).await?;
    std::io::stdout().write_all(report.text().as_bytes())?;
    Ok(report.violations.is_empty())
}

async fn break_things(options: Chaos) -> Outcome<bool> {
    let (_temporary, folder) = folder(options.folder.as_deref())?;
    let Chaos { mainstay, nginx, seconds, writers, seed, .. } = options;
    let time = Duration::from_secs(seconds);
    let report = chaos::run(&chaos::Setup { mainstay, nginx, folder, time, writers, seed, sabotage: false }).await?;
    std::io::stdout().write_all(report.text().as_bytes())?;
    Ok(report.violations.is_empty())
}

/// The folder that was asked for, made and found empty, or a temporary one that lives as long as its first part.
fn folder(asked: Option<&Path>) -> Outcome<(Option<tempfile::TempDir>, PathBuf)> {
    let Some(folder) = asked else {
        let temporary = tempfile::tempdir()?;
        let path = temporary.path().to_owned();
        return Ok((Some(temporary), path));
    };
    std::fs::create_dir_all(folder)?;
    if std::fs::read_dir(folder)?.next().is_some() {
        return Err(format!("the folder \"{}\" is not empty", folder.display()).into());
    }
    Ok((None, std::fs::canonicalize(folder)?))
}

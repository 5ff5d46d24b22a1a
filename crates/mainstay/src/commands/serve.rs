//! `mainstay serve`: production.
use std::{pin::pin, process::ExitCode, sync::Arc};

use clap::{Args, ValueEnum};
use mainstay_http::App;
use mainstay_schema::Schema;
use mainstay_store::{Fitness, Store};
use serde_json::json;

use super::Outcome;
use crate::{
    build,
    database::{ATTEMPTS_MAX, Allowed, Way},
    failure::Failure,
    keys::Mode,
    membership,
    output::Output,
    project::Project,
    signals::Stop,
};

/// Serve the project; refuses to start when the database does not match the schema
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  MAINSTAY_SERVER_LISTEN=0.0.0.0:80 mainstay serve --apply safe\n\nSIGTERM and SIGINT let running requests finish."
)]
pub(crate) struct Arguments {
    /// Carry out missing steps first, as far as they are safe.
    #[arg(long, value_name = "WHICH")]
    apply: Option<Apply>,
}

/// Which steps are carried out at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Apply {
    /// Additive ones; if there are others, the server does not start.
    Safe,
}

pub(crate) fn run(arguments: &Arguments, project: &Project, output: Output) -> Outcome {
    let schema = Arc::new(project.schema()?);
    let authenticator = build::authenticator(project, &schema, Mode::Production)?;
    let store = build::store_telling(project, project.settings.log.slow_ms)?;
    settle(arguments, &store, &schema)?;
    // Behind pgbouncer nobody can tell.
    if matches!(store.has_moved(), Ok(true)) {
        tracing::warn!("this database has moved: it takes no writes any more; mainstay move --reopen lets it");
    }
    let core = build::core(project, schema, store.clone(), Mode::Production)?;
    let app = Arc::new(App::new(core, authenticator, project.settings.server.http(public(project))));
    build::runtime(project)?.block_on(serve(project, app, output))?;
    store.close();
    Ok(ExitCode::SUCCESS)
}

/// Brings the tables to the schema, or finds that they are. Where another node changes them meanwhile, it is begun again.
fn settle(arguments: &Arguments, store: &Store, schema: &Arc<Schema>) -> Result<(), Failure> {
    let mut outcome = follow(arguments, store, schema);
    for _ in 1..ATTEMPTS_MAX {
        match outcome {
            Err(failure) if failure.code == "plan_stale" => outcome = follow(arguments, store, schema),
            outcome => return outcome,
        }
    }
    outcome
}

fn follow(arguments: &Arguments, store: &Store, schema: &Arc<Schema>) -> Result<(), Failure> {
    let way = Way::to_schema(store, schema)?;
    way.require_sound(|drift| tracing::warn!(%drift, "the tables were changed by hand"))?;
    // As a node that runs goes on behind additive steps, so does one that is started again.
    if let Fitness::Behind(steps) = way.fitness() {
        tracing::warn!(steps, "the database is ahead of this schema by additive steps: it is served as it is");
        return Ok(());
    }
    if arguments.apply == Some(Apply::Safe) && !way.is_done() {
        way.apply(store, Allowed::ADDITIVE)?;
        tracing::info!(steps = way.steps().len(), "the database follows the schema");
        return Ok(());
    }
    way.require_done()?;
    way.apply(store, Allowed::ADDITIVE)
}

async fn serve(project: &Project, app: Arc<App>, output: Output) -> Result<(), Failure> {
    let mut stop = pin!(Stop::listen()?.wait());
    let member = tokio::select! {
        member = membership::join(project, &app) => member?,
        () = &mut stop => return Ok(()),
    };
    let (listener, address) = build::listen(project).await?;
    output.result(format!("listening on {address}"), &json!({ "address": address }));
    mainstay_http::serve(listener, app, stop).await;
    member.leave().await;
    Ok(())
}

/// The folder of static files, if there is one.
pub(super) fn public(project: &Project) -> Option<std::path::PathBuf> {
    Some(project.root.join("public")).filter(|path| path.is_dir())
}

//! `mainstay dev`: serves while you work. The schema is watched: additive steps are carried out at once, and a schema that is
//! wrong is told of while the last good one goes on serving.
mod seed;
mod watch;

use std::{io, path::Path, process::ExitCode, sync::Arc, time::Duration};

use clap::Args;
use mainstay_http::{App, HttpSettings};
use mainstay_schema::Schema;
use mainstay_store::{Location, Member, NodeSeen, Place, Store};
use serde_json::json;

use self::watch::Watch;
use super::{Outcome, serve::public};
use crate::{
    build,
    database::{Allowed, Way},
    failure::Failure,
    keys::Mode,
    membership,
    output::Output,
    project::{self, Project, SchemaFile},
    signals::Stop,
};

/// Serve while you work: watch the schema, apply safe steps, explain errors and refused requests
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mainstay dev --reset\n\nFiles in seed/ (*.json, *.ndjson, *.csv) are loaded into an empty database."
)]
pub(crate) struct Arguments {
    /// Begin with an empty database: everything in it is deleted.
    #[arg(long)]
    reset: bool,
    /// Work on a database of another machine all the same.
    #[arg(long)]
    remote: bool,
}

/// What `dev` keeps while it runs.
struct Dev {
    project: Project,
    output: Output,
    store: Arc<Store>,
    /// Where the database is, if that is on a server.
    place: Option<Place>,
    /// Its id among the nodes, once it is one.
    member: Option<String>,
    /// The files of the schema as they were looked at last, sound or not.
    seen: Vec<SchemaFile>,
}

pub(crate) fn run(arguments: &Arguments, project: Project, output: Output) -> Outcome {
    if arguments.reset {
        reset(&project)?;
    }
    let place = build::place(&project)?;
    if let Some(place) = place.as_ref().filter(|place| !place.is_local && !arguments.remote) {
        let message = format!("the database {} is on another machine", place.shown);
        let hint = "mainstay dev changes its tables whenever the schema is saved; --remote says that it may";
        return Err(Failure::new("remote_database", message).hint(hint));
    }
    let store = build::store_telling(&project, project.settings.dev.slow_ms)?;
    let runtime = build::runtime(&project)?;
    let mut dev = Dev { project, output, store: store.clone(), place, member: None, seen: Vec::new() };
    let result = runtime.block_on(dev.run());
    store.close();
    result.map(|()| ExitCode::SUCCESS)
}

/// Deletes the database. It is opened first: whoever uses it holds its lock.
fn reset(project: &Project) -> Result<(), Failure> {
    let Location::File(path) = project.database()? else {
        let message = "--reset deletes an embedded database alone, and this project's is on a server";
        return Err(Failure::new("reset", message).hint("DROP DATABASE and CREATE DATABASE, in psql, do the same"));
    };
    if !path.exists() {
        return Ok(());
    }
    let lock = build::store(project)?;
    lock.close();
    drop(lock);
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(ending);
        match std::fs::remove_file(Path::new(&name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::io(Path::new(&name).display(), &error));
            }
            _ => {}
        }
    }
    Ok(())
}

impl Dev {
    async fn run(&mut self) -> Result<(), Failure> {
        let stop = Stop::listen()?;
        let mut watch = Watch::start(&self.project)?;
        let mut stopped = std::pin::pin!(stop.wait());
        let schema = tokio::select! {
            () = &mut stopped => return Ok(()),
            schema = self.first_schema(&mut watch) => schema?,
        };
        let core = build::core(&self.project, schema.clone(), self.store.clone(), Mode::Development)?;
        seed::load(&self.project, &core, self.output).await?;
        let authenticator = build::authenticator(&self.project, &schema, Mode::Development)?;
        let http = self.project.settings.server.http(public(&self.project));
        let settings = HttpSettings { log_refusals: true, slow_request: self.slow(http.slow_request), ..http };
        let app = Arc::new(App::new(core, authenticator, settings));
        let member = tokio::select! {
            () = &mut stopped => return Ok(()),
            member = membership::join_developing(&self.project, &app) => member?,
        };
        self.member = Some(member.id().to_owned());
        let (listener, address) = build::listen(&self.project).await?;
        self.greet(&address);
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let stop_serving = async move {
            let _ = ended.await;
        };
        let serving = mainstay_http::serve(listener, app.clone(), stop_serving);
        let watching = async {
            tokio::select! {
                () = &mut stopped => {}
                () = self.follow(&mut watch, &app, &member) => {}
            }
            let _ = end.send(());
        };
        tokio::join!(serving, watching);
        member.leave().await;
        Ok(())
    }

    /// Past what a request is told: `dev.slow_ms`, unless it is off.
    fn slow(&self, usual: Duration) -> Duration {
        match self.project.settings.dev.slow_ms {
            0 => usual,
            slow_ms => Duration::from_millis(slow_ms),
        }
    }

    fn greet(&self, address: &str) {
        let mut text = format!(
            "listening on {address}\n  read and try it   {address}/docs\n  make a token      mainstay token --sub anna\n  watching          the schema: save it, and it is served"
        );
        if let Some(place) = &self.place {
            text.push_str(&format!("\n  database          {}", place.shown));
        }
        self.output.result(text, &json!({ "address": address }));
    }

    /// The first schema that is sound and that the database can follow; until then, errors are shown and the files watched.
    async fn first_schema(&mut self, watch: &mut Watch) -> Result<Arc<Schema>, Failure> {
        loop {
            match self.look() {
                Ok(Some(schema)) => return Ok(schema),
                Ok(None) => {}
                Err(failure) if failure.code == "no_project" => return Err(failure),
                Err(failure) => {
                    self.output.failure(&failure);
                    self.output.remark("\nwaiting for the schema to be repaired");
                }
            }
            watch.changed().await;
        }
    }

    /// Serves each new schema, as long as there are any.
    async fn follow(&mut self, watch: &mut Watch, app: &App, member: &Member) {
        loop {
            watch.changed().await;
            let swapped = self.look().and_then(|schema| schema.map_or(Ok(false), |schema| self.swap(app, schema)));
            match swapped {
                Ok(true) => {
                    member.serve(app.core().schema().clone());
                    self.output.remark("the schema has changed: it is served");
                }
                Ok(false) => {}
                Err(failure) => {
                    self.output.failure(&failure);
                    self.output.remark("\nthe schema as it was goes on serving");
                }
            }
        }
    }

    /// The schema, if its files have changed since they were looked at last; the database follows it.
    fn look(&mut self) -> Result<Option<Arc<Schema>>, Failure> {
        let files = self.project.schema_files()?;
        if files == self.seen {
            return Ok(None);
        }
        self.seen.clone_from(&files);
        let schema = Arc::new(project::load(&files)?);
        let way = Way::to_schema(&self.store, &schema)?;
        way.require_sound(|drift| self.output.remark(format_args!("  changed by hand: {drift}")))?;
        let allowed = self.allowed()?;
        if let Err(failure) = way.apply(&self.store, allowed) {
            let is_unsafe = failure.code == "unsafe_steps";
            return Err(if is_unsafe { failure.hint(self.way_out(allowed)) } else { failure });
        }
        for step in way.steps() {
            self.output.remark(format_args!("  {step}"));
        }
        Ok(Some(schema))
    }

    /// What to do about steps that are not carried out.
    fn way_out(&self, allowed: Allowed) -> &'static str {
        match (&self.place, allowed) {
            (Some(_), Allowed::ADDITIVE) => {
                "other nodes serve this database (mainstay nodes lists them): stop them, or take these changes back"
            }
            (Some(_), _) => {
                "a new name is told by @was(name: \"…\"); else take these changes back, or stop this and run mainstay apply --destructive"
            }
            (None, _) => {
                "a new name is told by @was(name: \"…\"); else take these changes back, or stop this and run mainstay \
                          apply --destructive, or begin again with an empty database: mainstay dev --reset"
            }
        }
    }

    /// Where no other node runs on the database, what loses nothing is safe.
    fn allowed(&self) -> Result<Allowed, Failure> {
        let nodes = if self.place.is_some() { self.store.nodes().map_err(Failure::database)? } else { Vec::new() };
        let is_other = |seen: &NodeSeen| self.member.as_deref() != Some(&seen.node.id);
        Ok(if nodes.iter().any(is_other) { Allowed::ADDITIVE } else { Allowed::LOSSLESS })
    }

    fn swap(&self, app: &App, schema: Arc<Schema>) -> Result<bool, Failure> {
        let authenticator = build::authenticator(&self.project, &schema, Mode::Development)?;
        let core = build::core(&self.project, schema, self.store.clone(), Mode::Development)?;
        app.swap(core, authenticator);
        Ok(true)
    }
}

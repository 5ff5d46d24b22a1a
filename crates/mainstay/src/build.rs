//! Builds the parts and hands them to each other.
use std::sync::Arc;

use mainstay_auth::{AuthSettings, Authenticator};
use mainstay_core::{Core, CoreSettings};
use mainstay_schema::Schema;
use mainstay_store::{Location, Place, Store};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    failure::Failure,
    keys::{self, Mode},
    project::Project,
};

/// Pages in the write-ahead log at which it is copied into the database while many records are loaded: a page of an index that one
/// commit after the other changes is copied once for all of them.
const LOADING_WAL_PAGES_MAX: u32 = 16_000;

/// Where the project's database is, if that is on a server.
pub(crate) fn place(project: &Project) -> Result<Option<Place>, Failure> {
    let settings = project.settings.store(project.database()?);
    Store::place(&settings).map_err(|error| Failure::new("database", error.message))
}

/// Opens the project's database; makes it where there is none.
pub(crate) fn store(project: &Project) -> Result<Arc<Store>, Failure> {
    open(project.settings.store(project.database()?))
}

/// The same for a server: what takes longer, in milliseconds, is told; 0: nothing.
pub(crate) fn store_telling(project: &Project, slow_ms: u64) -> Result<Arc<Store>, Failure> {
    let settings = project.settings.store(project.database()?);
    open(mainstay_store::Settings { slow_ms, ..settings })
}

/// The same to load many records. They are on the disk once an import has ended; a run that was cut off before goes on where the database is.
pub(crate) fn loading_store(project: &Project) -> Result<Arc<Store>, Failure> {
    let mut settings = project.settings.store(project.database()?);
    settings.sqlite.wal_pages_max = LOADING_WAL_PAGES_MAX;
    settings.sqlite.commits_synced = false;
    open(settings)
}

fn open(settings: mainstay_store::Settings) -> Result<Arc<Store>, Failure> {
    if !settings.durable {
        tracing::warn!("database.durable is false: acknowledged writes may be lost when the power fails");
    }
    Store::open(settings).map(Arc::new).map_err(|error| Failure::new("database", error.message))
}

/// Opens the project's database to read it, also while a server runs on it; makes it where there is none.
pub(crate) fn reading_store(project: &Project) -> Result<Arc<Store>, Failure> {
    let at = project.database()?;
    if is_missing(&at) {
        return store(project);
    }
    let settings = mainstay_store::Settings { read_only: true, ..project.settings.store(at) };
    Store::open(settings).map(Arc::new).map_err(|error| Failure::new("database", error.message))
}

/// Whether there is no embedded database yet.
fn is_missing(at: &Location) -> bool {
    matches!(at, Location::File(path) if !path.exists())
}

/// The same to explain calls: writes are tried there and rolled back.
pub(crate) fn explaining_store(project: &Project) -> Result<Arc<Store>, Failure> {
    let at = project.database()?;
    if is_missing(&at) {
        store(project)?.close();
    }
    let settings = project.settings.store(at);
    let settings = mainstay_store::Settings { rehearse: true, explains: true, ..settings };
    Store::open(settings).map(Arc::new).map_err(|error| Failure::new("database", error.message))
}

/// The core over a schema and the database that matches it.
pub(crate) fn core(
    project: &Project,
    schema: Arc<Schema>,
    store: Arc<Store>,
    mode: Mode,
) -> Result<Arc<Core>, Failure> {
    let settings = CoreSettings {
        limits: project.settings.limits.core(),
        cursor_key: keys::cursor_key(project, &store)?,
        explain_refusals: mode == Mode::Development,
    };
    Ok(Arc::new(Core::new(schema, store, settings)))
}

/// What verifies tokens.
pub(crate) fn authenticator(project: &Project, schema: &Schema, mode: Mode) -> Result<Arc<Authenticator>, Failure> {
    let settings = keys::auth_settings(project, mode)?;
    verifier(&settings, schema).map(Arc::new)
}

/// Fails where the secret of the settings, if they have one, is none that `serve` takes. Files of keys may be on the server alone.
pub(crate) fn check_secret(project: &Project, schema: &Schema) -> Result<(), Failure> {
    let secret = Some(project.settings.auth.jwt_secret.clone()).filter(|secret| !secret.is_empty());
    verifier(&AuthSettings { secret, ..AuthSettings::default() }, schema).map(|_| ())
}

fn verifier(settings: &AuthSettings, schema: &Schema) -> Result<Authenticator, Failure> {
    Authenticator::new(settings, &schema.claims).map_err(|error| Failure::new("settings", format!("auth: {error}")))
}

/// The threads that answer: as many as there are cores, unless the settings say.
pub(crate) fn runtime(project: &Project) -> Result<Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if project.settings.server.threads > 0 {
        builder.worker_threads(project.settings.server.threads);
    }
    builder.enable_all().build().map_err(|error| Failure::io("the runtime", &error))
}

/// The listening socket, and the address that it has.
pub(crate) async fn listen(project: &Project) -> Result<(TcpListener, String), Failure> {
    let wanted = &project.settings.server.listen;
    let listener = TcpListener::bind(wanted).await.map_err(|error| {
        let failure = Failure::io(format!("server.listen: {wanted}"), &error);
        match error.kind() {
            std::io::ErrorKind::AddrInUse => failure.hint("another program listens there; port 0 takes a free one"),
            _ => failure,
        }
    })?;
    let address = listener.local_addr().map_err(|error| Failure::io("the socket", &error))?;
    Ok((listener, format!("http://{address}")))
}

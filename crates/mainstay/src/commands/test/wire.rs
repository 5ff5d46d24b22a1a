//! A server for one test, and the requests sent to it: through a real socket and the real router.
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    time::Duration,
};

use mainstay_auth::{AuthSettings, Authenticator};
use mainstay_core::{Core, CoreSettings};
use mainstay_http::App;
use mainstay_schema::Schema;
use mainstay_store::{Location, Store};
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{failure::Failure, project::Project};

/// The database's file in the folder of a test.
pub(super) const DATABASE: &str = "test.db";

/// How long an answer may be waited for.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// A running server over a database; it ends when [`Server::stop`] says so.
pub(super) struct Server {
    pub(super) core: Arc<Core>,
    pub(super) app: Arc<App>,
    pub(super) authenticator: Arc<Authenticator>,
    store: Arc<Store>,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<usize>,
}

/// An answer.
#[derive(Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// The body; null where it is no JSON.
    pub(super) json: Value,
    pub(super) text: String,
}

/// The core over the database in a folder.
pub(super) fn core(project: &Project, schema: &Arc<Schema>, folder: &Path) -> Result<(Arc<Store>, Arc<Core>), Failure> {
    core_with(project, schema, folder, |settings| settings.durable = false)
}

/// The same beside a server: what is written is rolled back.
pub(super) fn explaining_core(
    project: &Project,
    schema: &Arc<Schema>,
    folder: &Path,
) -> Result<(Arc<Store>, Arc<Core>), Failure> {
    core_with(project, schema, folder, |settings| settings.rehearse = true)
}

fn core_with(
    project: &Project,
    schema: &Arc<Schema>,
    folder: &Path,
    change: impl FnOnce(&mut mainstay_store::Settings),
) -> Result<(Arc<Store>, Arc<Core>), Failure> {
    let mut settings = project.settings.database.store(Location::File(folder.join(DATABASE)));
    settings.sqlite.readers = 1;
    change(&mut settings);
    let store = Store::open(settings).map(Arc::new).map_err(|error| Failure::database(error.message))?;
    let settings =
        CoreSettings { limits: project.settings.limits.core(), cursor_key: [7; 32], explain_refusals: false };
    let core = Arc::new(Core::new(schema.clone(), store.clone(), settings));
    Ok((store, core))
}

impl Server {
    /// Starts over the database in a folder, with the secret that tokens are signed with.
    pub(super) async fn start(
        project: &Project,
        schema: &Arc<Schema>,
        folder: &Path,
        secret: &str,
    ) -> Result<Server, Failure> {
        let (store, core) = core(project, schema, folder)?;
        let auth = AuthSettings { secret: Some(secret.to_owned()), ..AuthSettings::default() };
        let authenticator =
            Authenticator::new(&auth, &schema.claims).map_err(|error| Failure::new("keys", error.to_string()))?;
        let authenticator = Arc::new(authenticator);
        let app = Arc::new(App::new(core.clone(), authenticator.clone(), project.settings.server.http(None)));
        let io = |error: std::io::Error| Failure::io("the socket of a test", &error);
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(io)?;
        let address = listener.local_addr().map_err(io)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = mainstay_http::serve(listener, app.clone(), async move {
            let _ = stopped.await;
        });
        Ok(Server { core, app, authenticator, store, address, stop, serving: tokio::spawn(serving) })
    }

    /// Sends a request and takes its answer.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<&[u8]>,
    ) -> Result<Reply, Failure> {
        let mut request = format!("{method} {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n", encoded(path));
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            request.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        let io = |error: std::io::Error| Failure::io(format!("{method} {path}"), &error);
        let bytes = [request.as_bytes(), body.unwrap_or_default()].concat();
        let address = self.address;
        let exchange = tokio::task::spawn_blocking(move || exchange(address, &bytes)).await;
        let bytes = exchange.map_err(|error| Failure::new("io", error.to_string()))?.map_err(io)?;
        Ok(Reply::read(&bytes))
    }

    /// Ends the server and closes its database.
    pub(super) async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.serving.await;
        self.store.close();
    }
}

fn exchange(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

impl Reply {
    fn read(bytes: &[u8]) -> Reply {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Reply { status, json: serde_json::from_str(body).unwrap_or_default(), text: body.to_owned() }
    }
}

/// An address with what may not stand in one encoded; what is encoded already stays.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'!' | b'#'..=b';' | b'=' | b'?'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'~' | b'|' if byte != b'#' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encoded_where_they_must_be() {
        assert_eq!(encoded("/api/a?filter=b == 'ü' && c<1"), "/api/a?filter=b%20==%20'%C3%BC'%20&&%20c%3C1");
        assert_eq!(encoded("/api/a?b=%20"), "/api/a?b=%20");
    }
}

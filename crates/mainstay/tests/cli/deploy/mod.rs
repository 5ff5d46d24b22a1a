//! What stands in deploy/, executed: nginx and HAProxy in front of three nodes, one of which goes while clients write.
use std::{
    fs,
    net::{IpAddr, TcpListener},
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use reqwest::{Client, StatusCode};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::support::{Project, Server};

mod files;
mod resolved;
mod rolling;
mod sent;

/// Everybody may write; what is read depends on where the reader is.
const SCHEMA: &str = r#"
type Note @rules(read: "true", create: "true", delete: "true") { text: String! }
type Place @rules(read: "request.ip == '127.0.0.9'", create: "true") { text: String! }
"#;
const SECRET: &str = "a secret of the tests that is long enough";
const NODES: [&str; 3] = ["a", "b", "c"];
/// What the configurations call the nodes and the address that clients ask.
const ADDRESSES: [&str; 3] = ["127.0.0.1:8091", "127.0.0.1:8092", "127.0.0.1:8093"];
const FRONT: &str = "127.0.0.1:8080";
/// Longer than HAProxy's look at a node takes.
const DRAIN_DELAY_MS: &str = "2500";
/// Where the clients are: not where the proxy is.
const CLIENT: [u8; 4] = [127, 0, 0, 9];
const CLIENTS: usize = 8;
/// Rounds of clients behind the end of a node.
const AWAY_ASKED: usize = 200;
const NOBODY: &str = "01990000-0000-7000-8000-000000000000";

/// A proxy with three nodes behind it.
struct Site {
    nodes: Vec<(Project, Server)>,
    proxy: Server,
    _folder: TempDir,
    address: String,
    client: Client,
}

fn node(name: &str) -> (Project, Server) {
    let project = Project::with_schema(SCHEMA)
        .env("MAINSTAY_AUTH_JWT_SECRET", SECRET)
        .env("MAINSTAY_SERVER_NODE", name)
        .env("MAINSTAY_SERVER_NODE_HEADER", "true")
        .env("MAINSTAY_SERVER_TRUSTED_PROXIES", "127.0.0.1")
        .env("MAINSTAY_SERVER_DRAIN_DELAY_MS", DRAIN_DELAY_MS);
    let server = project.start(&["serve", "--apply", "safe"]);
    (project, server)
}

/// A file of deploy/.
fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path)).unwrap()
}

/// The configuration of a proxy with the addresses of these nodes in it.
fn configured(path: &str, nodes: &[String]) -> String {
    let text = ADDRESSES.iter().zip(nodes).fold(file(path), |text, (address, node)| {
        assert!(text.contains(address), "it names no {address}");
        text.replace(address, node)
    });
    assert!(text.contains(FRONT));
    text
}

/// nginx with the configuration in a folder.
fn nginx(folder: &Path) -> Command {
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("proxy.conf"));
    command.args(["-e", "stderr", "-g", "daemon off; master_process off;"]);
    command
}

/// HAProxy with the configuration in a folder.
fn haproxy(folder: &Path) -> Command {
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(folder.join("proxy.conf"));
    command
}

impl Site {
    async fn start(configuration: &str, command: impl FnOnce(&Path) -> Command) -> Site {
        let nodes: Vec<(Project, Server)> = NODES.iter().map(|name| node(name)).collect();
        let front = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let folder = TempDir::new().unwrap();
        let addresses: Vec<String> =
            nodes.iter().map(|(_, server)| server.address().trim_start_matches("http://").to_owned()).collect();
        let text = configured(configuration, &addresses).replace(FRONT, &front);
        fs::write(folder.path().join("proxy.conf"), text).unwrap();
        let mut proxy = Server::of(command(folder.path()));
        let (address, client) = (
            format!("http://{front}"),
            Client::builder().no_proxy().local_address(IpAddr::from(CLIENT)).build().unwrap(),
        );
        loop {
            assert!(!proxy.has_ended(), "the proxy has ended: {}", proxy.said());
            let answer = client.get(format!("{address}/healthz")).send().await;
            if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                break;
            }
        }
        Site { nodes, proxy, _folder: folder, address, client }
    }

    async fn nginx() -> Site {
        Site::start("nginx/nginx.conf", nginx).await
    }

    async fn haproxy() -> Site {
        Site::start("haproxy/haproxy.cfg", haproxy).await
    }

    /// Each node answers, and the address of a client is the one that the proxy saw.
    async fn passes_requests_on(&self) {
        let mut seen = [false; NODES.len()];
        while seen.contains(&false) {
            let answer = self.client.get(format!("{}/api/notes", self.address)).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            seen[NODES.iter().position(|name| *name == answer.headers()["mainstay-node"]).unwrap()] = true;
        }
        let place = self.client.post(format!("{}/api/places", self.address)).json(&json!({ "text": "a" }));
        assert_eq!(place.send().await.unwrap().status(), StatusCode::CREATED);
        let places = |claimed: &'static str| async move {
            let places = self.client.get(format!("{}/api/places", self.address)).header("x-forwarded-for", claimed);
            places.send().await.unwrap().status()
        };
        // What a client claims is not believed: the proxy has written its address behind it.
        assert_eq!(places("203.0.113.9").await, StatusCode::OK);
        let metrics = self.client.get(format!("{}/metrics", self.address)).send().await.unwrap();
        assert_eq!(metrics.status(), StatusCode::FORBIDDEN);
    }

    /// A node goes while clients write, read and delete, and stays away: none of them is refused.
    async fn lets_a_node_go(mut self) {
        let clients = Clients::start(&self);
        self.stop(0);
        // What is asked now may be asked of a node that is not there.
        clients.ask(AWAY_ASKED).await;
        clients.end(&self).await;
        for _ in 0..20 {
            let answer = self.client.get(format!("{}/healthz", self.address)).send().await.unwrap();
            assert_ne!(answer.headers()["mainstay-node"], NODES[0]);
        }
    }

    /// Asks a node to stop, and waits until it has.
    fn stop(&mut self, number: usize) {
        let (_, leaving) = &mut self.nodes[number];
        leaving.signal("TERM");
        let status = tokio::task::block_in_place(|| leaving.wait());
        assert_eq!(status.code(), Some(0), "{}", leaving.said());
    }
}

/// Clients that write, read and delete, one after the other.
struct Clients {
    tasks: JoinSet<()>,
    answered: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    failed: Arc<Mutex<Vec<String>>>,
}

impl Clients {
    fn start(site: &Site) -> Clients {
        let (answered, over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let failed = Arc::<Mutex<Vec<String>>>::default();
        let mut tasks = JoinSet::new();
        for _ in 0..CLIENTS {
            let (answered, over, failed) = (answered.clone(), over.clone(), failed.clone());
            let (client, notes) = (site.client.clone(), format!("{}/api/notes", site.address));
            tasks.spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let outcome = once(&client, &notes).await;
                    answered.fetch_add(1, Ordering::Relaxed);
                    failed.lock().unwrap().extend(outcome.err());
                }
            });
        }
        Clients { tasks, answered, over, failed }
    }

    /// Waits until so many more rounds are answered.
    async fn ask(&self, rounds: usize) {
        let enough = self.answered.load(Ordering::Relaxed) + rounds;
        while self.answered.load(Ordering::Relaxed) < enough {
            tokio::task::yield_now().await;
        }
    }

    /// Ends them; none was refused.
    async fn end(self, site: &Site) {
        self.over.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
        let (answered, failed) = (self.answered, std::mem::take(&mut *self.failed.lock().unwrap()));
        let (count, first, said) = (failed.len(), failed.first(), site.proxy.said());
        assert!(failed.is_empty(), "{count} of {answered:?} were refused: {first:?}; the proxy said: {said}");
    }
}

/// Writes, reads and deletes what is not there: each node has a database of its own.
async fn once(client: &Client, notes: &str) -> Result<(), String> {
    let write = client.post(notes).json(&json!({ "text": "x" }));
    let read = client.get(notes).query(&[("limit", "1")]);
    let delete = client.delete(format!("{notes}/{NOBODY}"));
    for (what, request) in [("a write", write), ("a read", read), ("a delete", delete)] {
        let answer = request.send().await.map_err(|error| format!("{what}: {error:?}"))?;
        let status = answer.status();
        let is_answered = if what == "a delete" { status == StatusCode::NOT_FOUND } else { status.is_success() };
        if !is_answered {
            return Err(format!("{what}: {status}"));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_passes_requests_on_and_lets_a_node_go() {
    let site = Site::nginx().await;
    site.passes_requests_on().await;
    site.lets_a_node_go().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn haproxy_passes_requests_on_and_lets_a_node_go() {
    let site = Site::haproxy().await;
    site.passes_requests_on().await;
    site.lets_a_node_go().await;
}

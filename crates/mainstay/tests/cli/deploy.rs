//! What stands in deploy/, executed: nginx and HAProxy in front of three nodes, one of which goes while clients write.
use std::{
    fs,
    net::{IpAddr, TcpListener},
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use reqwest::{Client, StatusCode};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::support::{Project, Server};

/// Everybody may write; what is read depends on where the reader is.
const SCHEMA: &str = r#"
type Note @rules(read: "true", create: "true") { text: String! }
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

/// A proxy with three nodes behind it.
struct Site {
    nodes: Vec<(Project, Server)>,
    _proxy: Server,
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

/// The configuration of deploy/ with the addresses of this test in it.
fn configured(path: &str, nodes: &[(Project, Server)], front: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(path);
    let text = fs::read_to_string(path).unwrap();
    let text = ADDRESSES.iter().zip(nodes).fold(text, |text, (address, (_, server))| {
        assert!(text.contains(address), "it names no {address}");
        text.replace(address, server.address().trim_start_matches("http://"))
    });
    assert!(text.contains(FRONT));
    text.replace(FRONT, front)
}

impl Site {
    async fn start(configuration: &str, command: impl FnOnce(&Path) -> Command) -> Site {
        let nodes: Vec<(Project, Server)> = NODES.iter().map(|name| node(name)).collect();
        let front = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("proxy.conf");
        fs::write(&file, configured(configuration, &nodes, &front)).unwrap();
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
        Site { nodes, _proxy: proxy, _folder: folder, address, client }
    }

    async fn nginx() -> Site {
        Site::start("nginx/nginx.conf", |folder| {
            let mut command = Command::new("nginx");
            command.arg("-p").arg(folder).arg("-c").arg(folder.join("proxy.conf"));
            command.args(["-e", "stderr", "-g", "daemon off; master_process off;"]);
            command
        })
        .await
    }

    async fn haproxy() -> Site {
        Site::start("haproxy/haproxy.cfg", |folder| {
            let mut command = Command::new("haproxy");
            command.arg("-db").arg("-f").arg(folder.join("proxy.conf"));
            command
        })
        .await
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

    /// A node goes while clients read and write: no more than so many writes of a client meet a connection that closes, and no read.
    async fn lets_a_node_go(mut self, writes_cut_max: usize) {
        let (over, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (over, failed) = (over.clone(), failed.clone());
            let (client, notes) = (self.client.clone(), format!("{}/api/notes", self.address));
            clients.spawn(async move {
                let mut answered = 0_usize;
                while !over.load(Ordering::Relaxed) {
                    let write = client.post(&notes).json(&json!({ "text": "x" })).send().await;
                    let read = client.get(&notes).query(&[("limit", "1")]).send().await;
                    for (what, answer) in [("a write", write), ("a read", read)] {
                        match answer {
                            Ok(answer) if answer.status().is_success() => answered += 1,
                            Ok(answer) => failed.lock().unwrap().push(format!("{what}: {}", answer.status())),
                            Err(error) => failed.lock().unwrap().push(format!("{what}: {error:?}")),
                        }
                    }
                }
                answered
            });
        }
        let (_, leaving) = &mut self.nodes[0];
        leaving.signal("TERM");
        let wait = || leaving.wait();
        let status = tokio::task::block_in_place(wait);
        assert_eq!(status.code(), Some(0), "{}", leaving.said());
        over.store(true, Ordering::Relaxed);
        let answered: usize = clients.join_all().await.into_iter().sum();
        let failed = std::mem::take(&mut *failed.lock().unwrap());
        let cut = failed.iter().filter(|failed| *failed == "a write: 502 Bad Gateway").count();
        let fits = cut == failed.len() && cut <= writes_cut_max * CLIENTS;
        assert!(fits, "{} of {answered} were not answered: {:?}", failed.len(), failed.first());
        for _ in 0..20 {
            let answer = self.client.get(format!("{}/healthz", self.address)).send().await.unwrap();
            assert_ne!(answer.headers()["mainstay-node"], NODES[0]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_passes_requests_on_and_lets_a_node_go() {
    let site = Site::nginx().await;
    site.passes_requests_on().await;
    // It does not ask whether a node is about to go, and does not send a write again that was sent.
    site.lets_a_node_go(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn haproxy_passes_requests_on_and_lets_a_node_go() {
    let site = Site::haproxy().await;
    site.passes_requests_on().await;
    site.lets_a_node_go(0).await;
}

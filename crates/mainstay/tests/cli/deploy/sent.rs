//! What a proxy sends a second time, and what it does not: in front of nodes that take a request and break the connection, and of
//! nodes that are not there.
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use reqwest::{Client, Method, StatusCode};
use tempfile::TempDir;

use super::{FRONT, configured, haproxy, nginx};
use crate::support::Server;

/// Nothing is asked of it: a request to it is answered at once, so that a test knows that the proxy is there.
const PROBE: &str = "/healthz";

/// What becomes of a request that a node has taken.
#[derive(Clone, Copy)]
pub(super) enum Node {
    /// The connection is broken before there is an answer.
    Breaks,
    /// It is answered: 204.
    Answers,
    /// Nobody listens.
    Absent,
}

/// A node that is none: it counts what it is sent.
pub(super) fn node(how: Node, at: &str, asked: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind(at).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    if !matches!(how, Node::Absent) {
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let asked = asked.clone();
                thread::spawn(move || serve(stream, how, &asked));
            }
        });
    }
    address
}

/// Answers the requests of a connection, which have no bodies.
fn serve(mut stream: TcpStream, how: Node, asked: &AtomicUsize) {
    let (mut text, mut bytes) = (Vec::new(), [0; 4096]);
    loop {
        while !text.ends_with(b"\r\n\r\n") {
            match stream.read(&mut bytes) {
                Ok(length) if length > 0 => text.extend_from_slice(&bytes[..length]),
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&text).into_owned();
        text.clear();
        let path = head.split(' ').nth(1).unwrap_or_default();
        if path != PROBE && path != "/readyz" {
            asked.fetch_add(1, Ordering::SeqCst);
            if matches!(how, Node::Breaks) {
                return;
            }
        }
        let answer = if path == "/readyz" { "200 OK\r\ncontent-length: 0" } else { "204 No Content" };
        if stream.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).is_err() {
            return;
        }
    }
}

/// A proxy of deploy/ in front of such nodes.
struct Front {
    address: String,
    client: Client,
    asked: Arc<AtomicUsize>,
    _proxy: Server,
    _folder: TempDir,
}

impl Front {
    async fn start(file: &str, command: impl FnOnce(&Path) -> Command, nodes: [Node; 3]) -> Front {
        let asked = Arc::new(AtomicUsize::new(0));
        let nodes = nodes.map(|how| node(how, "127.0.0.1:0", asked.clone()));
        let front = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let folder = TempDir::new().unwrap();
        let text = configured(file, &nodes).replace(FRONT, &front);
        std::fs::write(folder.path().join("proxy.conf"), text).unwrap();
        let mut proxy = Server::of(command(folder.path()));
        let (address, client) = (format!("http://{front}"), Client::builder().no_proxy().build().unwrap());
        while client.get(format!("{address}{PROBE}")).send().await.is_err() {
            assert!(!proxy.has_ended(), "the proxy has ended: {}", proxy.said());
        }
        Front { address, client, asked, _proxy: proxy, _folder: folder }
    }

    /// What a request is told, unless its connection is closed, and how often it was sent to a node.
    async fn ask(&self, method: &Method) -> (Option<StatusCode>, usize) {
        self.asked.store(0, Ordering::SeqCst);
        let answer = self.client.request(method.clone(), format!("{}/api/notes/1?filter=a%20b", self.address));
        let status = answer.send().await.ok().map(|answer| answer.status());
        (status, self.asked.load(Ordering::SeqCst))
    }
}

const WRITES: [Method; 3] = [Method::POST, Method::PATCH, Method::DELETE];

#[tokio::test]
async fn nginx_sends_no_write_twice_that_a_node_has_taken() {
    for method in &WRITES {
        let front = Front::start("nginx/nginx.conf", nginx, [Node::Breaks; 3]).await;
        assert_eq!(front.ask(method).await, (Some(StatusCode::BAD_GATEWAY), 1), "{method}");
    }
    // A read is: that the count tells.
    let front = Front::start("nginx/nginx.conf", nginx, [Node::Breaks; 3]).await;
    assert_eq!(front.ask(&Method::GET).await, (Some(StatusCode::BAD_GATEWAY), 3));
}

#[tokio::test]
async fn nginx_asks_another_node_where_the_first_takes_no_connection() {
    for method in WRITES.iter().chain([&Method::GET]) {
        let front = Front::start("nginx/nginx.conf", nginx, [Node::Absent, Node::Absent, Node::Answers]).await;
        for _ in 0..6 {
            assert_eq!(front.ask(method).await, (Some(StatusCode::NO_CONTENT), 1), "{method}");
        }
    }
}

#[tokio::test]
async fn haproxy_sends_no_write_twice_that_a_node_has_taken() {
    let front = Front::start("haproxy/haproxy.cfg", haproxy, [Node::Breaks; 3]).await;
    for method in &WRITES {
        let (status, asked) = front.ask(method).await;
        // It closes a connection without a word that was asked on before.
        assert!(
            status.is_none_or(|status| status == StatusCode::BAD_GATEWAY) && asked == 1,
            "{method}: {status:?}, {asked}"
        );
    }
}

#[tokio::test]
async fn haproxy_asks_another_node_where_the_first_takes_no_connection() {
    let front = Front::start("haproxy/haproxy.cfg", haproxy, [Node::Absent, Node::Absent, Node::Answers]).await;
    for method in &WRITES {
        assert_eq!(front.ask(method).await, (Some(StatusCode::NO_CONTENT), 1), "{method}");
    }
}

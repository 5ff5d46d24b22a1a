//! HAProxy of compose.yaml in front of containers that come late and get other addresses, with names as Docker resolves them.
use std::{
    fs,
    net::{Ipv4Addr, TcpListener, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use reqwest::{Client, StatusCode};
use tempfile::TempDir;

use super::{
    file, haproxy,
    sent::{Node, node},
};
use crate::support::Server;

/// What the configuration says, and what stands there in this test.
const RESOLVER: &str = "127.0.0.11:53";
const FRONT: &str = "bind :8080";
const PORT: &str = ":8090";

/// Tells where the container "a" is, and that there is no other one.
fn resolver(known: Arc<Mutex<Option<Ipv4Addr>>>) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            if let Some(answer) = answer(&bytes[..length], *known.lock().unwrap()) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    address
}

/// The answer to a question about one name: RFC 1035.
fn answer(query: &[u8], known: Option<Ipv4Addr>) -> Option<Vec<u8>> {
    let name = query.get(12..)?;
    let question = name.get(..name.iter().position(|byte| *byte == 0)? + 5)?;
    let known = known.filter(|_| question.starts_with(b"\x01a\0"));
    let is_ipv4 = question.ends_with(&[0, 1, 0, 1]);
    let mut answer = query.get(..2)?.to_vec();
    // An answer of whoever looks names up for others; 3: there is no such name.
    answer.extend([0x81, if known.is_some() { 0x80 } else { 0x83 }]);
    answer.extend([0, 1, 0, u8::from(known.is_some() && is_ipv4), 0, 0, 0, 0]);
    answer.extend(question);
    if let Some(known) = known.filter(|_| is_ipv4) {
        // The name of the question, an address of IPv4 that is good for a second.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
        answer.extend(known.octets());
    }
    Some(answer)
}

#[tokio::test]
async fn the_proxy_of_compose_finds_containers_that_are_made_later_and_again() {
    let known = Arc::new(Mutex::new(None));
    let front = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let port = TcpListener::bind("127.0.0.2:0").unwrap().local_addr().unwrap().port();
    let mut text = file("docker/haproxy.cfg");
    for (named, here) in
        [(RESOLVER, resolver(known.clone())), (FRONT, format!("bind {front}")), (PORT, format!(":{port}"))]
    {
        assert!(text.contains(named), "{named}");
        text = text.replace(named, &here);
    }
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("proxy.conf"), text).unwrap();
    let mut proxy = Server::of(haproxy(folder.path()));
    let client = Client::builder().no_proxy().build().unwrap();
    // It has started, and knows nobody.
    loop {
        assert!(!proxy.has_ended(), "the proxy has ended: {}", proxy.said());
        if let Ok(answer) = client.get(format!("http://{front}/api/notes")).send().await {
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            break;
        }
    }
    for at in [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3)] {
        let asked = Arc::new(AtomicUsize::new(0));
        node(Node::Answers, &format!("{at}:{port}"), asked.clone());
        *known.lock().unwrap() = Some(at);
        while asked.load(Ordering::SeqCst) == 0 {
            let _ = client.get(format!("http://{front}/api/notes")).send().await;
        }
    }
}

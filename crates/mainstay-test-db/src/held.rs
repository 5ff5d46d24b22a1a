//! A transaction beside whoever is tested, open until it is let go: what it locks, others wait for.
use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread::JoinHandle,
};

use tokio_postgres::Client;

use crate::server::on_server;

/// An open transaction of PostgreSQL; it is committed with the value.
#[derive(Debug)]
pub struct Held {
    release: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Held {
    /// Runs SQL in a transaction of its own, and comes back with it open.
    pub(crate) fn begin(name: String, sql: String) -> Held {
        let (ready, is_ready) = channel();
        let (release, released) = channel();
        let thread = std::thread::spawn(move || {
            on_server(&name, async move |client| hold(&client, &sql, ready, released).await);
        });
        is_ready.recv().expect("the transaction is open");
        Held { release: Some(release), thread: Some(thread) }
    }
}

async fn hold(client: &Client, sql: &str, ready: Sender<()>, released: Receiver<()>) {
    client.batch_execute(&format!("BEGIN; {sql}")).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let _ = ready.send(());
    // Nothing else runs on this thread.
    let _ = released.recv();
    client.batch_execute("COMMIT").await.expect("what was held is let go");
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.release.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

//! Nodes that are started anew one after the other, each as soon as the one before is there again.
use super::{AWAY_ASKED, Clients, NODES, Site};

/// The shortest that the configuration allows.
const SHORT_DRAIN_MS: &str = "2000";

impl Site {
    /// Starts a node that has ended, where it was.
    fn start_again(&mut self, number: usize) {
        let (project, ended) = self.nodes.remove(number);
        let address = ended.address().trim_start_matches("http://").to_owned();
        let project = project.env("MAINSTAY_SERVER_LISTEN", &address);
        let server = project.env("MAINSTAY_SERVER_DRAIN_DELAY_MS", SHORT_DRAIN_MS);
        let started = server.start(&["serve"]);
        started.address();
        self.nodes.insert(number, (server, started));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_refuses_nobody_while_all_nodes_are_started_anew() {
    let mut site = Site::nginx().await;
    let clients = Clients::start(&site);
    // The second time each of them ends soon after the one before is there.
    for number in (0..NODES.len()).chain(0..NODES.len()) {
        site.stop(number);
        clients.ask(AWAY_ASKED).await;
        tokio::task::block_in_place(|| site.start_again(number));
    }
    clients.end(&site).await;
}

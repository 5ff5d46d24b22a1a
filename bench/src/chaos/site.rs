//! What is broken: a PostgreSQL, three nodes on it, each by a way that can be cut, and nginx in front.
use std::{
    fs::{self, Permissions},
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use mainstay_servers::{Keeps, Postgres, Stop};

use super::relay::{Relay, Way};
use crate::{
    Outcome,
    process::{Process, free_address, run},
    project,
};

/// How many nodes there are; `deploy/nginx/nginx.conf` names as many.
pub(super) const NODES: usize = 3;
/// What the configuration calls them, and where it listens.
const NODE_ADDRESSES: [&str; NODES] = ["127.0.0.1:8091", "127.0.0.1:8092", "127.0.0.1:8093"];
const FRONT_ADDRESS: &str = "127.0.0.1:8080";
/// What answers well when everything of a node does.
const READY_PATH: &str = "/readyz";
/// How long a node that goes still answers.
const DRAIN_DELAY_MS: &str = "1000";

/// Records are never changed but by their writers; an account is counted up in a batch with a new entry.
const SCHEMA: &str = r#"
type Account @rules(read: "auth.id != null", write: "auth.id != null") { name: String! @unique counter: Int! }
type Entry @rules(read: "auth.id != null", create: "auth.id != null") { writer: Int! number: Int! }
"#;

const SETTINGS: &str = "[auth]\njwt_secret = \"a secret that is only good for the harness\"\n";

/// All of it; it ends with the value.
pub(super) struct Site {
    postgres: Postgres,
    folder: PathBuf,
    binary: PathBuf,
    nodes: Vec<Node>,
    /// It ends with the value.
    _nginx: Option<Process>,
    front: SocketAddr,
}

struct Node {
    name: String,
    address: SocketAddr,
    relay: Relay,
    process: Option<Process>,
}

impl Site {
    /// Starts everything, and waits until it answers.
    pub(super) async fn start(binary: &Path, nginx: &Path, folder: &Path) -> Outcome<Site> {
        let (cluster, project) = (folder.join("postgres"), folder.join("project"));
        fs::create_dir_all(&cluster)?;
        // The account that runs the database has to reach its folder.
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        project::write_into(&project, SCHEMA, SETTINGS)?;
        let postgres = Postgres::start(&cluster, Keeps::Promises).map_err(|problems| problems.join("\n"))?;
        let database = SocketAddr::from(([127, 0, 0, 1], postgres.port()));
        let mut nodes = Vec::with_capacity(NODES);
        for number in 0..NODES {
            let relay = Relay::start(database).await?;
            nodes.push(Node { name: format!("node-{number}"), address: free_address()?, relay, process: None });
        }
        let (binary, front) = (fs::canonicalize(binary)?, free_address()?);
        let mut site = Site { postgres, folder: folder.to_owned(), binary, nodes, _nginx: None, front };
        for number in 0..NODES {
            site.begin(number).await?;
        }
        site.start_nginx(nginx).await?;
        Ok(site)
    }

    /// Where clients ask.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.front)
    }

    /// Where a node itself is asked.
    pub(super) fn node_url(&self, number: usize, path: &str) -> String {
        format!("http://{}{path}", self.nodes[number].address)
    }

    /// A bearer token; `more` are arguments of `mainstay token`.
    pub(super) fn token(&self, more: &[&str]) -> Outcome<String> {
        Ok(run(self.command().args(["token", "--sub", "chaos", "--ttl", "7d"]).args(more))?.trim().to_owned())
    }

    /// Starts a node that is not there, and waits until it is ready.
    pub(super) async fn begin(&mut self, number: usize) -> Outcome<()> {
        let node = &self.nodes[number];
        let mut command = self.command();
        command.args(["serve", "--apply", "safe"]);
        command.env("MAINSTAY_DATABASE_URL", format!("postgres://postgres@{}/postgres", node.relay.address));
        command.env("MAINSTAY_SERVER_LISTEN", node.address.to_string()).env("MAINSTAY_SERVER_NODE", &node.name);
        command.env("MAINSTAY_SERVER_DRAIN_DELAY_MS", DRAIN_DELAY_MS);
        let log = self.folder.join(format!("{}.log", node.name));
        let mut process = Process::start(command, node.address, &log)?;
        process.ready(READY_PATH).await?;
        self.nodes[number].process = Some(process);
        Ok(())
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self, number: usize) -> Outcome<()> {
        self.nodes[number].process.take().map_or(Ok(()), Process::kill)
    }

    /// SIGTERM, and waits for the end.
    pub(super) async fn stop(&mut self, number: usize) -> Outcome<()> {
        match self.nodes[number].process.take() {
            Some(process) => tokio::task::spawn_blocking(|| process.stop().map_err(|error| error.to_string()))
                .await?
                .map_err(Into::into),
            None => Ok(()),
        }
    }

    /// What a node's way to the database lets through.
    pub(super) fn way(&self, number: usize, way: Way) {
        self.nodes[number].relay.become_way(way);
    }

    /// Stops the database and starts it again.
    pub(super) fn restart_database(&self, how: Stop) -> Outcome<()> {
        self.postgres.end(how).and_then(|()| self.postgres.begin()).map_err(|problems| problems.join("\n").into())
    }

    /// Waits until each node that is there says that it is ready.
    pub(super) async fn all_ready(&mut self) -> Outcome<Duration> {
        let mut longest = Duration::ZERO;
        for process in self.nodes.iter_mut().filter_map(|node| node.process.as_mut()) {
            longest = longest.max(process.again(READY_PATH).await?);
        }
        Ok(longest)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(self.folder.join("project"));
        command
    }

    async fn start_nginx(&mut self, configuration: &Path) -> Outcome<()> {
        let text = fs::read_to_string(configuration)?;
        let text = NODE_ADDRESSES
            .iter()
            .zip(&self.nodes)
            .fold(text, |text, (address, node)| text.replace(address, &node.address.to_string()));
        let folder = self.folder.join("nginx");
        fs::create_dir_all(&folder)?;
        let file = folder.join("nginx.conf");
        fs::write(&file, text.replace(FRONT_ADDRESS, &self.front.to_string()))?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&folder).arg("-c").arg(&file).args([
            "-e",
            "stderr",
            "-g",
            "daemon off; master_process off;",
        ]);
        let mut nginx = Process::start(command, self.front, &self.folder.join("nginx.log"))?;
        nginx.ready(READY_PATH).await?;
        self._nginx = Some(nginx);
        Ok(())
    }
}

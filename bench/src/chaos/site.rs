//! What is broken: a PostgreSQL, three nodes on it, each by a way that can be cut, and nginx in front.
use std::{
    fs::{self, Permissions},
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use mainstay_servers::{Keeps, Postgres, Stop};

use super::{
    Setup,
    relay::{Relay, Way},
};
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
/// The settings of a node: how long one that goes still answers, and limits that a cut often lasts longer than.
const LIMITS: [(&str, &str); 4] = [
    ("MAINSTAY_SERVER_DRAIN_DELAY_MS", "2000"),
    ("MAINSTAY_DATABASE_STATEMENT_MS_MAX", "3000"),
    ("MAINSTAY_NODES_HEARTBEAT_MS", "500"),
    ("MAINSTAY_NODES_GONE_AFTER_MS", "2500"),
];

/// Records are never changed but by their writers; an account is counted up in a batch with a new entry.
const SCHEMA: &str = r#"
type Account @rules(read: "auth.id != null", write: "auth.id != null") { name: String! @unique counter: Int! }
type Entry @rules(read: "auth.id != null", create: "auth.id != null") { writer: Int! number: Int! }
"#;

/// What a database does that is not to be trusted: it loses a record, has one twice, makes one up, miscounts, forgets another, and tells
/// the last change twice.
const SABOTAGE: &[&str] = &[
    "DELETE FROM entries WHERE id = (SELECT id FROM entries ORDER BY id LIMIT 1)",
    "INSERT INTO entries SELECT (json_populate_record(e, json_build_object('id', gen_random_uuid()))).* FROM entries AS e \
     WHERE id = (SELECT id FROM entries ORDER BY id LIMIT 1)",
    "INSERT INTO entries SELECT (json_populate_record(e, json_build_object('id', gen_random_uuid(), 'writer', 1000000))).* \
     FROM entries AS e WHERE id = (SELECT id FROM entries ORDER BY id LIMIT 1)",
    "UPDATE accounts SET counter = counter + 1 WHERE name = 'account 0'",
    "DELETE FROM accounts WHERE name = 'account 1'",
    "INSERT INTO mainstay_changes (collection, record, op, version, before, after, caller, time, request) \
     SELECT collection, record, op, version, before, after, caller, time, request FROM mainstay_changes \
     ORDER BY xid DESC, seq DESC LIMIT 1",
];

const SETTINGS: &str = "[auth]\njwt_secret = \"a secret that is only good for the harness\"\n";

/// All of it; it ends with the value.
pub(super) struct Site {
    postgres: Arc<Postgres>,
    /// Whether nodes are killed where they should be stopped.
    kills: bool,
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
    pub(super) async fn start(setup: &Setup) -> Outcome<Site> {
        let Setup { mainstay: binary, nginx, folder, sabotage, .. } = setup;
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
        let (postgres, folder) = (Arc::new(postgres), folder.clone());
        let mut site = Site { postgres, kills: *sabotage, folder, binary, nodes, _nginx: None, front };
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
        command.envs(LIMITS);
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
        if self.kills {
            return self.kill(number);
        }
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

    /// Stops the database, and starts it again after a while.
    pub(super) async fn restart_database(&self, how: Stop, away: Duration) -> Outcome<()> {
        self.with_postgres(move |postgres| postgres.end(how)).await?;
        tokio::time::sleep(away).await;
        self.with_postgres(Postgres::begin).await
    }

    /// Loses data, and makes some up.
    pub(super) async fn sabotage(&self) -> Outcome<()> {
        self.with_postgres(|postgres| postgres.sql("postgres", SABOTAGE).map(drop)).await
    }

    /// Does something that takes its time, while writers, readers and relays go on.
    async fn with_postgres(
        &self,
        work: impl FnOnce(&Postgres) -> Result<(), Vec<String>> + Send + 'static,
    ) -> Outcome<()> {
        let postgres = self.postgres.clone();
        let done = tokio::task::spawn_blocking(move || work(&postgres)).await?;
        done.map_err(|problems| problems.join("\n").into())
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

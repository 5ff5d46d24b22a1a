//! Closed-loop load: some connections, each sending its next request when the last is answered.
//!
//! All of them live on the calling thread, so that a machine shared with the server is shared fairly.
use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::task::{JoinSet, LocalSet};

use crate::{
    Outcome,
    histogram::Histogram,
    http::Connection,
    postgres::{self, Database},
    process::{Process, cpu_parts_us, rss_kib, thread_cpu_us},
    random::Random,
    requests::Requests,
};

/// How long an answer may take beyond the round before the round has failed.
const OVERTIME: Duration = Duration::from_secs(30);

/// What is driven: a server of one process or several, in front of its database.
#[derive(Clone)]
pub struct Target {
    /// Where each process listens, and its number. Connections go to them in turn.
    pub nodes: Vec<(SocketAddr, u32)>,
    /// The database, where it is a server of its own.
    pub database: Option<Rc<Database>>,
}

/// How a round is driven.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Connections.
    pub connections: usize,
    /// How long requests are sent before they count.
    pub warm_up: Duration,
    /// How long they count.
    pub measure: Duration,
    /// Where the random numbers begin.
    pub seed: u64,
}

/// The figures of one round.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    /// Answers a second.
    pub requests_per_second: f64,
    /// Half of the answers came within so many microseconds.
    pub p50_us: f64,
    /// All but one in a hundred did.
    pub p99_us: f64,
    /// The server's time on a processor for each request.
    pub server_cpu_us: f64,
    /// What of it was in the kernel: sockets, and the disk where the database is embedded.
    pub server_kernel_us: f64,
    /// The time of the database's own processes for each request.
    pub database_cpu_us: f64,
    /// The load generator's.
    pub client_cpu_us: f64,
    /// The server's memory at the end.
    pub server_rss_kib: u64,
    /// Answers that were not 2xx.
    pub errors: u64,
    /// The first of them.
    pub first_error: Option<String>,
}

/// What the connections share.
#[derive(Default)]
struct Tally {
    counting: Cell<bool>,
    stop: Cell<bool>,
    latencies: RefCell<Histogram>,
    errors: Cell<u64>,
    first_error: RefCell<Option<String>>,
}

impl Target {
    /// A server of one process.
    pub fn new(process: &Process) -> Self {
        Target { nodes: vec![(process.address, process.pid())], database: None }
    }

    /// The same in front of a database that is a server of its own.
    pub fn with_database(self, database: &Rc<Database>) -> Self {
        Target { database: Some(database.clone()), ..self }
    }

    /// The same with another process beside it.
    pub fn and(mut self, process: &Process) -> Self {
        self.nodes.push((process.address, process.pid()));
        self
    }

    /// Microseconds of all processes, in user mode and in the kernel.
    fn cpu_us(&self) -> Outcome<[u64; 2]> {
        self.nodes.iter().try_fold([0, 0], |[user, kernel], (_, pid)| {
            let [more_user, more_kernel] = cpu_parts_us(*pid)?;
            Ok([user + more_user, kernel + more_kernel])
        })
    }
}

/// Drives a server for one round. Must run on a current-thread runtime.
pub async fn drive(target: &Target, requests: &Requests, pace: Pace) -> Outcome<Round> {
    let local = LocalSet::new();
    local.run_until(round(target, requests, pace)).await
}

async fn round(target: &Target, requests: &Requests, pace: Pace) -> Outcome<Round> {
    let tally = Rc::new(Tally::default());
    let mut connections = JoinSet::new();
    for (number, (address, _)) in (0..pace.connections).zip(target.nodes.iter().cycle()) {
        let connection = Connection::open(*address).await?;
        let random = Random::new(pace.seed).split(number as u64);
        connections.spawn_local(ask(connection, requests.clone(), random, tally.clone()));
    }
    tokio::time::sleep(pace.warm_up).await;
    let begun = Begun::now(target).await?;
    let began = Instant::now();
    tally.latencies.borrow_mut().clear();
    tally.counting.set(true);
    tokio::time::sleep(pace.measure).await;
    tally.counting.set(false);
    let seconds = began.elapsed().as_secs_f64();
    let spent = begun.end(target).await?;
    tally.stop.set(true);
    let ends = tokio::time::timeout(OVERTIME, connections.join_all()).await;
    for end in ends.map_err(|_| format!("an answer took longer than {} s", OVERTIME.as_secs()))? {
        end?;
    }
    let latencies = tally.latencies.borrow();
    let answers = latencies.total().max(1) as f64;
    Ok(Round {
        requests_per_second: latencies.total() as f64 / seconds,
        p50_us: latencies.quantile(0.5) as f64 / 1000.0,
        p99_us: latencies.quantile(0.99) as f64 / 1000.0,
        server_cpu_us: (spent.user + spent.kernel) / answers,
        server_kernel_us: spent.kernel / answers,
        database_cpu_us: spent.database / answers,
        client_cpu_us: spent.client / answers,
        server_rss_kib: target.nodes.iter().map(|(_, pid)| rss_kib(*pid)).sum::<Outcome<u64>>()?,
        errors: tally.errors.get(),
        first_error: tally.first_error.take(),
    })
}

/// Where everybody's processor time stood.
struct Begun {
    server: [u64; 2],
    client: f64,
    database: Option<postgres::Spent>,
}

/// Processor time since then, in microseconds.
struct Spent {
    user: f64,
    kernel: f64,
    client: f64,
    database: f64,
}

impl Begun {
    async fn now(target: &Target) -> Outcome<Begun> {
        let database = match &target.database {
            Some(database) => Some(database.spent().await?),
            None => None,
        };
        Ok(Begun { server: target.cpu_us()?, client: thread_cpu_us()?, database })
    }

    async fn end(self, target: &Target) -> Outcome<Spent> {
        let (server, client) = (target.cpu_us()?, thread_cpu_us()?);
        let database = match target.database.as_ref().zip(self.database.as_ref()) {
            Some((database, before)) => database.spent().await?.since_us(before),
            None => 0.0,
        };
        let [user, kernel] = [0, 1].map(|at| server[at].saturating_sub(self.server[at]) as f64);
        Ok(Spent { user, kernel, client: client - self.client, database })
    }
}

/// One connection, until it is told to stop.
async fn ask(mut connection: Connection, requests: Requests, mut random: Random, tally: Rc<Tally>) -> Outcome<()> {
    let mut text = Vec::with_capacity(512);
    while !tally.stop.get() {
        requests.write(&mut random, &mut text);
        let sent = Instant::now();
        let answer = connection.exchange(&text).await?;
        let nanos = sent.elapsed().as_nanos() as u64;
        if answer.status / 100 != 2 {
            tally.errors.set(tally.errors.get() + 1);
            let say = || format!("{} {}", answer.status, String::from_utf8_lossy(answer.body));
            tally.first_error.borrow_mut().get_or_insert_with(say);
        }
        if tally.counting.get() {
            tally.latencies.borrow_mut().add(nanos);
        }
    }
    Ok(())
}

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
    process::{cpu_us, rss_kib, thread_cpu_us},
    random::Random,
    requests::Requests,
};

/// How long an answer may take beyond the round before the round has failed.
const OVERTIME: Duration = Duration::from_secs(30);

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

/// Drives the server at `address`, whose process is `pid`, for one round. Must run on a current-thread runtime.
pub async fn drive(address: SocketAddr, pid: u32, requests: &Requests, pace: Pace) -> Outcome<Round> {
    let local = LocalSet::new();
    local.run_until(round(address, pid, requests, pace)).await
}

async fn round(address: SocketAddr, pid: u32, requests: &Requests, pace: Pace) -> Outcome<Round> {
    let tally = Rc::new(Tally::default());
    let mut connections = JoinSet::new();
    for number in 0..pace.connections {
        let connection = Connection::open(address).await?;
        let random = Random::new(pace.seed).split(number as u64);
        connections.spawn_local(ask(connection, requests.clone(), random, tally.clone()));
    }
    tokio::time::sleep(pace.warm_up).await;
    let (server, client, began) = (cpu_us(pid)?, thread_cpu_us()?, Instant::now());
    tally.latencies.borrow_mut().clear();
    tally.counting.set(true);
    tokio::time::sleep(pace.measure).await;
    tally.counting.set(false);
    let (server, client, seconds) = (cpu_us(pid)? - server, thread_cpu_us()? - client, began.elapsed().as_secs_f64());
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
        server_cpu_us: server as f64 / answers,
        client_cpu_us: client / answers,
        server_rss_kib: rss_kib(pid)?,
        errors: tally.errors.get(),
        first_error: tally.first_error.take(),
    })
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

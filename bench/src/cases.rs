//! What is asked of both sides, and how near the one must come to the other.
use std::{net::SocketAddr, rc::Rc};

use serde::Serialize;
use uuid::Uuid;

use crate::{
    Outcome,
    bare::Bare,
    http::Connection,
    load::{Pace, Round, drive},
    process::Process,
    random::Random,
    requests::{Requests, Shape},
};

/// One side of a comparison.
pub enum Side {
    /// A server under load.
    Server {
        /// Where it listens.
        address: SocketAddr,
        /// Its process.
        pid: u32,
        /// What it is asked.
        requests: Requests,
    },
    /// A statement in SQLite.
    Bare(Bare),
}

/// How near the subject must come to the base, at 16 connections and more.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Goal {
    /// Its requests a second, as a part of the base's, at least.
    pub rate_min: Option<f64>,
    /// Its processor time for a request, as a multiple of the base's, at most.
    pub cpu_max: Option<f64>,
    /// Its p99 at 64 connections is at most the base's.
    pub p99: bool,
}

/// One comparison.
pub struct Case {
    /// What it is called in the table.
    pub name: String,
    /// What it is measured against.
    pub base: Side,
    /// What is measured.
    pub subject: Side,
    /// How near it must come.
    pub goal: Goal,
    /// What an answer of both must hold, and how often, so that two different things are never compared.
    pub holds: Option<(&'static str, usize)>,
}

/// A collection on a server, as one caller sees it.
#[derive(Clone)]
pub struct Place {
    /// Where the server listens.
    pub address: SocketAddr,
    /// Its process.
    pub pid: u32,
    /// The collection.
    pub path: String,
    /// What makes the collection's address a page of 20, newest first.
    pub page: String,
    /// The caller.
    pub token: Option<String>,
    /// The records that the caller may read and change.
    pub ids: Rc<Vec<Uuid>>,
}

impl Place {
    /// A collection for everybody.
    pub fn new(server: &Process, path: &str, page: &str) -> Self {
        let (path, page) = (path.to_owned(), page.to_owned());
        Place { address: server.address, pid: server.pid(), path, page, token: None, ids: Rc::default() }
    }

    /// The same with these records.
    pub fn with_ids(self, ids: Vec<Uuid>) -> Self {
        Place { ids: Rc::new(ids), ..self }
    }

    /// The same for a caller with this token.
    pub fn with_token(self, token: &str) -> Self {
        Place { token: Some(token.to_owned()), ..self }
    }

    fn side(&self, shape: Shape) -> Side {
        let requests = Requests::new(shape, &self.path, self.token.as_deref());
        Side::Server { address: self.address, pid: self.pid, requests }
    }

    /// A page of 20.
    pub fn page(&self) -> Side {
        self.side(Shape::Get(self.page.clone()))
    }
}

/// The four operations on two equal tables. Creates come last, for they let the tables grow.
pub fn four(suffix: &str, base: &Place, subject: &Place, goals: [Goal; 4]) -> Vec<Case> {
    let case = |name: &str, goal, holds, shape: &dyn Fn(&Place) -> Shape| Case {
        name: format!("{name}{suffix}"),
        base: base.side(shape(base)),
        subject: subject.side(shape(subject)),
        goal,
        holds,
    };
    let [read, page, patch, create] = goals;
    vec![
        case("read by id", read, Some(("\"id\":", 1)), &|place| Shape::Read(place.ids.clone())),
        case("page of 20", page, Some(("\"id\":", 20)), &|place| Shape::Get(place.page.clone())),
        case("patch", patch, Some(("\"id\":", 1)), &|place| Shape::Patch(place.ids.clone())),
        case("create", create, Some(("\"id\":", 1)), &|_| Shape::Create),
    ]
}

/// How near a general server must come to the hand-written one: read, page, patch, create.
pub const AGAINST_YARDSTICK: [Goal; 4] = [
    Goal { rate_min: Some(0.80), cpu_max: Some(1.35), p99: true },
    Goal { rate_min: Some(0.85), cpu_max: Some(1.25), p99: true },
    Goal { rate_min: Some(0.75), cpu_max: Some(1.5), p99: true },
    Goal { rate_min: Some(0.75), cpu_max: Some(1.5), p99: true },
];

/// What an owner rule and a token may cost.
pub const WITH_OWNER_RULE: Goal = Goal { rate_min: Some(0.90), cpu_max: None, p99: false };
/// What a rule through a link may cost.
pub const THROUGH_A_LINK: Goal = Goal { rate_min: Some(0.70), cpu_max: None, p99: false };
/// What a nested page may cost, of the bare statement.
pub const NESTED: Goal = Goal { rate_min: None, cpu_max: Some(1.5), p99: false };

impl Side {
    /// One round.
    pub async fn round(&self, pace: Pace) -> Outcome<Round> {
        match self {
            Side::Server { address, pid, requests } => drive(*address, *pid, requests, pace).await,
            Side::Bare(bare) => bare.round(pace.warm_up, pace.measure),
        }
    }

    /// One answer, which must be a good one.
    pub async fn answer(&self) -> Outcome<Vec<u8>> {
        let mut out = Vec::new();
        match self {
            Side::Bare(bare) => bare.answer(&mut out)?,
            Side::Server { address, requests, .. } => {
                let mut text = Vec::new();
                requests.write(&mut Random::new(1), &mut text);
                let mut connection = Connection::open(*address).await?;
                let answer = connection.exchange(&text).await?;
                if answer.status / 100 != 2 {
                    let (text, body) = (String::from_utf8_lossy(&text), String::from_utf8_lossy(answer.body));
                    return Err(format!("{text}\nis answered with {}: {body}", answer.status).into());
                }
                out.extend_from_slice(answer.body);
            }
        }
        Ok(out)
    }
}

impl Case {
    /// Asks both sides once and gives the bytes of their answers; an answer that holds something else is an error.
    pub async fn probe(&self) -> Outcome<[usize; 2]> {
        let mut sizes = [0, 0];
        for (side, size) in [&self.base, &self.subject].into_iter().zip(&mut sizes) {
            let answer = String::from_utf8(side.answer().await?)?;
            if let Some((text, times)) = self.holds
                && answer.matches(text).count() != times
            {
                return Err(format!("{}: {text} is not {times} times in this answer:\n{answer}", self.name).into());
            }
            *size = answer.len();
        }
        Ok(sizes)
    }
}

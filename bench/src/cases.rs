//! What is asked of both sides, and how near the one must come to the other.
use std::rc::Rc;

use serde::Serialize;
use uuid::Uuid;

use crate::{
    Outcome,
    bare::{Bare, BarePostgres},
    http::Connection,
    load::{Pace, Round, Target, drive},
    process::Process,
    random::Random,
    requests::{Requests, Shape},
};

/// One side of a comparison.
pub enum Side {
    /// A server under load.
    Server {
        /// Its processes.
        target: Target,
        /// What it is asked.
        requests: Requests,
    },
    /// A statement in SQLite.
    Bare(Bare),
    /// A statement in PostgreSQL.
    BarePostgres(BarePostgres),
}

/// How near the subject must come to the base, at 16 connections and more.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Goal {
    /// Its requests a second, as a part of the base's, at least.
    pub rate_min: Option<f64>,
    /// Its processor time for a request, as a multiple of the base's, at most.
    pub cpu_max: Option<f64>,
    /// Its processor time for a request in microseconds, at most.
    pub cpu_us_max: Option<f64>,
    /// Its processor time and that of its database together, as a multiple of the base's, at most.
    pub total_max: Option<f64>,
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
    /// The server.
    pub target: Target,
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
        Place::at(Target::new(server), path, page)
    }

    /// The same on this server.
    pub fn at(target: Target, path: &str, page: &str) -> Self {
        Place { target, path: path.to_owned(), page: page.to_owned(), token: None, ids: Rc::default() }
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
        Side::Server { target: self.target.clone(), requests }
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

/// The two writes of a table that the change feed tells of, against its silent twin.
pub fn feed(quiet: &Place, told: &Place) -> Vec<Case> {
    four(" (change feed, of without)", quiet, told, [WITH_FEED; 4]).split_off(2)
}

/// A goal that everything reaches.
pub const NONE: Goal = Goal { rate_min: None, cpu_max: None, cpu_us_max: None, total_max: None, p99: false };

/// How near a general server must come to the hand-written one: read, page, patch, create.
pub const AGAINST_YARDSTICK: [Goal; 4] = [
    Goal { rate_min: Some(0.80), cpu_max: Some(1.35), p99: true, ..NONE },
    Goal { rate_min: Some(0.85), cpu_max: Some(1.25), p99: true, ..NONE },
    Goal { rate_min: Some(0.75), cpu_max: Some(1.5), p99: true, ..NONE },
    Goal { rate_min: Some(0.75), cpu_max: Some(1.5), p99: true, ..NONE },
];

/// The same on PostgreSQL, where most of the time is the database's.
pub const AGAINST_BARE_POSTGRES: [Goal; 4] = [
    Goal { rate_min: Some(0.75), cpu_us_max: Some(40.0), ..NONE },
    Goal { rate_min: Some(0.75), ..NONE },
    Goal { rate_min: Some(0.75), ..NONE },
    Goal { rate_min: Some(0.75), ..NONE },
];

/// What an owner rule and a token may cost.
pub const WITH_OWNER_RULE: Goal = Goal { rate_min: Some(0.90), ..NONE };
/// What a rule through a link may cost.
pub const THROUGH_A_LINK: Goal = Goal { rate_min: Some(0.70), ..NONE };
/// What a nested page may cost, of the bare statement.
pub const NESTED: Goal = Goal { cpu_max: Some(1.5), ..NONE };
/// The same on PostgreSQL.
pub const NESTED_POSTGRES: Goal = Goal { total_max: Some(1.25), ..NONE };
/// What the change feed may cost a write: a fifth.
pub const WITH_FEED: Goal = Goal { rate_min: Some(0.83), ..NONE };
/// What several processes may cost, of one.
pub const SEVERAL_PROCESSES: Goal = Goal { cpu_max: Some(1.10), ..NONE };

impl Side {
    /// One round.
    pub async fn round(&self, pace: Pace) -> Outcome<Round> {
        match self {
            Side::Server { target, requests } => drive(target, requests, pace).await,
            Side::Bare(bare) => bare.round(pace.warm_up, pace.measure),
            Side::BarePostgres(bare) => bare.round(pace.warm_up, pace.measure).await,
        }
    }

    /// One answer, which must be a good one.
    pub async fn answer(&self) -> Outcome<Vec<u8>> {
        let mut out = Vec::new();
        match self {
            Side::Bare(bare) => bare.answer(&mut out)?,
            Side::BarePostgres(bare) => bare.answer(&mut out).await?,
            Side::Server { target, requests } => {
                let mut text = Vec::new();
                requests.write(&mut Random::new(1), &mut text);
                let (address, _) = target.nodes.first().ok_or("a server without a process")?;
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
            let answer = side.answer().await?;
            if let Some((text, times)) = self.holds
                && times_in(&answer, text) != times
            {
                let answer = String::from_utf8_lossy(&answer);
                return Err(format!("{}: {text} is not {times} times in this answer:\n{answer}", self.name).into());
            }
            *size = answer.len();
        }
        Ok(sizes)
    }
}

/// How often a text is there, in bytes of which others may be no text: a database sends keys and times as it keeps them.
fn times_in(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_holds_is_found_beside_bytes_that_are_no_text() {
        let answer = b"\x01\x8b\xcf\xe5\t{\"text\":1}\t\xff{\"text\":2}\n";
        assert_eq!(times_in(answer, "\"text\":"), 2);
        assert_eq!(times_in(b"", "\"text\":"), 0);
    }
}

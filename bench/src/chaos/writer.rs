//! Writers that send each write, with a key of its own, until it is acknowledged.
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use reqwest::{Client, Response};
use serde_json::{Value as Json, json};

use super::{Violation, calm::Failure};
use crate::random::Random;

/// How long a writer waits before it sends a write again.
const AGAIN: Duration = Duration::from_millis(20);
/// One write in so many counts up an account that others count up too.
const BATCH_ONE_IN: u64 = 3;
/// How long a write may take to be acknowledged, over all its attempts.
const PATIENCE: Duration = Duration::from_secs(120);

/// What all writers share.
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) entries: String,
    pub(super) batch: String,
    pub(super) token: String,
    /// The keys of the accounts.
    pub(super) accounts: Vec<String>,
    /// Whether no more writes are begun.
    pub(super) over: Cell<bool>,
    /// Attempts that came to nothing.
    pub(super) failures: RefCell<Vec<Failure>>,
    pub(super) violations: RefCell<Vec<Violation>>,
}

/// What one writer has had acknowledged.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    pub(super) writer: u64,
    /// Entries, numbered from 0.
    pub(super) entries: u64,
    /// How often each account was counted up.
    pub(super) counted: Vec<u64>,
    /// The longest that a write took, over all its attempts.
    pub(super) slowest: Duration,
}

/// Writes until it is over.
pub(super) async fn write(shared: Rc<Shared>, writer: u64, mut random: Random) -> Acknowledged {
    let mut done = Acknowledged { writer, counted: vec![0; shared.accounts.len()], ..Acknowledged::default() };
    while !shared.over.get() {
        let entry = json!({ "writer": writer, "number": done.entries });
        let account = random.below(shared.accounts.len() as u64) as usize;
        let counts = random.below(BATCH_ONE_IN) == 0;
        let (url, body) = if counts {
            let add = json!({ "counter": { "add": 1 } });
            let count = json!({ "op": "update", "in": "accounts", "id": shared.accounts[account], "data": add });
            let create = json!({ "op": "create", "in": "entries", "data": entry });
            (&shared.batch, json!({ "ops": [count, create] }))
        } else {
            (&shared.entries, entry)
        };
        let began = Instant::now();
        let key = format!("{writer}-{}", done.entries);
        if !shared.until_acknowledged(url, &key, &body).await {
            return done;
        }
        done.slowest = done.slowest.max(began.elapsed());
        done.entries += 1;
        done.counted[account] += u64::from(counts);
    }
    done
}

impl Shared {
    /// Sends a write again and again; whether it was acknowledged.
    async fn until_acknowledged(&self, url: &str, key: &str, body: &Json) -> bool {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let sent = Instant::now();
            let request = self.client.post(url).bearer_auth(&self.token).header("idempotency-key", key).json(body);
            let why = match request.send().await {
                Ok(answer) if answer.status().is_success() => return true,
                Ok(answer) if answer.status().is_client_error() => {
                    self.violation(format!("write {key} is refused: {}", told(answer).await));
                    return false;
                }
                Ok(answer) => told(answer).await,
                Err(error) => format!("{error:?}"),
            };
            self.failures.borrow_mut().push(Failure { sent, told: Instant::now(), why });
            tokio::time::sleep(AGAIN).await;
        }
        self.violation(format!("write {key} was not acknowledged in {} s", PATIENCE.as_secs()));
        false
    }

    fn violation(&self, text: String) {
        self.violations.borrow_mut().push(Violation(text));
    }
}

async fn told(answer: Response) -> String {
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    let code = serde_json::from_str::<Json>(&text).ok().and_then(|json| Some(json["code"].as_str()?.to_owned()));
    format!("{} {}", status.as_u16(), code.unwrap_or_else(|| text.chars().take(80).collect()))
}

//! Who waits for changes is woken by those who write, here and on other nodes, and nobody who writes waits for that: a NOTIFY inside
//! of a transaction would have all commits of the database stand in a row.
//!
//! 1. A write that is kept tells [`Wake`]; for all of a few milliseconds together one NOTIFY goes out, by itself.
//! 2. While somebody waits here, one connection listens. What it hears, what is written here, and a while in which nothing is heard
//!    have it look how far the feed is: readers are woken when it went on, so that a lost word costs that while and no more.
//! 3. What is committed but not yet below the horizon is looked for again soon: nobody tells when the transactions end that hold it.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{
    engine::{Engine, Inner},
    failure::told,
    feed::{END, horizon},
};
use crate::StoreError;

/// One word to the others stands for all writes of so long: each costs the database as much as a write.
const TOLD_EVERY: Duration = Duration::from_millis(50);
/// One look stands for everything that is heard in so long.
const LOOK_EVERY: Duration = Duration::from_millis(4);

const LISTEN: &str =
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY; LISTEN mainstay_changes";
const NOTIFY: &str = "NOTIFY mainstay_changes";

/// Who is told of changes.
pub(super) struct Wake {
    /// Counts how often the feed went on.
    readers: watch::Sender<u64>,
    /// The feed may have gone on.
    heard: Arc<Notify>,
    /// Something was written here.
    wrote: Notify,
    is_listening: AtomicBool,
}

impl Wake {
    pub(super) fn new() -> Wake {
        Wake {
            readers: watch::Sender::new(0),
            heard: Arc::default(),
            wrote: Notify::new(),
            is_listening: AtomicBool::new(false),
        }
    }

    /// Changes were committed here.
    pub(super) fn wrote(&self) {
        self.heard.notify_one();
        self.wrote.notify_one();
    }

    /// Wakes all readers.
    pub(super) fn everybody(&self) {
        self.readers.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Engine {
    pub(crate) fn committed(&self) -> watch::Receiver<u64> {
        let readers = self.inner.wake.readers.subscribe();
        if !self.inner.wake.is_listening.swap(true, Ordering::AcqRel) {
            let inner = self.inner.clone();
            if let Err(error) = self.own.spawn(async move || listen(&inner).await) {
                tracing::debug!(%error, "nobody listens for changes");
            }
        }
        readers
    }
}

/// Tells the others of what is written here, as long as the engine runs.
pub(super) async fn announce(inner: &Inner) {
    loop {
        inner.wake.wrote.notified().await;
        if let Err(error) = notify(inner).await {
            tracing::debug!(%error, "other nodes cannot be told of changes; they look for themselves");
        }
        sleep(TOLD_EVERY).await;
    }
}

async fn notify(inner: &Inner) -> Result<(), StoreError> {
    let mut held = inner.take_own().await?;
    let outcome = held.connection()?.client().batch_execute(NOTIFY).await;
    outcome.map_err(|error| StoreError::Unavailable(told(&error)))
}

/// Wakes readers when the feed goes on, as long as the engine runs.
async fn listen(inner: &Inner) {
    let poll = Duration::from_millis(inner.settings.feed.poll_ms.max(1));
    let (mut client, mut seen, mut pause, mut soon) = (None, None, poll, LOOK_EVERY);
    loop {
        // That nothing is heard is as good a reason to look.
        let _ = timeout(pause, inner.wake.heard.notified()).await;
        if inner.wake.readers.receiver_count() == 0 {
            pause = poll;
            continue;
        }
        let limit = Duration::from_millis(inner.settings.postgres.connect_timeout_ms.max(1));
        match timeout(limit, look(inner, client.take())).await {
            Ok(Ok((listening, end, is_held))) => {
                client = Some(listening);
                if seen.as_ref() != Some(&end) || !is_held {
                    soon = LOOK_EVERY;
                }
                if seen.as_ref() != Some(&end) {
                    seen = Some(end);
                    inner.wake.everybody();
                }
                pause = if is_held { soon } else { poll };
                soon = (soon * 2).min(poll);
            }
            Ok(Err(error)) => {
                tracing::debug!(error = told(&error), "the feed cannot be looked at");
                pause = poll;
            }
            Err(_) => pause = poll,
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Looks how far the feed is, on a connection that listens.
async fn look(inner: &Inner, client: Option<Client>) -> Result<(Client, Option<String>, bool), tokio_postgres::Error> {
    let client = match client.filter(|client| !client.is_closed()) {
        Some(client) => client,
        None => {
            let client = inner.connector.connect_hearing(inner.wake.heard.clone()).await?;
            // Behind a pooler that hands out transactions nobody is told anything.
            if !inner.is_pooled_outside() {
                client.batch_execute(LISTEN).await?;
            }
            client
        }
    };
    // The last change below the horizon, and whether there are others beyond.
    let sql = format!(
        "SELECT e.xid::text || '.' || e.seq, EXISTS (SELECT FROM mainstay_changes WHERE xid >= h.xmin) FROM {} {END}",
        horizon("'0'")
    );
    let messages = client.simple_query(&sql).await?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let end = row.and_then(|row| row.get(0)).map(str::to_owned);
    let is_held = row.and_then(|row| row.get(1)) == Some("t");
    Ok((client, end, is_held))
}

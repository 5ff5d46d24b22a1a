//! The lock that only one import of a namespace holds: two of one file at a time would both load it.
use std::sync::{Arc, mpsc::sync_channel};

use tokio::sync::oneshot;
use tokio_postgres::error::SqlState;

use super::{
    connection::in_server,
    engine::{Engine, Inner},
    failure::store_error,
    pool::closed,
};
use crate::{StoreError, store::ImportsHeld};

/// The key: of this database, and of this namespace in it.
const KEY: &str = "hashtextextended('mainstay import ' || current_schema(), 0)";

impl Engine {
    /// Waits as long as a statement may take: an import that was killed holds the lock until the server has ended what it was asked last.
    /// `None`: another import runs. Through pgbouncer no session is ours, and nobody is held back.
    pub(crate) fn hold_imports(&self) -> Result<Option<ImportsHeld>, StoreError> {
        if self.inner.is_pooled_outside() {
            return Ok(Some(ImportsHeld::default()));
        }
        let (answer, answered) = sync_channel(1);
        let (held, until) = oneshot::channel();
        let inner = self.inner.clone();
        self.own.spawn(async move || hold(&inner, |taken| drop(answer.send(taken)), until).await)?;
        let is_taken = answered.recv().map_err(|_| closed())??;
        Ok(is_taken.then(|| ImportsHeld::until(held)))
    }
}

/// Takes the lock in a session of its own, which ends when nobody holds it any more.
async fn hold(inner: &Arc<Inner>, answer: impl FnOnce(Result<bool, StoreError>), until: oneshot::Receiver<()>) {
    let mut connection = match inner.connector.connect().await {
        Ok(connection) => connection,
        Err(error) => return answer(Err(store_error(&error, 0))),
    };
    let wait = in_server(inner.settings.statement_ms_max.max(1));
    let take = format!("SET lock_timeout = {wait}; SELECT pg_advisory_lock({KEY})");
    let taken = match connection.client().batch_execute(&take).await {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
        Err(error) => Err(store_error(&error, 0)),
    };
    let is_taken = matches!(taken, Ok(true));
    answer(taken);
    if is_taken {
        let _ = until.await;
    }
}

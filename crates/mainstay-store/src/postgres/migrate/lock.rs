//! The lock that only one migration of a namespace holds.
use std::time::Duration;

use tokio_postgres::{Client, Error, Transaction};

/// The key: of this database, and of this namespace in it.
const KEY: &str = "hashtextextended('mainstay_schema ' || current_schema(), 0)";
/// Whoever waits for a lock inside of a statement has a snapshot, for which the builder of an index would wait in turn.
const PAUSE: Duration = Duration::from_millis(20);

/// A lock of the session.
#[must_use]
pub(super) struct Held(());

impl Held {
    /// Waits until nobody else has it. A session that ends gives it back.
    pub(super) async fn take(client: &Client) -> Result<Held, Error> {
        let ask = format!("SELECT pg_try_advisory_lock({KEY})");
        while !client.query_one(&ask, &[]).await?.get::<_, bool>(0) {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Held(()))
    }

    pub(super) async fn release(self, client: &Client) -> Result<(), Error> {
        client.execute(&format!("SELECT pg_advisory_unlock({KEY})"), &[]).await.map(|_| ())
    }
}

/// The same for a transaction.
pub(super) async fn take_in(transaction: &Transaction<'_>) -> Result<(), Error> {
    let ask = format!("SELECT pg_try_advisory_xact_lock({KEY})");
    while !transaction.query_one(&ask, &[]).await?.get::<_, bool>(0) {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

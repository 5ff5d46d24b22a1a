//! One connection: made, set up, and asked for rows.
use std::{
    collections::HashMap,
    future::poll_fn,
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_expr::Value;
use parking_lot::Mutex;
use tokio::{runtime::Handle, sync::Notify};
use tokio_postgres::{AsyncMessage, CancelToken, Client, IsolationLevel, Transaction, config::SslMode, types::Type};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    address::{Address, Tls},
    dialect::NESTED_MAX,
    failure::{self, failure, is_ended, is_stale, store_error, told},
    line::{Line, Take},
    other_half::{Half, OtherHalf},
    tls,
};
use crate::{
    OpenError, Pgbouncer, Settings, StoreError,
    exec::{Failure, Inputs},
    sql::Sql,
};

/// What single statements on a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Reads, each in a snapshot of its own.
    Read,
    /// Writes, as if nobody else wrote.
    Write,
}

/// Single statements that read.
const READS: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY";
/// The same as a transaction.
const SINGLE_READ: &str = "READ COMMITTED, READ ONLY";
/// Single statements that write.
const WRITES: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE";

/// The types of a statement's parameters, by its text.
pub(super) type Types = Mutex<HashMap<Box<str>, Arc<[Type]>, foldhash::fast::RandomState>>;

/// Makes connections.
pub(super) struct Connector {
    address: Address,
    tls: MakeRustlsConnect,
    /// What a session is told first, or each transaction where another session may be behind the next one.
    setup: String,
    settings: Settings,
    pub(super) types: Types,
}

impl Connector {
    pub(super) fn new(address: Address, settings: &Settings, statement_ms_max: u64) -> Result<Connector, OpenError> {
        let tls = tls::connector(&address)?;
        let setup = setup(settings, statement_ms_max);
        Ok(Connector { address, tls, setup, settings: settings.clone(), types: Types::default() })
    }

    /// The host and the database, for people.
    pub(super) fn shown(&self) -> String {
        self.address.shown()
    }

    /// How long one may take to be made.
    pub(super) fn patience(&self) -> Duration {
        self.address.connect
    }

    /// Why none can be made.
    pub(super) fn why_not(&self, error: &tokio_postgres::Error) -> String {
        failure::unreachable(error, &self.address)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether nothing may be left behind in a session.
    pub(super) fn is_pooled_outside(&self) -> bool {
        self.settings.postgres.pgbouncer == Pgbouncer::Transaction
    }

    /// Makes a connection, which stays on the runtime of whoever asks; once more where the first one is ended while it begins.
    pub(super) async fn connect(self: &Arc<Connector>) -> Result<Connection, tokio_postgres::Error> {
        match self.connect_once().await {
            Err(error) if is_ended(&error) => self.connect_once().await,
            outcome => outcome,
        }
    }

    async fn connect_once(self: &Arc<Connector>) -> Result<Connection, tokio_postgres::Error> {
        let (client, other_half) = self.reach().await?;
        let mut other_half = OtherHalf::new(other_half);
        if !self.is_pooled_outside() {
            other_half.run(client.batch_execute(&self.setup)).await?;
        }
        Ok(Connection {
            cancel: client.cancel_token(),
            line: Line::new(client, self.clone()),
            other_half,
            mode: None,
            busy: false,
            retired: false,
            handle: Handle::current(),
            made: Instant::now(),
        })
    }

    /// Makes a connection; what is refused encrypted is asked for as plain text where that will do.
    async fn reach(&self) -> Result<(Client, Half), tokio_postgres::Error> {
        match self.address.config.connect(self.tls.clone()).await {
            Err(error) if self.address.tls == Tls::Prefer && failure::is_refused_encrypted(&error) => {
                let mut plain = self.address.config.clone();
                plain.ssl_mode(SslMode::Disable).connect(self.tls.clone()).await.map_err(|_| error)
            }
            outcome => outcome,
        }
    }

    /// Makes a connection that tells when it hears of something; nothing is set up on it.
    pub(super) async fn connect_hearing(&self, heard: Arc<Notify>) -> Result<Client, tokio_postgres::Error> {
        let (client, mut other_half) = self.reach().await?;
        drop(tokio::spawn(async move {
            while let Some(message) = poll_fn(|context| other_half.poll_message(context)).await {
                match message {
                    Ok(AsyncMessage::Notification(_)) => heard.notify_one(),
                    Ok(_) => {}
                    Err(error) => tracing::debug!(error = told(&error), "a connection to the database has ended"),
                }
            }
        }));
        Ok(client)
    }
}

/// Milliseconds as the server takes them, which has room for 24 days.
pub(super) fn in_server(ms: u64) -> u64 {
    ms.min(i32::MAX.unsigned_abs().into())
}

/// What sessions say, or each transaction where none has a session of its own. Without a limit of statements they are the engine's own.
fn setup(settings: &Settings, statement_ms_max: u64) -> String {
    let is_outside = settings.postgres.pgbouncer == Pgbouncer::Transaction;
    let idle_ms = if statement_ms_max == 0 { settings.postgres.idle_in_transaction_ms_max } else { statement_ms_max };
    let [ms, idle_ms] = [statement_ms_max, idle_ms].map(|ms| in_server(ms).to_string());
    let nested = settings.answer_nested_max.to_string();
    let mut all = vec![
        ("statement_timeout", ms.as_str()),
        ("idle_in_transaction_session_timeout", idle_ms.as_str()),
        ("jit", "off"),
        (NESTED_MAX, nested.as_str()),
    ];
    all.extend_from_slice(FORMS);
    if !is_outside {
        all.extend_from_slice(KEEPALIVES);
    }
    if !settings.durable {
        all.push(("synchronous_commit", "off"));
    }
    let set = if is_outside { "SET LOCAL" } else { "SET" };
    all.iter().map(|(name, value)| format!("{set} {name} = {value}")).collect::<Vec<_>>().join("; ")
}

/// After how many seconds of silence the server asks whether we are there, how often, and how many times: what a node that was cut off
/// holds, it would hold for hours otherwise.
const KEEPALIVES: &[(&str, &str)] =
    &[("tcp_keepalives_idle", "30"), ("tcp_keepalives_interval", "10"), ("tcp_keepalives_count", "3")];

/// How values are written as texts, whatever the server is set to.
const FORMS: &[(&str, &str)] = &[
    ("TimeZone", "'UTC'"),
    ("DateStyle", "'ISO'"),
    ("extra_float_digits", "1"),
    ("standard_conforming_strings", "on"),
];

/// The same for a transaction that is not begun by a [`Connection`].
pub(super) fn forms() -> String {
    FORMS.iter().map(|(name, value)| format!("SET LOCAL {name} = {value}")).collect::<Vec<_>>().join("; ")
}

/// One connection to the server. Whoever drops it while a statement runs has that cancelled.
pub(super) struct Connection {
    line: Line,
    other_half: OtherHalf,
    cancel: CancelToken,
    /// What single statements are now.
    mode: Option<Mode>,
    /// Whether a statement runs.
    busy: bool,
    /// Whether it goes once nobody has it.
    retired: bool,
    handle: Handle,
    made: Instant,
}

impl Connection {
    /// The client itself, for what is no statement of a plan.
    pub(super) fn client(&mut self) -> &Client {
        self.client_mut()
    }

    /// The same for transactions of its own kind.
    pub(super) fn client_mut(&mut self) -> &mut Client {
        self.other_half.let_go(&self.handle);
        &mut self.line.client
    }

    /// Begins a transaction of the engine's own that writes, in READ COMMITTED. The server ends it by itself after so long without a
    /// statement, and so does it with one that takes longer: a node that is cut off in the middle of it, and of which the server does not
    /// hear, would hold what it has locked, and the horizon of the feed.
    pub(super) async fn transaction(
        &mut self,
        takes_max: Option<Duration>,
    ) -> Result<Transaction<'_>, tokio_postgres::Error> {
        let default = self.line.connector.settings().postgres.idle_in_transaction_ms_max;
        let ms = takes_max.map_or(default, |max| u64::try_from(max.as_millis()).unwrap_or(u64::MAX));
        let ms = in_server(ms.max(1));
        let builder = self.client_mut().build_transaction();
        let transaction = builder.isolation_level(IsolationLevel::ReadCommitted).read_only(false).start().await?;
        let limits =
            format!("SET LOCAL statement_timeout = {ms}; SET LOCAL idle_in_transaction_session_timeout = {ms}");
        transaction.batch_execute(&limits).await?;
        Ok(transaction)
    }

    /// The types of a statement's parameters; to be asked for outside of a transaction.
    pub(super) async fn types(&mut self, text: &str) -> Result<Arc<[Type]>, tokio_postgres::Error> {
        self.other_half.let_go(&self.handle);
        self.line.types(text).await
    }

    /// Whether it was there at a moment: the server that it is to has not begun anew since.
    pub(super) fn is_older_than(&self, moment: Instant) -> bool {
        !self.line.connector.is_pooled_outside() && self.made <= moment
    }

    pub(super) fn mode(&self) -> Option<Mode> {
        self.mode
    }

    /// Whether it can be used again by somebody else.
    pub(super) fn is_sound(&mut self) -> bool {
        self.other_half.look();
        let line = &self.line;
        !self.busy && !self.retired && !line.in_transaction && !line.client.is_closed() && line.before.is_none()
    }

    /// Whether it was left in the middle of an answer: nothing of its transaction can be kept.
    pub(super) fn is_abandoned(&self) -> bool {
        self.busy
    }

    /// Nobody uses it again: another one may lead elsewhere.
    pub(super) fn retire(&mut self) {
        self.retired = true;
    }

    /// Something still runs that nobody waits for: it is cancelled, and nobody uses the connection again.
    pub(super) fn abandon(&mut self) {
        self.busy = true;
    }

    /// Single statements from now on are these.
    pub(super) fn set_mode(&mut self, mode: Mode) {
        if self.mode != Some(mode) && !self.line.connector.is_pooled_outside() {
            self.mode = Some(mode);
            let text = if mode == Mode::Read { READS } else { WRITES };
            self.line.before = Some(text.to_owned());
        }
    }

    /// Begins a transaction together with the next statement.
    pub(super) fn begin(&mut self, kind: &str) {
        let mut text = format!("BEGIN ISOLATION LEVEL {kind}");
        if self.line.connector.is_pooled_outside() {
            text.push_str(&format!("; {}", self.line.connector.setup));
        }
        if self.line.before.replace(text).is_some() {
            // What single statements are was not said yet.
            self.mode = None;
        }
        self.line.in_transaction = true;
    }

    /// Has the next statement of a transaction count nested records from the beginning.
    pub(super) fn count_nested_anew(&mut self) {
        self.line.counts_anew = true;
    }

    /// Ends a transaction that was begun.
    pub(super) async fn end(&mut self, command: &str) -> Result<(), tokio_postgres::Error> {
        // Where nothing was sent of it, there is nothing to end.
        if self.busy {
            // It is cancelled, and ends with the connection.
            return Ok(());
        }
        if self.line.before.take().is_none() {
            self.busy = true;
            let outcome = self.other_half.run(self.line.client.batch_execute(command)).await;
            self.busy = false;
            // What the server answers has ended it, also where that is no COMMIT; without an answer nobody knows.
            self.line.in_transaction = outcome.as_ref().is_err_and(|error| error.as_db_error().is_none());
            return outcome;
        }
        self.line.in_transaction = false;
        Ok(())
    }

    /// Runs a statement, and hands out its rows until nobody wants them.
    pub(super) async fn rows(&mut self, sql: &Sql, inputs: &Inputs<'_>, each: &mut Take<'_>) -> Result<(), Stopped> {
        if self.line.in_transaction || !self.line.connector.is_pooled_outside() {
            return self.rows_here(sql, inputs, each).await;
        }
        // Alone it would run in whatever session there is, as that is set.
        self.begin(SINGLE_READ);
        let outcome = self.rows_here(sql, inputs, each).await;
        let ended = self.end("COMMIT").await;
        outcome?;
        Ok(ended?)
    }

    async fn rows_here(&mut self, sql: &Sql, inputs: &Inputs<'_>, each: &mut Take<'_>) -> Result<(), Stopped> {
        self.busy = true;
        let outcome = self.other_half.run(self.line.rows(sql, inputs, each)).await;
        // What is left of an answer that nobody takes would be in the way of the next one.
        self.busy = matches!(outcome, Err(Stopped::Taker(_)));
        self.forget_stale(&outcome);
        outcome
    }

    /// Where the tables have changed, all statements are prepared anew.
    fn forget_stale(&mut self, outcome: &Result<(), Stopped>) {
        if let Err(Stopped::Database(error)) = outcome
            && is_stale(error)
        {
            self.line.statements.clear();
        }
    }
}

impl Connection {
    /// Whether rows can be copied here: that needs statements that stay.
    pub(super) fn can_copy(&self) -> bool {
        !self.line.connector.is_pooled_outside()
    }

    /// Whether several statements can be sent at once: that needs statements that stay, and a session that is ready for them.
    pub(super) fn can_pipeline(&self) -> bool {
        self.can_copy() && self.line.before.is_none()
    }

    /// Runs two statements in a snapshot of its own kind, all in one round trip, and hands out their rows.
    pub(super) async fn rows_of_both(
        &mut self,
        kind: &str,
        inputs: &Inputs<'_>,
        both: [(&Sql, &mut Take<'_>); 2],
    ) -> Result<(), Stopped> {
        self.busy = true;
        let outcome = self.other_half.run(self.line.rows_of_both(kind, inputs, both)).await;
        // Both have come to their end, whoever took the rows.
        self.busy = false;
        self.forget_stale(&outcome);
        outcome
    }

    /// Copies a row of each `width` values into a table and its columns; `each` says what they are bound to.
    pub(super) async fn copy(
        &mut self,
        (into, each): (&str, &Sql),
        values: &[Value],
        width: usize,
    ) -> Result<(), Stopped> {
        self.busy = true;
        let outcome = self.other_half.run(self.line.copy((into, each), values, width)).await;
        self.busy = false;
        outcome
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // It says good-bye by itself.
        self.other_half.let_go(&self.handle);
        if !self.busy {
            return;
        }
        // Whoever waited has gone: the server need not go on. The transaction goes with the connection.
        let (cancel, tls) = (self.cancel.clone(), self.line.connector.tls.clone());
        drop(self.handle.spawn(async move {
            if let Err(error) = cancel.cancel_query(tls).await {
                tracing::debug!(error = told(&error), "a statement cannot be cancelled");
            }
        }));
    }
}

/// Why rows came to an early end.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The database says so.
    Database(tokio_postgres::Error),
    /// Whoever takes them says so.
    Taker(Failure),
}

impl From<tokio_postgres::Error> for Stopped {
    fn from(error: tokio_postgres::Error) -> Stopped {
        Stopped::Database(error)
    }
}

/// The server has no room for a request just now. What it lacks, only its own words say.
fn crowded(error: &tokio_postgres::Error) -> StoreError {
    tracing::warn!(error = told(error), "the database server has no room for a statement");
    StoreError::Overloaded
}

impl Stopped {
    /// What it means for a statement that had so many milliseconds.
    pub(super) fn into_failure(self, limit_ms: u64) -> Failure {
        match self {
            Stopped::Database(error) if failure::is_crowded(&error) => crowded(&error).into(),
            Stopped::Database(error) => failure(&error, limit_ms),
            Stopped::Taker(failure) => failure,
        }
    }

    /// The same for a statement that only reads.
    pub(super) fn into_store_error(self, limit_ms: u64) -> StoreError {
        match self {
            Stopped::Database(error) if failure::is_crowded(&error) => crowded(&error),
            Stopped::Database(error) => store_error(&error, limit_ms),
            Stopped::Taker(failure) => crate::exec::store_error(failure),
        }
    }

    /// Whether the server takes no writes.
    pub(super) fn only_reads(&self) -> bool {
        matches!(self, Stopped::Database(error) if failure::only_reads(error))
    }

    /// Whether the connection was of no use.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Stopped::Database(error) if failure::is_lost(error))
    }

    /// Whether the same again may do after a while.
    pub(super) fn is_crowded(&self) -> bool {
        matches!(self, Stopped::Database(error) if failure::is_crowded(error))
    }

    /// Whether the same again may do.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Stopped::Database(error) if failure::is_conflict(error) || is_stale(error))
    }
}

#[cfg(test)]
mod tests;

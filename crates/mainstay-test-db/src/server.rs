//! Databases of a PostgreSQL server: one for each test that runs at the same time, emptied for the next one.
//!
//! Emptying one takes a few milliseconds, making and dropping one a tenth of a second. Those that a run leaves behind are
//! dropped by the next.
use std::{
    env,
    path::Path,
    process,
    sync::{
        Mutex, Once,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

/// Where the server is.
const SERVER_VARIABLE: &str = "MAINSTAY_TEST_POSTGRES";
/// Where a pgbouncer before it is, in transaction mode: `HOST:PORT`, if stores are to go through one.
const POOLED_VARIABLE: &str = "MAINSTAY_TEST_PGBOUNCER";
/// What the names of databases of tests begin with; the number of the process and a count follow.
const PREFIX: &str = "mainstay_test_";
/// How long a connection of an earlier test may take to end, in milliseconds.
const END_MS_MAX: u32 = 10_000;

/// Databases that no test uses now.
static FREE: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Databases that were made so far.
static MADE: AtomicUsize = AtomicUsize::new(0);
/// Dropping what earlier runs left.
static SWEPT: Once = Once::new();

/// An empty database for one test: its name, which no test had before.
pub(crate) fn take() -> String {
    SWEPT.call_once(|| on_server("postgres", sweep));
    let name = format!("{PREFIX}{}_{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let free = FREE.lock().expect("no test ends in here").pop();
    match free {
        Some(of) => {
            on_server("postgres", async |client| rename(&client, &of, &name).await);
            on_server(&name, empty);
        }
        None => {
            let create = format!("CREATE DATABASE {name}");
            on_server("postgres", async |client| client.batch_execute(&create).await.expect("a database is made"));
        }
    }
    name
}

/// The test is over: another may take its database.
pub(crate) fn give_back(name: String) {
    // A pool keeps its connections, and makes new ones for those that end: the next run drops it.
    if is_pooled() {
        return;
    }
    if let Ok(mut free) = FREE.lock() {
        free.push(name);
    }
}

/// Whether a server is named.
#[cfg(test)]
pub(crate) fn is_there() -> bool {
    !named().is_empty()
}

fn named() -> String {
    env::var(SERVER_VARIABLE).unwrap_or_default()
}

/// The address of a database of the server.
pub(crate) fn url(name: &str) -> String {
    let server = named();
    assert!(!server.is_empty(), "{SERVER_VARIABLE} names no server: cargo xtask servers -- COMMAND starts one");
    let (address, query) = server.split_once('?').map_or((&*server, ""), |(address, query)| (address, query));
    let from = address.find("://").map_or(0, |at| at + 3);
    let host = address[from..].find('/').map_or(address, |at| &address[..from + at]);
    if query.is_empty() { format!("{host}/{name}") } else { format!("{host}/{name}?{query}") }
}

/// Whether stores go through pgbouncer.
pub(crate) fn is_pooled() -> bool {
    env::var_os(POOLED_VARIABLE).is_some()
}

/// The address of a database through pgbouncer, if there is one.
pub(crate) fn pooled_url(name: &str) -> Option<String> {
    let host = env::var(POOLED_VARIABLE).ok()?;
    Some(format!("postgres://postgres@{host}/{name}"))
}

/// Rows of texts, as the server writes them.
pub(crate) fn rows(name: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    on_server(name, async |client| {
        let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| (0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect()).collect()
    })
}

/// Works on a connection to a database of the server. On a thread of its own: the caller may be inside of a runtime.
pub(crate) fn on_server<Work, Out>(name: &str, work: Work) -> Out
where
    Work: AsyncFnOnce(Client) -> Out + Send,
    Out: Send,
{
    let config: Config = url(name).parse().unwrap_or_else(|error| panic!("{SERVER_VARIABLE}: {error}"));
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let (client, connection) = config.connect(NoTls).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            let connection = tokio::spawn(connection);
            let out = work(client).await;
            let _ = connection.await;
            out
        })
    };
    thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Drops the databases of processes that have ended.
async fn sweep(client: Client) {
    let named = client.query("SELECT datname::text FROM pg_database WHERE starts_with(datname, $1)", &[&PREFIX]).await;
    for row in named.expect("the databases are listed") {
        let name: String = row.get(0);
        let process = name.trim_start_matches(PREFIX).split('_').next().unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            // Another run may drop it at the same time.
            let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}

/// Takes a database away from whoever still has it open: it does not even find it again by its name.
async fn rename(client: &Client, from: &str, to: &str) {
    let close = format!("ALTER DATABASE {from} ALLOW_CONNECTIONS false");
    client.batch_execute(&close).await.expect("the database is closed");
    let end = format!("SELECT pg_terminate_backend(pid, {END_MS_MAX}) FROM pg_stat_activity WHERE datname = $1");
    client.execute(&end, &[&from]).await.expect("its connections end");
    let open = format!("ALTER DATABASE {from} RENAME TO {to}; ALTER DATABASE {to} ALLOW_CONNECTIONS true");
    client.batch_execute(&open).await.expect("the database is renamed");
}

async fn empty(client: Client) {
    let dropped = "DO $$ DECLARE of name; BEGIN \
        FOR of IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP \
        EXECUTE format('DROP SCHEMA %I CASCADE', of); END LOOP; END $$";
    let sql = format!("SET client_min_messages = warning; {dropped}; CREATE SCHEMA public");
    client.batch_execute(&sql).await.expect("the database is emptied");
}

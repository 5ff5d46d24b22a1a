//! A PostgreSQL: a database of the bench's own in it, and the processor time of those who serve it.
use std::{collections::HashMap, fs};

use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::Outcome;

/// A fresh database; dropped when this is.
pub struct Database {
    server: String,
    name: String,
    url: String,
    client: Client,
}

impl Database {
    /// Makes one in the server behind `url`, whose user must be allowed to.
    pub async fn create(url: &str) -> Outcome<Self> {
        let name = format!("bench_{}", Uuid::now_v7().simple());
        connect(url).await?.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        let own = with_database(url, &name)?;
        let client = connect(&own).await?;
        Ok(Database { server: url.to_owned(), name, url: own, client })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection to it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The ids of a table's records, of those that fulfil the condition.
    pub async fn ids(&self, table: &str, condition: &str) -> Outcome<Vec<Uuid>> {
        let rows = self.client.query(&format!("SELECT id FROM {table} WHERE {condition}"), &[]).await?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }

    /// What the database has done so far for others than this connection.
    pub async fn spent(&self) -> Outcome<Spent> {
        let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let mut spent = Spent::default();
        for row in self.client.query(sql, &[]).await? {
            let pid: i32 = row.try_get(0)?;
            if let Some(nanos) = backend_nanos(pid) {
                spent.0.insert(pid, nanos);
            }
        }
        Ok(spent)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, sql) = (self.server.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        // Whoever drops this may stand inside of a runtime, which cannot wait there.
        let dropped = std::thread::spawn(move || -> Outcome<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async { Ok(connect(&server).await?.batch_execute(&sql).await?) })
        });
        if !matches!(dropped.join(), Ok(Ok(()))) {
            crate::say(&format!("the database \"{}\" is left behind", self.name));
        }
    }
}

/// Processor time of each backend, in nanoseconds, by its process.
#[derive(Debug, Default)]
pub struct Spent(HashMap<i32, u64>);

impl Spent {
    /// Microseconds since `before`; 0 where the database is on another machine.
    pub fn since_us(&self, before: &Spent) -> f64 {
        let new = |(pid, nanos): (&i32, &u64)| nanos.saturating_sub(before.0.get(pid).copied().unwrap_or(0));
        self.0.iter().map(new).sum::<u64>() as f64 / 1000.0
    }
}

/// A connection whose other half runs on this runtime.
pub async fn connect(url: &str) -> Outcome<Client> {
    let (client, other_half) = tokio_postgres::connect(url, NoTls).await?;
    drop(tokio::spawn(async move {
        // Whoever uses the client is told of an error there.
        let _ = other_half.await;
    }));
    Ok(client)
}

/// A backend is one thread, of which the kernel knows the nanoseconds.
fn backend_nanos(pid: i32) -> Option<u64> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    if !name.starts_with("postgres") {
        return None;
    }
    fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?.split(' ').next()?.parse().ok()
}

/// The same address with another database.
fn with_database(url: &str, name: &str) -> Outcome<String> {
    let (place, query) = url.split_once('?').map_or((url, None), |(place, query)| (place, Some(query)));
    let (scheme, rest) = place.split_once("://").ok_or_else(|| format!("\"{url}\" is not postgres://HOST/DATABASE"))?;
    let host = rest.split('/').next().unwrap_or_default();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{scheme}://{host}/{name}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_another_database() {
        let of = |url| with_database(url, "x").expect("an address");
        assert_eq!(of("postgres://me@here:5432/postgres"), "postgres://me@here:5432/x");
        assert_eq!(of("postgres://here"), "postgres://here/x");
        assert_eq!(of("postgres://here/a?sslmode=disable"), "postgres://here/x?sslmode=disable");
        assert!(with_database("host=here", "x").is_err());
    }

    #[test]
    fn time_is_counted_from_where_a_backend_was() {
        let (before, after) = (Spent([(1, 5_000), (2, 7_000)].into()), Spent([(1, 9_000), (3, 1_000)].into()));
        assert_eq!(after.since_us(&before), 5.0);
    }
}

//! Takes old changes out of the feed, a few at a time, on the node that is elected. Nobody who writes waits for it: each part is one
//! statement in READ COMMITTED, of rows that nobody writes any more.
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::sleep;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use super::{
    connection::Connection,
    engine::{Engine, Inner},
    failure::{store_error, told},
    feed::{END, horizon},
};
use crate::{FeedSettings, Retention, StoreError, feed::Class};

/// Changes that are looked at in one statement.
const CHUNK: i64 = 1_000;
/// What is left to the others between two parts.
const PAUSE: Duration = Duration::from_millis(5);
/// Pages of the table past which some stand for all.
const SAMPLE_PAGES: i64 = 2_000;

/// The last of some changes behind `($1, $2)`, if the first of them is older than `$3`, and up to that age. The last change of all is
/// none of them, nor is one that may still come.
fn old_sql(known: u64) -> String {
    format!(
        "SELECT aged.xid::text, aged.seq FROM {} {END} CROSS JOIN LATERAL (SELECT few.xid, few.seq, bool_and(few.time < $3) OVER \
         (ORDER BY few.xid, few.seq ROWS UNBOUNDED PRECEDING) AS is_old FROM (SELECT c.xid, c.seq, c.time FROM mainstay_changes \
         AS c WHERE (c.xid, c.seq) > ($1::text::xid8, $2) AND (c.xid, c.seq) < (e.xid, e.seq) ORDER BY c.xid, c.seq LIMIT $4) AS few) \
         AS aged WHERE aged.is_old ORDER BY aged.xid DESC, aged.seq DESC LIMIT 1",
        horizon(&format!("'{known}'"))
    )
}

/// Takes changes out between `($1, $2)` and `($3, $4)`, of the collections `$5` or (`$6`) of all others, and writes down that they
/// are gone.
const TAKE: &str = "WITH taken AS (DELETE FROM mainstay_changes WHERE (xid, seq) > ($1::text::xid8, $2) AND (xid, seq) <= \
    ($3::text::xid8, $4) AND (collection IN (SELECT jsonb_array_elements_text($5::text::jsonb))) = $6 RETURNING collection, xid, seq), \
    noted AS (INSERT INTO mainstay_changes_gone AS gone (collection, xid, seq) SELECT DISTINCT ON (collection) collection, \
    xid::text::bigint, seq FROM taken ORDER BY collection, taken.xid DESC, seq DESC ON CONFLICT (collection) DO UPDATE SET \
    xid = excluded.xid, seq = excluded.seq WHERE (gone.xid, gone.seq) < (excluded.xid, excluded.seq)) SELECT count(*) FROM taken";

/// The pages of the table, those of long texts aside.
const PAGES: &str = "SELECT pg_relation_size('mainstay_changes') / current_setting('block_size')::bigint, 0::bigint";

/// How many changes there are, and how many bytes they have.
const SIZES: &str = "SELECT count(*), coalesce(sum(60 + coalesce(octet_length(before), 0) + coalesce(octet_length(after), 0) + \
    octet_length(record) + octet_length(collection) + coalesce(octet_length(caller), 0) + coalesce(octet_length(request), 0)), \
    0)::bigint FROM mainstay_changes";

/// The transaction of this database that has been open for longest, if that is for `$1` seconds, and has an id.
const HOLDER: &str = "SELECT pid, application_name::text, extract(epoch FROM clock_timestamp() - xact_start)::float8 FROM \
    pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND \
    clock_timestamp() - xact_start > make_interval(secs => $1) ORDER BY xact_start LIMIT 1";

/// A place in the feed as its statements take it.
type Place = (String, i64);

/// What is kept, and how far it was looked through.
pub(super) struct Trim {
    settings: FeedSettings,
    /// Each with the place up to which nothing of it is left to take out.
    classes: Mutex<Vec<(Class, Place)>>,
}

impl Trim {
    pub(super) fn new(settings: FeedSettings) -> Trim {
        let trim = Trim { settings, classes: Mutex::default() };
        trim.retain(&[]);
        trim
    }

    /// Says how long the changes of some collections are kept.
    fn retain(&self, of: &[Retention]) {
        let classes = Class::all(self.settings.keep_s, of);
        *self.classes.lock() = classes.into_iter().map(|class| (class, first())).collect();
    }

    /// All of a kind up to this place is done.
    fn done(&self, class: &Class, up_to: &Place) {
        if let Some((_, done)) = self.classes.lock().iter_mut().find(|(of, _)| of == class) {
            done.clone_from(up_to);
        }
    }
}

/// In front of all changes.
fn first() -> Place {
    ("0".to_owned(), 0)
}

impl Engine {
    pub(crate) fn retain(&self, collections: &[Retention]) {
        self.inner.trim.retain(collections);
    }

    pub(crate) fn trim_changes(&self, now_micros: i64) -> Result<u64, StoreError> {
        let inner = self.inner.clone();
        self.with_own(async move |connection: &mut Connection| {
            let trimmed = trim(&inner, connection, now_micros, Duration::ZERO).await;
            trimmed.map_err(|error| store_error(&error, 0))
        })
    }
}

/// Trims from time to time while this node is the elected one, as long as the engine runs.
pub(super) async fn run(inner: &Inner) {
    let every = Duration::from_millis(inner.trim.settings.trim_every_ms.max(1));
    loop {
        sleep(every).await;
        if !inner.nodes.election.holds() {
            continue;
        }
        let trim = async {
            let mut held = inner.take_own().await?;
            let connection = held.connection()?;
            let trimmed = trim(inner, connection, super::now(), PAUSE).await;
            if trimmed.is_err() {
                // It may lead to a server that only reads by now.
                connection.retire();
            }
            trimmed.map_err(|error| StoreError::Engine(told(&error)))
        };
        if let Err(error) = trim.await {
            tracing::warn!(%error, "old changes cannot be taken out");
        }
        if let Err(error) = tell_who_holds(inner, every).await {
            tracing::debug!(%error, "nobody knows what holds the change feed back");
        }
    }
}

/// Tells of a transaction that has been open for so long: readers of the feed wait for it.
async fn tell_who_holds(inner: &Inner, long: Duration) -> Result<(), StoreError> {
    let mut held = inner.take_own().await?;
    let seconds = long.as_secs_f64();
    let rows = within(held.connection()?, HOLDER, &[(&seconds, Type::FLOAT8)]).await;
    for row in rows.map_err(|error| store_error(&error, 0))? {
        let told = || Ok((row.try_get::<_, i32>(0)?, row.try_get::<_, Option<String>>(1)?, row.try_get::<_, f64>(2)?));
        let (process, application, open_s) = told().map_err(|error: tokio_postgres::Error| store_error(&error, 0))?;
        tracing::warn!(process, application, open_s, "a transaction that is open holds the change feed back");
    }
    Ok(())
}

/// Takes out what is too old or too much: how many.
async fn trim(
    inner: &Inner,
    connection: &mut Connection,
    now_micros: i64,
    pause: Duration,
) -> Result<u64, tokio_postgres::Error> {
    let mut all = 0;
    let of = &inner.trim;
    let classes = of.classes.lock().clone();
    for (class, mut done) in classes {
        while let Some(up_to) = old(inner, connection, &done, (class.before(now_micros), CHUNK)).await? {
            all += take(connection, (&done, &up_to), &class.names, class.inside).await?;
            of.done(&class, &up_to);
            done = up_to;
            sleep(pause).await;
        }
    }
    let mut excess = excess(connection, of.settings.size_max_mib).await?;
    while excess > 0 {
        let Some(up_to) = old(inner, connection, &first(), (i64::MAX, excess.min(CHUNK))).await? else { break };
        all += take(connection, (&first(), &up_to), "[]", false).await?;
        excess -= excess.min(CHUNK);
        sleep(pause).await;
    }
    Ok(all)
}

async fn old(
    inner: &Inner,
    connection: &mut Connection,
    behind: &Place,
    (before, many): (i64, i64),
) -> Result<Option<Place>, tokio_postgres::Error> {
    let values: [(&(dyn ToSql + Sync), Type); 4] =
        [(&behind.0, Type::TEXT), (&behind.1, Type::INT8), (&before, Type::INT8), (&many, Type::INT8)];
    let rows = within(connection, &old_sql(inner.known.get(connection)), &values).await?;
    rows.first().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
}

async fn take(
    connection: &mut Connection,
    (behind, up_to): (&Place, &Place),
    names: &str,
    inside: bool,
) -> Result<u64, tokio_postgres::Error> {
    let values: [(&(dyn ToSql + Sync), Type); 6] = [
        (&behind.0, Type::TEXT),
        (&behind.1, Type::INT8),
        (&up_to.0, Type::TEXT),
        (&up_to.1, Type::INT8),
        (&names, Type::TEXT),
        (&inside, Type::BOOL),
    ];
    let rows = within(connection, TAKE, &values).await?;
    let taken: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(taken.unsigned_abs())
}

/// One statement in a transaction that does not mind what others write meanwhile.
async fn within(
    connection: &mut Connection,
    sql: &str,
    values: &[(&(dyn ToSql + Sync), Type)],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let transaction = connection.transaction(None).await?;
    let rows = transaction.query_typed(sql, values).await?;
    transaction.commit().await?;
    Ok(rows)
}

/// How many changes are past the size that is kept, about.
async fn excess(connection: &mut Connection, size_max_mib: u64) -> Result<i64, tokio_postgres::Error> {
    let (pages, _) = numbers(connection, PAGES).await?;
    let percent = if pages <= SAMPLE_PAGES { 100.0 } else { 100.0 * SAMPLE_PAGES as f64 / pages as f64 };
    let (count, bytes) = numbers(connection, &format!("{SIZES} TABLESAMPLE SYSTEM ({percent})")).await?;
    if count == 0 {
        return Ok(0);
    }
    let each = (bytes / count).max(1);
    let room = i64::try_from(size_max_mib.saturating_mul(1024 * 1024)).unwrap_or(i64::MAX) / each;
    let there = (count as f64 * 100.0 / percent) as i64;
    Ok(there - room.max(1))
}

async fn numbers(connection: &mut Connection, sql: &str) -> Result<(i64, i64), tokio_postgres::Error> {
    let rows = within(connection, sql, &[]).await?;
    rows.first().map_or(Ok((0, 0)), |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

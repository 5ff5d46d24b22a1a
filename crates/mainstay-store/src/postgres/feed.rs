//! The change feed of a server. Numbers out of a sequence are not in the order of commits, and no transaction knows when others
//! commit. So a change is in the order of its transaction's id first, and a reader goes no further than the oldest transaction of this
//! database that still runs (the *horizon*): below it everything has ended, and nothing comes any more.
//!
//! 1. A transaction that begins later has a greater id than all below the horizon: what was read stays what it was.
//! 2. Every write is SERIALIZABLE, so its id is given after its snapshot is taken: whoever saw or changed what another one wrote has
//!    the greater id; changes of one record are in the order of its versions. In READ COMMITTED that would not be so: there a
//!    statement goes on with what others wrote since it began. It says nothing of those who did *not* see each other: one that has
//!    its id may take, without having looked, what a later one frees and commits meanwhile. A unique value that goes from one
//!    record to another may so be taken in the feed before it is free, and so may a key of an import; a create looks for the key that
//!    it is given, and comes behind.
//! 3. What is gone, what is there and the horizon are read by one statement, of one snapshot.
//! 4. Where the feed of a collection begins anew, all up to that transaction is gone, and others may still be under way that have
//!    lesser ids: until they have ended nobody begins to read, who would begin behind what they have yet to tell.
use std::{error::Error, sync::Arc, time::Instant};

use mainstay_expr::Value;
use mainstay_plan::{Change, ChangeOp, Position};
use parking_lot::Mutex;
use tokio_postgres::{
    Row,
    types::{FromSql, Type},
};

use super::{
    connection::{Connection, Mode, Stopped},
    engine::{Engine, Inner},
    failure::store_error,
};
use crate::{
    ChangesAsked, ChangesPage, StoreError,
    exec::{Failure, Inputs},
    feed::restore,
    sql::{Bind, Sql},
};

#[cfg(test)]
mod tests;

/// Changes that are looked at in one go where few of them are of the collection that is asked for.
const LOOKED_AT_MAX: u64 = 50_000;

/// What a change costs beside its records, about.
const CHANGE_BYTES: usize = 200;

/// The horizon (`xmin`), and the first id that no transaction has had (`xmax`): an item of FROM. Transactions of other databases do
/// not hold it: nothing of theirs can come here. Whoever runs is asked once the snapshot is taken, so that a transaction which is found
/// there is the one that the snapshot knows; one that is not found has just ended, and holds the horizon for this once.
pub(super) fn horizon(known: &str) -> String {
    format!(
        "(SELECT pg_snapshot_xmax(s) AS xmax, least(greatest(coalesce((SELECT x FROM pg_snapshot_xip(s) AS x WHERE NOT EXISTS \
         (SELECT FROM pg_stat_get_activity(NULL) AS a WHERE a.backend_xid = x::xid AND a.datid <> (SELECT oid FROM pg_database \
         WHERE datname = current_database())) ORDER BY x LIMIT 1), pg_snapshot_xmax(s)), {known}::text::xid8), \
         pg_snapshot_xmax(s)) AS xmin FROM pg_current_snapshot() AS s OFFSET 0) AS h"
    )
}

/// The last change below the horizon: an item of FROM behind it.
pub(super) const END: &str = "LEFT JOIN LATERAL (SELECT xid, seq FROM mainstay_changes WHERE xid < h.xmin \
    ORDER BY xid DESC, seq DESC LIMIT 1) AS e ON true";

/// What all that reads the feed begins with: the horizon, up to which position changes are gone, and the last change. `$1` is a
/// collection, or null; `$2` the horizon that is known.
fn feed() -> String {
    let gone = "LEFT JOIN LATERAL (SELECT xid, seq FROM mainstay_changes_gone WHERE $1::text IS NULL OR collection = $1::text \
        ORDER BY xid DESC, seq DESC LIMIT 1) AS g ON true";
    format!("{} {gone} {END}", horizon("$2"))
}

/// A transaction's id.
struct Xid(u64);

impl FromSql<'_> for Xid {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Xid, Box<dyn Error + Sync + Send>> {
        Ok(Xid(u64::from_be_bytes(raw.try_into()?)))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::XID8
    }
}

/// The statements that read the feed.
pub(super) struct FeedReads {
    /// Changes of all collections.
    all: Sql,
    /// Changes of one.
    one: Sql,
    /// The last change.
    end: Sql,
}

impl FeedReads {
    pub(super) fn new() -> FeedReads {
        let sql = |text: String, binds: u16| Sql { text, binds: (0..binds).map(Bind::Value).collect() };
        let end = format!("SELECT {BORDERS}, NULL::xid8, NULL::int8 FROM {}", feed());
        FeedReads { all: sql(page_sql(false), 6), one: sql(page_sql(true), 7), end: sql(end, 2) }
    }

    /// For tests alone: what is committed late is lost.
    #[cfg(test)]
    fn without_horizon() -> FeedReads {
        let mut reads = FeedReads::new();
        reads.all.text = reads.all.text.replace(" AND c.xid < h.xmin", "");
        reads
    }
}

/// Behind all ids.
const LAST: &str = "'18446744073709551615'::xid8";
/// What every row begins with.
const BORDERS: &str = "h.xmin, h.xmax, g.xid, g.seq, e.xid, e.seq";

/// Reads changes behind `($3, $4)`, or behind what is gone: `$5` at most, and no more once those before them have `$6` bytes. `$7`:
/// how many are looked at for one collection. The order is that of the index, which is walked for one row of the others.
fn page_sql(of_one: bool) -> String {
    let behind =
        "(c.xid, c.seq) > (coalesce($3::text::xid8, g.xid::text::xid8, '0'::xid8), coalesce($4::int8, g.seq, 0))";
    let (looked, only) = if of_one {
        let looked = format!(
            "LEFT JOIN LATERAL (SELECT c.xid, c.seq FROM mainstay_changes AS c WHERE {behind} AND c.xid < h.xmin \
             ORDER BY c.xid, c.seq OFFSET $7::int8 LIMIT 1) AS u ON true"
        );
        // A border is a condition of the index, so that nothing behind it is looked at.
        let up_to = format!("(c.xid, c.seq) <= (coalesce(u.xid, {LAST}), coalesce(u.seq, 0))");
        (looked, format!(" AND c.collection = $1::text AND {up_to}"))
    } else {
        ("CROSS JOIN (SELECT NULL::xid8 AS xid, NULL::int8 AS seq) AS u".to_owned(), String::new())
    };
    let bytes = format!("{CHANGE_BYTES} + coalesce(octet_length(c.before), 0) + coalesce(octet_length(c.after), 0)");
    format!(
        "SELECT {BORDERS}, u.xid, u.seq, p.xid, p.seq, p.collection, p.record, p.op, p.version, p.before, p.after, p.caller, \
         p.time, p.request FROM {} {looked} LEFT JOIN LATERAL (SELECT * FROM (SELECT c.*, sum({bytes}) OVER (ORDER BY c.xid, \
         c.seq ROWS UNBOUNDED PRECEDING) - ({bytes}) AS ahead FROM mainstay_changes AS c WHERE {behind} AND c.xid < h.xmin{only} \
         ORDER BY c.xid, c.seq LIMIT $5::int8) AS p WHERE p.ahead < $6::int8) AS p ON true",
        feed()
    )
}

/// The horizon that was seen last. It does not go back: where a look gives an older one, that is for want of knowing whose a
/// transaction is. A server that begins anew may give ids again that nothing was kept of, so this is for connections alone that were
/// there before: the server that they are to has lived since.
#[derive(Default)]
pub(super) struct Known(Mutex<Option<(u64, Instant)>>);

impl Known {
    pub(super) fn get(&self, connection: &Connection) -> u64 {
        self.0.lock().filter(|(_, seen)| connection.is_older_than(*seen)).map_or(0, |(xmin, _)| xmin)
    }

    fn set(&self, xmin: u64, asked: Instant, connection: &Connection) {
        let mut known = self.0.lock();
        if known.is_none_or(|(last, seen)| last < xmin || !connection.is_older_than(seen)) {
            *known = Some((xmin, asked));
        }
    }
}

/// Where the feed is.
#[derive(Clone, Copy, Debug, Default)]
struct Borders {
    xmin: u64,
    xmax: u64,
    /// Up to which position changes are gone.
    gone: Position,
    /// The last change.
    end: Position,
    /// The last that is looked at, where that is not the end.
    up_to: Option<Position>,
}

impl Borders {
    fn of(row: &Row) -> Result<Borders, tokio_postgres::Error> {
        let (Xid(xmin), Xid(xmax)) = (row.try_get(0)?, row.try_get(1)?);
        let gone: (Option<i64>, Option<i64>) = (row.try_get(2)?, row.try_get(3)?);
        let gone = Position { xid: number(gone.0), seq: number(gone.1) };
        let end = position(row, 4)?.unwrap_or_default().max(gone);
        Ok(Borders { xmin, xmax, gone, end, up_to: position(row, 6)? })
    }

    /// Behind which all changes are that are not gone; fails where some may come that are in front of it.
    fn begin(&self) -> Result<Position, StoreError> {
        let is_anew = self.gone.seq == i64::MAX.unsigned_abs() && self.gone.xid >= self.xmin;
        let why = || "the change feed begins anew once the transactions have ended that are under way".to_owned();
        if is_anew { Err(StoreError::Unavailable(why())) } else { Ok(self.gone) }
    }

    /// Behind which change reading begins.
    fn after(&self, asked: Option<Position>) -> Result<Position, StoreError> {
        let Some(after) = asked else { return self.begin() };
        // A number without a transaction is of another engine.
        let foreign = after.xid == 0 && after.seq != 0;
        // The horizon of another node may be further than ours, but no place has been told that no transaction has come to.
        let beyond = after.xid >= self.xmax && after > self.gone;
        if foreign || beyond || after < self.gone { Err(StoreError::ChangesGone) } else { Ok(after) }
    }
}

impl Engine {
    pub(crate) async fn changes(&self, asked: ChangesAsked) -> Result<ChangesPage, StoreError> {
        let inner = &self.inner;
        inner.again(|| inner.changes_once(&inner.feed_reads, &asked)).await
    }

    pub(crate) async fn changes_end(&self) -> Result<Position, StoreError> {
        self.inner.again(|| self.inner.changes_end_once()).await
    }
}

impl Inner {
    async fn changes_once(&self, reads: &FeedReads, asked: &ChangesAsked) -> Result<ChangesPage, Stopped> {
        let mut reading = Reading::new(asked);
        let sql = if asked.collection.is_some() { &reads.one } else { &reads.all };
        self.feed_rows(sql, values(asked), &mut |row| reading.take(row)).await?;
        Ok(reading.page())
    }

    async fn changes_end_once(&self) -> Result<Position, Stopped> {
        let mut end = Position::default();
        let mut take = |row: &Row| {
            let borders = Borders::of(row).map_err(failed)?;
            end = borders.end.max(borders.begin()?);
            Ok(borders.xmin)
        };
        self.feed_rows(&self.feed_reads.end, vec![Value::Null, Value::Null], &mut take).await?;
        Ok(end)
    }

    /// Reads rows, each of which gives the horizon; the second value is the one that is known.
    async fn feed_rows(
        &self,
        sql: &Sql,
        mut values: Vec<Value>,
        take: &mut (dyn FnMut(&Row) -> Result<u64, Failure> + Send),
    ) -> Result<(), Stopped> {
        let mut held = self.pool.take(Mode::Read).await.map_err(|error| Stopped::Taker(error.into()))?;
        let connection = held.connection().map_err(|error| Stopped::Taker(error.into()))?;
        values[1] = text(&self.known.get(connection).to_string());
        let (asked, mut xmin) = (Instant::now(), 0);
        let mut each = |row: &Row| {
            xmin = take(row)?;
            Ok(true)
        };
        connection.rows(sql, &Inputs::of(&values), &mut each).await?;
        self.known.set(xmin, asked, connection);
        Ok(())
    }
}

fn values(asked: &ChangesAsked) -> Vec<Value> {
    let (xid, seq) = match asked.after {
        Some(after) => (text(&after.xid.to_string()), int(after.seq)),
        None => (Value::Null, Value::Null),
    };
    let collection = asked.collection.as_deref().map_or(Value::Null, text);
    let (limit, bytes) = (asked.limit.max(1) as u64, asked.bytes.max(1) as u64);
    vec![collection, Value::Null, xid, seq, int(limit), int(bytes), int(LOOKED_AT_MAX - 1)]
}

fn text(of: &str) -> Value {
    Value::Text(of.into())
}

fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A page that is read.
struct Reading<'a> {
    asked: &'a ChangesAsked,
    after: Position,
    borders: Borders,
    changes: Vec<Change>,
    bytes: usize,
    names: Vec<Arc<str>>,
}

impl<'a> Reading<'a> {
    fn new(asked: &'a ChangesAsked) -> Reading<'a> {
        let (borders, changes, names) = (Borders::default(), Vec::new(), Vec::new());
        Reading { asked, after: Position::default(), borders, changes, bytes: 0, names }
    }

    fn take(&mut self, row: &Row) -> Result<u64, Failure> {
        if self.changes.is_empty() {
            self.borders = Borders::of(row).map_err(failed)?;
            self.after = self.borders.after(self.asked.after)?;
        }
        let Some(position) = position(row, 8).map_err(failed)? else { return Ok(self.borders.xmin) };
        let last = self.changes.last().map_or(self.after, |last| last.position);
        if position <= last {
            return Err(StoreError::Engine(format!("the change {position} came behind {last}")).into());
        }
        let change = change(row, position, &mut self.names)?;
        let length = |json: &Option<String>| json.as_ref().map_or(0, String::len);
        self.bytes += CHANGE_BYTES + length(&change.before) + length(&change.after);
        self.changes.push(change);
        Ok(self.borders.xmin)
    }

    fn page(self) -> ChangesPage {
        let Borders { end, up_to, .. } = self.borders;
        let last = self.changes.last().map_or(self.after, |last| last.position);
        let is_full = self.changes.len() >= self.asked.limit.max(1) || self.bytes >= self.asked.bytes;
        let looked_at = if is_full { last } else { up_to.unwrap_or(end).max(last) };
        ChangesPage { changes: self.changes, end: looked_at, more: looked_at < end }
    }
}

fn change(row: &Row, position: Position, names: &mut Vec<Arc<str>>) -> Result<Change, Failure> {
    let mut get = || {
        let (collection, op): (&str, i64) = (row.try_get(10)?, row.try_get(12)?);
        let (before, after): (Option<&str>, Option<String>) = (row.try_get(14)?, row.try_get(15)?);
        let text = |column| row.try_get::<_, Option<&str>>(column).map(|text| text.map(Arc::<str>::from));
        let change = Change {
            position,
            collection: named(names, collection),
            id: Arc::from(row.try_get::<_, &str>(11)?),
            op: ChangeOp::Update,
            version: row.try_get(13)?,
            before: None,
            after,
            caller: text(16)?,
            time_micros: row.try_get(17)?,
            request: text(18)?,
        };
        Ok((change, op, before))
    };
    let (change, number, before) = get().map_err(failed)?;
    let Some(op) = ChangeOp::of_number(number) else {
        return Err(StoreError::Engine(format!("a change has the kind {number}, which is none")).into());
    };
    let before = match (op, before, &change.after) {
        (ChangeOp::Update, Some(was), Some(after)) => restore(was, after),
        (_, before, _) => before.map(str::to_owned),
    };
    Ok(Change { op, before, ..change })
}

/// The name of a collection: one text for all of its changes.
fn named(names: &mut Vec<Arc<str>>, name: &str) -> Arc<str> {
    if let Some(known) = names.iter().find(|known| ***known == *name) {
        return known.clone();
    }
    names.push(Arc::from(name));
    Arc::from(name)
}

fn position(row: &Row, at: usize) -> Result<Option<Position>, tokio_postgres::Error> {
    let (xid, seq): (Option<Xid>, Option<i64>) = (row.try_get(at)?, row.try_get(at + 1)?);
    Ok(xid.zip(seq).map(|(Xid(xid), seq)| Position { xid, seq: number(Some(seq)) }))
}

fn number(of: Option<i64>) -> u64 {
    of.unwrap_or_default().unsigned_abs()
}

fn failed(error: tokio_postgres::Error) -> Failure {
    store_error(&error, 0).into()
}

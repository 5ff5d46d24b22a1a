//! A node that is cut off in the middle of a transaction, and of which its database hears nothing: what it holds is given up.
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
    thread,
    time::Duration,
};

use mainstay_store::{
    Beat, ChangesAsked, Fitness, Location, Member, MoveSettings, MoveStep, Node, Pgbouncer, Settings, Store,
};
use mainstay_test_db::{TestDatabase, postgres_only};

use crate::{
    nodes::{SDL, open, settings, until},
    world::load,
};

/// Passes on what comes from a node, up to the statement that holds these bytes and no further, once that is asked for.
#[derive(Clone)]
struct Way {
    up_to: &'static [u8],
    cuts: Arc<AtomicBool>,
    /// Whether the connection ends then, and the next ones are whole.
    ends: bool,
}

impl Way {
    fn up_to(bytes: &'static [u8]) -> Way {
        Way { up_to: bytes, cuts: Arc::default(), ends: false }
    }

    /// A store behind it, whose transactions the server gives up soon.
    fn store(&self, database: &TestDatabase) -> Arc<Store> {
        let mut settings = Settings { at: Location::Postgres(self.to(&database.url())), ..direct(database) };
        settings.postgres.idle_in_transaction_ms_max = 300;
        Arc::new(Store::open(settings).unwrap())
    }

    fn cut(&self) {
        self.cuts.store(true, Ordering::Release);
    }

    /// The address of a way to the database there.
    fn to(&self, url: &str) -> String {
        let (before, rest) = url.split_once('@').unwrap();
        let (host, database) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (way, host) = (self.clone(), host.to_owned());
        thread::spawn(move || {
            for node in listener.incoming() {
                let (node, server) = (node.unwrap(), TcpStream::connect(&host).unwrap());
                let (from, to) = (server.try_clone().unwrap(), node.try_clone().unwrap());
                thread::spawn(move || pass(from, to, |_| After::On));
                let way = way.clone();
                thread::spawn(move || pass(node, server, |bytes| way.behind(bytes)));
            }
        });
        format!("{before}@{address}/{database}")
    }

    fn behind(&self, bytes: &[u8]) -> After {
        if !bytes.windows(self.up_to.len()).any(|window| window == self.up_to) {
            return After::On;
        }
        let is_cut =
            if self.ends { self.cuts.swap(false, Ordering::AcqRel) } else { self.cuts.load(Ordering::Acquire) };
        match (is_cut, self.ends) {
            (false, _) => After::On,
            (true, true) => After::End,
            (true, false) => After::Silence,
        }
    }
}

/// How a store opens a database without a pooler before it, which has connections of its own.
fn direct(database: &TestDatabase) -> Settings {
    let mut settings = Settings { at: Location::Postgres(database.url()), ..database.settings() };
    settings.postgres.pgbouncer = Pgbouncer::None;
    settings
}

/// What comes behind some bytes.
enum After {
    On,
    Silence,
    End,
}

/// Passes bytes on, until both hold still for good, or end.
fn pass(mut from: TcpStream, mut to: TcpStream, after: impl Fn(&[u8]) -> After) {
    let mut chunk = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        match after(&chunk[..length]) {
            After::On => {}
            After::End => {
                // The node hears of it when it waits for an answer.
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
            After::Silence => {
                let _ = to.write_all(&chunk[..length]);
                // Nobody is told: the connections stay open.
                loop {
                    thread::park();
                }
            }
        }
        if to.write_all(&chunk[..length]).is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn who_is_cut_off_while_it_renews_its_lease_does_not_keep_it() {
    postgres_only!("several nodes need a server");
    let database = TestDatabase::new();
    open(&database, SDL).close();
    let way = Way::up_to(b"INSERT INTO mainstay_leases");
    let join = async |store: Arc<Store>, name: &str| {
        let member = Member::join(store.clone(), settings(name), Arc::new(load(SDL))).await.unwrap();
        (store, member)
    };
    let (one, _first) = join(way.store(&database), "one").await;
    assert!(one.is_elected());
    let (two, second) = join(Arc::new(Store::open(database.settings()).unwrap()), "two").await;
    way.cut();
    until(&second, |standing| standing.elected).await;
    assert!(two.is_elected() && !one.is_elected());
}

#[tokio::test]
async fn a_sign_of_life_whose_connection_ends_is_given_on_another_one() {
    postgres_only!("signs of life are given over a network");
    let database = TestDatabase::new();
    open(&database, SDL).close();
    let way = Way { ends: true, ..Way::up_to(b"INSERT INTO mainstay_leases") };
    let store = way.store(&database);
    let node = Node {
        id: "one".to_owned(),
        name: "one".to_owned(),
        version: "1.2.3".to_owned(),
        schema: load(SDL).snapshot().fingerprint(),
    };
    let (gone_after, kept) = (Duration::from_secs(60), Duration::from_secs(60));
    let beat = Beat { node, fitness: Fitness::Same, gone_after, kept };
    assert!(store.beat(&beat).await.unwrap().elected);
    way.cut();
    assert!(store.beat(&beat).await.unwrap().elected);
    assert!(!way.cuts.load(Ordering::Acquire), "it was cut");
    store.leave("one").await.unwrap();
    assert_eq!(store.nodes().unwrap(), []);
}

#[tokio::test]
async fn a_connection_that_ends_while_it_begins_is_asked_for_once_more() {
    postgres_only!("a server is asked over a network");
    let database = TestDatabase::new();
    open(&database, SDL).close();
    let way = Way { ends: true, ..Way::up_to(b"SET statement_timeout") };
    let store = way.store(&database);
    way.cut();
    store.ping().await.unwrap();
    assert!(!way.cuts.load(Ordering::Acquire), "it was cut");
}

/// Does something on a thread that may never come to its end, and tells when it has.
fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (told, ended) = channel();
    thread::spawn(move || {
        let _ = told.send(work());
    });
    ended
}

/// Longer than a server waits for who is silent, in these tests.
const PATIENCE: Duration = Duration::from_secs(30);

fn change(of: &str, time: i64) -> String {
    format!("INSERT INTO mainstay_changes (collection, record, op, time) VALUES ('notes', '{of}', 1, {time})")
}

#[tokio::test]
async fn who_is_cut_off_while_it_trims_does_not_hold_the_feed_back() {
    postgres_only!("a server is asked over a network");
    let database = TestDatabase::new();
    let near = open(&database, SDL);
    let way = Way::up_to(b"DELETE FROM mainstay_changes");
    let far = way.store(&database);
    for sql in [change("old", 0), change("older", 0), change("kept", i64::MAX)] {
        database.execute(&sql);
    }
    way.cut();
    let trims = aside(move || far.trim_changes(1 << 60).is_ok());
    let waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction' AND query LIKE \
                 '%DELETE FROM mainstay_changes%'";
    while database.rows(waits).is_empty() {}
    database.execute(&change("new", i64::MAX));
    let asked = || ChangesAsked { after: None, collection: None, limit: 10, bytes: 1 << 20 };
    let told = async {
        while !near.changes(asked()).await.unwrap().changes.iter().any(|change| &*change.id == "new") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the feed goes on");
    drop(trims);
}

#[test]
fn who_is_cut_off_while_it_migrates_does_not_keep_the_others_from_it() {
    postgres_only!("a server is asked over a network");
    let database = TestDatabase::new();
    let near = open(&database, SDL);
    let way = Way::up_to(b"ALTER TABLE \"notes\"");
    let far = way.store(&database);
    way.cut();
    let next = Arc::new(load(r#"type Note @rules(read: "true", write: "true") { text: String! more: Int }"#));
    let of = next.clone();
    let cut_off = aside(move || far.follow(&of).is_ok());
    while database
        .rows("SELECT 1 FROM pg_locks WHERE relation = 'notes'::regclass AND mode = 'AccessExclusiveLock'")
        .is_empty()
    {}
    let of = next.clone();
    let follows = aside(move || near.follow(&of));
    follows.recv_timeout(PATIENCE).expect("it comes to an end").unwrap();
    drop(cut_off);
}

#[test]
fn who_is_cut_off_while_writers_are_paused_lets_them_go_on() {
    postgres_only!("a server is asked over a network");
    let (database, target) = (TestDatabase::new(), TestDatabase::new());
    open(&database, SDL).close();
    let way = Way::up_to(b"LOCK TABLE");
    let far = way.store(&database);
    let to = Store::open_target(direct(&target)).unwrap();
    let cuts = way.clone();
    let moves = aside(move || {
        let mut tell = |step: MoveStep<'_>| {
            if step == MoveStep::Pauses {
                cuts.cut();
            }
        };
        far.move_to(&to, &Arc::new(load(SDL)), &MoveSettings::default(), &mut tell).is_ok()
    });
    while database
        .rows("SELECT 1 FROM pg_locks WHERE relation = 'notes'::regclass AND mode = 'ShareRowExclusiveLock'")
        .is_empty()
    {}
    let writes = aside(move || database.execute("DELETE FROM notes"));
    writes.recv_timeout(PATIENCE).expect("writers go on");
    drop(moves);
}

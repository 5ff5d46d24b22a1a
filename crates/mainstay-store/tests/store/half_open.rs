//! A node that is cut off in the middle of a transaction, and of which its database hears nothing: what it holds is given up.
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use mainstay_store::{Location, Member, Settings, Store};
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
}

impl Way {
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
                thread::spawn(move || pass(from, to, |_| false));
                let way = way.clone();
                thread::spawn(move || pass(node, server, |bytes| way.is_cut_behind(bytes)));
            }
        });
        format!("{before}@{address}/{database}")
    }

    fn is_cut_behind(&self, bytes: &[u8]) -> bool {
        self.cuts.load(Ordering::Acquire) && bytes.windows(self.up_to.len()).any(|window| window == self.up_to)
    }
}

/// Passes bytes on, until both hold still for good.
fn pass(mut from: TcpStream, mut to: TcpStream, is_last: impl Fn(&[u8]) -> bool) {
    let mut chunk = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        if to.write_all(&chunk[..length]).is_err() {
            return;
        }
        if is_last(&chunk[..length]) {
            // Nobody is told: the connections stay open.
            loop {
                thread::park();
            }
        }
    }
}

#[tokio::test]
async fn who_is_cut_off_while_it_renews_its_lease_does_not_keep_it() {
    postgres_only!("several nodes need a server");
    let database = TestDatabase::new();
    open(&database, SDL).close();
    let Location::Postgres(url) = database.settings().at else { panic!("no server") };
    let way = Way { up_to: b"INSERT INTO mainstay_leases", cuts: Arc::default() };
    let far = Settings { at: Location::Postgres(way.to(&url)), ..database.settings() };
    let join = async |of: Settings, name: &str| {
        let store = Arc::new(Store::open(of).unwrap());
        let member = Member::join(store.clone(), settings(name), Arc::new(load(SDL))).await.unwrap();
        (store, member)
    };
    let (one, _first) = join(far, "one").await;
    assert!(one.is_elected());
    let (two, second) = join(database.settings(), "two").await;
    way.cuts.store(true, Ordering::Release);
    until(&second, |standing| standing.elected).await;
    assert!(two.is_elected() && !one.is_elected());
}

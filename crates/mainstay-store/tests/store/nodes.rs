//! Who is among the nodes of a database, and the keys that they share.
use std::{collections::BTreeSet, sync::Arc, time::Duration};

use mainstay_store::{Fitness, Member, MemberSettings, Once, Standing, Store, Write, Written};
use mainstay_test_db::{TestDatabase, postgres_only, sqlite_only};

use crate::{moving::once, world::load};

pub(crate) const SDL: &str = r#"type Note @rules(read: "true", write: "true") { text: String! }"#;

/// Signs of life often enough that no test waits for one.
pub(crate) fn settings(name: &str) -> MemberSettings {
    MemberSettings {
        name: name.to_owned(),
        version: "1.2.3".to_owned(),
        heartbeat: Duration::from_millis(20),
        gone_after: Duration::from_secs(1),
        kept: Duration::from_secs(60),
        watches_schema: true,
    }
}

pub(crate) fn open(database: &TestDatabase, sdl: &str) -> Arc<Store> {
    let store = Store::open(database.settings()).unwrap();
    store.follow(&Arc::new(load(sdl))).unwrap();
    Arc::new(store)
}

/// Waits until it is so with a node.
pub(crate) async fn until(member: &Member, fits: impl FnMut(&Standing) -> bool) -> Standing {
    let mut standing = member.standing();
    let waited = tokio::time::timeout(Duration::from_secs(60), standing.wait_for(fits)).await;
    waited.expect("it comes to that").unwrap().clone()
}

#[tokio::test]
async fn a_node_is_listed_while_it_is_there() {
    let database = TestDatabase::new();
    let (store, schema) = (open(&database, SDL), Arc::new(load(SDL)));
    assert_eq!(store.nodes().unwrap(), []);
    let member = Member::join(store.clone(), settings("one"), schema.clone()).await.unwrap();
    assert!(store.is_elected());
    let standing = member.standing().borrow().clone();
    assert_eq!(standing, Standing { elected: true, fitness: Fitness::Same, beats: 1 });
    let nodes = store.nodes().unwrap();
    let [node] = nodes.as_slice() else { panic!("{nodes:?}") };
    assert_eq!((node.node.name.as_str(), node.node.version.as_str(), node.elected), ("one", "1.2.3", true));
    assert_eq!((node.node.id.as_str(), &node.node.schema), (member.id(), &schema.snapshot().fingerprint()));
    assert!(node.started_micros > 1_700_000_000_000_000, "{node:?}");
    until(&member, |standing| standing.beats > 3).await;
    member.leave().await;
    assert_eq!(store.nodes().unwrap(), []);
}

#[tokio::test]
async fn a_node_tells_which_schema_it_serves_now() {
    let database = TestDatabase::new();
    let store = open(&database, SDL);
    let settings = MemberSettings { watches_schema: false, ..settings("one") };
    let member = Member::join(store.clone(), settings, Arc::new(load(SDL))).await.unwrap();
    let next = Arc::new(load(r#"type Note @rules(read: "true") { text: String! more: Int }"#));
    store.follow(&next).unwrap();
    member.serve(next.clone());
    let beats = member.standing().borrow().beats;
    until(&member, |standing| standing.beats > beats + 1).await;
    assert_eq!(store.nodes().unwrap()[0].node.schema, next.snapshot().fingerprint());
    assert_eq!(member.standing().borrow().fitness, Fitness::Same);
}

#[tokio::test]
async fn who_was_killed_is_there_no_more() {
    sqlite_only!("its lock is given back when a process ends; on a server it is given up after a while");
    let database = TestDatabase::new();
    let store = open(&database, SDL);
    let member = Member::join(store.clone(), settings("one"), Arc::new(load(SDL))).await.unwrap();
    let reader = || {
        let settings = mainstay_store::Settings { read_only: true, ..database.settings() };
        Store::open(settings).unwrap()
    };
    let seen = reader().nodes().unwrap();
    assert_eq!(seen.iter().map(|node| node.node.name.as_str()).collect::<Vec<_>>(), ["one"]);
    assert!(!reader().is_elected());
    store.close();
    assert_eq!(reader().nodes().unwrap(), []);
    drop(member);
    let again = Arc::new(Store::open(database.settings()).unwrap());
    let member = Member::join(again.clone(), settings("two"), Arc::new(load(SDL))).await.unwrap();
    assert_eq!(again.nodes().unwrap().len(), 1);
    member.leave().await;
}

#[tokio::test]
async fn answers_that_are_too_old_go_without_a_write() {
    let database = TestDatabase::new();
    let store = open(&database, SDL);
    let now = 4_000_000_000_000_000_i64;
    for (id, key, time) in [(1, "old", 0), (2, "older", 1), (3, "fresh", now)] {
        let bytes = "decode('00', 'hex')";
        let bytes = if database.url().starts_with("sqlite") { "x'00'" } else { bytes };
        database.execute(&format!(
            "INSERT INTO mainstay_idempotency (id, caller, number, key, request, body, time, answer) VALUES \
             ({id}, 'anna', {id}, '{key}', {bytes}, {bytes}, {time}, {bytes})"
        ));
    }
    let member = Member::join(store.clone(), settings("one"), Arc::new(load(SDL))).await.unwrap();
    until(&member, |standing| standing.beats > 2).await;
    assert_eq!(database.rows("SELECT key FROM mainstay_idempotency"), [[Some("fresh".to_owned())]]);
}

#[tokio::test]
async fn a_sign_of_life_that_waits_for_the_writer_blocks_no_thread() {
    sqlite_only!("a server has no writer");
    let database = TestDatabase::new();
    let store = open(&database, SDL);
    let (stands, mut standing) = tokio::sync::mpsc::unbounded_channel();
    let (go, goes) = std::sync::mpsc::channel();
    let goes = std::sync::Mutex::new(goes);
    // The answer is made by the writer, which stands still for so long.
    let answer = move |_: &[Written]| {
        stands.send(()).unwrap();
        goes.lock().unwrap().recv_timeout(Duration::from_secs(60)).unwrap();
        Vec::new()
    };
    let once = Once { answer: Box::new(answer), ..once("one") };
    let of = store.clone();
    let writes = tokio::spawn(async move { of.write_once(Write::from(Vec::new()), Arc::new(once)).await });
    standing.recv().await.unwrap();
    let joins = Member::join(store, settings("one"), Arc::new(load(SDL)));
    let mut joins = std::pin::pin!(joins);
    let waits = std::future::poll_fn(|context| std::task::Poll::Ready(joins.as_mut().poll(context).is_pending())).await;
    assert!(waits);
    go.send(()).unwrap();
    joins.await.unwrap().leave().await;
    writes.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_waits_for_a_database_that_is_busy_when_it_comes() {
    postgres_only!("nothing but its own writes keeps an embedded database busy");
    let database = TestDatabase::new();
    let store = open(&database, SDL);
    let held = database.hold("LOCK TABLE mainstay_nodes IN ACCESS EXCLUSIVE MODE");
    let joins = tokio::spawn(Member::join(store, settings("one"), Arc::new(load(SDL))));
    let mut signs = BTreeSet::new();
    // Each sign of life is given on a connection of its own once one has failed.
    while signs.len() < 3 {
        let waiting = "SELECT pid::text FROM pg_locks WHERE NOT granted AND relation = 'mainstay_nodes'::regclass";
        signs.extend(database.rows(waiting));
        assert!(!joins.is_finished(), "it waits");
        tokio::task::yield_now().await;
    }
    drop(held);
    joins.await.unwrap().unwrap().leave().await;
}

#[test]
fn the_first_key_of_a_name_is_everybodys() {
    let database = TestDatabase::new();
    let store = open(&database, SDL);
    assert_eq!(store.key("cursor", b"one").unwrap(), b"one");
    assert_eq!(store.key("cursor", b"two").unwrap(), b"one");
    assert_eq!(store.key("other", b"two").unwrap(), b"two");
    store.close();
    let settings = mainstay_store::Settings { read_only: true, ..database.settings() };
    let reader = Store::open(settings).unwrap();
    assert_eq!(reader.key("cursor", b"three").unwrap(), b"one");
    assert_eq!(reader.key("none", b"three").unwrap(), b"three");
    assert_eq!(reader.key("none", b"four").unwrap(), b"four");
}

/// A node of a database that has its tables.
async fn join(database: &TestDatabase, name: &str, sdl: &str) -> (Arc<Store>, Member) {
    let store = Arc::new(Store::open(database.settings()).unwrap());
    let member = Member::join(store.clone(), settings(name), Arc::new(load(sdl))).await.unwrap();
    (store, member)
}

#[tokio::test]
async fn one_of_several_is_elected_and_the_next_when_it_leaves() {
    postgres_only!("several nodes need a server");
    let database = TestDatabase::new();
    open(&database, SDL).close();
    let (one, first) = join(&database, "one", SDL).await;
    let (two, second) = join(&database, "two", SDL).await;
    until(&second, |standing| standing.beats > 3).await;
    assert_eq!((one.is_elected(), two.is_elected()), (true, false));
    let named = |store: &Store| -> Vec<(String, bool)> {
        store.nodes().unwrap().into_iter().map(|node| (node.node.name, node.elected)).collect()
    };
    assert_eq!(named(&two), [("one".to_owned(), true), ("two".to_owned(), false)]);
    first.leave().await;
    assert!(!one.is_elected());
    until(&second, |standing| standing.elected).await;
    assert!(two.is_elected());
    assert_eq!(named(&one), [("two".to_owned(), true)]);
}

#[tokio::test]
async fn another_takes_over_from_one_that_gives_no_sign() {
    postgres_only!("several nodes need a server");
    let database = TestDatabase::new();
    open(&database, SDL).close();
    let (one, first) = join(&database, "one", SDL).await;
    let (two, second) = join(&database, "two", SDL).await;
    // Its signs of life end without a word.
    one.close();
    let standing = until(&second, |standing| standing.elected).await;
    assert!(standing.beats > 1);
    // By then it does not believe in itself any more.
    assert!(!one.is_elected() && two.is_elected());
    until(&first, |standing| !standing.elected).await;
    assert_eq!(two.nodes().unwrap().len(), 1);
}

#[tokio::test]
async fn of_many_that_begin_at_once_one_is_elected_and_all_have_one_key() {
    postgres_only!("several nodes need a server");
    let database = TestDatabase::new();
    open(&database, SDL).close();
    let joining: Vec<_> = (0..6_u8)
        .map(|at| {
            let settings = database.settings();
            std::thread::spawn(move || {
                let store = Store::open(settings).unwrap();
                let key = store.key("cursor", &[at; 32]).unwrap();
                (store, key)
            })
        })
        .collect();
    let stores: Vec<_> = joining.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(stores.iter().all(|(_, key)| *key == stores[0].1));
    let mut members = Vec::new();
    for (store, _) in stores {
        members.push(Member::join(Arc::new(store), settings("node"), Arc::new(load(SDL))).await.unwrap());
    }
    for member in &members {
        until(member, |standing| standing.beats > 2).await;
    }
    let elected = members.iter().filter(|member| member.standing().borrow().elected).count();
    assert_eq!(elected, 1);
}

#[tokio::test]
async fn a_node_goes_on_behind_additive_steps_and_stops_behind_others() {
    postgres_only!("another node changes the tables");
    let database = TestDatabase::new();
    let other = open(&database, SDL);
    let (_, member) = join(&database, "old", SDL).await;
    assert_eq!(member.standing().borrow().fitness, Fitness::Same);
    let becomes = |fields: &str| {
        let sdl = format!("type Note @rules(read: \"true\", write: \"true\") {{ {fields} }}");
        other.follow(&Arc::new(load(&sdl))).unwrap();
    };
    becomes("text: String! more: Int done: Boolean! @default(value: false)");
    until(&member, |standing| standing.fitness == Fitness::Behind(2)).await;
    becomes("words: String! @was(name: \"text\") more: Int done: Boolean! @default(value: false)");
    let standing = until(&member, |standing| matches!(standing.fitness, Fitness::Unfit(_))).await;
    let Fitness::Unfit(why) = standing.fitness else { panic!() };
    assert!(why.contains("text") || why.contains("words"), "{why}");
    becomes("text: String! @was(name: \"words\")");
    until(&member, |standing| standing.fitness == Fitness::Same).await;
}

#[tokio::test]
async fn a_node_that_cannot_read_what_the_database_remembers_answers_nothing() {
    postgres_only!("another node changes the tables");
    let database = TestDatabase::new();
    open(&database, SDL).close();
    let (_, member) = join(&database, "old", SDL).await;
    let kept = database.rows("SELECT snapshot FROM mainstay_schema")[0][0].clone().unwrap();
    database.execute("UPDATE mainstay_schema SET snapshot = '{\"format\": 1000, \"tables\": {}}'");
    let standing = until(&member, |standing| standing.fitness.unfit().is_some()).await;
    assert!(standing.elected && standing.fitness.unfit().unwrap().contains("cannot be read"), "{standing:?}");
    // It goes on giving signs of life meanwhile.
    let beats = standing.beats;
    until(&member, |standing| standing.beats > beats + 2).await;
    database.execute(&format!("UPDATE mainstay_schema SET snapshot = '{kept}'"));
    until(&member, |standing| standing.fitness == Fitness::Same).await;
}

#[tokio::test]
async fn many_answers_that_are_too_old_go_faster_than_signs_of_life_come() {
    postgres_only!("the embedded engine takes out a few with each write, too");
    const OLD: usize = 20_000;
    let database = TestDatabase::new();
    let store = open(&database, SDL);
    database.execute(&format!(
        "INSERT INTO mainstay_idempotency (caller, number, key, request, body, time, answer) \
         SELECT 'anna', n, n::text, '', '', n, '' FROM generate_series(1, {OLD}) AS n"
    ));
    let member = Member::join(store.clone(), settings("one"), Arc::new(load(SDL))).await.unwrap();
    while database.rows("SELECT 1 FROM mainstay_idempotency LIMIT 1") != Vec::<Vec<Option<String>>>::new() {}
    // One sign of life takes out a thousand.
    let beats = member.standing().borrow().beats;
    assert!(beats < 20, "{beats}");
    member.leave().await;
}

//! Many writers of long and short transactions, some of which are rolled back, and readers beside them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets something unexpected ends")]
use std::{
    collections::{HashMap, HashSet},
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use mainstay_expr::{CompareOp, Expr, Node, Span, THIS, Type, Value};
use mainstay_plan::{Change, ChangeOp, Create, Delete, Position, Update, WritePlan};
use mainstay_schema::{Collection, FieldId, Migration, Schema, Source};
use mainstay_test_db::{Engine as On, TestDatabase, postgres_only};
use parking_lot::Mutex;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use super::FeedReads;
use crate::{
    ChangesAsked, ChangesPage, Location, Settings, Step, StoreError, Write, WriteStatement,
    postgres::{Engine, PostgresDialect},
    sql,
};

const SDL: &str = r#"type Item @rules(read: "true", write: "true") { number: Int! }"#;

const WRITERS: usize = 64;
/// Records that all writers change.
const SHARED: usize = 48;
/// Changes of one run, where `FEED_CHANGES` does not say.
const CHANGES: usize = 4_000;
/// How many changes each reader takes at once.
const PAGES: [usize; 4] = [1_000, 333, 64, 7];

struct World {
    engine: Engine,
    database: TestDatabase,
    statements: [Arc<WriteStatement>; 3],
    /// Which reads the feed; without the horizon to see what comes of that.
    reads: FeedReads,
}

/// What the writers know when all is done.
#[derive(Default)]
struct Ledger {
    /// Acknowledged changes of each record.
    kept: HashMap<Uuid, i64>,
    /// Records of transactions that were rolled back.
    undone: HashSet<Uuid>,
}

fn key_is(of: &Collection) -> Expr {
    let expr = |node, ty| Expr { node, ty, span: Span::default(), may_null: false, may_error: false };
    let this = expr(Node::Var(THIS), Type::Record(of.id.record()));
    let key = expr(Node::Key(Box::new(this)), of.key.ty());
    let compare = Node::Compare(CompareOp::Eq, Box::new(key), Box::new(expr(Node::Bound(0), of.key.ty())));
    expr(compare, Type::Bool)
}

fn plans(schema: &Schema) -> [WritePlan; 3] {
    let of = &schema.collections[0];
    let always = || Expr::bool(true, Span::default());
    let number = of.field_named("number").unwrap().id;
    let system = [of.system.id, of.system.created_at, of.system.updated_at, of.system.version];
    let columns: Vec<FieldId> = system.into_iter().flatten().chain([number]).collect();
    let create = Create::new(of.id, columns);
    let update = Update { set: vec![(number, 1)], ..Update::new(of.id, key_is(of), always(), always()) };
    let delete = Delete { collection: of.id, find: key_is(of), visible: always(), before: always(), version: None };
    [WritePlan::Create(create), WritePlan::Update(update), WritePlan::Delete(delete)]
}

impl World {
    fn new(reads: FeedReads) -> World {
        let database = TestDatabase::on(On::Postgres);
        let mut settings = Settings { durable: false, ..Settings::of(Location::Postgres(database.url())) };
        settings.postgres.connections = WRITERS;
        settings.statement_ms_max = 120_000;
        settings.postgres.connections_wait_ms_max = 120_000;
        settings.postgres.retries_max = 1_000;
        settings.postgres.connect_timeout_ms = 120_000;
        let engine = Engine::open(&settings, &database.url()).unwrap();
        let schema = Arc::new(Schema::load(&[Source { name: "schema.graphql", text: SDL }]).unwrap());
        engine.migrate(&Migration::between(None, &schema), &schema).unwrap();
        let cascades: Arc<[sql::Cascade]> = sql::cascades(&schema, &PostgresDialect).unwrap().into();
        let statements = plans(&schema).map(|plan| {
            Arc::new(WriteStatement::render(&schema, &PostgresDialect, &plan, || Ok(cascades.clone())).unwrap())
        });
        World { engine, database, statements, reads }
    }

    fn create(&self, key: Uuid) -> Step {
        let moment = Value::Timestamp(1_700_000_000_000_000);
        let values = vec![Value::Uuid(key), moment.clone(), moment, Value::Int(1), Value::Int(0)];
        Step::run(self.statements[0].clone(), values)
    }

    fn update(&self, key: Uuid, number: i64) -> Step {
        Step::run(self.statements[1].clone(), vec![Value::Uuid(key), Value::Int(number)])
    }

    fn delete(&self, key: Uuid) -> Step {
        Step::run(self.statements[2].clone(), vec![Value::Uuid(key)])
    }

    /// Whether a write was acknowledged.
    async fn write(&self, steps: Vec<Step>) -> bool {
        self.engine.write(Write::from(steps)).await.is_ok()
    }

    async fn page(&self, after: Option<Position>, limit: usize) -> ChangesPage {
        let asked = ChangesAsked { after, collection: None, limit, bytes: 1 << 30 };
        let page = self.engine.inner.changes_once(&self.reads, &asked).await;
        page.unwrap_or_else(|stopped| panic!("{:?}", stopped.into_store_error(0)))
    }

    /// The last change that is committed.
    fn last(&self) -> Position {
        let sql = "SELECT xid::text || '.' || seq FROM mainstay_changes ORDER BY xid DESC, seq DESC LIMIT 1";
        self.database.rows(sql)[0][0].as_deref().unwrap().parse().unwrap()
    }

    async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.database.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

/// Numbers by chance, the same ones each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn key(&mut self) -> Uuid {
        let mut next = || self.below(usize::MAX) as u64;
        Uuid::from_u64_pair(next(), next())
    }
}

async fn write_on(world: &World, shared: &[Uuid], ledger: &Mutex<Ledger>, done: &AtomicUsize, number: usize) {
    let total = env::var("FEED_CHANGES").ok().and_then(|text| text.parse().ok()).unwrap_or(CHANGES);
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1));
    while done.load(Ordering::Relaxed) < total {
        let one = shared[chance.below(shared.len())];
        let new: Vec<Uuid> = (0..=chance.below(30)).map(|_| chance.key()).collect();
        let (steps, changes): (Vec<Step>, Vec<Uuid>) = match chance.below(8) {
            0..3 => (vec![world.create(new[0])], vec![new[0]]),
            3..5 => (vec![world.update(one, number as i64)], vec![one]),
            5 => {
                let steps = new.iter().map(|key| world.create(*key)).chain([world.update(one, 7)]);
                (steps.collect(), new.iter().copied().chain([one]).collect())
            }
            6 => {
                // The last is there already.
                let steps = new.iter().chain([&new[0]]).map(|key| world.create(*key));
                assert!(!world.write(steps.collect()).await, "two records have one key");
                ledger.lock().undone.extend(new);
                continue;
            }
            _ => {
                let steps = vec![world.create(new[0]), world.update(new[0], 1), world.delete(new[0])];
                (steps, vec![new[0]; 3])
            }
        };
        if world.write(steps).await {
            done.fetch_add(changes.len(), Ordering::Relaxed);
            let mut ledger = ledger.lock();
            changes.into_iter().for_each(|key| *ledger.kept.entry(key).or_default() += 1);
        }
    }
}

/// What one reader got, in its order.
struct Got {
    from: Option<Position>,
    changes: Vec<Change>,
}

async fn read_on(world: &World, (from, limit): (Option<Position>, usize), is_over: &AtomicBool) -> Got {
    let (mut after, mut changes) = (from, Vec::new());
    loop {
        let over = is_over.load(Ordering::Acquire);
        let page = world.page(after, limit).await;
        after = Some(page.end);
        let is_end = over && page.end >= world.last();
        changes.extend(page.changes.into_iter().map(|change| Change { before: None, after: None, ..change }));
        if is_end {
            return Got { from, changes };
        }
    }
}

/// Whether every change came once, in one order for all readers, each record's in the order of its versions.
fn judge(ledger: &Ledger, got: &[Got]) -> Result<(), String> {
    let all = &got[0].changes;
    if let Some(pair) = all.windows(2).find(|pair| pair[0].position >= pair[1].position) {
        return Err(format!("{} came behind {}", pair[1].position, pair[0].position));
    }
    let mut versions: HashMap<Uuid, i64> = HashMap::new();
    for change in all {
        let key = change.id.parse::<Uuid>().unwrap();
        let seen = versions.entry(key).or_default();
        *seen += 1;
        // A delete tells the last version that the record had.
        let wanted = *seen - i64::from(change.op == ChangeOp::Delete);
        if change.version != Some(wanted) {
            return Err(format!("{key}: version {:?} came where {wanted} was next", change.version));
        }
    }
    if let Some(key) = ledger.undone.iter().find(|key| versions.contains_key(*key)) {
        return Err(format!("{key} was rolled back, and is told"));
    }
    let missing: i64 = ledger.kept.iter().map(|(key, kept)| kept - versions.get(key).copied().unwrap_or(0)).sum();
    if versions != ledger.kept {
        return Err(format!("{missing} of {} changes are missing", ledger.kept.values().sum::<i64>()));
    }
    for (number, other) in got.iter().enumerate().skip(1) {
        let from = other.from.unwrap_or_default();
        let behind = &all[all.partition_point(|change| change.position <= from)..];
        if behind != other.changes {
            return Err(format!("reader {number} got {} changes, not {}", other.changes.len(), behind.len()));
        }
    }
    Ok(())
}

async fn run(reads: FeedReads) -> Result<(), String> {
    let world = Arc::new(World::new(reads));
    let mut chance = Chance(7);
    let shared: Arc<[Uuid]> = (0..SHARED).map(|_| chance.key()).collect();
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    for key in shared.iter() {
        assert!(world.write(vec![world.create(*key)]).await);
        ledger.lock().kept.insert(*key, 1);
    }
    let (done, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let (world, shared, ledger, done) = (world.clone(), shared.clone(), ledger.clone(), done.clone());
            tokio::spawn(async move { write_on(&world, &shared, &ledger, &done, number).await })
        })
        .collect();
    let mut readers = Vec::new();
    for (number, limit) in PAGES.into_iter().enumerate() {
        // The others begin at other places, while writers write.
        let from = match number {
            0 => None,
            _ => Some(world.page(None, number * 50).await.end),
        };
        let (world, is_over) = (world.clone(), is_over.clone());
        readers.push(tokio::spawn(async move { read_on(&world, (from, limit), &is_over).await }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    is_over.store(true, Ordering::Release);
    let mut got = Vec::new();
    for reader in readers {
        got.push(reader.await.unwrap());
    }
    judge(&ledger.lock(), &got)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_comes_once_and_in_one_order_to_all_readers() {
    postgres_only!("one writer has one order");
    // By hand: FEED_HORIZON=off fails.
    let reads = if env::var("FEED_HORIZON").is_ok() { FeedReads::without_horizon() } else { FeedReads::new() };
    assert_eq!(run(reads).await, Ok(()));
}

#[tokio::test]
async fn changes_of_another_server_are_none_of_this_one() {
    postgres_only!("numbers of a file go with it");
    let world = World::new(FeedReads::new());
    let mine = Uuid::from_u128(1);
    assert!(world.write(vec![world.create(mine)]).await);
    let client = world.client().await;
    let foreign =
        "INSERT INTO mainstay_changes (xid, collection, record, op, time) VALUES ('9000000000000', 'items', 'a', 1, 0)";
    client.batch_execute(foreign).await.unwrap();
    client.batch_execute("INSERT INTO mainstay_changes_gone VALUES ('others', 9000000000000, 5)").await.unwrap();
    // As after the start on a dump.
    let settings = Settings::of(Location::Postgres(world.database.url()));
    let url = world.database.url();
    drop(tokio::task::spawn_blocking(move || Engine::open(&settings, &url).unwrap()).await.unwrap());
    assert_eq!(world.database.rows("SELECT record FROM mainstay_changes WHERE record = 'a'").len(), 0);
    let end = world.engine.changes_end().await.unwrap();
    for after in [Position { xid: 1, seq: 1 }, Position { xid: 9_000_000_000_000, seq: 1 }] {
        let asked = ChangesAsked { after: Some(after), collection: None, limit: 1, bytes: 1 };
        let outcome = world.engine.changes(asked).await;
        assert!(matches!(outcome, Err(StoreError::ChangesGone)), "{after}: {outcome:?}");
    }
    assert!(world.write(vec![world.update(mine, 5)]).await);
    let mut page = world.page(Some(end), 10).await;
    while page.changes.is_empty() {
        page = world.page(Some(page.end), 10).await;
    }
    assert_eq!((page.changes.len(), page.changes[0].version), (1, Some(2)));
}

#[tokio::test]
async fn without_the_horizon_a_change_that_is_committed_late_is_lost() {
    postgres_only!("one writer has one order");
    for (reads, wanted) in [(FeedReads::without_horizon(), ["b"].as_slice()), (FeedReads::new(), &["a", "b"])] {
        let world = World::new(reads);
        let (early, late) = (world.client().await, world.client().await);
        let insert = |record: &str| {
            format!("INSERT INTO mainstay_changes (collection, record, op, time) VALUES ('items', '{record}', 1, 0)")
        };
        early.batch_execute(&format!("BEGIN; {}", insert("a"))).await.unwrap();
        late.batch_execute(&insert("b")).await.unwrap();
        let mut page = world.page(None, 10).await;
        let mut got = page.changes;
        early.batch_execute("COMMIT").await.unwrap();
        while page.end < world.last() {
            page = world.page(Some(page.end), 10).await;
            got.extend(page.changes);
        }
        let got: Vec<&str> = got.iter().map(|change| &*change.id).collect();
        assert_eq!(got, wanted);
    }
}

//! This process among the nodes: it gives signs of life, knows whether it is elected, and sees when another one has changed the
//! tables.
use std::{sync::Arc, time::Duration};

use mainstay_schema::{Class, Migration, Schema, Snapshot};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};
use uuid::Uuid;

use crate::{Beat, Node, Pulse, Store, StoreError};

/// How often the first sign of life is tried: a database that is busy when a node comes is waited for, and not for good.
const JOINS_MAX: usize = 10;

/// How a process is among the nodes.
#[derive(Clone, Debug)]
pub struct MemberSettings {
    /// What people call it.
    pub name: String,
    /// The version of the program.
    pub version: String,
    /// Between two signs of life.
    pub heartbeat: Duration,
    /// After so long without one a node is gone.
    pub gone_after: Duration,
    /// How long answers of writes with an idempotency key are kept.
    pub kept: Duration,
    /// Whether it is told when the tables do not fit its schema any more; not where it changes them itself.
    pub watches_schema: bool,
}

/// How it is with a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether it does what only one node does.
    pub elected: bool,
    /// Whether the tables are those of its schema.
    pub fitness: Fitness,
    /// Signs of life that came through.
    pub beats: u64,
}

/// What the tables are for a node's schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fitness {
    /// Those that it wants.
    #[default]
    Same,
    /// They have more than it knows of, by so many steps: it goes on.
    Behind(usize),
    /// They are others; why.
    Unfit(String),
}

impl Fitness {
    /// Why a node with it answers nothing.
    pub fn unfit(&self) -> Option<&str> {
        match self {
            Fitness::Unfit(why) => Some(why),
            Fitness::Same | Fitness::Behind(_) => None,
        }
    }

    /// By how many steps the tables have gone on, where the node works with them.
    pub fn steps(&self) -> Option<usize> {
        match self {
            Fitness::Same => Some(0),
            Fitness::Behind(steps) => Some(*steps),
            Fitness::Unfit(_) => None,
        }
    }

    /// As the table of nodes has it.
    pub(crate) fn kept(&self) -> (Option<i64>, Option<&str>) {
        (self.steps().and_then(|steps| i64::try_from(steps).ok()).filter(|steps| *steps > 0), self.unfit())
    }

    /// What the table of nodes has.
    pub(crate) fn of_kept(steps: Option<i64>, unfit: Option<String>) -> Fitness {
        match (unfit, steps.and_then(|steps| usize::try_from(steps).ok())) {
            (Some(why), _) => Fitness::Unfit(why),
            (None, Some(steps)) if steps > 0 => Fitness::Behind(steps),
            (None, _) => Fitness::Same,
        }
    }

    /// Of what a database has, for a schema.
    pub fn of(schema: &Schema, database: &Snapshot) -> Fitness {
        let steps = Migration::since(schema, database);
        match steps.iter().find(|step| step.class != Class::Additive) {
            Some(step) => Fitness::Unfit(step.text.clone()),
            None if steps.is_empty() => Fitness::Same,
            None => Fitness::Behind(steps.len()),
        }
    }
}

/// A process among the nodes, until it leaves.
#[derive(Debug)]
pub struct Member {
    shared: Arc<Shared>,
    standing: watch::Receiver<Standing>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<Store>,
    settings: MemberSettings,
    id: String,
    served: Mutex<Served>,
    /// Something is to be told before its time.
    hurry: Notify,
    leaving: Notify,
}

/// The schema that a node serves, with its fingerprint.
#[derive(Clone, Debug)]
struct Served {
    schema: Arc<Schema>,
    fingerprint: String,
}

impl Served {
    fn new(schema: Arc<Schema>) -> Served {
        Served { fingerprint: schema.snapshot().fingerprint(), schema }
    }
}

impl Member {
    /// Joins the nodes of a database with the schema that this process serves; the first sign of life is given before it returns.
    /// A database that does not answer in time is asked again, a heartbeat later, ten times in all.
    pub async fn join(store: Arc<Store>, settings: MemberSettings, schema: Arc<Schema>) -> Result<Member, StoreError> {
        let id = Uuid::now_v7().to_string();
        let (hurry, leaving) = (Notify::new(), Notify::new());
        let shared = Arc::new(Shared { store, settings, id, served: Mutex::new(Served::new(schema)), hurry, leaving });
        let mut life = Life::new(shared.clone());
        life.begin().await?;
        let standing = life.standing.subscribe();
        Ok(Member { shared, standing, task: tokio::spawn(life.run()) })
    }

    /// Its id, for as long as it is there.
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// How it is with it, now and from now on.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// It serves another schema from now on.
    pub fn serve(&self, schema: Arc<Schema>) {
        *self.shared.served.lock() = Served::new(schema);
        self.shared.hurry.notify_one();
    }

    /// Leaves: another node may be elected at once.
    pub async fn leave(self) {
        self.shared.leaving.notify_one();
        // A task that panicked gives no sign any more: the others find that out.
        let _ = self.task.await;
    }
}

/// What runs while a member is there.
struct Life {
    shared: Arc<Shared>,
    standing: watch::Sender<Standing>,
    /// The tables that were looked at last, and for which schema.
    looked: Option<(Option<i64>, Arc<Schema>)>,
    is_away: bool,
}

impl Life {
    fn new(shared: Arc<Shared>) -> Life {
        Life { shared, standing: watch::Sender::default(), looked: None, is_away: false }
    }

    /// The first sign of life.
    async fn begin(&mut self) -> Result<(), StoreError> {
        for _ in 1..JOINS_MAX {
            match self.beat().await {
                Err(error @ (StoreError::TimedOut { .. } | StoreError::Unavailable(_) | StoreError::Conflict)) => {
                    tracing::warn!(%error, "the first sign of life does not reach the database: it is given again");
                }
                outcome => return outcome,
            }
            sleep(self.shared.settings.heartbeat).await;
        }
        self.beat().await
    }

    async fn run(mut self) {
        let mut next = Instant::now() + self.shared.settings.heartbeat;
        loop {
            tokio::select! {
                () = self.shared.leaving.notified() => break,
                () = self.shared.hurry.notified() => {}
                () = sleep_until(next) => {}
            }
            next = Instant::now() + self.shared.settings.heartbeat;
            match self.beat().await {
                Ok(()) => self.tell_back(),
                Err(error) => self.tell_away(&error),
            }
        }
        if let Err(error) = self.within(self.shared.store.leave(&self.shared.id)).await {
            tracing::warn!(%error, "this node cannot say that it leaves: the others find out");
        }
    }

    /// One sign of life, and what follows from the answer.
    async fn beat(&mut self) -> Result<(), StoreError> {
        let settings = &self.shared.settings;
        let Served { schema, fingerprint } = self.shared.served.lock().clone();
        let node = Node {
            id: self.shared.id.clone(),
            name: settings.name.clone(),
            version: settings.version.clone(),
            schema: fingerprint,
        };
        let told = self.standing.borrow().fitness.clone();
        let beat = Beat { node, fitness: told, gone_after: settings.gone_after, kept: settings.kept };
        let pulse = self.within(self.shared.store.beat(&beat)).await?;
        self.tell(&pulse);
        let looked = self.fitness(&pulse, schema).await;
        let fitness = looked.as_ref().unwrap_or(&beat.fitness);
        if *fitness != beat.fitness {
            self.shared.hurry.notify_one();
        }
        // It was a sign of life in any case.
        self.standing.send_modify(|standing| {
            *standing = Standing { elected: pulse.elected, fitness: fitness.clone(), beats: standing.beats + 1 };
        });
        if let Err(error) = looked {
            tracing::warn!(%error, "the tables cannot be looked at: what was found of them before holds");
        }
        Ok(())
    }

    /// Waits for the database for so long that whoever has no answer by then is not elected any more.
    async fn within<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let limit = self.shared.settings.gone_after / 2;
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        timeout(limit, answer).await.unwrap_or(Err(StoreError::TimedOut { limit_ms }))
    }

    /// What the tables are for the schema; they are looked at when they have changed.
    async fn fitness(&mut self, pulse: &Pulse, schema: Arc<Schema>) -> Result<Fitness, StoreError> {
        let known = self.standing.borrow().fitness.clone();
        let is_same = |(tables, of): &(Option<i64>, Arc<Schema>)| *tables == pulse.schema && Arc::ptr_eq(of, &schema);
        if !self.shared.settings.watches_schema || self.looked.as_ref().is_some_and(is_same) {
            return Ok(known);
        }
        self.looked = None;
        let fitness = match self.shared.store.snapshot_in_time().await {
            Ok(Some(database)) => Fitness::of(&schema, &database),
            Ok(None) => Fitness::Unfit("the database has no tables any more".to_owned()),
            // Another version has written what this one cannot read. It looks again with each sign of life.
            Err(error @ StoreError::Unreadable(_)) => return Ok(Fitness::Unfit(error.to_string())),
            Err(error) => return Err(error),
        };
        self.looked = Some((pulse.schema, schema));
        Ok(fitness)
    }

    fn tell(&self, pulse: &Pulse) {
        let was = self.standing.borrow().elected;
        let node = self.shared.settings.name.as_str();
        if pulse.elected && !was {
            tracing::info!(node, "this node is elected: it does what only one node does");
        } else if was && !pulse.elected {
            tracing::warn!(node, "this node is elected no more");
        }
        for gone in &pulse.gone {
            tracing::warn!(node = gone.as_str(), "a node is gone: it gave no sign of life");
        }
    }

    fn tell_away(&mut self, error: &StoreError) {
        let elected = self.shared.store.is_elected();
        self.standing.send_if_modified(|standing| std::mem::replace(&mut standing.elected, elected) != elected);
        if !std::mem::replace(&mut self.is_away, true) {
            tracing::warn!(%error, "no sign of life reaches the database: another node may be elected");
        }
    }

    fn tell_back(&mut self) {
        if std::mem::replace(&mut self.is_away, false) {
            tracing::info!("signs of life reach the database again");
        }
    }
}

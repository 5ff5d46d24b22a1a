//! What is told of reads and writes that took long: their SQL, which holds no values, the plan in words, missing indexes.
//!
//! Whoever took long does not wait for that, nor does anybody else: plans come when they come.
use std::{fmt::Write as _, sync::Arc, time::Duration};

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use crate::{Explained, ReadStatement, StatementExplained, Step, StoreError, WriteStatement, engine::Engine, sql::Sql};

/// Characters of SQL that are told at most.
const SQL_SHOWN_MAX: usize = 400;
/// What waits to be explained beside requests, at most; what finds no place is told without its plan.
const ASIDE_MAX: usize = 16;

/// What is explained beside requests, that nobody waits for: one after the other, and no more than a few wait for their turn.
pub(crate) struct Aside {
    places: Arc<Semaphore>,
    pub(crate) turn: Mutex<()>,
}

impl Aside {
    /// A place to wait for a turn at, if there is one.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().ok()
    }
}

impl Default for Aside {
    fn default() -> Aside {
        Aside { places: Arc::new(Semaphore::new(ASIDE_MAX)), turn: Mutex::default() }
    }
}

/// Tells of a read that took long.
pub(crate) fn tell_read(engine: &Engine, statement: &Arc<ReadStatement>, took: Duration) {
    let tell = move |told: &str| tracing::info!("slow read, {}{told}", milliseconds(took));
    if let Some(told) = statement.told() {
        return tell(told);
    }
    let of = statement.clone();
    engine.explain_aside(statement, move |explained| match explained {
        Ok(explained) => tell(of.tell(|| read_in_words(&of, &explained))),
        // The next one may be explained.
        Err(_) => tell(&sql_of(&of)),
    });
}

fn sql_of(statement: &ReadStatement) -> String {
    format!("\n  {}", short(statement.sql()))
}

fn read_in_words(statement: &ReadStatement, explained: &Explained) -> String {
    let mut out = sql_of(statement);
    for line in &explained.words {
        let _ = write!(out, "\n  {line}");
    }
    let Some((schema, _)) = statement.origin() else { return out };
    for wanted in &explained.missing {
        let collection = schema.collection(wanted.collection);
        let _ = write!(out, "\n  missing: type {} {}", collection.name, wanted.directive(schema));
    }
    out
}

/// Tells of a write that took long, the wait for the disk and for other writes included.
pub(crate) fn tell_write(engine: &Engine, steps: &[Step], took: Duration) {
    let more = match steps.len() {
        0 | 1 => String::new(),
        count => format!("\n  … and {} steps more", count - 1),
    };
    let tell = move |told: &str| tracing::info!("slow write, {}{told}{more}", milliseconds(took));
    let Some(statement) = steps.first().and_then(statement_of) else { return tell("") };
    let of = statement.clone();
    engine.explain_write_aside(statement, move |explained| tell(&write_in_words(&of, explained)));
}

/// The statement that stands for a step.
fn statement_of(step: &Step) -> Option<&Arc<WriteStatement>> {
    let task = match step {
        Step::Run(task) => task,
        Step::Upsert(upsert) => upsert.update.as_ref().or(upsert.create.as_ref()).unwrap_or(&upsert.find),
        Step::Each(each) => &each.find,
        Step::Read(_) => return None,
    };
    Some(&task.statement)
}

fn write_in_words(of: &WriteStatement, explained: Result<Vec<StatementExplained>, StoreError>) -> String {
    let without_plan = |sql: &Sql| StatementExplained { sql: sql.text.clone(), ..StatementExplained::default() };
    let mut out = String::new();
    for explained in explained.unwrap_or_else(|_| of.all().into_iter().map(without_plan).collect()) {
        let _ = write!(out, "\n  {}", short(&explained.sql));
        for line in &explained.words {
            let _ = write!(out, "\n    {line}");
        }
    }
    out
}

fn milliseconds(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1_000.0)
}

fn short(sql: &str) -> String {
    match sql.char_indices().nth(SQL_SHOWN_MAX) {
        Some((end, _)) => format!("{} …", &sql[..end]),
        None => sql.to_owned(),
    }
}

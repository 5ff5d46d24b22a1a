//! What is told of reads and writes that took long: their SQL, which holds no values, the plan in words, missing indexes.
use std::{fmt::Write as _, sync::Arc, time::Duration};

use crate::{ReadStatement, Step, engine::Engine};

/// Characters of SQL that are told at most.
const SQL_SHOWN_MAX: usize = 400;

/// Tells of a read that took long.
pub(crate) fn tell_read(engine: &Engine, statement: &Arc<ReadStatement>, took: Duration) {
    let told = statement.told(|| {
        let mut out = format!("\n  {}", short(statement.sql()));
        let Ok(explained) = engine.explain(statement, None) else { return out };
        for line in &explained.words {
            let _ = write!(out, "\n  {line}");
        }
        let Some((schema, _)) = statement.origin() else { return out };
        for wanted in &explained.missing {
            let collection = schema.collection(wanted.collection);
            let _ = write!(out, "\n  missing: type {} {}", collection.name, wanted.directive(schema));
        }
        out
    });
    tracing::info!("slow read, {}{told}", milliseconds(took));
}

/// Tells of a write that took long, the wait for the disk and for other writes included.
pub(crate) fn tell_write(engine: &Engine, steps: &[Step], took: Duration) {
    let mut out = String::new();
    for step in steps.iter().take(1) {
        let task = match step {
            Step::Run(task) => task,
            Step::Upsert(upsert) => upsert.update.as_ref().or(upsert.create.as_ref()).unwrap_or(&upsert.find),
            Step::Each(each) => &each.find,
            Step::Read(_) => continue,
        };
        for explained in engine.explain_write(&task.statement).unwrap_or_default() {
            let _ = write!(out, "\n  {}", short(&explained.sql));
            for line in &explained.words {
                let _ = write!(out, "\n    {line}");
            }
        }
    }
    if steps.len() > 1 {
        let _ = write!(out, "\n  … and {} steps more", steps.len() - 1);
    }
    tracing::info!("slow write, {}{out}", milliseconds(took));
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

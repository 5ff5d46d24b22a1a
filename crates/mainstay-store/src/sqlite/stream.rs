//! Streams: reads without an end in sight, in one snapshot, handed out in batches.
use std::sync::{Arc, atomic::AtomicBool};

use mainstay_expr::Value;
use rusqlite::Connection;
use tokio::sync::mpsc::Sender;

use super::{bind::bind, connection::open_reader, failure::store_error, page, row::write_object};
use crate::{Batch, Settings, StoreError, exec::Inputs, read::ReadStatement};

/// Nobody takes the batches any more.
struct Gone;

/// Carries out the reads; the last thing sent may be a failure.
pub(super) fn run(
    settings: &Settings,
    closing: Arc<AtomicBool>,
    reads: &[(Arc<ReadStatement>, Vec<Value>)],
    batches: &Sender<Result<Batch, StoreError>>,
) {
    let outcome = open_reader(settings, settings.sqlite.cache_kib, closing)
        .map_err(|error| store_error(error, 0))
        .and_then(|reader| in_snapshot(&reader.connection, reads, batches));
    if let Err(error) = outcome {
        let _ = batches.blocking_send(Err(error));
    }
}

fn in_snapshot(
    connection: &Connection,
    reads: &[(Arc<ReadStatement>, Vec<Value>)],
    batches: &Sender<Result<Batch, StoreError>>,
) -> Result<(), StoreError> {
    page::command(connection, "BEGIN", 0)?;
    for (number, (statement, values)) in reads.iter().enumerate() {
        match one(connection, number, statement, values, batches)? {
            Ok(()) => {}
            Err(Gone) => break,
        }
    }
    page::command(connection, "ROLLBACK", 0)
}

fn one(
    connection: &Connection,
    read: usize,
    of: &ReadStatement,
    values: &[Value],
    batches: &Sender<Result<Batch, StoreError>>,
) -> Result<Result<(), Gone>, StoreError> {
    let failed = |error| store_error(error, 0);
    let mut statement = connection.prepare(&of.sql.page.text).map_err(failed)?;
    bind(&mut statement, &of.sql.page, &Inputs::of(values)).map_err(failed)?;
    let mut rows = statement.raw_query();
    let mut batch = Batch::of(read);
    while let Some(row) = rows.next().map_err(failed)? {
        write_object(row, &of.sql.columns, &mut batch.json)?;
        if let Some(full) = batch.end_record()
            && batches.blocking_send(Ok(full)).is_err()
        {
            return Ok(Err(Gone));
        }
    }
    Ok(if batches.blocking_send(Ok(batch)).is_err() { Err(Gone) } else { Ok(()) })
}

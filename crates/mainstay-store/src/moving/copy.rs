//! Copies whole tables, in portions: one is written while the next is read.
use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use mainstay_expr::Value;

use super::Side;
use crate::{StoreError, sql::MovedTable};

/// Rows of the first portion; the next ones have as many as there is room for.
const ROWS_FIRST: usize = 256;
/// Rows of a portion at most.
const ROWS_MAX: usize = 20_000;
/// Bytes of a portion, about.
const BYTES: usize = 8 * 1024 * 1024;
/// Portions that wait to be written.
const WAITING: usize = 1;

/// How many rows are read at a time.
pub(super) struct Room(usize);

impl Room {
    pub(super) fn new() -> Room {
        Room(ROWS_FIRST)
    }

    pub(super) fn rows(&self) -> usize {
        self.0
    }

    /// As many next time as there is room for where rows are as large as these.
    pub(super) fn learn(&mut self, rows: usize, values: &[Value]) {
        let each = values.iter().map(weight).sum::<usize>() / rows.max(1);
        self.0 = (BYTES / each.max(1)).clamp(1, ROWS_MAX).min(self.0.saturating_mul(8));
    }
}

fn weight(value: &Value) -> usize {
    24 + match value {
        Value::Text(text) | Value::Json(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    }
}

/// Reads a table portion by portion, from behind a key on, until nobody takes them any more.
pub(super) fn read(
    source: &mut dyn Side,
    table: &MovedTable,
    mut behind: Option<Vec<Value>>,
    take: &mut dyn FnMut(Vec<Value>) -> bool,
) -> Result<(), StoreError> {
    let (width, mut room) = (table.columns.len().max(1), Room::new());
    loop {
        let values = source.portion(table, behind.as_deref(), room.rows())?;
        let rows = values.len() / width;
        let is_last = rows < room.rows();
        if rows > 0 {
            behind = Some(values[(rows - 1) * width..(rows - 1) * width + table.keys].to_vec());
            room.learn(rows, &values);
            if !take(values) {
                return Ok(());
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Copies what the source has behind the last row of the target. Each portion is kept by itself.
pub(super) fn table(
    (source, target): (&mut dyn Side, &mut dyn Side),
    table: &MovedTable,
    told: &mut (dyn FnMut(u64) + Send),
) -> Result<(), StoreError> {
    let behind = target.last(table)?;
    let (send, receive) = sync_channel(WAITING);
    thread::scope(|scope| {
        let reading = scope.spawn(move || feed(source, table, behind, &send));
        let written = write(target, table, &receive, told);
        // Whoever reads for nobody ends.
        drop(receive);
        let read =
            reading.join().unwrap_or_else(|_| Err(StoreError::Engine("the reader of a move has ended".to_owned())));
        read.and(written)
    })
}

fn feed(
    source: &mut dyn Side,
    table: &MovedTable,
    behind: Option<Vec<Value>>,
    portions: &SyncSender<Vec<Value>>,
) -> Result<(), StoreError> {
    read(source, table, behind, &mut |values| portions.send(values).is_ok())
}

fn write(
    target: &mut dyn Side,
    table: &MovedTable,
    portions: &Receiver<Vec<Value>>,
    told: &mut (dyn FnMut(u64) + Send),
) -> Result<(), StoreError> {
    for values in portions {
        target.begin()?;
        let filled = target.fill(table, &values);
        if filled.is_err() {
            // The first failure is the one to tell.
            let _ = target.roll_back();
        }
        filled?;
        target.commit()?;
        told((values.len() / table.columns.len().max(1)) as u64);
    }
    Ok(())
}

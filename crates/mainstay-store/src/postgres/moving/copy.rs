//! Rows into a table by COPY, in its binary form, in large pieces: each piece wakes the server once.
use std::{
    future::poll_fn,
    pin::{Pin, pin},
};

use bytes::{BufMut, Bytes, BytesMut};
use futures_sink::Sink;
use mainstay_expr::Value;
use tokio_postgres::{
    Client, CopyInSink,
    types::{IsNull, ToSql, Type},
};

use super::super::{PostgresDialect, bind::Param, failure::store_error};
use crate::{
    StoreError,
    sql::{Dialect, MovedTable},
};

/// What the form begins with: its signature, no flags, nothing else.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Bytes of a piece.
const PIECE: usize = 256 * 1024;

fn failed(error: tokio_postgres::Error) -> StoreError {
    store_error(&error, 0)
}

/// Writes rows.
pub(super) async fn copy(client: &Client, table: &MovedTable, rows: &[Value]) -> Result<(), StoreError> {
    let (name, list) = (PostgresDialect.quote(&table.name), table.list(&PostgresDialect));
    let known = client.prepare(&format!("SELECT {list} FROM {name}")).await.map_err(failed)?;
    let types: Vec<Type> = known.columns().iter().map(|column| column.type_().clone()).collect();
    let sink = client.copy_in::<_, Bytes>(&format!("COPY {name} ({list}) FROM STDIN (FORMAT binary)")).await;
    let mut sink = pin!(sink.map_err(failed)?);
    let mut out = BytesMut::with_capacity(PIECE + PIECE / 4);
    out.put_slice(HEADER);
    for row in rows.chunks(types.len().max(1)) {
        put(row, &types, &mut out)?;
        if out.len() >= PIECE {
            send(sink.as_mut(), out.split().freeze()).await?;
            out.reserve(PIECE + PIECE / 4);
        }
    }
    out.put_i16(-1);
    send(sink.as_mut(), out.freeze()).await?;
    sink.as_mut().finish().await.map(|_| ()).map_err(failed)
}

async fn send(mut sink: Pin<&mut CopyInSink<Bytes>>, piece: Bytes) -> Result<(), StoreError> {
    poll_fn(|context| sink.as_mut().poll_ready(context)).await.map_err(failed)?;
    sink.as_mut().start_send(piece).map_err(failed)?;
    poll_fn(|context| sink.as_mut().poll_flush(context)).await.map_err(failed)
}

/// A row: how many values, and each behind its length.
fn put(row: &[Value], types: &[Type], out: &mut BytesMut) -> Result<(), StoreError> {
    out.put_i16(i16::try_from(row.len()).unwrap_or(i16::MAX));
    for (value, ty) in row.iter().zip(types) {
        let at = out.len();
        out.put_i32(-1);
        let written = Param::Value(value).to_sql(ty, out);
        let written = written.map_err(|error| StoreError::Engine(format!("a value cannot be copied: {error}")))?;
        if matches!(written, IsNull::No) {
            let length = i32::try_from(out.len() - at - 4);
            let length = length.map_err(|_| StoreError::Engine("a value is too large to be copied".to_owned()))?;
            out[at..at + 4].copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(())
}

//! Rows into a table by COPY, in its binary form, in large pieces: each piece wakes the server once.
use std::{
    future::poll_fn,
    pin::{Pin, pin},
};

use bytes::{BufMut, Bytes, BytesMut};
use futures_sink::Sink;
use tokio_postgres::{
    CopyInSink,
    types::{IsNull, ToSql, Type},
};

use super::{bind::Param, connection::Stopped};
use crate::StoreError;

/// What a statement ends with that takes rows in this form.
pub(super) const FROM: &str = "FROM STDIN (FORMAT binary)";
/// What the form begins with: its signature, no flags, nothing else.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Bytes of a piece.
const PIECE: usize = 256 * 1024;
/// Bytes that there is room for at first: most writes are small.
const FIRST: usize = 8 * 1024;

/// Writes rows of values, whose columns have these types.
pub(super) async fn copy<'v, R>(
    sink: CopyInSink<Bytes>,
    types: &[Type],
    rows: impl Iterator<Item = R>,
) -> Result<(), Stopped>
where
    R: ExactSizeIterator<Item = Param<'v>>,
{
    let mut sink = pin!(sink);
    let mut out = BytesMut::with_capacity(FIRST);
    out.put_slice(HEADER);
    for row in rows {
        put(row, types, &mut out).map_err(|error| Stopped::Taker(error.into()))?;
        if out.len() >= PIECE {
            send(sink.as_mut(), out.split().freeze()).await?;
            out.reserve(PIECE + PIECE / 4);
        }
    }
    out.put_i16(-1);
    send(sink.as_mut(), out.freeze()).await?;
    sink.finish().await?;
    Ok(())
}

async fn send(mut sink: Pin<&mut CopyInSink<Bytes>>, piece: Bytes) -> Result<(), tokio_postgres::Error> {
    poll_fn(|context| sink.as_mut().poll_ready(context)).await?;
    sink.as_mut().start_send(piece)?;
    poll_fn(|context| sink.as_mut().poll_flush(context)).await
}

/// A row: how many values, and each behind its length.
fn put<'v>(
    row: impl ExactSizeIterator<Item = Param<'v>>,
    types: &[Type],
    out: &mut BytesMut,
) -> Result<(), StoreError> {
    out.put_i16(i16::try_from(row.len()).unwrap_or(i16::MAX));
    for (value, ty) in row.zip(types) {
        let at = out.len();
        out.put_i32(-1);
        let written = value.to_sql(ty, out);
        let written = written.map_err(|error| StoreError::Engine(format!("a value cannot be copied: {error}")))?;
        if matches!(written, IsNull::No) {
            let length = i32::try_from(out.len() - at - 4);
            let length = length.map_err(|_| StoreError::Engine("a value is too large to be copied".to_owned()))?;
            out[at..at + 4].copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(())
}

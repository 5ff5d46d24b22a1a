//! Bodies: answers that are ready or read from a file as they go out, and requests read within their limits.
use std::{
    io::Read as _,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use tokio::sync::mpsc::Receiver;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// Bytes that are there; empty when they are sent.
    Ready(Bytes),
    /// Bytes that something else reads while they go out: a file.
    Stream {
        /// The pieces; an error ends the connection, so that nobody takes half a file for a whole one.
        pieces: Receiver<std::io::Result<Bytes>>,
        /// How many bytes are still to come.
        left: u64,
    },
}

impl Body {
    /// No body.
    pub(crate) const fn empty() -> Body {
        Body::Ready(Bytes::new())
    }

    /// How many bytes it has.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Body::Ready(bytes) => bytes.len() as u64,
            Body::Stream { left, .. } => *left,
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match self.get_mut() {
            Body::Ready(bytes) if bytes.is_empty() => Poll::Ready(None),
            Body::Ready(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Body::Stream { pieces, left } => pieces.poll_recv(context).map(|piece| {
                if let Some(Ok(bytes)) = &piece {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                piece.map(|piece| piece.map(Frame::data))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.len() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len())
    }
}

/// Bytes of a body that are read although nobody asked for them, so that the connection can be kept.
const DRAIN_BYTES_MAX: u64 = 64 * 1024;

/// How long they are waited for.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a request's body was not read.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// It is larger than the limit.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// The client went away, or broke the rules of the transfer.
    Broken(String),
}

/// Reads a whole body. One piece, the usual case, is not copied.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: &mut Incoming,
    bytes_max: usize,
    timeout: Duration,
) -> Result<Bytes, BodyError> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let too_large = declared.is_some_and(|length| length > bytes_max as u64);
    // Who asks before sending is told at once.
    if too_large && headers.contains_key(header::EXPECT) {
        return Err(BodyError::TooLarge);
    }
    match tokio::time::timeout(timeout, collect(body, bytes_max, too_large)).await {
        Ok(result) => result,
        Err(_) if too_large => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::TooSlow),
    }
}

/// Reads what is left of a body that was not wanted, and says whether its end was reached: only then can the connection carry another
/// request. What is large, comes slowly or waits to be asked for is not read.
pub(crate) async fn drain(headers: &HeaderMap, body: &mut Incoming) -> bool {
    if body.is_end_stream() {
        return true;
    }
    if body.size_hint().lower() > DRAIN_BYTES_MAX || headers.contains_key(header::EXPECT) {
        return false;
    }
    tokio::time::timeout(DRAIN_TIMEOUT, reaches_end(body)).await.unwrap_or(false)
}

async fn reaches_end(body: &mut Incoming) -> bool {
    let mut left = DRAIN_BYTES_MAX;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let length = frame.data_ref().map_or(0, |piece| piece.len() as u64);
        let Some(rest) = left.checked_sub(length) else { return false };
        left = rest;
    }
    true
}

/// Undoes the gzip of a body, as far as the limit allows: what would become larger is refused before it has.
pub(crate) fn inflate(compressed: &[u8], bytes_max: usize) -> Result<Bytes, BodyError> {
    let mut plain = Vec::new();
    let mut reader = MultiGzDecoder::new(compressed).take(bytes_max as u64 + 1);
    reader.read_to_end(&mut plain).map_err(|error| BodyError::Broken(format!("its gzip is not valid: {error}")))?;
    if plain.len() > bytes_max { Err(BodyError::TooLarge) } else { Ok(plain.into()) }
}

/// A body that is too large is read on, to nowhere, up to once more the limit: a client that still sends when the
/// connection closes never sees the answer that says why.
async fn collect(body: &mut Incoming, bytes_max: usize, mut too_large: bool) -> Result<Bytes, BodyError> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|error| BodyError::Broken(error.to_string()))?.into_data() else { continue };
        length = length.saturating_add(piece.len());
        too_large |= length > bytes_max;
        if too_large {
            if length > bytes_max.saturating_mul(2) {
                break;
            }
        } else if first.is_empty() {
            first = piece;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&piece);
        }
    }
    match (too_large, rest.is_empty()) {
        (true, _) => Err(BodyError::TooLarge),
        (false, true) => Ok(first),
        (false, false) => Ok(rest.freeze()),
    }
}

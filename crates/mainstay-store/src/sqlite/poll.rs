//! Runs the executor where nothing waits: each of its futures is ready when it is first polled.
use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use crate::StoreError;

/// Runs a future of the executor over a session of this engine, which never waits.
pub(super) fn at_once<T, E: From<StoreError>>(future: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        // A defect: nothing here would ever wake it.
        Poll::Pending => Err(StoreError::Engine("a statement of the embedded database waited".to_owned()).into()),
    }
}

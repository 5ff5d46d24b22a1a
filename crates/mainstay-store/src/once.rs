//! Writes that are done once for their key, however often they are sent.
use std::fmt;

use mainstay_expr::Value;

use crate::Written;

/// Makes the answer that is kept of what the steps did. It runs inside of the transaction, may run again, and must not depend on
/// anything else.
pub type KeepAnswer = Box<dyn Fn(&[Written]) -> Vec<u8> + Send + Sync>;

/// Whose write is done once, for which key, and for how long that is known.
pub struct Once {
    /// Who writes.
    pub caller: String,
    /// The key that the caller chose.
    pub key: String,
    /// A digest of what is asked for: another one is another write.
    pub request: [u8; 32],
    /// A digest of the content: another one for the same request is refused.
    pub body: [u8; 32],
    /// The time of the request, in microseconds since 1970.
    pub time_micros: i64,
    /// How long the answer is kept, in microseconds.
    pub ttl_micros: i64,
    /// Answers that are kept for one caller; past it the oldest goes.
    pub keys_max: usize,
    /// Bytes of an answer that is kept.
    pub answer_bytes_max: usize,
    /// Makes the answer that is kept.
    pub answer: KeepAnswer,
}

/// The answer of a write that is done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// As [`Once::answer`] made it.
    pub answer: Vec<u8>,
    /// Whether the write had been done before.
    pub replayed: bool,
}

impl Once {
    /// The values of its statements, without the answer.
    pub(crate) fn values(&self) -> Vec<Value> {
        let bytes = |of: &[u8]| Value::Bytes(of.into());
        let before = self.time_micros.saturating_sub(self.ttl_micros);
        vec![
            Value::text(&*self.caller),
            Value::text(&*self.key),
            bytes(&self.request),
            bytes(&self.body),
            Value::Int(self.time_micros),
            Value::Null,
            Value::Int(before),
            Value::Null,
            Value::Int(i64::try_from(self.keys_max).unwrap_or(i64::MAX)),
        ]
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Once").field("caller", &self.caller).field("key", &self.key).finish_non_exhaustive()
    }
}

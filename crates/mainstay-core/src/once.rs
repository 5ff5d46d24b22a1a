//! Writes that are done once for their key, however often they are sent: the one way of steps to the store.
use std::{fmt, sync::Arc};

use aws_lc_rs::digest::{Context, SHA256};
use mainstay_schema::Schema;
use mainstay_store::{Kept as StoreKept, Once as StoreOnce, Write, Written};

use crate::{
    Answer, Caller, Core, Create, Error, ErrorKind, Operation, Record, Request,
    errors::from_once,
    expressions::RuleKind,
    write::{Failed, Outcome, Steps},
};

/// Turns an answer into the bytes that are kept for the key. It may run several times, and depends on nothing else.
pub type Keep = Arc<dyn Fn(Answer) -> Vec<u8> + Send + Sync>;

/// A write that is done once for its key (`Idempotency-Key`).
#[derive(Clone)]
pub struct Once {
    /// The key that the caller chose.
    key: String,
    /// A digest of where it was sent to.
    path: [u8; 32],
    /// A digest of what was sent: the query and the body.
    content: [u8; 32],
    keep: Keep,
}

/// The bytes that [`Keep`] made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether the write had been done before.
    pub replayed: bool,
}

impl Once {
    /// A write that was sent to a path, with a query and a body, under a key. The query says what is written, as the body
    /// does: with another filter it is another write.
    pub fn new(key: String, path: &str, query: &str, body: &[u8], keep: Keep) -> Once {
        // No query holds a line's end: nothing moves from the one to the other unseen.
        let content = sha256(&[query.as_bytes(), b"\n", body]);
        Once { key, path: sha256(&[path.as_bytes()]), content, keep }
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Once").field("key", &self.key).finish_non_exhaustive()
    }
}

impl From<StoreKept> for Kept {
    fn from(kept: StoreKept) -> Kept {
        Kept { bytes: kept.answer, replayed: kept.replayed }
    }
}

impl Core {
    /// The answer of a request that was done before under its key; `None` where it has none, or was not done.
    pub(crate) async fn recall(&self, request: &Request, operation: &Operation<'_>) -> Result<Option<Kept>, Error> {
        let Some(once) = &request.once else { return Ok(None) };
        if matches!(request.caller, Caller::Anonymous)
            && let Operation::Create(Create { collection, .. }) = operation
        {
            // Who may not do it at all is told that first.
            self.gate(request, (*collection, RuleKind::Create))?.require(&self.schema)?;
        }
        let once = self.store_once(request, once, Box::new(|_| Vec::new()))?;
        self.store.kept(&once).await.map(|kept| kept.map(Kept::from)).map_err(from_once)
    }

    /// Does the steps in one transaction: all or nothing, and on disk once this returns. The outcomes are taken for the answer,
    /// which is kept in that transaction where the request is done once for a key.
    pub(crate) async fn carry_out_once(
        &self,
        steps: Steps<'_>,
        outcomes: &mut Vec<Outcome>,
        answer: fn(Vec<(Record, bool)>) -> Answer,
    ) -> Result<Answer, Failed> {
        let request = steps.request;
        let Some(once) = &request.once else {
            let mut written = self.carry_out(steps).await?;
            return Ok(answer(answers(&self.schema, std::mem::take(outcomes), &mut written)));
        };
        let (keep, schema, all) = (once.keep.clone(), self.schema.clone(), outcomes.clone());
        let kept = move |written: &[Written]| keep(answer(answers(&schema, all.clone(), &mut written.to_vec())));
        let once = self.store_once(request, once, Box::new(kept));
        let once = once.map_err(|error| Failed { step: 0, error })?;
        let (list, meanings) = steps.into_parts();
        let kept = self.store.write_once(Write { steps: list, author: request.author() }, Arc::new(once)).await;
        kept.map(|kept| Answer::Kept(kept.into())).map_err(|failure| self.step_failed(meanings, request, failure))
    }

    fn store_once(
        &self,
        request: &Request,
        once: &Once,
        answer: mainstay_store::KeepAnswer,
    ) -> Result<StoreOnce, Error> {
        let limits = &self.settings.limits;
        let caller = match &request.caller {
            Caller::User(identity) => format!("user {}", identity.id),
            Caller::Admin(_) => format!("admin {}", request.caller.identity().map_or("", |identity| &identity.id)),
            Caller::Anonymous => {
                let message = "an anonymous caller has no idempotency key: it would be everybody's";
                let error = Error::new(ErrorKind::Unauthenticated, message);
                return Err(error.with_hint("sign in, or leave the header Idempotency-Key out"));
            }
        };
        Ok(StoreOnce {
            caller,
            key: once.key.clone(),
            request: sha256(&[&once.path, request.method.as_bytes()]),
            body: once.content,
            time_micros: request.time_micros,
            ttl_micros: i64::try_from(limits.idempotency_ttl_s.saturating_mul(1_000_000)).unwrap_or(i64::MAX),
            keys_max: limits.idempotency_keys_max,
            answer_bytes_max: limits.idempotency_answer_bytes_max,
            answer,
        })
    }
}

/// The answers of operations, and of each whether its record is new.
fn answers(schema: &Schema, outcomes: Vec<Outcome>, written: &mut [Written]) -> Vec<(Record, bool)> {
    outcomes.into_iter().map(|outcome| outcome.answer(schema, written)).collect()
}

/// The digest of the parts, one behind the other.
fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

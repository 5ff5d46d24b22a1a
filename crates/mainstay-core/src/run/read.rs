//! Reads: one record, or a page.
use std::sync::Arc;

use mainstay_expr::Value;
use mainstay_schema::{json_int, json_string};
use mainstay_store::Page as StorePage;

use super::{PreparedRead, group::cursor_variant};
use crate::{
    Caller, Core, Error, ErrorKind, List, Page, ReadOne, Record, Request,
    errors::from_store,
    expressions::{Resolved, RuleKind},
    plan::{
        Given,
        cursor::nulls,
        read::{ReadAsk, ReadShape},
        target::{not_found, target_values},
    },
    plans::Kept,
};

/// Bytes of an answer that are reserved before it is known.
const RECORD_BYTES: usize = 512;
pub(crate) const PAGE_BYTES: usize = 8 * 1024;
/// How every page begins.
pub(crate) const PAGE_BEGINS: &[u8] = b"{\"items\":[";

type KeptRead = Kept<ReadShape, PreparedRead>;

impl Core {
    /// One record.
    pub(crate) async fn read_one(&self, request: &Request, read: &ReadOne) -> Result<Record, Error> {
        let ask = ReadAsk::one(request, read);
        let kept = self.read_shape(request, &ask)?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, ask.params)?;
        let prepared = self.read_plan(&kept, &resolved, None)?;
        let target = target_values(&self.schema, read.collection, &read.target)?;
        let given = Given { slots: &resolved.slots, target: &target, ..Given::default() };
        let values = given.bind(&prepared.origins);
        let page =
            self.store.read(&prepared.statement, values, Vec::with_capacity(RECORD_BYTES)).await.map_err(from_store)?;
        if page.rows == 0 {
            return Err(not_found(&self.schema, read.collection));
        }
        let key = match read.target {
            crate::Target::Key(_) => target.into_iter().next().unwrap_or(Value::Null),
            crate::Target::Unique { .. } => Value::Null,
        };
        Ok(Record { json: page.json, version: page.version, own: kept.shape.own, key })
    }

    /// A page.
    pub(crate) async fn list(&self, request: &Request, list: &List) -> Result<Page, Error> {
        let limit = self.page_limit(list.limit)?;
        let ask = ReadAsk::list(request, list);
        let kept = self.read_shape(request, &ask)?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, ask.params)?;
        let context = || cursor_context(&kept.shape.cursor_context, request, &list.params);
        let cursor = self.open_cursor(context, list.after.as_deref(), kept.shape.order.len())?;
        let prepared = self.read_plan(&kept, &resolved, cursor.as_deref().map(nulls))?;
        let cursor = cursor.unwrap_or_default();
        let given = Given { slots: &resolved.slots, cursor: &cursor, limit, ..Given::default() };
        let mut into = Vec::with_capacity(PAGE_BYTES);
        into.extend_from_slice(PAGE_BEGINS);
        let page =
            self.store.read(&prepared.statement, given.bind(&prepared.origins), into).await.map_err(from_store)?;
        Ok(self.finish_page(context, page))
    }

    pub(crate) fn read_shape(&self, request: &Request, ask: &ReadAsk<'_>) -> Result<Arc<KeptRead>, Error> {
        let make = || ReadShape::new(&self.schema, &self.settings.limits, ask);
        let kept = self.reads.shape(ask, |shape| shape.fits(ask), make);
        // Who may read nothing is told so, and not which names there are.
        kept.or_else(|error| {
            self.gate(request, (ask.collection, RuleKind::Read))?.require(&self.schema).and(Err(error))
        })
    }

    pub(crate) fn read_plan(
        &self,
        kept: &KeptRead,
        resolved: &Resolved,
        after: Option<u32>,
    ) -> Result<Arc<PreparedRead>, Error> {
        kept.plan(resolved.variant(&cursor_variant(after)), |shape| {
            let (query, origins) = shape.plan(&self.schema, resolved, after)?;
            let statement = self.store.prepare_read(&self.schema, &query).map_err(from_store)?;
            Ok(PreparedRead { statement, origins })
        })
    }

    pub(crate) fn page_limit(&self, limit: Option<u32>) -> Result<u32, Error> {
        let limits = &self.settings.limits;
        match limit {
            None => Ok(limits.page_default.min(limits.page_max)),
            Some(0) => {
                Err(Error::new(ErrorKind::InvalidArgument, "the limit is 0").with_hint("ask for at least 1 record"))
            }
            Some(limit) if limit > limits.page_max => {
                let message = format!("the limit is {limit}, a page holds at most {} records", limits.page_max);
                Err(Error::new(ErrorKind::LimitExceeded, message).with_hint("read page after page by \"after\""))
            }
            Some(limit) => Ok(limit),
        }
    }

    /// The values of the cursor that was sent, one for each sort key.
    pub(crate) fn open_cursor(
        &self,
        context: impl FnOnce() -> Vec<u8>,
        after: Option<&str>,
        keys: usize,
    ) -> Result<Option<Vec<Value>>, Error> {
        let Some(cursor) = after else { return Ok(None) };
        let values = self.cursor_key.open(&context(), cursor)?;
        if values.len() != keys {
            return Err(Error::new(ErrorKind::InvalidCursor, "the cursor does not belong to this request"));
        }
        Ok(Some(values))
    }

    /// The answer, with the cursor where there are more.
    pub(crate) fn finish_page(&self, context: impl FnOnce() -> Vec<u8>, page: StorePage) -> Page {
        let next = page.more.then(|| self.cursor_key.seal(&context(), &page.last));
        let mut json = page.json;
        json.extend_from_slice(b"],\"next\":");
        match &next {
            Some(next) => json_string(&mut json, next),
            None => json.extend_from_slice(b"null"),
        }
        if let Some(count) = page.count {
            json.extend_from_slice(b",\"count\":");
            json_int(&mut json, i64::try_from(count).unwrap_or(i64::MAX));
        }
        json.push(b'}');
        Page { json, rows: page.rows, next }
    }
}

/// What a cursor belongs to: the shape, the values of its filters, and the caller.
pub(crate) fn cursor_context(shape: &[u8], request: &Request, params: &[(String, String)]) -> Vec<u8> {
    let mut context = shape.to_vec();
    let mut push = |text: &str| {
        context.extend_from_slice(&(text.len() as u64).to_le_bytes());
        context.extend_from_slice(text.as_bytes());
    };
    for (name, value) in params {
        push(name);
        push(value);
    }
    match &request.caller {
        Caller::Anonymous => push("anonymous"),
        Caller::Admin(_) => push("admin"),
        Caller::User(identity) => {
            push("user");
            push(&identity.id);
        }
    }
    context
}

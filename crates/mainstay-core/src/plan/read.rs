//! Reads: one record or a page.
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use mainstay_plan::{Count, Query};
use mainstay_schema::{CollectionId, Schema};

use super::{
    Origin, Planner, all,
    filter::compile_filters,
    select::{Part, Selecting, own_fields_only},
    sort::{SortKey, resolve_sort, write_sort},
    target::{TargetShape, check_target, need_target},
};
use crate::{
    Error, ErrorKind, Limits, List, Matching, ReadOne, Request, Selection, Sort, Target,
    expressions::{Expressions, Resolved, RuleKind},
};

/// What of a read makes its shape, as it was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadAsk<'a> {
    pub(crate) collection: CollectionId,
    /// `None`: a list.
    pub(crate) target: Option<&'a Target>,
    pub(crate) filter: &'a [String],
    pub(crate) params: &'a [(String, String)],
    pub(crate) sort: &'a [Sort],
    pub(crate) selection: Option<&'a Arc<Selection>>,
    pub(crate) count: bool,
    /// Whether hidden fields have names.
    pub(crate) admin: bool,
}

impl<'a> ReadAsk<'a> {
    pub(crate) fn one(request: &Request, read: &'a ReadOne) -> ReadAsk<'a> {
        ReadAsk {
            collection: read.collection,
            target: Some(&read.target),
            filter: &[],
            params: &read.params,
            sort: &[],
            selection: read.selection.as_ref(),
            count: false,
            admin: request.is_admin(),
        }
    }

    pub(crate) fn list(request: &Request, list: &'a List) -> ReadAsk<'a> {
        ReadAsk {
            collection: list.collection,
            target: None,
            filter: &list.filter,
            params: &list.params,
            sort: &list.sort,
            selection: list.selection.as_ref(),
            count: list.count,
            admin: request.is_admin(),
        }
    }

    pub(crate) fn matching(request: &Request, of: &'a Matching, keys: &'a Arc<Selection>) -> ReadAsk<'a> {
        ReadAsk {
            collection: of.collection,
            target: None,
            filter: &of.filter,
            params: &of.params,
            sort: &[],
            selection: Some(keys),
            count: false,
            admin: request.is_admin(),
        }
    }

    fn param_names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        names(self.params)
    }
}

impl Hash for ReadAsk<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.collection.hash(state);
        match self.target {
            None => 0u8.hash(state),
            Some(Target::Key(_)) => 1u8.hash(state),
            Some(Target::Unique { fields, .. }) => fields.hash(state),
        }
        (self.selection, self.admin).hash(state);
        if self.target.is_none() {
            self.filter.hash(state);
            self.param_names().for_each(|name| name.hash(state));
            self.sort.hash(state);
            self.count.hash(state);
        }
    }
}

/// The shape of a read: what does not depend on the caller and the values.
#[derive(Debug)]
pub(crate) struct ReadShape {
    pub(crate) collection: CollectionId,
    target: Option<TargetShape>,
    filter: Vec<String>,
    params: Vec<String>,
    sort: Vec<Sort>,
    selection: Option<Arc<Selection>>,
    count: bool,
    pub(crate) expressions: Expressions,
    filters: Vec<usize>,
    pub(crate) order: Vec<SortKey>,
    parts: Vec<Part>,
    /// Whether it answers own stored fields only.
    pub(crate) own: bool,
    /// What cursors of this shape belong to, before the values and the caller.
    pub(crate) cursor_context: Vec<u8>,
}

impl ReadShape {
    /// Resolves every name of a read.
    pub(crate) fn new(schema: &Schema, limits: &Limits, ask: &ReadAsk<'_>) -> Result<ReadShape, Error> {
        let mut expressions = Expressions::of(ask.admin);
        let of = ask.collection;
        expressions.need(schema, (of, RuleKind::Read));
        match ask.target {
            Some(target) => {
                check_target(schema, of, target)?;
                need_target(schema, &mut expressions, of, &TargetShape::of(target));
            }
            None if schema.collection(of).rules.list.is_some() => expressions.need(schema, (of, RuleKind::List)),
            None => {}
        }
        let filters = compile_filters(schema, limits, &mut expressions, of, ask.filter, ask.params)?;
        let order = match ask.target {
            None => resolve_sort(schema, limits, &mut expressions, of, ask.sort)?,
            Some(_) => Vec::new(),
        };
        let selection = ask.selection.map(|selection| &**selection);
        let parts = Selecting::new(schema, limits, &mut expressions, ask.params).resolve(of, selection)?;
        check_params(&expressions, ask.params)?;
        let mut shape = ReadShape {
            collection: of,
            target: ask.target.map(TargetShape::of),
            filter: ask.filter.to_vec(),
            params: ask.param_names().map(str::to_owned).collect(),
            sort: ask.sort.to_vec(),
            selection: ask.selection.cloned(),
            count: ask.count,
            own: own_fields_only(&parts),
            expressions,
            filters,
            order,
            parts,
            cursor_context: Vec::new(),
        };
        shape.cursor_context = shape.context(schema);
        Ok(shape)
    }

    /// Whether it is the shape of this read.
    pub(crate) fn fits(&self, ask: &ReadAsk<'_>) -> bool {
        self.collection == ask.collection
            && self.expressions.admin == ask.admin
            && match (&self.target, ask.target) {
                (None, None) => true,
                (Some(shape), Some(target)) => shape.fits(target),
                _ => false,
            }
            && same_selection(self.selection.as_ref(), ask.selection)
            && self.filter == ask.filter
            && self.sort == ask.sort
            && self.count == ask.count
            && self.params.iter().map(String::as_str).eq(ask.param_names())
    }

    fn context(&self, schema: &Schema) -> Vec<u8> {
        let mut out = schema.collection(self.collection).name.clone().into_bytes();
        out.push(0);
        write_sort(schema, self.collection, &self.order, &mut out);
        for text in &self.filter {
            out.extend_from_slice(&(text.len() as u64).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        out
    }

    /// The plan for one variant. `after` says which values of the cursor are null; `None`: from the start.
    pub(crate) fn plan(
        &self,
        schema: &Schema,
        resolved: &Resolved,
        after: Option<u32>,
    ) -> Result<(Query, Vec<Origin>), Error> {
        let mut planner = Planner::new(schema, &self.expressions, resolved);
        let of = self.collection;
        let mut conditions = Vec::with_capacity(4);
        if let Some(target) = &self.target {
            conditions.push(planner.find(of, target)?);
        } else if schema.collection(of).rules.list.is_some() {
            conditions.push(planner.require((of, RuleKind::List))?);
        }
        conditions.push(planner.require((of, RuleKind::Read))?);
        conditions.push(planner.filters(&self.filters)?);
        let query = Query {
            collection: of,
            condition: all(conditions),
            order: planner.order(of, &self.order)?,
            after: after.map(|nulls| planner.after(self.order.len(), nulls)),
            limit: self.target.is_none().then(|| planner.bind(Origin::Limit)),
            select: planner.outputs(&self.parts)?,
            count: if self.count { Count::Too } else { Count::No },
        };
        Ok((query, planner.origins))
    }
}

/// Whether two selections are the same; the same `Arc` is the usual case.
pub(crate) fn same_selection(a: Option<&Arc<Selection>>, b: Option<&Arc<Selection>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
        _ => false,
    }
}

/// The names of `p.` values.
pub(crate) fn names(params: &[(String, String)]) -> impl Iterator<Item = &str> {
    params.iter().map(|(name, _)| name.as_str())
}

/// Fails when a `p.` value was sent twice, or no expression reads it.
pub(crate) fn check_params(expressions: &Expressions, params: &[(String, String)]) -> Result<(), Error> {
    let twice = params.iter().enumerate().find(|(at, (name, _))| params[..*at].iter().any(|(other, _)| other == name));
    match twice {
        Some((_, (name, _))) => {
            Err(Error::new(ErrorKind::InvalidArgument, format!("the value \"p.{name}\" was sent twice")))
        }
        None => expressions.all_params_read(params),
    }
}

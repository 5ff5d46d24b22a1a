//! Groups of records, with figures over each.
use std::sync::Arc;

use mainstay_expr::Value;

use super::{
    PreparedRead,
    read::{PAGE_BEGINS, PAGE_BYTES, cursor_context},
};
use crate::{
    Core, Error, Group, Page, Request,
    errors::from_store,
    expressions::RuleKind,
    plan::{
        Given,
        cursor::nulls,
        group::{GroupAsk, GroupShape},
    },
    plans::Kept,
};

type KeptGroup = Kept<GroupShape, PreparedRead>;

impl Core {
    /// A page of groups.
    pub(crate) async fn group(&self, request: &Request, group: &Group) -> Result<Page, Error> {
        let kept = self.group_shape(request, group)?;
        let (prepared, values) = self.prepare_group(request, group, &kept)?;
        let mut into = Vec::with_capacity(PAGE_BYTES);
        into.extend_from_slice(PAGE_BEGINS);
        let page = self.store.read(&prepared.statement, values, into).await.map_err(from_store)?;
        Ok(self.finish_page(|| cursor_context(&kept.shape.cursor_context, request, &group.params), page))
    }

    pub(crate) fn group_shape(&self, request: &Request, group: &Group) -> Result<Arc<KeptGroup>, Error> {
        let ask = GroupAsk { group, admin: request.is_admin() };
        let make = || GroupShape::new(&self.schema, &self.settings.limits, &ask);
        let kept = self.groups.shape(&ask, |shape| shape.fits(&ask), make);
        // Who may read nothing is told so, and not which names there are.
        kept.or_else(|error| {
            self.gate(request, (group.collection, RuleKind::Read))?.require(&self.schema).and(Err(error))
        })
    }

    /// The statement, with the values of this request.
    pub(crate) fn prepare_group(
        &self,
        request: &Request,
        group: &Group,
        kept: &KeptGroup,
    ) -> Result<(Arc<PreparedRead>, Vec<Value>), Error> {
        let limit = self.page_limit(group.limit)?;
        let resolved = kept.shape.expressions.resolve(&self.schema, request, &group.params)?;
        let context = || cursor_context(&kept.shape.cursor_context, request, &group.params);
        let cursor = self.open_cursor(context, group.after.as_deref(), kept.shape.order.len())?;
        let after = cursor.as_deref().map(nulls);
        let prepared = kept.plan(resolved.variant(&cursor_variant(after)), |shape| {
            let (plan, origins) = shape.plan(&self.schema, &resolved, after)?;
            let statement = self.store.prepare_group(&self.schema, &plan).map_err(from_store)?;
            Ok(PreparedRead { statement, origins })
        })?;
        let cursor = cursor.unwrap_or_default();
        let values =
            Given { slots: &resolved.slots, cursor: &cursor, limit, ..Given::default() }.bind(&prepared.origins);
        Ok((prepared, values))
    }
}

/// The part of a plan's variant that says where the page begins.
pub(super) fn cursor_variant(after: Option<u32>) -> [u8; 5] {
    let mut more = [0; 5];
    if let Some(nulls) = after {
        more[0] = 1;
        more[1..].copy_from_slice(&nulls.to_le_bytes());
    }
    more
}

//! `[limits]`: what one request may ask for.
use mainstay_core::Limits;
use serde::{Deserialize, Serialize};

/// `[limits]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitsArea {
    /// Records of a page, when the caller says nothing.
    pub(crate) page_default: u32,
    /// Records of a page.
    pub(crate) page_max: u32,
    /// Records of a nested list, when the caller says nothing.
    pub(crate) nested_default: u32,
    /// Records of a nested list.
    pub(crate) nested_max: u32,
    /// How deep links may be selected.
    pub(crate) depth_max: usize,
    /// Parts of a selection, all levels together.
    pub(crate) selection_max: usize,
    /// Sort keys.
    pub(crate) sort_max: usize,
    /// Keys and figures of one request for groups, together.
    pub(crate) group_max: usize,
    /// Conditions of one request.
    pub(crate) filters_max: usize,
    /// Records of one create, those inside of others included, and operations of one batch.
    pub(crate) batch_max: usize,
    /// Records that one change or delete by a filter may match.
    pub(crate) bulk_max: u32,
    /// How deep records may be created inside of another.
    pub(crate) create_depth_max: usize,
    /// Keys in one change of a to-many link.
    pub(crate) links_max: usize,
    /// Bytes of one filter.
    pub(crate) expression_length_max: usize,
    /// Changes of one answer of the feed, when the caller says nothing.
    pub(crate) changes_default: u32,
    /// Changes of one answer of the feed.
    pub(crate) changes_max: u32,
    /// Bytes, about, of the changes of one answer of the feed.
    pub(crate) changes_bytes_max: usize,
    /// How long a caller may wait for changes, in seconds.
    pub(crate) changes_wait_s_max: u32,
    /// Plans kept.
    pub(crate) plans_max: usize,
    /// Bytes, about, of the plans kept for one kind of request.
    pub(crate) plans_bytes_max: usize,
    /// How long the answer to a write with an idempotency key is kept, in seconds.
    pub(crate) idempotency_ttl_s: u64,
    /// Idempotency keys that are kept for one caller.
    pub(crate) idempotency_keys_max: usize,
    /// Bytes of an answer that is kept for its idempotency key.
    pub(crate) idempotency_answer_bytes_max: usize,
}

impl Default for LimitsArea {
    fn default() -> LimitsArea {
        let limits = Limits::default();
        LimitsArea {
            page_default: limits.page_default,
            page_max: limits.page_max,
            nested_default: limits.nested_default,
            nested_max: limits.nested_max,
            depth_max: limits.depth_max,
            selection_max: limits.selection_max,
            sort_max: limits.sort_max,
            group_max: limits.group_max,
            filters_max: limits.filters_max,
            batch_max: limits.batch_max,
            bulk_max: limits.bulk_max,
            create_depth_max: limits.create_depth_max,
            links_max: limits.links_max,
            expression_length_max: limits.expression_length_max,
            changes_default: limits.changes_default,
            changes_max: limits.changes_max,
            changes_bytes_max: limits.changes_bytes_max,
            changes_wait_s_max: limits.changes_wait_s_max,
            plans_max: limits.plans_max,
            plans_bytes_max: limits.plans_bytes_max,
            idempotency_ttl_s: limits.idempotency_ttl_s,
            idempotency_keys_max: limits.idempotency_keys_max,
            idempotency_answer_bytes_max: limits.idempotency_answer_bytes_max,
        }
    }
}

impl LimitsArea {
    /// For the core.
    pub(crate) fn core(&self) -> Limits {
        Limits {
            page_default: self.page_default,
            page_max: self.page_max,
            nested_default: self.nested_default,
            nested_max: self.nested_max,
            depth_max: self.depth_max,
            selection_max: self.selection_max,
            sort_max: self.sort_max,
            group_max: self.group_max,
            filters_max: self.filters_max,
            batch_max: self.batch_max,
            bulk_max: self.bulk_max,
            create_depth_max: self.create_depth_max,
            links_max: self.links_max,
            expression_length_max: self.expression_length_max,
            changes_default: self.changes_default,
            changes_max: self.changes_max,
            changes_bytes_max: self.changes_bytes_max,
            changes_wait_s_max: self.changes_wait_s_max,
            plans_max: self.plans_max,
            plans_bytes_max: self.plans_bytes_max,
            idempotency_ttl_s: self.idempotency_ttl_s,
            idempotency_keys_max: self.idempotency_keys_max,
            idempotency_answer_bytes_max: self.idempotency_answer_bytes_max,
        }
    }
}

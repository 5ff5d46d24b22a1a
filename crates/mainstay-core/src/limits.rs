//! The limits of the core, each with its default.

/// What one request may ask for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Records of a page, when the caller says nothing.
    pub page_default: u32,
    /// Records of a page at most.
    pub page_max: u32,
    /// Records of a nested list, when the caller says nothing.
    pub nested_default: u32,
    /// Records of a nested list at most.
    pub nested_max: u32,
    /// How deep links may be selected.
    pub depth_max: usize,
    /// Parts of a selection, all levels together.
    pub selection_max: usize,
    /// Sort keys.
    pub sort_max: usize,
    /// Keys and figures of one request for groups, together.
    pub group_max: usize,
    /// Conditions of one request.
    pub filters_max: usize,
    /// Records of one create, those inside of others included, and operations of one batch.
    pub batch_max: usize,
    /// Records that one change or delete by a filter may match.
    pub bulk_max: u32,
    /// How deep records may be created inside of another.
    pub create_depth_max: usize,
    /// Keys in one change of a to-many link.
    pub links_max: usize,
    /// Bytes of one filter expression.
    pub expression_length_max: usize,
    /// Changes of one answer of the feed, when the caller says nothing.
    pub changes_default: u32,
    /// Changes of one answer of the feed at most.
    pub changes_max: u32,
    /// Bytes, about, of the changes of one answer of the feed.
    pub changes_bytes_max: usize,
    /// How long a caller may wait for changes, in seconds.
    pub changes_wait_s_max: u32,
    /// Plans kept.
    pub plans_max: usize,
    /// Bytes, about, of the plans kept for one kind of request.
    pub plans_bytes_max: usize,
    /// How long the answer to a write with an idempotency key is kept, in seconds.
    pub idempotency_ttl_s: u64,
    /// Idempotency keys that are kept for one caller; past it the oldest goes.
    pub idempotency_keys_max: usize,
    /// Bytes of an answer that is kept for its idempotency key.
    pub idempotency_answer_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            page_default: 50,
            page_max: 1_000,
            nested_default: 50,
            nested_max: 1_000,
            depth_max: 5,
            selection_max: 200,
            sort_max: 8,
            group_max: 20,
            filters_max: 20,
            batch_max: 1_000,
            bulk_max: 1_000,
            create_depth_max: 5,
            links_max: 1_000,
            expression_length_max: 4_000,
            changes_default: 1_000,
            changes_max: 10_000,
            changes_bytes_max: 4 * 1024 * 1024,
            changes_wait_s_max: 30,
            plans_max: 2_000,
            plans_bytes_max: 64 * 1024 * 1024,
            idempotency_ttl_s: 24 * 60 * 60,
            idempotency_keys_max: 10_000,
            idempotency_answer_bytes_max: 1024 * 1024,
        }
    }
}

//! The bounds on one expression, by name.
use crate::types::RecordType;

/// How large an expression may be, and whether it may read `p.` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub length_max: usize,
    /// Levels of nesting, counted through inlined defines.
    pub depth_max: usize,
    /// Nodes of the tree, with inlined defines.
    pub nodes_max: usize,
    /// Quantifiers inside each other.
    pub quantifier_depth_max: usize,
    /// Whether `p.NAME` may be used: in callers' filters only.
    pub params: bool,
    /// Whether `old` and `new` may be used: in update rules only.
    pub change: bool,
    /// What `item` is: in rules of links only.
    pub item: Option<RecordType>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            length_max: 4_000,
            depth_max: 40,
            nodes_max: 1_000,
            quantifier_depth_max: 4,
            params: false,
            change: false,
            item: None,
        }
    }
}

impl Limits {
    /// The same limits for an update rule, which may use `old` and `new`.
    pub fn with_change(self) -> Limits {
        Limits { change: true, ..self }
    }

    /// The same limits for a rule of a link, whose other record is `item`.
    pub fn with_item(self, item: RecordType) -> Limits {
        Limits { item: Some(item), ..self }
    }

    /// The same limits for a caller's expression, which may use `p.NAME`.
    pub fn with_params(self) -> Limits {
        Limits { params: true, ..self }
    }
}

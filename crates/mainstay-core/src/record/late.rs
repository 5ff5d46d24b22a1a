//! Keys that are not known before the write: of records that the same write makes, or that are looked up by a unique.
use mainstay_expr::Value;
use mainstay_schema::{CollectionId, FieldId};

/// A key that a write fills in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Late {
    pub(crate) slot: Slot,
    pub(crate) source: Source,
}

/// Where the key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A to-one link; of a look-up, the n-th of its values.
    Field(FieldId),
    /// An element of the n-th list.
    Element(usize, usize),
    /// The record that is changed or deleted; the n-th value that names it.
    Target(usize),
}

/// Where the key comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// The record of an earlier operation.
    Operation(usize),
    /// The n-th record that is made before this one.
    Nested(usize),
    /// The record around this one.
    Around,
    /// A look-up that is still to be made a step.
    By(Box<By>),
    /// What a step tells.
    Step(mainstay_store::Source),
}

impl Source {
    /// Whether the record is looked up in the write, by what the caller may read.
    pub(crate) fn is_look_up(&self) -> bool {
        matches!(self, Source::By(_) | Source::Step(mainstay_store::Source::Found(..)))
    }
}

/// A look-up by a unique.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct By {
    pub(crate) target: CollectionId,
    pub(crate) fields: Vec<FieldId>,
    /// One for each field.
    pub(crate) values: Vec<Value>,
    /// Those of the values that are keys not known yet.
    pub(crate) late: Vec<Late>,
    /// Whether it must be found, else the write is refused.
    pub(crate) needed: bool,
    /// Where it stands in the body.
    pub(crate) pointer: String,
}

/// The fields that get their keys in the write.
pub(crate) fn late_fields(late: &[Late]) -> impl Iterator<Item = FieldId> + '_ {
    late.iter().filter_map(|late| match late.slot {
        Slot::Field(field) => Some(field),
        Slot::Element(..) | Slot::Target(_) => None,
    })
}

//! Links of a write: the records at the other end must exist and be readable by the caller.
use mainstay_plan::{LinkChange, LinkCheck, LinkMode};
use mainstay_schema::{Collection, CollectionId, FieldId, Schema};

use super::{Origin, Planner};
use crate::{
    expressions::{Expressions, RuleKind},
    record::lists::ListChange,
};

/// The change of a to-many link without its keys: part of a shape.
pub(crate) type ListShape = (FieldId, CollectionId, LinkMode);

/// What of the changes of to-many links makes the shape.
pub(crate) fn list_shapes(lists: &[ListChange]) -> impl Iterator<Item = ListShape> + '_ {
    lists.iter().map(|list| (list.field, list.target, list.mode))
}

/// Notes the rules that links need.
pub(crate) fn need_links(
    schema: &Schema,
    expressions: &mut Expressions,
    of: &Collection,
    links: &[FieldId],
    lists: &[ListShape],
) {
    let to_one = links.iter().filter_map(|link| of.field(*link).target());
    for target in to_one.chain(lists.iter().map(|(_, target, _)| *target)) {
        expressions.need(schema, (target, RuleKind::Read));
    }
}

impl Planner<'_> {
    /// The checks of to-one links; `bound` tells where a link's key is.
    pub(crate) fn link_checks(
        &mut self,
        of: &Collection,
        links: &[FieldId],
        bound: impl Fn(FieldId) -> Option<u16>,
    ) -> Vec<LinkCheck> {
        let mut checks = Vec::with_capacity(links.len());
        for field in links {
            let (Some(target), Some(key)) = (of.field(*field).target(), bound(*field)) else { continue };
            // A record that may not be read is as good as missing: nothing is refused by name here.
            let visible = self.gate((target, RuleKind::Read)).condition();
            checks.push(LinkCheck { field: *field, target, key, visible });
        }
        checks
    }

    /// The changes of to-many links; their keys are the inputs from `first_input` on.
    pub(crate) fn link_changes(&mut self, lists: &[ListShape], first_input: usize) -> Vec<LinkChange> {
        let mut changes = Vec::with_capacity(lists.len());
        for (at, (field, target, mode)) in lists.iter().enumerate() {
            let keys = self.bind(Origin::Input((first_input + at) as u16));
            let visible = self.gate((*target, RuleKind::Read)).condition();
            changes.push(LinkChange { field: *field, target: *target, mode: *mode, keys, visible });
        }
        changes
    }
}

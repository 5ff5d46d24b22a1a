//! Links of a write: the records at the other end must exist and be readable by the caller.
use mainstay_expr::Expr;
use mainstay_plan::{LinkChange, LinkCheck, LinkMode};
use mainstay_schema::{Collection, CollectionId, FieldId, Schema};

use super::{Origin, Planner, constant};
use crate::{
    expressions::{Expressions, RuleKind},
    record::{
        late::{Late, Slot},
        lists::ListChange,
    },
};

/// The change of a to-many link without its keys, and whether the same write makes the records: part of a shape.
pub(crate) type ListShape = (FieldId, CollectionId, LinkMode, bool);

/// A to-one link of a write, and what is asked of its other end: part of a shape.
pub(crate) type LinkShape = (FieldId, LinkEnd);

/// What is asked of the other end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LinkEnd {
    /// It is there, and the caller may read it.
    Readable,
    /// It is there: the same write made it, so that whoever made it may link to it.
    Made,
}

/// What is asked of the links of a write. What was looked up in the write is asked nothing more.
pub(crate) fn link_shapes<'a>(
    links: impl Iterator<Item = FieldId> + 'a,
    late: &'a [Late],
    made: &'a [FieldId],
) -> impl Iterator<Item = LinkShape> + 'a {
    let looked_up = |field: FieldId| {
        let of_field = |late: &&Late| late.slot == Slot::Field(field);
        late.iter().find(of_field).is_some_and(|late| late.source.is_look_up())
    };
    links.filter(move |field| !looked_up(*field)).map(|field| {
        let end = if made.contains(&field) { LinkEnd::Made } else { LinkEnd::Readable };
        (field, end)
    })
}

/// What of the changes of to-many links makes the shape.
pub(crate) fn list_shapes(lists: &[ListChange]) -> impl Iterator<Item = ListShape> + '_ {
    lists.iter().map(|list| (list.field, list.target, list.mode, list.made))
}

/// Notes the rules that links need.
pub(crate) fn need_links(
    schema: &Schema,
    expressions: &mut Expressions,
    of: &Collection,
    links: &[LinkShape],
    lists: &[ListShape],
) {
    let to_one = links.iter().filter_map(|(link, _)| of.field(*link).target());
    for target in to_one.chain(lists.iter().map(|(_, target, ..)| *target)) {
        expressions.need(schema, (target, RuleKind::Read));
    }
    for kind in lists.iter().flat_map(|(field, ..)| [RuleKind::AddLink(*field), RuleKind::RemoveLink(*field)]) {
        if kind.of(schema, of.id).is_some() {
            expressions.need(schema, (of.id, kind));
        }
    }
}

impl Planner<'_> {
    /// The checks of to-one links; `bound` tells where a link's key is.
    pub(crate) fn link_checks(
        &mut self,
        of: &Collection,
        links: &[LinkShape],
        bound: impl Fn(FieldId) -> Option<u16>,
    ) -> Vec<LinkCheck> {
        let mut checks = Vec::with_capacity(links.len());
        for (field, end) in links {
            let (Some(target), Some(key)) = (of.field(*field).target(), bound(*field)) else { continue };
            // A record that may not be read is as good as missing: nothing is refused by name here.
            let visible = self.end((target, *end == LinkEnd::Made));
            checks.push(LinkCheck { field: *field, target, key, visible });
        }
        checks
    }

    /// The changes of to-many links; their keys are the inputs from `first_input` on.
    pub(crate) fn link_changes(
        &mut self,
        of: CollectionId,
        lists: &[ListShape],
        first_input: usize,
        is_new: bool,
    ) -> Vec<LinkChange> {
        let mut changes = Vec::with_capacity(lists.len());
        for (at, (field, target, mode, made)) in lists.iter().enumerate() {
            let keys = self.bind(Origin::Input((first_input + at) as u16));
            let visible = self.end((*target, *made));
            let [add, remove] = self.link_rules(of, *field);
            changes.push(LinkChange {
                field: *field,
                target: *target,
                mode: *mode,
                keys,
                visible,
                add,
                remove,
                is_new,
            });
        }
        changes
    }

    /// What must hold of the other end of a link.
    fn end(&mut self, (target, made): (CollectionId, bool)) -> Expr {
        if made { constant(true) } else { self.gate((target, RuleKind::Read)).condition() }
    }
}

//! The order of loading: what others link to comes first, as far as that can be.
use mainstay_schema::{CollectionId, FieldKind, Schema};

use super::parts::Part;

/// The parts in the order of loading; parts of one collection keep their order.
pub(super) fn arrange(schema: &Schema, parts: Vec<Part>) -> Vec<Part> {
    let needs: Vec<Vec<(Need, usize)>> = (0..parts.len()).map(|at| needed(schema, &parts, at)).collect();
    let order = ordered(&needs);
    let mut parts: Vec<Option<Part>> = parts.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| parts[at].take()).collect()
}

/// Why a part comes behind another, the weakest reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Link,
    RequiredLink,
    SameCollection,
}

/// The collections that a collection's records link to.
pub(super) fn targets(schema: &Schema, of: CollectionId) -> impl Iterator<Item = (bool, CollectionId)> + '_ {
    schema.collection(of).fields.iter().filter_map(|field| {
        let required = field.required && matches!(field.kind, FieldKind::ToOne { .. });
        let own = !matches!(field.kind, FieldKind::Inverse { .. });
        field.target().filter(|_| own).map(|target| (required, target))
    })
}

/// What a part comes behind: the parts before of the same collection, and those that its links lead to.
fn needed(schema: &Schema, parts: &[Part], at: usize) -> Vec<(Need, usize)> {
    let of = parts[at].collection;
    let need = |(other, part): (usize, &Part)| {
        if part.collection == of {
            return (other < at).then_some((Need::SameCollection, other));
        }
        let links = || targets(schema, of).filter(|(_, target)| *target == part.collection);
        let need = if links().any(|(required, _)| required) { Need::RequiredLink } else { Need::Link };
        links().next().map(|_| (need, other))
    };
    parts.iter().enumerate().filter_map(need).collect()
}

/// All of them, each behind what it needs; in a circle begins whoever lacks the least, so that no more waits than must.
fn ordered(needs: &[Vec<(Need, usize)>]) -> Vec<usize> {
    let mut lacks = vec![[0_usize; 3]; needs.len()];
    let mut needed_by: Vec<Vec<(Need, usize)>> = vec![Vec::new(); needs.len()];
    for (at, needs) in needs.iter().enumerate() {
        for (need, other) in needs {
            lacks[at][*need as usize] += 1;
            needed_by[*other].push((*need, at));
        }
    }
    let mut left: Vec<usize> = (0..needs.len()).collect();
    let mut order = Vec::with_capacity(needs.len());
    let strongest = |lacks: &[usize; 3]| lacks.iter().rposition(|count| *count > 0);
    while let Some(next) = (0..left.len()).min_by_key(|at| strongest(&lacks[left[*at]])) {
        let next = left.remove(next);
        order.push(next);
        needed_by[next].iter().for_each(|(need, at)| lacks[*at][*need as usize] -= 1);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::{Need, ordered};

    #[test]
    fn what_is_needed_comes_first_and_a_circle_begins_where_nothing_is_required() {
        let required = |at: usize| (Need::RequiredLink, at);
        let link = |at: usize| (Need::Link, at);
        assert_eq!(ordered(&[vec![required(2)], vec![link(0)], vec![link(1), required(3)], vec![]]), [3, 1, 2, 0]);
        assert_eq!(ordered(&[vec![link(1)], vec![required(0)]]), [0, 1]);
        assert_eq!(ordered(&[vec![required(1)], vec![link(0)]]), [1, 0]);
        assert_eq!(ordered(&[vec![required(1)], vec![required(0), (Need::SameCollection, 0)]]), [0, 1]);
    }
}

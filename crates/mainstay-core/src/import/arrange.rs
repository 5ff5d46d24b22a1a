//! The order of loading: what others link to comes first, as far as that can be.
use mainstay_schema::{CollectionId, FieldKind, Schema};

use super::parts::Part;

/// The parts in the order of loading; parts of one collection keep their order.
pub(super) fn arrange(schema: &Schema, parts: Vec<Part>) -> Vec<Part> {
    let order = depth_first(parts.len(), |at| needed(schema, &parts, at));
    let mut parts: Vec<Option<Part>> = parts.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| parts[at].take()).collect()
}

/// The collections that a collection's records link to.
pub(super) fn targets(schema: &Schema, of: CollectionId) -> impl Iterator<Item = (bool, CollectionId)> + '_ {
    schema.collection(of).fields.iter().filter_map(|field| {
        let required = field.required && matches!(field.kind, FieldKind::ToOne { .. });
        let own = !matches!(field.kind, FieldKind::Inverse { .. });
        field.target().filter(|_| own).map(|target| (required, target))
    })
}

/// The parts before of the same collection, those that a part's required links lead to, then those of its other links.
fn needed(schema: &Schema, parts: &[Part], at: usize) -> Vec<usize> {
    let of = parts[at].collection;
    let mut needed: Vec<(u8, usize)> = Vec::new();
    for (other, part) in parts.iter().enumerate().filter(|(other, _)| *other != at) {
        if part.collection == of {
            needed.extend((other < at).then_some((0, other)));
            continue;
        }
        let links = targets(schema, of).filter(|(_, target)| *target == part.collection);
        needed.extend(links.map(|(required, _)| (if required { 1 } else { 2 }, other)).min());
    }
    needed.sort_unstable();
    needed.into_iter().map(|(_, at)| at).collect()
}

/// All numbers below `count`, each behind those that it needs; in a circle, wherever it was entered. No recursion: chains may
/// be as long as there are parts.
fn depth_first(count: usize, needs: impl Fn(usize) -> Vec<usize>) -> Vec<usize> {
    let mut seen = vec![false; count];
    let mut order = Vec::with_capacity(count);
    for start in 0..count {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut open = vec![(start, needs(start).into_iter())];
        while let Some((at, needed)) = open.last_mut() {
            match needed.next() {
                Some(next) if !std::mem::replace(&mut seen[next], true) => open.push((next, needs(next).into_iter())),
                Some(_) => {}
                None => {
                    order.push(*at);
                    open.pop();
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::depth_first;

    #[test]
    fn what_is_needed_comes_first_and_circles_end() {
        let needs = |at: usize| match at {
            0 => vec![2],
            1 => vec![0],
            2 => vec![1, 3],
            _ => vec![],
        };
        assert_eq!(depth_first(4, needs), [1, 3, 2, 0]);
    }
}

//! Which old thing a new one is: by its name, or by a former name.
use std::collections::HashMap;

/// A new thing: its name and its former ones.
pub(super) struct Name<'a> {
    pub(super) name: &'a str,
    pub(super) was: &'a [String],
}

/// For each new thing, the position of the old one that it is.
///
/// A former name counts where the new name is new: where no old thing has it, or the one that has it is something else by now.
/// Then it counts more than a thing of that very name: `b @was(a)` beside a new `a` is the old `a`.
pub(super) fn matched(old: &[&str], new: &[Name<'_>]) -> Vec<Option<usize>> {
    let mut positions = HashMap::with_capacity(old.len());
    for (at, name) in old.iter().enumerate() {
        positions.entry(*name).or_insert(at);
    }
    let position = |name: &str| positions.get(name).copied();
    let mut taken = vec![false; old.len()];
    let mut found: Vec<Option<usize>> = vec![None; new.len()];
    loop {
        let mut moved = false;
        for (of, found) in new.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
            if position(of.name).is_some_and(|own| !taken[own]) {
                continue;
            }
            let former = of.was.iter().find_map(|was| position(was).filter(|at| !taken[*at]));
            if let Some(at) = former {
                (taken[at], *found, moved) = (true, Some(at), true);
            }
        }
        if !moved {
            break;
        }
    }
    for (of, found) in new.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
        *found = position(of.name).filter(|at| !taken[*at]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_former_names() {
        let check = |old: &[&str], new: &[(&str, &[&str])], expected: &[Option<usize>]| {
            let was: Vec<Vec<String>> =
                new.iter().map(|(_, was)| was.iter().map(|name| (*name).to_owned()).collect()).collect();
            let names: Vec<Name<'_>> = new.iter().zip(&was).map(|((name, _), was)| Name { name, was }).collect();
            assert_eq!(matched(old, &names), expected, "{old:?} {new:?}");
        };
        check(&["a", "b"], &[("b", &[]), ("a", &[]), ("c", &[])], &[Some(1), Some(0), None]);
        check(&["a"], &[("b", &["a"]), ("a", &[])], &[Some(0), None]);
        check(&["b", "a"], &[("b", &["a"]), ("a", &[])], &[Some(0), Some(1)]);
        // A chain: each takes the name of the next.
        check(&["a", "b"], &[("b", &["a"]), ("c", &["b"])], &[Some(0), Some(1)]);
        // An exchange cannot be told from having been done.
        check(&["a", "b"], &[("b", &["a"]), ("a", &["b"])], &[Some(1), Some(0)]);
        check(&["x"], &[("b", &["a", "x"])], &[Some(0)]);
    }
}

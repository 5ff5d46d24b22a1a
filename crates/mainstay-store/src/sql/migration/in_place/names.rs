//! Names of constraints: never longer than the database allows, and the same on every machine.
use std::collections::HashSet;

use mainstay_schema::fingerprint;

/// Most bytes of a name.
const LENGTH_MAX: usize = 60;

/// The name of what stands on a column of a table.
pub(in crate::sql) fn constraint_name(table: &str, column: &str, suffix: &str) -> String {
    bounded(&format!("{table}_{column}_{suffix}"), suffix)
}

/// A name, with a hash where it is too long.
pub(in crate::sql) fn bounded(name: &str, suffix: &str) -> String {
    if name.len() <= LENGTH_MAX {
        return name.to_owned();
    }
    let mut end = LENGTH_MAX - 20;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{}_{suffix}", &name[..end], &fingerprint(name.as_bytes())[..12])
}

/// What something is called until its own name is free.
fn meanwhile(at: usize) -> String {
    format!("mainstay_meanwhile_{at}")
}

/// Renames in an order in which each new name is free, beside the names that stay; in a circle one steps aside.
pub(super) fn in_order(mut wanted: Vec<(String, String)>, stay: HashSet<String>) -> Vec<(String, String)> {
    wanted.retain(|(from, to)| from != to);
    let mut taken = stay;
    taken.extend(wanted.iter().map(|(from, _)| from.clone()));
    let mut order = Vec::new();
    while !wanted.is_empty() {
        if let Some(at) = wanted.iter().position(|(_, to)| !taken.contains(to)) {
            let (from, to) = wanted.remove(at);
            taken.remove(&from);
            taken.insert(to.clone());
            order.push((from, to));
            continue;
        }
        let (from, to) = wanted.remove(0);
        let aside = meanwhile(order.len());
        if from.starts_with("mainstay_meanwhile_") {
            // Its name is held by something that stays: the database says so.
            order.push((from, to));
            continue;
        }
        taken.remove(&from);
        taken.insert(aside.clone());
        order.push((from, aside.clone()));
        wanted.push((aside, to));
    }
    order
}

//! The order of loading: what others link to comes first, as far as that can be.
use mainstay_schema::FieldKind;

use super::{links::End, load::Loading};

impl Loading<'_> {
    /// Fixes the order in which the rows are written.
    pub(super) fn arrange(&mut self) {
        let tables = depth_first(self.tables.len(), |table| self.tables_needed(table));
        for table in tables {
            let rows = depth_first(self.tables[table].rows.len(), |row| self.rows_needed(table, row));
            self.order.extend(rows.into_iter().map(|row| (table, row)));
        }
    }

    /// The tables that a table's required links lead to, then those of its other links.
    fn tables_needed(&self, table: usize) -> Vec<usize> {
        let collection = self.core.schema().collection(self.tables[table].collection);
        let links = collection.fields.iter().filter(|field| !matches!(field.kind, FieldKind::Inverse { .. }));
        let mut needed: Vec<(bool, usize)> = Vec::new();
        for field in links {
            let Some(target) = field.target() else { continue };
            let required = field.required && matches!(field.kind, FieldKind::ToOne { .. });
            let others =
                self.tables.iter().enumerate().filter(|(at, other)| *at != table && other.collection == target);
            needed.extend(others.map(|(at, _)| (!required, at)));
        }
        needed.sort_unstable();
        needed.into_iter().map(|(_, at)| at).collect()
    }

    /// The rows of the same table that a row links to: by required links, else by all.
    fn rows_needed(&self, table: usize, row: usize) -> Vec<usize> {
        let links = &self.links[table][row];
        let collection = self.core.schema().collection(self.tables[table].collection);
        let required_self = collection.fields.iter().any(|field| {
            field.required && matches!(field.kind, FieldKind::ToOne { target, .. } if target == collection.id)
        });
        let counted = links.iter().filter(|link| link.required || !required_self);
        let ends = counted.flat_map(|link| &link.ends);
        ends.filter_map(|end| match end {
            End::Row((of, needed)) if *of == table && *needed != row => Some(*needed),
            _ => None,
        })
        .collect()
    }
}

/// All numbers below `count`, each behind those that it needs; in a circle, wherever it was entered. No recursion: chains may
/// be as long as the file.
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

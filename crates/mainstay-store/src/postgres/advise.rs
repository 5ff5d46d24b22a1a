//! Indexes that are missing, judged by what a plan reads whole and what it sorts. They are not tried: the server tries none that is
//! not there, and making one locks the table.
use mainstay_schema::Schema;
use serde_json::Value as Json;

use super::explain::Node;
use crate::{
    IndexWanted,
    advice::{Origin, candidates},
};

/// What is said beside an index that is proposed.
pub(super) const NOT_TRIED: &str = "the missing index is judged by this plan; it was not tried";
/// A table of fewer records is read whole whatever indexes it has.
const RECORDS_MIN: i64 = 1_000;

/// What a plan does that an index could spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Effort {
    /// Whether it reads the whole table of the collection.
    scans: bool,
    /// Whether it sorts what it found.
    sorts: bool,
}

/// The index that spares a plan most: reading a whole table before sorting, and of two that spare the same the shorter one.
/// `records` says how many the table has, as far as the server knows.
pub(super) fn missing(
    schema: &Schema,
    origin: &Origin,
    nodes: &[Node<'_>],
    records: Option<i64>,
) -> Option<IndexWanted> {
    // None: it was never counted.
    if records.is_some_and(|records| (1..RECORDS_MIN).contains(&records)) {
        return None;
    }
    let table = schema.collection(origin.collection()).table.as_str();
    let effort = Effort::of(nodes, table);
    let order = origin.order(schema);
    let spared = |wanted: &IndexWanted| {
        let gives_order = !order.is_empty() && wanted.fields[wanted.compared..] == order[..];
        let scan = effort.scans && wanted.compared > 0;
        // Groups are made in memory as well as one after the other.
        let sort = effort.sorts && gives_order && matches!(origin, Origin::Query(_));
        (usize::from(scan) * 2 + usize::from(sort), wanted.compared)
    };
    let all = candidates(schema, origin);
    let best = all.into_iter().enumerate().max_by_key(|(at, wanted)| {
        let ((spared, compared), fields) = (spared(wanted), wanted.fields.len());
        (spared, compared, std::cmp::Reverse(fields), std::cmp::Reverse(*at))
    });
    best.map(|(_, wanted)| wanted).filter(|wanted| spared(wanted).0 > 0)
}

impl Effort {
    /// Of the statement itself: what runs for each record has its own conditions.
    fn of(nodes: &[Node<'_>], table: &str) -> Effort {
        let mut effort = Effort { scans: false, sorts: false };
        // Below this depth all belongs to a statement inside of another.
        let mut inner: Option<usize> = None;
        for node in nodes {
            if inner.is_some_and(|depth| node.depth > depth) {
                continue;
            }
            let is_inner = matches!(text(node.of, "Parent Relationship"), Some("SubPlan" | "InitPlan"));
            inner = is_inner.then_some(node.depth);
            if is_inner {
                continue;
            }
            match text(node.of, "Node Type") {
                Some("Sort" | "Incremental Sort") => effort.sorts = true,
                Some("Seq Scan") if text(node.of, "Relation Name") == Some(table) => effort.scans = true,
                // An index that gives the order alone: the records of a page are sought one by one.
                Some("Index Scan" | "Index Only Scan") if text(node.of, "Relation Name") == Some(table) => {
                    let is_whole = node.of.get("Index Cond").is_none() && node.of.get("Filter").is_some();
                    effort.scans |= is_whole;
                }
                _ => {}
            }
        }
        effort
    }
}

fn text<'j>(node: &'j Json, name: &str) -> Option<&'j str> {
    node.get(name).and_then(Json::as_str)
}

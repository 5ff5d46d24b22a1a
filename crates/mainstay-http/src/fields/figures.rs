//! The grammar of `group` and `select`, and of figures over links:
//!
//! ```text
//! group  := key ("," key)*
//! key    := [alias ":"] path | [alias ":"] ("year" | "month" | "day" | "hour") "(" path ")"
//! select := figure ("," figure)*
//! figure := [alias ":"] ("count" | ("countDistinct" | "sum" | "avg" | "min" | "max") "(" path ")")
//! path   := name ("." name)*
//! ```
use mainstay_core::{Aggregate, GroupFigure, GroupKey, Limits, TimePart};
use mainstay_schema::nearest;

use super::{Cursor, bounded};
use crate::problem::Outcome;

/// Bytes of one `group` or `select` text.
const LENGTH_MAX: usize = 4 * 1024;

/// The figures by name; `count` of a group is `size` of a link.
const FIGURES: [(&str, Aggregate); 5] = [
    ("countDistinct", Aggregate::CountDistinct),
    ("sum", Aggregate::Sum),
    ("avg", Aggregate::Avg),
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
];

const PARTS: [(&str, TimePart); 4] =
    [("year", TimePart::Year), ("month", TimePart::Month), ("day", TimePart::Day), ("hour", TimePart::Hour)];

/// The figure over a link that has this name.
pub(super) fn of_links(name: &str) -> Option<Aggregate> {
    if name == "size" { Some(Aggregate::Count) } else { named(&FIGURES, name) }
}

fn named<T: Copy>(all: &[(&str, T)], name: &str) -> Option<T> {
    all.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// Reads a `group` text.
pub(crate) fn parse_group(text: &str, limits: &Limits) -> Outcome<Vec<GroupKey>> {
    list("group", text, limits, |cursor| {
        let at = cursor.at();
        let (alias, name) = start(cursor, "the name of a field")?;
        if cursor.take('(') {
            let Some(part) = named(&PARTS, &name) else {
                return Err(unknown(cursor, at, &name, PARTS.iter().map(|(name, _)| *name)));
            };
            let path = path(cursor, "the name of a field")?;
            cursor.expect(')')?;
            return Ok(GroupKey { alias, path, part: Some(part) });
        }
        Ok(GroupKey { alias, path: rest_of_path(cursor, name)?, part: None })
    })
}

/// Reads a `select` text.
pub(crate) fn parse_figures(text: &str, limits: &Limits) -> Outcome<Vec<GroupFigure>> {
    list("select", text, limits, |cursor| {
        let at = cursor.at();
        let (alias, name) = start(cursor, "a figure")?;
        let open = cursor.take('(');
        if name == "count" && !open {
            return Ok(GroupFigure { alias, aggregate: Aggregate::Count, path: Vec::new() });
        }
        let Some(aggregate) = named(&FIGURES, &name).filter(|_| open) else {
            return Err(unknown(cursor, at, &name, std::iter::once("count").chain(FIGURES.map(|(name, _)| name))));
        };
        let path = path(cursor, "the name of a field")?;
        cursor.expect(')')?;
        Ok(GroupFigure { alias, aggregate, path })
    })
}

/// A path of names.
pub(super) fn path(cursor: &mut Cursor<'_>, what: &str) -> Outcome<Vec<String>> {
    let first = cursor.name(what)?.to_owned();
    rest_of_path(cursor, first)
}

fn rest_of_path(cursor: &mut Cursor<'_>, first: String) -> Outcome<Vec<String>> {
    let mut path = vec![first];
    while cursor.take('.') {
        path.push(cursor.name("the name of a field")?.to_owned());
    }
    Ok(path)
}

/// An alias, if there is one, and the name behind it.
fn start(cursor: &mut Cursor<'_>, what: &str) -> Outcome<(Option<String>, String)> {
    let first = cursor.name(what)?.to_owned();
    if cursor.take(':') { Ok((Some(first), cursor.name(what)?.to_owned())) } else { Ok((None, first)) }
}

fn list<T>(
    what: &'static str,
    text: &str,
    limits: &Limits,
    mut one: impl FnMut(&mut Cursor<'_>) -> Outcome<T>,
) -> Outcome<Vec<T>> {
    bounded(what, text, LENGTH_MAX)?;
    let mut cursor = Cursor::new(what, text);
    let mut all = Vec::new();
    loop {
        if all.len() == limits.group_max {
            return Err(cursor.limit(&format!("more than {} parts", limits.group_max)));
        }
        all.push(one(&mut cursor)?);
        if !cursor.take(',') {
            break;
        }
    }
    match cursor.peek() {
        None => Ok(all),
        Some(_) => Err(cursor.expected("\",\" or the end")),
    }
}

fn unknown<'a>(
    cursor: &Cursor<'_>,
    at: usize,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Box<crate::problem::Problem> {
    let all = known.clone().collect::<Vec<_>>().join(", ");
    let near = nearest(name, known).map(|near| format!("did you mean {near:?}?"));
    cursor.wrong_at(at, &format!("no function {name:?} here; there are {all}")).hint(near)
}

//! The grammar of `fields` and `sort`:
//!
//! ```text
//! fields := part ("," part)*
//! part   := "*" | [alias ":"] name | [alias ":"] link "(" fields (";" option)* ")"
//!         | [alias ":"] figure "(" link ("." name)* (";" "filter:" expression)* ")"
//! figure := "size" | "countDistinct" | "sum" | "avg" | "min" | "max"
//! option := "limit:" number | "sort:" keys | "filter:" expression
//! keys   := ["-"] name ("." name)* ("," …)*
//! ```
mod cursor;
mod figures;

use mainstay_core::{Aggregate, Limits, Nested, Select, Selection, Sort};
use mainstay_schema::nearest;

use self::cursor::Cursor;
pub(crate) use self::figures::{parse_figures, parse_group};
use crate::problem::{Code, Outcome, Problem};

/// Bytes of one `fields` text.
pub(crate) const FIELDS_LENGTH_MAX: usize = 16 * 1024;

/// Bytes of one `sort` text.
const SORT_LENGTH_MAX: usize = 4 * 1024;

const OPTIONS: [&str; 3] = ["limit", "sort", "filter"];

/// Reads a `fields` text.
pub(crate) fn parse_fields(text: &str, limits: &Limits) -> Outcome<Selection> {
    bounded("fields", text, FIELDS_LENGTH_MAX)?;
    let mut parser = Parser { cursor: Cursor::new("fields", text), limits, parts: 0 };
    let selection = parser.selection(0)?;
    match parser.cursor.peek() {
        None => Ok(selection),
        Some(_) => Err(parser.cursor.expected("\",\" or the end")),
    }
}

/// Reads a `sort` text.
pub(crate) fn parse_sort(text: &str, limits: &Limits) -> Outcome<Vec<Sort>> {
    bounded("sort", text, SORT_LENGTH_MAX)?;
    let mut cursor = Cursor::new("sort", text);
    let keys = sort_keys(&mut cursor, limits)?;
    match cursor.peek() {
        None => Ok(keys),
        Some(_) => Err(cursor.expected("\",\" or the end")),
    }
}

fn bounded(what: &str, text: &str, length_max: usize) -> Outcome<()> {
    if text.len() > length_max {
        return Err(Problem::new(Code::LimitExceeded, format!("{what} is longer than {length_max} bytes")));
    }
    Ok(())
}

fn sort_keys(cursor: &mut Cursor<'_>, limits: &Limits) -> Outcome<Vec<Sort>> {
    let mut keys = Vec::new();
    loop {
        if keys.len() == limits.sort_max {
            return Err(cursor.limit(&format!("more than {} sort keys", limits.sort_max)));
        }
        let descending = cursor.take('-');
        let mut path = vec![cursor.name("a field's name")?.to_owned()];
        while cursor.take('.') {
            if path.len() > limits.depth_max {
                return Err(cursor.limit(&format!("a path of more than {} links", limits.depth_max)));
            }
            path.push(cursor.name("a field's name")?.to_owned());
        }
        // Records that are equal by a key are equal by it a second time.
        if !keys.iter().any(|key: &Sort| key.path == path) {
            keys.push(Sort { path, descending });
        }
        if !cursor.take(',') {
            return Ok(keys);
        }
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    limits: &'a Limits,
    parts: usize,
}

impl Parser<'_> {
    fn selection(&mut self, depth: usize) -> Outcome<Selection> {
        if depth > self.limits.depth_max {
            return Err(self.cursor.limit(&format!("links deeper than {}", self.limits.depth_max)));
        }
        let mut parts = Vec::new();
        loop {
            self.parts += 1;
            if self.parts > self.limits.selection_max {
                return Err(self.cursor.limit(&format!("more than {} parts", self.limits.selection_max)));
            }
            let part = self.part(depth)?;
            // To name a field twice is to name it.
            let again = matches!(part, Select::All | Select::Field { .. }) && parts.contains(&part);
            if !again {
                parts.push(part);
            }
            if !self.cursor.take(',') {
                return Ok(Selection { parts });
            }
        }
    }

    fn part(&mut self, depth: usize) -> Outcome<Select> {
        if self.cursor.take('*') {
            return Ok(Select::All);
        }
        let first = self.cursor.name("a field's name or \"*\"")?.to_owned();
        let (alias, name) = if self.cursor.take(':') {
            (Some(first), self.cursor.name("the name of a field")?.to_owned())
        } else {
            (None, first)
        };
        if !self.cursor.take('(') {
            return Ok(Select::Field { alias, name });
        }
        if let Some(aggregate) = figures::of_links(&name) {
            return self.figure(alias, aggregate);
        }
        let nested = self.nested(depth + 1)?;
        Ok(Select::Link { alias, name, nested })
    }

    /// The rest of a figure, behind its opening bracket.
    fn figure(&mut self, alias: Option<String>, aggregate: Aggregate) -> Outcome<Select> {
        let path = figures::path(&mut self.cursor, "the name of a link")?;
        let mut filter = Vec::new();
        while self.cursor.take(';') {
            let at = self.cursor.at();
            if self.cursor.name("\"filter\"")? != "filter" {
                return Err(self.cursor.wrong_at(at, "a figure has no option but filter"));
            }
            self.cursor.expect(':')?;
            filter.push(self.cursor.expression()?.to_owned());
            if filter.len() > self.limits.filters_max {
                return Err(self.cursor.wrong_at(at, "the option \"filter\" comes too often"));
            }
        }
        self.cursor.expect(')')?;
        Ok(Select::Figure { alias, aggregate, path, filter })
    }

    fn nested(&mut self, depth: usize) -> Outcome<Nested> {
        let mut nested = Nested { selection: self.selection(depth)?, ..Nested::default() };
        while self.cursor.take(';') {
            self.option(&mut nested)?;
        }
        self.cursor.expect(')')?;
        Ok(nested)
    }

    fn option(&mut self, nested: &mut Nested) -> Outcome<()> {
        let at = self.cursor.at();
        let name = self.cursor.name("\"limit\", \"sort\" or \"filter\"")?;
        if !OPTIONS.contains(&name) {
            let near = nearest(name, OPTIONS).map(|near| format!("did you mean {near:?}?"));
            return Err(self
                .cursor
                .wrong_at(at, &format!("no option {name:?}; there are limit, sort and filter"))
                .hint(near));
        }
        self.cursor.expect(':')?;
        let twice = match name {
            "limit" => nested.limit.replace(self.cursor.number()?).is_some(),
            "sort" => !std::mem::replace(&mut nested.sort, sort_keys(&mut self.cursor, self.limits)?).is_empty(),
            _ => {
                nested.filter.push(self.cursor.expression()?.to_owned());
                nested.filter.len() > self.limits.filters_max
            }
        };
        if twice {
            return Err(self.cursor.wrong_at(at, &format!("the option {name:?} comes too often")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! What SQLite says of its plan (`EXPLAIN QUERY PLAN`), in words for people.
use std::collections::HashMap;

use mainstay_schema::Schema;
use rusqlite::Connection;

use crate::{
    advice::Origin,
    words::{Names, SORTS_RUNS, thousands},
};

/// One line of a plan.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) depth: usize,
    pub(super) detail: String,
}

/// What the words are made with.
pub(super) struct Words<'a> {
    connection: &'a Connection,
    names: Names<'a>,
    /// `t0` to `skills`.
    tables: HashMap<&'a str, &'a str>,
}

impl<'a> Words<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        schema: &'a Schema,
        sql: &'a str,
        origin: Option<&'a Origin>,
        lines: &[Line],
    ) -> Words<'a> {
        let gathers = lines.iter().any(|line| line.depth == 0 && line.detail.starts_with("USE TEMP B-TREE"));
        Words { connection, names: Names::new(schema, origin, gathers), tables: tables(sql) }
    }

    /// A sentence for each line that says something, indented as the lines are.
    pub(super) fn of(&self, lines: &[Line]) -> Vec<String> {
        let said = lines.iter().filter_map(|line| Some((line.depth, self.sentence(line)?)));
        said.map(|(depth, sentence)| format!("{}{sentence}", "  ".repeat(depth))).collect()
    }

    fn sentence(&self, line: &Line) -> Option<String> {
        let detail = line.detail.as_str();
        if let Some(rest) = detail.strip_prefix("SCAN ") {
            return self.scan(rest, line.depth);
        }
        if let Some(rest) = detail.strip_prefix("SEARCH ") {
            return Some(self.search(rest));
        }
        if let Some(what) = detail.strip_prefix("USE TEMP B-TREE FOR ") {
            return Some(self.gathering(what));
        }
        if detail.starts_with("MULTI-INDEX OR") {
            return Some("puts together what several indexes find:".to_owned());
        }
        if detail.starts_with("INDEX ") || detail.starts_with("BLOOM FILTER") {
            return None;
        }
        if detail.contains("SUBQUERY") {
            let each = detail.starts_with("CORRELATED");
            return Some(if each { "for each of them:" } else { "once, before that:" }.to_owned());
        }
        if detail.starts_with("CO-ROUTINE") || detail.starts_with("MATERIALIZE") {
            return Some("first:".to_owned());
        }
        Some(format!("the engine says: {detail}"))
    }

    fn scan(&self, rest: &str, depth: usize) -> Option<String> {
        let name = rest.split(' ').next().unwrap_or_default();
        if rest.starts_with("CONSTANT ROW") {
            return None;
        }
        if rest.contains("VIRTUAL TABLE") {
            return Some("goes through the values of a list".to_owned());
        }
        let Some(table) = self.table(name) else { return Some("goes through what that gave".to_owned()) };
        let records = self.records(table);
        let index = after(rest, "INDEX ").map(|rest| rest.split(' ').next().unwrap_or_default());
        let paging = depth == 0 && self.names.ends_with_page();
        Some(match index {
            _ if paging && index.is_none_or(|index| self.is_key(table, index)) => {
                format!("reads {records} one after the other, in the order of their keys, until the page is full")
            }
            Some(index) if paging => {
                let fields = self.fields_of(table, index);
                format!(
                    "reads {records} one after the other, in the order of the index of {fields}, until the page is full"
                )
            }
            Some(index) if !self.is_key(table, index) => {
                format!("reads every record of {records}, by the index of {}", self.fields_of(table, index))
            }
            _ => format!("reads every record of {records}"),
        })
    }

    fn search(&self, rest: &str) -> String {
        let name = rest.split(' ').next().unwrap_or_default();
        let Some(table) = self.table(name) else { return "looks into what that gave".to_owned() };
        let (equal, bounded) = constrained(rest);
        let columns: Vec<&str> = equal.iter().chain(&bounded).copied().collect();
        if rest.contains("AUTOMATIC") {
            let fields = self.names.fields(table, &columns);
            return format!("builds an index of {fields} for this one statement, over {}", self.records(table));
        }
        let by = match (equal.as_slice(), bounded.as_slice()) {
            (["rowid"], []) => "their key".to_owned(),
            ([], ["rowid"]) => "a range of their keys".to_owned(),
            (equal, []) if self.is_id(equal) => "their key".to_owned(),
            (equal, []) => self.names.fields(table, equal),
            ([], bounded) => format!("a range of {}", self.names.fields(table, bounded)),
            (equal, bounded) => {
                format!("{} and a range of {}", self.names.fields(table, equal), self.names.fields(table, bounded))
            }
        };
        let index = after(rest, "INDEX ").map(|rest| rest.split(' ').next().unwrap_or_default());
        let index = match index {
            Some(index) if !self.is_key(table, index) => format!(", by the index of {}", self.fields_of(table, index)),
            _ => String::new(),
        };
        let what = if rest.contains(" EXISTS ") { "looks whether there are" } else { "finds" };
        let shown = self.names.shown(table);
        let only = if rest.contains("COVERING INDEX") && !index.is_empty() { " alone" } else { "" };
        format!("{what} {shown} by {by}{index}{only}")
    }

    fn gathering(&self, what: &str) -> String {
        if what.contains("GROUP BY") {
            return format!("puts them into groups in memory{}", self.names.no_index());
        }
        if what.contains("DISTINCT") || what.contains("count(") {
            return "takes away doubles in memory".to_owned();
        }
        if what.contains("LAST") {
            return SORTS_RUNS.to_owned();
        }
        self.names.sorting()
    }

    /// The table of an alias, or of its own name.
    fn table<'n>(&self, name: &'n str) -> Option<&'n str>
    where
        'a: 'n,
    {
        let known =
            |table: &str| self.names.collection(table).is_some() || self.tables.values().any(|known| *known == table);
        match self.tables.get(name) {
            Some(table) => Some(table),
            None => known(name).then_some(name),
        }
    }

    /// `flights (336,776)`.
    fn records(&self, table: &str) -> String {
        let sql = format!("SELECT count(*) FROM \"{}\"", table.replace('"', "\"\""));
        let count: Option<i64> = self.connection.query_row(&sql, [], |row| row.get(0)).ok();
        match count {
            Some(count) => format!("{} ({})", self.names.shown(table), thousands(count)),
            None => self.names.shown(table).to_owned(),
        }
    }

    fn is_id(&self, columns: &[&str]) -> bool {
        columns == ["id"]
    }

    /// Whether an index is the one of the key.
    fn is_key(&self, table: &str, index: &str) -> bool {
        index == "PRIMARY"
            || index.starts_with("sqlite_autoindex_")
            || self.columns_of(index) == ["id"]
            || index == table
    }

    fn columns_of(&self, index: &str) -> Vec<String> {
        let read = || {
            let mut statement = self.connection.prepare("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?;
            statement.query_map([index], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
        };
        read().unwrap_or_default()
    }

    /// The fields of an index; the key, which ends each, is left out.
    fn fields_of(&self, table: &str, index: &str) -> String {
        self.names.indexed(table, &self.columns_of(index))
    }
}

/// Which table each alias stands for: the statements are ours, and each says `"skills" AS t0`.
fn tables(sql: &str) -> HashMap<&str, &str> {
    let mut tables = HashMap::new();
    for (at, _) in sql.match_indices("\" AS t") {
        let Some(start) = sql[..at].rfind('"') else { continue };
        let alias = &sql[at + "\" AS ".len()..];
        let end = alias.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(alias.len());
        tables.insert(&alias[..end], &sql[start + 1..at]);
    }
    tables
}

/// The columns of `(a=? AND b>?)`: those that are compared for equality, and those that are bounded.
fn constrained(rest: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut equal, mut bounded) = (Vec::new(), Vec::new());
    let inside = after(rest, " (").map_or("", |rest| rest.strip_suffix(')').unwrap_or(rest));
    for part in inside.split(" AND ") {
        let Some(end) = part.find(['=', '<', '>']) else { continue };
        let list = if part[end..].starts_with('=') { &mut equal } else { &mut bounded };
        for column in part[..end].trim_matches(['(', ')']).split(',') {
            if !list.contains(&column) && column != "id" || list.is_empty() {
                list.push(column);
            }
        }
    }
    (equal, bounded)
}

fn after<'t>(text: &'t str, what: &str) -> Option<&'t str> {
    text.find(what).map(|at| &text[at + what.len()..])
}

//! What PostgreSQL says of its plan, in words for people.
use std::collections::HashMap;

use mainstay_schema::Schema;
use serde_json::Value as Json;
use tokio_postgres::{Client, Error, types::Type};

use super::explain::Node;
use crate::{
    advice::Origin,
    words::{Names, SORTS_RUNS, thousands},
};

/// What the words are made with.
pub(super) struct Words<'a> {
    names: Names<'a>,
    /// About how many records a table has.
    counts: HashMap<String, i64>,
    /// The columns of an index, and whether it is that of the key.
    indexes: HashMap<String, (Vec<String>, bool)>,
}

impl<'a> Words<'a> {
    /// Asks the server for what its plan does not say.
    pub(super) async fn read(
        client: &Client,
        schema: &'a Schema,
        origin: Option<&'a Origin>,
        nodes: &[Node<'_>],
    ) -> Result<Words<'a>, Error> {
        let named = |name: &str| -> Vec<String> {
            let texts = nodes.iter().filter_map(|node| text(node.of, name));
            texts.map(str::to_owned).collect()
        };
        let counts = "SELECT relname::text, reltuples::bigint FROM pg_class \
                      WHERE relname::text = ANY($1) AND pg_table_is_visible(oid)";
        let counts = client.query_typed(counts, &[(&named("Relation Name"), Type::TEXT_ARRAY)]).await?;
        let counts = counts.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        let indexes = "SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum), bool_or(i.indisprimary) \
                       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                       JOIN pg_attribute a ON a.attrelid = i.indexrelid \
                       WHERE c.relname::text = ANY($1) AND pg_table_is_visible(c.oid) GROUP BY c.relname";
        let indexes = client.query_typed(indexes, &[(&named("Index Name"), Type::TEXT_ARRAY)]).await?;
        let indexes = indexes.iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?))));
        let gathers = nodes.iter().any(|node| matches!(kind(node.of), "Sort" | "Aggregate" | "HashAggregate"));
        Ok(Words {
            names: Names::new(schema, origin, gathers),
            counts: counts.collect::<Result<_, Error>>()?,
            indexes: indexes.collect::<Result<_, Error>>()?,
        })
    }

    /// About how many records a table of the plan has; `None` where it was never looked at.
    pub(super) fn count_of(&self, table: &str) -> Option<i64> {
        self.counts.get(table).copied().filter(|count| *count >= 0)
    }

    /// A sentence for each node that says something, indented as the nodes are.
    pub(super) fn of(&self, nodes: &[Node<'_>]) -> Vec<String> {
        let mut said = Vec::new();
        for node in nodes {
            if let Some(sentence) = self.sentence(node.of) {
                said.push(format!("{}{sentence}", "  ".repeat(self.depth(node, nodes))));
            }
        }
        said
    }

    /// How deep a node stands among those that say something: only what runs for each record goes deeper.
    fn depth(&self, node: &Node<'_>, nodes: &[Node<'_>]) -> usize {
        let at = nodes.iter().position(|other| std::ptr::eq(other.of, node.of)).unwrap_or(0);
        let (mut depth, mut level) = (0, node.depth);
        if is_subplan(node.of) {
            depth += 1;
        }
        for outer in nodes[..at].iter().rev() {
            if outer.depth < level {
                level = outer.depth;
                depth += usize::from(is_subplan(outer.of));
            }
        }
        depth
    }

    fn sentence(&self, node: &Json) -> Option<String> {
        Some(match kind(node) {
            "Seq Scan" => self.scan(node),
            "Index Scan" | "Index Only Scan" => self.search(node),
            "Bitmap Heap Scan" => format!("finds {} by what the index gives", self.names.shown(table(node))),
            "Bitmap Index Scan" => format!("looks them up in the index of {}", self.fields_of(node, index(node))),
            "Sort" | "Incremental Sort" => self.sorting(node),
            "Aggregate" | "HashAggregate" | "GroupAggregate" if text(node, "Strategy") != Some("Plain") => {
                "puts them into groups in memory".to_owned()
            }
            "BitmapOr" | "BitmapAnd" => "puts together what several indexes find".to_owned(),
            "Hash" => "keeps them in memory, to be found by the others".to_owned(),
            "Function Scan" => "goes through the values of a list".to_owned(),
            "CTE Scan" | "Subquery Scan" => "goes through what that gave".to_owned(),
            "Gather" | "Gather Merge" => "several processes share the work".to_owned(),
            _ => return None,
        })
    }

    fn scan(&self, node: &Json) -> String {
        format!("reads every record of {}", self.records(table(node)))
    }

    fn search(&self, node: &Json) -> String {
        let (table, index) = (table(node), index(node));
        let is_key = self.indexes.get(index).is_some_and(|(_, is_key)| *is_key);
        let only = if kind(node) == "Index Only Scan" { " alone" } else { "" };
        match text(node, "Index Cond") {
            Some(condition) if is_key => {
                let by = if condition.contains(" = ") { "their key" } else { "a range of their keys" };
                format!("finds {} by {by}", self.names.shown(table))
            }
            Some(condition) => {
                let by = self.names.fields(table, &self.columns_in(index, condition));
                let of = self.fields_of(node, index);
                format!("finds {} by {by}, by the index of {of}{only}", self.names.shown(table))
            }
            None if self.names.ends_with_page() => {
                let order = if is_key {
                    "their keys".to_owned()
                } else {
                    format!("the index of {}", self.fields_of(node, index))
                };
                format!(
                    "reads {} one after the other, in the order of {order}, until the page is full",
                    self.records(table)
                )
            }
            None if is_key => format!("reads every record of {}", self.records(table)),
            None => format!(
                "reads every record of {}, by the index of {}",
                self.records(table),
                self.fields_of(node, index)
            ),
        }
    }

    fn sorting(&self, node: &Json) -> String {
        if kind(node) == "Incremental Sort" {
            return SORTS_RUNS.to_owned();
        }
        self.names.sorting()
    }

    fn columns_in<'i>(&'i self, index: &str, condition: &str) -> Vec<&'i str> {
        let columns = self.indexes.get(index).map_or(&[][..], |(columns, _)| columns);
        columns.iter().map(String::as_str).filter(|column| condition.contains(*column)).collect()
    }

    /// The fields of an index.
    fn fields_of(&self, node: &Json, index: &str) -> String {
        let columns = self.indexes.get(index).map_or(&[][..], |(columns, _)| columns);
        self.names.indexed(table(node), columns)
    }

    /// `flights (about 336,776)`; a table that was never looked at has no number.
    fn records(&self, table: &str) -> String {
        match self.counts.get(table) {
            Some(count) if *count >= 0 => format!("{} (about {})", self.names.shown(table), thousands(*count)),
            _ => self.names.shown(table).to_owned(),
        }
    }
}

fn is_subplan(node: &Json) -> bool {
    text(node, "Parent Relationship") == Some("SubPlan")
}

fn kind(node: &Json) -> &str {
    text(node, "Node Type").unwrap_or_default()
}

fn table(node: &Json) -> &str {
    text(node, "Relation Name").unwrap_or_default()
}

fn index(node: &Json) -> &str {
    text(node, "Index Name").unwrap_or_default()
}

fn text<'j>(node: &'j Json, name: &str) -> Option<&'j str> {
    node.get(name).and_then(Json::as_str)
}

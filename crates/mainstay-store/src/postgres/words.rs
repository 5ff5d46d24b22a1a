//! What PostgreSQL says of its plan, in words for people.
use std::collections::HashMap;

use mainstay_schema::{Collection, Schema};
use serde_json::Value as Json;
use tokio_postgres::{Client, Error};

use super::explain::Node;
use crate::advice::Origin;

/// What the words are made with.
pub(super) struct Words<'a> {
    schema: &'a Schema,
    origin: Option<&'a Origin>,
    /// About how many records a table has.
    counts: HashMap<String, i64>,
    /// The columns of an index, and whether it is that of the key.
    indexes: HashMap<String, (Vec<String>, bool)>,
    /// Whether something is sorted or grouped in memory, so that all must be read first.
    gathers: bool,
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
        let counts = client.query(counts, &[&named("Relation Name")]).await?;
        let counts = counts.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        let indexes = "SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum), bool_or(i.indisprimary) \
                       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                       JOIN pg_attribute a ON a.attrelid = i.indexrelid \
                       WHERE c.relname::text = ANY($1) AND pg_table_is_visible(c.oid) GROUP BY c.relname";
        let indexes = client.query(indexes, &[&named("Index Name")]).await?;
        let indexes = indexes.iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?))));
        let gathers = nodes.iter().any(|node| matches!(kind(node.of), "Sort" | "Aggregate" | "HashAggregate"));
        Ok(Words {
            schema,
            origin,
            counts: counts.collect::<Result<_, Error>>()?,
            indexes: indexes.collect::<Result<_, Error>>()?,
            gathers,
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
            "Bitmap Heap Scan" => format!("finds {} by what the index gives", self.shown(table(node))),
            "Bitmap Index Scan" => format!("looks {} up in the index of {}", "them", self.fields_of(node, index(node))),
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
                format!("finds {} by {by}", self.shown(table))
            }
            Some(condition) => {
                let by = self.names(table, &self.columns_in(index, condition));
                let of = self.fields_of(node, index);
                format!("finds {} by {by}, by the index of {of}{only}", self.shown(table))
            }
            None if !self.gathers && self.origin.is_some_and(Origin::pages) => {
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
            return "sorts runs of them in memory: the index gives the first part of the order alone".to_owned();
        }
        let order = self.order();
        let no_index = if order.is_empty() { String::new() } else { format!(", because no index gives {order}") };
        match self.origin {
            Some(Origin::Group(_)) => "sorts the groups in memory".to_owned(),
            _ => format!("sorts all that it found in memory{no_index}"),
        }
    }

    fn order(&self) -> String {
        let Some(origin) = self.origin else { return String::new() };
        let collection = self.schema.collection(origin.collection());
        let order = origin.order(self.schema);
        order.iter().map(|field| collection.field(*field).name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn columns_in<'i>(&'i self, index: &str, condition: &str) -> Vec<&'i str> {
        let columns = self.indexes.get(index).map_or(&[][..], |(columns, _)| columns);
        columns.iter().map(String::as_str).filter(|column| condition.contains(*column)).collect()
    }

    /// The fields of an index; the key, which ends each, is left out.
    fn fields_of(&self, node: &Json, index: &str) -> String {
        let columns = self.indexes.get(index).map_or(&[][..], |(columns, _)| columns);
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let columns = match columns.as_slice() {
            [first @ .., "id"] if !first.is_empty() => first,
            all => all,
        };
        self.names(table(node), columns)
    }

    fn names(&self, table: &str, columns: &[&str]) -> String {
        let collection = self.collection(table);
        let name = |column: &&str| {
            let field = collection.and_then(|of| of.fields.iter().find(|field| field.column == *column));
            field.map_or((*column).to_owned(), |field| field.name.clone())
        };
        columns.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    fn collection(&self, table: &str) -> Option<&'a Collection> {
        self.schema.collections.iter().find(|collection| collection.table == table)
    }

    fn shown<'t>(&self, table: &'t str) -> &'t str
    where
        'a: 't,
    {
        self.collection(table).map_or(table, |collection| collection.path.as_str())
    }

    /// `flights (about 336776)`; a table that was never looked at has no number.
    fn records(&self, table: &str) -> String {
        match self.counts.get(table) {
            Some(count) if *count >= 0 => format!("{} (about {count})", self.shown(table)),
            _ => self.shown(table).to_owned(),
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

//! The tables as they really are, in a form that those of two namespaces can be compared by.
use std::collections::BTreeMap;

use tokio_postgres::{Error, GenericClient, Row};

use crate::drift::{Column, Index, Table, Tables};

/// The tables of a namespace (an expression of its oid) but for the server's own.
pub(super) async fn tables(client: &impl GenericClient, namespace: &str) -> Result<Tables, Error> {
    let mut tables: BTreeMap<u32, (String, Table)> = BTreeMap::new();
    let ask = format!(
        "SELECT oid, relname::text, relpersistence = 'u', relrowsecurity FROM pg_class WHERE relnamespace = {namespace} \
         AND relkind IN ('r', 'p') AND relname NOT LIKE 'mainstay\\_%'"
    );
    for row in client.query(&ask, &[]).await? {
        let mut table = Table::default();
        for (is, word) in [(row.get::<_, bool>(2), "UNLOGGED"), (row.get(3), "ROW LEVEL SECURITY")] {
            if is {
                table.options.insert(word.to_owned());
            }
        }
        tables.insert(row.get(0), (row.get(1), table));
    }
    let oids: Vec<u32> = tables.keys().copied().collect();
    for (ask, each) in READS {
        for row in client.query(*ask, &[&oids]).await? {
            if let Some((_, table)) = tables.get_mut(&row.get::<_, u32>(0)) {
                each(table, &row);
            }
        }
    }
    Ok(tables.into_values().collect())
}

type Each = fn(&mut Table, &Row);

/// What is read of all tables at once: the first column is the table.
const READS: &[(&str, Each)] = &[
    (
        "SELECT a.attrelid, a.attname::text, format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attcollation <> t.typcollation \
         THEN ' COLLATE \"' || c.collname || '\"' ELSE '' END, a.attnotnull, CASE WHEN a.attidentity <> '' THEN \
         'the next number' ELSE pg_get_expr(d.adbin, d.adrelid) END FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid \
         LEFT JOIN pg_collation AS c ON c.oid = a.attcollation LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND \
         d.adnum = a.attnum WHERE a.attrelid = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped",
        column,
    ),
    (
        "SELECT i.indrelid, c.relname::text, i.indisunique, i.indisvalid, pg_get_expr(i.indpred, i.indrelid), \
         ARRAY(SELECT coalesce(a.attname::text, '') FROM generate_subscripts(i.indkey, 1) AS n LEFT JOIN pg_attribute AS a ON \
         a.attrelid = i.indrelid AND a.attnum = i.indkey[n] AND a.attnum > 0 WHERE n < i.indnkeyatts ORDER BY n), \
         ARRAY(SELECT pg_get_indexdef(i.indexrelid, n + 1, true) || CASE i.indoption[n] WHEN 0 THEN '' WHEN 1 THEN \
         ' DESC NULLS LAST' WHEN 2 THEN ' NULLS FIRST' ELSE ' DESC' END FROM generate_subscripts(i.indkey, 1) AS n \
         WHERE n < i.indnkeyatts ORDER BY n) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE \
         i.indrelid = ANY($1) AND NOT i.indisprimary",
        index,
    ),
    (
        "SELECT c.conrelid, c.contype::text, ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(n, place) \
         JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.place), coalesce(t.relname::text, ''), \
         coalesce((SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.confrelid AND a.attnum = c.confkey[1]), ''), \
         pg_get_constraintdef(c.oid, true) FROM pg_constraint AS c LEFT JOIN pg_class AS t ON t.oid = c.confrelid WHERE \
         c.conrelid = ANY($1) AND c.contype IN ('p', 'f', 'c')",
        constraint,
    ),
    (
        "SELECT tgrelid, tgname::text FROM pg_trigger WHERE tgrelid = ANY($1) AND NOT tgisinternal AND tgname <> 'mainstay_moved'",
        trigger,
    ),
];

fn trigger(table: &mut Table, row: &Row) {
    table.triggers.insert(row.get(1));
}

fn column(table: &mut Table, row: &Row) {
    let column = Column { ty: row.get(2), required: row.get(3), default: row.get(4), key: 0 };
    table.columns.insert(row.get(1), column);
}

/// One that was not built to its end is none.
fn index(table: &mut Table, row: &Row) {
    if row.get::<_, bool>(3) {
        let index = Index { unique: row.get(2), condition: row.get(4), columns: row.get(5), sorted: row.get(6) };
        table.indexes.insert(row.get(1), index);
    }
}

fn constraint(table: &mut Table, row: &Row) {
    let columns: Vec<String> = row.get(2);
    match row.get::<_, &str>(1) {
        "p" => {
            for (place, name) in columns.iter().enumerate() {
                if let Some(column) = table.columns.get_mut(name) {
                    column.key = i64::try_from(place + 1).unwrap_or(i64::MAX);
                }
            }
        }
        "f" => {
            table.references.insert((columns.join(", "), row.get(3), row.get(4)));
        }
        _ => {
            let text: String = row.get(5);
            // It is in force all the same.
            table.checks.insert(text.trim_end_matches(" NOT VALID").to_owned());
        }
    }
}

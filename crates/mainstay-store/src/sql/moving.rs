//! The statements of a move: tables are read and written as they stand, whatever they hold.
use mainstay_expr::Type;
use mainstay_schema::{ColumnType, JoinSnapshot, KeyKind, Scalar, TableSnapshot};

use super::{
    columns::{decode_column, decode_key},
    ddl::KEY,
    nodes::KEYS,
    notes,
    once::ONCE,
    own::OwnTable,
    quantify::{JOIN_FROM, JOIN_TO},
};
use crate::sql::{Bind, Decode, Dialect, Sql};

/// What a move remembers, in either of the two databases.
const TABLE: &str = "mainstay_move";
const NOTES: OwnTable = OwnTable {
    name: TABLE,
    counted: None,
    columns: &[("name", Scalar::String, true), ("value", Scalar::String, true)],
};

/// A table that is copied.
#[derive(Clone, Debug)]
pub(crate) struct MovedTable {
    /// Its name.
    pub(crate) name: String,
    /// Its columns; those of the key come first.
    pub(crate) columns: Vec<(String, Decode)>,
    /// How many columns make its key.
    pub(crate) keys: usize,
    /// Whether it counts its keys itself.
    pub(crate) counted: bool,
}

/// A table of which only the name matters.
pub(crate) fn sql_names(name: &str) -> MovedTable {
    MovedTable { name: name.to_owned(), columns: Vec::new(), keys: 0, counted: false }
}

impl MovedTable {
    /// The table of a collection.
    pub(crate) fn of(table: &TableSnapshot) -> MovedTable {
        let others = table.columns.iter().filter(|column| column.column != KEY);
        let mut columns = vec![(KEY.to_owned(), decode_key(table.key))];
        columns.extend(others.map(|column| (column.column.clone(), moved(&column.ty))));
        MovedTable { name: table.table.clone(), columns, keys: 1, counted: table.key == KeyKind::Int }
    }

    /// The table of a link to many.
    pub(crate) fn of_join(join: &JoinSnapshot) -> MovedTable {
        let columns = [(JOIN_FROM, join.from_key), (JOIN_TO, join.to_key)];
        let columns = columns.map(|(name, key)| (name.to_owned(), decode_key(key))).to_vec();
        MovedTable { name: join.table.clone(), columns, keys: 2, counted: false }
    }

    /// The tables of the server's own; first that of the answers that are kept.
    pub(crate) fn own() -> Vec<MovedTable> {
        let [sources, waiting] = notes::NOTES;
        [ONCE, KEYS, sources, waiting].iter().map(MovedTable::of_own).collect()
    }

    fn of_own(table: &OwnTable) -> MovedTable {
        let column = |(name, scalar): (&str, Scalar)| (name.to_owned(), moved(&ColumnType::Scalar(scalar)));
        MovedTable {
            name: table.name.to_owned(),
            columns: table.all().map(column).collect(),
            keys: 1,
            counted: table.counted.is_some(),
        }
    }

    /// How its columns are read.
    pub(crate) fn decodes(&self) -> impl Iterator<Item = Decode> {
        self.columns.iter().map(|(_, decode)| *decode)
    }

    /// Its columns, quoted, with commas between them.
    pub(crate) fn list(&self, dialect: &dyn Dialect) -> String {
        names(dialect, &self.columns)
    }

    /// Some of its rows, in the order of their keys: those behind the key that is given by values, or the first.
    pub(crate) fn portion(&self, dialect: &dyn Dialect, behind: bool, limit: usize) -> Sql {
        let keys = names(dialect, &self.columns[..self.keys]);
        let places: Vec<String> = (1..=self.keys).map(|at| dialect.placeholder(at)).collect();
        let condition = if behind { format!(" WHERE ({keys}) > ({})", places.join(", ")) } else { String::new() };
        let (list, table) = (self.list(dialect), dialect.quote(&self.name));
        let text = format!("SELECT {list} FROM {table}{condition} ORDER BY {keys} LIMIT {limit}");
        sql(text, if behind { self.keys } else { 0 })
    }

    /// The key of its last row, in the order of the keys.
    pub(crate) fn last(&self, dialect: &dyn Dialect) -> Sql {
        let columns = &self.columns[..self.keys];
        let order: Vec<String> = columns.iter().map(|(name, _)| format!("{} DESC", dialect.quote(name))).collect();
        let (keys, table) = (names(dialect, columns), dialect.quote(&self.name));
        sql(format!("SELECT {keys} FROM {table} ORDER BY {} LIMIT 1", order.join(", ")), 0)
    }

    /// The rows whose first column is one of a list.
    pub(crate) fn of_keys(&self, dialect: &dyn Dialect) -> Sql {
        let (list, table) = (self.list(dialect), dialect.quote(&self.name));
        sql(format!("SELECT {list} FROM {table} WHERE {}", self.is_listed(dialect)), 1)
    }

    /// Takes those out.
    pub(crate) fn delete_keys(&self, dialect: &dyn Dialect) -> Sql {
        sql(format!("DELETE FROM {} WHERE {}", dialect.quote(&self.name), self.is_listed(dialect)), 1)
    }

    fn is_listed(&self, dialect: &dyn Dialect) -> String {
        let Some((name, decode)) = self.columns.first() else { return dialect.boolean(false).to_owned() };
        let ty = match decode {
            Decode::Uuid => Type::Uuid,
            Decode::Int => Type::Int,
            _ => Type::String,
        };
        let (name, item) = (dialect.quote(name), dialect.element("item", &ty));
        let list = dialect.typed(&dialect.placeholder(1), &Type::List(ty.into()));
        format!("{name} IN (SELECT {item} FROM {})", dialect.elements(&list, "item"))
    }

    /// Takes all rows out.
    pub(crate) fn clear(&self, dialect: &dyn Dialect) -> Sql {
        sql(format!("DELETE FROM {}", dialect.quote(&self.name)), 0)
    }

    /// Some of its rows whose keys are behind a number and not behind another one, in their order.
    pub(crate) fn between(&self, dialect: &dyn Dialect, limit: usize) -> Sql {
        let (list, table, key) = (self.list(dialect), dialect.quote(&self.name), names(dialect, &self.columns[..1]));
        let which = within(dialect, &key);
        sql(format!("SELECT {list} FROM {table} WHERE {which} ORDER BY {key} LIMIT {limit}"), 2)
    }

    /// Takes all of those out.
    pub(crate) fn delete_between(&self, dialect: &dyn Dialect) -> Sql {
        let which = within(dialect, &names(dialect, &self.columns[..1]));
        sql(format!("DELETE FROM {} WHERE {which}", dialect.quote(&self.name)), 2)
    }

    /// Writes one row.
    pub(crate) fn insert(&self, dialect: &dyn Dialect) -> Sql {
        let places: Vec<String> = (1..=self.columns.len()).map(|at| dialect.placeholder(at)).collect();
        let (list, table) = (self.list(dialect), dialect.quote(&self.name));
        sql(format!("INSERT INTO {table} ({list}) VALUES ({})", places.join(", ")), self.columns.len())
    }

    /// How many rows it has.
    pub(crate) fn count(&self, dialect: &dyn Dialect) -> Sql {
        sql(format!("SELECT count(*) FROM {}", dialect.quote(&self.name)), 0)
    }
}

/// What kept answers come to, by groups of so many ids that follow each other: the group, how many, and two sums of when they were
/// kept. None is ever changed, so that rows of one id and one time are the same.
pub(crate) fn kept_sums(dialect: &dyn Dialect, ids: i64) -> Sql {
    let [id, time, table] = ["id", "time", ONCE.name].map(|name| dialect.quote(name));
    let text = format!(
        "SELECT {id} / {ids}, count(*), CAST(sum({time}) AS BIGINT), CAST(sum(({id} % {ids} + 1) * ({time} % 1000000007)) AS \
         BIGINT) FROM {table} GROUP BY 1"
    );
    sql(text, 0)
}

/// Makes the table of the notes, where there is none.
pub(crate) fn make_moving(dialect: &dyn Dialect) -> String {
    NOTES.make(dialect, &[])
}

/// The notes whose names begin with something: name and value, in the order of their names.
pub(crate) fn moving_notes(dialect: &dyn Dialect) -> Sql {
    let [first, second] = [1, 2].map(|at| dialect.placeholder(at));
    sql(format!("SELECT name, value FROM {TABLE} WHERE name >= {first} AND name < {second} ORDER BY name"), 2)
}

/// Writes a note.
pub(crate) fn note_moving(dialect: &dyn Dialect) -> Sql {
    let [first, second] = [1, 2].map(|at| dialect.placeholder(at));
    let text = format!(
        "INSERT INTO {TABLE} (name, value) VALUES ({first}, {second}) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    );
    sql(text, 2)
}

/// Takes a note away.
pub(crate) fn forget_moving(dialect: &dyn Dialect) -> Sql {
    sql(format!("DELETE FROM {TABLE} WHERE name = {}", dialect.placeholder(1)), 1)
}

/// A statement with so many values.
pub(crate) fn sql(text: String, values: usize) -> Sql {
    Sql { text, binds: (0..values as u16).map(Bind::Value).collect() }
}

/// How a column is read to be copied: what is kept as JSON stays so.
fn moved(ty: &ColumnType) -> Decode {
    match ty {
        ColumnType::List(_) => Decode::Json,
        ty => decode_column(ty),
    }
}

/// That a key is behind the first value, and not behind the second.
fn within(dialect: &dyn Dialect, key: &str) -> String {
    let [behind, last] = [1, 2].map(|at| dialect.placeholder(at));
    format!("{key} > {behind} AND {key} <= {last}")
}

fn names(dialect: &dyn Dialect, columns: &[(String, Decode)]) -> String {
    columns.iter().map(|(name, _)| dialect.quote(name)).collect::<Vec<_>>().join(", ")
}

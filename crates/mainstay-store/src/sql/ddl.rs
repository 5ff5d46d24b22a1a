//! Tables, columns and indexes of a snapshot as statements.
use mainstay_schema::{
    ColumnSnapshot, ColumnType, ConditionSnapshot, IndexSnapshot, JoinSnapshot, Operand, Scalar, Snapshot,
    TableSnapshot, UniqueSnapshot,
};

use crate::sql::{
    Dialect,
    migration::bounded,
    quantify::{JOIN_FROM, JOIN_TO},
};

/// The table that remembers the snapshot last applied: at most one row.
pub fn bookkeeping(dialect: &dyn Dialect) -> String {
    let [table, id, _] = BOOKS.map(|name| dialect.quote(name));
    let text = dialect.column(BOOKS[2], &ColumnType::Scalar(Scalar::String), true, &[]);
    format!(
        "CREATE TABLE IF NOT EXISTS {table} ({id} INTEGER NOT NULL PRIMARY KEY CHECK ({id} = 1), {text}){}",
        dialect.table_options()
    )
}

/// All tables of a snapshot, with their indexes, in an empty database.
pub fn create_all(dialect: &dyn Dialect, snapshot: &Snapshot) -> Vec<String> {
    let ddl = Ddl { dialect, snapshot };
    let mut statements = Vec::new();
    for table in &snapshot.tables {
        statements.push(ddl.create_table(table, &table.table));
        statements.extend(ddl.indexes(table));
    }
    for join in &snapshot.joins {
        statements.extend([ddl.create_join(join, &join.table), ddl.join_index(join)]);
    }
    statements
}

/// Reads the snapshot last applied: no row, or one column of text.
pub fn recall(dialect: &dyn Dialect) -> String {
    let [table, _, snapshot] = BOOKS.map(|name| dialect.quote(name));
    format!("SELECT {snapshot} FROM {table}")
}

/// Forgets the snapshot last applied, then writes down the one that is given as placeholder 1.
pub fn remember(dialect: &dyn Dialect) -> [String; 2] {
    let [table, id, snapshot] = BOOKS.map(|name| dialect.quote(name));
    let placeholder = dialect.placeholder(1);
    [format!("DELETE FROM {table}"), format!("INSERT INTO {table} ({id}, {snapshot}) VALUES (1, {placeholder})")]
}

/// The table of the schema last applied, its key and its text.
const BOOKS: [&str; 3] = ["mainstay_schema", "id", "snapshot"];
/// The column of a table's own keys.
pub(super) const KEY: &str = "id";

/// Writes what the tables of one snapshot are made with.
#[derive(Clone, Copy)]
pub(super) struct Ddl<'a> {
    pub(super) dialect: &'a dyn Dialect,
    pub(super) snapshot: &'a Snapshot,
}

impl Ddl<'_> {
    pub(super) fn create_table(&self, table: &TableSnapshot, name: &str) -> String {
        let mut parts: Vec<String> = table.columns.iter().map(|column| self.column(table, column)).collect();
        if !table.columns.iter().any(|column| column.column == KEY) {
            parts.insert(0, self.dialect.key_column(KEY, table.key));
        }
        for key in &table.foreign_keys {
            let column = self.dialect.quote(&key.column);
            parts.push(format!("FOREIGN KEY ({column}) {}", self.references(&key.table)));
        }
        let columns = parts.join(",\n  ");
        format!("CREATE TABLE {} (\n  {columns}\n){}", self.dialect.quote(name), self.dialect.table_options())
    }

    pub(super) fn column(&self, table: &TableSnapshot, column: &ColumnSnapshot) -> String {
        if column.column == KEY {
            return self.dialect.key_column(KEY, table.key);
        }
        let values = self.enum_values(&column.ty);
        let mut text = self.dialect.column(&column.column, &column.ty, column.required, values);
        if let Some(default) = self.default(column) {
            text.push_str(&format!(" DEFAULT {default}"));
        }
        text
    }

    fn default(&self, column: &ColumnSnapshot) -> Option<String> {
        let value = column.default_value()?;
        Some(self.dialect.constant(&column.ty, &value))
    }

    fn enum_values(&self, ty: &ColumnType) -> &[String] {
        match ty {
            ColumnType::Enum(name) => self.snapshot.enum_values(name),
            _ => &[],
        }
    }

    /// Never acts by itself: what a delete takes with it is done step by step; this is the net.
    pub(super) fn references(&self, table: &str) -> String {
        format!("REFERENCES {} ({}) ON DELETE NO ACTION", self.dialect.quote(table), self.dialect.quote(KEY))
    }

    pub(super) fn add_column(&self, table: &TableSnapshot, column: &ColumnSnapshot) -> String {
        let mut text =
            format!("ALTER TABLE {} ADD COLUMN {}", self.dialect.quote(&table.table), self.column(table, column));
        if let Some(key) = table.foreign_keys.iter().find(|key| key.column == column.column) {
            text.push_str(&format!(" {}", self.references(&key.table)));
        }
        text
    }

    pub(super) fn create_join(&self, join: &JoinSnapshot, name: &str) -> String {
        let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| self.dialect.quote(name));
        let (from_type, to_type) = (self.dialect.key_type(join.from_key), self.dialect.key_type(join.to_key));
        let table = self.dialect.quote(name);
        let (from_table, to_table) = (self.references(&join.from_table), self.references(&join.to_table));
        format!(
            "CREATE TABLE {table} (\n  {from} {from_type} NOT NULL {from_table},\n  {to} {to_type} NOT NULL {to_table},\n  \
             PRIMARY KEY ({from}, {to})\n){}",
            self.dialect.join_table_options()
        )
    }

    /// The index by the other end.
    pub(super) fn join_index(&self, join: &JoinSnapshot) -> String {
        let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| self.dialect.quote(name));
        let (name, table) = (self.dialect.quote(&join_index_name(&join.table)), self.dialect.quote(&join.table));
        format!("CREATE INDEX {name} ON {table} ({to}, {from})")
    }

    /// All uniques and indexes of a table.
    pub(super) fn indexes(&self, table: &TableSnapshot) -> Vec<String> {
        let uniques = table.uniques.iter().map(|unique| self.unique(table, unique));
        uniques.chain(table.indexes.iter().map(|index| self.index(table, index))).collect()
    }

    pub(super) fn unique(&self, table: &TableSnapshot, unique: &UniqueSnapshot) -> String {
        let (columns, name) = (self.sorted(table, &unique.columns), self.dialect.quote(&unique.name));
        let among = unique.condition.as_ref().map_or(String::new(), |of| {
            let condition = condition(self.dialect, table, of, &|column| self.dialect.quote(column));
            format!(" WHERE {condition}")
        });
        format!("CREATE UNIQUE INDEX {name} ON {} ({columns}){among}", self.dialect.quote(&table.table))
    }

    /// The key comes last, so that the index is in the order of pages.
    pub(super) fn index(&self, table: &TableSnapshot, index: &IndexSnapshot) -> String {
        let mut columns = index.columns.clone();
        if !columns.iter().any(|column| column == KEY) {
            columns.push(KEY.to_owned());
        }
        let columns = self.sorted(table, &columns);
        format!("CREATE INDEX {} ON {} ({columns})", self.dialect.quote(&index.name), self.dialect.quote(&table.table))
    }

    /// The columns of an index.
    fn sorted(&self, table: &TableSnapshot, names: &[String]) -> String {
        let may_be_null = |name: &str| table.columns.iter().any(|of| of.column == name && !of.required && name != KEY);
        let column = |name: &String| self.dialect.index_column(name, may_be_null(name));
        names.iter().map(column).collect::<Vec<_>>().join(", ")
    }
}

/// A condition over a table's columns; `name` says how they are called.
pub(super) fn condition(
    dialect: &dyn Dialect,
    table: &TableSnapshot,
    of: &ConditionSnapshot,
    name: &dyn Fn(&str) -> String,
) -> String {
    let joined = |of: &[ConditionSnapshot], word: &str, none: bool| {
        let parts: Vec<String> = of.iter().map(|of| condition(dialect, table, of, name)).collect();
        match parts.as_slice() {
            [] => format!("1 = {}", u8::from(none)),
            _ => format!("({})", parts.join(word)),
        }
    };
    match of {
        ConditionSnapshot::All(of) => joined(of, " AND ", true),
        ConditionSnapshot::Any(of) => joined(of, " OR ", false),
        ConditionSnapshot::Null(column) => format!("{} IS NULL", name(column)),
        ConditionSnapshot::Present(column) => format!("{} IS NOT NULL", name(column)),
        ConditionSnapshot::Compare(column, op, Operand::Column(other)) => {
            format!("{} {} {}", name(column), op.as_str(), name(other))
        }
        ConditionSnapshot::Compare(column, op, Operand::Value(json)) => {
            let of = table.columns.iter().find(|of| of.column == *column);
            let value = of.and_then(|of| Some(dialect.constant(&of.ty, &of.constant(json)?)));
            // A constant that cannot be read is equal to nothing.
            format!("{} {} {}", name(column), op.as_str(), value.as_deref().unwrap_or("NULL"))
        }
    }
}

/// The name of a join table's index.
pub(super) fn join_index_name(table: &str) -> String {
    bounded(&format!("{table}_to_idx"), "idx")
}

//! Migration steps as statements.
use mainstay_schema::{
    ColumnSnapshot, ColumnType, ForeignKeySnapshot, IndexSnapshot, JoinSnapshot, Scalar, Snapshot, Step, StepKind,
    TableSnapshot, UniqueSnapshot,
};

use crate::{
    StoreError,
    sql::{
        Dialect,
        quantify::{JOIN_FROM, JOIN_TO},
    },
};

/// A migration step as SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepSql {
    /// The position of the step in what was given.
    pub step: usize,
    /// Its statements, in order.
    pub statements: Vec<String>,
}

/// Migration steps as SQL, in their order. `becomes` is the snapshot that they lead to. Foreign keys must not be enforced
/// meanwhile where [`Dialect::rebuilds`] says so.
pub fn ddl(dialect: &dyn Dialect, steps: &[Step], becomes: &Snapshot) -> Result<Vec<StepSql>, StoreError> {
    let writer = Ddl { dialect, becomes };
    let render = |(step, of): (usize, &Step)| Ok(StepSql { step, statements: writer.step(&of.kind)? });
    steps.iter().enumerate().map(render).collect()
}

/// The table that remembers the snapshot last applied: at most one row.
pub fn bookkeeping(dialect: &dyn Dialect) -> String {
    let [table, id, _] = BOOKS.map(|name| dialect.quote(name));
    let text = dialect.column(BOOKS[2], &ColumnType::Scalar(Scalar::Json), true, &[]);
    format!(
        "CREATE TABLE IF NOT EXISTS {table} ({id} INTEGER NOT NULL PRIMARY KEY CHECK ({id} = 1), {text}){}",
        dialect.table_options()
    )
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
const KEY: &str = "id";

struct Ddl<'a> {
    dialect: &'a dyn Dialect,
    becomes: &'a Snapshot,
}

impl Ddl<'_> {
    fn step(&self, step: &StepKind) -> Result<Vec<String>, StoreError> {
        Ok(match step {
            StepKind::CreateTable { table } => {
                let mut statements = vec![self.create_table(table, &table.table)];
                statements.extend(self.indexes(table));
                statements
            }
            StepKind::CreateJoin { join } => self.create_join(join),
            StepKind::AddColumn { table, column, foreign_key } => {
                vec![self.add_column(table, column, foreign_key.as_ref())]
            }
            StepKind::AddEnumValues { tables, .. } => tables.iter().flat_map(|table| self.rebuild(table)).collect(),
            StepKind::CreateUnique { table, unique } => vec![self.unique(table, unique)],
            StepKind::CreateIndex { table, index } => vec![self.index(table, index)],
            StepKind::DropIndex { index, .. } => vec![format!("DROP INDEX {}", self.dialect.quote(&index.name))],
            StepKind::Unsupported { what } => return Err(StoreError::Plan(what.clone())),
        })
    }

    fn create_table(&self, table: &TableSnapshot, name: &str) -> String {
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

    fn column(&self, table: &TableSnapshot, column: &ColumnSnapshot) -> String {
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
            ColumnType::Enum(name) => self.becomes.enum_values(name),
            _ => &[],
        }
    }

    /// Never acts by itself: what a delete takes with it is done step by step; this is the net.
    fn references(&self, table: &str) -> String {
        format!("REFERENCES {} ({}) ON DELETE NO ACTION", self.dialect.quote(table), self.dialect.quote(KEY))
    }

    fn add_column(
        &self,
        table: &TableSnapshot,
        column: &ColumnSnapshot,
        foreign_key: Option<&ForeignKeySnapshot>,
    ) -> String {
        let mut text =
            format!("ALTER TABLE {} ADD COLUMN {}", self.dialect.quote(&table.table), self.column(table, column));
        if let Some(key) = foreign_key {
            text.push_str(&format!(" {}", self.references(&key.table)));
        }
        text
    }

    fn create_join(&self, join: &JoinSnapshot) -> Vec<String> {
        let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| self.dialect.quote(name));
        let (from_type, to_type) = (self.dialect.key_type(join.from_key), self.dialect.key_type(join.to_key));
        let table = self.dialect.quote(&join.table);
        let (from_table, to_table) = (self.references(&join.from_table), self.references(&join.to_table));
        vec![
            format!(
                "CREATE TABLE {table} (\n  {from} {from_type} NOT NULL {from_table},\n  {to} {to_type} NOT NULL \
                 {to_table},\n  PRIMARY KEY ({from}, {to})\n){}",
                self.dialect.join_table_options()
            ),
            format!("CREATE INDEX {} ON {table} ({to}, {from})", self.dialect.quote(&format!("{}_to_idx", join.table))),
        ]
    }

    fn indexes(&self, table: &TableSnapshot) -> Vec<String> {
        let uniques = table.uniques.iter().map(|unique| self.unique(&table.table, unique));
        uniques.chain(table.indexes.iter().map(|index| self.index(&table.table, index))).collect()
    }

    fn unique(&self, table: &str, unique: &UniqueSnapshot) -> String {
        let columns = self.quoted(&unique.columns);
        format!("CREATE UNIQUE INDEX {} ON {} ({columns})", self.dialect.quote(&unique.name), self.dialect.quote(table))
    }

    /// The key comes last, so that the index is in the order of pages.
    fn index(&self, table: &str, index: &IndexSnapshot) -> String {
        let mut columns = index.columns.clone();
        if !columns.iter().any(|column| column == KEY) {
            columns.push(KEY.to_owned());
        }
        let columns = self.quoted(&columns);
        format!("CREATE INDEX {} ON {} ({columns})", self.dialect.quote(&index.name), self.dialect.quote(table))
    }

    fn quoted(&self, names: &[String]) -> String {
        names.iter().map(|name| self.dialect.quote(name)).collect::<Vec<_>>().join(", ")
    }

    /// The table anew with its present checks, and its rows moved over.
    fn rebuild(&self, table: &TableSnapshot) -> Vec<String> {
        let other = format!("{}__new", table.table);
        let (old, new) = (self.dialect.quote(&table.table), self.dialect.quote(&other));
        let names: Vec<String> = table.columns.iter().map(|column| column.column.clone()).collect();
        let columns = self.quoted(&names);
        let mut statements = vec![
            self.create_table(table, &other),
            format!("INSERT INTO {new} ({columns}) SELECT {columns} FROM {old}"),
            format!("DROP TABLE {old}"),
            format!("ALTER TABLE {new} RENAME TO {old}"),
        ];
        statements.extend(self.indexes(table));
        statements
    }
}

//! What differs between engines: every text that is not plain SQL comes from here.
use mainstay_expr::{Arith, Function, Reduction, Type, Value};
use mainstay_plan::{Aggregate, TimePart};
use mainstay_schema::{ColumnType, KeyKind};

use crate::sql::{Decode, Encode};

/// How one engine writes things. Functions of null are null, and so are functions without an outcome (overflow, division by
/// zero): a rendered expression that is an error is null in SQL, never an error of the engine.
pub trait Dialect: Sync {
    /// A table or column name, quoted.
    fn quote(&self, name: &str) -> String;
    /// Placeholder `n`, counted from 1.
    fn placeholder(&self, n: usize) -> String;
    /// A placeholder, or NULL, in the stored form of a type.
    fn typed(&self, value: &str, ty: &Type) -> String;
    /// A truth value.
    fn boolean(&self, value: bool) -> &'static str;
    /// A condition: the boolean value is `want`.
    fn is_bool(&self, sql: &str, want: bool) -> String;
    /// A condition as a value that is 0 or 1, never null.
    fn verdict(&self, condition: &str) -> String;
    /// A condition: the other one is false or null.
    fn is_not_true(&self, condition: &str) -> String;
    /// A condition: both are equal or both are null.
    fn same(&self, a: &str, b: &str) -> String;
    /// A condition: they are not equal, where null is equal to null alone.
    fn differ(&self, a: &str, b: &str) -> String;

    /// Two values in forms that compare exactly.
    fn comparable(&self, a: (String, &Type), b: (String, &Type)) -> (String, String);

    /// An item of FROM with a row for each element of a list kept or bound as JSON.
    fn elements(&self, list: &str, alias: &str) -> String;
    /// The element of such a row, in the stored form of its type.
    fn element(&self, alias: &str, ty: &Type) -> String;
    /// Which place of the list such a row stands for, from 0.
    fn position(&self, alias: &str) -> String;
    /// How many elements a list has.
    fn list_size(&self, list: &str) -> String;
    /// The member of an embedded value, in the stored form of its type; null where it is JSON's null.
    fn member(&self, of: &str, name: &str, ty: &Type) -> String;

    /// A function on values; `None` where the engine cannot say it.
    fn call(&self, function: Function, args: &[(String, &Type)]) -> Option<String>;
    /// Arithmetic; `None` where the engine cannot say it.
    fn arith(&self, op: Arith, ty: &Type, a: (&str, &Type), b: (&str, &Type)) -> Option<String>;
    /// `-a`.
    fn negate(&self, ty: &Type, a: &str) -> Option<String>;

    /// A figure over the values of many rows, each written in this way; of none it is 0 for counts and sums, else null. What leaves
    /// the range of its type is an error of the statement ([`crate::StoreError::Overflow`]).
    fn aggregate(&self, aggregate: Aggregate, value: &str, form: (Encode, Decode)) -> String;
    /// The beginning of a moment's or a day's text.
    fn time_part(&self, value: &str, part: TimePart, ty: &Type) -> String;

    /// What conditions make of the values of many rows: null where one of them is null, where there is none to choose from, or
    /// where it leaves the range of its type; `None` where the engine cannot say it.
    fn reduce(&self, kind: Reduction, value: &str, ty: &Type) -> Option<String>;

    /// A part of ORDER BY, null smaller than everything.
    fn order(&self, by: &str, descending: bool, may_be_null: bool) -> String;
    /// A column as a value inside JSON.
    fn json_leaf(&self, column: &str, encode: Encode) -> String;
    /// A JSON object.
    fn json_object(&self, members: &[JsonMember<'_>]) -> String;
    /// A JSON object of a list at a level (from 0), counted, so that a statement ends that builds too much.
    fn json_counted(&self, object: &str, level: usize) -> String;
    /// The JSON array of an aggregate's rows, in their order.
    fn json_array(&self, item: &str) -> String;

    /// A value that an INSERT of a counted key that is given has to return, so that the table counts on from there; `None` where it
    /// does so by itself.
    fn counts_on(&self, table: &str, key: &str) -> Option<String>;
    /// What follows an INSERT so that rows that are already there do no harm.
    fn or_ignore(&self) -> &'static str;

    /// The type of a column, with its null and value checks, without a default.
    fn column(&self, name: &str, ty: &ColumnType, required: bool, enum_values: &[String]) -> String;
    /// The column of a table's own keys.
    fn key_column(&self, name: &str, key: KeyKind) -> String;
    /// The type of a column that holds keys of a table.
    fn key_type(&self, key: KeyKind) -> &'static str;
    /// A constant as SQL, for defaults.
    fn constant(&self, ty: &ColumnType, value: &Value) -> String;
    /// A column of an index, in the order in which records are sorted by it.
    fn index_column(&self, name: &str, may_be_null: bool) -> String;
    /// What stands behind the closing bracket of CREATE TABLE.
    fn table_options(&self) -> &'static str;
    /// What stands behind the closing bracket of CREATE TABLE of a join table.
    fn join_table_options(&self) -> &'static str;
    /// A table's name as no `WITH` can hide it.
    fn real_table(&self, name: &str) -> String;
    /// What stands between the name of a `WITH` and its query, so that it is computed where it is used.
    fn inlined(&self) -> &'static str;
    /// Lets a table's counted keys go on where those of another are; none where keys are not counted by the table.
    fn go_on_counting(&self, from: &str, to: &str) -> Vec<String>;
    /// The columns of a change's position, with their key.
    fn change_position(&self) -> String;
    /// What follows SELECT so that it gives the position of the last change, in two columns.
    fn change_end(&self, changes: &str) -> String;
    /// A statement that takes a place in the feed behind all who have read it to its end; `None` where a transaction has one anyway.
    fn change_of_nothing(&self) -> Option<String> {
        None
    }
    /// Whether some migration steps rebuild whole tables, so that foreign keys must not be enforced while they run.
    fn rebuilds(&self) -> bool;

    /// A value without a type of its own, as one of a column's type.
    fn stored(&self, sql: &str, _ty: &ColumnType) -> String {
        sql.to_owned()
    }
    /// Whether a statement that writes may stand inside of another one.
    fn nests_writes(&self) -> bool {
        false
    }
    /// A key as an item of [`Dialect::json_array`].
    fn json_key(&self, column: &str) -> String {
        column.to_owned()
    }
    /// A key column of a table of the server's own, whose numbers only grow.
    fn counted(&self, name: &str) -> String {
        format!("{} INTEGER NOT NULL PRIMARY KEY", self.quote(name))
    }
    /// The next number of such a column, where many write at once and none may read what the others write; `None` where there is one
    /// writer.
    fn next_number(&self, _table: &str, _column: &str) -> Option<String> {
        None
    }
}

/// A member of a JSON object.
pub struct JsonMember<'a> {
    /// Its name, as plain text.
    pub name: &'a str,
    /// A column, or another value.
    pub value: String,
    /// How it is written.
    pub encode: Encode,
    /// Whether it is one of the system's fields, which no schema makes optional: never null.
    pub is_system: bool,
}

/// A text in quotes.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The check of a column that holds one of some texts.
pub(crate) fn one_of(column: &str, texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| literal(text)).collect();
    format!(" CHECK ({column} IN ({}))", texts.join(", "))
}

//! What a statement in the making knows: its binds, its aliases, and the records in reach.
use mainstay_expr::{Expr, ITEM, NEW, OLD, RecordType, Symbol, THIS, Type, Value, VarId};
use mainstay_schema::{Collection, CollectionId, EmbeddedMember, Field, FieldId, Schema};

use crate::{
    StoreError,
    sql::{Bind, Dialect, Sql, test::Test},
};

/// What a bind is written between until the statement is finished. No text that reaches a statement holds it: names are letters
/// and digits, and U+0000 is refused wherever a value is read.
const MARK: char = '\0';

/// One statement in the making. Fragments may be put together in any order: placeholders carry their numbers.
#[derive(Clone)]
pub(crate) struct Writer<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) dialect: &'a dyn Dialect,
    binds: Vec<Bind>,
    aliases: usize,
    /// Lists around what is written now.
    pub(crate) lists: usize,
    /// Columns that keep JSON, inside of JSON that the statement builds.
    pub(crate) kept: usize,
}

/// A row in reach: what its columns are written with, and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) alias: String,
    pub(crate) collection: CollectionId,
    /// Fields that stand for something else than their columns.
    over: Vec<(FieldId, String)>,
}

impl Row {
    /// The same row with other values in some fields.
    pub(crate) fn with(&self, over: Vec<(FieldId, String)>) -> Row {
        Row { over, ..self.clone() }
    }

    /// The same row with another value in one more field.
    pub(crate) fn and(mut self, field: FieldId, value: String) -> Row {
        self.over.push((field, value));
        self
    }
}

/// A record that changes: as plain names see it, as it was, as it becomes.
pub(crate) struct Change<'r> {
    pub(crate) this: &'r Row,
    pub(crate) old: Row,
    pub(crate) new: Row,
}

/// What a variable stands for.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A record.
    Row(Row),
    /// An element of a list, in its stored form.
    Element(String),
}

/// The variables in reach.
#[derive(Clone, Debug, Default)]
pub(crate) struct Env {
    places: Vec<(VarId, Place)>,
}

impl Env {
    /// Only the record itself.
    pub(crate) fn of(row: &Row) -> Env {
        Env { places: vec![(THIS, Place::Row(row.clone()))] }
    }

    /// One variable more.
    pub(crate) fn with(&self, var: VarId, place: Place) -> Env {
        let mut env = self.clone();
        env.places.push((var, place));
        env
    }

    /// What a variable stands for.
    pub(crate) fn get(&self, var: VarId) -> Result<&Place, StoreError> {
        let found = self.places.iter().rev().find(|(other, _)| *other == var);
        found.map(|(_, place)| place).ok_or_else(|| defect(format!("variable {} is not in reach", var.0)))
    }
}

impl<'a> Writer<'a> {
    /// An empty statement.
    pub(crate) fn new(schema: &'a Schema, dialect: &'a dyn Dialect) -> Writer<'a> {
        Writer { schema, dialect, binds: Vec::new(), aliases: 0, lists: 0, kept: 0 }
    }

    /// The placeholder of a bind: a mark that [`Writer::finish`] replaces, since a fragment may yet be folded away.
    pub(crate) fn bind(&mut self, bind: Bind) -> String {
        let at = self.binds.iter().position(|other| *other == bind).unwrap_or_else(|| {
            self.binds.push(bind);
            self.binds.len() - 1
        });
        format!("{MARK}{at}{MARK}")
    }

    /// The placeholder of a bind, in the stored form of a type.
    pub(crate) fn bind_as(&mut self, bind: Bind, ty: &Type) -> String {
        let placeholder = self.bind(bind);
        self.dialect.typed(&placeholder, &self.stored_type(ty))
    }

    /// The placeholder of the key of the record that the step is about.
    pub(crate) fn bind_key(&mut self, collection: CollectionId) -> String {
        let ty = self.schema.collection(collection).key.ty();
        self.bind_as(Bind::Key, &ty)
    }

    /// The placeholder of what a field is set to.
    pub(crate) fn bind_field(&mut self, collection: CollectionId, field: FieldId, bind: Bind) -> String {
        let ty = self.field_type(collection, field);
        self.bind_as(bind, &ty)
    }

    /// The type of a field's column.
    pub(crate) fn field_type(&self, collection: CollectionId, field: FieldId) -> Type {
        let of = self.schema.collection(collection);
        match of.system.id == Some(field) {
            true => of.key.ty(),
            false => self.schema.field_type(&of.field(field).kind),
        }
    }

    /// No value, in the place of one of a type.
    pub(crate) fn no_value(&self, ty: &Type) -> String {
        self.dialect.typed("NULL", &self.stored_type(ty))
    }

    /// The placeholder of a constant; small ones are written out.
    pub(crate) fn literal(&mut self, value: &Value, ty: &Type) -> String {
        match value {
            Value::Null => self.no_value(ty),
            Value::Bool(value) => self.dialect.boolean(*value).to_owned(),
            Value::Int(value) if (0..=i64::from(i32::MAX)).contains(value) => value.to_string(),
            _ => self.bind_as(Bind::Literal(value.clone()), ty),
        }
    }

    /// A name of a table in this statement that no other has.
    pub(crate) fn alias(&mut self) -> String {
        let alias = format!("t{}", self.aliases);
        self.aliases += 1;
        alias
    }

    /// A new row of a collection.
    pub(crate) fn row(&mut self, collection: CollectionId) -> Row {
        Row { alias: self.alias(), collection, over: Vec::new() }
    }

    /// The row of a statement that writes: its columns are written with the table's own name.
    pub(crate) fn written_row(&self, collection: CollectionId) -> Row {
        Row { alias: self.table(collection), collection, over: Vec::new() }
    }

    /// The finished statement: its placeholders are numbered without gaps, and each of its binds is used.
    pub(crate) fn finish(self, marked: String) -> Sql {
        let mut parts: Vec<&str> = marked.split(MARK).collect();
        let mut number_of = vec![None; self.binds.len()];
        for part in parts.iter().skip(1).step_by(2) {
            if let Some(used) = part.parse::<usize>().ok().and_then(|at| number_of.get_mut(at)) {
                *used = Some(String::new());
            }
        }
        let mut binds = Vec::with_capacity(self.binds.len());
        for (bind, used) in self.binds.into_iter().zip(&mut number_of) {
            if let Some(placeholder) = used {
                binds.push(bind);
                *placeholder = self.dialect.placeholder(binds.len());
            }
        }
        for part in parts.iter_mut().skip(1).step_by(2) {
            let placeholder = part.parse::<usize>().ok().and_then(|at| number_of.get(at)?.as_deref());
            *part = placeholder.unwrap_or_default();
        }
        Sql { text: parts.concat(), binds }
    }

    /// A collection's table, quoted.
    pub(crate) fn table(&self, collection: CollectionId) -> String {
        self.dialect.quote(&self.schema.collection(collection).table)
    }

    /// `"skills" AS t0`.
    pub(crate) fn from(&self, row: &Row) -> String {
        format!("{} AS {}", self.table(row.collection), row.alias)
    }

    /// A field's column of a row.
    pub(crate) fn column(&self, row: &Row, field: FieldId) -> String {
        if let Some((_, sql)) = row.over.iter().find(|(over, _)| *over == field) {
            return sql.clone();
        }
        let field = self.collection(row).field(field);
        format!("{}.{}", row.alias, self.dialect.quote(&field.column))
    }

    /// A row's key.
    pub(crate) fn key(&self, row: &Row) -> String {
        format!("{}.{}", row.alias, self.key_name(row.collection))
    }

    /// The name of a collection's key column, quoted.
    pub(crate) fn key_name(&self, collection: CollectionId) -> String {
        let collection = self.schema.collection(collection);
        self.dialect.quote(collection.system.id.map_or("id", |id| &collection.field(id).column))
    }

    /// The collection of a row.
    pub(crate) fn collection(&self, row: &Row) -> &'a Collection {
        self.schema.collection(row.collection)
    }

    /// The field of a row that a symbol stands for.
    pub(crate) fn field(&self, row: &Row, symbol: Symbol) -> Result<&'a Field, StoreError> {
        let collection = self.collection(row);
        let field = collection.fields.get(symbol.0 as usize);
        field.ok_or_else(|| defect(format!("\"{}\" has no field {}", collection.name, symbol.0)))
    }

    /// The member of an embedded type that a symbol stands for.
    pub(crate) fn member(&self, of: RecordType, symbol: Symbol) -> Result<&'a EmbeddedMember, StoreError> {
        let embedded = self.schema.embedded_of(of);
        let member = embedded.and_then(|of| of.members.get(symbol.0 as usize));
        member.ok_or_else(|| defect(format!("embedded type {} has no member {}", of.0, symbol.0)))
    }

    /// The collection that a record type stands for.
    pub(crate) fn target(&self, of: RecordType) -> Result<CollectionId, StoreError> {
        let collection = self.schema.collection_of(of);
        collection.map(|of| of.id).ok_or_else(|| defect(format!("record type {} is no collection", of.0)))
    }

    /// A condition over a row.
    pub(crate) fn holds(&mut self, condition: &Expr, row: &Row) -> Result<Test, StoreError> {
        self.is_true(condition, &Env::of(row))
    }

    /// A condition over a row, where `old` and `new` stand for others.
    pub(crate) fn holds_of_change(&mut self, condition: &Expr, change: &Change<'_>) -> Result<Test, StoreError> {
        let env = Env::of(change.this).with(OLD, Place::Row(change.old.clone()));
        self.is_true(condition, &env.with(NEW, Place::Row(change.new.clone())))
    }

    /// A condition over a row and the other end of one of its links.
    pub(crate) fn holds_of_link(&mut self, condition: &Expr, this: &Row, item: &Row) -> Result<Test, StoreError> {
        self.is_true(condition, &Env::of(this).with(ITEM, Place::Row(item.clone())))
    }

    /// A condition over a row as a value that is 0 or 1.
    pub(crate) fn verdict(&mut self, condition: &Expr, row: &Row) -> Result<String, StoreError> {
        let test = self.holds(condition, row)?;
        Ok(self.verdict_of(test))
    }

    /// A test as a value that is 0 or 1.
    pub(crate) fn verdict_of(&self, test: Test) -> String {
        match test {
            Test::Always => "1".to_owned(),
            Test::Never => "0".to_owned(),
            Test::When(sql) => self.dialect.verdict(&sql),
        }
    }
}

/// A plan that cannot be written: somebody's defect, never the caller's.
pub(crate) fn defect(what: impl Into<String>) -> StoreError {
    StoreError::Plan(what.into())
}

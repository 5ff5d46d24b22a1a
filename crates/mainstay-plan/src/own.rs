//! A record's own stored fields as something that expressions can be evaluated over.
use mainstay_expr::{RecordType, Records, Symbol, Value};
use mainstay_schema::{Collection, FieldId, Schema};

/// One value per field of the collection, by [`FieldId`]; fields that are not stored are null.
#[derive(Clone, Debug)]
pub struct OwnFields<'a> {
    /// The collection.
    pub collection: &'a Collection,
    /// The values, as many as the collection has fields.
    pub values: &'a [Value],
}

impl OwnFields<'_> {
    /// The value of a field.
    pub fn value(&self, field: FieldId) -> &Value {
        self.values.get(field.0 as usize).unwrap_or(&Value::Null)
    }

    /// The record's key.
    pub fn key(&self) -> &Value {
        self.collection.system.id.map_or(&Value::Null, |id| self.value(id))
    }
}

/// The world of expressions that read nothing but a record's own fields: links lead nowhere.
#[derive(Clone, Copy, Debug)]
pub struct OwnRecords<'a> {
    /// The schema, for the members of embedded values.
    pub schema: &'a Schema,
}

impl<'a> Records for OwnRecords<'a> {
    type Row = OwnFields<'a>;

    fn field(&self, row: &OwnFields<'a>, symbol: Symbol) -> Value {
        row.value(FieldId::of(symbol)).clone()
    }

    fn key(&self, row: &OwnFields<'a>) -> Value {
        row.key().clone()
    }

    fn link(&self, _: &OwnFields<'a>, _: Symbol) -> Option<OwnFields<'a>> {
        None
    }

    fn links(&self, _: &OwnFields<'a>, _: Symbol) -> Vec<OwnFields<'a>> {
        Vec::new()
    }

    fn member(&self, of: &Value, record: RecordType, symbol: Symbol) -> Value {
        match record.0.checked_sub(mainstay_schema::EMBEDDED_BASE) {
            Some(id) => self.schema.member_value(mainstay_schema::EmbeddedId(id), of, symbol.0 as usize),
            None => Value::Null,
        }
    }
}

//! A record's own stored fields as something that expressions can be evaluated over.
use mainstay_schema::{Collection, FieldId};
use mainstay_expr::Value;

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
}

//! What hangs on a record over links: JSON that the database builds, in the same statement.
use mainstay_expr::Type;
use mainstay_plan::{Nested, Output, OutputValue};
use mainstay_schema::FieldId;

use crate::{
    StoreError,
    sql::{
        Encode, JsonMember, columns,
        query::{Selected, needs},
        test::Test,
        writer::{Row, Writer, defect},
    },
};

/// The most members of a record inside of another: half of the arguments that a function of SQLite takes, on every engine alike.
pub const OBJECT_MEMBERS_MAX: usize = 500;

impl Writer<'_> {
    /// What the statement builds, with how it is written.
    pub(crate) fn built(
        &mut self,
        build: impl FnOnce(&mut Self) -> Result<String, StoreError>,
    ) -> Result<(String, Encode), StoreError> {
        let before = self.kept;
        let sql = build(self)?;
        Ok((sql, Encode::Built(self.kept > before)))
    }

    /// The record at the other end of a to-one link, or null.
    pub(crate) fn nested_one(&mut self, nested: &Nested, parent: &Row) -> Result<String, StoreError> {
        let row = self.row(nested.target);
        let tie = Test::when(format!("{} = {}", self.key(&row), self.column(parent, nested.field)));
        let test = tie.and(self.holds(&nested.condition, &row)?);
        if test == Test::Never {
            return Ok(self.no_value(&Type::String));
        }
        let object = self.object(&nested.select, &row)?;
        Ok(format!("(SELECT {object} FROM {}{})", self.from(&row), test.filter(self.dialect)))
    }

    /// The records of a to-many link as an array.
    pub(crate) fn nested_many(&mut self, nested: &Nested, parent: &Row) -> Result<String, StoreError> {
        let row = self.linked_row(parent.collection, nested.field)?;
        let (tables, tie) = self.link_source(parent.collection, nested.field, &row, &self.key(parent))?;
        let filter = tie.and(self.holds(&nested.condition, &row)?).filter(self.dialect);
        if nested.order.is_empty() && nested.limit.is_none() {
            let array = self.array(nested, &row)?;
            return Ok(format!("(SELECT {array} FROM {tables}{filter})"));
        }
        let by = self.sort_keys(&nested.order, &row)?;
        let order = self.order_by(&by, &Selected::default());
        let limit = nested.limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
        let picked = self.picked(&nested.select, &row);
        // The objects are built from the rows that are left: ordering and limiting goes over plain columns.
        let left = self.row(nested.target);
        let array = self.array(nested, &left)?;
        Ok(format!("(SELECT {array} FROM (SELECT {picked} FROM {tables}{filter}{order}{limit}) AS {})", left.alias))
    }

    /// The rows of a list as an array. Lists that hold lists multiply, so their records are counted; the others pay nothing.
    fn array(&mut self, nested: &Nested, row: &Row) -> Result<String, StoreError> {
        let level = self.lists;
        self.lists += 1;
        let object = self.object(&nested.select, row);
        self.lists = level;
        let object = object?;
        Ok(match level > 0 || nested.select.iter().any(|output| holds_lists(&output.value)) {
            true => self.dialect.json_array(&self.dialect.json_counted(&object, level)),
            false => self.dialect.json_array(&object),
        })
    }

    /// The keys of the records of a to-many link as an array, in their order.
    pub(crate) fn nested_keys(&mut self, nested: &Nested, parent: &Row) -> Result<String, StoreError> {
        let row = self.linked_row(parent.collection, nested.field)?;
        let (tables, tie) = self.link_source(parent.collection, nested.field, &row, &self.key(parent))?;
        let filter = tie.and(self.holds(&nested.condition, &row)?).filter(self.dialect);
        let by = self.sort_keys(&nested.order, &row)?;
        let order = self.order_by(&by, &Selected::default());
        let id = self.collection(&row).system.id.ok_or_else(|| defect("these records have no key"))?;
        let left = self.row(nested.target);
        let array = self.dialect.json_array(&self.leaf(&left, id));
        let picked = self.column(&row, id);
        Ok(format!("(SELECT {array} FROM (SELECT {picked} FROM {tables}{filter}{order}) AS {})", left.alias))
    }

    /// The columns that the outputs are made from.
    fn picked(&self, select: &[Output], row: &Row) -> String {
        let key = self.collection(row).system.id;
        let mut fields: Vec<FieldId> = Vec::new();
        select.iter().for_each(|output| needs(&output.value, key, &mut fields));
        fields.sort_unstable();
        fields.dedup();
        let columns: Vec<String> = fields.into_iter().map(|field| self.column(row, field)).collect();
        if columns.is_empty() { "1".to_owned() } else { columns.join(", ") }
    }

    fn object(&mut self, select: &[Output], row: &Row) -> Result<String, StoreError> {
        if select.len() > OBJECT_MEMBERS_MAX {
            let most = OBJECT_MEMBERS_MAX;
            return Err(defect(format!("a nested record has {} members, at most {most} are written", select.len())));
        }
        let mut members = Vec::with_capacity(select.len());
        for output in select {
            // A subquery gives plain text: it is read as JSON again, or it would be a string inside of JSON.
            let (sql, encode) = self.output(&output.value, row)?;
            self.kept += usize::from(encode == Encode::Json);
            let is_system = match &output.value {
                OutputValue::Field(field) => self.collection(row).field(*field).system,
                _ => false,
            };
            members.push(JsonMember { name: &output.name, value: sql, encode, is_system });
        }
        Ok(self.dialect.json_object(&members))
    }

    fn leaf(&self, row: &Row, field: FieldId) -> String {
        let of = self.collection(row);
        let encode: Encode = columns::encode(self.schema, of, of.field(field));
        self.dialect.json_leaf(&self.column(row, field), encode)
    }
}

/// Whether a list of records stands in this value.
fn holds_lists(value: &OutputValue) -> bool {
    match value {
        OutputValue::Many(_) => true,
        OutputValue::One(nested) => nested.select.iter().any(|output| holds_lists(&output.value)),
        OutputValue::When(_, value) => holds_lists(value),
        OutputValue::Field(_) | OutputValue::Computed(..) | OutputValue::Keys(_) | OutputValue::Figure(_) => false,
    }
}

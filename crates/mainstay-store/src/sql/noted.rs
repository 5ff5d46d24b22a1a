//! Writes that note their change themselves: one statement where the engine lets a statement that writes stand inside of another. Its
//! parts have names that no table of a schema has.
use mainstay_expr::{Expr, Type};
use mainstay_plan::Create;
use mainstay_schema::{FieldId, Scalar};

use super::{
    OBJECT_MEMBERS_MAX,
    feed::{CHANGES, COLUMNS},
};
use crate::{
    StoreError,
    sql::{
        Bind, Encode, FedValues, Inserted, JsonMember, Sql, columns,
        query::Selected,
        writer::{Row, Writer},
    },
};

/// What was written, what was there before, and the change.
const NEW: &str = "mainstay_new";
const OLD: &str = "mainstay_old";
const NOTE: &str = "mainstay_note";

/// The columns of a change, in their order, that a statement fills in itself.
const RECORD: usize = 1;
const OP: usize = 2;
const VERSION: usize = 3;
const BEFORE: usize = 4;
const AFTER: usize = 5;

/// What the change says of an update: its number among the kinds.
const UPDATE: &str = "2";

/// What an update tells of its record.
pub(super) struct Changed<'a> {
    /// Finds the record.
    pub(super) find: &'a Expr,
    /// The fields that change.
    pub(super) fields: &'a [FieldId],
}

impl Writer<'_> {
    /// Whether all that the feed is told of a new record is known before it is written.
    pub(super) fn is_known(&self, plan: &Create, fed: &FedValues) -> bool {
        let of = self.schema.collection(plan.collection);
        let given = |field: FieldId| plan.columns.contains(&field);
        self.dialect.nests_writes()
            && fed.lists.is_empty()
            && of.system.id.is_some_and(given)
            && of.system.version.is_none_or(given)
    }

    /// An insert that notes its change, all of whose values are [`Bind::Fed`].
    pub(super) fn noting_insert(mut self, insert: &str, inserted: &Inserted) -> Sql {
        let values: Vec<String> = (0..COLUMNS.len()).map(|number| self.fed(number)).collect();
        let values = values.join(", ");
        let text = match inserted {
            Inserted::Given { .. } => format!("WITH {NOTE} AS ({} VALUES ({values})) {insert}", self.notes()),
            Inserted::Returned(_) => {
                let note = self.note(&values, NEW);
                format!("WITH {NEW} AS ({insert}), {NOTE} AS ({note}) SELECT * FROM {NEW}")
            }
        };
        self.finish(text)
    }

    /// An update that notes its change; `None` where a record cannot be put together in SQL as it is told. What was there before is
    /// of the statement's snapshot, and what is changed is that or nothing: in a weaker isolation it might be newer.
    pub(super) fn noting_update(
        mut self,
        row: &Row,
        changed: &Changed<'_>,
        (update, returned): (&str, &Selected),
    ) -> Result<Option<Sql>, StoreError> {
        let of = self.collection(row);
        let all: Vec<FieldId> = of.stored().map(|field| field.id).collect();
        let was = self.row(row.collection);
        let (Some(before), Some(after)) = (self.told(&was, changed.fields), self.told(row, &all)) else {
            return Ok(None);
        };
        let names: Vec<String> = (0..returned.len()).map(|at| format!("c{at}")).collect();
        let version = of.system.version.map_or("NULL".to_owned(), |version| self.column(row, version));
        let (old_key, new_key) = (self.key(&was), self.key(row));
        let filter = self.holds(changed.find, &was)?.filter(self.dialect);
        let old = format!("SELECT {old_key} AS k, {before} AS j FROM {}{filter}", self.from(&was));
        let new = format!("{update}, {new_key}, {version}, {after}");
        let values: Vec<String> = (0..COLUMNS.len())
            .map(|number| match number {
                RECORD => self.dialect.typed("n.k", &Type::String),
                OP => UPDATE.to_owned(),
                VERSION => "n.v".to_owned(),
                BEFORE => "o.j".to_owned(),
                AFTER => "n.j".to_owned(),
                _ => self.fed(number),
            })
            .collect();
        let note = self.note(&values.join(", "), &format!("{NEW} AS n JOIN {OLD} AS o ON o.k = n.k"));
        let listed = names.join(", ");
        let text = format!(
            "WITH {OLD} AS ({old}), {NEW} ({listed}, k, v, j) AS ({new}), {NOTE} AS ({note}) SELECT {listed} FROM {NEW}"
        );
        Ok(Some(self.finish(text)))
    }

    /// A value of the change.
    fn fed(&mut self, number: usize) -> String {
        let ty = if COLUMNS[number].1 == Scalar::Long { Type::Int } else { Type::String };
        self.bind_as(Bind::Fed(number as u16), &ty)
    }

    fn note(&self, values: &str, from: &str) -> String {
        format!("{} SELECT {values} FROM {from}", self.notes())
    }

    fn notes(&self) -> String {
        let names: Vec<String> = COLUMNS.iter().map(|(name, ..)| self.dialect.quote(name)).collect();
        format!("INSERT INTO {} ({})", self.dialect.quote(CHANGES), names.join(", "))
    }

    /// Fields of a record as a JSON object; `None` where one of them keeps JSON, which has another form in the database.
    fn told(&self, row: &Row, fields: &[FieldId]) -> Option<String> {
        let of = self.collection(row);
        if fields.len() > OBJECT_MEMBERS_MAX {
            return None;
        }
        let member = |field: &FieldId| {
            let field = of.field(*field);
            let encode = columns::encode(self.schema, of, field);
            let value = self.column(row, field.id);
            (encode != Encode::Json).then_some(JsonMember { name: &field.name, value, encode, is_system: field.system })
        };
        let members: Vec<JsonMember<'_>> = fields.iter().map(member).collect::<Option<_>>()?;
        Some(self.dialect.json_object(&members))
    }
}

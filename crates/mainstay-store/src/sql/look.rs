//! What is looked at before a write: the record with the verdicts of its rules, and what it is as far as that is told or answered.
use mainstay_expr::{Expr, reads_change};
use mainstay_plan::{Output, OutputValue, Update};
use mainstay_schema::{CollectionId, Field, FieldId, Schema};

use crate::{
    StoreError,
    sql::{
        Cell, Dialect, Encode, LookSql, columns, feed,
        query::Selected,
        write::OwnAnswer,
        writer::{Change, Row, Writer},
    },
};

/// What is looked for before a write.
pub(super) struct Look<'a> {
    pub(super) collection: CollectionId,
    pub(super) find: &'a Expr,
    pub(super) visible: &'a Expr,
    pub(super) before: &'a Expr,
    /// The update that `old` and `new` are of.
    pub(super) change: Option<&'a Update>,
    /// Whether checks need its fields.
    pub(super) fields: bool,
    /// The answer that the record gives as it becomes.
    pub(super) answer: Option<OwnAnswer<'a>>,
}

impl Look<'_> {
    /// Renders it.
    pub(super) fn render(&self, schema: &Schema, dialect: &dyn Dialect) -> Result<LookSql, StoreError> {
        let mut writer = Writer::new(schema, dialect);
        let row = writer.row(self.collection);
        let mut selected = Selected::default();
        let key = writer.key_cell(&row, &mut selected);
        let version = writer.version(&row, &mut selected);
        let fields = if self.fields { writer.fields(&row, &mut selected)? } else { Vec::new() };
        let image = writer.stored(&row, &mut selected, |field| self.wants(schema, field));
        let visible = writer.verdict_column(self.visible, &row, &mut selected)?;
        let before = match self.change.filter(|_| reads_change(self.before)) {
            None => writer.verdict_column(self.before, &row, &mut selected)?,
            Some(update) => {
                let new = becomes(&mut writer, update, &row)?;
                let test = writer.holds_of_change(self.before, &Change { this: &row, old: row.clone(), new })?;
                Some(selected.push(writer.verdict_of(test)))
            }
        };
        let answered = self.answered(&mut writer, &row, &mut selected)?;
        let filter = writer.holds(self.find, &row)?.filter(dialect);
        let text = format!("SELECT {} FROM {}{filter}", selected.list(), writer.from(&row));
        Ok(LookSql { sql: writer.finish(text), key, version, visible, before, fields, image, answered })
    }

    /// Whether a field is told to the change feed, or answered.
    fn wants(&self, schema: &Schema, field: FieldId) -> bool {
        let is_told = self.change.is_some() && feed::fed(schema.collection(self.collection)).is_some();
        let answers = |output: &Output| output.value == OutputValue::Field(field);
        is_told || self.answer.is_some_and(|own| own.select.iter().any(answers))
    }

    /// The verdict whether the record may be answered as it becomes.
    fn answered(
        &self,
        writer: &mut Writer<'_>,
        row: &Row,
        selected: &mut Selected,
    ) -> Result<Option<usize>, StoreError> {
        let visible = self.answer.and_then(|own| own.visible).filter(|visible| visible.as_bool() != Some(true));
        let (Some(visible), Some(change)) = (visible, self.change) else { return Ok(None) };
        let new = becomes(writer, change, row)?;
        writer.verdict_column(visible, &new, selected)
    }
}

/// The record as it becomes, with the version that it then has.
fn becomes(writer: &mut Writer<'_>, change: &Update, row: &Row) -> Result<Row, StoreError> {
    let new = writer.becoming(change, row)?;
    let Some(version) = writer.collection(row).system.version.filter(|_| change.counts()) else { return Ok(new) };
    let counted = format!("{} + 1", writer.column(row, version));
    Ok(new.and(version, counted))
}

impl Writer<'_> {
    /// Stored fields as they are told and answered.
    fn stored(
        &self,
        row: &Row,
        selected: &mut Selected,
        wants: impl Fn(FieldId) -> bool,
    ) -> Vec<(FieldId, usize, Encode)> {
        let of = self.collection(row);
        let cell = |field: &Field| {
            let column = selected.reuse(self.column(row, field.id));
            (field.id, column, columns::encode(self.schema, of, field))
        };
        of.stored().filter(|field| wants(field.id)).map(cell).collect()
    }

    fn fields(&self, row: &Row, selected: &mut Selected) -> Result<Vec<(FieldId, Cell)>, StoreError> {
        let of = self.collection(row);
        of.stored()
            .map(|field| {
                let decode = columns::decode(self.schema, of, field)?;
                Ok((field.id, Cell { column: selected.reuse(self.column(row, field.id)), decode }))
            })
            .collect()
    }
}

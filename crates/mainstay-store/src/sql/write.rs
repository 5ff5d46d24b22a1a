//! Creates, updates and what deletes look for.
use mainstay_expr::{Arith, Decimal, Expr, Type, Value, own_fields_only, reads_change};
use mainstay_plan::{Answer, Create, Delete, FieldRule, Load, Output, OutputValue, Update};
use mainstay_schema::{CollectionId, ColumnType, FieldId, FieldKind, KeyKind, Scalar, Schema};

use crate::{
    StoreError,
    sql::{
        Bind, Cell, CreateSql, DeleteSql, Dialect, FieldRuleSql, InsertSql, Inserted, ReadSql, Returning, Sql,
        UpdateSql, Updated, columns, compute, feed,
        links::{changes, links},
        look::Look,
        noted::Changed,
        query,
        query::Selected,
        test::Test,
        writer::{Change, Row, Writer, defect},
    },
};

/// Renders a create.
pub fn create(schema: &Schema, dialect: &dyn Dialect, plan: &Create) -> Result<CreateSql, StoreError> {
    let of = schema.collection(plan.collection);
    let mut writer = Writer::new(schema, dialect);
    let row = writer.written_row(plan.collection);
    let names: Vec<String> = plan.columns.iter().map(|field| dialect.quote(&of.field(*field).column)).collect();
    let mut values = Vec::with_capacity(names.len());
    for (number, field) in plan.columns.iter().enumerate() {
        let value = writer.bind_field(plan.collection, *field, columns::bind(of, *field, number as u16));
        let is_key = plan.key_is_given && of.system.id == Some(*field);
        values.push(if is_key { writer.read_before(plan.collection, &value) } else { value });
    }
    let written = match names.is_empty() {
        true => "DEFAULT VALUES".to_owned(),
        false => format!("({}) VALUES ({})", names.join(", "), values.join(", ")),
    };
    // Changes of links and rules come after the insert: only what neither touches is answered by it.
    let own = own_answer(&plan.answer).filter(|_| plan.changes.is_empty() || plan.answer == Answer::Key);
    let fed = feed::of_create(schema, dialect, plan)?;
    let insert = format!("INSERT INTO {} {written}", row.alias);
    let (text, inserted) = match writer.given(&row, plan, own) {
        Some(given) => (insert, given),
        None => {
            let mut selected = Selected::default();
            let own = own.unwrap_or(OwnAnswer { visible: None, select: &[] });
            let returning = writer.returning(&row, own, &mut selected)?;
            if let Some(counts_on) = writer.counts_on(&row, &plan.columns) {
                selected.push(counts_on);
            }
            (format!("{insert} RETURNING {}", selected.list()), Inserted::Returned(returning))
        }
    };
    let known = fed.as_ref().is_some_and(|fed| writer.is_known(plan, fed));
    Ok(CreateSql {
        noting: known.then(|| writer.clone().noting_insert(&text, &inserted)),
        links: links(schema, dialect, &plan.links)?,
        compute: compute::of_create(schema, dialect, plan)?,
        insert: writer.finish(text),
        inserted,
        changes: changes(schema, dialect, plan.collection, &plan.changes)?,
        after: after(schema, dialect, plan.collection, plan.after.as_ref())?,
        fields: field_rules(schema, dialect, plan.collection, &plan.fields)?,
        answer: if own.is_some() { None } else { answer(schema, dialect, plan.collection, &plan.answer)? },
        fed,
    })
}

/// Renders the insert of many records; its values are those of one record.
pub fn load(schema: &Schema, dialect: &dyn Dialect, plan: &Load) -> InsertSql {
    let of = schema.collection(plan.collection);
    let mut writer = Writer::new(schema, dialect);
    let names: Vec<String> = plan.columns.iter().map(|field| dialect.quote(&of.field(*field).column)).collect();
    let mut values = Vec::with_capacity(names.len());
    for (number, field) in plan.columns.iter().enumerate() {
        values.push(writer.bind_field(plan.collection, *field, columns::bind(of, *field, number as u16)));
    }
    let row = writer.written_row(plan.collection);
    let counts_on = writer.counts_on(&row, &plan.columns);
    let into = format!("{} ({})", row.alias, names.join(", "));
    let returning = counts_on.as_ref().map_or(String::new(), |sql| format!(" RETURNING {sql}"));
    let each = writer.finish(format!("INSERT INTO {into} VALUES ({}){returning}", values.join(", ")));
    InsertSql { each, into: counts_on.is_none().then_some(into) }
}

/// Renders an update.
pub fn update(schema: &Schema, dialect: &dyn Dialect, plan: &Update) -> Result<UpdateSql, StoreError> {
    let look = Look {
        collection: plan.collection,
        find: &plan.find,
        visible: &plan.visible,
        before: &plan.before,
        change: Some(plan),
        fields: !plan.checks.is_empty() || !plan.add.is_empty() || plan.after.as_ref().is_some_and(reads_change),
        answer: known_answer(plan),
    };
    let [fast, noting] = match dialect.nests_writes() {
        true => at_once(schema, dialect, plan)?,
        false => [None, None],
    };
    Ok(UpdateSql {
        fast,
        noting,
        look: look.render(schema, dialect)?,
        links: links(schema, dialect, &plan.links)?,
        compute: compute::of_update(schema, dialect, plan)?,
        update: update_by_key(schema, dialect, plan)?,
        changes: changes(schema, dialect, plan.collection, &plan.changes)?,
        after: after_change(schema, dialect, plan)?,
        fields: field_rules(schema, dialect, plan.collection, &plan.fields)?,
        answer: match look.answer {
            Some(own) => Updated::Known(feed::named(own.select)?),
            None => answer(schema, dialect, plan.collection, &plan.answer)?.map_or(Updated::Key, Updated::Read),
        },
        fed: feed::of_update(schema, dialect, plan)?,
    })
}

/// Renders a delete.
pub fn delete(schema: &Schema, dialect: &dyn Dialect, plan: &Delete) -> Result<DeleteSql, StoreError> {
    let look = Look {
        collection: plan.collection,
        find: &plan.find,
        visible: &plan.visible,
        before: &plan.before,
        change: None,
        fields: false,
        answer: None,
    };
    Ok(DeleteSql { look: look.render(schema, dialect)? })
}

/// The whole update as one statement, where nothing has to be asked before or after; and as one that notes its change itself.
fn at_once(schema: &Schema, dialect: &dyn Dialect, plan: &Update) -> Result<[Option<(Sql, Returning)>; 2], StoreError> {
    let alone = plan.checks.is_empty() && plan.links.is_empty() && plan.changes.is_empty() && plan.after.is_none();
    let alone = alone && plan.fields.is_empty() && plan.compute.is_empty();
    let Some(own) = own_answer(&plan.answer).filter(|_| alone && !plan.set.is_empty()) else { return Ok([None, None]) };
    let mut writer = Writer::new(schema, dialect);
    let row = writer.written_row(plan.collection);
    let set = writer.set(plan, &row)?;
    let mut test = Test::Always;
    for (field, number) in plan.set.iter().filter(|(field, _)| plan.add.contains(field)) {
        let by = writer.bind_field(plan.collection, *field, Bind::Value(*number));
        test = test.and(writer.sum(&row, *field, &by)?.1);
    }
    for condition in [&plan.find, &plan.visible] {
        test = test.and(writer.holds(condition, &row)?);
    }
    // Nothing that the rule reads changes, else it would have to be asked once more afterwards.
    let change = Change { this: &row, old: row.clone(), new: row.clone() };
    test = test.and(writer.holds_of_change(&plan.before, &change)?);
    if let (Some(version), Some(field)) = (plan.version, schema.collection(plan.collection).system.version) {
        let version = writer.bind_as(Bind::Value(version), &Type::Int);
        test = test.and(Test::when(format!("{} = {version}", writer.column(&row, field))));
    }
    let mut selected = Selected::default();
    let returning = writer.returning(&row, own, &mut selected)?;
    let text = format!("UPDATE {} SET {set}{} RETURNING {}", row.alias, test.filter(dialect), selected.list());
    let noting = match feed::fed(schema.collection(plan.collection)) {
        Some(_) => {
            let fields = feed::changed(schema, plan);
            let changed = Changed { find: &plan.find, fields: &fields };
            writer.clone().noting_update(&row, &changed, (&text, &selected))?
        }
        None => None,
    };
    Ok([Some((writer.finish(text), returning.clone())), noting.map(|sql| (sql, returning))])
}

fn update_by_key(schema: &Schema, dialect: &dyn Dialect, plan: &Update) -> Result<Option<Sql>, StoreError> {
    let mut writer = Writer::new(schema, dialect);
    let row = writer.written_row(plan.collection);
    let set = writer.set(plan, &row)?;
    if set.is_empty() {
        return Ok(None);
    }
    let key = writer.bind_key(plan.collection);
    let text = format!("UPDATE {} SET {set} WHERE {} = {key}", row.alias, writer.key(&row));
    Ok(Some(writer.finish(text)))
}

/// What an answer is when the written row alone gives it: its read rule and outputs.
#[derive(Clone, Copy)]
pub(super) struct OwnAnswer<'a> {
    pub(super) visible: Option<&'a Expr>,
    pub(super) select: &'a [Output],
}

fn own_answer(answer: &Answer) -> Option<OwnAnswer<'_>> {
    match answer {
        Answer::Key => Some(OwnAnswer { visible: None, select: &[] }),
        Answer::Record { visible, select } => {
            let own = |output: &Output| matches!(output.value, OutputValue::Field(_));
            let own = select.iter().all(own) && own_fields_only(visible) && !select.is_empty();
            own.then_some(OwnAnswer { visible: Some(visible), select })
        }
    }
}

/// What an update answers where what was looked at gives it: nothing in it changes but what is set.
fn known_answer(plan: &Update) -> Option<OwnAnswer<'_>> {
    own_answer(&plan.answer).filter(|own| own.visible.is_some() && plan.changes.is_empty() && plan.compute.is_empty())
}

impl Writer<'_> {
    /// What follows RETURNING.
    fn returning(&mut self, row: &Row, own: OwnAnswer<'_>, selected: &mut Selected) -> Result<Returning, StoreError> {
        let columns = self.select(own.select, row, selected)?;
        let key = self.key_cell(row, selected);
        let version = self.version(row, selected);
        let visible = match own.visible {
            Some(visible) => self.verdict_column(visible, row, selected)?,
            None => None,
        };
        Ok(Returning { key, version, visible, columns, image: None })
    }

    /// A key, looked for before it is taken. Where many write at once, one that had it may have ended since this transaction began:
    /// an insert alone does not notice, and would be told in front of that end. Having read it, one of both is run again.
    fn read_before(&mut self, collection: CollectionId, key: &str) -> String {
        if !self.dialect.nests_writes() {
            return key.to_owned();
        }
        let of = self.schema.collection(collection);
        let (row, ty) = (self.row(collection), self.dialect.key_type(of.key));
        let found = format!("SELECT NULL::{ty} FROM {} WHERE {} = {key}", self.from(&row), self.key(&row));
        format!("coalesce(({found}), {key})")
    }

    /// Key and version of a new record out of its values, where they are there and nothing else is asked.
    fn given(&self, row: &Row, plan: &Create, own: Option<OwnAnswer<'_>>) -> Option<Inserted> {
        let system = &self.collection(row).system;
        let place = |field: FieldId| plan.columns.iter().position(|written| *written == field);
        let version = match system.version {
            Some(version) => Some(place(version)?),
            None => None,
        };
        let is_enough = own.is_none_or(|own| own.select.is_empty()) && self.counts_on(row, &plan.columns).is_none();
        Some(Inserted::Given { key: place(system.id?)?, version }).filter(|_| is_enough)
    }

    /// What an insert returns beside, where it gives a counted key.
    fn counts_on(&self, row: &Row, columns: &[FieldId]) -> Option<String> {
        let of = self.collection(row);
        let gives = of.key == KeyKind::Int && of.system.id.is_some_and(|id| columns.contains(&id));
        if gives { self.dialect.counts_on(&of.table, &self.key(row)) } else { None }
    }

    /// The whole record, for the change feed.
    pub(super) fn returning_whole(&self, row: &Row, selected: &mut Selected) -> Returning {
        let image = Some(self.image(row, selected));
        let key = self.key_cell(row, selected);
        let version = self.version(row, selected);
        Returning { key, version, visible: None, columns: Vec::new(), image }
    }

    pub(super) fn key_cell(&self, row: &Row, selected: &mut Selected) -> Cell {
        let decode = columns::decode_key(self.collection(row).key);
        Cell { column: selected.reuse(self.key(row)), decode }
    }

    /// The column of a verdict; `None` where it always holds.
    pub(super) fn verdict_column(
        &mut self,
        condition: &Expr,
        row: &Row,
        selected: &mut Selected,
    ) -> Result<Option<usize>, StoreError> {
        if condition.as_bool() == Some(true) {
            return Ok(None);
        }
        let verdict = self.verdict(condition, row)?;
        Ok(Some(selected.push(verdict)))
    }

    /// The assignments of an update, the version counted up.
    fn set(&mut self, plan: &Update, row: &Row) -> Result<String, StoreError> {
        let of = self.schema.collection(plan.collection);
        let mut set = Vec::with_capacity(plan.set.len() + 1);
        for (field, value) in self.becomes(plan, row)? {
            set.push(format!("{} = {value}", self.dialect.quote(&of.field(field).column)));
        }
        if plan.counts() {
            set.extend(self.counted_up(plan.collection));
        }
        Ok(set.join(", "))
    }

    /// What a number becomes by an addition; null, and not within its range, where it goes past it.
    fn sum(&self, row: &Row, field: FieldId, by: &str) -> Result<(String, Test), StoreError> {
        let of = self.collection(row).field(field);
        let (column, ty) = (self.column(row, field), self.schema.field_type(&of.kind));
        let sum = self.dialect.arith(Arith::Add, &ty, (&column, &ty), (by, &ty));
        let sum = sum.ok_or_else(|| defect("only numbers are added to"))?;
        let fits = match &of.kind {
            FieldKind::Scalar(Scalar::Int) => format!("{sum} BETWEEN {} AND {}", i32::MIN, i32::MAX),
            FieldKind::Scalar(scalar @ Scalar::Decimal { precision, scale }) => {
                let end = |units| {
                    let end = Value::Decimal(Decimal { units, scale: *scale });
                    self.dialect.constant(&ColumnType::Scalar(*scalar), &end)
                };
                let most = 10_i64.saturating_pow(u32::from(*precision)) - 1;
                format!("{sum} BETWEEN {} AND {}", end(-most), end(most))
            }
            _ => format!("{sum} IS NOT NULL"),
        };
        Ok((sum, Test::when(fits)))
    }

    /// The fields that an update sets, each with its new value.
    pub(super) fn becomes(&mut self, plan: &Update, row: &Row) -> Result<Vec<(FieldId, String)>, StoreError> {
        let of = self.schema.collection(plan.collection);
        let mut values = Vec::with_capacity(plan.set.len());
        for (field, number) in &plan.set {
            let value = self.bind_field(plan.collection, *field, columns::bind(of, *field, *number));
            values.push((*field, if plan.add.contains(field) { self.sum(row, *field, &value)?.0 } else { value }));
        }
        Ok(values)
    }

    /// `version = version + 1`, where there is one.
    pub(crate) fn counted_up(&self, collection: CollectionId) -> Option<String> {
        let of = self.schema.collection(collection);
        let version = self.dialect.quote(&of.field(of.system.version?).column);
        Some(format!("{version} = {version} + 1"))
    }
}

/// Asks whether a rule holds of the record that was written.
fn after(
    schema: &Schema,
    dialect: &dyn Dialect,
    collection: CollectionId,
    rule: Option<&Expr>,
) -> Result<Option<Sql>, StoreError> {
    let Some(rule) = rule else { return Ok(None) };
    let mut writer = Writer::new(schema, dialect);
    let row = writer.row(collection);
    let verdict = writer.verdict(rule, &row)?;
    let key = writer.bind_key(collection);
    let text = format!("SELECT {verdict} FROM {} WHERE {} = {key}", writer.from(&row), writer.key(&row));
    Ok(Some(writer.finish(text)))
}

/// The same of an update: `old` is what the changed fields were.
fn after_change(schema: &Schema, dialect: &dyn Dialect, plan: &Update) -> Result<Option<Sql>, StoreError> {
    let Some(rule) = plan.after.as_ref().filter(|rule| reads_change(rule)) else {
        return after(schema, dialect, plan.collection, plan.after.as_ref());
    };
    let mut writer = Writer::new(schema, dialect);
    let row = writer.row(plan.collection);
    let version = schema.collection(plan.collection).system.version;
    let changed = plan.set.iter().map(|(field, _)| *field).chain(version);
    let old = changed.map(|field| (field, writer.bind_field(plan.collection, field, Bind::Old(field)))).collect();
    let change = Change { this: &row, old: row.with(old), new: row.clone() };
    let test = writer.holds_of_change(rule, &change)?;
    let (verdict, key) = (writer.verdict_of(test), writer.bind_key(plan.collection));
    let text = format!("SELECT {verdict} FROM {} WHERE {} = {key}", writer.from(&row), writer.key(&row));
    Ok(Some(writer.finish(text)))
}

/// Asks whether the rules of the fields that are sent hold of the record.
fn field_rules(
    schema: &Schema,
    dialect: &dyn Dialect,
    collection: CollectionId,
    rules: &[FieldRule],
) -> Result<Vec<FieldRuleSql>, StoreError> {
    let asked = rules.iter().filter_map(|FieldRule { field, reads, rule }| {
        let sql = after(schema, dialect, collection, Some(rule)).transpose()?;
        Some(sql.map(|sql| FieldRuleSql { field: *field, reads: *reads, sql }))
    });
    asked.collect()
}

/// Reads the record that was written, where it may be read.
fn answer(
    schema: &Schema,
    dialect: &dyn Dialect,
    collection: CollectionId,
    answer: &Answer,
) -> Result<Option<ReadSql>, StoreError> {
    let Answer::Record { visible, select } = answer else { return Ok(None) };
    query::by_key(schema, dialect, collection, visible, select).map(Some)
}

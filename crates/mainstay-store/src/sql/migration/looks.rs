//! Looks as reads: how many records are found, and the first of them.
use mainstay_expr::{Function, Type};
use mainstay_schema::{ColumnType, FieldId, Look, LookKind, Scalar};

use super::{
    Call, InspectionSql, LOOK_RECORDS_MAX,
    calls::Asked,
    projection::{OLD, Projection, ROW},
};
use crate::{
    StoreError,
    sql::{
        Encode,
        columns::encode_column,
        ddl::{KEY, condition},
        quantify::{JOIN_FROM, JOIN_TO},
        writer::{Writer, defect},
    },
};

/// A read of what is found: where from, under which condition, what is shown and in which order.
struct Found {
    with: String,
    from: String,
    condition: String,
    shown: Vec<(String, String, Encode)>,
    /// Before the key.
    order: Vec<String>,
    key: String,
}

impl Projection<'_> {
    pub(super) fn look(&mut self, look: Look) -> Result<InspectionSql, StoreError> {
        let new = &self.migration.to.tables[look.table];
        let key = encode_column(&ColumnType::Key(new.key));
        match look.kind {
            LookKind::Unconverted(column) | LookKind::Several(column) => {
                let found = self.in_old(look.table, column, matches!(look.kind, LookKind::Several(_)))?;
                Ok(found.read(look, key, &Writer::new(self.schema, self.dialect)))
            }
            LookKind::MissingEnds(join) => {
                let found = self.in_join(join)?;
                Ok(found.read(look, key, &Writer::new(self.schema, self.dialect)))
            }
            _ => self.in_new(look, key),
        }
    }

    /// Values that are looked at as they are stored.
    fn in_old(&mut self, at: usize, column: usize, several: bool) -> Result<Found, StoreError> {
        let (new, change) = (&self.migration.to.tables[at].columns[column], &self.migration.tables[at]);
        let old = change.old.as_deref().ok_or_else(|| defect("a new table holds nothing"))?;
        let source = &change.columns[column];
        let stored = self.stored(source).ok_or_else(|| defect("a new column holds nothing"))?;
        let key = format!("{OLD}.{}", self.quote(KEY));
        let (condition, shown, encode) = match &source.source {
            mainstay_schema::ColumnSource::Join(join) if several => {
                let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| self.quote(name));
                let of = format!("FROM {} AS j WHERE j.{from} = {key}", self.old_table(join));
                let list = self.dialect.json_array(&self.dialect.json_key(&format!("j.{to}")));
                (format!("(SELECT count(*) {of}) > 1"), format!("(SELECT {list} {of})"), Encode::Built(false))
            }
            _ => {
                let converted = self.converted(at, column).unwrap_or_default();
                let ty = self.type_of(at, column).unwrap_or(ColumnType::Scalar(Scalar::String));
                (format!("{stored} IS NOT NULL AND {converted} IS NULL"), stored, encode_column(&ty))
            }
        };
        Ok(Found {
            with: String::new(),
            from: format!("{} AS {OLD}", self.old_table(old)),
            condition,
            shown: vec![(new.field.clone(), shown, encode)],
            order: Vec::new(),
            key,
        })
    }

    /// Links of a join table to records that are not there.
    fn in_join(&mut self, at: usize) -> Result<Found, StoreError> {
        let join = &self.migration.to.joins[at];
        let rows = self.join_rows(at).ok_or_else(|| defect("a new join table holds nothing"))?;
        let [from, to] = [JOIN_FROM, JOIN_TO].map(|name| format!("{OLD}.{}", self.quote(name)));
        let encode = encode_column(&ColumnType::Key(join.to_key));
        Ok(Found {
            with: String::new(),
            from: format!("({rows}) AS {OLD}"),
            condition: self.is_missing(&join.to_table, &to),
            shown: vec![(join.field.clone(), to, encode)],
            order: Vec::new(),
            key: from,
        })
    }

    fn is_missing(&self, table: &str, key: &str) -> String {
        match self.migration.source_of(table) {
            None => format!("{key} IS NOT NULL"),
            Some(old) => {
                let (old, id) = (self.old_table(old), self.quote(KEY));
                format!("{key} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {old} AS o WHERE o.{id} = {key})")
            }
        }
    }

    /// Records as they become.
    fn in_new(&mut self, look: Look, key: Encode) -> Result<InspectionSql, StoreError> {
        let new = &self.migration.to.tables[look.table];
        let rows = self.rows(look.table)?;
        let aliased: Vec<String> = (rows.columns.iter().zip(&new.columns))
            .map(|(value, column)| format!("{value} AS {}", self.quote(&column.column)))
            .collect();
        // Twice, so that what is filled can be named like any other column.
        let from = format!("(SELECT {} FROM {}) AS {ROW}", aliased.join(", "), rows.from);
        let dialect = self.dialect;
        let column = |at: usize| format!("{ROW}.{}", dialect.quote(&new.columns[at].column));
        let mut order = Vec::new();
        let (condition, shown) = match &look.kind {
            LookKind::Null(at) => (format!("{} IS NULL", column(*at)), vec![*at]),
            LookKind::TooLong(at, most) => {
                let size = self.dialect.call(Function::Size, &[(column(*at), &Type::String)]).unwrap_or_default();
                (format!("{size} > {most}"), vec![*at])
            }
            LookKind::Missing(at) => {
                let link = new.foreign_keys.iter().find(|link| link.column == new.columns[*at].column);
                let table = link.map_or("", |link| link.table.as_str());
                (self.is_missing(table, &column(*at)), vec![*at])
            }
            LookKind::Duplicate(at) => {
                let names = &new.uniques[*at].columns;
                let positions: Vec<usize> =
                    (0..new.columns.len()).filter(|at| names.contains(&new.columns[*at].column)).collect();
                order = positions.iter().map(|at| column(*at)).collect();
                let all = order.join(", ");
                let mut present =
                    order.iter().map(|name| format!("{name} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
                let named = |column: &str| format!("{ROW}.{}", dialect.quote(column));
                let among = new.uniques[*at].condition.as_ref();
                let among = among.map(|of| condition(dialect, new, of, &named)).unwrap_or_default();
                if !among.is_empty() {
                    present.push_str(&format!(" AND {among}"));
                }
                let same = format!("SELECT {all} FROM {from} WHERE {present} GROUP BY {all} HAVING count(*) > 1");
                let among = if among.is_empty() { among } else { format!(" AND {among}") };
                (format!("({all}) IN ({same}){among}"), positions)
            }
            LookKind::Check(at) => self.check(look.table, *at, (&rows.with, &from), &rows.writer)?,
            _ => return Err(defect("this is looked for in the old tables")),
        };
        let value = |at: usize| (new.columns[at].field.clone(), column(at), encode_column(&new.columns[at].ty));
        let shown: Vec<_> = shown.into_iter().map(value).collect();
        let key_column = format!("{ROW}.{}", self.quote(KEY));
        let found = Found { with: rows.with, from, condition, shown, order, key: key_column };
        Ok(found.read(look, key, &rows.writer))
    }

    /// The records that break a check, with the fields that it reads.
    fn check(
        &mut self,
        table: usize,
        check: usize,
        (with, from): (&str, &str),
        writer: &Writer<'_>,
    ) -> Result<(String, Vec<usize>), StoreError> {
        let new = &self.migration.to.tables[table];
        let of = self.schema.by_name.get(&new.collection).map(|id| self.schema.collection(*id));
        let of = of.ok_or_else(|| defect("a check of no collection"))?;
        let reads: Vec<FieldId> = of.checks.get(check).map(|check| check.reads.clone()).unwrap_or_default();
        let given = super::with_key(of, reads.clone());
        let asked = Asked {
            key: format!("{ROW}.{}", self.quote(KEY)),
            kind: new.key,
            arguments: self.arguments(of, &given),
            with: with.to_owned(),
            from: from.to_owned(),
            outcome: ColumnType::Scalar(Scalar::Boolean),
        };
        let call = self.call(Call::Check { collection: of.id, check, reads: given }, asked, Some(writer));
        let names: Vec<&str> = reads.iter().map(|id| of.field(*id).column.as_str()).collect();
        let shown = (0..new.columns.len()).filter(|at| names.contains(&new.columns[*at].column.as_str())).collect();
        Ok((self.dialect.is_bool(&call, false), shown))
    }

    fn type_of(&self, table: usize, column: usize) -> Option<ColumnType> {
        let change = &self.migration.tables[table];
        match &change.columns[column].source {
            mainstay_schema::ColumnSource::New => None,
            mainstay_schema::ColumnSource::Column(name) => {
                let old = self.migration.from.table(change.old.as_deref()?)?;
                old.columns.iter().find(|column| column.column == *name).map(|column| column.ty.clone())
            }
            mainstay_schema::ColumnSource::Join(name) => {
                let join = self.migration.from.joins.iter().find(|join| join.table == *name)?;
                Some(ColumnType::Key(join.to_key))
            }
        }
    }
}

impl Found {
    fn read(self, look: Look, key: Encode, writer: &Writer<'_>) -> InspectionSql {
        let Found { with, from, condition, shown, order, key: key_column } = self;
        let columns: Vec<String> =
            std::iter::once(key_column.clone()).chain(shown.iter().map(|(_, sql, _)| sql.clone())).collect();
        let order: Vec<String> = order.into_iter().chain([key_column]).collect();
        let records = format!(
            "{with}SELECT {} FROM {from} WHERE {condition} ORDER BY {} LIMIT {LOOK_RECORDS_MAX}",
            columns.join(", "),
            order.join(", ")
        );
        let count = format!("{with}SELECT count(*) FROM {from} WHERE {condition}");
        InspectionSql {
            look,
            count: writer.clone().finish(count),
            records: writer.clone().finish(records),
            key,
            columns: shown.into_iter().map(|(name, _, encode)| (name, encode)).collect(),
        }
    }
}

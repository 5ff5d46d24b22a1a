//! What a delete takes with it: links that point at a collection, and join tables.
use mainstay_expr::Type;
use mainstay_schema::{Collection, Field, FieldId, FieldKind, OnDelete, Schema};

use crate::{
    StoreError,
    sql::{
        Bind, Cascade, Clear, Dialect, FedDelete, FedLinks, FedList, Image, Incoming, Sql, Unlink, columns, feed,
        quantify::{JOIN_FROM, JOIN_TO},
        query::Selected,
        writer::{Row, Writer},
    },
};

/// What deleting records takes with it, for each collection by its id.
pub fn cascades(schema: &Schema, dialect: &dyn Dialect) -> Result<Vec<Cascade>, StoreError> {
    schema.collections.iter().map(|of| Target { schema, dialect, of }.cascade()).collect()
}

/// The collection whose records are deleted.
struct Target<'a> {
    schema: &'a Schema,
    dialect: &'a dyn Dialect,
    of: &'a Collection,
}

impl Target<'_> {
    fn cascade(&self) -> Result<Cascade, StoreError> {
        let mut incoming = Vec::new();
        let mut unlink = Vec::new();
        for from in &self.schema.collections {
            for field in &from.fields {
                match &field.kind {
                    FieldKind::ToOne { target, on_delete } if *target == self.of.id => {
                        incoming.push(self.incoming(from, field, *on_delete));
                    }
                    FieldKind::Many { target, table } => {
                        if *target == self.of.id {
                            let count_up = self.count_up_listing(from, field, table)?;
                            unlink.push(Unlink { count_up, delete: self.delete_join_rows(table, JOIN_TO) });
                        }
                        if from.id == self.of.id {
                            unlink.push(Unlink { count_up: None, delete: self.delete_join_rows(table, JOIN_FROM) });
                        }
                    }
                    _ => {}
                }
            }
        }
        let key = columns::decode_key(self.of.key);
        let (delete, fed) = self.delete();
        Ok(Cascade { collection: self.of.id, key, incoming, unlink, delete, fed })
    }

    fn incoming(&self, from: &Collection, field: &Field, on_delete: OnDelete) -> Incoming {
        let mut writer = self.writer();
        let row = writer.row(from.id);
        let column = writer.column(&row, field.id);
        let among = self.among(&mut writer, &column);
        let (key, rows) = (writer.key(&row), writer.from(&row));
        let limit = writer.bind_as(Bind::Limit(0), &Type::Int);
        let find = format!("SELECT {key} FROM {rows} WHERE {among} LIMIT {limit}");
        let clear = if field.required { None } else { Some(self.clear(from, field)) };
        Incoming { from: from.id, field: field.id, on_delete, find: writer.finish(find), clear }
    }

    /// Makes a link null, and counts up version and time of change.
    fn clear(&self, from: &Collection, field: &Field) -> Clear {
        let mut writer = self.writer();
        let row = writer.written_row(from.id);
        let quote = |field: &Field| self.dialect.quote(&field.column);
        let mut set = vec![format!("{} = NULL", quote(field))];
        if let Some(updated_at) = from.system.updated_at {
            let now = writer.bind_as(Bind::Now, &Type::Timestamp);
            set.push(format!("{} = {now}", quote(from.field(updated_at))));
        }
        set.extend(writer.counted_up(from.id));
        let column = writer.column(&row, field.id);
        let among = self.among(&mut writer, &column);
        let (back, fed) = self.told(from, None, |writer, row| {
            let column = writer.column(row, field.id);
            let changed = [Some(field.id), from.system.updated_at, from.system.version];
            (changed.into_iter().flatten().collect(), self.among(writer, &column))
        });
        let text = format!("UPDATE {} SET {} WHERE {among}{back}", row.alias, set.join(", "));
        Clear { sql: writer.finish(text), fed }
    }

    /// What follows a statement that cuts links, so that the change feed can be told. `found` gives the fields that change, and
    /// which rows.
    fn told(
        &self,
        from: &Collection,
        list: Option<FedList>,
        found: impl FnOnce(&mut Writer<'_>, &Row) -> (Vec<FieldId>, String),
    ) -> (String, Option<FedLinks>) {
        let Some(collection) = feed::fed(from) else { return (String::new(), None) };
        let mut writer = self.writer();
        let row = writer.row(from.id);
        let (changed, among) = found(&mut writer, &row);
        let mut selected = Selected::default();
        selected.push(writer.key(&row));
        let columns = writer.whole(&row, &changed, &mut selected);
        let text = format!("SELECT {} FROM {} WHERE {among}", selected.list(), writer.from(&row));
        let before = (writer.finish(text), Image { first: 1, columns });
        let (writer, mut selected) = (self.writer(), Selected::default());
        let returning = writer.returning_whole(&writer.written_row(from.id), &mut selected);
        (format!(" RETURNING {}", selected.list()), Some(FedLinks { collection, before, returning, list }))
    }

    /// Counts up the versions of the records that list one of the keys.
    fn count_up_listing(
        &self,
        from: &Collection,
        field: &Field,
        table: &str,
    ) -> Result<Option<(Sql, Option<FedLinks>)>, StoreError> {
        let mut writer = self.writer();
        let Some(set) = writer.counted_up(from.id) else { return Ok(None) };
        let row = writer.written_row(from.id);
        let among = self.among(&mut writer, &self.dialect.quote(JOIN_TO));
        let (table, list) = (self.dialect.quote(table), self.dialect.quote(JOIN_FROM));
        let key = writer.key(&row);
        let fed_list = feed::list(self.schema, self.dialect, from.id, field.id)?;
        let (back, fed) = self.told(from, Some(fed_list), |writer, row| {
            let among = self.among(writer, &self.dialect.quote(JOIN_TO));
            let key = writer.key(row);
            (from.system.version.into_iter().collect(), format!("{key} IN (SELECT {list} FROM {table} WHERE {among})"))
        });
        let text =
            format!("UPDATE {} SET {set} WHERE {key} IN (SELECT {list} FROM {table} WHERE {among}){back}", row.alias);
        Ok(Some((writer.finish(text), fed)))
    }

    fn delete_join_rows(&self, table: &str, column: &str) -> Sql {
        let mut writer = self.writer();
        let among = self.among(&mut writer, &self.dialect.quote(column));
        writer.finish(format!("DELETE FROM {} WHERE {among}", self.dialect.quote(table)))
    }

    fn delete(&self) -> (Sql, Option<FedDelete>) {
        let mut writer = self.writer();
        let row = writer.written_row(self.of.id);
        let key = writer.key(&row);
        let among = self.among(&mut writer, &key);
        let mut selected = Selected::default();
        let fed = feed::fed(self.of)
            .map(|collection| FedDelete { collection, returning: writer.returning_whole(&row, &mut selected) });
        let back = if fed.is_some() { format!(" RETURNING {}", selected.list()) } else { String::new() };
        (writer.finish(format!("DELETE FROM {} WHERE {among}{back}", row.alias)), fed)
    }

    /// Whether a column holds one of the keys.
    fn among(&self, writer: &mut Writer<'_>, column: &str) -> String {
        let list = writer.bind_as(Bind::Keys, &Type::List(Box::new(self.of.key.ty())));
        let alias = writer.alias();
        let rows = self.dialect.elements(&list, &alias);
        let key = self.dialect.element(&alias, &self.of.key.ty());
        format!("{column} IN (SELECT {key} FROM {rows})")
    }

    fn writer(&self) -> Writer<'_> {
        Writer::new(self.schema, self.dialect)
    }
}

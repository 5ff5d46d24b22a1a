//! What a delete takes with it: links that point at a collection, and join tables.
use mainstay_expr::Type;
use mainstay_schema::{Collection, Field, FieldKind, OnDelete, Schema};

use crate::{
    StoreError,
    sql::{
        Bind, Cascade, Dialect, Incoming, Sql, columns,
        quantify::{JOIN_FROM, JOIN_TO},
        writer::Writer,
    },
};

/// What deleting records takes with it, for each collection by its id.
pub fn cascades(schema: &Schema, dialect: &dyn Dialect) -> Result<Vec<Cascade>, StoreError> {
    Ok(schema.collections.iter().map(|of| Target { schema, dialect, of }.cascade()).collect())
}

/// The collection whose records are deleted.
struct Target<'a> {
    schema: &'a Schema,
    dialect: &'a dyn Dialect,
    of: &'a Collection,
}

impl Target<'_> {
    fn cascade(&self) -> Cascade {
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
                            unlink.extend(self.count_up_listing(from, table));
                            unlink.push(self.delete_join_rows(table, JOIN_TO));
                        }
                        if from.id == self.of.id {
                            unlink.push(self.delete_join_rows(table, JOIN_FROM));
                        }
                    }
                    _ => {}
                }
            }
        }
        let key = columns::decode_key(self.of.key);
        Cascade { collection: self.of.id, key, incoming, unlink, delete: self.delete() }
    }

    fn incoming(&self, from: &Collection, field: &Field, on_delete: OnDelete) -> Incoming {
        let mut writer = self.writer();
        let row = writer.row(from.id);
        let column = writer.column(&row, field.id);
        let among = self.among(&mut writer, &column);
        let find = format!("SELECT {} FROM {} WHERE {among}", writer.key(&row), writer.from(&row));
        let clear = if field.required { None } else { Some(self.clear(from, field)) };
        Incoming { from: from.id, field: field.id, on_delete, find: writer.finish(find), clear }
    }

    /// Makes a link null, and counts up version and time of change.
    fn clear(&self, from: &Collection, field: &Field) -> Sql {
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
        writer.finish(format!("UPDATE {} SET {} WHERE {among}", row.alias, set.join(", ")))
    }

    /// Counts up the versions of the records that list one of the keys.
    fn count_up_listing(&self, from: &Collection, table: &str) -> Option<Sql> {
        let mut writer = self.writer();
        let set = writer.counted_up(from.id)?;
        let row = writer.written_row(from.id);
        let among = self.among(&mut writer, &self.dialect.quote(JOIN_TO));
        let (table, list) = (self.dialect.quote(table), self.dialect.quote(JOIN_FROM));
        let key = writer.key(&row);
        let text = format!("UPDATE {} SET {set} WHERE {key} IN (SELECT {list} FROM {table} WHERE {among})", row.alias);
        Some(writer.finish(text))
    }

    fn delete_join_rows(&self, table: &str, column: &str) -> Sql {
        let mut writer = self.writer();
        let among = self.among(&mut writer, &self.dialect.quote(column));
        writer.finish(format!("DELETE FROM {} WHERE {among}", self.dialect.quote(table)))
    }

    fn delete(&self) -> Sql {
        let mut writer = self.writer();
        let row = writer.written_row(self.of.id);
        let key = writer.key(&row);
        let among = self.among(&mut writer, &key);
        writer.finish(format!("DELETE FROM {} WHERE {among}", row.alias))
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

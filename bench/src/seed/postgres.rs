//! Into a PostgreSQL database, through COPY in its binary form.
use std::{
    error::Error,
    pin::pin,
    time::{Duration, UNIX_EPOCH},
};

use bytes::BytesMut;
use tokio_postgres::{
    binary_copy::BinaryCopyInWriter,
    types::{IsNull, ToSql, Type, to_sql_checked},
};

use super::{Cell, Table};
use crate::{Outcome, postgres::Database};

pub(super) async fn copy(database: &Database, tables: Vec<Table>) -> Outcome<()> {
    let client = database.client();
    for table in tables {
        let (name, columns) = (table.name, table.columns());
        let kept = client.prepare(&format!("SELECT {columns} FROM {name}")).await?;
        let types: Vec<Type> = kept.columns().iter().map(|column| column.type_().clone()).collect();
        let sink = client.copy_in(&format!("COPY {name} ({columns}) FROM STDIN (FORMAT binary)")).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
        for row in table.rows {
            let row: Vec<&(dyn ToSql + Sync)> = row.iter().map(|cell| cell as _).collect();
            writer.as_mut().write(&row).await?;
        }
        writer.finish().await?;
    }
    // What a database that has run for a while has behind it.
    client.batch_execute("VACUUM ANALYZE").await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}

impl ToSql for Cell {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Cell::Id(id) if *ty == Type::UUID => id.to_sql(ty, out),
            Cell::Id(id) => id.to_string().to_sql(ty, out),
            Cell::Moment(micros) => (UNIX_EPOCH + Duration::from_micros(*micros)).to_sql(ty, out),
            Cell::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Cell::Int(number) => number.to_sql(ty, out),
            Cell::Text(text) => text.to_sql(ty, out),
        }
    }

    /// Whether a column takes the bytes, the server says.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

//! The records that are in the way.
use mainstay_schema::Migration;
use serde_json::{Map, Value as Json};
use tokio_postgres::{GenericClient, Row};

use super::{Failure, as_dyn};
use crate::{
    Offence, Offender,
    exec::{Inputs, Row as _},
    migrate::shortened,
    postgres::bind::params,
    sql::{Column, Encode, InPlaceSql, InspectionSql, Sql},
};

/// Looks for records that do not obey what becomes; what looks need must have been computed.
pub(super) async fn offences(
    client: &impl GenericClient,
    migration: &Migration,
    rendered: &InPlaceSql,
) -> Result<Vec<Offence>, Failure> {
    let mut offences = Vec::new();
    for look in &rendered.looks {
        let rows = rows(client, &look.records).await?;
        if rows.is_empty() {
            continue;
        }
        let count: i64 = rows_first(client, &look.count).await?;
        offences.push(Offence {
            what: look.look.what.clone(),
            hint: look.look.hint.clone(),
            collection: migration.to.tables[look.look.table].collection.clone(),
            count: u64::try_from(count).unwrap_or(0),
            records: rows.iter().map(|row| offender(row, look)).collect(),
        });
    }
    Ok(offences)
}

async fn rows(client: &impl GenericClient, sql: &Sql) -> Result<Vec<Row>, Failure> {
    let params = params(sql, &Inputs::of(&[]));
    Ok(client.query(&sql.text, &as_dyn(&params)).await?)
}

async fn rows_first(client: &impl GenericClient, sql: &Sql) -> Result<i64, Failure> {
    let rows = rows(client, sql).await?;
    Ok(rows.first().map_or(Ok(0), |row| row.try_get(0))?)
}

fn offender(row: &Row, look: &InspectionSql) -> Offender {
    let all = std::iter::once(look.key).chain(look.columns.iter().map(|(_, encode)| *encode));
    let columns: Vec<Column> = all.enumerate().map(|(at, encode)| column(at, encode)).collect();
    let mut json = Vec::new();
    let written = row.write(&columns, &mut json).ok();
    let shown = written.and_then(|()| serde_json::from_slice::<Map<String, Json>>(&json).ok()).unwrap_or_default();
    let value = |at: usize| shortened(shown.get(&at.to_string()).cloned().unwrap_or_default());
    let fields = look.columns.iter().enumerate().map(|(at, (field, _))| (field.clone(), value(at + 1)));
    Offender { id: value(0), values: fields.collect() }
}

fn column(at: usize, encode: Encode) -> Column {
    let start = if at == 0 { '{' } else { ',' };
    Column { prefix: format!("{start}\"{at}\":").into_bytes(), encode }
}

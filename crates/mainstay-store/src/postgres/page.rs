//! Carries out reads on one connection.
use tokio_postgres::Row as DatabaseRow;

use super::connection::{Connection, Stopped};
use crate::{
    Page, StoreError,
    exec::{Failure, Inputs, Row},
    sql::{ReadSql, Sql},
};

/// What a snapshot is that several statements share.
pub(super) const SNAPSHOT: &str = "REPEATABLE READ, READ ONLY";

/// Reads a page, and the count in the same snapshot where it is asked for. The records are appended to `into`, which becomes the
/// page's; on an error it keeps what was written so far.
pub(super) async fn read(
    connection: &mut Connection,
    read: &ReadSql,
    inputs: &Inputs<'_>,
    into: &mut Vec<u8>,
    (bytes_max, in_transaction): (usize, bool),
) -> Result<Page, Stopped> {
    let Some(count) = &read.count else { return page(connection, read, inputs, into, bytes_max).await };
    if in_transaction {
        let page = page(connection, read, inputs, into, bytes_max).await?;
        return counted(connection, count, inputs, page).await;
    }
    if connection.can_pipeline() {
        return both(connection, (read, count), inputs, into, bytes_max).await;
    }
    connection.begin(SNAPSHOT);
    let outcome = match page(connection, read, inputs, into, bytes_max).await {
        Ok(page) => counted(connection, count, inputs, page).await,
        Err(error) => Err(error),
    };
    let ended = connection.end("ROLLBACK").await;
    let page = outcome?;
    ended?;
    Ok(page)
}

async fn counted(connection: &mut Connection, count: &Sql, inputs: &Inputs<'_>, page: Page) -> Result<Page, Stopped> {
    let mut number = 0;
    let mut take = |row: &DatabaseRow| {
        number = row.int(0)?.unwrap_or_default();
        Ok(false)
    };
    connection.rows(count, inputs, &mut take).await?;
    Ok(Page { count: u64::try_from(number).ok(), ..page })
}

async fn both(
    connection: &mut Connection,
    (read, count): (&ReadSql, &Sql),
    inputs: &Inputs<'_>,
    into: &mut Vec<u8>,
    bytes_max: usize,
) -> Result<Page, Stopped> {
    let (mut page, mut number) = (Page::default(), 0);
    let mut taken = taker(&mut page, read, inputs, into, bytes_max);
    let mut counted = |row: &DatabaseRow| {
        number = row.int(0)?.unwrap_or_default();
        Ok(true)
    };
    connection.rows_of_both(SNAPSHOT, inputs, [(&read.page, &mut taken), (count, &mut counted)]).await?;
    drop(taken);
    Ok(Page { count: u64::try_from(number).ok(), ..page.finished(into) })
}

async fn page(
    connection: &mut Connection,
    read: &ReadSql,
    inputs: &Inputs<'_>,
    into: &mut Vec<u8>,
    bytes_max: usize,
) -> Result<Page, Stopped> {
    let mut page = Page::default();
    let mut taken = taker(&mut page, read, inputs, into, bytes_max);
    connection.rows(&read.page, inputs, &mut taken).await?;
    drop(taken);
    Ok(page.finished(into))
}

/// Takes the rows of a page, and sees whether there is one more.
fn taker<'a>(
    page: &'a mut Page,
    read: &'a ReadSql,
    inputs: &Inputs<'_>,
    into: &'a mut Vec<u8>,
    bytes_max: usize,
) -> impl FnMut(&DatabaseRow) -> Result<bool, Failure> + Send + use<'a> {
    let limit = inputs.rows_max(read.limit);
    move |row| {
        if page.rows == limit {
            page.more = true;
            return Ok(false);
        }
        append(page, into, read, row, limit)?;
        if into.len() > bytes_max { Err(StoreError::AnswerTooLarge.into()) } else { Ok(true) }
    }
}

/// Appends a row to the page.
fn append(page: &mut Page, into: &mut Vec<u8>, read: &ReadSql, row: &DatabaseRow, limit: usize) -> Result<(), Failure> {
    if page.rows > 0 {
        into.push(b',');
    }
    row.write(&read.columns, into)?;
    page.rows += 1;
    if let Some(column) = read.version {
        page.version = row.int(column)?;
    }
    if page.rows == limit {
        page.last = read.keys.iter().map(|key| row.value(*key)).collect::<Result<_, _>>()?;
    }
    Ok(())
}

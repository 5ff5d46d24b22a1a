//! Opens connections to the database file, and refuses a file that is none of ours.
use std::{
    fs::File,
    io::Read,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use rusqlite::{Connection, Error, ErrorCode, OpenFlags, OptionalExtension, config::DbConfig, limits::Limit};

use super::{SqliteDialect, deadline::Deadline, functions, migrate, nested::Nested, nodes};
use crate::{
    OpenError, Settings,
    moving::UNFINISHED,
    sql::{make_feed, make_nodes, make_once, widen_nodes},
};

/// What every SQLite database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// How long a statement waits for a lock that another connection holds, which is only ever a moment.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// The page cache of a connection of a move.
const MOVING_CACHE_KIB: u32 = 64 * 1024;
/// Pages in the write-ahead log at which a move copies it into its target.
const MOVING_WAL_PAGES_MAX: u32 = 16_000;

/// A connection with its deadline.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) connection: Connection,
    pub(super) deadline: Deadline,
    pub(super) nested: Arc<Nested>,
}

/// Opens the connection that writes, and makes the database where there is none.
pub(super) fn open_writer(settings: &Settings, closing: Arc<AtomicBool>) -> Result<Watched, OpenError> {
    let path = settings.file();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| refused(path, &format!("its folder cannot be made: {error}")))?;
    }
    check_magic(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| explain(path, &error))?;
    let nested = prepare(&connection, settings, settings.sqlite.cache_kib)
        .and_then(|nested| make_durable(&connection, settings).map(|()| nested))
        .map_err(|error| explain(path, &error))?;
    if migrate::is_newer(&connection).map_err(|error| explain(path, &error))? {
        return Err(refused(path, "it was written by a newer Mainstay; use that version or a later one"));
    }
    check_whole(&connection, settings)?;
    for tables in [make_once(&SqliteDialect), make_nodes(&SqliteDialect)].into_iter().chain(make_feed(&SqliteDialect)) {
        connection.execute_batch(&tables).map_err(|error| explain(path, &error))?;
    }
    widen(&connection).map_err(|error| explain(path, &error))?;
    let deadline = Deadline::watch(&mut connection, closing).map_err(|error| explain(path, &error))?;
    Ok(Watched { connection, deadline, nested })
}

/// Adds to a table of nodes that an earlier version has made.
fn widen(connection: &Connection) -> rusqlite::Result<()> {
    let (table, column, add) = widen_nodes(&SqliteDialect);
    if nodes::has_column(connection, table, column)? {
        return Ok(());
    }
    connection.execute_batch(&add.join(";"))
}

/// Whether there is a database to be read.
pub(super) fn check_readable(settings: &Settings) -> Result<(), OpenError> {
    let path = settings.file();
    if !path.is_file() {
        return Err(refused(path, "there is no such file"));
    }
    // Through SQLite alone: where this very process has the database open, closing another handle would drop its locks.
    let reader =
        open_reader(settings, settings.sqlite.cache_kib, Arc::default()).map_err(|error| explain(path, &error))?;
    look(&reader.connection).map_err(|error| explain(path, &error))?;
    check_whole(&reader.connection, settings)
}

/// Fails on a database that a move has not filled to its end.
fn check_whole(connection: &Connection, settings: &Settings) -> Result<(), OpenError> {
    let path = settings.file();
    let unfinished = || {
        let is_there = "SELECT 1 FROM sqlite_schema WHERE name = 'mainstay_move'";
        if settings.moving || connection.query_row(is_there, [], |_| Ok(())).optional()?.is_none() {
            return Ok(false);
        }
        connection.query_row("SELECT count(*) > 0 FROM mainstay_move WHERE name = 'into'", [], |row| row.get(0))
    };
    if unfinished().map_err(|error| explain(path, &error))? { Err(refused(path, UNFINISHED)) } else { Ok(()) }
}

/// Opens a connection that only reads.
pub(super) fn open_reader(settings: &Settings, cache_kib: u32, closing: Arc<AtomicBool>) -> rusqlite::Result<Watched> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open_with(settings, flags, cache_kib, closing)
}

/// Opens a connection to a database that is there.
pub(super) fn open_with(
    settings: &Settings,
    flags: OpenFlags,
    cache_kib: u32,
    closing: Arc<AtomicBool>,
) -> rusqlite::Result<Watched> {
    let mut connection = Connection::open_with_flags(settings.file(), flags)?;
    let nested = prepare(&connection, settings, cache_kib)?;
    // Links inside links multiply: without a bound one request takes all memory.
    let answer_bytes_max = i32::try_from(settings.answer_bytes_max).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, answer_bytes_max)?;
    let deadline = Deadline::watch(&mut connection, closing)?;
    Ok(Watched { connection, deadline, nested })
}

/// Opens a connection of a move: beside whoever has the database open, and without its limits.
pub(super) fn open_side(settings: &Settings) -> Result<Connection, OpenError> {
    let path = settings.file();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        prepare(&connection, settings, MOVING_CACHE_KIB)?;
        // Rows come in whatever order; what they refer to is looked at in the end.
        connection.pragma_update(None, "foreign_keys", false)?;
        sync_as_set(&connection, settings)?;
        connection.pragma_update(None, "wal_autocheckpoint", MOVING_WAL_PAGES_MAX)?;
        Ok(connection)
    };
    open().map_err(|error| explain(path, &error))
}

/// Opens the connection that brings the write-ahead log into the database.
pub(super) fn open_checkpointer(settings: &Settings) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(settings.file(), flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "cache_size", 16)?;
    sync_as_set(&connection, settings)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

fn prepare(connection: &Connection, settings: &Settings, cache_kib: u32) -> rusqlite::Result<Arc<Nested>> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Else SQLite (built with STAT4) plans a cached statement anew whenever a bound value changes: a third of a page's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(settings.statements_max);
    functions::register(connection)?;
    Nested::register(connection, settings)
}

fn make_durable(connection: &Connection, settings: &Settings) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    sync_as_set(connection, settings)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    look(connection)
}

/// Reads the first page and the list of tables: a file that is no database shows here.
pub(super) fn look(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).map(|_| ())
}

/// Has the commits of a connection wait for the disk as the settings say.
pub(super) fn sync_as_set(connection: &Connection, settings: &Settings) -> rusqlite::Result<()> {
    let synchronous = match (settings.durable, settings.sqlite.commits_synced) {
        (true, true) => "FULL",
        (true, false) => "NORMAL",
        (false, _) => "OFF",
    };
    connection.pragma_update(None, "synchronous", synchronous)
}

fn check_magic(path: &Path) -> Result<(), OpenError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(path, &format!("the file cannot be read: {error}"))),
    };
    let mut start = Vec::with_capacity(MAGIC.len());
    let read = Read::by_ref(&mut file).take(MAGIC.len() as u64).read_to_end(&mut start);
    match read {
        Err(error) => Err(refused(path, &format!("the file cannot be read: {error}"))),
        Ok(0) => Ok(()),
        Ok(_) if start == MAGIC => Ok(()),
        Ok(_) => Err(refused(path, "the file is not a database; move it away, or name another file")),
    }
}

fn explain(path: &Path, error: &Error) -> OpenError {
    let reason = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "the file is not a database; move it away, or name another file".to_owned(),
        Some(ErrorCode::DatabaseCorrupt) => {
            "it is damaged; bring back a backup, or save what can be read with the shell of SQLite (\".recover\")"
                .to_owned()
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            format!("this user may not write the file or its folder ({error})")
        }
        Some(ErrorCode::DiskFull) => "no room is left on the disk".to_owned(),
        _ => error.to_string(),
    };
    refused(path, &reason)
}

fn refused(path: &Path, reason: &str) -> OpenError {
    OpenError { message: format!("the database \"{}\" cannot be opened: {reason}", path.display()) }
}

//! Opening the file: its mode, its settings, its schema.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::{Error, Result};

/// The migrations in their order: the place in the list, from 1, is the version.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_documents.sql"),
    include_str!("../../migrations/sqlite/0002_notes.sql"),
];

/// Marks the file as ours (`PRAGMA application_id`): "vstb".
const APPLICATION: i32 = 0x7673_7462;

/// How long a connection waits for another process's commit.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes the folder and the file where they are missing, for their owner alone. (SQLite gives its
/// side files the mode of the file.) A folder that is there already is left as it is: it may be
/// shared on purpose.
pub(super) fn make_private(path: &Path) -> Result<()> {
    let make = || -> io::Result<()> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o600))
    };
    make().map_err(|error| Error::unavailable(format_args!("{}: {error}", path.display())))
}

pub(super) fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "cell_size_check", "ON")?;
    Ok(connection)
}

/// Brings the schema up to date, in one transaction; of several processes that start together, one
/// does it.
pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let application: i32 = transaction.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: u32 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (application != 0 || tables != 0) {
        return Err(Error::Corrupt("the file is another program's database".into()));
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY) STRICT",
    )?;
    let last: usize =
        transaction.query_row("SELECT coalesce(max(version), 0) FROM migration", [], |row| {
            row.get::<_, u32>(0).map(|version| version as usize)
        })?;
    if last > MIGRATIONS.len() {
        return Err(Error::unavailable(format_args!(
            "the database has schema {last}, and this vestibule knows no later one than {}",
            MIGRATIONS.len()
        )));
    }
    for (version, migration) in (1_u32..).zip(MIGRATIONS).skip(last) {
        transaction.execute_batch(migration)?;
        transaction.execute("INSERT INTO migration VALUES (?1)", [version])?;
    }
    Ok(transaction.commit()?)
}

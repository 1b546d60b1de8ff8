//! The store in one SQLite file, which other processes of the same host may share.
//!
//! One thread writes, two read, each with its own connection; a fourth looks whether another
//! process has committed. The write-ahead log lets readers go on while a commit is made, and a
//! commit is acknowledged once it is on the disk (`synchronous=FULL`).
//!
//! What can go wrong: a full disk or a lock that another process holds too long answer
//! [`Error::Unavailable`] and leave nothing half-written; SQLite's finding of damage answers
//! [`Error::Corrupt`].

mod commit;
mod read;
mod schema;
mod thread;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection, ErrorCode, ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use tokio::sync::watch;

use crate::{
    Changes, Commit, Document, DocumentId, Error, EventId, Kind, Note, Reply, Result, Revision,
    Snapshot, Store, StoredReceipt,
    sqlite::thread::{Watcher, Workers},
};

/// How often another process's commits are looked for.
const POLL: Duration = Duration::from_millis(100);

/// How many connections read.
const READERS: usize = 2;

/// A [`Store`] in one SQLite file. Dropping it waits for what was begun and closes the file.
pub struct SqliteStore {
    newest: watch::Sender<Revision>,
    writer: Workers,
    readers: Workers,
    _watcher: Watcher,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens the file, making it (mode 0600) and its folder (mode 0700) where they are missing, and
    /// brings its schema up to date. Blocks the thread.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the file cannot be opened, is locked, or was written by a newer
    /// vestibule; [`Error::Corrupt`] if it is not a database.
    pub fn open(path: &Path) -> Result<Self> {
        schema::make_private(path)?;
        let mut writing = schema::connect(path)?;
        schema::migrate(&mut writing)?;
        let newest = watch::Sender::new(read::revision(&writing)?);

        let reading = (0..READERS).map(|_| schema::connect(path)).collect::<Result<Vec<_>>>()?;
        let watching = schema::connect(path)?;
        Ok(Self {
            writer: Workers::start("store-write", vec![writing])?,
            readers: Workers::start("store-read", reading)?,
            _watcher: Watcher::start(watching, newest.clone(), POLL)?,
            newest,
            path: path.to_owned(),
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Reply<'_, T> {
        self.readers.ask(move |connection| {
            // One read transaction, so that the parts of an answer belong to one revision.
            let transaction = connection.transaction()?;
            question(&transaction)
        })
    }
}

impl Store for SqliteStore {
    fn revision(&self) -> Reply<'_, Revision> {
        self.read(read::revision)
    }

    fn load<'a>(&'a self, kinds: &'a [Kind]) -> Reply<'a, Snapshot> {
        let kinds = kinds.to_vec();
        self.read(move |connection| read::load(connection, &kinds))
    }

    fn changes_since(&self, since: Revision) -> Reply<'_, Changes> {
        self.read(move |connection| read::changes_since(connection, since))
    }

    fn get<'a>(&'a self, kind: &'a Kind, id: &'a DocumentId) -> Reply<'a, Option<Document>> {
        let (kind, id) = (kind.clone(), id.clone());
        self.read(move |connection| read::get(connection, &kind, &id))
    }

    fn find<'a>(
        &'a self,
        kind: &'a Kind,
        term: &'a str,
        value: &'a str,
    ) -> Reply<'a, Vec<Document>> {
        let (kind, term, value) = (kind.clone(), term.to_owned(), value.to_owned());
        self.read(move |connection| read::find(connection, &kind, &term, &value))
    }

    fn commit(&self, mut commit: Commit) -> Reply<'_, Revision> {
        if let Err(error) = commit.normalize() {
            return Box::pin(std::future::ready(Err(error)));
        }
        let newest = self.newest.clone();
        self.writer.ask(move |connection| {
            let revision = commit::make(connection, &commit)?;
            // Here and not in the waiting future: who stops waiting does not keep the news back.
            thread::announce(&newest, revision);
            Ok(revision)
        })
    }

    fn undelivered_receipts(&self, limit: usize) -> Reply<'_, Vec<StoredReceipt>> {
        self.read(move |connection| read::receipts(connection, limit))
    }

    fn mark_delivered<'a>(&'a self, events: &'a [EventId]) -> Reply<'a, ()> {
        let events = events.to_vec();
        self.writer.ask(move |connection| commit::mark_delivered(connection, &events))
    }

    fn keep_notes<'a>(&'a self, notes: &'a [Note]) -> Reply<'a, ()> {
        if let Err(error) = Note::check(notes) {
            return Box::pin(std::future::ready(Err(error)));
        }
        let notes = notes.to_vec();
        self.writer.ask(move |connection| commit::keep_notes(connection, &notes))
    }

    fn notes<'a>(&'a self, kind: &'a Kind) -> Reply<'a, Vec<Note>> {
        let kind = kind.clone();
        self.read(move |connection| read::notes(connection, &kind))
    }

    fn wait_for_change(&self, since: Revision) -> Reply<'_, Revision> {
        let mut newest = self.newest.subscribe();
        Box::pin(async move {
            let revision = newest.wait_for(|revision| *revision > since).await;
            revision.map(|revision| *revision).map_err(Error::unavailable)
        })
    }
}

impl ToSql for Revision {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        // SQLite's integers are signed; nobody makes 2^63 commits.
        Ok(ToSqlOutput::from(i64::try_from(self.0).unwrap_or(i64::MAX)))
    }
}

impl FromSql for Revision {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        number.try_into().map(Self).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt(error.to_string())
            }
            // A column of another type than we write.
            None => Self::Corrupt(error.to_string()),
            Some(_) => Self::unavailable(error),
        }
    }
}

#[cfg(test)]
mod tests;

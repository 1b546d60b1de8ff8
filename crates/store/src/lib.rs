//! What vestibule remembers.
//!
//! Four things, none of which knows the domain:
//!
//! - **documents** ([`Store`]): JSON bodies with index terms, changed by one ordered line of
//!   commits, each with the receipts of its events in the same transaction; beside them [`Note`]s,
//!   which decide nothing and make no revision;
//! - **sealing** ([`seal`]): authenticated encryption of secret fields and of tokens under a ring
//!   of master keys;
//! - **segments** ([`segment`]): the append-only files of the log book;
//! - **backends**: [`memory`] and [`sqlite`], equal by one conformance suite.
//!
//! `service` calls all of it; nothing here knows HTTP, AWS or what a role is.

pub mod memory;
pub mod seal;
pub mod segment;
pub mod sqlite;

mod commit;
#[cfg(test)]
mod conformance;
mod document;
mod error;
mod note;

use std::{future::Future, path::PathBuf, pin::Pin, sync::Arc};

pub use crate::{
    commit::{Change, Commit, EventId, Precondition, Receipt, StoredReceipt},
    document::{Changes, Deletion, Document, DocumentId, Kind, Revision, Snapshot, Term},
    error::{Conflict, Error, Result},
    note::Note,
};

/// What every verb of a [`Store`] answers with: a boxed future, so that the trait is object-safe.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Documents, their revisions and the receipts of their changes.
///
/// There is one line of commits: every commit makes exactly one new [`Revision`], and names the
/// revision that it was decided on. Readers see whole commits or nothing of them.
///
/// Every verb may fail with [`Error::Unavailable`] (the disk is full, the database is locked, the
/// thread is gone) or [`Error::Corrupt`]; what else it may fail with stands at the verb.
pub trait Store: Send + Sync {
    /// The newest revision.
    fn revision(&self) -> Reply<'_, Revision>;

    /// All documents of these kinds (of every kind if none is named) as they stood together at one
    /// revision, ordered by kind and id.
    fn load<'a>(&'a self, kinds: &'a [Kind]) -> Reply<'a, Snapshot>;

    /// What happened after `since`: the documents as they stand now, and those that went.
    ///
    /// A store forgets deletions after a while. Where it has forgotten too much to tell the
    /// difference, it answers with everything and says so in [`Changes::reset`].
    fn changes_since(&self, since: Revision) -> Reply<'_, Changes>;

    /// One document, if it exists.
    fn get<'a>(&'a self, kind: &'a Kind, id: &'a DocumentId) -> Reply<'a, Option<Document>>;

    /// The documents of a kind that carry this term, ordered by id.
    fn find<'a>(
        &'a self,
        kind: &'a Kind,
        term: &'a str,
        value: &'a str,
    ) -> Reply<'a, Vec<Document>>;

    /// Makes all changes and keeps all receipts, or does nothing of it.
    ///
    /// An acknowledged commit survives the loss of power (as far as the backend has a disk). A
    /// caller that stops waiting does not undo its commit.
    ///
    /// # Errors
    /// [`Error::Conflict`] if `expected` is no longer the newest revision, a precondition does not
    /// hold, a unique term or an event id is taken; [`Error::NotFound`] if a document to delete is
    /// not there; [`Error::Invalid`] if the commit breaks a limit of [`Commit`].
    fn commit(&self, commit: Commit) -> Reply<'_, Revision>;

    /// The oldest receipts that nobody has marked as delivered, in the order of their commits, at
    /// most `limit`.
    fn undelivered_receipts(&self, limit: usize) -> Reply<'_, Vec<StoredReceipt>>;

    /// Forgets these receipts, because the log book has them. Unknown ids are passed over, so that
    /// a delivery may be repeated.
    fn mark_delivered<'a>(&'a self, events: &'a [EventId]) -> Reply<'a, ()>;

    /// Keeps these notes, all of them or none, each unless a newer one is there. A power cut may cost
    /// the last ones.
    ///
    /// # Errors
    /// [`Error::Invalid`] above [`Note::MAX_AT_ONCE`], or if one breaks a limit of [`Note`].
    fn keep_notes<'a>(&'a self, notes: &'a [Note]) -> Reply<'a, ()>;

    /// All notes of a kind, ordered by id.
    fn notes<'a>(&'a self, kind: &'a Kind) -> Reply<'a, Vec<Note>>;

    /// Waits until there is a revision newer than `since`, made by this process or another, and
    /// tells it.
    fn wait_for_change(&self, since: Revision) -> Reply<'_, Revision>;
}

/// Where a store keeps its documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this process, gone with it.
    Memory,
    /// In this SQLite file; it and its folder are made if they are missing.
    Sqlite(PathBuf),
}

impl Place {
    /// Reads `memory:` or `sqlite:PATH`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for every other form.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => Err(Error::invalid("a store is `memory:` or `sqlite:PATH`")),
        }
    }
}

/// Opens the store at a place, bringing its schema up to date.
///
/// # Errors
/// [`Error::Unavailable`] if it cannot be opened or was written by a newer vestibule,
/// [`Error::Corrupt`] if what is there is not a store.
#[expect(clippy::unused_async, reason = "a backend on the network has to wait here")]
pub async fn open(place: &Place) -> Result<Arc<dyn Store>> {
    match place {
        Place::Memory => Ok(Arc::new(memory::MemoryStore::new())),
        Place::Sqlite(path) => Ok(Arc::new(sqlite::SqliteStore::open(path)?)),
    }
}

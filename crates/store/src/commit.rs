//! What is asked of a store when it is to change.

use std::{collections::HashSet, fmt};

use crate::{Document, DocumentId, Error, Kind, Result, Revision, Term};

/// The id of an event: that of the request that caused it. At most [`EventId::MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(String);

impl EventId {
    /// The longest id, in bytes.
    pub const MAX: usize = 128;

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Into<String>> From<S> for EventId {
    fn from(id: S) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The event of a commit, kept with it until the log book has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Unique among the receipts that are not delivered yet.
    pub event: EventId,
    /// The event as the log book will hold it; at most [`Document::MAX_BODY`] bytes.
    pub body: Vec<u8>,
}

/// Names the event; its body is for the log book alone.
impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "receipt {} ({} bytes)", self.event, self.body.len())
    }
}

/// A receipt as it comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReceipt {
    /// The commit it came with.
    pub revision: Revision,
    /// The receipt.
    pub receipt: Receipt,
}

/// What must hold of a document for its change to be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing, beyond the commit's own expected revision.
    #[default]
    None,
    /// It must not exist.
    Absent,
    /// It must exist.
    Present,
    /// It must exist as this commit wrote it.
    At(Revision),
}

impl Precondition {
    /// Whether it holds of a document that was last written then, or does not exist.
    pub(crate) fn holds(self, written: Option<Revision>) -> bool {
        match self {
            Self::None => true,
            Self::Absent => written.is_none(),
            Self::Present => written.is_some(),
            Self::At(revision) => written == Some(revision),
        }
    }
}

/// One change to one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Write it, with all its terms, whether it was there or not.
    Put {
        /// The document.
        document: Document,
        /// What must hold before.
        only_if: Precondition,
    },
    /// Remove it; it must be there.
    Delete {
        /// Its sort.
        kind: Kind,
        /// Its name.
        id: DocumentId,
        /// What must hold before.
        only_if: Precondition,
    },
}

impl Change {
    /// Writes a document over whatever is there.
    #[must_use]
    pub fn put(document: Document) -> Self {
        Self::Put { document, only_if: Precondition::None }
    }

    /// Writes a document that must not be there yet.
    #[must_use]
    pub fn create(document: Document) -> Self {
        Self::Put { document, only_if: Precondition::Absent }
    }

    /// Writes a document in the place of the one it was made from: its `revision` must still stand.
    #[must_use]
    pub fn replace(document: Document) -> Self {
        let only_if = Precondition::At(document.revision);
        Self::Put { document, only_if }
    }

    /// Removes a document.
    pub fn delete(kind: Kind, id: impl Into<DocumentId>) -> Self {
        Self::Delete { kind, id: id.into(), only_if: Precondition::None }
    }

    /// The document that it changes.
    #[must_use]
    pub fn target(&self) -> (&Kind, &DocumentId) {
        match self {
            Self::Put { document, .. } => (&document.kind, &document.id),
            Self::Delete { kind, id, .. } => (kind, id),
        }
    }

    /// What must hold before.
    pub(crate) fn only_if(&self) -> Precondition {
        match self {
            Self::Put { only_if, .. } | Self::Delete { only_if, .. } => *only_if,
        }
    }
}

/// Changes that are made together, and the receipts of their events.
///
/// Limits: at most [`Commit::MAX_CHANGES`] changes and as many receipts; no document twice.
/// Uniqueness is judged on the outcome: one commit may take a term from a document and give it to
/// another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The revision that the changes were decided on; it must still be the newest.
    pub expected: Revision,
    /// The changes.
    pub changes: Vec<Change>,
    /// The receipts.
    pub receipts: Vec<Receipt>,
}

impl Commit {
    /// The most changes, and the most receipts, of one commit.
    pub const MAX_CHANGES: usize = 10_000;

    /// A commit on top of a revision that does nothing yet.
    #[must_use]
    pub const fn on(expected: Revision) -> Self {
        Self { expected, changes: Vec::new(), receipts: Vec::new() }
    }

    /// With one more change.
    #[must_use]
    pub fn change(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// With one more receipt.
    #[must_use]
    pub fn receipt(mut self, event: impl Into<EventId>, body: impl Into<Vec<u8>>) -> Self {
        self.receipts.push(Receipt { event: event.into(), body: body.into() });
        self
    }

    /// Holds the commit against its limits and brings the terms into their order: both backends
    /// call it first, so that they refuse and return the same.
    pub(crate) fn normalize(&mut self) -> Result<()> {
        if self.changes.len() > Self::MAX_CHANGES || self.receipts.len() > Self::MAX_CHANGES {
            return Err(Error::invalid("a commit has too many changes or receipts"));
        }
        for change in &mut self.changes {
            if let Change::Put { document, .. } = change {
                normalize_document(document)?;
            }
            let (kind, id) = change.target();
            if kind.as_str().is_empty() || kind.as_str().len() > Kind::MAX {
                return Err(Error::invalid("a kind is empty or too long"));
            }
            if id.as_str().is_empty() || id.as_str().len() > DocumentId::MAX {
                return Err(Error::invalid("a document id is empty or too long"));
            }
        }
        let mut seen = HashSet::new();
        if !self.changes.iter().all(|change| seen.insert(change.target())) {
            return Err(Error::invalid("a commit changes one document twice"));
        }
        for Receipt { event, body } in &self.receipts {
            if event.as_str().is_empty() || event.as_str().len() > EventId::MAX {
                return Err(Error::invalid("an event id is empty or too long"));
            }
            if body.len() > Document::MAX_BODY {
                return Err(Error::invalid("a receipt is too large"));
            }
        }
        Ok(())
    }
}

fn normalize_document(document: &mut Document) -> Result<()> {
    if document.body.len() > Document::MAX_BODY {
        return Err(Error::invalid("a document is too large"));
    }
    document.terms.sort();
    document.terms.dedup();
    if document.terms.len() > Document::MAX_TERMS {
        return Err(Error::invalid("a document has too many terms"));
    }
    // One name and value, shared and unique at once, would have two meanings.
    let ambiguous = |pair: &[Term]| match pair {
        [a, b] => a.name == b.name && a.value == b.value,
        _ => false,
    };
    if document.terms.windows(2).any(ambiguous) {
        return Err(Error::invalid("a term is both shared and unique"));
    }
    if document.terms.iter().any(|term| term.name.len() + term.value.len() > Term::MAX) {
        return Err(Error::invalid("a term is too long"));
    }
    Ok(())
}

/// How many revisions back a store still tells deletions apart; older askers get everything anew.
const DELETIONS_KEPT: u64 = if cfg!(test) { 8 } else { 4096 };

/// Whether all deletions after `since` are still known. Not so for a revision that never was: the
/// store was put back to an earlier state.
pub(crate) fn deletions_told(since: Revision, newest: Revision) -> bool {
    since <= newest && since.next() >= oldest_deletion_told(newest)
}

/// The first revision whose deletions are still told.
pub(crate) fn oldest_deletion_told(newest: Revision) -> Revision {
    Revision(newest.next().0.saturating_sub(DELETIONS_KEPT))
}

//! Notes: facts beside the documents that decide nothing, such as when a key was last used.

use crate::{Document, DocumentId, Error, Kind, Result};

/// A fact about something, by whose time the newest wins. It belongs to no revision: writing one is
/// no commit, wakes nobody and needs no receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What sort of fact.
    pub kind: Kind,
    /// About what.
    pub id: DocumentId,
    /// When it was so; the writer's own measure.
    pub at: i64,
    /// The fact, at most [`Document::MAX_BODY`] bytes; nothing forgets it, whatever its time.
    pub body: Option<Vec<u8>>,
}

impl Note {
    /// The most notes that are written at once.
    pub const MAX_AT_ONCE: usize = 10_000;

    /// Holds notes against their limits: both backends call it first.
    pub(crate) fn check(notes: &[Self]) -> Result<()> {
        let fits = |note: &Self| {
            (1..=Kind::MAX).contains(&note.kind.as_str().len())
                && (1..=DocumentId::MAX).contains(&note.id.as_str().len())
                && note.body.as_ref().is_none_or(|body| body.len() <= Document::MAX_BODY)
        };
        match notes.len() <= Self::MAX_AT_ONCE && notes.iter().all(fits) {
            true => Ok(()),
            false => Err(Error::invalid("too many notes, or one that is too large")),
        }
    }
}

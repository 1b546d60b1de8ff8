//! Why a store could not do it.

use std::fmt;

use crate::{DocumentId, EventId, Kind, Revision};

/// What the verbs of a store return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a store could not do what was asked. In every case nothing of it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Something else came first.
    Conflict(Conflict),
    /// The document to delete is not there.
    NotFound {
        /// Its sort.
        kind: Kind,
        /// Its name.
        id: DocumentId,
    },
    /// The store cannot be reached or written now: say so to the operator, and try again later.
    Unavailable(String),
    /// What is stored is not what was written.
    Corrupt(String),
    /// The question itself breaks a limit.
    Invalid(&'static str),
}

/// What came first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Another commit: the expected revision is no longer the newest.
    Revision {
        /// The newest.
        current: Revision,
    },
    /// A document is not as the precondition wants it.
    Document {
        /// Its sort.
        kind: Kind,
        /// Its name.
        id: DocumentId,
    },
    /// Another document of the kind carries this unique term.
    Term {
        /// The sort of both.
        kind: Kind,
        /// The term's name.
        name: String,
        /// The term's value.
        value: String,
    },
    /// A receipt of this event is waiting already.
    Event(EventId),
}

impl Error {
    pub(crate) const fn invalid(why: &'static str) -> Self {
        Self::Invalid(why)
    }

    pub(crate) fn unavailable(why: impl fmt::Display) -> Self {
        Self::Unavailable(why.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(conflict) => conflict.fmt(f),
            Self::NotFound { kind, id } => write!(f, "there is no {kind} {id}"),
            Self::Unavailable(why) => write!(f, "the store is unavailable: {why}"),
            Self::Corrupt(why) => write!(f, "the store is damaged: {why}"),
            Self::Invalid(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revision { current } => {
                write!(f, "another commit came first: revision {current}")
            }
            Self::Document { kind, id } => write!(f, "{kind} {id} is not as expected"),
            Self::Term { kind, name, value } => {
                write!(f, "another {kind} has the {name} {value}")
            }
            Self::Event(event) => write!(f, "event {event} has a receipt already"),
        }
    }
}

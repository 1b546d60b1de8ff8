//! The documents themselves, and how they are read back.

use std::{borrow::Cow, fmt};

/// A place in the one line of commits. Every commit makes the next; an empty store is at
/// [`Revision::ZERO`].
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// Before the first commit.
    pub const ZERO: Self = Self(0);

    /// The one that the next commit makes.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The sort of a document (`role`, `policy`, …): the first half of its name. At most
/// [`Kind::MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(Cow<'static, str>);

impl Kind {
    /// The longest kind, in bytes.
    pub const MAX: usize = 64;

    /// A kind that is known when the program is written.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Kind {
    fn from(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a document among those of its kind. At most [`DocumentId::MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId(String);

impl DocumentId {
    /// The longest id, in bytes. (An ARN may take 2048.)
    pub const MAX: usize = 2048;

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Into<String>> From<S> for DocumentId {
    fn from(id: S) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// By what a document can be found besides its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term {
    /// What is indexed (`arn`, `account`, …).
    pub name: String,
    /// Its value in this document, compared byte by byte.
    pub value: String,
    /// Whether no other document of the kind may carry the same name and value as a unique term.
    pub unique: bool,
}

impl Term {
    /// The longest name and value together, in bytes.
    pub const MAX: usize = 4096;

    /// A term that many documents may share.
    pub fn shared(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), unique: false }
    }

    /// A term that only one document of its kind may carry.
    pub fn unique(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), unique: true }
    }
}

/// One thing that is remembered.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// Its sort.
    pub kind: Kind,
    /// Its name among its sort.
    pub id: DocumentId,
    /// JSON; the store does not look inside. At most [`Document::MAX_BODY`] bytes.
    pub body: Vec<u8>,
    /// By what it can be found; at most [`Document::MAX_TERMS`], kept in their order by name and
    /// value, doubles removed.
    pub terms: Vec<Term>,
    /// The commit that wrote it. The store sets it; on the way in it is not looked at.
    pub revision: Revision,
}

impl Document {
    /// The largest body: 16 MiB.
    pub const MAX_BODY: usize = 16 << 20;
    /// The most terms of one document.
    pub const MAX_TERMS: usize = 256;

    /// A document that is not stored yet.
    pub fn new(kind: Kind, id: impl Into<DocumentId>, body: impl Into<Vec<u8>>) -> Self {
        Self { kind, id: id.into(), body: body.into(), terms: Vec::new(), revision: Revision::ZERO }
    }

    /// With one more term.
    #[must_use]
    pub fn with(mut self, term: Term) -> Self {
        self.terms.push(term);
        self
    }
}

/// Names the document and its size; the body may hold what no log should see.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, id, body, revision, .. } = self;
        write!(f, "{kind}/{id}@{revision} ({} bytes)", body.len())
    }
}

/// Documents as they stood together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// When.
    pub revision: Revision,
    /// Ordered by kind and id.
    pub documents: Vec<Document>,
}

/// The difference between an earlier revision and this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The revision that they lead to.
    pub revision: Revision,
    /// When true, `documents` is everything there is: begin again with nothing.
    pub reset: bool,
    /// What was written and still is, ordered by revision, kind and id.
    pub documents: Vec<Document>,
    /// What went and did not come back, in the same order.
    pub deleted: Vec<Deletion>,
}

/// A document that is no more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deletion {
    /// The commit that removed it.
    pub revision: Revision,
    /// Its sort.
    pub kind: Kind,
    /// Its name.
    pub id: DocumentId,
}

//! Documents → the indexed, shared form that [`decide`](crate::decide()) runs on.
//!
//! All policies of one principal in one layer become one [`Compiled`]: a list of statements, and
//! two indexes (Deny, Allow) that name, for a question, the few statements that could apply.
//!
//! INVARIANT: the index only narrows. Every statement it names is then evaluated in full, so a
//! collision or a coarse entry costs time and never changes an answer; and it never leaves out a
//! statement that could apply (`tests::index_agrees_with_scan`).

mod index;
mod principal;
mod statement;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

pub use self::statement::Element;
pub(crate) use self::statement::{Scene, Statement, Unwatched, Witness};

use self::index::Index;
use crate::decision::{PolicyId, StatementId};
use crate::diagnostic::{Position, Span};
use crate::document::{Document, Effect, Kind};
use crate::pattern::Key;

/// A document with its name.
#[derive(Clone, Debug)]
pub struct Named {
    /// Which policy.
    pub id: PolicyId,
    /// Its text, judged.
    pub document: Arc<Document>,
}

impl Named {
    /// A document with its name.
    #[must_use]
    pub fn new(id: PolicyId, document: Arc<Document>) -> Self {
        Self { id, document }
    }
}

/// All policies of one principal (or resource) in one layer, compiled together. Meant to be
/// shared in an `Arc` and replaced as a whole when one of its policies changes.
#[derive(Debug, Default)]
pub struct Compiled {
    policies: Vec<Named>,
    statements: Vec<Statement>,
    allow: Index,
    deny: Index,
}

impl Compiled {
    /// Compiles a set of policies, in this order.
    #[must_use]
    pub fn new(policies: impl IntoIterator<Item = Named>) -> Self {
        let policies: Vec<Named> = policies.into_iter().collect();
        let mut statements = Vec::new();
        let mut keys = Keys::default();
        for (number, named) in policies.iter().enumerate() {
            let id = Arc::new(named.id.clone());
            let document = &*named.document;
            let mut ruler = Ruler::new(document.source());
            for (index, statement) in document.statements().iter().enumerate() {
                let Span { start, end } = statement.span.0;
                let id = StatementId {
                    policy: Arc::clone(&id),
                    sid: statement.sid.as_ref().map(|sid| sid.text.clone()),
                    index: u32::try_from(index).unwrap_or(u32::MAX),
                    effect: statement.effect,
                    span: statement.span.0,
                    start: ruler.position(start),
                    end: ruler.position(end),
                };
                let policy = u32::try_from(number).unwrap_or(u32::MAX);
                statements.push(Statement::compile(id, policy, document, statement, &mut keys));
            }
        }
        let allow = Index::build(&statements, Effect::Allow);
        let deny = Index::build(&statements, Effect::Deny);
        Self { policies, statements, allow, deny }
    }

    /// The policies in order.
    #[must_use]
    pub fn policies(&self) -> &[Named] {
        &self.policies
    }

    /// How many statements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    /// Whether there are no statements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    pub(crate) fn is_trust(&self) -> bool {
        self.policies.iter().any(|named| named.document.kind() == Kind::Trust)
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The statements of one effect that could apply. Every list is in ascending order, but there
    /// may be several, and a statement may come twice. `visit` breaks off the list it is in.
    pub(crate) fn candidates(
        &self,
        effect: Effect,
        scene: &Scene<'_>,
        visit: &mut impl FnMut(u32, &Statement) -> ControlFlow<()>,
    ) {
        let index = if effect == Effect::Deny { &self.deny } else { &self.allow };
        index.visit(scene, &mut |ordinal| match self.statements.get(ordinal as usize) {
            Some(statement) => visit(ordinal, statement),
            None => ControlFlow::Continue(()),
        });
    }
}

/// The distinct condition keys of a set, hashed and looked up in the catalogue once.
#[derive(Default)]
pub(crate) struct Keys(HashMap<String, Key>);

impl Keys {
    fn intern(&mut self, text: &str) -> Key {
        if let Some(key) = self.0.get(text) {
            return key.clone();
        }
        let key = Key::new(text);
        self.0.insert(text.to_owned(), key.clone());
        key
    }
}

/// Turns rising byte offsets into positions in one pass.
struct Ruler<'a> {
    text: &'a str,
    at: usize,
    here: Position,
}

impl<'a> Ruler<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, here: Position { line: 1, column: 1 } }
    }

    fn position(&mut self, offset: u32) -> Position {
        let offset = offset as usize;
        for c in self.text.get(self.at..offset).unwrap_or_default().chars() {
            if c == '\n' {
                self.here = Position { line: self.here.line + 1, column: 1 };
            } else {
                self.here.column += 1;
            }
        }
        self.at = self.at.max(offset);
        self.here
    }
}

#[cfg(test)]
mod tests;

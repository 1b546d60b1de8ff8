//! A strict JSON reader that keeps byte spans, duplicate members and number texts.
//!
//! Duplicates are kept in the tree (the grammar refuses them, with both places), not dropped as a
//! lenient reader would. Limits are on length, depth and count, so that hostile text costs no more than
//! one linear pass.

use crate::diagnostic::Span;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// First byte to one past the last.
    pub span: Span,
}

/// A JSON value. Numbers keep their text.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// As written.
    Number(String),
    /// Unescaped.
    String(String),
    /// `[…]`
    Array(Vec<Node>),
    /// `{…}`, in order, duplicates included.
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Unescaped.
    pub key: String,
    /// The key with its quotes.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

/// Limits on a text.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Characters.
    pub characters: usize,
    /// Nested arrays and objects.
    pub depth: usize,
    /// Values in all.
    pub nodes: usize,
}

impl Limits {
    /// For policy documents: no legal policy nests deeper than six.
    pub const POLICY: Self = Self { characters: 131_072, depth: 16, nodes: 65_536 };
}

/// Where and why reading stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// What is wrong.
    pub message: &'static str,
    /// The offending byte or token.
    pub span: Span,
}

//! Globs and policy variables, compiled to tokens before substitution (spec A4, A5).
//!
//! Because a pattern is tokens before a variable is looked up, substituted text is always literal:
//! a `*` or `${…}` inside a tag value never becomes a pattern.
//!
//! **Bound.** Matching never goes back over a `*`: the run of tokens between two stars is placed at
//! its leftmost fit, for good (a leftmost fit leaves the most room for what follows, so this is
//! exact). A run of one literal costs linear time; a run that mixes literals, `?` and variables
//! costs at most (text length) × (run length) byte comparisons, and in all a match costs at most
//! (text length) × (longest run). `a*a*a*…b` is linear.

use memchr::memmem;

use crate::context::Context;
use crate::hash::{hash, lower};

/// A condition key, hashed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub(crate) lower: std::sync::Arc<str>,
    pub(crate) hash: u64,
    pub(crate) multivalued: Option<bool>,
}

impl Key {
    /// Looks the key up in the catalogue and hashes it.
    #[must_use]
    pub fn new(key: &str) -> Self {
        let lower = lower(key);
        let multivalued = crate::key::is_multivalued(&lower);
        Self { hash: hash(lower.as_bytes()), multivalued, lower: lower.as_ref().into() }
    }

    /// Lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.lower
    }

    /// Its entry in a context.
    #[must_use]
    pub fn in_context<'a>(&self, context: &'a Context) -> Option<crate::context::Entry<'a>> {
        context.by_hash(self.hash, &self.lower)
    }

    /// Whether `entry`, found under this key, is to be read as a list: the catalogue decides, and
    /// for keys it does not know the entry itself.
    #[must_use]
    pub fn is_list(&self, entry: &crate::context::Entry<'_>) -> bool {
        self.multivalued.unwrap_or_else(|| entry.is_list())
    }
}

/// `${key}` or `${key, 'default'}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The key.
    pub key: Key,
    /// Used only when the key is absent.
    pub default: Option<Box<str>>,
}

impl Variable {
    /// The text to put in its place. None when unresolved: the key is missing and there is no
    /// default, or the key is multivalued (then the default is not used either).
    #[must_use]
    pub fn resolve<'a>(&'a self, context: &'a Context) -> Option<&'a str> {
        match self.key.in_context(context) {
            Some(entry) if self.key.is_list(&entry) => None,
            Some(entry) => entry.single(),
            None if self.key.multivalued == Some(true) => None,
            None => self.default.as_deref(),
        }
    }
}

/// One piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// This text. Never empty.
    Lit(Box<str>),
    /// `*`: any run, also empty.
    Any,
    /// `?`: one UTF-16 unit.
    One,
    /// A policy variable.
    Var(Variable),
}

/// What was asked of [`Pattern::compile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// `*` and `?` are wildcards.
    pub wildcards: bool,
    /// `${…}` is understood.
    pub variables: bool,
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Pattern {
    tokens: Box<[Token]>,
}

/// The outcome of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// It matches.
    Yes,
    /// It does not.
    No,
    /// A variable could not be resolved.
    Unresolved,
}

/// A malformed `${…}` and where it begins in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VariableFault {
    /// Byte offset of the `$`.
    pub at: usize,
}

impl Pattern {
    /// Compiles a text. A malformed `${…}` is taken as literal text here; [`check_variables`]
    /// tells whether there is one.
    #[must_use]
    pub fn compile(text: &str, syntax: Syntax) -> Self {
        let special: &[u8] = match (syntax.wildcards, syntax.variables) {
            (true, true) => b"*?$",
            (true, false) => b"*?",
            (false, true) => b"$",
            (false, false) => b"",
        };
        if !text.bytes().any(|b| special.contains(&b)) {
            let lit = (!text.is_empty()).then(|| Token::Lit(text.into()));
            return Self { tokens: lit.into_iter().collect() };
        }
        let mut tokens = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let variable = (syntax.variables && c == '$').then(|| variable(rest)).flatten();
            if let Some((piece, after)) = variable {
                rest = after;
                match piece {
                    Piece::Escaped(c) => literal.push(c),
                    Piece::Variable(variable) => {
                        flush(&mut tokens, &mut literal);
                        tokens.push(Token::Var(variable));
                    }
                }
                continue;
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            match c {
                '*' if syntax.wildcards => {
                    flush(&mut tokens, &mut literal);
                    if tokens.last() != Some(&Token::Any) {
                        tokens.push(Token::Any);
                    }
                }
                '?' if syntax.wildcards => {
                    flush(&mut tokens, &mut literal);
                    tokens.push(Token::One);
                }
                c => literal.push(c),
            }
        }
        flush(&mut tokens, &mut literal);
        Self { tokens: tokens.into() }
    }

    /// From tokens.
    #[must_use]
    pub fn from_tokens(tokens: Vec<Token>) -> Self {
        Self { tokens: tokens.into() }
    }

    /// The tokens.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The literal text, for a pattern without wildcards and variables.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match &*self.tokens {
            [] => Some(""),
            [Token::Lit(text)] => Some(text),
            _ => None,
        }
    }

    /// The variables.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.tokens.iter().filter_map(|token| match token {
            Token::Var(variable) => Some(variable),
            _ => None,
        })
    }

    /// Matches the whole of `text`.
    #[must_use]
    pub fn matches(&self, text: &str, context: &Context) -> Match {
        match &*self.tokens {
            [] => return yes(text.is_empty()),
            [Token::Lit(lit)] => return yes(&**lit == text),
            [Token::Any] => return Match::Yes,
            [Token::Lit(lit), Token::Any] => return yes(text.starts_with(&**lit)),
            [Token::Var(variable)] => {
                return variable.resolve(context).map_or(Match::Unresolved, |v| yes(v == text));
            }
            _ => {}
        }
        if self.variables().any(|variable| variable.resolve(context).is_none()) {
            return Match::Unresolved;
        }
        yes(Matcher { text, context }.run(&self.tokens))
    }

    /// The text after substitution, for showing; unresolved variables stay as they were written.
    #[must_use]
    pub fn shown(&self, context: &Context) -> String {
        let mut out = String::new();
        for token in &self.tokens {
            match token {
                Token::Lit(text) => out.push_str(text),
                Token::Any => out.push('*'),
                Token::One => out.push('?'),
                Token::Var(variable) => match variable.resolve(context) {
                    Some(text) => out.push_str(text),
                    None => {
                        out.push_str("${");
                        out.push_str(variable.key.as_str());
                        out.push('}');
                    }
                },
            }
        }
        out
    }
}

fn yes(is: bool) -> Match {
    if is { Match::Yes } else { Match::No }
}

fn flush(tokens: &mut Vec<Token>, literal: &mut String) {
    if !literal.is_empty() {
        tokens.push(Token::Lit(std::mem::take(literal).into()));
    }
}

pub(crate) enum Piece {
    Escaped(char),
    Variable(Variable),
}

/// Reads `${…}` at the start of `text`.
pub(crate) fn variable(text: &str) -> Option<(Piece, &str)> {
    let inside = text.strip_prefix("${")?;
    for escaped in ['*', '?', '$'] {
        if let Some(rest) = inside.strip_prefix(escaped).and_then(|rest| rest.strip_prefix('}')) {
            return Some((Piece::Escaped(escaped), rest));
        }
    }
    // The key ends at the brace, or at the comma before a quoted default, which may hold braces.
    let end = inside.find(['}', ','])?;
    let (key, rest) = inside.split_at_checked(end)?;
    let key_is_sound = !key.is_empty() && !key.contains(['$', '{', '*', '?', '\'']);
    if !key_is_sound {
        return None;
    }
    if let Some(rest) = rest.strip_prefix('}') {
        let variable = Variable { key: Key::new(key), default: None };
        return Some((Piece::Variable(variable), rest));
    }
    let (default, rest) = rest.strip_prefix(", '")?.split_once('\'')?;
    let variable = Variable { key: Key::new(key.trim_end()), default: Some(default.into()) };
    Some((Piece::Variable(variable), rest.strip_prefix('}')?))
}

/// Whether every `${` of a text begins a well-formed variable.
///
/// # Errors
/// The first that does not.
pub fn check_variables(text: &str) -> Result<(), VariableFault> {
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find("${")) {
        let at = from + found;
        let rest = text.get(at..).unwrap_or_default();
        let (_, after) = variable(rest).ok_or(VariableFault { at })?;
        from = text.len() - after.len();
    }
    Ok(())
}

struct Matcher<'a> {
    text: &'a str,
    context: &'a Context,
}

/// A place between two UTF-16 units of the text, as a byte offset. Between the two units of an
/// astral character (four bytes) it is the middle byte: never a character border, so no literal can match
/// there.
type Place = usize;

impl Matcher<'_> {
    fn run(&self, tokens: &[Token]) -> bool {
        let mut runs = tokens.split(|token| *token == Token::Any);
        let first = runs.next().unwrap_or_default();
        let Some(mut at) = self.forward(first, 0) else { return false };
        let Some(last) = runs.next_back() else { return at == self.text.len() };
        let Some(end) = self.backward(last, self.text.len()) else { return false };
        for run in runs {
            let Some(after) = self.leftmost(run, at, end) else { return false };
            at = after;
        }
        at <= end
    }

    fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    fn literal<'t>(&'t self, token: &'t Token) -> Option<&'t [u8]> {
        match token {
            Token::Lit(text) => Some(text.as_bytes()),
            Token::Var(variable) => Some(variable.resolve(self.context)?.as_bytes()),
            Token::Any | Token::One => None,
        }
    }

    /// The place after `run` when it begins at `at`.
    fn forward(&self, run: &[Token], mut at: Place) -> Option<Place> {
        for token in run {
            at = match self.literal(token) {
                Some(text) => self.bytes().get(at..)?.starts_with(text).then(|| at + text.len())?,
                None => self.next(at)?,
            };
        }
        Some(at)
    }

    /// The place before `run` when it ends at `end`.
    fn backward(&self, run: &[Token], end: Place) -> Option<Place> {
        let mut at = end;
        for token in run.iter().rev() {
            at = match self.literal(token) {
                Some(text) => self.bytes().get(..at)?.ends_with(text).then(|| at - text.len())?,
                None => self.previous(at)?,
            };
        }
        Some(at)
    }

    /// The place after the leftmost fit of `run` within `from..end`.
    fn leftmost(&self, run: &[Token], mut from: Place, end: Place) -> Option<Place> {
        // `*?x` is `?*x`: leading ones only move the start.
        let ones = run.iter().take_while(|token| **token == Token::One).count();
        for _ in 0..ones {
            from = self.next(from)?;
        }
        let run = run.get(ones..)?;
        let Some((head, tail)) = run.split_first() else {
            return (from <= end).then_some(from);
        };
        let head = self.literal(head)?;
        loop {
            let found = from + memmem::find(self.bytes().get(from..end)?, head)?;
            if let Some(after) = self.forward(tail, found + head.len()).filter(|at| *at <= end) {
                return Some(after);
            }
            from = self.next(found)?;
        }
    }

    fn next(&self, at: Place) -> Option<Place> {
        let width = match *self.bytes().get(at)? {
            0..0x80 => 1,
            0xE0..0xF0 => 3,
            // Two bytes of a two-byte character, or half of an astral one.
            _ => 2,
        };
        Some(at + width)
    }

    fn previous(&self, at: Place) -> Option<Place> {
        let byte = |back: usize| at.checked_sub(back).and_then(|i| self.bytes().get(i)).copied();
        let width = match (byte(1)?, byte(2), byte(3)) {
            (0..0x80, ..) => 1,
            (_, Some(0x80..0xC0), Some(0xE0..0xF0)) => 3,
            _ => 2,
        };
        at.checked_sub(width)
    }
}

#[cfg(test)]
mod tests;

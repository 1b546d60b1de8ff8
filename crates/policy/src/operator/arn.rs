//! ARNs, compared part by part: a `*` before the fifth colon cannot cross one. Used by the `Arn…`
//! operators and, through [`ArnPattern`], by `Resource`.

use crate::arn::first_five_colons;
use crate::ask::split_arn;
use crate::context::Context;
use crate::document::Version;
use crate::pattern::{Match, Pattern, Syntax, Token, Variable, check_variables};

/// A pattern for ARNs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ArnPattern {
    /// `*`
    All,
    /// All five colons stand in literal text before the first wildcard: one glob says the same.
    Whole(Pattern),
    /// Six globs.
    Parts(Box<[Pattern; 6]>),
    /// Fewer than five colons outside `${…}`: split only after substitution. Allocates.
    Dynamic(Pattern),
}

impl ArnPattern {
    /// None when the text has fewer than six parts and no variable that could bring them.
    pub(crate) fn compile(text: &str, variables: bool) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        let syntax = Syntax { wildcards: true, variables };
        let Some(parts) = split_outside_variables(text, variables) else {
            let pattern = Pattern::compile(text, syntax);
            let dynamic = pattern.variables().next().is_some();
            return dynamic.then_some(Self::Dynamic(pattern));
        };
        let [.., id] = parts;
        let head = text.len() - id.len();
        if text.get(..head).is_some_and(|head| !head.contains(['*', '?', '$'])) {
            return Some(Self::Whole(Pattern::compile(text, syntax)));
        }
        Some(Self::Parts(Box::new(parts.map(|part| Pattern::compile(part, syntax)))))
    }

    pub(crate) fn matches(&self, text: &str, parts: Option<&[&str; 6]>, cx: &Context) -> Match {
        match self {
            Self::All => Match::Yes,
            Self::Whole(pattern) => pattern.matches(text, cx),
            Self::Parts(patterns) => {
                let Some(parts) = parts else {
                    let unresolved = self.variables().any(|v| v.resolve(cx).is_none());
                    return if unresolved { Match::Unresolved } else { Match::No };
                };
                let mut outcome = Match::Yes;
                for (pattern, part) in patterns.iter().zip(parts) {
                    match pattern.matches(part, cx) {
                        Match::Yes => {}
                        Match::Unresolved => return Match::Unresolved,
                        // Go on: a later part may be unresolved, which says more.
                        Match::No => outcome = Match::No,
                    }
                }
                outcome
            }
            Self::Dynamic(pattern) => dynamic(pattern, text, parts, cx),
        }
    }

    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        let patterns: &[Pattern] = match self {
            Self::All => &[],
            Self::Whole(pattern) | Self::Dynamic(pattern) => std::slice::from_ref(pattern),
            Self::Parts(patterns) => &**patterns,
        };
        patterns.iter().flat_map(Pattern::variables)
    }

    /// The pattern after substitution.
    pub(crate) fn shown(&self, cx: &Context) -> String {
        match self {
            Self::All => "*".to_owned(),
            Self::Whole(pattern) | Self::Dynamic(pattern) => pattern.shown(cx),
            Self::Parts(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| part.shown(cx)).collect();
                parts.join(":")
            }
        }
    }

    /// The literal text with which every match begins, and whether it is the whole match.
    pub(crate) fn literal_prefix(&self) -> (&str, bool) {
        match self {
            Self::Whole(pattern) => match pattern.tokens() {
                [Token::Lit(text)] => (text, true),
                [Token::Lit(text), ..] => (text, false),
                _ => ("", false),
            },
            Self::Parts(_) | Self::All | Self::Dynamic(_) => ("", false),
        }
    }
}

fn dynamic(pattern: &Pattern, text: &str, parts: Option<&[&str; 6]>, cx: &Context) -> Match {
    // Split the tokens at the first five colons of what they expand to.
    let mut split: [Vec<Token>; 6] = Default::default();
    let mut colons = 0_usize;
    for token in pattern.tokens() {
        let literal = match token {
            Token::Lit(text) => &**text,
            Token::Var(variable) => match variable.resolve(cx) {
                Some(text) => text,
                None => return Match::Unresolved,
            },
            Token::Any | Token::One => {
                if let Some(part) = split.get_mut(colons) {
                    part.push(token.clone());
                }
                continue;
            }
        };
        for (n, piece) in literal.splitn(6 - colons, ':').enumerate() {
            colons += usize::from(n > 0);
            if let Some(part) = split.get_mut(colons).filter(|_| !piece.is_empty()) {
                part.push(Token::Lit(piece.into()));
            }
        }
    }
    let bare_star = pattern.shown(cx) == "*";
    if colons < 5 {
        // Not padded (spec A4.6); only a bare `*` stands for the resource `*`.
        return if bare_star && text == "*" { Match::Yes } else { Match::No };
    }
    let Some(parts) = parts else { return Match::No };
    let all = split
        .into_iter()
        .zip(parts)
        .all(|(tokens, part)| Pattern::from_tokens(tokens).matches(part, cx) == Match::Yes);
    if all { Match::Yes } else { Match::No }
}

/// Splits at the first five colons that do not stand inside `${…}`.
pub(crate) fn split_outside_variables(text: &str, variables: bool) -> Option<[&str; 6]> {
    if !variables || !text.contains("${") {
        return split_arn(text, first_five_colons(text)?);
    }
    let mut colons = [0_u16; 5];
    let mut slots = colons.iter_mut();
    let mut inside = false;
    let mut quoted = false;
    let mut previous = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if previous == b'$' => inside = true,
            b'\'' if inside => quoted = !quoted,
            b'}' if inside && !quoted => inside = false,
            b':' if !inside => match slots.next() {
                Some(slot) => *slot = u16::try_from(at).ok()?,
                None => break,
            },
            _ => {}
        }
        previous = byte;
    }
    if slots.next().is_some() {
        return None;
    }
    split_arn(text, colons)
}

/// Compares a value had with the wanted patterns in order. `Err`: reached a pattern that cannot be
/// read. `Ok(None)`: the value had is not an ARN. Otherwise whether one matched.
pub(super) fn compare(
    wanted: &[Option<ArnPattern>],
    had: &str,
    cx: &Context,
) -> Result<Option<bool>, Unreadable> {
    let parts = first_five_colons(had).and_then(|colons| split_arn(had, colons));
    let Some(parts) = parts.filter(|[arn, ..]| *arn == "arn") else { return Ok(None) };
    for pattern in wanted {
        let pattern = pattern.as_ref().ok_or(Unreadable)?;
        if pattern.matches(had, Some(&parts), cx) == Match::Yes {
            return Ok(Some(true));
        }
    }
    Ok(Some(false))
}

/// A pattern that is not an ARN.
pub(super) struct Unreadable;

/// A wanted value; none when IAM would refuse to store it.
pub(super) fn read(literal: &str, version: Version) -> Option<ArnPattern> {
    let variables = version == Version::V2012;
    if variables && check_variables(literal).is_err() {
        return None;
    }
    let pattern = ArnPattern::compile(literal, variables)?;
    let begins = literal.starts_with("arn:") || literal.starts_with(['*', '$']);
    begins.then_some(pattern)
}

pub(super) fn fault(literal: &str, version: Version) -> Option<&'static str> {
    read(literal, version).is_none().then_some("not an ARN")
}

//! Text: exact, without regard to case, and globs.

use crate::context::Context;
use crate::pattern::{Match, Pattern, Token};

/// Exact or glob, as the pattern was compiled. An unresolved variable does not match.
pub(super) fn matches(pattern: &Pattern, had: &str, context: &Context) -> bool {
    pattern.matches(had, context) == Match::Yes
}

/// Compares the lower-cased forms: contextual lower-casing (final sigma), no case folding and no
/// normalization. Allocates only for text beyond ASCII or put together from several pieces.
pub(super) fn equal_ignoring_case(pattern: &Pattern, had: &str, context: &Context) -> bool {
    match pattern.tokens() {
        [] => had.is_empty(),
        [Token::Lit(text)] => equal(text, had),
        [Token::Var(variable)] => variable.resolve(context).is_some_and(|text| equal(text, had)),
        _ => {
            let resolved = pattern.variables().all(|v| v.resolve(context).is_some());
            resolved && equal(&pattern.shown(context), had)
        }
    }
}

fn equal(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        a.eq_ignore_ascii_case(b)
    } else {
        a.to_lowercase() == b.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::equal;

    #[test]
    fn lower_casing_is_contextual_and_is_not_folding() {
        assert!(equal("ΟΔΟΣ", "οδος"), "final sigma");
        assert!(!equal("ſ", "S"));
        assert!(equal("İ", "i\u{307}"));
        assert!(!equal("é", "e\u{301}"), "no normalization");
        assert!(equal("K", "k"), "Kelvin sign lower-cases to k");
    }
}

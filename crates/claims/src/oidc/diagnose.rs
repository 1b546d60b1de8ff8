//! Why a claim differs from what a policy or a provider wants, in the words of the field.

use serde::Serialize;

use crate::Claims;

/// One plain cause of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// A stable name, such as `github-environment-replaces-ref`.
    pub code: &'static str,
    /// What happened, in one sentence.
    pub text: String,
    /// What to change, in one sentence. Empty if there is nothing general to say.
    pub fix: String,
}

/// The causes of a difference, most specific first.
#[must_use]
pub fn causes(_claims: &Claims, _key: &str, _wanted: &str, _had: Option<&str>) -> Vec<Cause> {
    Vec::new()
}

//! Why a claim differs from what a policy or a provider wants, in the words of the field.
//!
//! A pure function from one difference to its likely causes, most specific first. The general ones
//! (case, blanks, slash, literal wildcard) are here; what only one issuer does is in
//! `diagnose/<issuer>.rs`.

mod general;
mod github;
mod gitlab;
mod kubernetes;
mod others;

use serde::Serialize;

use crate::Claims;

/// A value that a condition wanted, and the one that was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference<'a> {
    /// The condition key (`token.actions.githubusercontent.com:sub`) or the claim (`sub`).
    pub key: &'a str,
    /// The condition operator, such as `StringEquals`; empty if the comparison is not a
    /// condition's (client ids, issuer: always exact).
    pub operator: &'a str,
    /// What was wanted.
    pub wanted: &'a str,
    /// What was there; `None` if the token has no such claim.
    pub had: Option<&'a str>,
}

/// One plain cause of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// A stable name, such as `github-environment-replaces-ref`.
    pub code: &'static str,
    /// What happened, in one sentence.
    pub text: String,
    /// What to change, in one sentence.
    pub fix: String,
}

/// The causes of a difference, most specific first; empty if nothing is known about it.
///
/// Values longer than 2048 bytes are not looked into.
#[must_use]
pub fn causes(claims: &Claims, difference: &Difference<'_>) -> Vec<Cause> {
    const LONGEST: usize = 2048;
    let had_length = difference.had.map_or(0, str::len);
    if difference.had == Some(difference.wanted) {
        return Vec::new();
    }
    if difference.wanted.len() > LONGEST || had_length > LONGEST {
        return Vec::new();
    }
    let case = Case { claims, difference: *difference, claim: claim_of(difference.key) };
    let mut causes = Vec::new();
    for look in [github::look, gitlab::look, kubernetes::look, others::look, general::look] {
        look(&case, &mut causes);
    }
    if causes.is_empty() {
        general::point_at_the_difference(&case, &mut causes);
    }
    causes
}

/// A difference with its surroundings.
struct Case<'a> {
    claims: &'a Claims,
    difference: Difference<'a>,
    /// The claim's name: `sub` of `host/path:sub`.
    claim: &'a str,
}

impl Case<'_> {
    fn issuer(&self) -> &str {
        self.claims.text("iss").unwrap_or_default()
    }

    /// Whether the comparison takes `*` and `?` for what they are. (ARN comparisons do too.)
    fn takes_wildcards(&self) -> bool {
        let operator = self.difference.operator;
        let name = operator.rsplit(':').next().unwrap_or(operator);
        name.starts_with("StringLike")
            || name.starts_with("StringNotLike")
            || name.starts_with("Arn")
    }
}

fn claim_of(key: &str) -> &str {
    key.rsplit_once(':').map_or(key, |(_, claim)| claim)
}

fn cause(code: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Cause {
    Cause { code, text: text.into(), fix: fix.into() }
}

/// Whether `*` (any run) and `?` (any one character) of `pattern` can stand for `text`.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(have) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(want) if want == have || *want == '?' => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after_star, from)) = retry else { return false };
                retry = Some((after_star, from + 1));
                p = after_star;
                t = from + 1;
            }
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests;

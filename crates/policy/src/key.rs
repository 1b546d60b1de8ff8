//! Catalogue of condition keys: type, single- or multivalued, who sets it (spec C).
//!
//! The rows are dated data files in `data/`; to add a key, add a row. Whether a key is multivalued is
//! *declared* here and never inferred from how many values a request has (spec A6).

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::context::{Context, SetBy};
use crate::hash::lower;
use crate::pattern::{Match, Pattern, Syntax};

/// What kind of text a key's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueType {
    /// Any text.
    String,
    /// A number.
    Numeric,
    /// An instant.
    Date,
    /// `true` or `false`.
    Bool,
    /// An ARN.
    Arn,
    /// An IP address.
    Ip,
}

/// What is known of a condition key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFact {
    /// In AWS's casing. A family ends in `/`.
    pub key: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// Needs a set operator.
    pub multivalued: bool,
    /// Who sets it.
    pub set_by: SetBy,
    /// `principal`, `session`, `network`, …
    pub group: String,
}

/// A token claim that becomes a condition key of its issuer: `<issuer>:<claim>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The claim's name, and the key's part after the colon.
    pub claim: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// Needs a set operator.
    pub multivalued: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the date and source are for those who read the file")]
struct KeyFile {
    as_of: String,
    source: String,
    keys: Vec<KeyFact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the dates and source are for those who read the file")]
struct ClaimFile {
    as_of: String,
    source: String,
    any_issuer: Vec<Claim>,
    issuers: Vec<Issuers>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the date is for those who read the file")]
struct Issuers {
    issuers: Vec<String>,
    built_in: bool,
    since: Option<String>,
    claims: Vec<Claim>,
}

struct Catalogue {
    keys: HashMap<String, KeyFact>,
    any_issuer: Vec<Claim>,
    issuers: Vec<(Vec<Pattern>, bool, Vec<Claim>)>,
}

// The files are part of the program; a test reads them. Should one be unreadable, no key is known.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let keys = serde_json::from_str::<KeyFile>(KEYS).map(|file| file.keys).unwrap_or_default();
    let claims = serde_json::from_str::<ClaimFile>(CLAIMS).ok();
    let (any_issuer, issuers) =
        claims.map(|file| (file.any_issuer, file.issuers)).unwrap_or_default();
    Catalogue {
        keys: keys.into_iter().map(|fact| (lower(&fact.key).into_owned(), fact)).collect(),
        any_issuer,
        issuers: issuers
            .into_iter()
            .map(|row| (issuer_patterns(&row.issuers), row.built_in, row.claims))
            .collect(),
    }
});

const KEYS: &str = include_str!("../data/condition-keys-2026-08.json");
const CLAIMS: &str = include_str!("../data/oidc-claims-2026-08.json");

pub(crate) fn issuer_patterns(issuers: &[String]) -> Vec<Pattern> {
    let syntax = Syntax { wildcards: true, variables: false };
    issuers.iter().map(|issuer| Pattern::compile(issuer, syntax)).collect()
}

pub(crate) fn is_issuer(patterns: &[Pattern], issuer: &str) -> bool {
    let none = Context::new();
    patterns.iter().any(|pattern| pattern.matches(issuer, &none) == Match::Yes)
}

/// All keys of the catalogue that do not belong to a token issuer, in no order.
pub fn facts() -> impl Iterator<Item = &'static KeyFact> {
    CATALOGUE.keys.values()
}

/// What is known of a key; for a member of a family (`aws:PrincipalTag/dept`) the family's row.
#[must_use]
pub fn fact(key: &str) -> Option<&'static KeyFact> {
    let lower = lower(key);
    let whole = CATALOGUE.keys.get(&*lower).filter(|fact| !fact.key.ends_with('/'));
    whole.or_else(|| {
        let family = lower.find('/').and_then(|at| lower.get(..=at))?;
        let complete = family.len() < lower.len();
        CATALOGUE.keys.get(family).filter(|_| complete)
    })
}

/// The claims of an issuer (URL without `https://`) that AWS makes condition keys: for a
/// registered provider those of any issuer first, then the issuer's own. Built-in providers have
/// only their own.
pub fn claims_of(issuer: &str) -> impl Iterator<Item = &'static Claim> {
    let issuer = lower(issuer);
    let own = CATALOGUE.issuers.iter().find(|(patterns, ..)| is_issuer(patterns, &issuer));
    let built_in = own.is_some_and(|(_, built_in, _)| *built_in);
    let any: &'static [Claim] = if built_in { &[] } else { &CATALOGUE.any_issuer };
    any.iter().chain(own.into_iter().flat_map(|(.., claims)| claims))
}

/// The claim behind a key `<issuer>:<claim>`, if the issuer's claims include it.
#[must_use]
pub fn claim(key: &str) -> Option<&'static Claim> {
    let key = lower(key);
    let (issuer, name) = key.split_once(':')?;
    // Service prefixes have no dot; host names do.
    issuer.contains('.').then(|| claims_of(issuer).find(|claim| lower(&claim.claim) == name))?
}

/// Whether the key (in lower case) is declared multivalued; none when the catalogue does not know
/// it.
#[must_use]
pub fn is_multivalued(lower: &str) -> Option<bool> {
    fact(lower).map(|fact| fact.multivalued).or_else(|| claim(lower).map(|claim| claim.multivalued))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_readable_and_keys_unique() {
        let keys: KeyFile = serde_json::from_str(KEYS).unwrap();
        assert_eq!(keys.keys.len(), CATALOGUE.keys.len());
        let claims: ClaimFile = serde_json::from_str(CLAIMS).unwrap();
        assert_eq!(claims.issuers.len(), CATALOGUE.issuers.len());
    }

    #[test]
    fn families_and_providers_are_found() {
        assert_eq!(is_multivalued("aws:tagkeys"), Some(true));
        assert_eq!(is_multivalued("aws:principaltag/x/y"), Some(false));
        assert_eq!(is_multivalued("aws:principaltag/"), None, "a family is not a key");
        assert_eq!(is_multivalued("idp.example/p:amr"), Some(true));
        assert_eq!(is_multivalued("idp.example/p:sub"), Some(false));
        assert_eq!(is_multivalued("idp.example/p:groups"), None);
        assert_eq!(is_multivalued("x:amr"), None, "a service prefix is no issuer");
        assert_eq!(is_multivalued("cognito-identity.amazonaws.com:amr"), Some(true));
        assert_eq!(is_multivalued("www.amazon.com:email"), None);
        let circle = "oidc.circleci.com/org/X:oidc.circleci.com/project-id";
        assert_eq!(claim(circle).unwrap().claim, "oidc.circleci.com/project-id");
    }

    #[test]
    fn github_has_the_listed_claims_and_no_others() {
        let has = |name: &str| claim(&format!("token.actions.githubusercontent.com:{name}"));
        assert!(has("job_workflow_ref").is_some());
        assert!(has("repository_owner").is_none());
        assert!(has("enterprise").is_none());
        assert!(claim("token.actions.githubusercontent.com/acme:actor").is_some());
        assert!(claim("token.actions.acme.ghe.com:actor").is_some());
    }
}

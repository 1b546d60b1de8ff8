//! Claim → session tag, for issuers that cannot send AWS's tag claims.
//!
//! Our own extension: an operator writes `repository → repo` for a provider, and the claim's value
//! becomes the tag's. Off unless configured. As for every tag, the trust policy must allow
//! `sts:TagSession`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::claim_set::kind_of;
use crate::{Check, Claims, Failure, Finding};

/// Where in the claims a value is: a claim's name, or, if it begins with `/`, a JSON pointer
/// (RFC 6901) such as `/kubernetes.io/namespace`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimPath(String);

impl ClaimPath {
    /// A path as the operator writes it.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value there.
    #[must_use]
    pub fn find<'c>(&self, claims: &'c Claims) -> Option<&'c Value> {
        let Some(pointer) = self.0.strip_prefix('/') else { return claims.value(&self.0) };
        let (first, rest) = match pointer.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (pointer, None),
        };
        let claim = claims.value(&first.replace("~1", "/").replace("~0", "~"))?;
        match rest {
            Some(rest) => claim.pointer(&format!("/{rest}")),
            None => Some(claim),
        }
    }
}

/// One line of a mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedClaim {
    /// Which claim.
    pub claim: ClaimPath,
    /// The key of the tag that it becomes.
    pub tag: String,
}

/// A provider's mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mapping(pub Vec<MappedClaim>);

/// What a mapping made of one token.
#[derive(Clone, Debug)]
pub struct Mapped {
    /// One per line of the mapping.
    pub findings: Vec<Finding>,
    /// Key and value of each tag; or the first claim that has no single value.
    pub result: Result<Vec<(String, String)>, Failure>,
}

impl Mapping {
    /// Applies the mapping. A claim that is missing gives no tag. A claim that is an array, an
    /// object or null is refused, because dropping the tag silently could satisfy a policy that
    /// wants it absent.
    #[must_use]
    pub fn apply(&self, claims: &Claims) -> Mapped {
        let mut findings = Vec::with_capacity(self.0.len());
        let mut tags = Vec::with_capacity(self.0.len());
        let mut first = None;
        for MappedClaim { claim, tag } in &self.0 {
            let wanted = format!("{} → tag {tag}", claim.as_str());
            let value = match claim.find(claims) {
                None => {
                    let note = format!("{wanted}: the token has no such claim, so no tag");
                    findings.push(Finding::skipped(Check::Mapping, note));
                    continue;
                }
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Bool(truth)) => truth.to_string(),
                Some(other) => {
                    let had = kind_of(other);
                    findings.push(
                        Finding::fail(Check::Mapping, wanted, had)
                            .noted("a session tag has one value; map a claim that has one"),
                    );
                    first.get_or_insert(Failure::Mapping { claim: claim.as_str().to_owned(), had });
                    continue;
                }
            };
            findings.push(
                Finding::pass(Check::Mapping, wanted, value.clone())
                    .noted("mapped by this server's configuration; AWS would not set this tag"),
            );
            tags.push((tag.clone(), value));
        }
        Mapped { findings, result: first.map_or(Ok(tags), Err) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Verdict;

    fn apply(rows: &[(&str, &str)], claims: Value) -> Mapped {
        let rows = rows.iter().map(|(claim, tag)| MappedClaim {
            claim: ClaimPath::new(*claim),
            tag: tag.to_string(),
        });
        Mapping(rows.collect()).apply(&Claims::new(claims.as_object().cloned().unwrap()))
    }

    #[test]
    fn single_values_become_tags() {
        let rows = [
            ("repository", "repo"),
            ("/kubernetes.io/namespace", "ns"),
            ("https://x/y", "url"),
            ("/https:~1~1x~1y", "pointed"),
            ("n", "n"),
            ("b", "b"),
            ("gone", "gone"),
        ];
        let claims = json!({
            "repository": "o/r", "kubernetes.io": {"namespace": "shop"}, "https://x/y": "v",
            "n": 7, "b": true,
        });
        let mapped = apply(&rows, claims);
        let wanted = [
            ("repo", "o/r"),
            ("ns", "shop"),
            ("url", "v"),
            ("pointed", "v"),
            ("n", "7"),
            ("b", "true"),
        ];
        let wanted: Vec<(String, String)> =
            wanted.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        assert_eq!(mapped.result.unwrap(), wanted);
        assert_eq!(mapped.findings.len(), rows.len());
        assert_eq!(mapped.findings.last().unwrap().verdict, Verdict::Skipped);
    }

    #[test]
    fn what_has_no_single_value_is_refused() {
        for value in [json!(["a"]), json!([]), json!({"a": 1}), json!(null)] {
            let mapped = apply(&[("c", "t"), ("d", "u")], json!({"c": value, "d": "x"}));
            let failure = mapped.result.unwrap_err();
            assert_eq!(failure.check(), Check::Mapping);
            assert_eq!(mapped.findings[0].verdict, Verdict::Fail);
            assert_eq!(mapped.findings[1].verdict, Verdict::Pass, "the rest is still told");
        }
    }
}

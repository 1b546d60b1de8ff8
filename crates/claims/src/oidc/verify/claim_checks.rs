//! The checks on claims.

use serde_json::Value;

use super::{ProviderRules, Record};
use crate::claim_set::kind_of;
use crate::failure::LEEWAY;
use crate::tags::SessionTags;
use crate::{Check, Checks, Claims, Failure, Finding, UnixTime};

/// Required besides `iss`, whose absence the issuer check has already told.
const REQUIRED: [&str; 4] = ["sub", "aud", "iat", "exp"];
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";
const ROLES: &str = "https://aws.amazon.com/roles";

/// 9999-12-31T23:59:59Z: later times are not times (strict).
const LAST_SECOND: i64 = 253_402_300_799;

impl Record {
    /// Presence of all that must be there, and the shape of `aud`, which it returns.
    pub(super) fn required_claims(&mut self, claims: &Claims) -> Option<Vec<String>> {
        const WANTED: &str = "sub, aud, iat and exp";
        // Null is a value of the wrong kind for `sub` and the times, which have words of their own.
        let missing = REQUIRED.into_iter().find(|name| match claims.value(name) {
            None => true,
            Some(value) => *name == "aud" && value.is_null(),
        });
        if let Some(claim) = missing {
            self.fail(WANTED, format!("no {claim}"), Failure::MissingClaim { claim });
            return audiences(claims).ok();
        }
        match audiences(claims) {
            Ok(audiences) => {
                self.pass(Finding::pass(Check::RequiredClaims, WANTED, "all of them"));
                Some(audiences)
            }
            Err(failure) => {
                let had = match &failure {
                    Failure::ClaimType { had, .. } => format!("aud is {had}"),
                    _ => "aud is empty".to_owned(),
                };
                self.fail(WANTED, had, failure);
                None
            }
        }
    }

    pub(super) fn subject(&mut self, claims: &Claims) -> Option<String> {
        const WANTED: &str = "a string or a whole number";
        let subject = match claims.value("sub") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) if !number.is_f64() => number.to_string(),
            None => {
                self.pass(Finding::skipped(Check::Subject, "there is no sub"));
                return None;
            }
            Some(Value::Null) => {
                self.fail(WANTED, "null", Failure::SubjectNull);
                return None;
            }
            Some(other) => {
                let had = kind_of(other);
                self.fail(WANTED, had, Failure::ClaimType { claim: "sub", wanted: WANTED, had });
                return None;
            }
        };
        self.pass(Finding::pass(Check::Subject, WANTED, subject.clone()));
        Some(subject)
    }

    /// Expiry, issue time and not-before, each with the leeway.
    pub(super) fn times(
        &mut self,
        claims: &Claims,
        checks: Checks,
        now: UnixTime,
    ) -> (Option<UnixTime>, Option<UnixTime>, Option<UnixTime>) {
        let exp = self.time(claims, "exp", checks);
        if let Some(exp) = exp {
            let earliest = now.plus(-LEEWAY);
            let wanted = format!("after {earliest}");
            if exp > earliest {
                self.pass(Finding::pass(Check::Expiry, wanted, exp.to_string()));
            } else {
                self.fail(wanted, exp.to_string(), Failure::Expired { now, exp });
            }
        }
        let latest = now.plus(LEEWAY);
        let iat = self.time(claims, "iat", checks);
        if let Some(iat) = iat {
            let wanted = format!("not after {latest}");
            if iat <= latest {
                self.pass(Finding::pass(Check::IssuedAt, wanted, iat.to_string()));
            } else {
                self.fail(wanted, iat.to_string(), Failure::IssuedInFuture { iat });
            }
        }
        let nbf = self.time(claims, "nbf", checks);
        if let Some(nbf) = nbf {
            let wanted = format!("not after {latest}");
            if nbf <= latest {
                self.pass(Finding::pass(Check::NotBefore, wanted, nbf.to_string()));
            } else {
                self.fail(wanted, nbf.to_string(), Failure::NotYetValid { now, nbf });
            }
        }
        (exp, iat, nbf)
    }

    fn time(&mut self, claims: &Claims, claim: &'static str, checks: Checks) -> Option<UnixTime> {
        let failure = Failure::Timestamp { claim };
        let Some(value) = claims.value(claim) else {
            let note = format!("there is no {claim}");
            self.pass(Finding::skipped(failure.check(), note));
            return None;
        };
        let seconds = match (value, checks) {
            (Value::Number(number), Checks::Aws) => number.as_i64(),
            (Value::Number(number), Checks::Strict) => {
                number.as_i64().filter(|seconds| (0..=LAST_SECOND).contains(seconds))
            }
            (Value::String(text), Checks::Aws) => whole_number(text),
            _ => None,
        };
        if seconds.is_none() {
            let wanted = match checks {
                Checks::Strict => "a whole number of seconds since 1970, before the year 10000",
                Checks::Aws => "a whole number of seconds since 1970, or a string of one",
            };
            let had = match value {
                Value::Number(number) => number.to_string(),
                other => kind_of(other).to_owned(),
            };
            self.fail(wanted, had, failure);
        }
        seconds.map(UnixTime)
    }

    /// ATTACK: a token issued to another client of the same issuer, or for several audiences
    /// (corpus/tokens/oidc/azp-foreign.json, aud-*.json).
    pub(super) fn audience(
        &mut self,
        claims: &Claims,
        audiences: Option<&[String]>,
        rules: &ProviderRules,
    ) -> Option<String> {
        let presented = match (claims.value("azp"), audiences) {
            (Some(Value::String(azp)), _) => azp,
            (Some(other), _) => {
                let (wanted, had) = ("azp as a string", kind_of(other));
                self.fail(wanted, had, Failure::ClaimType { claim: "azp", wanted, had });
                return None;
            }
            (None, Some([only])) => only,
            (None, Some(many)) => {
                let had = many.to_vec();
                let listed = had.join(", ");
                self.fail("one audience, or azp", listed, Failure::ManyAudiences { had });
                return None;
            }
            (None, None) => {
                self.pass(Finding::skipped(Check::Audience, "there is no usable aud"));
                return None;
            }
        };
        let note = match claims.value("azp") {
            Some(_) => "azp is present, so it is the audience that counts",
            None => "",
        };
        let wanted = match rules.client_ids.as_slice() {
            [] => "(the provider has no client ids)".to_owned(),
            [only] => only.clone(),
            many => format!("one of {}", many.join(", ")),
        };
        if rules.client_ids.contains(presented) {
            let finding = Finding::pass(Check::Audience, wanted, presented.clone());
            self.pass(finding.noted(note));
            return Some(presented.clone());
        }
        let registered = rules.client_ids.clone();
        let failure = Failure::Audience { had: presented.clone(), registered };
        self.fail_noted(wanted, presented.clone(), note, failure);
        None
    }

    pub(super) fn tags(&mut self, claims: &Claims) -> Option<SessionTags> {
        match SessionTags::from_claims(claims) {
            Ok(tags) if tags.is_empty() => {
                self.pass(Finding::skipped(Check::Tags, "the token carries no session tags"));
                Some(tags)
            }
            Ok(tags) => {
                let had: Vec<String> =
                    tags.principal.iter().map(|(key, value)| format!("{key}={value}")).collect();
                let wanted = "session tags in AWS's form";
                self.pass(Finding::pass(Check::Tags, wanted, had.join(", ")));
                Some(tags)
            }
            Err(fault) => {
                let had = format!("{}: {}", fault.at, fault.had);
                self.fail(fault.wanted, had, Failure::Tags { fault });
                None
            }
        }
    }

    pub(super) fn source_identity(&mut self, claims: &Claims) -> Option<String> {
        match claims.value(SOURCE_IDENTITY) {
            None => {
                let note = "the token carries no source identity";
                self.pass(Finding::skipped(Check::SourceIdentity, note));
                None
            }
            Some(Value::String(text)) => {
                self.pass(Finding::pass(Check::SourceIdentity, "a string", text.clone()));
                Some(text.clone())
            }
            Some(other) => {
                let had = kind_of(other);
                self.fail("a string", had, Failure::SourceIdentity { had });
                None
            }
        }
    }

    /// The roles that the token may be used for; `None` if it does not say.
    pub(super) fn roles(&mut self, claims: &Claims, role: Option<&str>) -> Option<Vec<String>> {
        let listed: Vec<String> = match claims.value(ROLES) {
            None | Some(Value::Null) => {
                let note = "the token does not limit the roles it is for";
                self.pass(Finding::skipped(Check::Roles, note));
                return None;
            }
            Some(Value::String(text)) => text.split(';').map(str::to_owned).collect(),
            // Anything that is not text names no role, and so cannot admit one.
            Some(Value::Array(items)) => {
                items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            Some(_) => Vec::new(),
        };
        match role {
            None => {
                self.pass(Finding::skipped(
                    Check::Roles,
                    "no role to hold the roles claim against",
                ));
            }
            Some(role) if listed.iter().any(|it| it == role) => {
                self.pass(Finding::pass(Check::Roles, role.to_owned(), listed.join(", ")));
            }
            Some(role) => {
                let failure = Failure::RoleNotListed { role: role.to_owned(), had: listed.clone() };
                self.fail(role.to_owned(), listed.join(", "), failure);
            }
        }
        Some(listed)
    }
}

fn audiences(claims: &Claims) -> Result<Vec<String>, Failure> {
    const WANTED: &str = "a string or an array of strings";
    let of_kind = |had| Failure::ClaimType { claim: "aud", wanted: WANTED, had };
    match claims.value("aud") {
        None | Some(Value::Null) => Err(Failure::MissingClaim { claim: "aud" }),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(items)) if items.is_empty() => Err(Failure::EmptyClaim { claim: "aud" }),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or(of_kind("an array with something else than strings")),
        Some(other) => Err(of_kind(kind_of(other))),
    }
}

/// Digits with at most a minus before them; no plus, no blanks, no exponent.
fn whole_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

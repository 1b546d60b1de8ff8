//! The judgement of a token: every check once, in the order in which AWS answers.
//!
//! Read [`judge`] from top to bottom: that *is* the order. Each check pushes one finding; the
//! first that fails decides the result, and the rest are made all the same, for the explanation.

mod claim_checks;

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::failure::Malformed;
use crate::jose::{Alg, KeySet};
use crate::oidc::{Issuer, Unverified, peek};
use crate::tags::SessionTags;
use crate::{Check, Checks, Claims, Failure, Finding, Text, UnixTime};

/// What a provider accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRules {
    /// The only issuer.
    pub issuer: Issuer,
    /// The registered client ids (audiences), compared byte for byte.
    pub client_ids: Vec<String>,
    /// How strict to be.
    pub checks: Checks,
}

/// All that a judgement depends on.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The token, taken apart by [`super::peek()`].
    pub token: &'a Unverified<'a>,
    /// The provider's rules.
    pub rules: &'a ProviderRules,
    /// The provider's keys.
    pub keys: &'a KeySet,
    /// ARN of the role that is asked for, held against the roles claim. `None` skips that check.
    pub role: Option<&'a str>,
    /// The time.
    pub now: UnixTime,
}

/// A judgement.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Every check, in order.
    pub findings: Vec<Finding>,
    /// The proven claims, or the first failure.
    pub result: Result<Verified, Failure>,
}

/// A judgement without keys.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Every check, in order; key and signature are skipped.
    pub findings: Vec<Finding>,
    /// The claims, which nobody has proven, or the first failure.
    pub result: Result<Unproven, Failure>,
}

/// What a token says, once all claims have been judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Presented {
    /// The provider's issuer.
    pub issuer: Issuer,
    /// `sub`; a number as its digits. May be empty.
    pub subject: String,
    /// Whom the token was issued to: `azp` if present, else the only `aud`. AWS's `:aud`.
    pub audience: String,
    /// `aud` as in the token. AWS's `:oaud`.
    pub original_audience: Vec<String>,
    /// All claims.
    pub claims: Claims,
    /// Session tags from AWS's tag claims.
    pub tags: SessionTags,
    /// AWS's source-identity claim.
    pub source_identity: Option<String>,
    /// AWS's roles claim, if present.
    pub roles: Option<Vec<String>>,
    /// Whether the roles claim lists the role that was asked for (`sts:RoleAuthorizedByIdp`).
    pub role_authorized_by_idp: bool,
    /// `iat`.
    pub issued_at: UnixTime,
    /// `exp`. Does not bound the session, but what may be cached.
    pub expires_at: UnixTime,
    /// `nbf`.
    pub not_before: Option<UnixTime>,
    /// The key id that the header names.
    pub kid: Option<String>,
    /// The signature algorithm.
    pub alg: Alg,
    /// Whether a key has proven all this.
    pub signature_checked: bool,
}

/// A token whose signature and claims have been checked. Only [`verify`] makes one.
///
/// INVARIANT: credentials are issued for this type alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Verified(Presented);

/// A token whose claims would do if somebody proved them. Only for explanations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Unproven(Presented);

impl Deref for Verified {
    type Target = Presented;

    fn deref(&self) -> &Presented {
        &self.0
    }
}

impl Deref for Unproven {
    type Target = Presented;

    fn deref(&self) -> &Presented {
        &self.0
    }
}

/// Judges a token.
#[must_use]
pub fn verify(input: &Input<'_>) -> Outcome {
    let Input { token, rules, keys, role, now } = *input;
    let (findings, result) = judge(token, rules, Some(keys), role, now);
    Outcome { findings, result: result.map(Verified) }
}

/// Judges a token from its text: [`super::peek()`] and [`verify`] in one.
#[must_use]
pub fn verify_text(
    token: &str,
    rules: &ProviderRules,
    keys: &KeySet,
    role: Option<&str>,
    now: UnixTime,
) -> Outcome {
    match peek(token) {
        Ok(token) => verify(&Input { token: &token, rules, keys, role, now }),
        Err(failure) => Outcome::unreadable(failure),
    }
}

/// Judges all of a token but its signature, where no keys are at hand.
#[must_use]
pub fn inspect(
    token: &Unverified<'_>,
    rules: &ProviderRules,
    role: Option<&str>,
    now: UnixTime,
) -> Inspection {
    let (findings, result) = judge(token, rules, None, role, now);
    Inspection { findings, result: result.map(Unproven) }
}

impl Outcome {
    /// The judgement of a text that could not even be taken apart.
    #[must_use]
    pub fn unreadable(failure: Failure) -> Self {
        Self { findings: vec![unreadable_finding(&failure)], result: Err(failure) }
    }
}

impl Inspection {
    /// The judgement of a text that could not even be taken apart.
    #[must_use]
    pub fn unreadable(failure: Failure) -> Self {
        Self { findings: vec![unreadable_finding(&failure)], result: Err(failure) }
    }
}

fn unreadable_finding(failure: &Failure) -> Finding {
    let had = match failure {
        Failure::NotAJwt { why } => why.to_string(),
        other => other.name().to_owned(),
    };
    Finding::fail(failure.check(), A_JWT, had)
}

const A_JWT: &str = "a signed JWT in three parts";

fn judge(
    token: &Unverified<'_>,
    rules: &ProviderRules,
    keys: Option<&KeySet>,
    role: Option<&str>,
    now: UnixTime,
) -> (Vec<Finding>, Result<Presented, Failure>) {
    let mut record = Record { findings: Vec::with_capacity(18), first: None };
    let claims = &token.claims;

    // What the token is.
    record.pass(Finding::pass(Check::Structure, A_JWT, A_JWT));
    record.duplicates(token, rules.checks);
    let alg = record.algorithm(token);
    record.critical(token, rules.checks);
    record.kind_of_token(token, rules.checks);
    // Who says so, and whether they do.
    record.issuer(token, rules);
    let audiences = record.required_claims(claims);
    let subject = record.subject(claims);
    record.signature(token, alg, keys);
    // When.
    let (expires_at, issued_at, not_before) = record.times(claims, rules.checks, now);
    // To whom.
    let audience = record.audience(claims, audiences.as_deref(), rules);
    // What for.
    let tags = record.tags(claims);
    let source_identity = record.source_identity(claims);
    let roles = record.roles(claims, role);

    let complete = || {
        Some(Presented {
            issuer: rules.issuer.clone(),
            subject: subject?,
            audience: audience?,
            original_audience: audiences?,
            claims: claims.clone(),
            tags: tags?,
            source_identity,
            role_authorized_by_idp: roles.is_some() && role.is_some(),
            roles,
            issued_at: issued_at?,
            expires_at: expires_at?,
            not_before,
            kid: token.header.kid.clone(),
            alg: alg?,
            signature_checked: keys.is_some(),
        })
    };
    let result = match record.first {
        Some(failure) => Err(failure),
        // INVARIANT: whatever is missing here has already failed above.
        None => complete().ok_or(Failure::Signature),
    };
    (record.findings, result)
}

/// The findings so far, and the first failure.
struct Record {
    findings: Vec<Finding>,
    first: Option<Failure>,
}

impl Record {
    fn pass(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn fail(&mut self, wanted: impl Into<Text>, had: impl Into<Text>, failure: Failure) {
        self.fail_noted(wanted, had, "", failure);
    }

    fn fail_noted(
        &mut self,
        wanted: impl Into<Text>,
        had: impl Into<Text>,
        note: impl Into<Text>,
        failure: Failure,
    ) {
        self.findings.push(Finding::fail(failure.check(), wanted, had).noted(note));
        self.first.get_or_insert(failure);
    }

    fn duplicates(&mut self, token: &Unverified<'_>, checks: Checks) {
        const WANTED: &str = "each member once";
        match (token.duplicate(), checks) {
            (None, _) => self.pass(Finding::pass(Check::Duplicates, WANTED, WANTED)),
            (Some(why), Checks::Strict) => {
                self.fail(WANTED, why.to_string(), Failure::NotAJwt { why });
            }
            (Some(why), Checks::Aws) => self.pass(
                Finding::pass(Check::Duplicates, "anything", why.to_string())
                    .noted("as AWS does, the last one counts"),
            ),
        }
    }

    fn algorithm(&mut self, token: &Unverified<'_>) -> Option<Alg> {
        const WANTED: &str = "RS256, RS384, RS512, ES256, ES384 or ES512";
        match token.algorithm() {
            Ok(alg) => {
                self.pass(Finding::pass(Check::Algorithm, WANTED, alg.name()));
                Some(alg)
            }
            Err(failure) => {
                self.fail(WANTED, token.header.alg.clone(), failure);
                None
            }
        }
    }

    fn critical(&mut self, token: &Unverified<'_>, checks: Checks) {
        const WANTED: &str = "no critical extension";
        let unencoded = token.header.members.get("b64").is_some_and(|b64| b64 != true);
        match token.no_critical_extension() {
            Err(failure) => self.fail(WANTED, "crit", failure),
            Ok(()) if unencoded && checks == Checks::Strict => {
                let why = Malformed::UnencodedPayload;
                self.fail(WANTED, why.to_string(), Failure::NotAJwt { why });
            }
            Ok(()) => self.pass(Finding::pass(Check::Critical, WANTED, WANTED)),
        }
    }

    /// ATTACK: a token of another kind, signed with the same key, used as an identity token
    /// (corpus/tokens/oidc/typ-*.json).
    fn kind_of_token(&mut self, token: &Unverified<'_>, checks: Checks) {
        const WANTED: &str = "JWT, or none";
        let Some(typ) = &token.header.typ else {
            return self.pass(Finding::pass(Check::Type, WANTED, "none"));
        };
        let is_jwt = typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("application/jwt");
        match checks {
            Checks::Strict if !is_jwt => {
                let why = Malformed::Type { typ: typ.clone() };
                let note = "tokens of other kinds are not identity tokens (RFC 8725 section 3.11)";
                self.fail_noted(WANTED, typ.clone(), note, Failure::NotAJwt { why });
            }
            Checks::Strict => self.pass(Finding::pass(Check::Type, WANTED, typ.clone())),
            Checks::Aws => self.pass(Finding::pass(Check::Type, "anything", typ.clone())),
        }
    }

    fn issuer(&mut self, token: &Unverified<'_>, rules: &ProviderRules) {
        let wanted = rules.issuer.as_str();
        match token.issuer() {
            Ok(had) if rules.issuer.accepts(had) => {
                self.pass(Finding::pass(Check::Issuer, wanted.to_owned(), had.to_owned()));
            }
            Ok(had) => {
                let failure =
                    Failure::Issuer { wanted: Some(wanted.to_owned()), had: had.to_owned() };
                self.fail(wanted.to_owned(), had.to_owned(), failure);
            }
            Err(failure) => {
                let had = match &failure {
                    Failure::ClaimType { had, .. } => had,
                    _ => "no iss",
                };
                self.fail(wanted.to_owned(), had, failure);
            }
        }
    }

    /// INVARIANT: the only place where a signature is checked, and it is checked once.
    fn signature(&mut self, token: &Unverified<'_>, alg: Option<Alg>, keys: Option<&KeySet>) {
        const WANTED: &str = "a usable key of this issuer for kid and alg";
        let (Some(alg), Some(keys)) = (alg, keys) else {
            let note = match keys {
                None => "signature not checked: no keys at hand",
                Some(_) => "signature not checked: no acceptable algorithm",
            };
            self.pass(Finding::skipped(Check::Key, note));
            return self.pass(Finding::skipped(Check::Signature, note));
        };
        let note = match token.header.offered_keys().next() {
            Some(_) => "the header brings a key of its own (jwk, jku, x5u or x5c): never used",
            None => "",
        };
        let material = match keys.select(token.kid(), alg) {
            Ok(material) => material,
            Err(miss) => {
                self.fail_noted(WANTED, miss.to_string(), note, Failure::Key { miss });
                let note = "signature not checked: no key";
                return self.pass(Finding::skipped(Check::Signature, note));
            }
        };
        let had: Text = match token.kid() {
            Some(kid) => format!("kid {kid}").into(),
            None => "no kid; the issuer has one key".into(),
        };
        self.pass(Finding::pass(Check::Key, WANTED, had).noted(note));
        let wanted = "a signature by that key";
        if material.verifies(alg, token.signed.as_bytes(), &token.signature) {
            self.pass(Finding::pass(Check::Signature, wanted, wanted));
        } else {
            self.fail(wanted, "a signature that is not", Failure::Signature);
        }
    }
}

#[cfg(test)]
mod tests;

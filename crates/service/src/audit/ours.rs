//! What an event says beyond CloudTrail: the outcome, every check, every decision, the cause.
//!
//! These are the log book's own types, not the evaluator's: what is written today must still be
//! read after the evaluator has changed. Lists and texts are bounded, because what fills them may
//! come from a stranger. `explain` makes its story from these and nothing else.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::Text;
use super::redact::scrubbed;

/// Longest claim value, wanted or had that is kept, in characters; longer ones end in `…`.
pub const MAX_TEXT: usize = 512;
/// Most claims, checks, keys or values of one list that are kept.
pub const MAX_LIST: usize = 64;
/// Most statements of one decision that are kept.
pub const MAX_STATEMENTS: usize = 64;
/// Longest canonical request or string to sign that is kept, in characters.
pub const MAX_CANONICAL: usize = 8192;

/// How the call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It got what it asked for.
    Allowed,
    /// Policy, or a token's content, said no.
    Denied,
    /// It was allowed, or never needed to be, but could not be done.
    #[default]
    Failed,
    /// It could not be understood.
    Malformed,
    /// The caller could not be proven: no, unknown or wrong credentials; an unusable token.
    Unauthenticated,
}

impl Outcome {
    /// Everything but allowed.
    #[must_use]
    pub fn refused(self) -> bool {
        self != Outcome::Allowed
    }

    /// The word in the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Allowed => "allowed",
            Outcome::Denied => "denied",
            Outcome::Failed => "failed",
            Outcome::Malformed => "malformed",
            Outcome::Unauthenticated => "unauthenticated",
        }
    }
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Held.
    Pass,
    /// Did not hold.
    Fail,
    /// Not looked at: an earlier check had failed, or a setting turned it off.
    #[default]
    Skipped,
}

/// One check: what it was about, what was wanted, what was there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Check {
    /// A short fixed name, such as `aud`, `signature`, `duration`.
    pub name: Text,
    /// How it went.
    pub verdict: Mark,
    /// What would have passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Text>,
    /// What was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub had: Option<Text>,
    /// Anything else worth a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
    /// True if AWS would not make this check.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ours: bool,
}

/// Names of the checks that are not a token's (those are [`claims::Check`]'s).
pub mod check {
    /// The request's own signature (SigV4).
    pub const REQUEST_SIGNATURE: &str = "request-signature";
    /// The access key that signed is known and active.
    pub const ACCESS_KEY: &str = "access-key";
    /// The session token belongs to the key and opens.
    pub const SESSION_TOKEN: &str = "session-token";
    /// The session has not expired.
    pub const SESSION_EXPIRY: &str = "session-expiry";
    /// There is an identity provider for the token's issuer in the role's account.
    pub const PROVIDER: &str = "provider";
    /// The identity provider could be reached for its keys.
    pub const PROVIDER_REACHED: &str = "provider-reached";
    /// The role exists.
    pub const ROLE: &str = "role";
    /// The duration asked is within the role's maximum; wanted and had in seconds.
    pub const DURATION: &str = "duration";
    /// Session policies and tags fit.
    pub const PACKED_SIZE: &str = "packed-size";
    /// Session tags are well-formed and collide with nothing.
    pub const SESSION_TAGS: &str = "session-tags";
    /// A chain's source identity stays the same.
    pub const SOURCE_IDENTITY: &str = "source-identity";
    /// Credentials of this kind may make the call at all.
    pub const SESSION_KIND: &str = "session-kind";
    /// The one-time code is a fresh one of the caller's own device.
    pub const MFA: &str = "mfa";
    /// The input's shape.
    pub const INPUT: &str = "input";
}

impl Check {
    /// A check that held.
    #[must_use]
    pub fn pass(name: impl Into<Text>) -> Self {
        Self { name: name.into(), verdict: Mark::Pass, ..Self::default() }
    }

    /// A check that did not hold.
    #[must_use]
    pub fn fail(name: impl Into<Text>) -> Self {
        Self { name: name.into(), verdict: Mark::Fail, ..Self::default() }
    }

    /// A check that was not made.
    #[must_use]
    pub fn skipped(name: impl Into<Text>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Says what would have passed.
    #[must_use]
    pub fn wanted(mut self, text: impl Into<Text>) -> Self {
        self.wanted = Some(safe(text.into()));
        self
    }

    /// Says what was there. Never a token, a signature or a secret.
    #[must_use]
    pub fn had(mut self, text: impl Into<Text>) -> Self {
        self.had = Some(safe(text.into()));
        self
    }

    /// Adds a remark.
    #[must_use]
    pub fn note(mut self, text: impl Into<Text>) -> Self {
        self.note = Some(safe(text.into()));
        self
    }

    /// Marks it as one that AWS would not make.
    #[must_use]
    pub fn ours(mut self) -> Self {
        self.ours = true;
        self
    }
}

/// What a decision came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Some statement allowed it and nothing stood against it.
    Allowed,
    /// A Deny statement matched.
    ExplicitDeny,
    /// Nothing allowed it.
    #[default]
    ImplicitDeny,
}

/// The layer of policies that decided, or that a statement stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Layer {
    /// Inline, managed and group policies of the caller.
    Identity,
    /// The caller's permissions boundary.
    Boundary,
    /// The policies passed when the session was made.
    Session,
    /// A resource's own policy.
    Resource,
    /// A role's trust policy.
    Trust,
    /// An organization's service control policies.
    Scp,
    /// An organization's resource control policies.
    Rcp,
    /// What the service itself grants without a policy.
    Service,
}

impl Layer {
    /// In plain words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Layer::Identity => "identity-based policy",
            Layer::Boundary => "permissions boundary",
            Layer::Session => "session policy",
            Layer::Resource => "resource-based policy",
            Layer::Trust => "role trust policy",
            Layer::Scp => "service control policy",
            Layer::Rcp => "resource control policy",
            Layer::Service => "the service itself",
        }
    }

    /// True for what belongs to the resource's owner.
    #[must_use]
    pub fn on_resource_side(self) -> bool {
        matches!(self, Layer::Resource | Layer::Trust | Layer::Rcp)
    }
}

/// Where a statement stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementAt {
    /// The layer.
    pub layer: Layer,
    /// The policy's ARN, or its name when inline.
    pub policy: String,
    /// Its place in the document, from 0.
    pub statement: u32,
    /// Its `Sid`, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// One decision of the policy evaluator, as kept in the log book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct DecisionRecord {
    /// The action asked, such as `sts:TagSession`.
    pub action: Text,
    /// The resource's ARN or `*`.
    pub resource: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The layer that decided; none for an allow of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Layer>,
    /// The statement that decided; none for an implicit deny.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub determining: Option<StatementAt>,
    /// The condition keys that were read, with their values then (a denial's complete, an allow's
    /// names only).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyRead>,
    /// Every statement that was looked at; only of denials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<StatementTrace>,
}

/// A condition key that the evaluator read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct KeyRead {
    /// Its name as the policy writes it.
    pub key: Text,
    /// Its values; none when the key was absent or, for an allow, not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
    /// True if AWS does not expose this key.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ours: bool,
}

/// The part of a statement at which it stopped matching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Element {
    /// `Action` or `NotAction`.
    Action,
    /// `Resource` or `NotResource`.
    Resource,
    /// `Principal` or `NotPrincipal`.
    Principal,
    /// `Condition`.
    Condition,
}

/// How one statement met the ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementTrace {
    /// Where it stands.
    #[serde(flatten)]
    pub at: StatementAt,
    /// True for Deny.
    pub deny: bool,
    /// True if all of it matched.
    pub matched: bool,
    /// The first element that did not match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Element>,
    /// What that element lists, when it is not the condition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<String>,
    /// What the ask had for that element, when it is not the condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub had: Option<String>,
    /// Its conditions, all of them, if it came that far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ConditionTrace>,
}

/// How one condition met the context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionTrace {
    /// The operator as written, with set prefix and `IfExists`.
    pub operator: String,
    /// The key as written.
    pub key: String,
    /// The policy's values, with variables filled in.
    pub wanted: Vec<String>,
    /// The policy's values as written, if a variable made them different.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<String>,
    /// The context's values; none when the key was absent.
    pub had: Option<Vec<String>>,
    /// Whether it held.
    pub matched: bool,
    /// True if AWS does not expose this key.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ours: bool,
}

/// What was computed for a signature that did not match. Holds no secret: a canonical request is
/// made of what the client sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureTrace {
    /// The canonical request that the server computed.
    pub canonical_request: String,
    /// The string to sign that it computed.
    pub string_to_sign: String,
    /// The likeliest cause in plain words, if one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A finding in a policy document that a call brought along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentFinding {
    /// A stable code.
    pub code: Text,
    /// The sentence.
    pub message: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The offending text, cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A tag that the configuration, not the token, made out of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedTag {
    /// The claim.
    pub claim: String,
    /// The tag's key.
    pub tag: String,
    /// Its value.
    pub value: String,
}

/// Many events in one: what the flood limit did not write in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Aggregate {
    /// How many calls this entry stands for.
    pub count: u64,
    /// When the first of them came.
    #[serde(with = "super::event::whole_seconds")]
    pub from: Timestamp,
    /// When the last of them came.
    #[serde(with = "super::event::whole_seconds")]
    pub to: Timestamp,
    /// The source they share: a /24 of IPv4, a /48 of IPv6, or `many`.
    pub source: String,
    /// The request ids of the first few.
    pub request_ids: Vec<String>,
}

/// An assertion that credentials were issued for: none is taken twice, also after a restart. Holds
/// digests alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionUse {
    /// Of provider, assertion id and role.
    pub assertion: String,
    /// Of the whole request.
    pub request: String,
    /// When the assertion ends anyway, in seconds since 1970.
    pub until: i64,
}

/// Our fields. Empty ones are not written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Ours {
    /// How the call ended.
    pub outcome: Outcome,
    /// True if the caller was proven: its signature, or its token's, held.
    #[serde(skip_serializing_if = "is_false")]
    pub proven: bool,
    /// When the call came in, in microseconds since 1970: finer than `eventTime`.
    pub at_micros: i64,
    /// How long the call took, in microseconds.
    pub duration_micros: u64,
    /// The revision of the configuration that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The identity provider asked: its ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The presented token's claims by name; never the token.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: Arc<BTreeMap<String, Value>>,
    /// The assertion that credentials were issued for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<AssertionUse>,
    /// Every check that was made or left out, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Arc<Check>>,
    /// Every decision, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<DecisionRecord>,
    /// What was computed for a signature that did not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Box<SignatureTrace>>,
    /// Tags that the configuration made out of claims.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mapped_tags: Vec<MappedTag>,
    /// Condition keys that decided and that AWS would not see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extended_keys: Vec<String>,
    /// Findings in policy documents that the call brought along.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<DocumentFinding>,
    /// The precise cause when the client was told less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Set on entries that stand for many calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Box<Aggregate>>,
    /// Parts that the size bound cut away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trimmed: Vec<Text>,
}

impl Ours {
    /// Leaves only what the owner of the resource may see of a stranger's call.
    pub(super) fn keep_resource_side(&mut self) {
        let theirs = |layer: Option<Layer>| layer.is_some_and(Layer::on_resource_side);
        for decision in &mut self.decisions {
            decision.statements.retain(|s| s.at.layer.on_resource_side());
            decision.keys.clear();
            if !theirs(decision.determining.as_ref().map(|at| at.layer)) {
                decision.determining = None;
            }
            if !theirs(decision.layer) {
                decision.layer = None;
            }
        }
        self.signature = None;
        self.diagnostics.clear();
        self.cause = None;
    }

    /// Cuts what belongs to the owner of a foreign resource: its policies and its tags.
    ///
    /// ATTACK: a stranger asks for a role, is refused, and reads in its own log book which
    /// `sts:ExternalId` the role's trust policy wants.
    pub(super) fn keep_caller_side(&mut self) {
        let theirs = |layer: Option<Layer>| layer.is_some_and(Layer::on_resource_side);
        for decision in &mut self.decisions {
            decision.statements.retain(|s| !s.at.layer.on_resource_side());
            for condition in decision.statements.iter_mut().flat_map(|s| &mut s.conditions) {
                if is_of_resource(&condition.key) {
                    condition.had = None;
                }
            }
            decision.keys.retain(|read| !is_of_resource(&read.key) && read.values.is_some());
            if theirs(decision.determining.as_ref().map(|at| at.layer)) {
                decision.determining = None;
            }
            if theirs(decision.layer) {
                decision.layer = None;
            }
        }
    }
}

fn is_of_resource(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.starts_with("aws:resourcetag/") || key.starts_with("iam:resourcetag/")
}

/// At most [`MAX_LIST`] of `texts`, each cut to [`MAX_TEXT`] characters and free of tokens.
#[must_use]
pub fn bounded_list<T: AsRef<str>>(texts: &[T]) -> Vec<String> {
    let safe = |text: &T| safe(text.as_ref().to_owned().into()).into_owned();
    texts.iter().take(MAX_LIST).map(safe).collect()
}

/// `text`, cut to `limit` characters with a visible mark.
#[must_use]
pub fn bounded(text: Text, limit: usize) -> Text {
    match end_of(&text, limit) {
        None => text,
        Some(at) => {
            let mut cut = text.get(..at).unwrap_or_default().to_owned();
            cut.push('…');
            Cow::Owned(cut)
        }
    }
}

/// Where a text of more than `limit` characters is cut.
pub(super) fn end_of(text: &str, limit: usize) -> Option<usize> {
    // A character has at least one byte: most texts need not be counted.
    let long = text.len() > limit;
    long.then(|| text.char_indices().nth(limit)).flatten().map(|(at, _)| at)
}

/// Cut, and free of tokens.
fn safe(text: Text) -> Text {
    let clean = match scrubbed(&text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(clean) => Some(clean),
    };
    bounded(clean.map_or(text, Cow::Owned), MAX_TEXT)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if wants &bool")]
fn is_false(value: &bool) -> bool {
    !value
}

//! One check that was made on a token, its input and its result.
//!
//! A token is judged once, completely: the findings hold every check, also those after the first
//! failure, so that an explanation shows all that is wrong with it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Text that is mostly constant: a passing check costs no allocation.
pub type Text = Cow<'static, str>;

/// Which check was made. Those of web identity tokens come first, in the order in which they are
/// made and in which AWS answers; those that only assertions have follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Three canonical base64url parts, JSON objects, within limits (RFC 7515 section 7.1).
    Structure,
    /// No member of header or claims occurs twice (RFC 7515 section 4, RFC 7519 section 4).
    Duplicates,
    /// `alg` is one of the six accepted ones.
    Algorithm,
    /// No critical extension that we would have to understand (RFC 7515 section 4.1.11).
    Critical,
    /// `typ` does not say that this is something else than an ID token (RFC 8725 section 3.11).
    Type,
    /// `iss` is the provider's, byte for byte.
    Issuer,
    /// `iss`, `sub`, `aud`, `iat`, `exp` are there and have the right shape.
    RequiredClaims,
    /// `sub` is a string or a whole number.
    Subject,
    /// The provider has one usable key for the token's `kid` and `alg`.
    Key,
    /// The signature is that key's.
    Signature,
    /// `exp` has not passed (5 minutes of leeway).
    Expiry,
    /// `iat` is not in the future (5 minutes of leeway).
    IssuedAt,
    /// `nbf` has passed (5 minutes of leeway).
    NotBefore,
    /// `azp`, else the only `aud`, is a registered client id.
    Audience,
    /// The session-tag claims have their documented shape.
    Tags,
    /// The source-identity claim is a string.
    SourceIdentity,
    /// The roles claim, if there is one, lists the role that is asked for.
    Roles,
    /// Our own extension: claims that the operator maps to session tags.
    Mapping,
    /// The assertion is encrypted as the provider demands, to one of its keys.
    Encryption,
    /// The response's own signature, if it has one, is the provider's.
    ResponseSignature,
    /// No SHA-1 in the signature.
    WeakHash,
    /// The response names the same issuer as its assertion.
    ResponseIssuer,
    /// The response says that the sign-in succeeded.
    Status,
    /// The response is addressed to us.
    Destination,
    /// The subject is confirmed once, with a recipient and an end.
    SubjectConfirmation,
    /// The subject is confirmed by bearing the assertion.
    Bearer,
    /// The subject's confirmation is addressed to us.
    Recipient,
    /// The assertion has its conditions.
    Conditions,
    /// No condition that we would have to understand.
    UnknownConditions,
    /// Every audience restriction names one of our audiences.
    AudienceRestriction,
    /// The assertion's windows have opened.
    WindowStart,
    /// The assertion says that its subject has signed in.
    AuthnStatement,
    /// The attribute that names the session.
    SessionName,
    /// The attribute that says how long the session may last.
    SessionDuration,
    /// The assertion has not been used before for this role.
    OneTimeUse,
}

impl Check {
    /// The name used in data files and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Duplicates => "duplicates",
            Self::Algorithm => "algorithm",
            Self::Critical => "critical",
            Self::Type => "type",
            Self::Issuer => "issuer",
            Self::RequiredClaims => "required-claims",
            Self::Subject => "subject",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Expiry => "expiry",
            Self::IssuedAt => "issued-at",
            Self::NotBefore => "not-before",
            Self::Audience => "audience",
            Self::Tags => "tags",
            Self::SourceIdentity => "source-identity",
            Self::Roles => "roles",
            Self::Mapping => "mapping",
            Self::Encryption => "encryption",
            Self::ResponseSignature => "response-signature",
            Self::WeakHash => "weak-hash",
            Self::ResponseIssuer => "response-issuer",
            Self::Status => "status",
            Self::Destination => "destination",
            Self::SubjectConfirmation => "subject-confirmation",
            Self::Bearer => "bearer",
            Self::Recipient => "recipient",
            Self::Conditions => "conditions",
            Self::UnknownConditions => "unknown-conditions",
            Self::AudienceRestriction => "audience-restriction",
            Self::WindowStart => "window-start",
            Self::AuthnStatement => "authn-statement",
            Self::SessionName => "session-name",
            Self::SessionDuration => "session-duration",
            Self::OneTimeUse => "one-time-use",
        }
    }
}

impl Check {
    /// Whether AWS never makes it: our extensions, and what `aws` mode leaves out of SAML.
    #[must_use]
    pub fn is_ours(self) -> bool {
        matches!(
            self,
            Self::Mapping
                | Self::WeakHash
                | Self::ResponseIssuer
                | Self::Status
                | Self::Destination
                | Self::Bearer
                | Self::Recipient
                | Self::UnknownConditions
                | Self::AudienceRestriction
                | Self::WindowStart
                | Self::OneTimeUse
        )
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The token satisfies the check.
    Pass,
    /// It does not.
    Fail,
    /// There was nothing to check, or it could not be checked; the note says which.
    Skipped,
}

/// One check with what was wanted and what was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which check.
    pub check: Check,
    /// How it ended.
    pub verdict: Verdict,
    /// What would have passed. Empty when skipped.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub wanted: Text,
    /// What the token had. Claims and key ids only; never the token, never a signature.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub had: Text,
    /// What a reader should know besides. May be empty.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub note: Text,
}

impl Finding {
    /// A check that the token satisfies.
    pub fn pass(check: Check, wanted: impl Into<Text>, had: impl Into<Text>) -> Self {
        Self::of(check, Verdict::Pass, wanted, had)
    }

    /// A check that the token does not satisfy.
    pub fn fail(check: Check, wanted: impl Into<Text>, had: impl Into<Text>) -> Self {
        Self::of(check, Verdict::Fail, wanted, had)
    }

    /// A check that was not made, and why.
    pub fn skipped(check: Check, note: impl Into<Text>) -> Self {
        Self::of(check, Verdict::Skipped, "", "").noted(note)
    }

    /// The same with a note.
    #[must_use]
    pub fn noted(mut self, note: impl Into<Text>) -> Self {
        self.note = note.into();
        self
    }

    fn of(check: Check, verdict: Verdict, wanted: impl Into<Text>, had: impl Into<Text>) -> Self {
        Self { check, verdict, wanted: wanted.into(), had: had.into(), note: Text::Borrowed("") }
    }
}

//! Why an assertion is refused, as data, and the sentence a client is told.

use serde::Serialize;

use super::signature::SignatureFault;
use super::xml::XmlFault;
use crate::{Check, UnixTime};

/// The first reason for refusing a response, in the order in which the checks are made.
///
/// Holds no AWS codes (those belong to the service) but all that AWS's texts need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "failure", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Failure {
    /// Not XML that we read.
    NotXml {
        /// What exactly is wrong.
        why: XmlFault,
    },
    /// Not one response with one assertion.
    Structure {
        /// What should be there.
        wanted: &'static str,
    },
    /// The assertion is in plain text where the provider demands encryption, is encrypted to
    /// another key, or not in a way that is accepted.
    Encryption,
    /// The assertion has no signature of its own.
    Unsigned,
    /// A signature does not hold.
    Signature {
        /// The assertion's, or the response's.
        check: Check,
        /// Why.
        why: SignatureFault,
    },
    /// SHA-1 is part of the signature (strict only).
    WeakHash,
    /// The assertion's issuer is not the provider's entity id.
    Issuer {
        /// The provider's entity id.
        wanted: String,
        /// The assertion's issuer.
        had: String,
    },
    /// The response's issuer is another than the assertion's (strict only).
    ResponseIssuer,
    /// The response's status is not success (strict only).
    Status {
        /// Its code.
        had: String,
    },
    /// The response was made for another address (strict only).
    Destination {
        /// Its destination.
        had: String,
    },
    /// Something that must be there once is missing, repeated or malformed.
    Part {
        /// Which.
        what: &'static str,
        /// The check that looks for it.
        check: Check,
    },
    /// A condition that is not known (strict only).
    UnknownCondition {
        /// Its name.
        had: String,
    },
    /// A window has closed.
    Expired {
        /// Which: `Conditions`, `SubjectConfirmationData`, `AuthnStatement`.
        what: &'static str,
        /// When.
        at: UnixTime,
    },
    /// A window has not opened yet (strict only).
    NotYetValid {
        /// When it will.
        at: UnixTime,
    },
    /// The assertion was made for another audience (strict only).
    Audience {
        /// For these.
        had: Vec<String>,
    },
    /// The subject is not confirmed by bearing the assertion (strict only).
    Bearer {
        /// The method.
        had: String,
    },
    /// The assertion was made for another recipient (strict only).
    Recipient {
        /// For this one.
        had: String,
    },
    /// The Role attribute does not have the pair that is asked for.
    Role {
        /// The pairs, as written.
        had: Vec<String>,
    },
    /// There is no RoleSessionName attribute.
    NoSessionName,
    /// RoleSessionName has several values, or one that is not permitted.
    SessionName,
    /// SourceIdentity has several values, or one that is not permitted.
    SourceIdentity,
    /// SessionDuration is not a number of seconds from 900 to 43200.
    SessionDuration,
    /// A PrincipalTag attribute has not exactly one value.
    Tag {
        /// The tag's key.
        key: String,
        /// How many values it has.
        values: usize,
    },
    /// Something is wrong with an encrypted response, and the client is not told what.
    ///
    /// ATTACK: a decryption oracle (corpus/saml/encrypted/).
    Hidden {
        /// What it is, for the operator.
        #[serde(rename = "why")]
        inner: Box<Self>,
    },
}

/// What AWS appends to errors of the service behind its own. The id is not the request's.
const BEHIND: &str = "(Service: AWSOpenIdDiscoveryService; Status Code: 400; \
    Error Code: AuthSamlInvalidSamlResponseException; Request ID: null; Proxy: null)";

impl Failure {
    /// The variant's name, as data files use it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotXml { .. } => "NotXml",
            Self::Structure { .. } => "Structure",
            Self::Encryption => "Encryption",
            Self::Unsigned => "Unsigned",
            Self::Signature { .. } => "Signature",
            Self::WeakHash => "WeakHash",
            Self::Issuer { .. } => "Issuer",
            Self::ResponseIssuer => "ResponseIssuer",
            Self::Status { .. } => "Status",
            Self::Destination { .. } => "Destination",
            Self::Part { .. } => "Part",
            Self::UnknownCondition { .. } => "UnknownCondition",
            Self::Expired { .. } => "Expired",
            Self::NotYetValid { .. } => "NotYetValid",
            Self::Audience { .. } => "Audience",
            Self::Bearer { .. } => "Bearer",
            Self::Recipient { .. } => "Recipient",
            Self::Role { .. } => "Role",
            Self::NoSessionName => "NoSessionName",
            Self::SessionName => "SessionName",
            Self::SourceIdentity => "SourceIdentity",
            Self::SessionDuration => "SessionDuration",
            Self::Tag { .. } => "Tag",
            Self::Hidden { inner } => inner.name(),
        }
    }

    /// The check whose finding has failed.
    #[must_use]
    pub fn check(&self) -> Check {
        match self {
            Self::NotXml { .. } | Self::Structure { .. } => Check::Structure,
            Self::Encryption => Check::Encryption,
            Self::Unsigned => Check::Signature,
            Self::WeakHash => Check::WeakHash,
            Self::Issuer { .. } => Check::Issuer,
            Self::ResponseIssuer => Check::ResponseIssuer,
            Self::Status { .. } => Check::Status,
            Self::Destination { .. } => Check::Destination,
            Self::Signature { check, .. } | Self::Part { check, .. } => *check,
            Self::UnknownCondition { .. } => Check::UnknownConditions,
            Self::Expired { .. } => Check::Expiry,
            Self::NotYetValid { .. } => Check::WindowStart,
            Self::Audience { .. } => Check::AudienceRestriction,
            Self::Bearer { .. } => Check::Bearer,
            Self::Recipient { .. } => Check::Recipient,
            Self::Role { .. } => Check::Roles,
            Self::NoSessionName | Self::SessionName => Check::SessionName,
            Self::SourceIdentity => Check::SourceIdentity,
            Self::SessionDuration => Check::SessionDuration,
            Self::Tag { .. } => Check::Tags,
            Self::Hidden { inner } => inner.check(),
        }
    }

    /// Whether the client is told that the response has expired, which has a code of its own.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Expired { .. })
    }

    /// What AWS tells the client. Texts of checks that AWS does not make are the nearest of its
    /// own; see `docs/unsure.md`.
    #[must_use]
    pub fn client_text(&self) -> String {
        match self {
            Self::Unsigned => format!(
                "Response (with optional signature) must contain an assertion with a mandatory \
                 signature {BEHIND}"
            ),
            Self::Signature { .. } | Self::WeakHash => "Response signature invalid".to_owned(),
            Self::Issuer { .. } | Self::ResponseIssuer => {
                "Issuer not present in specified provider".to_owned()
            }
            Self::Expired { .. } => "Response has expired".to_owned(),
            Self::Audience { .. } => "Response does not contain the required audience.".to_owned(),
            Self::Role { .. } => "SAML Assertion doesn't contain the requested Role and Metadata \
                 in the attributes"
                .to_owned(),
            Self::NoSessionName => "RoleSessionName is required in AuthnResponse".to_owned(),
            Self::SessionName => {
                "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}".to_owned()
            }
            Self::SourceIdentity => "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not \
                 begin with \"aws:\""
                .to_owned(),
            _ => format!("Invalid base64 SAMLResponse {BEHIND}"),
        }
    }
}

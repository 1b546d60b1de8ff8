//! Why a token is refused, as data, and the sentence a client is told.

use serde::Serialize;

use crate::jose::json::JsonFault;
use crate::jose::jwk::KeyMiss;
use crate::tags::TagsFault;
use crate::{Check, UnixTime};

/// The first reason for refusing a token, in the order in which AWS checks.
///
/// Holds no AWS codes (those belong to the service) but all that AWS's texts need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "failure", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Failure {
    /// The text is not a compact JWS with JSON claims, or is one that we will not read.
    NotAJwt {
        /// What exactly is wrong.
        why: Malformed,
    },
    /// `alg` is not RS256, RS384, RS512, ES256, ES384 or ES512.
    Algorithm {
        /// The header's `alg`.
        had: String,
    },
    /// The header has `crit`: it demands extensions, of which we know none.
    Critical,
    /// `iss` is not the provider's issuer. The service uses the same for "no such provider".
    Issuer {
        /// The provider's issuer, if there is a provider.
        wanted: Option<String>,
        /// The token's `iss`.
        had: String,
    },
    /// One of `iss`, `sub`, `aud`, `iat`, `exp` is missing.
    MissingClaim {
        /// Which.
        claim: &'static str,
    },
    /// `aud` is an empty array.
    EmptyClaim {
        /// Which.
        claim: &'static str,
    },
    /// A claim has a JSON type that it must not have.
    ClaimType {
        /// Which.
        claim: &'static str,
        /// The kinds that would do.
        wanted: &'static str,
        /// The kind it has.
        had: &'static str,
    },
    /// `sub` is null: AWS answers with an internal failure (500).
    SubjectNull,
    /// No key for this token.
    Key {
        /// Why there is none.
        miss: KeyMiss,
    },
    /// The signature is not the key's.
    Signature,
    /// A time is not a whole number of seconds (in AWS mode also as a string).
    Timestamp {
        /// Which claim.
        claim: &'static str,
    },
    /// `exp` lies more than the leeway in the past.
    Expired {
        /// Now.
        now: UnixTime,
        /// The token's `exp`.
        exp: UnixTime,
    },
    /// `iat` lies more than the leeway in the future.
    IssuedInFuture {
        /// The token's `iat`.
        iat: UnixTime,
    },
    /// `nbf` lies more than the leeway in the future.
    NotYetValid {
        /// Now.
        now: UnixTime,
        /// The token's `nbf`.
        nbf: UnixTime,
    },
    /// Several audiences and no `azp` that says which one the token was issued to.
    ManyAudiences {
        /// The token's `aud`.
        had: Vec<String>,
    },
    /// `azp`, or the only `aud`, is not a registered client id.
    Audience {
        /// What was compared: `azp` if present, else `aud`.
        had: String,
        /// The provider's client ids.
        registered: Vec<String>,
    },
    /// The session-tag claims do not have their documented shape.
    Tags {
        /// What is wrong with them.
        fault: TagsFault,
    },
    /// The source-identity claim is not a string.
    SourceIdentity {
        /// The kind it has.
        had: &'static str,
    },
    /// There is a roles claim and it does not list the role that is asked for.
    RoleNotListed {
        /// The role that is asked for.
        role: String,
        /// The roles that the token names.
        had: Vec<String>,
    },
    /// A claim that the operator maps to a session tag has no single value. Ours, not AWS's.
    Mapping {
        /// The claim's path.
        claim: String,
        /// The kind it has.
        had: &'static str,
    },
}

/// Seconds of leeway between our clock and the issuer's, both ways, as AWS gives.
pub const LEEWAY: i64 = 300;

impl Failure {
    /// The variant's name, as data files use it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotAJwt { .. } => "NotAJwt",
            Self::Algorithm { .. } => "Algorithm",
            Self::Critical => "Critical",
            Self::Issuer { .. } => "Issuer",
            Self::MissingClaim { .. } => "MissingClaim",
            Self::EmptyClaim { .. } => "EmptyClaim",
            Self::ClaimType { .. } => "ClaimType",
            Self::SubjectNull => "SubjectNull",
            Self::Key { .. } => "Key",
            Self::Signature => "Signature",
            Self::Timestamp { .. } => "Timestamp",
            Self::Expired { .. } => "Expired",
            Self::IssuedInFuture { .. } => "IssuedInFuture",
            Self::NotYetValid { .. } => "NotYetValid",
            Self::ManyAudiences { .. } => "ManyAudiences",
            Self::Audience { .. } => "Audience",
            Self::Tags { .. } => "Tags",
            Self::SourceIdentity { .. } => "SourceIdentity",
            Self::RoleNotListed { .. } => "RoleNotListed",
            Self::Mapping { .. } => "Mapping",
        }
    }

    /// The check whose finding has failed.
    #[must_use]
    pub fn check(&self) -> Check {
        match self {
            Self::NotAJwt { why: Malformed::Duplicate { .. } } => Check::Duplicates,
            Self::NotAJwt { why: Malformed::Type { .. } } => Check::Type,
            Self::NotAJwt { why: Malformed::UnencodedPayload } | Self::Critical => Check::Critical,
            Self::NotAJwt { .. } => Check::Structure,
            Self::Algorithm { .. } => Check::Algorithm,
            Self::Issuer { .. } | Self::MissingClaim { claim: "iss" } => Check::Issuer,
            Self::MissingClaim { .. } | Self::EmptyClaim { .. } => Check::RequiredClaims,
            Self::ClaimType { claim, .. } => match *claim {
                "iss" => Check::Issuer,
                "sub" => Check::Subject,
                "azp" => Check::Audience,
                _ => Check::RequiredClaims,
            },
            Self::SubjectNull => Check::Subject,
            Self::Key { .. } => Check::Key,
            Self::Signature => Check::Signature,
            Self::Timestamp { claim } => match *claim {
                "iat" => Check::IssuedAt,
                "nbf" => Check::NotBefore,
                _ => Check::Expiry,
            },
            Self::Expired { .. } => Check::Expiry,
            Self::IssuedInFuture { .. } => Check::IssuedAt,
            Self::NotYetValid { .. } => Check::NotBefore,
            Self::ManyAudiences { .. } | Self::Audience { .. } => Check::Audience,
            Self::Tags { .. } => Check::Tags,
            Self::SourceIdentity { .. } => Check::SourceIdentity,
            Self::RoleNotListed { .. } => Check::Roles,
            Self::Mapping { .. } => Check::Mapping,
        }
    }

    /// What AWS tells the client. The times are those that AWS prints: its clock already moved by
    /// the leeway.
    #[must_use]
    pub fn client_text(&self) -> String {
        match self {
            Self::NotAJwt { .. } | Self::Algorithm { .. } | Self::Critical => {
                "The ID Token provided is not a valid JWT. \
                 (You may see this error if you sent an Access Token)"
                    .to_owned()
            }
            Self::Issuer { had, .. } => {
                format!("No OpenIDConnect provider found in your account for {had}")
            }
            Self::MissingClaim { claim } => format!("Missing a required claim: {claim}"),
            Self::EmptyClaim { claim } => format!("Claim is not allowed to be empty: {claim}"),
            Self::SubjectNull => "Unknown error validating third-party token".to_owned(),
            Self::Key { .. } => "Couldn't retrieve verification key from your identity provider,  \
                 please reference AssumeRoleWithWebIdentity documentation for requirements"
                .to_owned(),
            Self::Timestamp { .. } => "Invalid timestamp in token claims.".to_owned(),
            Self::Expired { now, exp } => format!(
                "Token expired: current date/time {} must be before the expiration date/time {exp}",
                now.plus(-LEEWAY)
            ),
            Self::IssuedInFuture { iat } => format!("Token issued in the future: {iat}"),
            Self::NotYetValid { now, nbf } => format!(
                "Token not yet valid: current date/time {} \
                 must be after or equal to the not-before date/time {nbf}",
                now.plus(LEEWAY)
            ),
            Self::ManyAudiences { .. } => {
                "Token audience contains more than one audience while authorized party is not \
                 present"
                    .to_owned()
            }
            // The text for a bad signature is not in any capture we know; see docs/unsure.md.
            Self::Audience { .. } | Self::Signature | Self::ClaimType { .. } => {
                "The web identity token provided could not be validated. \
                 See the AssumeRoleWithWebIdentity documentation for requirements."
                    .to_owned()
            }
            Self::Tags { fault } => fault.client_text().to_owned(),
            Self::SourceIdentity { .. } => {
                "source_identity passed in claim is not in correct format.".to_owned()
            }
            Self::RoleNotListed { .. } => {
                "The target role ARN is not present in the roles claim of the identity token"
                    .to_owned()
            }
            Self::Mapping { .. } => {
                "principal_tags passed in claim is not in correct format.".to_owned()
            }
        }
    }
}

/// What makes a text not a token that we read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "malformed", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Malformed {
    /// More than [`crate::jose::jws::MAX_TOKEN_CHARS`] characters.
    TooLong {
        /// How many it has.
        chars: usize,
    },
    /// Not three parts between dots.
    Parts {
        /// How many there are. Five would be an encrypted token (JWE).
        count: usize,
    },
    /// A part is empty, which is how unsigned tokens look.
    EmptyPart {
        /// `header`, `claims` or `signature`.
        part: &'static str,
    },
    /// A part is not canonical unpadded base64url (RFC 4648 section 5; no spare bits, no `=`).
    Base64 {
        /// `header`, `claims` or `signature`.
        part: &'static str,
    },
    /// A part is not a JSON object within the limits.
    Json {
        /// `header` or `claims`.
        part: &'static str,
        /// What is wrong.
        fault: JsonFault,
    },
    /// A header member has a JSON type that it must not have.
    HeaderMember {
        /// `alg`, `kid` or `typ`.
        name: &'static str,
    },
    /// A member occurs twice (strict only).
    Duplicate {
        /// `header` or `claims`.
        part: &'static str,
        /// The member's name.
        name: String,
    },
    /// `typ` says that this is another kind of token (strict only).
    Type {
        /// The header's `typ`.
        typ: String,
    },
    /// `b64: false` (RFC 7797) outside `crit` (strict only).
    UnencodedPayload,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong { chars } => write!(f, "{chars} characters"),
            Self::Parts { count: 5 } => write!(f, "five parts: an encrypted token (JWE)"),
            Self::Parts { count } => write!(f, "{count} part(s)"),
            Self::EmptyPart { part } => write!(f, "the {part} is empty"),
            Self::Base64 { part } => write!(f, "the {part} is not canonical unpadded base64url"),
            Self::Json { part, fault } => write!(f, "the {part}: {fault}"),
            Self::HeaderMember { name } => write!(f, "header member {name} is not a string"),
            Self::Duplicate { part, name } => write!(f, "{name} occurs twice in the {part}"),
            Self::Type { typ } => write!(f, "typ is {typ}"),
            Self::UnencodedPayload => write!(f, "b64 is false"),
        }
    }
}

//! Verification: scope, clock, what must be signed, signature; and the explanation of a mismatch.

use std::fmt;
use std::str;

use aws_lc_rs::hmac;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;

use super::canonical::{self, Secrets, Subject};
use super::key::{SigningKeys, sha256};
use super::{Form, Presented, SecretKey, TERMINATOR, basic_date};

/// How a service spells canonical paths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Every service but S3: paths normalized and encoded twice.
    Plain,
    /// S3: paths as they are, encoded once.
    S3,
}

/// What to do with `x-amz-…` headers that are not signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsigned {
    /// Refuse: anyone between client and server could have added them. What S3 does.
    Refuse,
    /// Accept, for clients that cannot sign all they send.
    Accept,
}

/// Region names that a credential scope may carry.
#[derive(Clone, Copy, Debug)]
pub enum Regions<'a> {
    /// Any well-formed name (1 to 64 of `a-z`, `0-9` and `-`).
    Any,
    /// These only.
    Only(&'a [String]),
}

/// What is expected of a signature.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The service that the scope must name.
    pub service: &'a str,
    /// The regions that it may name.
    pub regions: Regions<'a>,
    /// The present time.
    pub now: Timestamp,
    /// How far the client's clock may be off, either way.
    pub skew: SignedDuration,
    /// What a presigned request lives at least, whatever it says of itself.
    pub least_life: SignedDuration,
    /// How paths are spelled.
    pub style: Style,
    /// What of unsigned `x-amz-…` headers.
    pub unsigned: Unsigned,
}

/// STS takes a presigned request for 15 minutes even when it says less: tokens for EKS are presigned
/// for one minute and used for fourteen (aws-iam-authenticator, `aws eks get-token`).
const STS_LEAST_LIFE: SignedDuration = SignedDuration::from_mins(15);

impl<'a> Rules<'a> {
    /// STS, IAM and the like: 5 minutes, any region, all `x-amz-…` headers signed.
    pub fn plain(service: &'a str, now: Timestamp) -> Self {
        let least_life = if service == "sts" { STS_LEAST_LIFE } else { SignedDuration::ZERO };
        Self {
            service,
            regions: Regions::Any,
            now,
            skew: SignedDuration::from_mins(5),
            least_life,
            style: Style::Plain,
            unsigned: Unsigned::Refuse,
        }
    }

    /// S3: 15 minutes, paths encoded once.
    pub fn s3(now: Timestamp) -> Self {
        Self { skew: SignedDuration::from_mins(15), style: Style::S3, ..Self::plain("s3", now) }
    }
}

/// What enters the canonical request for the body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PayloadHash(String);

impl PayloadHash {
    /// The body's SHA-256. What a client declares of it is not asked.
    pub fn of(body: &[u8]) -> Self {
        Self(hex::encode(sha256(body)))
    }

    /// S3: what the client declares in `x-amz-content-sha256` (a hash, `UNSIGNED-PAYLOAD`, or a
    /// `STREAMING-…` word); `UNSIGNED-PAYLOAD` where a presigned request declares nothing. Whoever
    /// uses it must hold the body against a declared hash as it streams by.
    pub fn declared(parts: &Parts, form: Form) -> Option<Self> {
        match (parts.headers.get("x-amz-content-sha256"), form) {
            (Some(value), _) => value.to_str().ok().map(|v| Self(v.trim().to_owned())),
            (None, Form::Query) => Some(Self("UNSIGNED-PAYLOAD".to_owned())),
            (None, Form::Header) => None,
        }
    }

    /// As it enters the canonical request.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a signature is refused. `Display` is AWS's sentence; unless noted otherwise the code is
/// `SignatureDoesNotMatch`, status 403.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SigError {
    /// The scope is not for this service, region or day (S3: `AuthorizationHeaderMalformed`, 400).
    Scope(String),
    /// Too old (S3: `RequestTimeTooSkewed`; for an outlived presigned URL `AccessDenied`).
    Expired {
        /// When the request was signed, or when a presigned one ran out.
        signed_at: Timestamp,
        /// The present time.
        now: Timestamp,
        /// The tolerance, or the presigned life.
        allowed: SignedDuration,
    },
    /// From the future (S3: `RequestTimeTooSkewed`).
    NotYetCurrent {
        /// When the request says it was signed.
        signed_at: Timestamp,
        /// The present time.
        now: Timestamp,
        /// The tolerance.
        allowed: SignedDuration,
    },
    /// This header must be among the signed ones (S3: `AccessDenied`).
    Unsigned(String),
    /// The list of signed headers is not one: empty, upper case, or a name twice.
    SignedHeaders,
    /// Path or query hold a broken escape (code `MalformedQueryString`, 404).
    BadEscape,
    /// The signature is not the one that the secret makes.
    Mismatch(Box<Explanation>),
}

/// What was computed, to lay beside what the client computed. Free of secrets: tokens and passwords
/// are hidden, and the signature that would have been right is not told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// The canonical request, hidden values marked. Bytes that are not UTF-8 are replaced.
    pub canonical_request: String,
    /// The string to sign; its last line is the digest of the true canonical request.
    pub string_to_sign: String,
    /// Headers said to be signed, but which did not arrive (a proxy may have dropped them).
    pub missing_headers: Vec<String>,
}

impl fmt::Display for SigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(text) => f.write_str(text),
            Self::Expired { signed_at, now, allowed } => write!(
                f,
                "Signature expired: {} is now earlier than {} ({} - {}.)",
                basic_date(*signed_at),
                basic_date(now.saturating_sub(*allowed).unwrap_or(Timestamp::MIN)),
                basic_date(*now),
                span(*allowed),
            ),
            Self::NotYetCurrent { signed_at, now, allowed } => write!(
                f,
                "Signature not yet current: {} is still later than {} ({} + {}.)",
                basic_date(*signed_at),
                basic_date(now.saturating_add(*allowed).unwrap_or(Timestamp::MAX)),
                basic_date(*now),
                span(*allowed),
            ),
            Self::Unsigned(name) if name == "host" => f.write_str(
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            ),
            Self::Unsigned(name) => {
                write!(f, "'{name}' must be a 'SignedHeader' in the AWS Authorization.")
            }
            Self::BadEscape => f.write_str("The query string contains a syntax error"),
            Self::SignedHeaders | Self::Mismatch(_) => f.write_str(
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. \
                 Consult the service documentation for details.",
            ),
        }
    }
}

impl std::error::Error for SigError {}

/// AWS counts in minutes where it can.
fn span(duration: SignedDuration) -> String {
    match duration.as_secs() {
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} sec"),
    }
}

pub(super) fn check_scope(presented: &Presented, rules: &Rules<'_>) -> Result<(), SigError> {
    let scope = &presented.scope;
    let mut text = String::new();
    let region_fits = match rules.regions {
        Regions::Any => is_region(&scope.region),
        Regions::Only(names) => names.contains(&scope.region),
    };
    if !region_fits {
        text.push_str("Credential should be scoped to a valid region. ");
    }
    if scope.service != rules.service {
        text.push_str("Credential should be scoped to correct service: '");
        text.push_str(rules.service);
        text.push_str("'. ");
    }
    if scope.terminator != TERMINATOR {
        text.push_str("Credential should be scoped with a valid terminator: 'aws4_request', not '");
        text.push_str(&scope.terminator);
        text.push_str("'. ");
    }
    let day = presented.amz_date.get(..8).unwrap_or("");
    if scope.date != day {
        text.push_str(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ",
        );
        text.push_str(&format!("'{}' != '{day}', from '{}'. ", scope.date, presented.amz_date));
    }
    match text.is_empty() {
        true => Ok(()),
        false => Err(SigError::Scope(text)),
    }
}

fn is_region(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl SigningKeys {
    /// Verifies a request's signature with the secret that its access key id belongs to.
    ///
    /// `presented` must come from [`super::parse`] of the same `parts`; `payload` from the same body.
    ///
    /// # Errors
    /// [`SigError`]; a `Mismatch` carries what was computed.
    pub fn verify(
        &self,
        presented: &Presented,
        parts: &Parts,
        payload: &PayloadHash,
        secret: &SecretKey,
        rules: &Rules<'_>,
    ) -> Result<(), SigError> {
        check_scope(presented, rules)?;
        check_clock(presented, rules)?;
        check_coverage(presented, parts, rules)?;

        let subject = Subject {
            parts,
            form: presented.form,
            style: rules.style,
            signed_headers: &presented.signed_headers,
            payload: payload.as_str(),
        };
        let mut buffer = Vec::with_capacity(1024);
        canonical::write(&mut buffer, &subject, Secrets::Kept).map_err(|_| SigError::BadEscape)?;
        let digest = sha256(&buffer);
        buffer.clear();
        write_string_to_sign(&mut buffer, presented, &digest);
        let verified = self.with_key(presented, secret, |key| {
            let mut expected = [0_u8; 64];
            hex::encode_to_slice(hmac::sign(key, &buffer).as_ref(), &mut expected).is_ok()
                && bool::from(expected.as_slice().ct_eq(presented.signature.as_bytes()))
        });
        match verified {
            true => Ok(()),
            false => Err(SigError::Mismatch(Box::new(explain(&subject, buffer)))),
        }
    }
}

fn check_clock(presented: &Presented, rules: &Rules<'_>) -> Result<(), SigError> {
    let Rules { now, skew, .. } = *rules;
    let signed_at = presented.signed_at;
    let life = match presented.form {
        Form::Header => skew,
        // Without `X-Amz-Expires` it lives as long as the clocks may differ.
        Form::Query => presented.expires.unwrap_or(skew).max(rules.least_life),
    };
    if now.duration_since(signed_at) > life {
        return Err(SigError::Expired { signed_at, now, allowed: life });
    }
    if signed_at.duration_since(now) > skew {
        return Err(SigError::NotYetCurrent { signed_at, now, allowed: skew });
    }
    Ok(())
}

/// Holds the list of signed headers against what must be signed.
fn check_coverage(presented: &Presented, parts: &Parts, rules: &Rules<'_>) -> Result<(), SigError> {
    let mut previous = "";
    let mut host_signed = false;
    for name in presented.signed_headers() {
        // ATTACK: a name twice or out of order, so that one header's text stands in for another's
        // (corpus/sigv4/attacks.json, "signed headers unsorted").
        if name <= previous || !canonical::is_header_name(name) {
            return Err(SigError::SignedHeaders);
        }
        host_signed |= name == "host";
        previous = name;
    }
    // ATTACK: the same signed request sent to another host (attacks.json, "host not signed").
    if !host_signed {
        return Err(SigError::Unsigned("host".to_owned()));
    }
    if rules.unsigned == Unsigned::Refuse {
        // ATTACK: a header added on the way, such as x-amz-tagging on a presigned upload
        // (attacks.json, "x-amz header added").
        let unsigned = parts.headers.keys().find(|name| {
            name.as_str().starts_with("x-amz-")
                && !presented.signed_headers().any(|signed| signed == name.as_str())
        });
        if let Some(name) = unsigned {
            return Err(SigError::Unsigned(name.as_str().to_owned()));
        }
    }
    Ok(())
}

pub(super) fn write_string_to_sign(
    out: &mut Vec<u8>,
    presented: &Presented,
    canonical_digest: &[u8; 32],
) {
    let scope = &presented.scope;
    let mut digest = [0_u8; 64];
    // Cannot fail: the lengths fit.
    let _ = hex::encode_to_slice(canonical_digest, &mut digest);
    for (part, end) in [
        (super::ALGORITHM, b'\n'),
        (&presented.amz_date, b'\n'),
        (&scope.date, b'/'),
        (&scope.region, b'/'),
        (&scope.service, b'/'),
        (TERMINATOR, b'\n'),
    ] {
        out.extend_from_slice(part.as_bytes());
        out.push(end);
    }
    out.extend_from_slice(&digest);
}

fn explain(subject: &Subject<'_>, string_to_sign: Vec<u8>) -> Explanation {
    let mut shown = Vec::new();
    // Cannot fail: the true one was written from the same parts.
    let _ = canonical::write(&mut shown, subject, Secrets::Hidden);
    let text = |bytes: Vec<u8>| match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    Explanation {
        canonical_request: text(shown),
        string_to_sign: text(string_to_sign),
        missing_headers: subject
            .signed_headers
            .split(';')
            .filter(|name| !canonical::is_present(subject.parts, name))
            .map(str::to_owned)
            .collect(),
    }
}

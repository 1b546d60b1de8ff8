//! AWS Signature Version 4: read what a request presents, verify it, explain a mismatch, and sign.
//!
//! The order of use is the order in which AWS answers: [`parse`] (garbled credentials),
//! [`Presented::check_scope`] (region, service), then the caller looks up the key and opens the
//! session token, then [`SigningKeys::verify`] (clock, what must be signed, the signature itself).
//! Source: the "Signature Version 4 signing process" pages of the AWS General Reference; texts as
//! observed from AWS services. Verified against AWS's published test suite and botocore
//! (`corpus/sigv4/`).

mod canonical;
mod header;
mod key;
mod presigned;
mod sign;
mod verify;

pub use key::SigningKeys;
pub use sign::Signer;
pub use verify::{Explanation, PayloadHash, Regions, Rules, SigError, Style, Unsigned};

use std::fmt;

use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

/// The only algorithm accepted.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Longest life of a presigned request (AWS: seven days).
pub const MAX_EXPIRES: SignedDuration = SignedDuration::from_hours(7 * 24);

const TERMINATOR: &str = "aws4_request";
/// Longest `Authorization` header that is looked at, in bytes.
const MAX_AUTHORIZATION: usize = 4096;

/// An access key id as presented: not looked up, perhaps of no key at all.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AccessKeyId(Box<str>);

impl AccessKeyId {
    /// Takes any text; whether such a key exists is the caller's question.
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A secret access key. Overwritten when dropped; never printed.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    /// Takes over the secret's text.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(Zeroizing::new(secret.into()))
    }

    /// The secret itself, for deriving keys and for handing to its owner once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// A session token as presented. Overwritten when dropped; never printed.
#[derive(Clone)]
pub struct SecurityToken(Zeroizing<String>);

impl SecurityToken {
    /// Takes over the token's text.
    pub fn new(token: impl Into<String>) -> Self {
        Self(Zeroizing::new(token.into()))
    }

    /// The token itself, for opening it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecurityToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecurityToken(…)")
    }
}

/// Where the request carries its signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In `X-Amz-…` query parameters (a presigned URL).
    Query,
}

/// The credential scope, as presented.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// `YYYYMMDD` when well formed.
    pub date: String,
    /// Any text; see [`Rules::regions`].
    pub region: String,
    /// `sts`, `iam`, `s3`…
    pub service: String,
    /// `aws4_request` when well formed.
    pub terminator: String,
}

/// What a request says about its signer. Nothing here is verified.
#[derive(Clone, Debug)]
pub struct Presented {
    /// Who claims to sign.
    pub access_key_id: AccessKeyId,
    /// For which day, region and service.
    pub scope: Scope,
    /// The session token, of temporary credentials.
    pub security_token: Option<SecurityToken>,
    /// When the client says it signed.
    pub signed_at: Timestamp,
    /// Header or query.
    pub form: Form,
    /// A presigned request's life. `None` in the header form, or when `X-Amz-Expires` is absent.
    pub expires: Option<SignedDuration>,
    /// `signed_at` as it enters the string to sign.
    amz_date: String,
    /// `;`-joined, as presented.
    signed_headers: String,
    /// Hexadecimal, as presented.
    signature: String,
}

impl Presented {
    /// The signed header names in the order presented.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';')
    }

    /// Holds the credential scope against the rules: the first check, before any key is looked up.
    ///
    /// # Errors
    /// [`SigError::Scope`] with all of AWS's sentences that apply, joined.
    pub fn check_scope(&self, rules: &Rules<'_>) -> Result<(), SigError> {
        verify::check_scope(self, rules)
    }
}

/// Why the credentials of a request cannot even be read. `Display` is AWS's sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuthError {
    /// Code `IncompleteSignature`, status 400 (S3: `AuthorizationHeaderMalformed` or
    /// `AuthorizationQueryParametersError`).
    Incomplete(String),
    /// Code `InvalidArgument` on S3, `IncompleteSignature` elsewhere; status 400.
    TwoForms,
    /// The query string holds a broken `%` escape. Code `MalformedQueryString`, status 404.
    BadEscape,
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete(text) => f.write_str(text),
            Self::TwoForms => f.write_str(
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, \
                 Signature query string parameter or the Authorization header should be specified",
            ),
            Self::BadEscape => f.write_str("The query string contains a syntax error"),
        }
    }
}

impl std::error::Error for AuthError {}

/// Reads the credentials that a request presents; `None` when it presents none of ours
/// (AWS then answers `MissingAuthenticationToken`, 403, `Request is missing Authentication Token`).
///
/// An `Authorization` header of another scheme (`Bearer`, SigV2's `AWS`) counts as none.
///
/// # Errors
/// [`AuthError`] when credentials are there but garbled, incomplete, or there twice.
pub fn parse(parts: &Parts) -> Result<Option<Presented>, AuthError> {
    let query = presigned::collect(parts)?;
    // ATTACK: two sets of credentials, one verified and the other acted on
    // (corpus/sigv4/attacks.json, "header and query").
    match (header::authorization(parts)?, query) {
        (Some(_), Some(_)) => Err(AuthError::TwoForms),
        (Some(authorization), None) => header::parse(parts, authorization).map(Some),
        (None, Some(query)) => presigned::parse(query).map(Some),
        (None, None) => Ok(None),
    }
}

/// The host that the client addressed: the `Host` header, or HTTP/2's `:authority`.
pub fn host(parts: &Parts) -> Option<&str> {
    match parts.headers.get(http::header::HOST) {
        Some(value) => value.to_str().ok(),
        None => parts.uri.authority().map(http::uri::Authority::as_str),
    }
}

/// What the header and the query form have in common, before it is made sense of.
struct Raw<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
    date: &'a str,
    token: Option<String>,
    form: Form,
    expires: Option<SignedDuration>,
}

fn assemble(raw: Raw<'_>) -> Result<Presented, AuthError> {
    let (signed_at, amz_date) = read_date(raw.date, raw.form).ok_or_else(|| {
        AuthError::Incomplete(format!(
            "Date must be in ISO-8601 'basic format'. Got '{}'. \
             See http://en.wikipedia.org/wiki/ISO_8601",
            raw.date
        ))
    })?;
    let mut elements = raw.credential.split('/');
    let (Some(id), Some(date), Some(region), Some(service), Some(terminator), None) = (
        elements.next(),
        elements.next(),
        elements.next(),
        elements.next(),
        elements.next(),
        elements.next(),
    ) else {
        return Err(AuthError::Incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, \
             e.g. keyid/date/region/service/term, got '{}'",
            raw.credential
        )));
    };
    Ok(Presented {
        access_key_id: AccessKeyId::new(id),
        scope: Scope {
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            terminator: terminator.to_owned(),
        },
        security_token: raw.token.map(SecurityToken::new),
        signed_at,
        form: raw.form,
        expires: raw.expires,
        amz_date,
        signed_headers: raw.signed_headers.to_owned(),
        signature: raw.signature.to_owned(),
    })
}

/// `20150830T123600Z`, or, in the header form, an RFC 7231 `Date`.
fn read_date(text: &str, form: Form) -> Option<(Timestamp, String)> {
    if let Some(at) = read_basic_date(text) {
        return Some((at, text.to_owned()));
    }
    if form == Form::Query {
        return None;
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some((at, basic_date(at)))
}

fn read_basic_date(text: &str) -> Option<Timestamp> {
    let digits: &[u8; 16] = text.as_bytes().try_into().ok()?;
    let [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'] = digits else {
        return None;
    };
    let two = |a: &u8, b: &u8| -> Option<i8> {
        (a.is_ascii_digit() && b.is_ascii_digit())
            .then(|| i8::try_from((a - b'0') * 10 + (b - b'0')).ok())?
    };
    let year = i16::from(two(y1, y2)?) * 100 + i16::from(two(y3, y4)?);
    let civil = jiff::civil::DateTime::new(
        year,
        two(mo1, mo2)?,
        two(d1, d2)?,
        two(h1, h2)?,
        two(mi1, mi2)?,
        two(s1, s2)?,
        0,
    )
    .ok()?;
    jiff::tz::Offset::UTC.to_timestamp(civil).ok()
}

/// `20150830T123600Z`, the "basic format" of ISO 8601 that signatures use.
pub fn basic_date(at: Timestamp) -> String {
    let at = jiff::tz::Offset::UTC.to_datetime(at);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

#[cfg(test)]
mod tests;

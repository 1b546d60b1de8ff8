//! The signing side, for our own command line and for tests.

use aws_lc_rs::hmac;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Uri};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::canonical::{self, Secrets, Subject};
use super::key::{derive, sha256};
use super::verify::{PayloadHash, Style, write_string_to_sign};
use super::{
    ALGORITHM, AccessKeyId, Form, Presented, Scope, SecretKey, SecurityToken, TERMINATOR,
    basic_date, host,
};

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Credentials with the scope they sign for.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The key's id.
    pub access_key_id: AccessKeyId,
    /// Its secret.
    pub secret: SecretKey,
    /// The session token, of temporary credentials.
    pub security_token: Option<SecurityToken>,
    /// The region to sign for.
    pub region: String,
    /// The service to sign for.
    pub service: String,
    /// How the service spells paths.
    pub style: Style,
}

/// Why a request cannot be signed: a header value, path or query that cannot be spelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unsignable;

impl std::fmt::Display for Unsignable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request has a part that cannot be spelled in a signature")
    }
}

impl std::error::Error for Unsignable {}

impl Signer {
    /// Signs in the header form: sets `x-amz-date`, `x-amz-security-token` and `authorization`, and
    /// `host` when the URI names one and no header does. Covers every header that is there by then,
    /// but those that proxies change (`user-agent`, `connection`, `expect`, `x-amzn-trace-id`…).
    ///
    /// # Errors
    /// [`Unsignable`], with nothing signed.
    pub fn sign(
        &self,
        parts: &mut Parts,
        payload: &PayloadHash,
        now: Timestamp,
    ) -> Result<(), Unsignable> {
        if parts.headers.get(http::header::HOST).is_none()
            && let Some(host) = host(parts)
        {
            let host = value(host)?;
            parts.headers.insert(http::header::HOST, host);
        }
        let amz_date = basic_date(now);
        parts.headers.insert(HeaderName::from_static("x-amz-date"), value(&amz_date)?);
        if let Some(token) = &self.security_token {
            let mut token = value(token.expose())?;
            token.set_sensitive(true);
            parts.headers.insert(HeaderName::from_static("x-amz-security-token"), token);
        }
        let mut names: Vec<&str> = parts
            .headers
            .keys()
            .map(HeaderName::as_str)
            .filter(|name| !CHANGEABLE.contains(name))
            .collect();
        names.sort_unstable();
        let presented = self.presented(Form::Header, names.join(";"), amz_date, now);
        let signature = self.signature(parts, &presented, payload)?;
        let authorization = format!(
            "{ALGORITHM} Credential={}, SignedHeaders={}, Signature={signature}",
            self.credential(&presented.scope),
            presented.signed_headers,
        );
        parts.headers.insert(AUTHORIZATION, value(&authorization)?);
        Ok(())
    }

    /// Signs in the query form: appends the `X-Amz-…` parameters to the URI, signing `host` and
    /// every `x-amz-…` header that is there.
    ///
    /// # Errors
    /// [`Unsignable`], with the request as it was.
    pub fn presign(
        &self,
        parts: &mut Parts,
        payload: &PayloadHash,
        now: Timestamp,
        life: SignedDuration,
    ) -> Result<(), Unsignable> {
        let amz_date = basic_date(now);
        let mut names: Vec<&str> = parts
            .headers
            .keys()
            .map(HeaderName::as_str)
            .filter(|name| name.starts_with("x-amz-"))
            .chain(["host"])
            .collect();
        names.sort_unstable();
        let presented = self.presented(Form::Query, names.join(";"), amz_date, now);

        let mut query = String::new();
        let mut push = |name: &str, text: &str| {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(name);
            query.push('=');
            query.extend(utf8_percent_encode(text, UNRESERVED));
        };
        push("X-Amz-Algorithm", ALGORITHM);
        push("X-Amz-Credential", &self.credential(&presented.scope));
        push("X-Amz-Date", &presented.amz_date);
        push("X-Amz-Expires", &life.as_secs().to_string());
        push("X-Amz-SignedHeaders", &presented.signed_headers);
        if let Some(token) = &self.security_token {
            push("X-Amz-Security-Token", token.expose());
        }

        let unsigned = parts.uri.clone();
        parts.uri = with_query(&unsigned, &query)?;
        let signature = match self.signature(parts, &presented, payload) {
            Ok(signature) => signature,
            Err(unsignable) => {
                parts.uri = unsigned;
                return Err(unsignable);
            }
        };
        query.push_str("&X-Amz-Signature=");
        query.push_str(&signature);
        parts.uri = with_query(&unsigned, &query)?;
        Ok(())
    }

    fn presented(
        &self,
        form: Form,
        signed_headers: String,
        amz_date: String,
        now: Timestamp,
    ) -> Presented {
        Presented {
            access_key_id: self.access_key_id.clone(),
            scope: Scope {
                date: amz_date.get(..8).unwrap_or("").to_owned(),
                region: self.region.clone(),
                service: self.service.clone(),
                terminator: TERMINATOR.to_owned(),
            },
            security_token: None,
            signed_at: now,
            form,
            expires: None,
            amz_date,
            signed_headers,
            signature: String::new(),
        }
    }

    fn credential(&self, scope: &Scope) -> String {
        format!(
            "{}/{}/{}/{}/{TERMINATOR}",
            self.access_key_id, scope.date, scope.region, scope.service
        )
    }

    fn signature(
        &self,
        parts: &Parts,
        presented: &Presented,
        payload: &PayloadHash,
    ) -> Result<String, Unsignable> {
        let subject = Subject {
            parts,
            form: presented.form,
            style: self.style,
            signed_headers: &presented.signed_headers,
            payload: payload.as_str(),
        };
        let mut buffer = Vec::new();
        canonical::write(&mut buffer, &subject, Secrets::Kept).map_err(|_| Unsignable)?;
        let digest = sha256(&buffer);
        buffer.clear();
        write_string_to_sign(&mut buffer, presented, &digest);
        let scope = &presented.scope;
        let key = derive(&self.secret, &scope.date, &scope.region, &scope.service);
        Ok(hex::encode(hmac::sign(&key, &buffer).as_ref()))
    }
}

/// Headers that proxies change or drop.
const CHANGEABLE: [&str; 7] = [
    "authorization",
    "connection",
    "expect",
    "te",
    "transfer-encoding",
    "user-agent",
    "x-amzn-trace-id",
];

fn value(text: &str) -> Result<HeaderValue, Unsignable> {
    HeaderValue::from_str(text).map_err(|_| Unsignable)
}

fn with_query(uri: &Uri, more: &str) -> Result<Uri, Unsignable> {
    let path = uri.path();
    let text = match uri.query() {
        Some(query) if !query.is_empty() => format!("{path}?{query}&{more}"),
        _ => format!("{path}?{more}"),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).map_err(|_| Unsignable)?);
    Uri::from_parts(parts).map_err(|_| Unsignable)
}

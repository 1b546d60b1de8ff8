//! The query form: a presigned URL with `X-Amz-Algorithm`, `X-Amz-Credential`, `X-Amz-Date`,
//! `X-Amz-Expires`, `X-Amz-SignedHeaders`, `X-Amz-Security-Token` and `X-Amz-Signature`.

use http::request::Parts;
use jiff::SignedDuration;

use super::{ALGORITHM, AuthError, Form, MAX_EXPIRES, Presented, Raw, assemble};
use crate::query::unescape;

/// The signing parameters of a query string, decoded.
#[derive(Default)]
pub(super) struct Query {
    algorithm: Option<String>,
    credential: Option<String>,
    date: Option<String>,
    expires: Option<String>,
    signed_headers: Option<String>,
    token: Option<String>,
    signature: Option<String>,
}

/// The signing parameters, when there is any of those that make a request a presigned one.
pub(super) fn collect(parts: &Parts) -> Result<Option<Query>, AuthError> {
    let Some(raw) = parts.uri.query() else {
        return Ok(None);
    };
    // Most requests carry no such parameter, in any spelling.
    if !raw.contains("X-Amz-") && !raw.contains('%') {
        return Ok(None);
    }
    let mut query = Query::default();
    for pair in raw.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // What cannot be decoded is no signing parameter; the canonical form refuses it if it must.
        let Some(name) = unescape(name.as_bytes()) else { continue };
        let slot = match name.as_ref() {
            "X-Amz-Algorithm" => &mut query.algorithm,
            "X-Amz-Credential" => &mut query.credential,
            "X-Amz-Date" => &mut query.date,
            "X-Amz-Expires" => &mut query.expires,
            "X-Amz-SignedHeaders" => &mut query.signed_headers,
            "X-Amz-Security-Token" => &mut query.token,
            "X-Amz-Signature" => &mut query.signature,
            _ => continue,
        };
        let value = unescape(value.as_bytes()).ok_or(AuthError::BadEscape)?;
        // ATTACK: a signing parameter twice, so that two readers differ
        // (corpus/sigv4/attacks.json, "parameter twice").
        if slot.replace(value.into_owned()).is_some() {
            return Err(AuthError::Incomplete(format!(
                "AWS query-string parameter '{name}' must not be given twice. \
                 Re-examine the query-string parameters."
            )));
        }
    }
    let signs =
        query.algorithm.is_some() || query.credential.is_some() || query.signature.is_some();
    Ok(signs.then_some(query))
}

pub(super) fn parse(query: Query) -> Result<Presented, AuthError> {
    let filled = |value: &Option<String>| value.clone().filter(|v| !v.is_empty());
    let (Some(algorithm), Some(credential), Some(signature), Some(signed_headers), Some(date)) = (
        filled(&query.algorithm),
        filled(&query.credential),
        filled(&query.signature),
        filled(&query.signed_headers),
        filled(&query.date),
    ) else {
        let mut text = String::new();
        for (value, name) in [
            (&query.algorithm, "X-Amz-Algorithm"),
            (&query.credential, "X-Amz-Credential"),
            (&query.signature, "X-Amz-Signature"),
            (&query.signed_headers, "X-Amz-SignedHeaders"),
            (&query.date, "X-Amz-Date"),
        ] {
            if filled(value).is_none() {
                text.push_str(&format!("AWS query-string parameters must include '{name}'. "));
            }
        }
        text.push_str("Re-examine the query-string parameters.");
        return Err(AuthError::Incomplete(text));
    };
    if algorithm != ALGORITHM {
        return Err(AuthError::Incomplete(format!(
            "Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). "
        )));
    }
    assemble(Raw {
        credential: &credential,
        signed_headers: &signed_headers,
        signature: &signature,
        date: &date,
        token: query.token.filter(|t| !t.is_empty()),
        form: Form::Query,
        expires: query.expires.map(|text| read_expires(&text)).transpose()?,
    })
}

fn read_expires(text: &str) -> Result<SignedDuration, AuthError> {
    let incomplete = |text: &str| AuthError::Incomplete(text.to_owned());
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(incomplete("X-Amz-Expires should be a number"));
    }
    if digits.len() < text.len() {
        return Err(incomplete("X-Amz-Expires must be non-negative"));
    }
    match digits.parse::<i64>().map(SignedDuration::from_secs) {
        Ok(life) if life <= MAX_EXPIRES => Ok(life),
        _ => Err(incomplete(
            "X-Amz-Expires must be less than a week (in seconds); \
             that is, the given X-Amz-Expires must be less than 604800 seconds",
        )),
    }
}

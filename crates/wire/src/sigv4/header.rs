//! The header form: `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;

use super::{ALGORITHM, AuthError, Form, MAX_AUTHORIZATION, Presented, Raw, assemble};

/// The value of the `Authorization` header when it is of a signing scheme; `None` for other schemes.
pub(super) fn authorization(parts: &Parts) -> Result<Option<&str>, AuthError> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if !value.as_bytes().starts_with(b"AWS4-") {
        return Ok(None);
    }
    // ATTACK: a second Authorization header (corpus/sigv4/attacks.json, "two headers").
    if values.next().is_some() {
        return Err(AuthError::TwoForms);
    }
    match value.to_str() {
        Ok(text) if text.len() <= MAX_AUTHORIZATION => Ok(Some(text)),
        _ => Err(not_pairs(value.as_bytes())),
    }
}

pub(super) fn parse(parts: &Parts, authorization: &str) -> Result<Presented, AuthError> {
    let (algorithm, rest) = authorization.split_once([' ', '\t']).unwrap_or((authorization, ""));
    if algorithm != ALGORITHM {
        return Err(AuthError::Incomplete(format!(
            "Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). "
        )));
    }
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for pair in rest.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| not_pairs(authorization.as_bytes()))?;
        let slot = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => continue,
        };
        // ATTACK: a parameter twice, so that two readers differ (attacks.json, "credential twice").
        if slot.replace(value).is_some() {
            return Err(not_pairs(authorization.as_bytes()));
        }
    }
    let date = date(&parts.headers);
    let (Some(credential), Some(signed_headers), Some(signature), Some(date)) =
        (filled(credential), filled(signed_headers), filled(signature), date)
    else {
        return Err(missing([
            (filled(credential).is_none(), "'Credential'"),
            (filled(signature).is_none(), "'Signature'"),
            (filled(signed_headers).is_none(), "'SignedHeaders'"),
            (date.is_none(), ""),
        ]));
    };
    assemble(Raw {
        credential,
        signed_headers,
        signature,
        date,
        token: single(&parts.headers, "x-amz-security-token")?,
        form: Form::Header,
        expires: None,
    })
}

fn filled(value: Option<&str>) -> Option<&str> {
    value.filter(|v| !v.is_empty())
}

fn date(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("x-amz-date").or_else(|| headers.get(http::header::DATE))?;
    value.to_str().ok().map(str::trim)
}

/// A header that may come once at most.
fn single(headers: &HeaderMap, name: &str) -> Result<Option<String>, AuthError> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return match headers.contains_key(name) {
            true => Err(AuthError::Incomplete(format!("'{name}' must not be given twice."))),
            false => Ok(None),
        };
    };
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(_) => Err(AuthError::Incomplete(format!("'{name}' must be of visible characters."))),
    }
}

fn missing(absent: [(bool, &str); 4]) -> AuthError {
    let mut text = String::new();
    for (_, name) in absent.iter().filter(|(is_absent, _)| *is_absent) {
        if name.is_empty() {
            text.push_str(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
            );
        } else {
            text.push_str("Authorization header requires ");
            text.push_str(name);
            text.push_str(" parameter. ");
        }
    }
    text.push_str("Authorization=");
    text.push_str(ALGORITHM);
    AuthError::Incomplete(text)
}

/// AWS shows a digest of the header, never the header.
fn not_pairs(authorization: &[u8]) -> AuthError {
    let digest = digest::digest(&digest::SHA256, authorization);
    AuthError::Incomplete(format!(
        "Invalid key=value pair (missing equal-sign) in Authorization header \
         (hashed with SHA-256 and encoded with Base64): '{}'.",
        STANDARD.encode(digest.as_ref())
    ))
}

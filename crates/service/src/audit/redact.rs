//! What stands between a call's input or output and the log book.
//!
//! A serde filter: it renames members as CloudTrail does (first letter small), leaves out secrets,
//! writes a digest where CloudTrail would write a session token, and scrubs anything that looks
//! like a signed token out of every text. It works while serializing, so that no tree is built
//! on the hot path. Whoever adds an action need not think of it.

use std::borrow::Cow;

use aws_lc_rs::digest;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use self::filter::{Mode, Through};
use super::ours::{MAX_LIST, MAX_TEXT};

mod filter;
#[cfg(test)]
mod tests;

/// Members that are never written, whatever they hold. Compared without regard to case.
const DROPPED: &[&str] = &[
    "addprivatekey",
    "assertionencryptionprivatekey",
    "authenticationcode1",
    "authenticationcode2",
    "base32stringseed",
    "clientsecret",
    "contextassertion",
    "decodedmessage",
    "newpassword",
    "oldpassword",
    "password",
    "privatekey",
    "privatekeylist",
    "qrcodepng",
    "samlassertion",
    "secretaccesskey",
    "servicecredentialsecret",
    "servicepassword",
    "tokencode",
    "webidentitytoken",
];

/// Members of which a digest is written.
const DIGESTED: &[&str] = &["encodedmessage", "sessiontoken", "tradeintoken"];

/// Members whose own members are the user's data: names stay as they are.
const VERBATIM: &[&str] = &["attributes", "incomingtransitivetags", "principaltags"];

/// Longest single text that is kept of a parameter, in bytes.
pub(super) const MAX_STRING: usize = 16 * 1024;

/// `value` as CloudTrail would show it, or nothing if it cannot be serialized, is empty, or is
/// no object.
pub fn to_raw(value: &impl Serialize) -> Option<Box<RawValue>> {
    let raw = serde_json::value::to_raw_value(&Through { value, mode: Mode::Plain }).ok()?;
    (raw.get().starts_with('{') && raw.get() != "{}").then_some(raw)
}

/// `sha256:` and the first 16 hexadecimal digits: enough to find a token again, nothing to use.
#[must_use]
pub fn digest_of(secret: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, secret);
    let mut text = String::with_capacity(23);
    text.push_str("sha256:");
    for byte in hash.as_ref().iter().take(8) {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

/// `text` with every signed token in it replaced by its digest.
///
/// ATTACK: a client puts a token where a name belongs, so that it lands in a message or a
/// parameter that is logged (`audit/redact/tests.rs`).
#[must_use]
pub fn scrubbed(text: &str) -> Cow<'_, str> {
    // Every compact JWS starts with the base64url of `{"`. The capital is rare in all else.
    let bytes = text.as_bytes();
    let begins = |at: usize| bytes.get(at.wrapping_sub(2)..at) == Some(b"ey");
    if !memchr::memchr_iter(b'J', bytes).any(begins) {
        return Cow::Borrowed(text);
    }
    let token =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '+' | '/');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("eyJ") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = from.find(|c| !token(c)).unwrap_or(from.len());
        let (run, after) = from.split_at(end);
        if run.len() >= 24 && run.contains('.') {
            out.push_str("[token ");
            out.push_str(&digest_of(run.as_bytes()));
            out.push(']');
        } else {
            out.push_str(run);
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A claim's value, scrubbed and cut to the log book's bounds.
#[must_use]
pub fn bounded_value(value: Value) -> Value {
    bounded_at(value, 0)
}

fn bounded_at(value: Value, depth: u8) -> Value {
    if depth > 4 && (value.is_object() || value.is_array()) {
        return Value::String("…".to_owned());
    }
    match value {
        Value::String(text) => Value::String(bounded_text(text, MAX_TEXT)),
        Value::Array(items) => {
            items.into_iter().take(MAX_LIST).map(|item| bounded_at(item, depth + 1)).collect()
        }
        Value::Object(members) => members
            .into_iter()
            .take(MAX_LIST)
            .map(|(name, item)| (bounded_text(name, MAX_TEXT), bounded_at(item, depth + 1)))
            .collect(),
        other => other,
    }
}

/// `text` without tokens, and cut.
pub(super) fn bounded_text(text: String, limit: usize) -> String {
    let clean = match scrubbed(&text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(clean) => Some(clean),
    };
    super::ours::bounded(Cow::Owned(clean.unwrap_or(text)), limit).into_owned()
}

/// What becomes of a member.
pub(super) fn rule(name: &str) -> Option<Mode> {
    let is = |list: &[&str]| list.iter().any(|known| name.eq_ignore_ascii_case(known));
    if is(DROPPED) {
        None
    } else if is(DIGESTED) {
        Some(Mode::Digest)
    } else if is(VERBATIM) {
        Some(Mode::Verbatim)
    } else if name.eq_ignore_ascii_case("expiration") {
        Some(Mode::Expiration)
    } else {
        Some(Mode::Plain)
    }
}

/// `Mar 23, 2016, 2:39:57 AM`, as CloudTrail writes `credentials.expiration` (spec E).
pub(super) fn cloudtrail_time(text: &str) -> Option<String> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(at.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string())
}

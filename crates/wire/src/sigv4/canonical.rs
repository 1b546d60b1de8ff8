//! The canonical request: one spelling for all spellings of a request.

use std::ops::Range;

use aws_lc_rs::digest;
use http::HeaderName;
use http::request::Parts;

use super::verify::Style;
use super::{Form, host};

/// Header values that an explanation must not show.
const SECRET_HEADERS: [&str; 6] = [
    "x-amz-security-token",
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key",
];

/// Query parameters that an explanation must not show: session and identity tokens, passwords,
/// private keys, one-time codes. A test holds it against the members marked sensitive in `models/`.
pub(crate) const SECRET_PARAMETERS: [&str; 15] = [
    "X-Amz-Security-Token",
    "WebIdentityToken",
    "SAMLAssertion",
    "TradeInToken",
    "ContextAssertion",
    "EncodedMessage",
    "TokenCode",
    "AuthenticationCode1",
    "AuthenticationCode2",
    "Password",
    "OldPassword",
    "NewPassword",
    "PrivateKey",
    "AddPrivateKey",
    "AssertionEncryptionPrivateKey",
];

/// Guessable values (passwords, codes) are not even shown as a digest.
const GUESSABLE: usize = 64;

/// A path or query that has no canonical spelling.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadEscape;

/// Which rendering is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    /// The true one, to be hashed and forgotten.
    Kept,
    /// The one for people: tokens as digests.
    Hidden,
}

/// What of a request enters the canonical form.
pub(super) struct Subject<'a> {
    pub parts: &'a Parts,
    pub form: Form,
    pub style: Style,
    /// `;`-joined lower-case names.
    pub signed_headers: &'a str,
    /// Hexadecimal SHA-256, or S3's words for unhashed bodies.
    pub payload: &'a str,
}

/// Writes the canonical request.
///
/// # Errors
/// [`BadEscape`] when path or query hold a `%` that is no escape.
pub(super) fn write(
    out: &mut Vec<u8>,
    subject: &Subject<'_>,
    secrets: Secrets,
) -> Result<(), BadEscape> {
    let Subject { parts, signed_headers, .. } = subject;
    out.extend_from_slice(parts.method.as_str().as_bytes());
    out.push(b'\n');
    match subject.style {
        Style::Plain => write_path_twice_encoded(out, parts.uri.path()),
        Style::S3 => write_path_once_encoded(out, parts.uri.path())?,
    }
    out.push(b'\n');
    write_query(out, parts.uri.query().unwrap_or(""), subject.form, secrets)?;
    out.push(b'\n');
    for name in signed_headers.split(';') {
        write_header(out, parts, name, secrets);
    }
    out.push(b'\n');
    out.extend_from_slice(signed_headers.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(subject.payload.as_bytes());
    Ok(())
}

/// The values of a header as signed; nothing when the request has no such header.
fn write_header(out: &mut Vec<u8>, parts: &Parts, name: &str, secrets: Secrets) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let start = out.len();
    let mut any = false;
    for value in parts.headers.get_all(name) {
        if any {
            out.push(b',');
        }
        any = true;
        write_collapsed(out, value.as_bytes());
    }
    if !any && name == "host" {
        out.extend_from_slice(host(parts).unwrap_or("").as_bytes());
    }
    if secrets == Secrets::Hidden && SECRET_HEADERS.contains(&name) {
        hide(out, start);
    }
    out.push(b'\n');
}

/// Trims, and makes one space of several.
fn write_collapsed(out: &mut Vec<u8>, value: &[u8]) {
    let value = value.trim_ascii();
    let mut space = false;
    for &byte in value {
        let is_space = byte == b' ' || byte == b'\t';
        if is_space && space {
            continue;
        }
        space = is_space;
        out.push(if is_space { b' ' } else { byte });
    }
}

/// Replaces what was written since `start`: by a digest to compare with, or by a bare mark when the
/// value is short enough to be found again from its digest.
fn hide(out: &mut Vec<u8>, start: usize) {
    let Some(value) = out.get(start..) else { return };
    let shown = match value.len() {
        0 => return,
        1..GUESSABLE => "(hidden)".to_owned(),
        length => {
            let digest = digest::digest(&digest::SHA256, value);
            format!("(hidden; {length} bytes, sha256 {})", hex::encode(digest.as_ref()))
        }
    };
    out.truncate(start);
    out.extend_from_slice(shown.as_bytes());
}

/// All services but S3: dot segments and doubled slashes removed, then every byte of the path as it
/// came on the wire is encoded (so `%20` becomes `%2520`).
fn write_path_twice_encoded(out: &mut Vec<u8>, path: &str) {
    if path == "/" || path.is_empty() {
        out.push(b'/');
        return;
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    for segment in &segments {
        out.push(b'/');
        for &byte in segment.as_bytes() {
            push_encoded(out, byte);
        }
    }
    if segments.is_empty() || path.ends_with('/') {
        out.push(b'/');
    }
}

/// S3: the path as it is, each byte encoded once, whichever way the client spelled it.
fn write_path_once_encoded(out: &mut Vec<u8>, path: &str) -> Result<(), BadEscape> {
    if path.is_empty() {
        out.push(b'/');
    }
    for byte in Bytes::new(path.as_bytes()) {
        match byte? {
            (b'/', false) => out.push(b'/'),
            (byte, _) => push_encoded(out, byte),
        }
    }
    Ok(())
}

fn write_query(
    out: &mut Vec<u8>,
    query: &str,
    form: Form,
    secrets: Secrets,
) -> Result<(), BadEscape> {
    if query.is_empty() {
        return Ok(());
    }
    let mut encoded = Vec::with_capacity(query.len() + query.len() / 4);
    let mut pairs: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = write_query_part(&mut encoded, name)?;
        let secret = secrets == Secrets::Hidden
            && encoded.get(name.clone()).is_some_and(is_secret_parameter);
        let start = encoded.len();
        write_query_part(&mut encoded, value)?;
        if secret {
            hide(&mut encoded, start);
        }
        pairs.push((name, start..encoded.len()));
    }
    let text = |range: &Range<usize>| encoded.get(range.clone()).unwrap_or_default();
    pairs.sort_by(|a, b| text(&a.0).cmp(text(&b.0)).then_with(|| text(&a.1).cmp(text(&b.1))));
    let mut first = true;
    for (name, value) in &pairs {
        if form == Form::Query && text(name) == b"X-Amz-Signature" {
            continue;
        }
        if !first {
            out.push(b'&');
        }
        first = false;
        out.extend_from_slice(text(name));
        out.push(b'=');
        out.extend_from_slice(text(value));
    }
    Ok(())
}

/// Members of lists and structures count by their last step: `ProvidedContexts.member.1.ContextAssertion`.
fn is_secret_parameter(name: &[u8]) -> bool {
    let last = name.rsplit(|b| *b == b'.').next().unwrap_or(name);
    SECRET_PARAMETERS.iter().any(|secret| last.eq_ignore_ascii_case(secret.as_bytes()))
}

/// Decodes and encodes again. A `+` is a space, as in forms.
fn write_query_part(out: &mut Vec<u8>, part: &str) -> Result<Range<usize>, BadEscape> {
    let start = out.len();
    for byte in Bytes::new(part.as_bytes()) {
        match byte? {
            (b'+', false) => out.extend_from_slice(b"%20"),
            (byte, _) => push_encoded(out, byte),
        }
    }
    Ok(start..out.len())
}

fn push_encoded(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
        out.push(byte);
    } else {
        let digit = |n: u8| HEX.get(usize::from(n)).copied().unwrap_or(b'0');
        out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
    }
}

/// The bytes of an escaped text, each with whether it was escaped.
struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }
}

impl Iterator for Bytes<'_> {
    type Item = Result<(u8, bool), BadEscape>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.rest {
            [b'%', high, low, rest @ ..] => {
                self.rest = rest;
                let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
                Some(match (digit(*high), digit(*low)) {
                    (Some(high), Some(low)) => Ok((high << 4 | low, true)),
                    _ => Err(BadEscape),
                })
            }
            [b'%', ..] => {
                self.rest = &[];
                Some(Err(BadEscape))
            }
            [byte, rest @ ..] => {
                self.rest = rest;
                Some(Ok((*byte, false)))
            }
            [] => None,
        }
    }
}

/// Whether the request has this header, counting `:authority` as `host`.
pub(super) fn is_present(parts: &Parts, name: &str) -> bool {
    parts.headers.contains_key(name) || (name == "host" && host(parts).is_some())
}

/// Whether a name can stand in `SignedHeaders`: as `HeaderMap` spells it, in lower case.
pub(super) fn is_header_name(name: &str) -> bool {
    HeaderName::from_lowercase(name.as_bytes()).is_ok()
}

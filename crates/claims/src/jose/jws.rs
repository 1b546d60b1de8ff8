//! Reading a compact JWS (RFC 7515 section 7.1) without trusting it.

use serde_json::{Map, Value};

use crate::failure::Malformed;
use crate::jose::b64;
use crate::jose::json::{self, Limits, Object};

/// Longest token that is read, in characters: the limit of AWS's `WebIdentityToken` parameter.
pub const MAX_TOKEN_CHARS: usize = 20_000;

/// Real headers have some 100 bytes; one with a certificate chain some thousand.
const HEADER_LIMITS: Limits = Limits { bytes: 8 * 1024, depth: 8, values: 128 };

/// Claims are bounded by the token already; groups claims make for many values.
const CLAIMS_LIMITS: Limits = Limits { bytes: MAX_TOKEN_CHARS, depth: 32, values: 4096 };

/// A token taken apart. Nothing in it has been checked but its shape.
#[derive(Clone, Debug)]
pub struct Compact<'t> {
    /// What the signature is made over: header and claims as they stand in the token.
    pub(crate) signed: &'t str,
    /// The signature's bytes.
    pub(crate) signature: Vec<u8>,
    /// The protected header.
    pub header: Header,
    /// The payload.
    pub payload: Object,
}

/// The header of a compact JWS.
#[derive(Clone, Debug)]
pub struct Header {
    /// `alg` as written; empty if missing.
    pub alg: String,
    /// `kid`.
    pub kid: Option<String>,
    /// `typ`.
    pub typ: Option<String>,
    /// All members.
    pub members: Map<String, Value>,
    /// Names that occur twice.
    pub duplicates: Vec<String>,
}

impl Header {
    /// Members that offer a key of the sender's own choice. They are never used.
    ///
    /// ATTACK: a token that brings its own key (corpus/tokens/oidc/header-jwk.json,
    /// header-jku.json, header-x5u.json, header-x5c.json).
    pub fn offered_keys(&self) -> impl Iterator<Item = &'static str> {
        ["jku", "jwk", "x5u", "x5c"].into_iter().filter(|name| self.members.contains_key(*name))
    }
}

/// Takes a token apart.
///
/// # Errors
/// What is malformed about it. Duplicate members are reported, not refused.
pub fn read(token: &str) -> Result<Compact<'_>, Malformed> {
    if token.len() > MAX_TOKEN_CHARS {
        return Err(Malformed::TooLong { chars: token.len() });
    }
    let parts = || token.split('.');
    let mut each = parts();
    let (Some(header), Some(claims), Some(signature), None) =
        (each.next(), each.next(), each.next(), each.next())
    else {
        return Err(Malformed::Parts { count: parts().count() });
    };
    for (part, text) in [("header", header), ("claims", claims), ("signature", signature)] {
        if text.is_empty() {
            return Err(Malformed::EmptyPart { part });
        }
    }
    let signed = token.get(..header.len() + 1 + claims.len()).unwrap_or_default();
    Ok(Compact {
        signed,
        header: read_header(part_object("header", header, HEADER_LIMITS)?)?,
        payload: part_object("claims", claims, CLAIMS_LIMITS)?,
        signature: decode("signature", signature)?,
    })
}

fn read_header(object: Object) -> Result<Header, Malformed> {
    let text = |name: &'static str| match object.members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Malformed::HeaderMember { name }),
    };
    Ok(Header {
        alg: text("alg")?.unwrap_or_default(),
        kid: text("kid")?,
        typ: text("typ")?,
        members: object.members,
        duplicates: object.duplicates,
    })
}

fn part_object(part: &'static str, text: &str, limits: Limits) -> Result<Object, Malformed> {
    json::object(&decode(part, text)?, limits).map_err(|fault| Malformed::Json { part, fault })
}

fn decode(part: &'static str, text: &str) -> Result<Vec<u8>, Malformed> {
    b64::decode(text).ok_or(Malformed::Base64 { part })
}

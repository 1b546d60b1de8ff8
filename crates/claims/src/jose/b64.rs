//! base64url without padding, canonical only (RFC 7515 section 2, RFC 4648 section 3.5).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes; refuses padding, whitespace, foreign characters and non-zero spare bits.
///
/// ATTACK: non-canonical encodings make two texts of one token, which defeats caches and replay
/// records (corpus/tokens/oidc/base64-spare-bits.json, base64-padding.json).
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

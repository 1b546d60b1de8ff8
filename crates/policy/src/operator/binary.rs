//! Bytes, written in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(super) fn read(text: &str) -> Option<Box<[u8]>> {
    STANDARD.decode(text).ok().map(Vec::into_boxed_slice)
}

/// Compares decoded bytes; allocates for the value had.
pub(super) fn equals_any(wanted: &[Option<Box<[u8]>>], had: &str) -> bool {
    read(had).is_some_and(|had| wanted.iter().flatten().any(|bytes| *bytes == had))
}

pub(super) fn fault(literal: &str) -> Option<&'static str> {
    read(literal).is_none().then_some("not base64")
}

//! Lower-casing and the one hash by which keys, actions and resources are indexed.
//!
//! The hash is fixed and not keyed: every look-up compares the text or evaluates the candidate in
//! full, and the number of entries an outsider can add (tags) is bounded, so a collision costs a
//! few comparisons and never changes an answer.

use std::borrow::Cow;
use std::hash::{BuildHasherDefault, Hasher};

/// Lower case, without allocating when the text is lower-case ASCII already.
pub(crate) fn lower(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        Cow::Owned(text.to_lowercase())
    } else if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(state: u64, word: u64) -> u64 {
    let wide = u128::from(state ^ word) * u128::from(MULTIPLIER ^ (word | 1).rotate_left(32));
    #[expect(clippy::cast_possible_truncation, reason = "folding both halves is the point")]
    let folded = (wide as u64) ^ ((wide >> 64) as u64);
    folded
}

/// Hashes bytes, eight at a time.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut state = MULTIPLIER ^ (bytes.len() as u64);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = mix(state, u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let mut last = [0u8; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        state = mix(state, u64::from_le_bytes(last));
    }
    mix(state, MULTIPLIER.rotate_left(17))
}

/// For maps whose keys are already hashes.
#[derive(Default, Clone, Copy)]
pub(crate) struct Already(u64);

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes);
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A map from [`hash`] values.
pub(crate) type HashedMap<V> = std::collections::HashMap<u64, V, BuildHasherDefault<Already>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_lengths_differ() {
        let text = b"arn:aws:s3:::bucket/key/that/is/long";
        let all: std::collections::HashSet<u64> =
            (0..text.len()).map(|n| hash(&text[..n])).collect();
        assert_eq!(all.len(), text.len());
        assert_ne!(hash(b"a"), hash(b"a\0"));
    }

    #[test]
    fn lower_casing_borrows_when_it_can() {
        assert!(matches!(lower("aws:sourceip"), Cow::Borrowed(_)));
        assert_eq!(lower("aws:SourceIp"), "aws:sourceip");
        assert_eq!(lower("É"), "é");
    }
}

//! The packed size of what a session carries.
//!
//! AWS packs session policies, tags and provider data by a method that it does not publish, against
//! a limit that it does not publish either; it reports a percentage. Ours is DEFLATE against
//! [`ALLOTTED`] bytes: the shape of the answer and its refusal are AWS's, the figures our own.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::credentials::{PACKED_POLICY_TOO_LARGE, Session};
use crate::error::{Error, Result};

/// Packed bytes that count as 100 %.
pub const ALLOTTED: usize = 1024;

/// Percentage of the allotted space that the session takes; none when nothing is packed.
///
/// # Errors
/// `PackedPolicyTooLarge` above 100 %.
pub fn size(session: &Session) -> Result<Option<u64>> {
    let mut plain = Vec::new();
    let mut put = |text: &str| {
        plain.extend_from_slice(text.as_bytes());
        plain.push(0);
    };
    session.policy.iter().for_each(|text| put(text));
    session.policy_arns.iter().for_each(|arn| put(arn));
    for tag in &session.tags {
        put(&tag.key);
        put(&tag.value);
    }
    session.transitive.iter().for_each(|key| put(key));
    session.source_identity.iter().for_each(|identity| put(identity));
    session.federated_provider.iter().for_each(|provider| put(provider));
    for (name, values) in &session.claims {
        put(name);
        values.iter().for_each(|value| put(value));
    }
    if plain.is_empty() {
        return Ok(None);
    }

    let percent = (packed_len(&plain) * 100).div_ceil(ALLOTTED);
    if percent > 100 {
        return Err(Error::new(
            PACKED_POLICY_TOO_LARGE,
            format!(
                "Packed policy consumes {percent}% of allotted space, please use smaller policy."
            ),
        ));
    }
    Ok(Some(percent as u64))
}

fn packed_len(plain: &[u8]) -> usize {
    // Below this size DEFLATE gains nothing worth its time.
    const WORTH_PACKING: usize = 512;
    if plain.len() <= WORTH_PACKING {
        return plain.len();
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory cannot fail; if it did, the plain size is the honest answer.
    match encoder.write_all(plain).and_then(|()| encoder.finish()) {
        Ok(packed) => packed.len().min(plain.len()),
        Err(_) => plain.len(),
    }
}

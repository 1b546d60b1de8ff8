//! Time-based one-time codes (RFC 6238): six digits, steps of thirty seconds, HMAC-SHA-1, as every
//! authenticator app makes them.

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};

/// Seconds of one step.
const STEP: i64 = 30;
/// Steps that a device's clock may be off on either side, at any one time.
const SKEW: i64 = 1;
/// Steps that are searched when a device is enabled or brought back into step: ten minutes.
const SEARCH: i64 = 20;

/// The step of a time.
pub const fn step_at(seconds: i64) -> i64 {
    seconds.div_euclid(STEP)
}

/// The step whose code this is, near `expected` and after `last`.
pub fn matching(seed: &[u8], code: &str, expected: i64, last: i64) -> Option<i64> {
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let steps = (expected - SKEW).max(last + 1)..=expected + SKEW;
    find(&key, code, steps)
}

/// The second of two steps that follow each other and whose codes these are.
pub fn consecutive(seed: &[u8], codes: [&str; 2], expected: i64, last: i64) -> Option<i64> {
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let mut steps = (expected - SEARCH).max(last + 1)..=expected + SEARCH;
    steps.find(|step| is(&key, *step, codes[0]) && is(&key, step + 1, codes[1])).map(|it| it + 1)
}

fn find(key: &Key, code: &str, steps: impl Iterator<Item = i64>) -> Option<i64> {
    // Every step is tried, so that the time taken does not tell which one it was.
    steps.filter(|step| is(key, *step, code)).last()
}

fn is(key: &Key, step: i64, given: &str) -> bool {
    let code = code(key, step);
    let same = aws_lc_rs::constant_time::verify_slices_are_equal(code.as_bytes(), given.as_bytes());
    same.is_ok()
}

/// The code of one step (RFC 4226, 5.3).
fn code(key: &Key, step: i64) -> String {
    let tag = sign(key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or_default() & 15);
    let word =
        tag.iter().skip(offset).take(4).fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the last six of its eight digits.
    const VECTORS: [(i64, &str); 5] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];
    const SEED: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_rfc_and_taken_once() {
        for (seconds, code) in VECTORS {
            let step = step_at(seconds);
            assert_eq!(matching(SEED, code, step, 0), Some(step));
            assert_eq!(matching(SEED, code, step + 1, 0), Some(step), "a slow device");
            assert_eq!(matching(SEED, code, step - 1, 0), Some(step), "a fast device");
            assert_eq!(matching(SEED, code, step + 2, 0), None, "too old");
            assert_eq!(matching(SEED, code, step, step), None, "taken already");
        }
        assert_eq!(matching(SEED, "", 1, 0), None);
        assert_eq!(matching(b"another", "287082", 1, 0), None);
    }

    #[test]
    fn two_codes_must_follow_each_other() {
        let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, SEED);
        let (one, two, three) = (code(&key, 100), code(&key, 101), code(&key, 102));
        assert_eq!(consecutive(SEED, [&one, &two], 115, 0), Some(101));
        assert_eq!(consecutive(SEED, [&one, &three], 101, 0), None);
        assert_eq!(consecutive(SEED, [&two, &one], 101, 0), None);
        assert_eq!(consecutive(SEED, [&one, &one], 101, 0), None);
        assert_eq!(consecutive(SEED, [&one, &two], 121, 0), None, "out of the search");
        assert_eq!(consecutive(SEED, [&one, &two], 101, 100), None, "taken already");
    }
}

//! Times as AWS writes them.

use jiff::Timestamp;
use jiff::fmt::strtime;

use crate::record::Millis;

/// `2026-01-01T00:00:00Z`: whole seconds, cut.
pub fn iso_seconds(at: Millis) -> String {
    let seconds = at.div_euclid(1000);
    match Timestamp::from_second(seconds) {
        Ok(stamp) => stamp.to_string(),
        Err(_) => seconds.to_string(),
    }
}

/// `Mar 23, 2016, 2:39:57 AM`: how CloudTrail writes the expiration of credentials.
pub fn trail_expiration(at: Millis) -> String {
    let text = Timestamp::from_second(at.div_euclid(1000)).ok().and_then(|stamp| {
        strtime::format("%b %-d, %Y, %-I:%M:%S %p", &stamp.to_zoned(jiff::tz::TimeZone::UTC)).ok()
    });
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_aws_writes_them() {
        assert_eq!(iso_seconds(1_767_225_600_999), "2026-01-01T00:00:00Z");
        assert_eq!(trail_expiration(1_458_700_797_000), "Mar 23, 2016, 2:39:57 AM");
    }
}

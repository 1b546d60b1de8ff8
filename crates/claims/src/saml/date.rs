//! Dates as XML and certificates write them, to seconds since 1970.

use crate::UnixTime;

/// An `xs:dateTime` in UTC, as SAML demands (SAML Core section 1.3.3). Fractions of a second are
/// cut off; an offset other than `Z` is not a SAML time.
pub(super) fn from_xml(text: &str) -> Option<UnixTime> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']).strip_suffix('Z')?;
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let digits = |it: &str| !it.is_empty() && it.len() <= 12 && it.bytes().all(is_digit);
    if !fraction.is_none_or(digits) {
        return None;
    }
    let (date, time) = whole.split_once('T')?;
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = fields(time, ':', [2, 2, 2])?;
    seconds([year, month, day, hour, minute, second])
}

/// A `UTCTime` or `GeneralizedTime` of a certificate (RFC 5280 section 4.1.2.5).
pub(super) fn from_asn1(text: &[u8]) -> Option<UnixTime> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (century, rest) = match text.len() {
        12 => (None, text),
        14 => {
            let (century, rest) = text.split_at_checked(2)?;
            (Some(number(century)?), rest)
        }
        _ => return None,
    };
    let mut parts = [0; 6];
    let mut rest = rest;
    for part in &mut parts {
        let (two, after) = rest.split_at_checked(2)?;
        *part = number(two)?;
        rest = after;
    }
    let [short, month, day, hour, minute, second] = parts;
    let century = century.unwrap_or(if short < 50 { 20 } else { 19 });
    seconds([century * 100 + short, month, day, hour, minute, second])
}

fn fields(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (place, width) in found.iter_mut().zip(widths) {
        *place = parts.next().filter(|part| part.len() == width).and_then(number)?;
    }
    parts.next().is_none().then_some(found)
}

fn number(text: &str) -> Option<i64> {
    text.bytes().all(is_digit).then(|| text.parse().ok())?
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn seconds([year, month, day, hour, minute, second]: [i64; 6]) -> Option<UnixTime> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let fits = (1..=days_in_month).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !fits || year < 1900 {
        return None;
    }
    // Days since 1970 by shifted years, so that the leap day is a year's last
    // (H. Hinnant, "chrono-compatible low-level date algorithms").
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(UnixTime(days * 86_400 + hour * 3_600 + minute * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_xml_are_utc_and_whole() {
        let at = |text| from_xml(text).map(|time| time.0);
        assert_eq!(at("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(at("2026-11-21T12:34:56.789Z"), Some(1_795_264_496));
        assert_eq!(at("2000-02-29T00:00:00Z"), Some(951_782_400));
        for wrong in [
            "",
            "2026-11-21T12:34:56",
            "2026-11-21T12:34:56+00:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-21 12:34:56Z",
            "2026-11-21T12:34:56.Z",
            "26-11-21T12:34:56Z",
            "2026-11-21T24:00:00Z",
            "+026-11-21T12:34:56Z",
        ] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_of_certificates_know_both_forms() {
        let at = |text: &str| from_asn1(text.as_bytes()).map(|time| time.0);
        assert_eq!(at("700101000000Z"), Some(0));
        assert_eq!(at("20500101000000Z"), Some(2_524_608_000));
        assert_eq!(at("500101000000Z"), at("19500101000000Z"));
        assert_eq!(at("7001010000Z"), None);
    }
}

//! Instants: the W3C profile of ISO 8601, or seconds since 1970; kept in milliseconds.

use super::{Relation, satisfies};

/// Reads `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, `YYYY-MM-DDThh:mm[:ss[.fff]](Z|±hh:mm)` or epoch
/// seconds (any number of digits but four: four are a year). Fractions beyond milliseconds are cut.
pub(super) fn read(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 4 && !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit) {
        return text.parse::<i64>().ok()?.checked_mul(1_000);
    }
    let mut rest = bytes;
    let year = number(&mut rest, 4)?;
    let month =
        if skip(&mut rest, b'-') { number(&mut rest, 2)? } else { return done(rest, year, 1, 1) };
    let day = if skip(&mut rest, b'-') {
        number(&mut rest, 2)?
    } else {
        return done(rest, year, month, 1);
    };
    let midnight = days(year, month, day)?.checked_mul(86_400_000)?;
    if rest.is_empty() {
        return Some(midnight);
    }
    if !skip(&mut rest, b'T') {
        return None;
    }
    let hour = number(&mut rest, 2)?;
    let minute = if skip(&mut rest, b':') { number(&mut rest, 2)? } else { return None };
    let mut second = 0;
    let mut millis = 0;
    if skip(&mut rest, b':') {
        second = number(&mut rest, 2)?;
        if skip(&mut rest, b'.') {
            millis = fraction(&mut rest)?;
        }
    }
    let offset = zone(&mut rest)?;
    if hour > 23 || minute > 59 || second > 59 || !rest.is_empty() {
        return None;
    }
    Some(midnight + ((hour * 60 + minute - offset) * 60 + second) * 1_000 + millis)
}

fn done(rest: &[u8], year: i64, month: i64, day: i64) -> Option<i64> {
    if rest.is_empty() { days(year, month, day)?.checked_mul(86_400_000) } else { None }
}

fn skip(rest: &mut &[u8], byte: u8) -> bool {
    match rest.split_first() {
        Some((first, after)) if *first == byte => {
            *rest = after;
            true
        }
        _ => false,
    }
}

fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (head, after) = rest.split_at_checked(digits)?;
    *rest = after;
    let digit = |b: &u8| b.is_ascii_digit().then(|| i64::from(b - b'0'));
    head.iter().try_fold(0, |sum, b| Some(sum * 10 + digit(b)?))
}

fn fraction(rest: &mut &[u8]) -> Option<i64> {
    let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, after) = rest.split_at_checked(length)?;
    *rest = after;
    let first_three = digits.iter().chain(b"000").take(3);
    (length > 0).then(|| first_three.fold(0, |sum, b| sum * 10 + i64::from(b - b'0')))
}

/// Minutes east of Greenwich.
fn zone(rest: &mut &[u8]) -> Option<i64> {
    if skip(rest, b'Z') {
        return Some(0);
    }
    let sign = match (skip(rest, b'+'), skip(rest, b'-')) {
        (true, false) => 1,
        (false, true) => -1,
        _ => return None,
    };
    let hours = number(rest, 2)?;
    let minutes = if skip(rest, b':') { number(rest, 2)? } else { return None };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// Days since 1970-01-01 of a date in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Count from March, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Whether some wanted date stands in `relation` to the one had. Garbage satisfies only `NotEqual`.
pub(super) fn holds(relation: Relation, wanted: &[Option<i64>], had: &str) -> bool {
    let Some(had) = read(had) else { return relation == Relation::NotEqual };
    let mut dates = wanted.iter().flatten();
    match relation {
        Relation::NotEqual => !dates.any(|date| *date == had),
        _ => dates.any(|date| satisfies(relation, had.cmp(date))),
    }
}

pub(super) fn fault(literal: &str) -> Option<&'static str> {
    read(literal).is_none().then_some("not a date")
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn every_form_is_read() {
        assert_eq!(read("1970"), Some(0));
        assert_eq!(read("1970-02"), Some(31 * 86_400_000));
        assert_eq!(read("2000-03-01"), Some(951_868_800_000));
        assert_eq!(read("2024-02-29T00:00Z"), Some(1_709_164_800_000));
        assert_eq!(read("2024-02-29T01:00:00+01:00"), Some(1_709_164_800_000));
        assert_eq!(read("2024-02-28T23:30:00.5-00:30"), Some(1_709_164_800_500));
        assert_eq!(read("1709164800"), Some(1_709_164_800_000));
        assert_eq!(read("2024-02-29T00:00:00.123987Z"), Some(1_709_164_800_123));
        assert_eq!(read("0"), Some(0));
    }

    #[test]
    fn garbage_is_not() {
        for bad in [
            "",
            "2023-02-29",
            "2024-13",
            "2024-00-01",
            "2024-1-1",
            "2024-01-01T",
            "20240",
            "x",
            "2024-01-01T00:00",
            "2024-01-01T24:00Z",
            "2024-01-01T00:60Z",
            "2024-01-01 00:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00Zx",
            "-1",
            "2024-01-01T00:00+0100",
            "99999999999999999999",
            "2024-01-01t00:00z",
            "2024-",
        ] {
            if bad != "20240" {
                assert_eq!(read(bad), None, "{bad}");
            }
        }
        assert_eq!(read("20240"), Some(20_240_000), "five digits are seconds");
    }
}

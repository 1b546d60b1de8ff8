//! Decimals of any precision, compared by their digits: nothing overflows and nothing is rounded.

use std::cmp::Ordering;

use super::{Relation, satisfies};

/// A number in a policy; its text is known to be readable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Owned(Box<str>);

impl Owned {
    pub(super) fn read(text: &str) -> Option<Self> {
        Number::read(text).map(|_| Self(text.into()))
    }
}

/// The longest number read, in bytes.
const MAX: usize = 1_024;

/// `±0.d₁d₂d₃… × 10^exponent`, its digits in two slices, without leading or trailing zeros.
#[derive(Clone, Copy, Debug)]
struct Number<'a> {
    negative: bool,
    exponent: i64,
    whole: &'a [u8],
    fraction: &'a [u8],
}

impl<'a> Number<'a> {
    /// Sign, digits with an optional point, exponent: `01`, `+1`, `1.0`, `.5`, `1e0`.
    fn read(text: &'a str) -> Option<Self> {
        if text.len() > MAX {
            return None;
        }
        let (negative, rest) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let (mantissa, exponent) = match rest.iter().position(|b| matches!(b, b'e' | b'E')) {
            Some(at) => (rest.get(..at)?, exponent(rest.get(at + 1..)?)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.iter().position(|b| *b == b'.') {
            Some(at) => (mantissa.get(..at)?, mantissa.get(at + 1..)?),
            None => (mantissa, &[][..]),
        };
        let digits = whole.len() + fraction.len();
        if digits == 0 || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
            return None;
        }
        let leading = whole.iter().chain(fraction).take_while(|b| **b == b'0').count();
        if leading == digits {
            return Some(Self { negative: false, exponent: 0, whole: &[], fraction: &[] });
        }
        let magnitude = i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()? + exponent;
        let fraction_lead = leading.saturating_sub(whole.len());
        Some(Self {
            negative,
            exponent: magnitude,
            whole: whole.get(leading.min(whole.len())..)?,
            fraction: fraction.get(fraction_lead..)?,
        })
    }

    fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => {
                return if other.negative { Ordering::Greater } else { Ordering::Less };
            }
            (false, true) => return if self.negative { Ordering::Less } else { Ordering::Greater },
            (false, false) => {}
        }
        if self.negative != other.negative {
            return if self.negative { Ordering::Less } else { Ordering::Greater };
        }
        let magnitude = self.exponent.cmp(&other.exponent).then_with(|| self.digits(other));
        if self.negative { magnitude.reverse() } else { magnitude }
    }

    /// Compares the digits, the shorter number continued with zeros.
    fn digits(&self, other: &Self) -> Ordering {
        let mut a = self.whole.iter().chain(self.fraction);
        let mut b = other.whole.iter().chain(other.fraction);
        loop {
            match (a.next(), b.next()) {
                (None, None) => return Ordering::Equal,
                (x, y) => match x.unwrap_or(&b'0').cmp(y.unwrap_or(&b'0')) {
                    Ordering::Equal => {}
                    unequal => return unequal,
                },
            }
        }
    }
}

fn exponent(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sound = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if sound { text.parse::<i32>().ok().map(i64::from) } else { None }
}

/// Whether some wanted number stands in `relation` to the one had (none, for `NotEqual`).
/// A number had that cannot be read satisfies `NotEqual` alone, if `unreadable_is_not_equal`.
pub(super) fn holds(
    relation: Relation,
    wanted: &[Option<Owned>],
    had: &str,
    unreadable_is_not_equal: bool,
) -> bool {
    let Some(had) = Number::read(had) else {
        return relation == Relation::NotEqual && unreadable_is_not_equal;
    };
    let mut numbers = wanted.iter().flatten().filter_map(|n| Number::read(&n.0));
    match relation {
        Relation::NotEqual => !numbers.any(|number| had.compare(&number).is_eq()),
        _ => numbers.any(|number| satisfies(relation, had.compare(&number))),
    }
}

pub(super) fn fault(literal: &str) -> Option<&'static str> {
    Number::read(literal).is_none().then_some("not a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &str, b: &str) -> Ordering {
        Number::read(a).unwrap().compare(&Number::read(b).unwrap())
    }

    #[test]
    fn forms_of_one_are_equal() {
        for form in ["1", "01", "+1", "1.0", "1e0", "0.1E1", "10e-1", "1.", "100e-2"] {
            assert_eq!(order(form, "1"), Ordering::Equal, "{form}");
        }
        for form in ["0", "-0", "0.000", "0e99"] {
            assert_eq!(order(form, "0"), Ordering::Equal, "{form}");
        }
    }

    #[test]
    fn order_is_by_value() {
        let rising = [
            "-1e30",
            "-10",
            "-9.99",
            "-0.001",
            "0",
            "1e-400",
            "0.5",
            "5",
            "9",
            "10",
            "10.000000000000000000000000000001",
            "1e2",
            "123",
            "1e400",
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(order(a, b), i.cmp(&j), "{a} against {b}");
            }
        }
    }

    #[test]
    fn other_texts_are_not_numbers() {
        for bad in [
            "",
            "+",
            ".",
            "1 ",
            " 1",
            "1,0",
            "0x1",
            "1e",
            "1e+",
            "--1",
            "1.2.3",
            "NaN",
            "Infinity",
            "1e99999999999",
            "١",
        ] {
            assert!(Number::read(bad).is_none(), "{bad}");
        }
        assert!(Number::read(&"1".repeat(MAX + 1)).is_none());
    }
}

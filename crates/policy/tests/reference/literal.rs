//! Numbers, instants, addresses and bytes, read the plain way.

use std::cmp::Ordering;
use std::net::Ipv6Addr;

/// A decimal written out: sign, digits before the point, digits after it, no idle zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Number {
    pub fn read(text: &str) -> Option<Self> {
        let (negative, text) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if unsigned.is_empty() || !digits(unsigned) {
                    return None;
                }
                (mantissa, exponent.parse::<i32>().ok()?)
            }
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
            return None;
        }
        // Move the point one digit at a time.
        let (mut whole, mut fraction) = (whole.to_owned(), fraction.to_owned());
        for _ in 0..exponent.max(0) {
            let moved = if fraction.is_empty() { '0' } else { fraction.remove(0) };
            whole.push(moved);
        }
        for _ in exponent.min(0)..0 {
            let moved = whole.pop().unwrap_or('0');
            fraction.insert(0, moved);
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !zero, whole, fraction })
    }
}

fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let size = |n: &Self| (n.whole.len(), n.whole.clone(), n.fraction.clone());
        Some(match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => size(self).cmp(&size(other)),
            (true, true) => size(other).cmp(&size(self)),
        })
    }
}

/// Milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct Instant(i64);

impl Instant {
    pub fn read(text: &str) -> Option<Self> {
        // Digits are seconds since 1970, but four of them are a year.
        if !text.is_empty() && text.len() != 4 && digits(text) {
            return Some(Self(text.parse::<i64>().ok()?.checked_mul(1000)?));
        }
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let mut date = date.split('-');
        let year = fixed(date.next()?, 4)?;
        let month = date.next().map(|m| fixed(m, 2));
        let day = date.next().map(|d| fixed(d, 2));
        if date.next().is_some() || (time.is_some() && day.is_none()) {
            return None;
        }
        let (month, day) = (month.unwrap_or(Some(1))?, day.unwrap_or(Some(1))?);
        if !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
            return None;
        }
        let mut days = day - 1;
        days += (1..month).map(|m| days_of(year, m)).sum::<i64>();
        days += (1970..year).map(days_of_year).sum::<i64>();
        days -= (year..1970).map(days_of_year).sum::<i64>();
        let millis = time.map_or(Some(0), time_of_day)?;
        Some(Self(days * 86_400_000 + millis))
    }
}

fn fixed(text: &str, width: usize) -> Option<i64> {
    if text.len() == width && digits(text) { text.parse().ok() } else { None }
}

fn days_of_year(year: i64) -> i64 {
    (1..=12).map(|month| days_of(year, month)).sum()
}

fn days_of(year: i64, month: i64) -> i64 {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `hh:mm[:ss[.fff]]` and a zone: milliseconds since midnight UTC.
fn time_of_day(text: &str) -> Option<i64> {
    let zone = text.find(['Z', '+', '-'])?;
    let (clock, zone) = text.split_at(zone);
    let offset = match zone {
        "Z" => 0,
        _ => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let (hours, minutes) = (fixed(hours, 2)?, fixed(minutes, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let size = hours * 60 + minutes;
            if zone.starts_with('-') { -size } else { size }
        }
    };
    let mut clock = clock.split(':');
    let hours = fixed(clock.next()?, 2)?;
    let minutes = fixed(clock.next()?, 2)?;
    let (seconds, millis) = match clock.next() {
        None => (0, 0),
        Some(seconds) => match seconds.split_once('.') {
            None => (fixed(seconds, 2)?, 0),
            Some((_, "")) => return None,
            Some((_, fraction)) if !digits(fraction) => return None,
            Some((seconds, fraction)) => {
                let three = format!("{fraction}00");
                (fixed(seconds, 2)?, three[..3].parse::<i64>().ok()?)
            }
        },
    };
    if clock.next().is_some() || hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    Some(((hours * 60 + minutes - offset) * 60 + seconds) * 1000 + millis)
}

/// The bits of an address, most significant first: 32 or 128 of them.
pub type Bits = Vec<bool>;

/// The address of a request: IPv4 within IPv6 is IPv4.
pub fn address(text: &str) -> Option<Bits> {
    let bits = bits_of(text)?;
    let mapped =
        bits.len() == 128 && bits[..80].iter().all(|b| !b) && bits[80..96].iter().all(|b| *b);
    Some(if mapped { bits[96..].to_vec() } else { bits })
}

fn bits_of(text: &str) -> Option<Bits> {
    let octets: Vec<u8> = if text.contains(':') {
        text.parse::<Ipv6Addr>().ok()?.octets().to_vec()
    } else {
        let octets: Option<Vec<u8>> =
            text.split('.').map(|octet| small(octet)?.try_into().ok()).collect();
        octets.filter(|octets| octets.len() == 4)?
    };
    Some(
        octets
            .iter()
            .flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1))
            .collect(),
    )
}

/// A decimal number; leading zeros mean nothing.
fn small(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 9 || !digits(text) { None } else { text.parse().ok() }
}

pub fn network_contains(network: &str, address: &Bits) -> bool {
    let (base, prefix) = match network.split_once('/') {
        Some((base, prefix)) => (bits_of(base), small(prefix)),
        None => (bits_of(network), Some(if network.contains(':') { 128 } else { 32 })),
    };
    let (Some(base), Some(prefix)) = (base, prefix) else { return false };
    let prefix = usize::try_from(prefix).unwrap();
    if prefix > base.len() || base.len() != address.len() {
        return false;
    }
    // Host bits: ignored in IPv4, never matching in IPv6.
    let host_bits = base[prefix..].iter().any(|bit| *bit);
    base[..prefix] == address[..prefix] && !(base.len() == 128 && host_bits)
}

/// Standard base64 with padding.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let data = text.trim_end_matches('=');
    if text.len() - data.len() > 2 {
        return None;
    }
    let mut bits = Vec::new();
    for byte in data.bytes() {
        let value = ALPHABET.iter().position(|a| *a == byte)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1 == 1));
    }
    let whole = bits.len() / 8 * 8;
    if bits[whole..].iter().any(|bit| *bit) {
        return None;
    }
    let byte = |bits: &[bool]| bits.iter().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit));
    Some(bits[..whole].chunks(8).map(byte).collect())
}

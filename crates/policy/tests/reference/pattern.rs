//! Wildcards, variables and ARNs (spec A4, A5).

use super::Keys;
use super::condition::is_multivalued;

/// One UTF-16 unit of a pattern, or a wildcard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Written in the policy.
    Written(u16),
    /// From a variable's value: literal, whatever it is.
    Substituted(u16),
    /// `?`
    One,
    /// `*`
    Any,
}

/// What is special in a text.
#[derive(Clone, Copy, Debug)]
pub struct Reads {
    pub wildcards: bool,
    pub variables: bool,
}

impl Reads {
    pub const WILDCARDS: Self = Self { wildcards: true, variables: false };
}

/// A policy's text, with the variables put in.
#[derive(Clone, Debug)]
pub struct Text {
    units: Vec<Unit>,
    pub unresolved: bool,
    /// Has a variable (resolved or not).
    variable: bool,
}

impl Text {
    pub fn of(written: &str, reads: Reads, keys: &Keys) -> Self {
        let mut out = Self { units: Vec::new(), unresolved: false, variable: false };
        let mut rest = written;
        while let Some(c) = rest.chars().next() {
            if reads.variables && rest.starts_with("${") {
                // Storage refuses an open variable, and a condition's malformed ARN is not read.
                let (name, after) = cut_variable(rest).unwrap();
                out.substitute(name, keys);
                rest = after;
                continue;
            }
            match c {
                '*' if reads.wildcards => out.units.push(Unit::Any),
                '?' if reads.wildcards => out.units.push(Unit::One),
                c => out.units.extend(utf16(&c.to_string()).map(Unit::Written)),
            }
            rest = &rest[c.len_utf8()..];
        }
        out
    }

    fn substitute(&mut self, name: &str, keys: &Keys) {
        // `${*}`, `${?}`, `${$}` are the characters themselves.
        if matches!(name, "*" | "?" | "$") {
            self.units.extend(utf16(name).map(Unit::Written));
            return;
        }
        self.variable = true;
        let (key, default) = match name.split_once(", '") {
            Some((key, default)) => (key.trim_end(), default.strip_suffix('\'')),
            None => (name, None),
        };
        let lower = key.to_lowercase();
        let value = match keys.get(&lower) {
            Some(had) if is_multivalued(&lower, Some(had)) => None,
            Some(had) if had.values.len() == 1 => Some(&*had.values[0]),
            Some(_) => None,
            None if is_multivalued(&lower, None) => None,
            None => default,
        };
        match value {
            Some(value) => self.units.extend(utf16(value).map(Unit::Substituted)),
            None => self.unresolved = true,
        }
    }

    /// Whether the whole of `text` matches. Something unresolved matches nothing.
    pub fn matches(&self, text: &str) -> bool {
        !self.unresolved && glob(&self.units, &utf16(text).collect::<Vec<_>>())
    }

    /// The text with variables put in, when it is wholly resolved and nothing in it is a wildcard.
    pub fn plain(&self) -> Option<String> {
        let units: Option<Vec<u16>> = self
            .units
            .iter()
            .map(|unit| match unit {
                Unit::Written(unit) | Unit::Substituted(unit) => Some(*unit),
                Unit::One | Unit::Any => None,
            })
            .collect();
        if self.unresolved { None } else { Some(String::from_utf16(&units?).unwrap()) }
    }
}

/// The inside of the `${…}` at the start, and what follows. A quoted default may hold a brace.
fn cut_variable(text: &str) -> Option<(&str, &str)> {
    let inside = &text[2..];
    let key = inside.find(['}', ','])?;
    if inside[key..].starts_with('}') {
        return Some((&inside[..key], &inside[key + 1..]));
    }
    let default = inside[key..].strip_prefix(", '")?;
    let quote = inside.len() - default.len() + default.find('\'')?;
    let after = inside[quote + 1..].strip_prefix('}')?;
    Some((&inside[..=quote], after))
}

/// Whether every `${` of a text begins a well-formed variable.
fn has_sound_variables(text: &str) -> bool {
    let Some(at) = text.find("${") else { return true };
    let Some((name, after)) = cut_variable(&text[at..]) else { return false };
    let key = name.split(',').next().unwrap_or_default();
    let sound = !key.is_empty() && !key.contains(['$', '{', '*', '?', '\'']);
    (sound || matches!(name, "*" | "?" | "$")) && has_sound_variables(after)
}

fn utf16(text: &str) -> impl Iterator<Item = u16> {
    text.encode_utf16().collect::<Vec<_>>().into_iter()
}

/// `fits[p]`: the units read so far fit the first `p` units of the pattern.
fn glob(pattern: &[Unit], text: &[u16]) -> bool {
    let mut fits = vec![false; pattern.len() + 1];
    fits[0] = true;
    let skip_stars = |fits: &mut Vec<bool>| {
        for (p, unit) in pattern.iter().enumerate() {
            if *unit == Unit::Any && fits[p] {
                fits[p + 1] = true;
            }
        }
    };
    skip_stars(&mut fits);
    for had in text {
        let mut next = vec![false; pattern.len() + 1];
        for (p, unit) in pattern.iter().enumerate() {
            match unit {
                Unit::Written(wanted) | Unit::Substituted(wanted) => {
                    next[p + 1] |= fits[p] && wanted == had;
                }
                Unit::One => next[p + 1] |= fits[p],
                Unit::Any => next[p] |= fits[p],
            }
        }
        skip_stars(&mut next);
        fits = next;
    }
    fits[pattern.len()]
}

/// How an ARN pattern stands to an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Matches,
    Differs,
    Unresolved,
}

/// What becomes of a written ARN with fewer than six parts (spec A4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Short {
    Padded,
    PaddedIfWildcard,
    PaddedIfTrailingStar,
    Never,
}

pub fn arn_matches(
    written: &str,
    variables: bool,
    short: Short,
    arn: &str,
    keys: &Keys,
) -> Outcome {
    if written == "*" {
        return Outcome::Matches;
    }
    let reads = Reads { wildcards: true, variables };
    let text = Text::of(written, reads, keys);
    if text.unresolved {
        return Outcome::Unresolved;
    }
    let matches = |is| if is { Outcome::Matches } else { Outcome::Differs };
    // Colons that the policy's author wrote divide the pattern. Only when there are too few of them
    // do those that variables bring count.
    let of_author = |unit: &Unit| *unit == Unit::Written(u16::from(b':'));
    let any = |unit: &Unit| of_author(unit) || *unit == Unit::Substituted(u16::from(b':'));
    let mut pattern = split(&text.units, of_author);
    if pattern.len() < 6 && text.variable {
        // What expands to a bare `*` stands for the resource `*`, and for no ARN.
        let star = Unit::Substituted(u16::from(b'*'));
        if text.units == [Unit::Any] || text.units == [star] {
            return matches(arn == "*");
        }
        pattern = split(&text.units, any);
    } else if pattern.len() < 6 {
        let wildcard = text.units.iter().any(|u| matches!(u, Unit::Any | Unit::One));
        let pads = match short {
            Short::Padded => true,
            Short::PaddedIfWildcard => wildcard,
            Short::PaddedIfTrailingStar => text.units.last() == Some(&Unit::Any),
            Short::Never => false,
        };
        while pads && pattern.len() < 6 {
            pattern.push(vec![Unit::Any]);
        }
    }
    let arn: Vec<&str> = arn.splitn(6, ':').collect();
    if pattern.len() < 6 || arn.len() < 6 {
        return Outcome::Differs;
    }
    let fits =
        |(pattern, part): (&Vec<Unit>, &&str)| glob(pattern, &utf16(part).collect::<Vec<_>>());
    matches(pattern.iter().zip(&arn).all(fits))
}

/// Whether the policy's text is an ARN pattern at all.
pub fn is_arn_pattern(written: &str, variables: bool, keys: &Keys) -> bool {
    if variables && !has_sound_variables(written) {
        return false;
    }
    let text = Text::of(written, Reads { wildcards: true, variables }, keys);
    let colons = text.units.iter().filter(|u| **u == Unit::Written(u16::from(b':'))).count();
    // What IAM stores begins as an ARN, or with something that can stand for one.
    let begins = ["arn:", "*", "${"].iter().any(|begin| written.starts_with(begin));
    written == "*" || (begins && (text.variable || colons >= 5))
}

/// At most six parts, divided at the first five borders.
fn split(units: &[Unit], is_border: impl Fn(&Unit) -> bool) -> Vec<Vec<Unit>> {
    let mut parts = vec![Vec::new()];
    for unit in units {
        if parts.len() < 6 && is_border(unit) {
            parts.push(Vec::new());
        } else {
            parts.last_mut().unwrap().push(*unit);
        }
    }
    parts
}

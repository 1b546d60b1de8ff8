//! The query protocol's way in: form-encoded parameters, read as a tree.
//!
//! `Action=…&Version=…&Tags.member.1.Key=…` in a POST body or in the query string. Parameters are
//! kept as one sorted list; a [`Node`] is a view of those below a prefix, so that building and
//! walking the tree costs no more than the sort, however hostile the names.

use std::borrow::Cow;
use std::fmt;

use http::Method;
use http::request::Parts;

/// Most bytes of body and query string together; AWS answers more with 413 and no body.
pub const MAX_BYTES: usize = 10_000_000;
/// Most parameters. Ours: AWS states none, and its largest call needs some hundreds.
pub const MAX_PARAMETERS: usize = 8192;
/// Longest parameter name in bytes, undecoded. Ours.
pub const MAX_NAME: usize = 512;

/// Why a form cannot be read. Code `MalformedInput`, status 400, unless noted otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FormError {
    /// More than [`MAX_BYTES`]: status 413, no body.
    TooLarge,
    /// More than [`MAX_PARAMETERS`].
    TooManyParameters,
    /// A name longer than [`MAX_NAME`].
    NameTooLong,
    /// A `%` without two hexadecimal digits, or bytes that are not UTF-8.
    BadEscape,
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the request is larger than 10000000 bytes",
            Self::TooManyParameters => "the request has more than 8192 parameters",
            Self::NameTooLong => "a parameter's name is longer than 512 bytes",
            Self::BadEscape => "The query string contains a syntax error",
        })
    }
}

impl std::error::Error for FormError {}

/// The parameters of a request. Its `Debug` shows names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form<'a> {
    /// INVARIANT: sorted by name, each name once (the first that came).
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Form<'a> {
    /// Reads the parameters of a request: of a POST those of the body, then those of the query string;
    /// of any other method those of the query string. The first value of a name counts.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn read(parts: &'a Parts, body: &'a [u8]) -> Result<Self, FormError> {
        let query = parts.uri.query().unwrap_or("").as_bytes();
        match parts.method == Method::POST {
            true => Self::collect(&[body, query]),
            false => Self::collect(&[query]),
        }
    }

    /// Reads one form-encoded text.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn parse(text: &'a [u8]) -> Result<Self, FormError> {
        Self::collect(&[text])
    }

    fn collect(texts: &[&'a [u8]]) -> Result<Self, FormError> {
        if texts.iter().map(|t| t.len()).sum::<usize>() > MAX_BYTES {
            return Err(FormError::TooLarge);
        }
        let mut pairs = Vec::with_capacity(16);
        for pair in texts.iter().flat_map(|text| split(text)) {
            if pair.is_empty() {
                continue;
            }
            if pairs.len() == MAX_PARAMETERS {
                return Err(FormError::TooManyParameters);
            }
            let (name, value) = match memchr::memchr(b'=', pair) {
                Some(at) => (pair.get(..at).unwrap_or(pair), pair.get(at + 1..).unwrap_or(b"")),
                None => (pair, &b""[..]),
            };
            if name.len() > MAX_NAME {
                return Err(FormError::NameTooLong);
            }
            let name = unescape(name).ok_or(FormError::BadEscape)?;
            pairs.push((name, unescape(value).ok_or(FormError::BadEscape)?));
        }
        // Stable, so that the first of equal names stays the first.
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|later, first| later.0 == first.0);
        Ok(Self { pairs })
    }

    /// The value of a name without dots.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.root().child(name).and_then(|node| node.value())
    }

    /// The operation asked for.
    pub fn action(&self) -> Option<&str> {
        self.value("Action")
    }

    /// The API version asked for.
    pub fn version(&self) -> Option<&str> {
        self.value("Version")
    }

    /// The tree's root.
    pub fn root(&self) -> Node<'_> {
        Node { pairs: &self.pairs, skip: 0, value: None }
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

impl fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

/// A place in the tree: perhaps a value of its own, and the parameters below it.
#[derive(Clone, Copy)]
pub struct Node<'f> {
    /// Those whose names begin with this node's name and a dot.
    pairs: &'f [(Cow<'f, str>, Cow<'f, str>)],
    /// The length of that beginning.
    skip: usize,
    value: Option<&'f str>,
}

/// A list or map position that is no positive number in plain decimal form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadPosition;

impl<'f> Node<'f> {
    /// This node's own value.
    pub fn value(&self) -> Option<&'f str> {
        self.value
    }

    /// Whether nothing lies below.
    pub fn is_leaf(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The node below of this name, if any parameter names it.
    pub fn child(&self, name: &str) -> Option<Self> {
        let own = self.pairs.binary_search_by(|pair| self.rest(pair).cmp(name)).ok();
        let value = own.and_then(|at| self.pairs.get(at)).map(|pair| pair.1.as_ref());

        let prefix = || name.bytes().chain([b'.']);
        let start = self.pairs.partition_point(|pair| self.rest(pair).bytes().lt(prefix()));
        let after = self.pairs.get(start..).unwrap_or_default();
        let end = after.partition_point(|pair| {
            let rest = self.rest(pair).as_bytes();
            rest.get(name.len()) == Some(&b'.') && rest.get(..name.len()) == Some(name.as_bytes())
        });
        let pairs = after.get(..end).unwrap_or_default();
        (value.is_some() || !pairs.is_empty()).then_some(Self {
            pairs,
            skip: self.skip + name.len() + 1,
            value,
        })
    }

    /// The numbered nodes below (`1`, `2`, …), by number, whatever order they came in; numbers may be
    /// missing.
    ///
    /// # Errors
    /// [`BadPosition`] for a name that is not such a number (`0`, `01`, `x`, more than nine digits).
    pub fn items(&self) -> Result<Vec<Self>, BadPosition> {
        let mut positions: Vec<u32> = Vec::new();
        for pair in self.pairs {
            let rest = self.rest(pair);
            let digits = rest.split_once('.').map_or(rest, |(first, _)| first);
            if digits.len() > 9
                || digits.starts_with('0')
                || !digits.bytes().all(|b| b.is_ascii_digit())
            {
                return Err(BadPosition);
            }
            let position = digits.parse().map_err(|_| BadPosition)?;
            if positions.last() != Some(&position) {
                positions.push(position);
            }
        }
        positions.sort_unstable();
        positions.dedup();
        Ok(positions.iter().filter_map(|at| self.child(&at.to_string())).collect())
    }

    fn rest<'p>(&self, pair: &'p (Cow<'_, str>, Cow<'_, str>)) -> &'p str {
        pair.0.get(self.skip..).unwrap_or("")
    }
}

/// Writes a form, for our own requests and for tests.
pub fn encode<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.extend(utf8_percent_encode(name, KEPT));
        out.push('=');
        out.extend(utf8_percent_encode(value, KEPT));
    }
    out
}

/// Decodes `+` and `%XX`; `None` for a broken escape or for bytes that are not UTF-8.
pub(crate) fn unescape(text: &[u8]) -> Option<Cow<'_, str>> {
    if memchr::memchr2(b'%', b'+', text).is_none() {
        return std::str::from_utf8(text).ok().map(Cow::Borrowed);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        match rest {
            [b'%', high, low, after @ ..] => {
                let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
                out.push(digit(*high)? << 4 | digit(*low)?);
                rest = after;
            }
            [b'%', ..] => return None,
            [b'+', after @ ..] => {
                out.push(b' ');
                rest = after;
            }
            [] => break,
            plain => {
                let end = memchr::memchr2(b'%', b'+', plain).unwrap_or(plain.len());
                let (plain, after) = plain.split_at_checked(end)?;
                out.extend_from_slice(plain);
                rest = after;
            }
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// What stands between ampersands.
fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr::memchr_iter(b'&', text).chain([text.len()]);
    ends.scan(0, move |start, end| {
        let pair = text.get(*start..end);
        *start = end + 1;
        pair
    })
}

#[cfg(test)]
mod tests;

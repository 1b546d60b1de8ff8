//! What writers, files and places in them are called.

use std::{fmt, fs, io, path::Path, str::FromStr, sync::Arc};

const SUFFIX: &str = ".log";

/// The name of a writer: 1 to 32 of `a-z`, `0-9`, `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriterId(Arc<str>);

impl WriterId {
    /// A writer of this name, if it is one.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ((1..=32).contains(&name.len()) && name.bytes().all(fits)).then(|| Self(name.into()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WriterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a record begins. As text, `WRITER.SEGMENT.OFFSET`.
///
/// A position never comes to mean another record, also after a crash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Whose segment.
    pub writer: WriterId,
    /// Which of its segments: the milliseconds of its beginning, or one more than the last.
    pub segment: u64,
    /// The byte in it.
    pub offset: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.writer, self.segment, self.offset)
    }
}

/// The text is not a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPosition;

impl fmt::Display for NotAPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a position in the log is WRITER.SEGMENT.OFFSET")
    }
}

impl std::error::Error for NotAPosition {}

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let mut parts = text.split('.');
        let mut part = || parts.next().ok_or(NotAPosition);
        let writer = WriterId::new(part()?).ok_or(NotAPosition)?;
        let segment = part()?.parse().map_err(|_| NotAPosition)?;
        let offset = part()?.parse().map_err(|_| NotAPosition)?;
        if parts.next().is_some() {
            Err(NotAPosition)
        } else {
            Ok(Self { writer, segment, offset })
        }
    }
}

/// The file of a segment.
pub(super) fn segment(writer: &WriterId, number: u64) -> String {
    format!("{writer}.{number:013}{SUFFIX}")
}

/// The file that keeps the reserve. It is as long as a segment's name, so that a full disk still
/// has room in the folder for its new name.
pub(super) fn reserve(writer: &WriterId) -> String {
    format!("{writer}.reserved-----{SUFFIX}")
}

/// The file that the writer keeps locked.
pub(super) fn lock(writer: &WriterId) -> String {
    format!("{writer}.lock")
}

/// All segments of a folder, those of a writer together, oldest first. Other files are passed over;
/// a folder that is not there has none.
pub(super) fn list(folder: &Path) -> io::Result<Vec<(WriterId, u64)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut segments = Vec::new();
    for entry in entries {
        segments.extend(entry?.file_name().to_str().and_then(parse));
    }
    segments.sort();
    Ok(segments)
}

fn parse(name: &str) -> Option<(WriterId, u64)> {
    let (writer, number) = name.strip_suffix(SUFFIX)?.split_once('.')?;
    // `parse` would take a sign.
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    Some((WriterId::new(writer)?, number.parse().ok().filter(|_| digits)?))
}

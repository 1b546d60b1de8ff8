//! One segment from its beginning to its end.

use std::{
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::Path,
};

use super::super::{
    Millis,
    frame::{self, HEAD, HEADER, Head, Header},
};

/// How much is read at once.
const WINDOW: usize = 256 << 10;

/// No file has this many bytes: positions that come from outside may be anything.
const BEYOND: u64 = 1 << 60;

/// An open segment.
pub(in super::super) struct Scan {
    file: File,
    header: Header,
    /// Where the next frame begins.
    pub(in super::super) offset: u64,
    window: Vec<u8>,
    window_at: u64,
}

/// What comes next in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Step {
    /// A whole record that begins here.
    Record { offset: u64, at: Millis, body: Vec<u8> },
    /// This many bytes that are no record, before one that is.
    Damage { offset: u64, bytes: u64 },
    /// No whole record any more: nothing, one that is being written, or a torn one.
    End,
}

impl Scan {
    /// Opens a segment at its first record. `None` if it has no (whole) header.
    pub(in super::super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = File::open(path)?;
        let mut header = [0; HEADER];
        match file.read_exact_at(&mut header, 0) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let offset = HEADER as u64;
        Ok(Header::decode(&header).map(|header| Self {
            file,
            header,
            offset,
            window: Vec::new(),
            window_at: 0,
        }))
    }

    /// Goes on from here, which is where a record begins or the segment ended.
    pub(in super::super) fn go_to(&mut self, offset: u64) {
        self.offset = offset.clamp(HEADER as u64, BEYOND);
    }

    /// The next step. A scan sees what was written before it began, and maybe more.
    pub(in super::super) fn next(&mut self) -> io::Result<Step> {
        let offset = self.offset;
        if let Some((at, body)) = self.frame_at(offset)? {
            self.offset += (HEAD + body.len()) as u64;
            return Ok(Step::Record { offset, at, body });
        }
        let Some(found) = self.next_whole()? else { return Ok(Step::End) };
        // It may have been written while we looked for the one after it.
        self.window.clear();
        if self.frame_at(offset)?.is_some() {
            return self.next();
        }
        self.offset = found;
        Ok(Step::Damage { offset, bytes: found - offset })
    }

    /// How many bytes stand behind the last whole record, not counting zeros at their end.
    pub(in super::super) fn torn(&mut self) -> io::Result<u64> {
        let (mut from, mut torn) = (self.offset, 0);
        loop {
            let bytes = self.bytes(from, WINDOW)?;
            if bytes.is_empty() {
                return Ok(torn);
            }
            let last = bytes.iter().rposition(|byte| *byte != 0);
            let length = bytes.len() as u64;
            if let Some(last) = last {
                torn = from - self.offset + last as u64 + 1;
            }
            from += length;
        }
    }

    /// The whole record at this offset, if there is one.
    pub(in super::super) fn frame_at(
        &mut self,
        offset: u64,
    ) -> io::Result<Option<(Millis, Vec<u8>)>> {
        let (header, offset) = (self.header, offset.min(BEYOND));
        let Some(head) = Head::decode(header, offset, self.bytes(offset, HEAD)?) else {
            return Ok(None);
        };
        let body = self.bytes(offset + HEAD as u64, head.length)?;
        let at = head.at;
        let body = body.get(..head.length).map(<[u8]>::to_vec);
        Ok(body.filter(|body| head.fits(body)).map(|body| (at, body)))
    }

    /// The whole record after the one that should be here.
    fn next_whole(&mut self) -> io::Result<Option<u64>> {
        let mut from = self.offset + 1;
        loop {
            let bytes = self.bytes(from, WINDOW)?;
            if bytes.len() < HEAD {
                return Ok(None);
            }
            let Some(found) = frame::find_mark(bytes) else {
                // A mark may stand across the border.
                from += bytes.len() as u64 - 3;
                continue;
            };
            from += found as u64;
            // ATTACK: marks in a body (a user agent, a session name) would have us check a record
            // of a megabyte at each of them; the head's own checksum, salted, ends that.
            if self.frame_at(from)?.is_some() {
                return Ok(Some(from));
            }
            from += 1;
        }
    }

    /// Up to `length` bytes from `at`; fewer where the file ends.
    fn bytes(&mut self, at: u64, length: usize) -> io::Result<&[u8]> {
        let inside = at.checked_sub(self.window_at).and_then(|start| usize::try_from(start).ok());
        let start = inside.filter(|start| start.saturating_add(length) <= self.window.len());
        let start = match start {
            Some(start) => start,
            None => {
                self.fill(at, length.max(WINDOW))?;
                0
            }
        };
        let bytes = self.window.get(start..).unwrap_or_default();
        Ok(bytes.get(..length).unwrap_or(bytes))
    }

    fn fill(&mut self, at: u64, length: usize) -> io::Result<()> {
        self.window.resize(length, 0);
        self.window_at = at;
        let mut filled = 0;
        while let Some(room) = self.window.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.file.read_at(room, at + filled as u64) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.window.clear();
                    return Err(error);
                }
            }
        }
        self.window.truncate(filled);
        Ok(())
    }
}

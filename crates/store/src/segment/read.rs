//! Reading the log, in any process, while it is written.

pub(super) mod scan;

use std::{
    collections::{BTreeMap, VecDeque},
    fs, io, mem,
    path::{Path, PathBuf},
};

use self::scan::{Scan, Step};
use super::{Millis, Position, WriterId, names};

/// One record as it was appended.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub position: Position,
    /// The time it carries.
    pub at: Millis,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Names the place; the body may hold what no log should see.
impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {} ({} bytes)", self.position, self.at.0, self.body.len())
    }
}

/// Bytes that should be records and are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where they begin.
    pub position: Position,
    /// How many, to the next whole record or the end of the segment.
    pub bytes: u64,
}

/// What a reader comes upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A record.
    Record(Record),
    /// Damage, told where it stands among the records of its writer.
    Damage(Damage),
}

impl Entry {
    /// Where it begins.
    #[must_use]
    pub fn position(&self) -> &Position {
        match self {
            Self::Record(record) => &record.position,
            Self::Damage(damage) => &damage.position,
        }
    }

    /// The time by which it is merged; damage has none and comes first.
    fn at(&self) -> Millis {
        match self {
            Self::Record(record) => record.at,
            Self::Damage(_) => Millis(0),
        }
    }
}

/// One segment of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its writer.
    pub writer: WriterId,
    /// Its number: the milliseconds of its beginning, unless the clock was set back.
    pub number: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// How far someone has read: for each writer, where the next record begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor(BTreeMap<WriterId, (u64, u64)>);

impl Cursor {
    /// Before the first record of every writer.
    #[must_use]
    pub fn start() -> Self {
        Self::default()
    }

    /// The places, one for each writer, to be kept and [collected](FromIterator) again.
    pub fn positions(&self) -> impl Iterator<Item = Position> + '_ {
        self.0.iter().map(|(writer, (segment, offset))| Position {
            writer: writer.clone(),
            segment: *segment,
            offset: *offset,
        })
    }
}

impl FromIterator<Position> for Cursor {
    fn from_iter<I: IntoIterator<Item = Position>>(positions: I) -> Self {
        let place = |p: Position| (p.writer, (p.segment, p.offset));
        Self(positions.into_iter().map(place).collect())
    }
}

/// Reads a folder of segments.
#[derive(Clone, Debug)]
pub struct Reader {
    folder: PathBuf,
}

impl Reader {
    /// A reader of this folder, which may be missing yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// All segments, those of a writer together, oldest first.
    ///
    /// # Errors
    /// What the file system answers.
    pub fn segments(&self) -> io::Result<Vec<Segment>> {
        let mut segments = Vec::new();
        for (writer, number) in names::list(&self.folder)? {
            match fs::metadata(self.folder.join(names::segment(&writer, number))) {
                Ok(about) => segments.push(Segment { writer, number, bytes: about.len() }),
                // Retention came first.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(segments)
    }

    /// The record at a position; `None` if its segment is gone or no whole record stands there.
    ///
    /// # Errors
    /// What the file system answers.
    pub fn record(&self, position: &Position) -> io::Result<Option<Record>> {
        let Some(mut scan) = open(&self.folder, &position.writer, position.segment)? else {
            return Ok(None);
        };
        let frame = scan.frame_at(position.offset)?;
        Ok(frame.map(|(at, body)| Record { position: position.clone(), at, body }))
    }

    /// Everything from a cursor to the end, the writers merged by the time of their records: each
    /// writer's records come in the order of writing.
    ///
    /// # Errors
    /// What the file system answers.
    pub fn forward(&self, from: &Cursor) -> io::Result<Forward> {
        let mut writers: BTreeMap<WriterId, VecDeque<u64>> = BTreeMap::new();
        for (writer, number) in names::list(&self.folder)? {
            writers.entry(writer).or_default().push_back(number);
        }
        let lane = |(writer, mut segments): (WriterId, VecDeque<u64>)| {
            let start = from.0.get(&writer).copied();
            segments.retain(|number| start.is_none_or(|(segment, _)| *number >= segment));
            Lane { writer, segments, start, scan: None, next: None, to: None }
        };
        let lanes = writers.into_iter().map(lane).collect();
        Ok(Forward { folder: self.folder.clone(), lanes, cursor: from.clone() })
    }

    /// Everything from the newest to the oldest, merged likewise. Each segment is gone through once
    /// forward, when its end is reached.
    ///
    /// # Errors
    /// What the file system answers.
    pub fn backward(&self) -> io::Result<Backward> {
        let mut lanes: BTreeMap<WriterId, BackLane> = BTreeMap::new();
        for (writer, number) in names::list(&self.folder)? {
            lanes.entry(writer).or_default().segments.push(number);
        }
        Ok(Backward { folder: self.folder.clone(), lanes })
    }
}

/// An iterator from [`Reader::forward`]. It ends where the log ended when it got there; a later
/// [`Reader::forward`] from its [cursor](Self::cursor) goes on.
pub struct Forward {
    folder: PathBuf,
    lanes: Vec<Lane>,
    cursor: Cursor,
}

impl Forward {
    /// After everything that was returned so far.
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }
}

impl Iterator for Forward {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        for lane in &mut self.lanes {
            if let Err(error) = lane.look(&self.folder) {
                lane.segments.clear();
                return Some(Err(error));
            }
        }
        let ahead = self.lanes.iter_mut().filter(|lane| lane.next.is_some());
        let lane = ahead.min_by_key(|lane| lane.next.as_ref().map(Entry::at))?;
        let entry = lane.next.take()?;
        if let Some(place) = lane.to {
            self.cursor.0.insert(lane.writer.clone(), place);
        }
        Some(Ok(entry))
    }
}

/// One writer, forward.
struct Lane {
    writer: WriterId,
    /// Those not ended yet; the first is the one that `scan` reads.
    segments: VecDeque<u64>,
    /// Where to begin in the first of them.
    start: Option<(u64, u64)>,
    scan: Option<Scan>,
    next: Option<Entry>,
    /// The place after `next`.
    to: Option<(u64, u64)>,
}

impl Lane {
    /// Looks for the next entry, unless there is one.
    fn look(&mut self, folder: &Path) -> io::Result<()> {
        while self.next.is_none() {
            let Some(segment) = self.segments.front().copied() else { return Ok(()) };
            if self.scan.is_none() {
                self.scan = open(folder, &self.writer, segment)?;
                if let (Some(scan), Some((at, offset))) = (&mut self.scan, self.start.take())
                    && at == segment
                {
                    scan.go_to(offset);
                }
            }
            // A later segment stands only after one that is whole.
            let ended = self.segments.len() > 1;
            let Some(scan) = &mut self.scan else {
                self.segments.pop_front();
                if ended && let Some(damage) = headless(folder, &self.writer, segment)? {
                    self.to = Some((segment, damage.bytes));
                    self.next = Some(Entry::Damage(damage));
                }
                continue;
            };
            let position = |offset| Position { writer: self.writer.clone(), segment, offset };
            self.next = match scan.next()? {
                Step::Record { offset, at, body } => {
                    Some(Entry::Record(Record { position: position(offset), at, body }))
                }
                Step::Damage { offset, bytes } => {
                    Some(Entry::Damage(Damage { position: position(offset), bytes }))
                }
                Step::End => {
                    let (offset, bytes) = (scan.offset, scan.torn()?);
                    self.segments.pop_front();
                    scan.offset += bytes;
                    (ended && bytes > 0)
                        .then(|| Entry::Damage(Damage { position: position(offset), bytes }))
                }
            };
            self.to = Some((segment, scan.offset));
            if self.segments.front() != Some(&segment) {
                self.scan = None;
            }
        }
        Ok(())
    }
}

/// An iterator from [`Reader::backward`].
pub struct Backward {
    folder: PathBuf,
    lanes: BTreeMap<WriterId, BackLane>,
}

/// One writer, backward.
#[derive(Default)]
struct BackLane {
    /// Those not begun yet, oldest first.
    segments: Vec<u64>,
    /// There is a later one, so that the next is not being written any more.
    ended: bool,
    /// The one that is read.
    scan: Option<(u64, Scan)>,
    /// What stands in it, oldest first: the time, and the place or the damage.
    index: Vec<(Millis, u64, Option<Damage>)>,
}

impl Iterator for Backward {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        for (writer, lane) in &mut self.lanes {
            if let Err(error) = lane.look(&self.folder, writer) {
                lane.segments.clear();
                return Some(Err(error));
            }
        }
        let ahead = self.lanes.iter().filter(|(_, lane)| !lane.index.is_empty());
        let (writer, _) = ahead.max_by_key(|(_, lane)| lane.index.last().map(|(at, ..)| *at))?;
        let writer = writer.clone();
        let lane = self.lanes.get_mut(&writer)?;
        lane.pop(writer).transpose().or_else(|| self.next())
    }
}

impl BackLane {
    /// Goes to an earlier segment while there is nothing (more) in this one.
    fn look(&mut self, folder: &Path, writer: &WriterId) -> io::Result<()> {
        while self.index.is_empty() {
            let Some(segment) = self.segments.pop() else { return Ok(()) };
            let ended = mem::replace(&mut self.ended, true);
            let Some(mut scan) = open(folder, writer, segment)? else {
                if ended && let Some(damage) = headless(folder, writer, segment)? {
                    self.index.push((Millis(segment), 0, Some(damage)));
                }
                continue;
            };
            let mut last = Millis(segment);
            loop {
                match scan.next()? {
                    Step::Record { offset, at, .. } => {
                        last = at;
                        self.index.push((at, offset, None));
                    }
                    Step::Damage { offset, bytes } => {
                        let writer = writer.clone();
                        let position = Position { writer, segment, offset };
                        self.index.push((last, offset, Some(Damage { position, bytes })));
                    }
                    Step::End => break,
                }
            }
            let (offset, bytes) = (scan.offset, scan.torn()?);
            if ended && bytes > 0 {
                let position = Position { writer: writer.clone(), segment, offset };
                self.index.push((last, offset, Some(Damage { position, bytes })));
            }
            self.scan = Some((segment, scan));
        }
        Ok(())
    }

    fn pop(&mut self, writer: WriterId) -> io::Result<Option<Entry>> {
        let Some((at, offset, damage)) = self.index.pop() else { return Ok(None) };
        if let Some(damage) = damage {
            return Ok(Some(Entry::Damage(damage)));
        }
        let Some((segment, scan)) = &mut self.scan else { return Ok(None) };
        let position = Position { writer, segment: *segment, offset };
        let frame = scan.frame_at(offset)?;
        Ok(frame.map(|(_, body)| Entry::Record(Record { position, at, body })))
    }
}

/// What to say of a segment without a header that is not being written.
fn headless(folder: &Path, writer: &WriterId, segment: u64) -> io::Result<Option<Damage>> {
    match fs::metadata(folder.join(names::segment(writer, segment))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        about => {
            let position = Position { writer: writer.clone(), segment, offset: 0 };
            let bytes = about?.len();
            Ok((bytes > 0).then_some(Damage { position, bytes }))
        }
    }
}

/// A segment, unless it is gone or has no header (yet).
fn open(folder: &Path, writer: &WriterId, number: u64) -> io::Result<Option<Scan>> {
    match Scan::open(&folder.join(names::segment(writer, number))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        scan => scan,
    }
}

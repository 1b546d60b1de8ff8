//! Finding entries again, newest first, with flat memory: in the server beside its writing index,
//! and from the command line on a data folder alone, with or without a server running.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use store::segment::{self, Cursor, Entry, Position, WriterId};

use super::event::Event;
use super::index::{Index, SegmentId, Slot, scan, slots_on_disk};
use super::query::{BadToken, Places, Query, Scope};

#[cfg(test)]
mod tests;

/// Most slots that one page looks at, so that no question holds a thread for long; the page may
/// then be short or empty and still have a next one.
const MAX_SLOTS: usize = 500_000;
/// Most entries that one page reads.
const MAX_READS: usize = 2_000;

/// Reads a log book. Blocks the thread.
#[derive(Debug, Clone)]
pub struct Reader {
    log: segment::Reader,
    index_folder: PathBuf,
    index: Option<Arc<Index>>,
}

/// Entries, newest first.
#[derive(Debug, Default)]
pub struct Page {
    /// The entries.
    pub events: Vec<Event>,
    /// The token of the next page, if there may be one.
    pub next: Option<String>,
}

/// Why a page could not be had.
#[derive(Debug)]
pub enum QueryError {
    /// The token belongs to no page of this question.
    BadToken,
    /// What the file system answered.
    Disk(io::Error),
}

impl std::fmt::Display for QueryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BadToken => f.write_str("the token belongs to no page of this question"),
            Self::Disk(error) => write!(f, "the log book cannot be read: {error}"),
        }
    }
}

impl std::error::Error for QueryError {}

impl From<io::Error> for QueryError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<BadToken> for QueryError {
    fn from(_: BadToken) -> Self {
        Self::BadToken
    }
}

/// Where the log and its index live below the folder of the log book.
pub(super) fn folders(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join("segments"), folder.join("index"))
}

impl Reader {
    /// Reads the log book in `folder` from outside of its server.
    #[must_use]
    pub fn open(folder: &Path) -> Self {
        let (log, index_folder) = folders(folder);
        Self { log: segment::Reader::new(log), index_folder, index: None }
    }

    pub(super) fn beside(folder: &Path, index: Arc<Index>) -> Self {
        Self { index: Some(index), ..Self::open(folder) }
    }

    /// The entries of one request: one, or one for each account of a cross-account call.
    ///
    /// From outside of a server, what the index does not know is looked for in the whole log.
    ///
    /// # Errors
    /// [`QueryError::Disk`].
    pub fn by_request(&self, scope: Scope, request_id: &str) -> Result<Vec<Event>, QueryError> {
        let query = Query::request(scope, request_id);
        let mut page = self.page(&query, 10, None)?;
        let mut events = std::mem::take(&mut page.events);
        while let (true, Some(next)) = (events.is_empty(), page.next.take()) {
            page = self.page(&query, 10, Some(&next))?;
            events = std::mem::take(&mut page.events);
        }
        if events.is_empty() && self.index.is_none() {
            for entry in self.log.backward()? {
                if let Some(event) = event_of(&entry?)
                    && query.matches(&event)
                {
                    events.push(event);
                    break;
                }
            }
        }
        Ok(events)
    }

    /// The last entry, or the last refusal.
    ///
    /// # Errors
    /// [`QueryError::Disk`].
    pub fn last(&self, scope: Scope, refused: bool) -> Result<Option<Event>, QueryError> {
        let query = Query { refused, ..Query::all(scope) };
        let mut page = self.page(&query, 1, None)?;
        while let (true, Some(next)) = (page.events.is_empty(), page.next.take()) {
            page = self.page(&query, 1, Some(&next))?;
        }
        Ok(page.events.pop())
    }

    /// A page of at most `limit` entries, newest first. Pages together hold every match that was
    /// there when the first was read, each once.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn page(
        &self,
        query: &Query,
        limit: usize,
        token: Option<&str>,
    ) -> Result<Page, QueryError> {
        let from = token.map(|token| Places::parse(token, query)).transpose()?;
        let mut walk = self.walk(query, from)?;
        let mut page = Page::default();
        let (mut slots, mut reads) = (0, 0);
        while let Some((position, slot)) = walk.next(self)? {
            slots += 1;
            if query.may_match(&slot) {
                reads += 1;
                if let Some(event) = self.event(&position)?
                    && query.matches(&event)
                {
                    page.events.push(event);
                }
            }
            if page.events.len() >= limit || slots >= MAX_SLOTS || reads >= MAX_READS {
                page.next = (!walk.ended(self)?).then(|| walk.places().token(query));
                break;
            }
        }
        Ok(page)
    }

    /// Whether the entry with this event id is there already, among those appended at or after
    /// `since` (milliseconds since 1970).
    pub(super) fn holds(&self, event_id: &str, since: i64) -> Result<bool, QueryError> {
        let mut query = Query::all(Scope::Operator);
        query.attributes.push(super::query::Attribute::EventId(event_id.to_owned()));
        query.from = Some(since.saturating_mul(1000));
        let mut page = self.page(&query, 1, None)?;
        while let (true, Some(next)) = (page.events.is_empty(), page.next.take()) {
            page = self.page(&query, 1, Some(&next))?;
        }
        Ok(!page.events.is_empty())
    }

    /// New entries from here on: what is there now is passed over.
    ///
    /// # Errors
    /// What the file system answers.
    pub fn follow(&self) -> io::Result<Follow> {
        // Only the newest segments are gone through to find their ends.
        let mut newest: std::collections::BTreeMap<WriterId, u64> = Default::default();
        for segment in self.log.segments()? {
            newest.insert(segment.writer, segment.number);
        }
        let start: Cursor = newest
            .into_iter()
            .map(|(writer, segment)| Position { writer, segment, offset: 0 })
            .collect();
        let mut follow = Follow { log: self.log.clone(), cursor: start };
        let mut forward = follow.log.forward(&follow.cursor)?;
        for entry in forward.by_ref() {
            entry?;
        }
        follow.cursor = forward.cursor().clone();
        Ok(follow)
    }

    fn event(&self, position: &Position) -> io::Result<Option<Event>> {
        let record = self.log.record(position)?;
        Ok(record.and_then(|record| serde_json::from_slice(&record.body).ok()))
    }

    fn walk(&self, query: &Query, from: Option<Places>) -> io::Result<Walk> {
        let mut lanes: Vec<Lane> = Vec::new();
        for segment in self.log.segments()? {
            match lanes.last_mut() {
                Some(lane) if lane.writer == segment.writer => lane.segments.push(segment.number),
                _ => lanes.push(Lane::new(segment.writer, segment.number)),
            }
        }
        for lane in &mut lanes {
            lane.newest = lane.segments.last().copied().unwrap_or(0);
            if let Some(from) = query.from {
                lane.forget_before(from.div_euclid(1000));
            }
            if let Some(Places(places)) = &from {
                let place = places.iter().find(|place| place.writer == lane.writer);
                lane.begin_before(place.map_or((0, 0), |place| (place.segment, place.offset)));
            }
        }
        Ok(Walk { lanes })
    }

    fn slots(&self, id: &SegmentId, newest: bool) -> io::Result<Vec<Slot>> {
        let known = match &self.index {
            Some(index) if newest && !index.owns(&id.0) => None,
            Some(index) => index.slots(id),
            // The last slots of a segment that is being written, or was when the server died,
            // may not be in the file.
            None if newest => None,
            None => slots_on_disk(&self.index_folder, id),
        };
        match known {
            Some(slots) => Ok(slots),
            None => scan(&self.log, id),
        }
    }
}

/// All writers' entries, newest first.
struct Walk {
    lanes: Vec<Lane>,
}

/// One writer's entries, newest first.
struct Lane {
    writer: WriterId,
    /// Those not gone through yet, oldest first.
    segments: Vec<u64>,
    newest: u64,
    /// What is left of the segment that is gone through, oldest first.
    slots: VecDeque<Slot>,
    segment: u64,
    /// Everything from here on has been gone through.
    before: (u64, u64),
}

impl Walk {
    fn next(&mut self, reader: &Reader) -> io::Result<Option<(Position, Slot)>> {
        for lane in &mut self.lanes {
            lane.load(reader)?;
        }
        let ahead = self.lanes.iter_mut().filter(|lane| !lane.slots.is_empty());
        let Some(lane) = ahead.max_by_key(|lane| lane.slots.back().map(|slot| slot.at)) else {
            return Ok(None);
        };
        let Some(slot) = lane.slots.pop_back() else { return Ok(None) };
        lane.before = (lane.segment, slot.offset);
        let position =
            Position { writer: lane.writer.clone(), segment: lane.segment, offset: slot.offset };
        Ok(Some((position, slot)))
    }

    fn ended(&mut self, reader: &Reader) -> io::Result<bool> {
        for lane in &mut self.lanes {
            lane.load(reader)?;
        }
        Ok(self.lanes.iter().all(|lane| lane.slots.is_empty()))
    }

    fn places(&self) -> Places {
        let place = |lane: &Lane| Position {
            writer: lane.writer.clone(),
            segment: lane.before.0,
            offset: lane.before.1,
        };
        Places(self.lanes.iter().map(place).collect())
    }
}

impl Lane {
    fn new(writer: WriterId, segment: u64) -> Self {
        Self {
            writer,
            segments: vec![segment],
            newest: segment,
            slots: VecDeque::new(),
            segment: 0,
            before: (u64::MAX, u64::MAX),
        }
    }

    /// Leaves out segments that ended before `millis`: an entry is appended after its call came
    /// in, so all calls in them are older.
    fn forget_before(&mut self, millis: i64) {
        let millis = u64::try_from(millis).unwrap_or(0);
        let later = self.segments.iter().skip(1).take_while(|next| **next <= millis).count();
        self.segments.drain(..later);
    }

    fn begin_before(&mut self, place: (u64, u64)) {
        self.before = place;
        self.segments.retain(|segment| *segment <= place.0);
    }

    fn load(&mut self, reader: &Reader) -> io::Result<()> {
        while self.slots.is_empty() {
            let Some(segment) = self.segments.pop() else { return Ok(()) };
            self.segment = segment;
            let id = (self.writer.clone(), segment);
            let before = self.before;
            let mut slots = reader.slots(&id, segment == self.newest)?;
            slots.retain(|slot| (segment, slot.offset) < before);
            self.slots = slots.into();
        }
        Ok(())
    }
}

/// New entries, for `tail` in another process than the server. Poll it.
#[derive(Debug)]
pub struct Follow {
    log: segment::Reader,
    cursor: Cursor,
}

impl Follow {
    /// What was appended since the last time, oldest first, at most `limit`.
    ///
    /// # Errors
    /// What the file system answers.
    pub fn poll(&mut self, limit: usize) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        let mut forward = self.log.forward(&self.cursor)?;
        while events.len() < limit
            && let Some(entry) = forward.next()
        {
            events.extend(event_of(&entry?));
        }
        self.cursor = forward.cursor().clone();
        Ok(events)
    }
}

/// The event of a record; damage and foreign records have none.
fn event_of(entry: &Entry) -> Option<Event> {
    match entry {
        Entry::Record(record) => serde_json::from_slice(&record.body).ok(),
        Entry::Damage(_) => None,
    }
}

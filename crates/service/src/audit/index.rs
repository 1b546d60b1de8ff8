//! The index of the log book: for every event a small slot of fixed size, kept apart from the
//! segments and from the configuration store.
//!
//! One file of slots per segment, named like it. A slot holds hashes, never texts: it says where to
//! look, and the event itself is read before anything is answered, so a wrong or colliding slot
//! costs a read and never an error. Appending an event adds its slot to a bounded list in memory;
//! a thread of its own writes the list out, so that indexing never holds up a call. A file that is
//! missing, torn or doubtful after a crash is made again from its segment.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use store::segment::{self, Cursor, Entry, Position, WriterId};

use super::event::Event;

pub(super) use self::slot::{Slot, bits, hash, hash32, short};

mod slot;

/// Most slots that wait in memory to be written: above it they are dropped, and the segment is
/// indexed again from its file. 80 bytes each.
pub const MAX_BACKLOG: usize = 65_536;

/// How often waiting slots are written.
const PAUSE: Duration = Duration::from_millis(250);

/// A segment: its writer and number.
pub(super) type SegmentId = (WriterId, u64);

/// The index as its one writing process holds it.
#[derive(Debug)]
pub(super) struct Index {
    folder: PathBuf,
    log: segment::Reader,
    own: WriterId,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Slots that are in no file yet, in the order of their pushing.
    pending: VecDeque<(u64, Slot)>,
    /// How many have left `pending` at its front, ever.
    gone: u64,
    /// Segments whose file does not hold all of them: they are read themselves.
    doubtful: HashSet<SegmentId>,
    /// Segments begun by this process: file and `pending` together hold all of them.
    first_own: Option<u64>,
    stop: bool,
}

impl Index {
    /// Opens the index of the log in `log`, kept in `folder`. What a crash may have left
    /// incomplete is doubtful until [`Index::run`] has made it again.
    pub(super) fn open(folder: &Path, log: segment::Reader, own: WriterId) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut state = State::default();
        let segments = log.segments()?;
        for (at, segment) in segments.iter().enumerate() {
            // Slots are written a little after their events, so a crash may have cost those of
            // the last segment, or of the one before it if it was ended just then.
            let of_writer = |s: &&segment::Segment| s.writer == segment.writer;
            let later = segments.iter().skip(at + 1).filter(of_writer).count();
            if later < 2 || !path(folder, &segment.writer, segment.number).exists() {
                state.doubtful.insert((segment.writer.clone(), segment.number));
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            log,
            own,
            state: Mutex::new(state),
            wake: Condvar::new(),
        })
    }

    /// Adds an event that this process has just appended. Does no input or output.
    pub(super) fn push(&self, position: &Position, slot: Slot) {
        let slot = Slot { offset: position.offset, ..slot };
        let mut state = self.state();
        let first = state.first_own.unwrap_or(position.segment).min(position.segment);
        state.first_own = Some(first);
        if state.pending.len() >= MAX_BACKLOG
            && let Some((segment, _)) = state.pending.pop_front()
        {
            state.gone += 1;
            state.doubtful.insert((self.own.clone(), segment));
        }
        state.pending.push_back((position.segment, slot));
    }

    /// True for the writer whose segments this process begins.
    pub(super) fn owns(&self, writer: &WriterId) -> bool {
        self.own == *writer
    }

    /// How many slots wait to be written.
    pub(super) fn backlog(&self) -> usize {
        self.state().pending.len()
    }

    /// All slots of a segment by offset, or nothing if only the segment itself can tell.
    pub(super) fn slots(&self, id: &SegmentId) -> Option<Vec<Slot>> {
        let (pending, begun_here) = {
            let state = self.state();
            if state.doubtful.contains(id) {
                return None;
            }
            let own = id.0 == self.own;
            let waiting = state.pending.iter().filter(|(segment, _)| own && *segment == id.1);
            let pending: Vec<Slot> = waiting.map(|(_, slot)| *slot).collect();
            (pending, own && state.first_own.is_some_and(|first| id.1 >= first))
        };
        let mut slots = match read(&path(&self.folder, &id.0, id.1)) {
            Some(slots) => slots,
            // Nothing of it has been written yet.
            None if begun_here && !path(&self.folder, &id.0, id.1).exists() => Vec::new(),
            None => return None,
        };
        slots.extend(pending);
        Some(in_order(slots))
    }

    /// Writes what waits. On failure the segments concerned become doubtful and what was written
    /// of them is withdrawn: a full disk costs speed, not answers.
    pub(super) fn flush(&self) {
        let (waiting, gone) = {
            let state = self.state();
            (state.pending.iter().copied().collect::<Vec<(u64, Slot)>>(), state.gone)
        };
        let mut rest = waiting.as_slice();
        while let Some((segment, _)) = rest.first() {
            let run = rest.iter().take_while(|(other, _)| other == segment).count();
            let (now, later) = rest.split_at(run);
            let file = path(&self.folder, &self.own, *segment);
            if append(&file, now.iter().map(|(_, slot)| slot)).is_err() {
                // Best effort: a doubtful file is not read, and made again when it can be.
                let _ = fs::remove_file(&file);
                self.state().doubtful.insert((self.own.clone(), *segment));
            }
            rest = later;
        }
        let mut state = self.state();
        // Some may have been dropped meanwhile for the bound: those left at the front too.
        let written = gone + waiting.len() as u64;
        while state.gone < written && state.pending.pop_front().is_some() {
            state.gone += 1;
        }
    }

    /// The thread's work until [`Index::stop`]: writes what waits, mends what is doubtful.
    pub(super) fn run(&self) {
        loop {
            let stopping = {
                let state = self.state();
                let (state, _) = self
                    .wake
                    .wait_timeout_while(state, PAUSE, |state| !state.stop)
                    .unwrap_or_else(PoisonError::into_inner);
                state.stop
            };
            if self.backlog() > 0 {
                self.flush();
            }
            if stopping {
                return;
            }
            self.mend();
        }
    }

    /// Ends [`Index::run`] after a last writing.
    pub(super) fn stop(&self) {
        self.state().stop = true;
        self.wake.notify_all();
    }

    /// Makes the files of doubtful segments again, but for those still being appended to.
    fn mend(&self) {
        let doubtful: Vec<SegmentId> = self.state().doubtful.iter().cloned().collect();
        if doubtful.is_empty() {
            return;
        }
        let Ok(segments) = self.log.segments() else { return };
        for id in doubtful {
            let (writer, number) = &id;
            let of_writer = || segments.iter().filter(|s| s.writer == *writer);
            if !of_writer().any(|s| s.number == *number) {
                self.forget(&id);
                continue;
            }
            if self.state().stop || of_writer().all(|s| s.number <= *number) {
                continue;
            }
            // No slot of it may be on its way while its file is made again.
            if self.state().pending.iter().any(|(segment, _)| segment == number) {
                continue;
            }
            if let Ok(slots) = scan(&self.log, &id)
                && replace(&path(&self.folder, writer, *number), &slots).is_ok()
            {
                self.forget(&id);
            }
        }
    }

    /// Deletes the files of segments that are gone.
    pub(super) fn retire(&self) -> io::Result<()> {
        let segments = self.log.segments()?;
        let kept: HashSet<PathBuf> =
            segments.iter().map(|s| path(&self.folder, &s.writer, s.number)).collect();
        for entry in fs::read_dir(&self.folder)? {
            let file = entry?.path();
            if file.extension().is_some_and(|e| e == "idx") && !kept.contains(&file) {
                fs::remove_file(file)?;
            }
        }
        Ok(())
    }

    fn forget(&self, id: &SegmentId) {
        self.state().doubtful.remove(id);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slots of a segment from its file alone, for processes that do not write the index.
pub(super) fn slots_on_disk(folder: &Path, id: &SegmentId) -> Option<Vec<Slot>> {
    read(&path(folder, &id.0, id.1)).map(in_order)
}

/// The slots of a segment from the segment itself. Damaged and foreign records have none.
pub(super) fn scan(log: &segment::Reader, (writer, number): &SegmentId) -> io::Result<Vec<Slot>> {
    let mut slots = Vec::new();
    for entry in log.forward(&cursor_at(log, writer, *number)?)? {
        let entry = entry?;
        let position = entry.position();
        if position.writer != *writer {
            continue;
        }
        if position.segment != *number {
            break;
        }
        if let Entry::Record(record) = &entry
            && let Ok(event) = serde_json::from_slice::<Event>(&record.body)
        {
            slots.push(Slot::of(&event, record.position.offset));
        }
    }
    Ok(slots)
}

/// Before the first record of one segment, and after the last of all other writers.
fn cursor_at(log: &segment::Reader, writer: &WriterId, number: u64) -> io::Result<Cursor> {
    let mut writers: Vec<WriterId> = log.segments()?.into_iter().map(|s| s.writer).collect();
    writers.dedup();
    Ok(writers
        .into_iter()
        .map(|other| {
            let segment = if other == *writer { number } else { u64::MAX };
            Position { writer: other, segment, offset: 0 }
        })
        .collect())
}

fn in_order(mut slots: Vec<Slot>) -> Vec<Slot> {
    slots.sort_by_key(|slot| slot.offset);
    slots.dedup_by_key(|slot| slot.offset);
    slots
}

fn path(folder: &Path, writer: &WriterId, number: u64) -> PathBuf {
    folder.join(format!("{writer}.{number:013}.idx"))
}

/// A whole file of slots; nothing if there is none or if any slot is damaged.
fn read(file: &Path) -> Option<Vec<Slot>> {
    let bytes = fs::read(file).ok()?;
    // A slot that is just being written may be half there.
    bytes.chunks_exact(Slot::BYTES).map(Slot::decode).collect()
}

fn append<'a>(file: &Path, slots: impl Iterator<Item = &'a Slot>) -> io::Result<()> {
    let mut to = OpenOptions::new().create(true).append(true).open(file)?;
    to.write_all(&encoded(slots))
}

fn replace(file: &Path, slots: &[Slot]) -> io::Result<()> {
    let beside = file.with_extension("new");
    File::create(&beside)?.write_all(&encoded(slots.iter()))?;
    fs::rename(beside, file)
}

fn encoded<'a>(slots: impl Iterator<Item = &'a Slot>) -> Vec<u8> {
    slots.flat_map(Slot::encode).collect()
}

/// The thread that keeps an index; dropping it writes what waits and ends it.
#[derive(Debug)]
pub(super) struct Keeper {
    index: Arc<Index>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn start(index: &Arc<Index>) -> io::Result<Self> {
        let working = Arc::clone(index);
        let thread = std::thread::Builder::new()
            .name("audit-index".to_owned())
            .spawn(move || working.run())?;
        Ok(Self { index: Arc::clone(index), thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.index.stop();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to finish: the index is made again.
            let _ = thread.join();
        }
    }
}

//! Append-only log segments: the files of the log book.
//!
//! A folder holds the segments of one or several writers. Each writer (a process) appends to files
//! of its own, so writers never wait for each other; readers, in any process, merge them by the
//! time that each record carries. Files are named `WRITER.MILLIS.log` after who began them and
//! when.
//!
//! - [`Log::append`] puts a record into a queue. Whoever first waits for one writes all that is
//!   waiting with one `write(2)`, after it has let others come; a thread stands by for what nobody
//!   waits for. Another makes it durable with one `fdatasync(2)` for all who wait for that.
//! - [`Reader`] reads forward from a [`Cursor`], backward from the newest, or one record.
//! - [`retain`] deletes whole old segments.
//!
//! What can go wrong, and what then:
//!
//! - *The process or the machine dies while it writes*: the next [`Log::open`] cuts the last
//!   segment after its last whole record and reports what it cut.
//! - *Bytes rot*: every record is checksummed; readers report the [`Damage`] and find the next
//!   whole record.
//! - *The disk is full*: the log goes on in a file whose blocks it has owned all along ([`Space`]),
//!   takes only what [`Urgency::Reserved`] asks for, and answers all else with
//!   [`AppendError::Full`], so that callers refuse to do what they could not record.
//! - *The disk fails*: the log refuses everything until it is opened again. An `fdatasync` that
//!   failed is never tried again, because it would report success for pages that are lost.

mod disk;
mod frame;
mod names;
mod queue;
mod read;
mod recover;
mod retain;
mod sync;
mod write;

use std::{
    fmt,
    fs::File,
    future::Future,
    io, mem,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::{oneshot, watch};

use self::{
    disk::{Disk, RealDisk},
    queue::{Queue, Turn},
    write::Desk,
};
pub use self::{
    names::{Position, WriterId},
    read::{Backward, Cursor, Damage, Entry, Forward, Reader, Record, Segment},
    recover::Recovery,
    retain::{Limits, Retired, retain},
};

/// The largest record, in bytes: 1 MiB.
pub const MAX_RECORD: usize = 1 << 20;

/// Milliseconds since 1970 began, UTC.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

/// What must have happened to a record before its append is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The kernel has it: it survives `kill -9`.
    Written,
    /// The disk has it, and all that was written before it: it survives the loss of power.
    Synced,
}

/// Whether a record may use the space that is kept for when others have filled the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// No: when that space is all there is, the append fails and its caller refuses to act.
    Ordinary,
    /// Yes: it tells of a refusal, or of the trouble itself.
    Reserved,
}

/// How much room the log has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// The disk takes what comes, and the reserve is untouched.
    Ample,
    /// The disk is full; the reserve is being used up.
    Reserve,
    /// The reserve is used up too.
    Exhausted,
}

/// How a log is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder; made with mode 0700 if it is missing.
    pub folder: PathBuf,
    /// Who writes. Two processes never write under one name at the same time.
    pub writer: WriterId,
    /// A segment is ended before it grows beyond this many bytes.
    pub segment_bytes: u64,
    /// A segment is ended when a record comes that is this much later than its first.
    pub segment_age: Duration,
    /// How many bytes are kept allocated for when the disk is full; none if 0. On file systems that
    /// write copies or compress (btrfs, zfs), no file can keep its blocks, and the reserve is void.
    pub reserve_bytes: u64,
    /// How many bytes may wait to be written before appends are answered [`AppendError::Stalled`].
    pub queue_bytes: usize,
    /// How often a full disk is tried again.
    pub retry: Duration,
}

impl Options {
    /// The usual: segments of 64 MiB or a day, 8 MiB in reserve, 32 MiB waiting, 5 s between tries.
    pub fn new(folder: impl Into<PathBuf>, writer: WriterId) -> Self {
        Self {
            folder: folder.into(),
            writer,
            segment_bytes: 64 << 20,
            segment_age: Duration::from_hours(24),
            reserve_bytes: 8 << 20,
            queue_bytes: 32 << 20,
            retry: Duration::from_secs(5),
        }
    }
}

/// Why a record is not in the log. (A `Synced` append that fails may have left its record in the
/// file.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// It is larger than [`MAX_RECORD`].
    TooLarge,
    /// The disk is full.
    Full,
    /// The disk does not keep up: too much is waiting.
    Stalled,
    /// The disk failed, for this reason; the log takes nothing any more.
    Failed(Arc<str>),
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the record is larger than {MAX_RECORD} bytes"),
            Self::Full => f.write_str("the disk of the log is full"),
            Self::Stalled => f.write_str("the disk of the log does not keep up"),
            Self::Failed(why) => write!(f, "the log has failed: {why}"),
        }
    }
}

impl std::error::Error for AppendError {}

/// An open log. Dropping it writes and syncs what is waiting.
pub struct Log {
    desk: Arc<Desk>,
    threads: Vec<JoinHandle<()>>,
    /// Until the threads have ended.
    _lock: File,
}

impl Log {
    /// Opens a folder for a writer: mends the writer's last segment, allocates the reserve, starts
    /// the threads. Blocks the thread. The first append begins a new segment.
    ///
    /// # Errors
    /// `ErrorKind::WouldBlock` if another process writes under this name; whatever the file system
    /// answers. A full disk is no error: the log opens without space.
    pub fn open(options: Options) -> io::Result<(Self, Recovery)> {
        Self::open_on(Arc::new(RealDisk), options)
    }

    fn open_on(disk: Arc<dyn Disk>, options: Options) -> io::Result<(Self, Recovery)> {
        let lock = disk::lock(&options.folder, &options.writer)?;
        let recovery = recover::mend(&options.folder, &options.writer)?;
        let queue = Arc::new(Queue::new(options.queue_bytes));
        let (desk, threads) = write::start(disk, options, recovery.last, queue)?;
        Ok((Self { desk, threads, _lock: lock }, recovery))
    }

    /// Puts a record at the end of the log.
    ///
    /// It is on its way when this returns; the future only tells how it went, and dropping it takes
    /// nothing back. Records are written in the order of these calls.
    ///
    /// # Errors
    /// Every [`AppendError`]; no one may go on as if the record were kept.
    pub fn append(
        &self,
        at: Millis,
        body: &[u8],
        durability: Durability,
        urgency: Urgency,
    ) -> Appended {
        let pushed = self.desk.queue.push(at, body, durability, urgency);
        Appended(pushed.map(|(answer, turn)| Waiter {
            answer,
            turn,
            desk: Some(Arc::clone(&self.desk)),
            let_pass: false,
        }))
    }

    /// How much room the log has.
    #[must_use]
    pub fn space(&self) -> Space {
        self.desk.queue.space()
    }

    /// How much room the log has, told at every change.
    #[must_use]
    pub fn watch_space(&self) -> watch::Receiver<Space> {
        self.desk.queue.watch_space()
    }

    /// Why the log takes nothing any more, if so.
    #[must_use]
    pub fn failure(&self) -> Option<Arc<str>> {
        self.desk.queue.failure()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.desk.queue.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing more to finish.
            let _ = thread.join();
        }
    }
}

type Answer = Result<Position, AppendError>;

/// How an append went, once it is known.
#[must_use = "nobody may go on as if the record were kept"]
pub struct Appended(Result<Waiter, AppendError>);

struct Waiter {
    answer: oneshot::Receiver<Answer>,
    turn: Turn,
    /// Until it has taken its turn.
    desk: Option<Arc<Desk>>,
    /// Others had a chance to put their records beside this one.
    let_pass: bool,
}

impl Appended {
    /// Blocks the thread until it is known. Not for async code.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn wait(self) -> Answer {
        let mut waiter = self.0?;
        waiter.take_turn();
        let answer = mem::replace(&mut waiter.answer, oneshot::channel().1);
        answer.blocking_recv().unwrap_or_else(|_| Err(gone()))
    }
}

impl Future for Appended {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match &mut self.0 {
            Ok(waiter) => waiter.poll(cx),
            Err(error) => Poll::Ready(Err(error.clone())),
        }
    }
}

impl Waiter {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        let mut told = Pin::new(&mut self.answer).poll(cx);
        if told.is_pending() && self.desk.is_some() {
            if !mem::replace(&mut self.let_pass, true) {
                // To the end of the runtime's queue: all calls that are ready come before.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.take_turn();
            told = Pin::new(&mut self.answer).poll(cx);
        }
        if told.is_ready() {
            self.desk = None;
        }
        told.map(|told| told.unwrap_or_else(|_| Err(gone())))
    }

    fn take_turn(&mut self) {
        let Some(desk) = self.desk.take() else { return };
        match self.turn {
            Turn::Own => desk.lead(),
            Turn::Theirs(number) => desk.queue.rest(number),
        }
    }
}

/// A record that nobody waits for is written all the same.
impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(desk) = self.desk.take()
            && self.turn == Turn::Own
        {
            desk.queue.nudge();
        }
    }
}

fn gone() -> AppendError {
    AppendError::Failed("the thread of the log is gone".into())
}

#[cfg(test)]
mod tests;

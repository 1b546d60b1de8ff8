//! The log book as the server holds it: one place where events go in.
//!
//! `dispatch` appends every event before its answer leaves. [`LogBook::append`] returns when the
//! event is as durable as asked; if it cannot be, the call that would have issued something must
//! be refused. [`LogBook::tick`] is called about once a second by whoever owns the clock: it writes
//! what floods have gathered and lets old segments go.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::Timestamp;
use store::StoredReceipt;
use store::segment::{
    self, AppendError, Appended, Durability, Limits, Log, Millis, Options, Recovery, Space,
    Urgency, WriterId,
};
use tokio::sync::broadcast;

use super::event::Event;
use super::flood::{Flood, FloodLimits};
use super::index::{Index, Keeper, Slot};
use super::reader::{Reader, folders};
use super::trim;

#[cfg(test)]
pub(in crate::audit) mod tests;

/// How a log book is kept.
#[derive(Debug, Clone)]
pub struct BookOptions {
    /// Its folder; made if it is missing.
    pub folder: PathBuf,
    /// Who writes: two processes never use one name at the same time.
    pub writer: WriterId,
    /// Largest entry in bytes; at least [`trim::LEAST_LIMIT`].
    pub event_bytes: usize,
    /// What strangers may write.
    pub flood: FloodLimits,
    /// Nothing is less durable than this, whatever its caller asks.
    pub floor: Durability,
    /// How long and how much is kept.
    pub keep: Limits,
    /// Where a segment ends, in bytes.
    pub segment_bytes: u64,
    /// What is kept allocated for when others have filled the disk, in bytes.
    pub reserve_bytes: u64,
}

impl BookOptions {
    /// The usual: 64 KiB an entry, 90 days or 4 GiB.
    #[must_use]
    pub fn new(folder: &Path, writer: WriterId) -> Self {
        let usual = Options::new(folder, writer.clone());
        Self {
            folder: folder.to_owned(),
            writer,
            event_bytes: trim::DEFAULT_LIMIT,
            flood: FloodLimits::default(),
            floor: Durability::Written,
            keep: Limits { age: Duration::from_hours(90 * 24), bytes: 4 << 30 },
            segment_bytes: usual.segment_bytes,
            reserve_bytes: usual.reserve_bytes,
        }
    }
}

/// Why an event is not in the log book. Whoever was about to issue something must not.
#[derive(Debug, Clone)]
pub enum BookError {
    /// The disk is full.
    Full,
    /// The disk does not keep up, or has failed.
    Unavailable(String),
}

impl std::fmt::Display for BookError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("the log book is full"),
            Self::Unavailable(why) => write!(f, "the log book takes nothing: {why}"),
        }
    }
}

impl std::error::Error for BookError {}

impl From<AppendError> for BookError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Full => Self::Full,
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// Figures for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BookFigures {
    /// Entries written since the start.
    pub written: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Calls that the flood limit counted instead of writing them in full.
    pub counted: u64,
    /// Of these, how many are in no entry yet.
    pub counted_waiting: u64,
    /// Events that could not be written.
    pub lost: u64,
    /// Entries that the index does not have on disk yet; at most [`super::index::MAX_BACKLOG`].
    pub index_backlog: u64,
}

/// The open log book.
pub struct LogBook {
    // The order matters when it is dropped: the log finishes before the index does.
    log: Log,
    _keeper: Keeper,
    index: Arc<Index>,
    reader: Reader,
    options: BookOptions,
    flood: Mutex<Flood>,
    live: broadcast::Sender<Arc<Event>>,
    written: AtomicU64,
    bytes: AtomicU64,
    counted: AtomicU64,
    lost: AtomicU64,
}

/// Says where it is; what is in it is nobody's business here.
impl std::fmt::Debug for LogBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogBook").field("folder", &self.options.folder).finish_non_exhaustive()
    }
}

impl LogBook {
    /// Opens the log book, mends what a crash left, starts its threads. Blocks the thread.
    ///
    /// # Errors
    /// `WouldBlock` if another process writes under the same name; what the file system answers.
    pub fn open(options: BookOptions) -> io::Result<(Self, Recovery)> {
        let (segments, index_folder) = folders(&options.folder);
        std::fs::create_dir_all(&options.folder)?;
        let mut of_log = Options::new(&segments, options.writer.clone());
        of_log.segment_bytes = options.segment_bytes;
        of_log.reserve_bytes = options.reserve_bytes;
        let (log, recovery) = Log::open(of_log)?;
        let on_disk = segment::Reader::new(&segments);
        let index = Arc::new(Index::open(&index_folder, on_disk, options.writer.clone())?);
        let book = Self {
            log,
            _keeper: Keeper::start(&index)?,
            reader: Reader::beside(&options.folder, Arc::clone(&index)),
            index,
            flood: Mutex::new(Flood::new(options.flood)),
            live: broadcast::channel(1024).0,
            written: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            counted: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            options,
        };
        Ok((book, recovery))
    }

    /// Appends an event and returns when it is as durable as asked (or as the configured floor).
    ///
    /// Refusals may use the reserved space; what was allowed may not, so that nothing is issued on
    /// a full disk while refusals are still told. Strangers' refusals above the flood limit are
    /// counted instead.
    ///
    /// # Errors
    /// [`BookError`]: the event is not in the log book.
    pub async fn append(&self, event: Box<Event>, durability: Durability) -> Result<(), BookError> {
        if !self.flood().admits(&event) {
            self.counted.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let durability = match self.options.floor {
            Durability::Synced => Durability::Synced,
            Durability::Written => durability,
        };
        self.write(event, durability).await
    }

    /// Delivers the receipts of commits, each once however often it is handed in: those that are
    /// there already are passed over. Synced when this returns.
    ///
    /// # Errors
    /// [`BookError`]: hand all of them in again.
    pub async fn deliver(&self, receipts: &[StoredReceipt]) -> Result<(), BookError> {
        for StoredReceipt { receipt, .. } in receipts {
            let Ok(event) = serde_json::from_slice::<Box<Event>>(&receipt.body) else {
                tracing::error!(event = %receipt.event, "a receipt is no event and is dropped");
                continue;
            };
            let reader = self.reader.clone();
            let (id, since) = (event.event_id.clone(), event.vestibule.at_micros / 1000);
            let there = tokio::task::spawn_blocking(move || reader.holds(&id, since)).await;
            let there = match there {
                Ok(Ok(there)) => there,
                // Twice is better than never.
                Ok(Err(_)) | Err(_) => false,
            };
            if !there {
                self.write(event, Durability::Synced).await?;
            }
        }
        Ok(())
    }

    /// Whether there is room for what is about to be issued. [`LogBook::append`] decides; this only
    /// spares work that would be refused.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn room(&self) -> Result<(), BookError> {
        if let Some(why) = self.log.failure() {
            return Err(BookError::Unavailable(why.to_string()));
        }
        match self.log.space() {
            Space::Ample => Ok(()),
            Space::Reserve | Space::Exhausted => Err(BookError::Full),
        }
    }

    /// Writes what floods have gathered and lets go what is beyond the limits. Call it about once a
    /// second.
    pub async fn tick(&self, now: Timestamp) {
        self.write_gathered(now, false).await;
        let (segments, _) = folders(&self.options.folder);
        let (keep, index) = (self.options.keep, Arc::clone(&self.index));
        let at = Millis(u64::try_from(now.as_millisecond()).unwrap_or(0));
        let work = move || -> io::Result<()> {
            if segment::retain(&segments, keep, at)?.segments > 0 {
                index.retire()?;
            }
            Ok(())
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(work).await {
            tracing::warn!(%error, "old segments of the log book could not be deleted");
        }
    }

    /// Writes what floods have gathered, whole windows or not: before the server ends.
    pub async fn finish(&self, now: Timestamp) {
        self.write_gathered(now, true).await;
    }

    /// Every event that is appended from now on, as it is written; what is on its way already is
    /// for [`Reader`] alone to find. A slow listener loses the oldest and is told how many.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.live.subscribe()
    }

    /// Finds events again; sees them from the moment they are appended. Blocks the thread.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Figures for the metrics.
    #[must_use]
    pub fn figures(&self) -> BookFigures {
        BookFigures {
            written: self.written.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            counted: self.counted.load(Ordering::Relaxed),
            counted_waiting: self.flood().waiting(),
            lost: self.lost.load(Ordering::Relaxed),
            index_backlog: self.index.backlog() as u64,
        }
    }

    async fn write_gathered(&self, now: Timestamp, all: bool) {
        let gathered = self.flood().due(now, all);
        for event in gathered {
            if let Err(error) = self.write(Box::new(event), Durability::Written).await {
                tracing::error!(%error, "the count of a flood is lost");
            }
        }
    }

    async fn write(&self, event: Box<Event>, durability: Durability) -> Result<(), BookError> {
        let ours = &event.vestibule;
        let took = i64::try_from(ours.duration_micros).unwrap_or(0);
        let at = ours.at_micros.saturating_add(took).div_euclid(1000);
        let at = Millis(u64::try_from(at).unwrap_or(0));
        let urgency = match event.refused() {
            true => Urgency::Reserved,
            false => Urgency::Ordinary,
        };
        let appended = trim::encode(&event, self.options.event_bytes).map(|bytes| {
            self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            self.log.append(at, &bytes, durability, urgency)
        });
        let slot = Slot::of(&event, 0);
        // Only for those who listen: many events may wait to be written at once.
        let live = (self.live.receiver_count() > 0).then(|| Arc::from(event));
        let kept = match appended {
            Ok(appended) => {
                let index = Arc::clone(&self.index);
                Indexed { appended: Some(appended), slot, index }.await.map_err(BookError::from)
            }
            Err(error) => Err(BookError::Unavailable(error.to_string())),
        };
        if let Err(error) = kept {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return Err(error);
        }
        self.written.fetch_add(1, Ordering::Relaxed);
        if let Some(event) = live {
            // Nobody listening any more is no failure.
            let _ = self.live.send(event);
        }
        Ok(())
    }

    fn flood(&self) -> std::sync::MutexGuard<'_, Flood> {
        self.flood.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An append that ends in the index, also if nobody waits for it any more: a client that goes away
/// drops its call, but the record is on its way and must be found.
struct Indexed {
    appended: Option<Appended>,
    slot: Slot,
    index: Arc<Index>,
}

impl Future for Indexed {
    type Output = Result<(), AppendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(appended) = &mut self.appended else {
            return Poll::Ready(Err(AppendError::Failed("polled after its end".into())));
        };
        let answer = std::task::ready!(Pin::new(appended).poll(cx));
        self.appended = None;
        Poll::Ready(answer.map(|position| self.index.push(&position, self.slot)))
    }
}

impl Drop for Indexed {
    fn drop(&mut self) {
        let Some(appended) = self.appended.take() else { return };
        let (slot, index) = (self.slot, Arc::clone(&self.index));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Ok(position) = appended.await {
                    index.push(&position, slot);
                }
            });
        }
    }
}

//! Writing: one `write(2)` for all that is waiting, by whoever of those who wait comes first.
//!
//! A thread stands by for what nobody waits for, for a full disk, and for records that come while
//! the file is being synced.

use std::{
    collections::VecDeque,
    io, mem,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    AppendError, Durability, Millis, Options, Position, Space, Urgency,
    disk::{Disk, SegmentFile},
    frame::{self, HEADER, Header},
    names,
    queue::{Batch, Queue, Waiting},
    sync::{Job, Syncer},
};

/// The most bytes of one `write(2)`, and so the most that goes to the reserve unasked.
const RUN: usize = 1 << 20;

/// The one place where a log is written, shared by all who may have to.
pub(super) struct Desk {
    pub(super) queue: Arc<Queue>,
    writer: Mutex<Writer>,
}

/// Opens the desk and starts the writer thread and the syncer. `last` is the number of the writer's
/// last segment.
pub(super) fn start(
    disk: Arc<dyn Disk>,
    options: Options,
    last: u64,
    queue: Arc<Queue>,
) -> io::Result<(Arc<Desk>, Vec<JoinHandle<()>>)> {
    let (sync, jobs) = mpsc::channel();
    let (folder, retry) = (options.folder.clone(), options.retry);
    let mut writer = Writer {
        disk: Arc::clone(&disk),
        options,
        queue: Arc::clone(&queue),
        sync: Some(sync),
        batch: Batch::default(),
        last,
        current: None,
        reserved: false,
        tried: Instant::now(),
    };
    match writer.reserve() {
        Err(error) if is_full(&error) => writer.queue.set_space(Space::Exhausted),
        reserved => reserved?,
    }
    let desk = Arc::new(Desk { queue, writer: Mutex::new(writer) });
    let syncer = Syncer { disk, folder, desk: Arc::clone(&desk), jobs };
    let standby = Arc::clone(&desk);
    let threads = vec![
        Builder::new().name("log-write".into()).spawn(move || standby.stand_by(retry))?,
        Builder::new().name("log-sync".into()).spawn(move || syncer.run())?,
    ];
    Ok((desk, threads))
}

impl Desk {
    /// Writes what is waiting, unless somebody is at it, who will then see it.
    pub(super) fn lead(&self) {
        let ample = self.queue.is_ample();
        while let Ok(mut writer) = self.writer.try_lock() {
            writer.drain();
            drop(writer);
            // INVARIANT: whoever finds the desk taken has put his record before that, and whoever
            // leaves the desk comes by here: no record is left to nobody.
            if self.queue.is_empty() {
                break;
            }
        }
        if ample && !self.queue.is_ample() {
            // From now on the thread looks whether there is room again.
            self.queue.nudge();
        }
    }

    /// Writes what is waiting, after whoever is at it.
    pub(super) fn follow(&self) {
        self.sit_down(Writer::drain);
    }

    fn stand_by(&self, retry: Duration) {
        while self.queue.sleep((!self.queue.is_ample()).then_some(retry)) {
            self.sit_down(|writer| {
                if !writer.queue.is_ample() && writer.tried.elapsed() >= retry {
                    writer.regain();
                }
                writer.drain();
            });
        }
        self.sit_down(|writer| {
            writer.drain();
            writer.end();
            // Ends the syncer once it is through.
            writer.sync = None;
        });
    }

    /// Does something at the desk, and then what those expect who found it taken meanwhile.
    fn sit_down<T>(&self, work: impl FnOnce(&mut Writer) -> T) -> T {
        let done = work(&mut self.writer.lock().unwrap_or_else(PoisonError::into_inner));
        self.lead();
        done
    }
}

struct Writer {
    disk: Arc<dyn Disk>,
    options: Options,
    queue: Arc<Queue>,
    /// None once the log is closed.
    sync: Option<mpsc::Sender<Job>>,
    /// What is being written.
    batch: Batch,
    last: u64,
    current: Option<Current>,
    /// The reserve is there.
    reserved: bool,
    /// When the full disk was tried last.
    tried: Instant,
}

/// The segment that is being written.
struct Current {
    file: Arc<dyn SegmentFile>,
    number: u64,
    header: Header,
    /// Of its whole records and its header.
    length: u64,
    /// It was the reserve, and is longer than its content.
    on_reserve: bool,
}

impl Writer {
    /// Writes until nothing is waiting.
    fn drain(&mut self) {
        let mut batch = mem::take(&mut self.batch);
        while self.queue.take(&mut batch) {
            self.write(&mut batch);
        }
        self.batch = batch;
    }

    fn write(&mut self, batch: &mut Batch) {
        let mut rest = batch.bytes.as_mut_slice();
        let mut waiting = batch.waiting.drain(..).peekable();
        while let Some(first) = waiting.next() {
            if let Err(error) = self.make_room(&first) {
                rest = rest.get_mut(first.length..).unwrap_or_default();
                let _ = first.reply.send(Err(error));
                continue;
            }
            let mut length = first.length;
            let mut run = VecDeque::from([first]);
            while let Some(next) = waiting.next_if(|next| self.joins(next, length)) {
                length += next.length;
                run.push_back(next);
            }
            // INVARIANT: the bytes of a batch are the frames of those who wait, in their order.
            let Some((frames, tail)) = rest.split_at_mut_checked(length) else { return };
            rest = tail;
            self.write_run(frames, run);
        }
    }

    /// Sees to it that there is a segment that may take this record.
    fn make_room(&mut self, next: &Waiting) -> Result<(), AppendError> {
        if let Some(failure) = self.queue.failure() {
            return Err(AppendError::Failed(failure));
        }
        if !self.is_admitted(next) {
            return Err(AppendError::Full);
        }
        if self.current.as_ref().is_none_or(|current| self.is_over(current, next, 0)) {
            return self.begin(next.at);
        }
        Ok(())
    }

    fn is_admitted(&self, next: &Waiting) -> bool {
        next.urgency == Urgency::Reserved || self.queue.is_ample()
    }

    /// Whether this record goes into the same write as the `length` bytes before it.
    fn joins(&self, next: &Waiting, length: usize) -> bool {
        length + next.length <= RUN
            && self.is_admitted(next)
            && self.current.as_ref().is_some_and(|current| !self.is_over(current, next, length))
    }

    /// Whether a segment ends before this record, which stands `ahead` bytes after what is written.
    fn is_over(&self, current: &Current, next: &Waiting, ahead: usize) -> bool {
        let length = current.length + ahead as u64;
        let late = next.at.0.saturating_sub(current.header.began.0);
        let full = length + next.length as u64 > self.options.segment_bytes;
        let old = u128::from(late) >= self.options.segment_age.as_millis();
        // A full disk has no room for another file.
        length > HEADER as u64 && (full || old) && self.queue.is_ample()
    }

    /// Writes these frames and answers those who wait for them. When the disk is full, it goes on
    /// in the reserve with those that are not whole yet.
    fn write_run(&mut self, mut frames: &mut [u8], mut run: VecDeque<Waiting>) {
        let error = loop {
            let Some(current) = &self.current else { break AppendError::Full };
            current.seal(frames, &run);
            let (written, outcome) = write_all(&*current.file, frames);
            let whole = self.answer(written, &mut run);
            frames = frames.get_mut(whole..).unwrap_or_default();
            let Err(error) = outcome else { return };

            if let Err(error) = self.cut() {
                break self.queue.fail(format_args!("cut: {error}"));
            }
            if !is_full(&error) {
                break self.queue.fail(format_args!("write: {error}"));
            }
            let Some(next) = run.front() else { return };
            if let Err(error) = self.begin_on_reserve(next.at) {
                break error;
            }
        };
        for refused in run {
            let _ = refused.reply.send(Err(error.clone()));
        }
    }

    /// Answers those whose frames are whole within what was written; tells how many bytes that is.
    fn answer(&mut self, written: usize, run: &mut VecDeque<Waiting>) -> usize {
        let Some(current) = &mut self.current else { return 0 };
        let (mut whole, mut to_sync) = (0, Vec::new());
        while let Some(next) = run.pop_front_if(|next| whole + next.length <= written) {
            whole += next.length;
            let writer = self.options.writer.clone();
            let position = Position { writer, segment: current.number, offset: current.length };
            current.length += next.length as u64;
            match next.durability {
                // Nobody may be waiting any more.
                Durability::Written => drop(next.reply.send(Ok(position))),
                Durability::Synced => to_sync.push((next.reply, position)),
            }
        }
        if !to_sync.is_empty() {
            let (segment, file) = (current.number, Arc::clone(&current.file));
            self.queue.set_syncing(true);
            self.order(Job { segment, file, waiting: to_sync });
        }
        whole
    }

    /// Takes the torn frame off the end.
    fn cut(&self) -> io::Result<()> {
        self.current.as_ref().map_or(Ok(()), |current| current.file.cut(current.length))
    }

    /// Begins a segment; on the reserve if the disk has no room for it.
    fn begin(&mut self, at: Millis) -> Result<(), AppendError> {
        self.end();
        let number = self.number(at);
        let path = self.options.folder.join(names::segment(&self.options.writer, number));
        let begun = self.disk.create(&path).and_then(|file| {
            let begun = Current::begin(file, number, at, false);
            begun.inspect_err(|_| drop(self.disk.remove(&path)))
        });
        match begun {
            Ok(current) => {
                self.last = number;
                self.current = Some(current);
                Ok(())
            }
            Err(error) if is_full(&error) => self.begin_on_reserve(at),
            Err(error) => Err(self.queue.fail(format_args!("{}: {error}", path.display()))),
        }
    }

    /// Makes the reserve a segment. Its blocks are the log's already, so that whoever filled the
    /// disk does not get them in between.
    fn begin_on_reserve(&mut self, at: Millis) -> Result<(), AppendError> {
        if !mem::take(&mut self.reserved) {
            self.tried = Instant::now();
            self.queue.set_space(Space::Exhausted);
            return Err(AppendError::Full);
        }
        self.end();
        let number = self.number(at);
        let from = self.options.folder.join(names::reserve(&self.options.writer));
        let to = self.options.folder.join(names::segment(&self.options.writer, number));
        let adopted = self.disk.adopt(&from, &to);
        match adopted.and_then(|file| Current::begin(file, number, at, true)) {
            Ok(current) => {
                self.last = number;
                self.current = Some(current);
                self.tried = Instant::now();
                self.queue.set_space(Space::Reserve);
                Ok(())
            }
            Err(error) => Err(self.queue.fail(format_args!("{}: {error}", to.display()))),
        }
    }

    /// Ends the current segment: it is cut to its content, and synced before whatever comes next.
    fn end(&mut self) {
        let Some(current) = self.current.take() else { return };
        if current.on_reserve
            && let Err(error) = current.file.cut(current.length)
        {
            self.queue.fail(format_args!("cut: {error}"));
        }
        let Current { file, number: segment, .. } = current;
        self.order(Job { segment, file, waiting: Vec::new() });
    }

    fn order(&self, job: Job) {
        if let Some(sync) = &self.sync {
            // Without its thread the replies are dropped, which their owners see as a failure.
            let _ = sync.send(job);
        }
    }

    /// Tries whether the disk has room again, for a new reserve first of all.
    fn regain(&mut self) {
        self.tried = Instant::now();
        if self.reserve().is_ok() {
            if self.current.as_ref().is_some_and(|current| current.on_reserve) {
                self.end();
            }
            self.queue.set_space(Space::Ample);
        }
    }

    fn reserve(&mut self) -> io::Result<()> {
        let bytes = self.options.reserve_bytes;
        if bytes > 0 && !self.reserved {
            let path = self.options.folder.join(names::reserve(&self.options.writer));
            self.disk.reserve(&path, bytes)?;
            self.reserved = true;
        }
        Ok(())
    }

    /// Numbers rise even when the clock is set back.
    fn number(&self, at: Millis) -> u64 {
        at.0.max(self.last.saturating_add(1))
    }
}

impl Current {
    fn begin(
        file: Arc<dyn SegmentFile>,
        number: u64,
        at: Millis,
        on_reserve: bool,
    ) -> io::Result<Self> {
        let header = Header::new(at);
        write_all(&*file, &header.encode()).1?;
        Ok(Self { file, number, header, length: HEADER as u64, on_reserve })
    }

    /// Puts the checksums into frames that come next in this segment.
    fn seal(&self, mut frames: &mut [u8], run: &VecDeque<Waiting>) {
        let mut offset = self.length;
        for next in run {
            let Some((frame, rest)) = frames.split_at_mut_checked(next.length) else { return };
            frame::seal(self.header, offset, frame);
            offset += next.length as u64;
            frames = rest;
        }
    }
}

/// Writes everything, or tells how much was written and why not more.
fn write_all(file: &dyn SegmentFile, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match file.write(rest) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

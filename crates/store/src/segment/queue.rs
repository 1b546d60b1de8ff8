//! Where callers leave their records for whoever writes next.

use std::{
    mem,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{oneshot, watch};

use super::{Answer, AppendError, Durability, MAX_RECORD, Millis, Space, Urgency, frame};

/// Buffers larger than this are not kept once they are written.
const KEPT: usize = 4 << 20;

/// Records that wait, already framed, and who waits for them.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) waiting: Vec<Waiting>,
}

/// One record of a batch.
pub(super) struct Waiting {
    /// Of its frame.
    pub(super) length: usize,
    pub(super) at: Millis,
    pub(super) durability: Durability,
    pub(super) urgency: Urgency,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// Who sees to it that a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Whoever waits for it, for all who wait.
    Own,
    /// The writer thread, or the syncer after the sync that is under way. With the record's number.
    Theirs(u64),
}

pub(super) struct Queue {
    state: Mutex<State>,
    /// For the writer thread.
    wake: Condvar,
    /// For the syncer that gathers.
    rest: Condvar,
    capacity: usize,
    space: watch::Sender<Space>,
    /// `space` is ample: what every append looks at first.
    ample: AtomicBool,
}

#[derive(Default)]
struct State {
    batch: Batch,
    /// The writer thread is wanted.
    nudged: bool,
    /// The writer thread sleeps: only then is it worth a system call to wake it.
    idle: bool,
    /// The syncer has work, and looks here once it is done.
    syncing: bool,
    /// How many records ever came.
    came: u64,
    /// Since the last one came, all calls that were ready have had their turn.
    at_rest: bool,
    /// The syncer waits for that.
    gathering: bool,
    closed: bool,
    failure: Option<Arc<str>>,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            wake: Condvar::new(),
            rest: Condvar::new(),
            capacity,
            space: watch::Sender::new(Space::Ample),
            ample: AtomicBool::new(true),
        }
    }

    pub(super) fn push(
        &self,
        at: Millis,
        body: &[u8],
        durability: Durability,
        urgency: Urgency,
    ) -> Result<(oneshot::Receiver<Answer>, Turn), AppendError> {
        if body.len() > MAX_RECORD {
            return Err(AppendError::TooLarge);
        }
        if urgency == Urgency::Ordinary && !self.is_ample() {
            return Err(AppendError::Full);
        }
        let (reply, answer) = oneshot::channel();
        let mut state = self.state();
        if let Some(failure) = &state.failure {
            return Err(AppendError::Failed(Arc::clone(failure)));
        }
        if state.batch.bytes.len() + body.len() > self.capacity && !state.batch.bytes.is_empty() {
            return Err(AppendError::Stalled);
        }
        let length = frame::push(&mut state.batch.bytes, at, body);
        state.batch.waiting.push(Waiting { length, at, durability, urgency, reply });
        state.came += 1;
        state.at_rest = false;
        let theirs = Turn::Theirs(state.came);
        if !self.is_ample() {
            // What to do on a full disk is the thread's business.
            self.nudge_with(state);
            return Ok((answer, theirs));
        }
        if !state.syncing {
            return Ok((answer, Turn::Own));
        }
        // Who wants to be synced has to wait for the sync under way whatever happens, and a write
        // to a file that is being synced may wait for the disk: that is a thread's business too.
        if durability == Durability::Written {
            self.nudge_with(state);
        }
        Ok((answer, theirs))
    }

    /// Says that whatever else was ready has had its turn since the record of this number came.
    pub(super) fn rest(&self, number: u64) {
        let mut state = self.state();
        if state.came != number {
            return;
        }
        state.at_rest = true;
        if mem::take(&mut state.gathering) {
            drop(state);
            self.rest.notify_one();
        }
    }

    /// Sleeps while records keep coming, at most for `patience`; not at all if none has come.
    pub(super) fn gather(&self, patience: Duration) {
        let mut state = self.state();
        if state.batch.waiting.is_empty() || state.at_rest {
            return;
        }
        state.gathering = true;
        let coming = |state: &mut State| state.gathering && !state.closed;
        let gathered = self.rest.wait_timeout_while(state, patience, coming);
        gathered.unwrap_or_else(PoisonError::into_inner).0.gathering = false;
    }

    /// Exchanges `batch`, whose content is done with, for what is waiting; false if nothing is.
    pub(super) fn take(&self, batch: &mut Batch) -> bool {
        batch.bytes.clear();
        batch.bytes.shrink_to(KEPT);
        batch.waiting.clear();
        let mut state = self.state();
        if state.batch.waiting.is_empty() {
            return false;
        }
        mem::swap(batch, &mut state.batch);
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state().batch.waiting.is_empty()
    }

    /// Wakes the writer thread.
    pub(super) fn nudge(&self) {
        self.nudge_with(self.state());
    }

    fn nudge_with(&self, mut state: MutexGuard<'_, State>) {
        state.nudged = true;
        let idle = mem::take(&mut state.idle);
        drop(state);
        if idle {
            self.wake.notify_one();
        }
    }

    /// Sleeps until nudged, at most for `patience`; false once nothing more will come.
    pub(super) fn sleep(&self, patience: Option<Duration>) -> bool {
        let mut state = self.state();
        while !mem::take(&mut state.nudged) {
            if state.closed {
                return false;
            }
            state.idle = true;
            state = match patience {
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let (state, slept) = (self.wake.wait_timeout(state, patience))
                        .unwrap_or_else(PoisonError::into_inner);
                    if slept.timed_out() {
                        return true;
                    }
                    state
                }
            };
        }
        state.idle = false;
        true
    }

    /// Says whether the syncer has work. Who says no looks for records afterwards.
    pub(super) fn set_syncing(&self, syncing: bool) {
        self.state().syncing = syncing;
    }

    pub(super) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_all();
        self.rest.notify_all();
    }

    /// From now on, nothing is taken. The first reason stays.
    pub(super) fn fail(&self, why: impl ToString) -> AppendError {
        let mut state = self.state();
        let failure = state.failure.get_or_insert_with(|| why.to_string().into());
        AppendError::Failed(Arc::clone(failure))
    }

    pub(super) fn failure(&self) -> Option<Arc<str>> {
        self.state().failure.clone()
    }

    pub(super) fn space(&self) -> Space {
        *self.space.borrow()
    }

    pub(super) fn is_ample(&self) -> bool {
        self.ample.load(Ordering::Acquire)
    }

    pub(super) fn watch_space(&self) -> watch::Receiver<Space> {
        self.space.subscribe()
    }

    pub(super) fn set_space(&self, space: Space) {
        self.ample.store(space == Space::Ample, Ordering::Release);
        self.space.send_if_modified(|known| mem::replace(known, space) != space);
    }

    // INVARIANT: no code that can panic runs between two changes of the state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than any test: who waits this long fails by the test runner's own limit.
    const FOR_EVER: Duration = Duration::from_hours(1);

    fn push(queue: &Queue) -> Turn {
        let pushed = queue.push(Millis(1), b"one", Durability::Synced, Urgency::Ordinary);
        pushed.map(|(_, turn)| turn).unwrap()
    }

    #[test]
    fn nobody_is_gathered_where_nothing_came() {
        let queue = Queue::new(1 << 20);
        queue.set_syncing(true);
        queue.gather(FOR_EVER);
    }

    #[test]
    fn gathering_ends_when_whoever_came_last_saw_nobody_come() {
        let queue = Queue::new(1 << 20);
        queue.set_syncing(true);
        assert_eq!((push(&queue), push(&queue)), (Turn::Theirs(1), Turn::Theirs(2)));
        queue.rest(1);
        assert!(!queue.state().at_rest, "another one came after the first");
        std::thread::scope(|threads| {
            threads.spawn(|| queue.gather(FOR_EVER));
            queue.rest(2);
        });
        // What has come to rest before is not waited for either, until the next one comes.
        queue.gather(FOR_EVER);
        push(&queue);
        assert!(!queue.state().at_rest);
    }

    #[test]
    fn gathering_ends_with_the_log() {
        let queue = Queue::new(1 << 20);
        queue.set_syncing(true);
        push(&queue);
        std::thread::scope(|threads| {
            threads.spawn(|| queue.gather(FOR_EVER));
            queue.close();
        });
    }
}

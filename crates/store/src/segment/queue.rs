//! Where callers leave their records for the writer thread.

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

/// What the writer thread finds.
pub(super) enum Taken {
    /// Records to write.
    Some,
    /// Nothing within the time.
    None,
    /// Nothing, and nothing more will come.
    Closed,
}

pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    capacity: usize,
    space: watch::Sender<Space>,
    /// `space` is ample: what every append looks at first.
    ample: AtomicBool,
}

#[derive(Default)]
struct State {
    batch: Batch,
    /// The writer thread sleeps: only then is it worth a system call to wake it.
    idle: bool,
    closed: bool,
    failure: Option<Arc<str>>,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            wake: Condvar::new(),
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
    ) -> Result<oneshot::Receiver<Answer>, AppendError> {
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
        let idle = mem::take(&mut state.idle);
        drop(state);
        if idle {
            self.wake.notify_one();
        }
        Ok(answer)
    }

    /// Exchanges `batch`, whose content is done with, for what is waiting; sleeps while nothing is,
    /// at most for `patience`.
    pub(super) fn take(&self, batch: &mut Batch, patience: Option<Duration>) -> Taken {
        batch.bytes.clear();
        batch.bytes.shrink_to(KEPT);
        batch.waiting.clear();
        let mut state = self.state();
        while state.batch.waiting.is_empty() {
            if state.closed {
                return Taken::Closed;
            }
            state.idle = true;
            state = match patience {
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let (state, slept) = (self.wake.wait_timeout(state, patience))
                        .unwrap_or_else(PoisonError::into_inner);
                    if slept.timed_out() && state.batch.waiting.is_empty() && !state.closed {
                        return Taken::None;
                    }
                    state
                }
            };
        }
        state.idle = false;
        mem::swap(batch, &mut state.batch);
        Taken::Some
    }

    pub(super) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_all();
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

//! Work that comes to its end although nobody waits for it any more.
//!
//! A client that hangs up ends its connection, and with it whatever the connection waits for. A
//! call's receipt must be written all the same.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::runtime::Handle;

/// A future that goes on as a task of its own once it is dropped. A task from the beginning would
/// do the same, and cost every call a detour through the runtime's queue.
pub(super) struct Through<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

/// The work ended in a panic.
#[derive(Debug)]
pub(super) struct Panicked;

impl<T: Send + 'static> Through<T> {
    /// Sees this through.
    pub(super) fn see(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<T: Send + 'static> Future for Through<T> {
    type Output = Result<T, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.0 else { return Poll::Ready(Err(Panicked)) };
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        let ended = ready!(polled.map_or(Poll::Ready(Err(Panicked)), |polled| polled.map(Ok)));
        self.0 = None;
        Poll::Ready(ended)
    }
}

impl<T: Send + 'static> Drop for Through<T> {
    fn drop(&mut self) {
        if let Some(work) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::{Notify, oneshot};

    use super::*;

    #[tokio::test]
    async fn what_is_dropped_half_way_is_done_all_the_same() {
        let (gate, (done, told)) = (Arc::new(Notify::new()), oneshot::channel());
        let opened = Arc::clone(&gate);
        let mut work = Through::see(async move {
            opened.notified().await;
            done.send("done").unwrap();
        });
        assert!(futures_now(&mut work).is_pending());
        drop(work);
        gate.notify_one();
        assert_eq!(told.await, Ok("done"));
    }

    #[tokio::test]
    async fn a_panic_is_told_and_harms_nobody() {
        let work = Through::see(async { assert_eq!(1, 2, "on purpose") });
        assert!(work.await.is_err());
    }

    fn futures_now<T: Send>(work: &mut Through<T>) -> Poll<Result<T, Panicked>> {
        Pin::new(work).poll(&mut Context::from_waker(std::task::Waker::noop()))
    }
}

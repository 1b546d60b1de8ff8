//! Memory for the bodies of requests, shared by all connections.
//!
//! A body is charged as it arrives, not as it is announced, so that an announcement costs nobody
//! anything; what is charged is given back when the request is let go, however it ends.

use std::{sync::Arc, time::Duration};

use prometheus_client::metrics::counter::Counter;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// What one permit stands for, in bytes.
const UNIT: u64 = 1 << 10;

/// The memory, and how long a request waits for its share.
pub(super) struct Budget {
    free: Arc<Semaphore>,
    patience: Duration,
    refused: Counter,
}

/// One request's share; given back when it is dropped.
#[derive(Debug, Default)]
pub struct Share(Option<OwnedSemaphorePermit>);

/// There was no room in time.
#[derive(Debug)]
pub(super) struct NoRoom;

impl Budget {
    pub(super) fn new(bytes: u64, patience: Duration, refused: Counter) -> Budget {
        let units = usize::try_from(bytes / UNIT).unwrap_or(usize::MAX);
        let free = Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS)));
        Budget { free, patience, refused }
    }

    /// Lets a share grow to `bytes`, waiting until others have given back enough.
    ///
    /// # Errors
    /// [`NoRoom`] when its patience is at an end; the share is as it was.
    pub(super) async fn grow(&self, share: &mut Share, bytes: u64) -> Result<(), NoRoom> {
        let held = share.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = usize::try_from(bytes.div_ceil(UNIT)).unwrap_or(usize::MAX);
        let Some(more) = wanted.checked_sub(held).filter(|more| *more > 0) else { return Ok(()) };
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let permit = match Arc::clone(&self.free).try_acquire_many_owned(more) {
            Ok(permit) => permit,
            Err(_) => {
                let waiting = Arc::clone(&self.free).acquire_many_owned(more);
                match timeout(self.patience, waiting).await {
                    Ok(Ok(permit)) => permit,
                    // The semaphore is never closed.
                    Ok(Err(_)) | Err(_) => {
                        self.refused.inc();
                        return Err(NoRoom);
                    }
                }
            }
        };
        match &mut share.0 {
            Some(held) => held.merge(permit),
            none => *none = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_share_grows_waits_for_others_and_is_given_back() {
        let refused = Counter::default();
        let budget = Budget::new(4 * UNIT, Duration::ZERO, refused.clone());
        let (mut one, mut two) = (Share::default(), Share::default());
        for bytes in [0, 1, UNIT, UNIT + 1, 3 * UNIT, 2 * UNIT] {
            budget.grow(&mut one, bytes).await.unwrap();
        }
        assert_eq!(budget.free.available_permits(), 1, "it never shrinks while it is held");
        budget.grow(&mut two, UNIT).await.unwrap();
        budget.grow(&mut two, UNIT + 1).await.unwrap_err();
        assert_eq!((budget.free.available_permits(), refused.get()), (0, 1));

        let patient = Budget { patience: Duration::from_secs(3600), ..budget };
        {
            let mut waiting = std::pin::pin!(patient.grow(&mut two, 2 * UNIT));
            assert!(is_waiting(waiting.as_mut()).await);
            drop(one);
            waiting.await.unwrap();
        }
        drop(two);
        assert_eq!(patient.free.available_permits(), 4);
    }

    async fn is_waiting(mut future: std::pin::Pin<&mut impl Future>) -> bool {
        std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending()))
            .await
    }
}

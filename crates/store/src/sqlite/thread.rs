//! The threads that own the connections.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::read;
use crate::{Error, Reply, Result, Revision};

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Threads with a connection each, which take questions from one queue.
pub(super) struct Workers {
    /// Taken when dropped, which ends the threads once the queue is empty.
    queue: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    pub(super) fn start(name: &str, connections: Vec<Connection>) -> Result<Self> {
        let (queue, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        let mut threads = Vec::new();
        for mut connection in connections {
            let jobs = Arc::clone(&jobs);
            let work = move || {
                loop {
                    let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { break };
                    job(&mut connection);
                }
            };
            let thread = Builder::new().name(name.into()).spawn(work);
            threads.push(thread.map_err(Error::unavailable)?);
        }
        Ok(Self { queue: Some(queue), threads })
    }

    /// Puts a question at once; the answer may be waited for or not.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Reply<'static, T> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody may be waiting any more.
            let _ = reply.send(question(connection));
        });
        if let Some(queue) = &self.queue {
            // A queue without threads drops the job, and with it the reply.
            let _ = queue.send(job);
        }
        Box::pin(async {
            let gone = |_| Error::unavailable("the thread of the store is gone");
            answer.await.map_err(gone)?
        })
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing more to finish.
            let _ = thread.join();
        }
    }
}

/// The thread that looks for commits of other processes.
pub(super) struct Watcher {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    pub(super) fn start(
        connection: Connection,
        newest: watch::Sender<Revision>,
        poll: Duration,
    ) -> Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let look = move || {
            let mut seen = None;
            while stopped.recv_timeout(poll) == Err(mpsc::RecvTimeoutError::Timeout) {
                // The version changes whenever another connection has committed: cheaper to ask
                // than the revision. An error is told to those who read, not here.
                let version = connection.query_row("PRAGMA data_version", [], |row| row.get(0));
                let Ok(version) = version.map(Some::<i64>) else { continue };
                if version != seen
                    && let Ok(revision) = read::revision(&connection)
                {
                    seen = version;
                    announce(&newest, revision);
                }
            }
        };
        let thread = Builder::new().name("store-watch".into()).spawn(look);
        Ok(Self { stop: Some(stop), thread: Some(thread.map_err(Error::unavailable)?) })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Tells those who wait, unless they know a later one: the writer and the watcher both tell.
pub(super) fn announce(newest: &watch::Sender<Revision>, revision: Revision) {
    newest.send_if_modified(|known| {
        let later = revision > *known;
        *known = revision.max(*known);
        later
    });
}

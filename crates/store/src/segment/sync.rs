//! The thread that makes records durable: one `fdatasync(2)` for all who wait, while the writer
//! thread goes on writing.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, mpsc},
    time::Duration,
};

use tokio::sync::oneshot;

use super::{
    Answer, Position,
    disk::{Disk, SegmentFile},
    write::Desk,
};

/// How long records are gathered for one sync at most, while they keep coming: a sync costs the
/// processor too, which under load has better things to do.
const GATHER: Duration = Duration::from_millis(2);

/// Make this file durable, and all jobs before it.
pub(super) struct Job {
    pub(super) segment: u64,
    pub(super) file: Arc<dyn SegmentFile>,
    pub(super) waiting: Vec<(oneshot::Sender<Answer>, Position)>,
}

pub(super) struct Syncer {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) folder: PathBuf,
    pub(super) desk: Arc<Desk>,
    pub(super) jobs: mpsc::Receiver<Job>,
}

impl Syncer {
    pub(super) fn run(self) {
        let mut named = None;
        while let Ok(first) = self.jobs.recv() {
            // By segment, and so in the order of writing: who waits for a record waits for all
            // records before it.
            let mut round: BTreeMap<u64, Job> = BTreeMap::new();
            for mut job in std::iter::once(first).chain(self.jobs.try_iter()) {
                match round.get_mut(&job.segment) {
                    Some(same) => same.waiting.append(&mut job.waiting),
                    None => drop(round.insert(job.segment, job)),
                }
            }
            for (segment, job) in round {
                let synced = self.sync(&job, named != Some(segment));
                named = Some(segment);
                for (reply, position) in job.waiting {
                    // Nobody may be waiting any more.
                    let _ = reply.send(synced.clone().map(|()| position));
                }
            }
            self.desk.queue.gather(GATHER);
            // Who came meanwhile was told that we would look.
            self.desk.queue.set_syncing(false);
            self.desk.follow();
        }
    }

    fn sync(&self, job: &Job, new: bool) -> Result<(), super::AppendError> {
        if let Some(failure) = self.desk.queue.failure() {
            return Err(super::AppendError::Failed(failure));
        }
        let synced = job.file.sync().and_then(|()| match new {
            // A file that no folder names is lost with the power.
            true => self.disk.sync_folder(&self.folder),
            false => Ok(()),
        });
        synced.map_err(|error| self.desk.queue.fail(format_args!("sync: {error}")))
    }
}

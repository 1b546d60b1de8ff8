//! A disk that fails, fills up or stalls when it is told to, over real files.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use super::super::disk::{Disk, RealDisk, SegmentFile};
use std::io;

#[derive(Default)]
pub struct FaultyDisk(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How many bytes are free; `None` is no limit.
    free: Option<u64>,
    /// After how many bytes writes fail with an error of the device.
    breaks: Option<u64>,
    no_sync: bool,
    hold_writes: bool,
    hold_syncs: bool,
    held_writes: usize,
    held_syncs: usize,
    writes: usize,
    synced: Vec<PathBuf>,
}

/// Lets what is held go on when it is dropped.
pub struct Held(Arc<Shared>);

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.0.state();
        (state.hold_writes, state.hold_syncs) = (false, false);
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn wait(&self, until: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed.wait_while(self.state(), |state| !until(state)).unwrap()
    }
}

impl FaultyDisk {
    pub fn set_free(&self, bytes: u64) {
        self.0.state().free = Some(bytes);
    }

    pub fn fail_writes_after(&self, bytes: u64) {
        self.0.state().breaks = Some(bytes);
    }

    pub fn fail_syncs(&self) {
        self.0.state().no_sync = true;
    }

    pub fn mend(&self) {
        let mut state = self.0.state();
        (state.free, state.breaks, state.no_sync) = (None, None, false);
    }

    #[must_use]
    pub fn hold_writes(&self) -> Held {
        self.0.state().hold_writes = true;
        Held(Arc::clone(&self.0))
    }

    #[must_use]
    pub fn hold_syncs(&self) -> Held {
        self.0.state().hold_syncs = true;
        Held(Arc::clone(&self.0))
    }

    pub fn wait_for_held_write(&self) {
        drop(self.0.wait(|state| state.held_writes > 0));
    }

    pub fn wait_for_held_sync(&self) {
        drop(self.0.wait(|state| state.held_syncs > 0));
    }

    pub fn writes(&self) -> usize {
        self.0.state().writes
    }

    pub fn wait_for_writes(&self, writes: usize) {
        drop(self.0.wait(|state| state.writes >= writes));
    }

    pub fn syncs(&self) -> usize {
        self.0.state().synced.len()
    }

    pub fn synced(&self) -> Vec<PathBuf> {
        self.0.state().synced.clone()
    }
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        let file = RealDisk.create(path)?;
        Ok(Arc::new(FaultyFile::new(file, path, 0, &self.0)))
    }

    fn adopt(&self, from: &Path, to: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        let owned = fs::metadata(from)?.len();
        let file = RealDisk.adopt(from, to)?;
        Ok(Arc::new(FaultyFile::new(file, to, owned, &self.0)))
    }

    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let mut state = self.0.state();
        if let Some(free) = &mut state.free {
            *free = free.checked_sub(bytes).ok_or(io::ErrorKind::StorageFull)?;
        }
        RealDisk.reserve(path, bytes)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        RealDisk.sync_folder(folder)
    }
}

struct FaultyFile {
    file: Arc<dyn SegmentFile>,
    path: PathBuf,
    /// Where the next write goes, and how many bytes of the file have blocks.
    place: Mutex<(u64, u64)>,
    shared: Arc<Shared>,
}

impl FaultyFile {
    fn new(file: Arc<dyn SegmentFile>, path: &Path, owned: u64, shared: &Arc<Shared>) -> Self {
        let (path, shared) = (path.to_owned(), Arc::clone(shared));
        Self { file, path, place: Mutex::new((0, owned)), shared }
    }
}

impl SegmentFile for FaultyFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.shared.state().held_writes += 1;
        self.shared.changed.notify_all();
        let mut state = self.shared.wait(|state| !state.hold_writes);
        state.held_writes -= 1;

        let mut length = bytes.len() as u64;
        if let Some(breaks) = &mut state.breaks {
            length = length.min(*breaks);
            *breaks -= length;
            if length == 0 {
                return Err(io::Error::other("the device is broken"));
            }
        }
        let mut place = self.place.lock().unwrap();
        let (at, owned) = *place;
        if let Some(free) = &mut state.free {
            length = length.min(owned.saturating_sub(at) + *free);
            if length == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            *free -= (at + length).saturating_sub(owned);
        }
        let written = self.file.write(&bytes[..length as usize])?;
        *place = (at + written as u64, owned.max(at + written as u64));
        state.writes += 1;
        self.shared.changed.notify_all();
        Ok(written)
    }

    fn sync(&self) -> io::Result<()> {
        self.shared.state().held_syncs += 1;
        self.shared.changed.notify_all();
        let mut state = self.shared.wait(|state| !state.hold_syncs);
        state.held_syncs -= 1;
        if state.no_sync {
            return Err(io::Error::other("the device is broken"));
        }
        state.synced.push(self.path.clone());
        self.file.sync()
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        let mut place = self.place.lock().unwrap();
        let mut state = self.shared.state();
        if let Some(free) = &mut state.free {
            *free += place.1.saturating_sub(length);
        }
        *place = (length, length);
        self.file.cut(length)
    }
}

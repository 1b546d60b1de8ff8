//! What the writer asks of the file system: few verbs, so that tests can let each of them fail.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use super::{WriterId, names};

pub(super) trait Disk: Send + Sync {
    /// Makes a file that must not be there.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>>;

    /// Opens a file for writing from its beginning, giving it another name.
    fn adopt(&self, from: &Path, to: &Path) -> io::Result<Arc<dyn SegmentFile>>;

    /// Makes a file of zeros whose blocks are allocated, unless it is there in this size. Leaves
    /// nothing where there is no space for it.
    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()>;

    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

pub(super) trait SegmentFile: Send + Sync {
    /// One `write(2)` at the end of what was written.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// One `fdatasync(2)`.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file to this length, to go on from there.
    fn cut(&self, length: u64) -> io::Result<()>;
}

/// The file system.
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Arc::new(file))
    }

    fn adopt(&self, from: &Path, to: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        let file = OpenOptions::new().write(true).open(from)?;
        fs::rename(from, to)?;
        Ok(Arc::new(file))
    }

    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()> {
        if fs::metadata(path).is_ok_and(|about| about.len() == bytes) {
            return Ok(());
        }
        let allocate = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(path)?;
            // Zeros that are written, for `set_len` allocates nothing.
            io::copy(&mut io::Read::take(io::repeat(0), bytes), &mut file)?;
            // Only now are the blocks found on file systems that allocate late.
            file.sync_all()
        };
        allocate().inspect_err(|_| {
            let _ = fs::remove_file(path);
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl SegmentFile for File {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(&mut &*self, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        io::Seek::seek(&mut &*self, io::SeekFrom::Start(length)).map(drop)
    }
}

/// Makes the folder if need be, and takes the writer's lock; it is held as long as the file is.
pub(super) fn lock(folder: &Path, writer: &WriterId) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let path = folder.join(names::lock(writer));
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    // Several times, for `is_locked` holds it for a moment.
    for _ in 0..20 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(5)),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::WouldBlock,
        format!("another process writes the log as {writer}"),
    ))
}

/// Whether a process writes under this name.
pub(super) fn is_locked(folder: &Path, writer: &WriterId) -> bool {
    match File::open(folder.join(names::lock(writer))).map(|file| file.try_lock()) {
        Ok(Ok(())) => false,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        // Rather keep a segment than take it from under a writer.
        _ => true,
    }
}

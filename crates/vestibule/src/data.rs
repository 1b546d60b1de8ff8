//! The data folder: its layout, its permissions, and the lock that keeps a second server out.
//!
//! ```text
//! .vestibule/          0700
//!   lock               held by the server that runs here; holds its address
//!   vestibule.db       the store
//!   log/               the log book
//!   seed.applied       which seed file was applied
//!   master.key         0600, unless the settings take the master key from elsewhere
//!   issuer.key         0600, the built-in test issuer's key, made when first needed
//!   tls/               the development certificate and its authority
//! ```

use std::{
    fmt,
    fs::{File, OpenOptions, Permissions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// A data folder that exists and that others cannot read.
#[derive(Clone, Debug)]
pub struct DataFolder {
    path: PathBuf,
}

/// Proof that no other process serves this folder. Let go when dropped, or when the process ends
/// in whatever way.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Why the data folder cannot be used.
#[derive(Debug)]
pub enum DataError {
    /// Another process holds the lock; what it wrote there (its address) when that is known.
    InUse(PathBuf, Option<String>),
    /// The file or folder can be read by others than its owner.
    Exposed(PathBuf, u32),
    /// The operating system refused.
    Io(PathBuf, io::Error),
}

impl DataFolder {
    /// Opens the folder, making it (mode 0700) when it does not exist.
    ///
    /// # Errors
    /// [`DataError::Exposed`] when others may enter it, [`DataError::Io`].
    pub fn open(path: &Path) -> Result<DataFolder, DataError> {
        let failed = |error| DataError::Io(path.to_owned(), error);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let path = path.canonicalize().map_err(failed)?;
        refuse_exposed(&path)?;
        Ok(DataFolder { path })
    }

    /// Opens the folder only when it exists already.
    ///
    /// # Errors
    /// As [`DataFolder::open`], and [`DataError::Io`] when there is none.
    pub fn existing(path: &Path) -> Result<DataFolder, DataError> {
        std::fs::metadata(path).map_err(|error| DataError::Io(path.to_owned(), error))?;
        DataFolder::open(path)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store's database.
    pub fn store(&self) -> PathBuf {
        self.path.join("vestibule.db")
    }

    /// The folder of the log book.
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// The default place of the master key.
    pub fn master_key(&self) -> PathBuf {
        self.path.join("master.key")
    }

    /// The test issuer's private key.
    pub fn issuer_key(&self) -> PathBuf {
        self.path.join("issuer.key")
    }

    /// Which seed was applied.
    pub fn seed_mark(&self) -> PathBuf {
        self.path.join("seed.applied")
    }

    /// The folder of the development certificate.
    pub fn tls(&self) -> PathBuf {
        self.path.join("tls")
    }

    /// Takes the lock.
    ///
    /// # Errors
    /// [`DataError::InUse`] when another process has it.
    pub fn lock(&self) -> Result<Lock, DataError> {
        let path = self.path.join("lock");
        let failed = |error| DataError::Io(path.clone(), error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let told = io::Read::take(&mut file, 256).read_to_string(&mut text).is_ok();
                let address = Some(text.trim().to_owned()).filter(|t| told && !t.is_empty());
                Err(DataError::InUse(self.path.clone(), address))
            }
        }
    }

    /// The address of the server that runs here, if one does and has said so.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn running(&self) -> Result<Option<Option<String>>, DataError> {
        match self.lock() {
            Ok(_) => Ok(None),
            Err(DataError::InUse(_, address)) => Ok(Some(address)),
            Err(error) => Err(error),
        }
    }

    /// Removes the store and the log book; keys and certificates stay.
    ///
    /// # Errors
    /// [`DataError::Io`]; what could be removed is gone then.
    pub fn wipe(&self, _lock: &Lock) -> Result<Vec<PathBuf>, DataError> {
        let store = self.store();
        let beside = |suffix: &str| {
            let mut name = store.clone().into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        let files =
            [store.clone(), beside("-wal"), beside("-shm"), beside("-journal"), self.seed_mark()];
        let mut removed = Vec::new();
        let mut note = |path: PathBuf, outcome: io::Result<()>| match outcome {
            Ok(()) => {
                removed.push(path);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(DataError::Io(path, error)),
        };
        for file in files {
            let outcome = std::fs::remove_file(&file);
            note(file, outcome)?;
        }
        let outcome = std::fs::remove_dir_all(self.log());
        note(self.log(), outcome)?;
        Ok(removed)
    }
}

impl Lock {
    /// Leaves the server's address for whoever finds the folder locked.
    ///
    /// # Errors
    /// The operating system refused.
    pub fn announce(&mut self, address: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(io::SeekFrom::Start(0))?;
        self.file.write_all(address.as_bytes())
    }
}

/// Reads a file that only its owner may read.
///
/// # Errors
/// [`DataError::Exposed`] when its mode lets others read it, [`DataError::Io`].
pub fn read_private(path: &Path) -> Result<Vec<u8>, DataError> {
    refuse_exposed(path)?;
    std::fs::read(path).map_err(|error| DataError::Io(path.to_owned(), error))
}

/// Writes a file of mode 0600, whole or not at all.
///
/// # Errors
/// [`DataError::Io`].
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), DataError> {
    let failed = |error| DataError::Io(path.to_owned(), error);
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let mut draft = path.to_owned().into_os_string();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .map_err(failed)?;
    // A draft left over from a crash keeps the mode it had.
    file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)
}

fn refuse_exposed(path: &Path) -> Result<(), DataError> {
    let meta = std::fs::metadata(path).map_err(|error| DataError::Io(path.to_owned(), error))?;
    let mode = meta.permissions().mode() & 0o777;
    // Others' bits must all be clear. The group may read (a deployment's service group), not write.
    if mode & 0o027 != 0 {
        return Err(DataError::Exposed(path.to_owned(), mode));
    }
    Ok(())
}

impl fmt::Display for DataError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataError::InUse(path, Some(address)) => {
                write!(out, "{} is in use by the server at {address}", path.display())
            }
            DataError::InUse(path, None) => {
                write!(out, "{} is in use by another process", path.display())
            }
            DataError::Exposed(path, mode) => write!(
                out,
                "{} has mode {mode:04o}, so others than its owner can reach it (chmod go-rwx)",
                path.display()
            ),
            DataError::Io(path, error) => write!(out, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for DataError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_folder_is_its_owners_alone_and_an_exposed_one_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b");
        let folder = DataFolder::open(&path).unwrap();
        assert_eq!(mode(folder.path()), 0o700);
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        let refused = DataFolder::open(&path).unwrap_err();
        assert!(matches!(refused, DataError::Exposed(_, 0o755)), "{refused}");
        assert!(matches!(DataFolder::existing(&root.path().join("c")), Err(DataError::Io(..))));
    }

    #[test]
    fn the_second_server_is_kept_out_and_told_where_the_first_one_is() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&root.path().join("d")).unwrap();
        assert_eq!(folder.running().unwrap(), None);
        let mut lock = folder.lock().unwrap();
        lock.announce("http://127.0.0.1:9").unwrap();
        let told = folder.lock().unwrap_err().to_string();
        assert!(told.ends_with("is in use by the server at http://127.0.0.1:9"), "{told}");
        drop(lock);
        folder.lock().unwrap();
    }

    #[test]
    fn a_secret_is_written_for_its_owner_and_not_read_when_others_could() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("keys/k");
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(read_private(&path).unwrap(), b"two");
        std::fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
        assert!(matches!(read_private(&path), Err(DataError::Exposed(_, 0o604))));
    }

    #[test]
    fn a_wipe_takes_the_store_and_the_log_and_leaves_the_keys() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&root.path().join("d")).unwrap();
        std::fs::write(folder.store(), "x").unwrap();
        std::fs::create_dir(folder.log()).unwrap();
        std::fs::write(folder.log().join("0001"), "x").unwrap();
        write_private(&folder.master_key(), b"k").unwrap();
        let removed = folder.wipe(&folder.lock().unwrap()).unwrap();
        assert_eq!(removed, [folder.store(), folder.log()]);
        assert!(folder.master_key().exists() && !folder.log().exists());
    }
}

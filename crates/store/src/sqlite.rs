//! sqlite
use crate::*;
use std::path::Path;
/// A [`Store`] in one SQLite file.
pub struct SqliteStore {}
impl SqliteStore {
    /// Opens
    pub fn open(_path: &Path) -> Result<crate::memory::MemoryStore> {
        Ok(memory::MemoryStore::new())
    }
}

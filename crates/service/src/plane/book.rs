//! The log book as the plane needs it.

use crate::audit::Event;

/// How safe an event must be before its call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// In the kernel.
    Written,
    /// On the disk.
    Synced,
}

/// Takes events.
#[derive(Debug, Default)]
pub struct LogBook;

impl LogBook {
    /// Appends.
    ///
    /// # Errors
    /// When it is full.
    pub async fn append(&self, _event: &Event, _durability: Durability) -> Result<(), String> {
        Ok(())
    }

    /// Delivers receipts.
    ///
    /// # Errors
    /// When it is full.
    pub async fn deliver(&self, _receipts: &[store::StoredReceipt]) -> Result<(), String> {
        Ok(())
    }
}

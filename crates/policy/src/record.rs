//! What a decision can leave behind: nothing, or everything.

use serde::{Deserialize, Serialize};

/// Listens to the one evaluator.
pub trait Recorder {
    /// Whether every statement is to be visited and every condition evaluated.
    const FULL: bool;
}

/// The hot path: hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRecord;

impl Recorder for NoRecord {
    const FULL: bool = false;
}

/// Keeps everything.
#[derive(Clone, Debug, Default)]
pub struct FullRecord {
    record: Record,
}

impl Recorder for FullRecord {
    const FULL: bool = true;
}

impl FullRecord {
    /// Nothing heard yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was heard.
    #[must_use]
    pub fn into_record(self) -> Record {
        self.record
    }
}

/// A whole evaluation as data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {}

//! What a decision can leave behind: nothing, or everything.

use serde::{Deserialize, Serialize};

use crate::ask::{Ask, Sources};
use crate::decision::Decision;

/// Is told of each decision, with all that went into it.
pub trait Recorder {
    /// A decision was made.
    fn decided(&mut self, ask: &Ask, sources: &Sources<'_>, decision: &Decision);
}

/// The hot path: hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRecord;

impl Recorder for NoRecord {
    fn decided(&mut self, _: &Ask, _: &Sources<'_>, _: &Decision) {}
}

/// Keeps everything.
#[derive(Clone, Debug, Default)]
pub struct FullRecord {
    record: Record,
}

impl Recorder for FullRecord {
    fn decided(&mut self, _: &Ask, _: &Sources<'_>, _: &Decision) {}
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

//! The evaluation order, readable top to bottom (spec A9).

use crate::ask::{Ask, Sources};
use crate::decision::{Decision, Determining, Grant, Verdict};
use crate::record::Recorder;

/// Answers one question.
pub fn decide<R: Recorder>(ask: &Ask, sources: &Sources<'_>, recorder: &mut R) -> Decision {
    let _ = (ask, sources, recorder);
    Decision {
        verdict: Verdict::ImplicitDeny,
        layer: None,
        level: None,
        grant: Grant::None,
        trust: false,
        determining: Determining::none(),
    }
}

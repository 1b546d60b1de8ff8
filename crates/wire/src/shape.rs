//! What each operation takes: tables from the published API models, and inputs decoded and checked
//! by them.
//!
//! `models/*.json` is written by `models/generate.py`. A service's table is read when first asked
//! for (well under a millisecond), a pattern compiled when first matched. Decoding yields JSON of
//! the model's member names for the typed input to deserialize from; checking collects all violations
//! before anything is refused, because AWS answers with all of them at once.

mod check;
mod decode;
mod model;
mod pattern;

pub use check::{Constraint, Shown, Violation, Violations};
pub use model::{ErrorShape, Model, Operation};

use std::fmt;
use std::sync::LazyLock;

/// The Security Token Service, `2011-06-15`.
pub fn sts() -> &'static Model {
    static MODEL: LazyLock<Model> =
        LazyLock::new(|| model::load(include_str!("../models/sts.json")));
    &MODEL
}

/// Identity and Access Management, `2010-05-08`.
pub fn iam() -> &'static Model {
    static MODEL: LazyLock<Model> =
        LazyLock::new(|| model::load(include_str!("../models/iam.json")));
    &MODEL
}

/// CloudTrail, `2013-11-01` (JSON 1.1).
pub fn cloudtrail() -> &'static Model {
    static MODEL: LazyLock<Model> =
        LazyLock::new(|| model::load(include_str!("../models/cloudtrail.json")));
    &MODEL
}

/// AWS Organizations, `2016-11-28` (JSON 1.1).
pub fn organizations() -> &'static Model {
    static MODEL: LazyLock<Model> =
        LazyLock::new(|| model::load(include_str!("../models/organizations.json")));
    &MODEL
}

/// Why an input is refused before anyone looks at what it asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// A value that is not of its type: `900.0` for an integer, `member.x` for a position. Query
    /// protocol: `MalformedInput`, 400, no message. JSON: `SerializationException`, 400.
    Malformed {
        /// Where, in AWS's path spelling. For the log; AWS does not tell.
        path: String,
    },
    /// Values outside their constraints: `ValidationError` (JSON: `ValidationException`), 400, with
    /// the `Display` of the violations as message.
    Invalid(Violations),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { path } => write!(f, "the value at '{path}' is not of its type"),
            Self::Invalid(violations) => violations.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests;

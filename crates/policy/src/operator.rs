//! Condition operators (spec A6).

use serde::{Deserialize, Serialize};

/// `ForAllValues:` or `ForAnyValue:` before an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Qualifier {
    /// Every value of the request must satisfy.
    ForAllValues,
    /// At least one value of the request must satisfy.
    ForAnyValue,
}

/// An operator with its prefix and suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Test {
    /// The prefix.
    pub qualifier: Option<Qualifier>,
    /// The suffix `IfExists`.
    pub if_exists: bool,
}

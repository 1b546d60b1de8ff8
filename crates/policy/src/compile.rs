//! Documents → the indexed, shared form that [`decide`](crate::decide()) runs on.

use std::sync::Arc;

use crate::decision::PolicyId;
use crate::document::Document;

/// A document with its name.
#[derive(Clone, Debug)]
pub struct Named {
    /// Which policy.
    pub id: PolicyId,
    /// Its text, judged.
    pub document: Arc<Document>,
}

/// All policies of one principal (or resource) in one layer, compiled together.
#[derive(Debug, Default)]
pub struct Compiled {
    policies: Vec<Named>,
}

impl Compiled {
    /// Compiles a set of policies, in this order.
    #[must_use]
    pub fn new(policies: impl IntoIterator<Item = Named>) -> Self {
        Self { policies: policies.into_iter().collect() }
    }

    /// The policies in order.
    #[must_use]
    pub fn policies(&self) -> &[Named] {
        &self.policies
    }
}

//! The policies of one question, owned: for those who gather them layer by layer.

use std::sync::Arc;

use crate::ask::Sources;
use crate::compile::Compiled;

/// Everything that [`Sources`] borrows; its fields mean the same.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// Service control policies by level.
    pub scps: Option<Vec<Arc<Compiled>>>,
    /// Resource control policies by level.
    pub rcps: Option<Vec<Arc<Compiled>>>,
    /// The VPC endpoint's policy.
    pub endpoint: Option<Arc<Compiled>>,
    /// The resource's policy, or the role's trust policy.
    pub resource: Option<Arc<Compiled>>,
    /// The caller's own policies.
    pub identity: Vec<Arc<Compiled>>,
    /// The permissions boundary.
    pub boundary: Option<Arc<Compiled>>,
    /// Session policies.
    pub session: Option<Vec<Arc<Compiled>>>,
}

impl Layers {
    /// As a decision takes them.
    #[must_use]
    pub fn sources(&self) -> Sources<'_> {
        Sources {
            scps: self.scps.as_deref(),
            rcps: self.rcps.as_deref(),
            endpoint: self.endpoint.as_deref(),
            resource: self.resource.as_deref(),
            identity: &self.identity,
            boundary: self.boundary.as_deref(),
            session: self.session.as_deref(),
        }
    }
}

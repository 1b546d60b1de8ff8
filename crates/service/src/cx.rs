//! What an action may know of its call.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::audit::Draft;
use crate::caller::Caller;
use crate::plane::Plane;

use crate::error::{Error, Result};
use crate::world::{Account, World};

/// One call, as an action sees it.
pub struct Cx<'p> {
    /// The installation: keys, identity providers, settings.
    pub plane: &'p Plane,
    /// The snapshot that answers this call; it does not change under it.
    pub world: Arc<World>,
    /// The time of this call: one reading for all that is decided.
    pub now: Timestamp,
    /// Where the call came from.
    pub origin: &'p Origin,
    /// Who calls. Anonymous until proven.
    pub caller: Caller,
    /// The operation's model.
    pub operation: &'static wire::shape::Operation,
    /// The id of the request and of the decision.
    pub request_id: &'p str,
    /// What the log book will know of this call.
    pub receipt: Draft,
}

impl Cx<'_> {
    /// The caller's account.
    ///
    /// # Errors
    /// If nobody is proven, or the account is gone.
    pub fn account(&self) -> Result<&Arc<Account>> {
        let id = self.caller.account()?;
        self.world.account(&id).ok_or_else(|| Error::internal("the caller's account is gone"))
    }
}

/// Where a call came from, after the trusted proxies have been believed.
#[derive(Clone, Debug)]
pub struct Origin {
    /// `aws:SourceIp`
    pub ip: IpAddr,
    /// `aws:SecureTransport`
    pub secure: bool,
    /// `aws:UserAgent`
    pub user_agent: Option<String>,
    /// `aws:referer`
    pub referer: Option<String>,
    /// The installation's own region; a signature may name another.
    pub region: String,
    /// The `Host` the client asked for.
    pub host: String,
    /// TLS version and cipher suite, where the listener itself spoke TLS.
    pub tls: Option<(String, String)>,
}

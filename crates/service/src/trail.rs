//! CloudTrail: what of the log book is served. Source: CloudTrail API Reference, 2013-11-01.

mod lookup_events;

use crate::action::Entry;
use crate::registry::Api;

/// The service.
pub const API: Api = Api {
    name: "cloudtrail",
    source: "cloudtrail.amazonaws.com",
    actions: &[&[Entry::of::<lookup_events::LookupEvents>()]],
};

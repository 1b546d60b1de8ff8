//! The APIs: STS, IAM, Organizations, CloudTrail over one decision, one world and one log book.
//!
//! Start with [`dispatch`]: how one call flows. [`action`] says what an action is, [`authorize`]
//! is the only maker of permits, [`world`] is what decides, [`plane`] is the installation that
//! holds it all.

pub mod action;
pub mod audit;
pub mod authorize;
pub mod caller;
pub mod context;
pub mod credentials;
pub mod cx;
pub mod dispatch;
pub mod error;
pub mod explain;
pub mod iam;
pub mod idp;
pub mod ids;
pub mod organizations;
pub mod plane;
pub mod receipt;
pub mod record;
pub mod registry;
pub mod settings;
pub mod sts;
pub mod time;
pub mod trail;
pub mod world;

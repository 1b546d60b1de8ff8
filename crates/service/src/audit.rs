//! The log book: every call leaves an event in CloudTrail's shape, plus ours, that says why.
//!
//! `dispatch` fills a [`Draft`] while a call runs and hands the finished [`Event`] to the
//! [`LogBook`], at one call site, also when the call failed early. [`Reader`] finds events again,
//! in the server and from the command line on a data folder alone; [`lookup`] answers
//! CloudTrail's `LookupEvents` with it. What can go wrong: the disk is full. Then
//! [`LogBook::append`] refuses, and so must whoever wanted to issue something.

pub mod book;
pub mod draft;
pub mod event;
pub mod flood;
pub mod identity;
pub mod index;
mod json;
pub mod lookup;
pub mod ours;
pub mod query;
pub mod reader;
pub mod redact;
pub mod trim;

pub use book::{BookError, BookFigures, BookOptions, LogBook};
pub use draft::Draft;
pub use event::{Event, Resource, TlsDetails};
pub use flood::FloodLimits;
pub use identity::{IdentityKind, UserIdentity};
pub use ours::{Aggregate, Check, DecisionRecord, Mark, Ours, Outcome};
pub use query::{Attribute, Query, Scope};
pub use reader::{Follow, Page, QueryError, Reader};
pub use store::segment::Durability;

//! The IAM policy language: parse, compile, decide, explain. Pure and total.
//!
//! Read in this order: [`document`] (what may be written), [`compile`] (the indexed form),
//! [`decide`](mod@decide) (the evaluation order), [`record`] (why). Nothing here reads a clock, a network or a
//! file; time, addresses and tags arrive in the [`Context`]. Nothing here fails on hostile input:
//! an unreadable document is a [`Rejection`], and everything after that is a defined value.

pub mod arn;
pub mod ask;
pub mod case;
pub mod choices;
pub mod compile;
pub mod context;
pub mod decide;
pub mod decision;
pub mod diagnostic;
pub mod document;
pub mod json;
pub mod key;
pub mod layers;
pub mod needs;
pub mod operator;
pub mod pattern;
pub mod principal;
pub mod record;
pub mod tag;
pub mod text;

mod hash;

pub use crate::arn::{AccountId, Arn, ArnFault};
pub use crate::ask::{ActionName, Ask, ResourceName, Sources};
pub use crate::choices::Choices;
pub use crate::compile::{Compiled, Named};
pub use crate::context::{Context, SetBy};
pub use crate::decide::decide;
pub use crate::decision::{
    Decision, Determining, Grant, Layer, PolicyId, PolicyKind, StatementId, Verdict,
};
pub use crate::diagnostic::{Diagnostic, Label, Position, Severity, Span};
pub use crate::document::{Document, Kind, Rejection, Strictness};
pub use crate::layers::Layers;
pub use crate::needs::{Needs, needs};
pub use crate::principal::{Principal, UniqueId};
pub use crate::record::{FullRecord, NoRecord, Record, Recorder};
pub use crate::tag::Tag;
pub use crate::text::{Denial, Style};

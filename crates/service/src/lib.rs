//! The APIs: STS, IAM, CloudTrail over one decision, one world and one log book.

pub mod audit;
pub mod idp;

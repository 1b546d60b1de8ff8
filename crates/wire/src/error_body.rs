//! Error bodies: one fault, in the shape that its protocol wants.

use crate::{json11, query_xml};

/// Whose fault it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blame {
    /// The client's (statuses 4xx).
    Sender,
    /// Ours (statuses 5xx).
    Receiver,
}

/// What went wrong, as the client is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault<'a> {
    /// AWS's code on the wire (`InvalidIdentityToken`, not the shape's name).
    pub code: &'a str,
    /// AWS's sentence; some codes (`MalformedInput`) come without one.
    pub message: Option<&'a str>,
    /// Whose fault.
    pub blame: Blame,
}

/// The protocol that the answer must speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect<'a> {
    /// Query protocol, in the service's namespace; [`query_xml::AWS_FAULT`] where no service was found.
    Query {
        /// `https://sts.amazonaws.com/doc/2011-06-15/` and the like.
        namespace: &'a str,
    },
    /// JSON 1.1.
    Json11,
}

/// An error body with what belongs in its headers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorBody {
    /// For `content-type`.
    pub content_type: &'static str,
    /// For `x-amzn-errortype` (JSON only).
    pub error_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Writes a fault in a dialect.
pub fn render(dialect: Dialect<'_>, fault: &Fault<'_>, request_id: &str) -> ErrorBody {
    match dialect {
        Dialect::Query { namespace } => ErrorBody {
            content_type: query_xml::CONTENT_TYPE,
            error_type: None,
            body: query_xml::error(namespace, fault, request_id),
        },
        Dialect::Json11 => ErrorBody {
            content_type: json11::CONTENT_TYPE,
            error_type: Some(fault.code.to_owned()),
            body: json11::error(fault),
        },
    }
}

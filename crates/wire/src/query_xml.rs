//! The query protocol's way out: XML, written straight from `Serialize` types.
//!
//! Fields become elements in declared order, sequences `<member>`s, maps `<entry>`s of `<key>` and
//! `<value>`, `None` nothing. Timestamps are text already (`2026-01-01T00:00:00Z`).

mod ser;

use serde::Serialize;

use crate::error_body::{Blame, Fault};
use crate::shape::Operation;

pub use ser::XmlError;

/// The content type of answers.
pub const CONTENT_TYPE: &str = "text/xml";
/// The namespace of errors that no service can be held to account for: unknown action or version.
pub const AWS_FAULT: &str = "http://webservices.amazon.com/AWSFault/2005-15-09";

/// Writes the answer of an operation. Operations without a result (`DeleteRole`) get no result
/// element; `output` is then not looked at and may be `()`.
///
/// # Errors
/// [`XmlError`] when the output is of a kind that this XML cannot say (see there); a programming error.
pub fn response<T: Serialize>(
    operation: &Operation,
    output: &T,
    request_id: &str,
) -> Result<Vec<u8>, XmlError> {
    let mut out = Vec::with_capacity(1024);
    out.push(b'<');
    out.extend_from_slice(operation.name.as_bytes());
    out.extend_from_slice(b"Response xmlns=\"");
    ser::escape(&mut out, operation.namespace);
    out.extend_from_slice(b"\">");
    if let Some(result) = operation.result_wrapper {
        output.serialize(ser::Element::new(&mut out, result))?;
    }
    out.extend_from_slice(b"<ResponseMetadata>");
    ser::text_element(&mut out, "RequestId", request_id);
    out.extend_from_slice(b"</ResponseMetadata></");
    out.extend_from_slice(operation.name.as_bytes());
    out.extend_from_slice(b"Response>");
    Ok(out)
}

/// Writes an error body.
pub fn error(namespace: &str, fault: &Fault<'_>, request_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(b"<ErrorResponse xmlns=\"");
    ser::escape(&mut out, namespace);
    out.extend_from_slice(b"\"><Error>");
    let blame = match fault.blame {
        Blame::Sender => "Sender",
        Blame::Receiver => "Receiver",
    };
    ser::text_element(&mut out, "Type", blame);
    ser::text_element(&mut out, "Code", fault.code);
    if let Some(message) = fault.message {
        ser::text_element(&mut out, "Message", message);
    }
    out.extend_from_slice(b"</Error>");
    ser::text_element(&mut out, "RequestId", request_id);
    out.extend_from_slice(b"</ErrorResponse>");
    out
}

#[cfg(test)]
mod tests;

//! JSON 1.1: the operation in `X-Amz-Target`, JSON bodies both ways (CloudTrail speaks it).

use http::request::Parts;
use serde::Serialize;
use serde_json::Value;

use crate::error_body::Fault;

/// The content type of requests and answers.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// Names the operation, as `<prefix>.<operation>`.
pub const TARGET: &str = "x-amz-target";
/// Names the error, beside `__type` in the body.
pub const ERROR_TYPE: &str = "x-amzn-errortype";
/// Largest request body, in bytes.
pub const MAX_BYTES: usize = 1_048_576;

/// What `X-Amz-Target` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target<'a> {
    /// Which service and version (`com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101`).
    pub prefix: &'a str,
    /// Which operation.
    pub operation: &'a str,
}

/// Reads `X-Amz-Target`; `None` when it is absent, there twice, or without a dot.
pub fn target(parts: &Parts) -> Option<Target<'_>> {
    let mut values = parts.headers.get_all(TARGET).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (prefix, operation) = value.to_str().ok()?.rsplit_once('.')?;
    Some(Target { prefix, operation })
}

/// Why a body cannot be read (AWS: `SerializationException`, 400, mostly without a message).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyError {
    /// More than [`MAX_BYTES`].
    TooLarge,
    /// Not JSON, nested deeper than 128, or not an object.
    NotAnObject,
}

impl std::fmt::Display for BodyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the request is larger than 1048576 bytes",
            Self::NotAnObject => "the request is not a JSON object",
        })
    }
}

impl std::error::Error for BodyError {}

/// Reads a body. An empty one is an empty object.
///
/// # Errors
/// [`BodyError`].
pub fn read(body: &[u8]) -> Result<Value, BodyError> {
    if body.len() > MAX_BYTES {
        return Err(BodyError::TooLarge);
    }
    if body.trim_ascii().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(BodyError::NotAnObject),
    }
}

/// Writes an answer. Timestamps are numbers of seconds; the output type sees to that.
///
/// # Errors
/// When the output has map keys that are not text.
pub fn response<T: Serialize>(output: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(output)
}

/// Writes an error body.
pub fn error(fault: &Fault<'_>) -> Vec<u8> {
    let mut body = serde_json::Map::new();
    body.insert("__type".to_owned(), fault.code.into());
    if let Some(message) = fault.message {
        body.insert("message".to_owned(), message.into());
    }
    Value::Object(body).to_string().into_bytes()
}

#[cfg(test)]
mod tests;

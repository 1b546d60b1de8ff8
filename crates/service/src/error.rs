//! What a call answers when it does not succeed.
//!
//! One error type for every API: the code and text the client gets, as AWS gives them, beside the
//! data the operator gets in the log book. The wire shape (XML, JSON) is chosen at the edge.
//! A sentence of denial is rendered from the decision, never written by hand.

use crate::audit::ours::{Check, DocumentFinding};
use crate::receipt;

/// A service's error code: a constant in that service's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The name on the wire, such as `NoSuchEntity`.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
}

impl Code {
    /// A code with its HTTP status.
    pub const fn new(name: &'static str, status: u16) -> Self {
        Self { name, status }
    }
}

/// A refusal or a failure: what the client is told, and what only the log book keeps.
#[derive(Debug)]
pub struct Error {
    /// The code, with its HTTP status.
    pub code: Code,
    /// The text for the client; some AWS errors have none.
    pub message: Option<String>,
    /// What went wrong, for the log book alone. Never holds a secret or a token.
    pub cause: Option<String>,
    /// Where a policy document is wrong, for the log book alone.
    pub diagnostics: Box<[DocumentFinding]>,
    /// The check that did not hold, for the log book alone.
    pub check: Option<Box<Check>>,
    /// An encrypted account of a denial, for `DecodeAuthorizationMessage`.
    pub encoded_message: Option<String>,
}

/// The result of anything a call does.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with its text for the client.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::silent(code) }
    }

    /// An error without a text, as AWS gives some.
    pub fn silent(code: Code) -> Self {
        Self {
            code,
            message: None,
            cause: None,
            diagnostics: Box::default(),
            check: None,
            encoded_message: None,
        }
    }

    /// Adds the precise cause, for the log book alone.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Names the check that did not hold, with what was wanted and what was there.
    #[must_use]
    pub fn failing(
        mut self,
        name: &'static str,
        wanted: impl Into<String>,
        had: impl Into<String>,
    ) -> Self {
        self.check = Some(Box::new(Check::fail(name).wanted(wanted.into()).had(had.into())));
        self
    }

    /// Adds a remark to the check that did not hold.
    #[must_use]
    pub fn noting(mut self, note: &'static str) -> Self {
        self.check = self.check.map(|check| Box::new(check.note(note)));
        self
    }

    /// A policy document that is refused: AWS's text for the client, the places in the document's
    /// text for the log book.
    pub fn policy(text: &str, rejection: &policy::Rejection) -> Self {
        let find = |diagnostic| receipt::diagnostic(text, diagnostic);
        let diagnostics = rejection.diagnostics.iter().map(find).collect();
        Self {
            diagnostics,
            ..Self::new(code::MALFORMED_POLICY_DOCUMENT, rejection.message.as_str())
        }
    }

    /// Something of ours failed; the client learns no more than that.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self::new(
            code::INTERNAL_FAILURE,
            "The request processing has failed because of an unknown error, exception or failure.",
        )
        .because(cause)
    }

    /// Something that the server needs is not to be had for now; the client may try again.
    pub fn unavailable(cause: impl Into<String>) -> Self {
        Self::new(
            code::SERVICE_UNAVAILABLE,
            "The request has failed due to a temporary failure of the server.",
        )
        .because(cause)
    }
}

/// The codes that every service shares. Source: the "Common Errors" page of each AWS API.
pub mod code {
    use super::Code;

    /// The caller may not.
    pub const ACCESS_DENIED: Code = Code::new("AccessDenied", 403);
    /// The configuration changed under the call, again and again.
    pub const CONCURRENT_MODIFICATION: Code = Code::new("ConcurrentModification", 409);
    /// The session's time is over.
    pub const EXPIRED_TOKEN: Code = Code::new("ExpiredToken", 403);
    /// The `Authorization` header cannot be read.
    pub const INCOMPLETE_SIGNATURE: Code = Code::new("IncompleteSignature", 400);
    /// Something of ours failed.
    pub const INTERNAL_FAILURE: Code = Code::new("InternalFailure", 500);
    /// No such operation.
    pub const INVALID_ACTION: Code = Code::new("InvalidAction", 400);
    /// The access key is not known, or its session token does not fit.
    pub const INVALID_CLIENT_TOKEN_ID: Code = Code::new("InvalidClientTokenId", 403);
    /// A value is not acceptable.
    pub const INVALID_PARAMETER_VALUE: Code = Code::new("InvalidParameterValue", 400);
    /// A number cannot be read.
    pub const MALFORMED_INPUT: Code = Code::new("MalformedInput", 400);
    /// A policy document is not one.
    pub const MALFORMED_POLICY_DOCUMENT: Code = Code::new("MalformedPolicyDocument", 400);
    /// No signature where one is needed.
    pub const MISSING_AUTHENTICATION_TOKEN: Code = Code::new("MissingAuthenticationToken", 403);
    /// No `Action` parameter.
    pub const MISSING_ACTION: Code = Code::new("MissingAction", 400);
    /// The store or the log book cannot take a change now.
    pub const SERVICE_UNAVAILABLE: Code = Code::new("ServiceUnavailable", 503);
    /// The signature is not the one that we compute, or is out of its time or scope.
    pub const SIGNATURE_DOES_NOT_MATCH: Code = Code::new("SignatureDoesNotMatch", 403);
    /// A parameter is outside its constraints.
    pub const VALIDATION_ERROR: Code = Code::new("ValidationError", 400);
}

//! From a result to bytes, and what the log book says of an error.

use wire::error_body::{self, Blame, Dialect, Fault};

use super::decode::{Called, Undecoded};
use super::{HttpAnswer, NOT_READ};
use crate::action::Answer;
use crate::audit::{Check, Draft, Outcome};
use crate::error::{Code, Error, code};

/// Writes an error into the receipt.
pub fn describe(error: &Error, draft: &mut Draft) {
    draft.refused(outcome(error), error.code.name, error.message.as_deref().unwrap_or_default());
    if let Some(cause) = &error.cause {
        draft.cause(cause.clone());
    }
    if let Some(check) = &error.check {
        draft.check(Check::clone(check));
    }
    for finding in &error.diagnostics {
        draft.diagnostic(finding.clone());
    }
}

fn outcome(error: &Error) -> Outcome {
    match error.code {
        code::ACCESS_DENIED => Outcome::Denied,
        code::MISSING_AUTHENTICATION_TOKEN
        | code::INVALID_CLIENT_TOKEN_ID
        | code::SIGNATURE_DOES_NOT_MATCH
        | code::INCOMPLETE_SIGNATURE
        | code::EXPIRED_TOKEN => Outcome::Unauthenticated,
        code::VALIDATION_ERROR
        | code::MALFORMED_INPUT
        | code::MALFORMED_POLICY_DOCUMENT
        | code::INVALID_ACTION
        | code::MISSING_ACTION
        | code::INVALID_PARAMETER_VALUE => Outcome::Malformed,
        code if matches!(code.name, "InvalidIdentityToken" | "ExpiredTokenException") => {
            Outcome::Unauthenticated
        }
        code if code.name == NOT_READ || code.status == 413 => Outcome::Malformed,
        _ => Outcome::Failed,
    }
}

/// The answer to a call that succeeded.
pub(super) fn success(called: Called, answer: Answer, request_id: String) -> HttpAnswer {
    let content_type = match called.dialect() {
        Dialect::Json11 => wire::json11::CONTENT_TYPE,
        Dialect::Query { .. } => wire::query_xml::CONTENT_TYPE,
    };
    HttpAnswer {
        request_id,
        status: 200,
        content_type,
        error_type: None,
        encoded_message: None,
        body: answer.body,
        called: Some((called.api.name, called.entry.name)),
        outcome: Outcome::Allowed.word(),
    }
}

/// The answer to a call that did not.
pub(super) fn failure(called: Called, error: Error, request_id: String) -> HttpAnswer {
    HttpAnswer {
        called: Some((called.api.name, called.entry.name)),
        ..refusal(called.dialect(), error, request_id)
    }
}

/// The same refusals have other names and statuses in JSON services (spec A11, B5).
fn json_code(known: Code) -> Code {
    let name = match known {
        code::ACCESS_DENIED => "AccessDeniedException",
        code::EXPIRED_TOKEN => "ExpiredTokenException",
        code::INCOMPLETE_SIGNATURE => "IncompleteSignatureException",
        code::INVALID_CLIENT_TOKEN_ID => "UnrecognizedClientException",
        code::MISSING_AUTHENTICATION_TOKEN => "MissingAuthenticationTokenException",
        code::SIGNATURE_DOES_NOT_MATCH => "InvalidSignatureException",
        other => return other,
    };
    Code::new(name, 400)
}

/// The answer to what was no call.
pub fn undecoded(undecoded: Undecoded, request_id: String) -> HttpAnswer {
    refusal(undecoded.dialect, undecoded.error, request_id)
}

fn refusal(dialect: Dialect<'static>, error: Error, request_id: String) -> HttpAnswer {
    let told = match dialect {
        Dialect::Json11 => json_code(error.code),
        Dialect::Query { .. } => error.code,
    };
    let blame = if error.code.status < 500 { Blame::Sender } else { Blame::Receiver };
    let fault = Fault { code: told.name, message: error.message.as_deref(), blame };
    let rendered = error_body::render(dialect, &fault, &request_id);
    // AWS answers what is too large, or does not come, with a status alone.
    let bare = error.code.name == NOT_READ || error.code.status == 413;
    HttpAnswer {
        status: told.status,
        content_type: rendered.content_type,
        error_type: rendered.error_type.filter(|_| !bare),
        body: if bare { Vec::new() } else { rendered.body },
        outcome: outcome(&error).word(),
        encoded_message: error.encoded_message,
        called: None,
        request_id,
    }
}

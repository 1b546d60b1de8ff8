//! Text → document.
use super::{Document, Kind, Rejection, Strictness};

pub(super) fn parse(
    _text: &str,
    _kind: Kind,
    _strictness: Strictness,
) -> Result<Document, Rejection> {
    Err(Rejection {
        code: "MalformedPolicyDocument".to_owned(),
        message: "Syntax errors in policy.".to_owned(),
        diagnostics: Vec::new(),
    })
}

pub(super) fn respan(_text: &str, document: Document) -> Document {
    document
}

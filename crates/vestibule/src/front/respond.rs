//! The answers that are not AWS's.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body_util::Full;

use crate::listen::Answer;

pub(super) fn json(value: &serde_json::Value) -> Answer {
    typed(StatusCode::OK, "application/json", value.to_string())
}

pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    typed(status, "text/plain; charset=utf-8", body)
}

pub(super) fn metrics(body: String) -> Answer {
    typed(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", body)
}

pub(super) fn not_found() -> Answer {
    text(StatusCode::NOT_FOUND, "nothing here\n")
}

fn typed(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Answer::new(Full::from(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

//! From the listener's request to the service's call, and back.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use http_body_util::Full;
use service::{
    dispatch::{HttpAnswer, HttpCall},
    plane::Plane,
};

use super::{Calls, through::Through};
use crate::{
    listen::{Answer, Request, Share},
    telemetry::{Gauges, Telemetry},
};

/// The AWS services of one installation.
pub struct Aws {
    /// The installation.
    pub plane: Arc<Plane>,
    /// Where calls are counted.
    pub telemetry: Arc<Telemetry>,
}

impl Calls for Aws {
    async fn call(&self, request: Request) -> Answer {
        let begun = Instant::now();
        let (call, share) = call_of(request);
        let (plane, telemetry) = (Arc::clone(&self.plane), Arc::clone(&self.telemetry));
        let seen_through = Through::see(async move {
            let answer = plane.handle(call).await;
            let (service, action) = answer.called.unwrap_or(("unknown", "unknown"));
            telemetry.called(service, action, answer.outcome, begun.elapsed());
            drop(share);
            answer
        });
        seen_through.await.map_or_else(|_| failed(), rendered)
    }

    async fn unread(&self, request: Request, status: StatusCode) -> Answer {
        let (call, _) = call_of(request);
        let plane = Arc::clone(&self.plane);
        let noted = Through::see(async move { plane.unread(call, status.as_u16()).await });
        noted.await.map_or_else(|_| failed(), rendered)
    }

    fn issuer_document(&self, path: &str) -> Option<serde_json::Value> {
        self.plane.issuer_document(path)
    }

    fn gauges(&self) -> Gauges {
        let reached = self.plane.idp.statistics();
        let book = self.plane.book.figures();
        Gauges {
            revision: self.plane.world().revision.0,
            idp_fetches: reached.fetches,
            idp_failures: reached.failures,
            log_backlog: book.index_backlog,
            log_aggregated: book.counted,
            log_lost: book.lost,
        }
    }
}

/// The call in a request, and its body's share of the memory.
fn call_of(request: Request) -> (HttpCall, Share) {
    let Request { parts, body, share, source_ip, secure, tls, .. } = request;
    let tls = tls.map(|tls| (tls.version.to_owned(), tls.cipher_suite.to_owned()));
    (HttpCall { parts, body, source_ip, secure, tls }, share)
}

/// What never comes back from its task has failed; nothing more is known of it.
fn failed() -> Answer {
    let mut response = Answer::new(Full::default());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const AUTHORIZATION_MESSAGE: HeaderName =
    HeaderName::from_static("x-vestibule-authorization-message");

fn rendered(answer: HttpAnswer) -> Answer {
    let status = StatusCode::from_u16(answer.status);
    let mut response = Answer::new(Full::from(Bytes::from(answer.body)));
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    // A value that no header can hold is left out rather than failing the answer; ours never is.
    if let Ok(id) = HeaderValue::try_from(answer.request_id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    for (name, value) in
        [(ERROR_TYPE, answer.error_type), (AUTHORIZATION_MESSAGE, answer.encoded_message)]
    {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    response
}

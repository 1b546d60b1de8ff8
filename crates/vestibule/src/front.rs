//! The front door: which plane a request is for, and everything that is answered without one.
//!
//! Paths under `/_` are the server's own (health, metrics, test switches); every other path is a
//! call of an AWS service and goes to [`Calls`] whole, because AWS does not route by path.

pub mod aws;
mod classify;
mod respond;
mod through;

#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc};

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use service::idp::network::Cidr;

use self::classify::{Own, Plane};
use crate::{
    clock::{Clock, ClockError},
    issuer::TestIssuer,
    listen::{Answer, Door, Request},
    telemetry::{Gauges, Telemetry},
};

/// The AWS services behind the door.
pub trait Calls: Send + Sync + 'static {
    /// Answers one call of whatever service it is for.
    fn call(&self, request: Request) -> impl Future<Output = Answer> + Send;

    /// Answers a call that could not be read whole.
    fn unread(&self, request: Request, status: StatusCode) -> impl Future<Output = Answer> + Send;

    /// The public document of an issuer of tokens, by its path below `/_tokens/`.
    fn issuer_document(&self, path: &str) -> Option<serde_json::Value>;

    /// What the metrics say about the inside, at this moment.
    fn gauges(&self) -> Gauges;
}

/// The front door.
pub struct Front<C> {
    /// The AWS services.
    pub calls: Arc<C>,
    /// The server's clock, moved at `/_test/clock` when it can be.
    pub clock: Clock,
    /// The metrics, served to these networks; `None` when they are off.
    pub metrics: Option<(Arc<Telemetry>, Vec<Cidr>)>,
    /// The test issuer, when it is on.
    pub issuer: Option<TestIssuer>,
}

impl<C: Calls> Door for Front<C> {
    async fn answer(&self, request: Request) -> Answer {
        match classify::plane(request.parts.uri.path()) {
            Plane::Aws => self.calls.call(request).await,
            Plane::Own(own) => self.own(&own, &request),
        }
    }

    async fn unread(&self, request: Request, status: StatusCode) -> Answer {
        self.calls.unread(request, status).await
    }
}

impl<C: Calls> Front<C> {
    fn own(&self, own: &Own<'_>, request: &Request) -> Answer {
        let reads = matches!(request.parts.method, Method::GET | Method::HEAD);
        match own {
            Own::Health if reads => {
                let revision = self.calls.gauges().revision;
                respond::json(&serde_json::json!({
                    "status": "ok",
                    "version": env!("CARGO_PKG_VERSION"),
                    "revision": revision,
                }))
            }
            Own::Metrics if reads => self.metrics(request.source_ip),
            Own::Clock => self.clock(request, reads),
            Own::Issuer(path) if reads => match &self.issuer {
                Some(issuer) => {
                    issuer.serve(path).map_or_else(respond::not_found, |v| respond::json(&v))
                }
                None => respond::not_found(),
            },
            Own::Tokens(path) if reads => {
                let document = self.calls.issuer_document(path);
                document.map_or_else(respond::not_found, |document| respond::json(&document))
            }
            Own::Unknown => respond::not_found(),
            _ => respond::text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n"),
        }
    }

    fn metrics(&self, from: IpAddr) -> Answer {
        match &self.metrics {
            Some((telemetry, allow)) if allow.iter().any(|net| net.contains(from)) => {
                respond::metrics(telemetry.render(&self.calls.gauges()))
            }
            Some(_) => respond::text(StatusCode::FORBIDDEN, "metrics are not for this address\n"),
            None => respond::not_found(),
        }
    }

    fn clock(&self, request: &Request, reads: bool) -> Answer {
        if !self.clock.is_settable() {
            return respond::not_found();
        }
        // The address that counts is the connection's, not one that a header claims.
        if !(request.peer.ip().to_canonical().is_loopback() && request.source_ip.is_loopback()) {
            return respond::text(StatusCode::FORBIDDEN, "the clock moves from loopback only\n");
        }
        // ATTACK: a page in the developer's browser could post a form to a loopback port; a JSON
        // content type makes the browser ask first, and nothing here answers that
        // (test the_test_clock_moves_from_loopback_only).
        let json = request
            .parts
            .headers
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
        let moved = match request.parts.method {
            _ if reads => Ok(()),
            Method::POST if json => match serde_json::from_slice::<Move>(&request.body) {
                Ok(order) => order.obey(&self.clock),
                Err(error) => {
                    return respond::text(StatusCode::BAD_REQUEST, format!("{error}\n"));
                }
            },
            Method::POST => {
                let wanted = "send content-type: application/json\n";
                return respond::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, wanted);
            }
            _ => return respond::text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n"),
        };
        match moved {
            Ok(()) => respond::json(&serde_json::json!({ "now": self.clock.now().to_string() })),
            Err(_) => respond::text(StatusCode::BAD_REQUEST, "that time is out of range\n"),
        }
    }
}

/// An order to the test clock.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Move {
    /// Run on from here: `{"set": "2026-01-01T00:00:00Z"}`.
    Set(String),
    /// Stand still here: `{"stand": "2026-01-01T00:00:00Z"}`.
    Stand(String),
    /// Go this many seconds on: `{"advance": 3600}`.
    Advance(i64),
    /// Back to the machine's time: `{"release": true}`.
    Release(bool),
}

impl Move {
    fn obey(&self, clock: &Clock) -> Result<(), ClockError> {
        let at = |text: &str| text.parse::<Timestamp>().map_err(|_| ClockError::OutOfRange);
        match self {
            Move::Set(to) => clock.set(at(to)?, false),
            Move::Stand(to) => clock.set(at(to)?, true),
            Move::Advance(seconds) => clock.advance(SignedDuration::from_secs(*seconds)),
            Move::Release(true) => clock.release(),
            Move::Release(false) => Ok(()),
        }
    }
}

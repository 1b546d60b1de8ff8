//! One GET to a provider: small, bounded, and only where the network policy lets it go.
//!
//! The connection is made here and not by an HTTP client, so that the address that was vetted is
//! the address that is connected to. There are no redirects, no proxies, no cookies, no
//! compression and no reused connections: fetches are rare, and each stands alone.

use std::{fmt, future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{
    Clock, ProviderSettings,
    network::{NetworkPolicy, Refusal, Resolver, SystemResolver, Target},
    tls::{Acceptance, Anchors, Pins, Thumbprint, TlsFailure, VerifiedBy, public_roots},
};

/// Bounds of one fetch.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the name's resolution to the end of the TLS handshake.
    pub connect: Duration,
    /// From start to end.
    pub total: Duration,
    /// The longest body, in bytes.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), total: Duration::from_secs(5), body: 1024 * 1024 }
    }
}

/// A document, and how its server was accepted.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The body.
    pub body: Bytes,
    /// What vouched for the server; `None` for plain http on a loopback address.
    pub verified_by: Option<VerifiedBy>,
    /// The thumbprint of the last certificate that the server sent.
    pub thumbprint: Option<Thumbprint>,
    /// For how long the server permits the document to be kept: `Cache-Control: max-age` less
    /// `Age`; zero for `no-store` and `no-cache`.
    pub max_age: Option<Duration>,
}

/// Why a document could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchError {
    /// The network policy forbids the URL or an address behind it. Nothing was sent.
    Refused(Refusal),
    /// The name could not be resolved.
    Dns,
    /// No connection to any of the addresses.
    Connect(io::ErrorKind),
    /// No TLS connection, or to a server that is not trusted.
    Tls(TlsFailure),
    /// It took too long.
    Timeout(Stage),
    /// The server does not speak HTTP as it should, or broke off.
    Http,
    /// Any status but 200. Redirects are not followed.
    Status(u16),
    /// The body is longer than the limit, in bytes.
    TooLarge(usize),
    /// The body is compressed although that was not asked for.
    Encoded,
}

/// Which time limit ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// [`Limits::connect`].
    Connect,
    /// [`Limits::total`].
    Total,
}

/// Fetches documents from providers.
#[derive(Clone)]
pub struct Fetcher {
    /// The installation's network policy.
    pub network: NetworkPolicy,
    /// Turns names into addresses.
    pub resolver: Arc<dyn Resolver>,
    /// The public roots.
    pub public_roots: Arc<RootCertStore>,
    /// The time that certificates are held against.
    pub clock: Clock,
    /// The bounds.
    pub limits: Limits,
}

impl Fetcher {
    /// With the system's resolver, Mozilla's roots and the usual bounds.
    #[must_use]
    pub fn new(network: NetworkPolicy, clock: Clock) -> Self {
        Self {
            network,
            resolver: Arc::new(SystemResolver),
            public_roots: public_roots(),
            clock,
            limits: Limits::default(),
        }
    }

    /// Fetches one document.
    ///
    /// # Errors
    /// See [`FetchError`]; each is final, nothing is tried twice.
    pub async fn get(
        &self,
        url: &str,
        settings: &ProviderSettings,
        pins: Pins<'_>,
    ) -> Result<Fetched, FetchError> {
        let network = self.network.and(&settings.network);
        let target =
            network.target(url, settings.allow_http_loopback).map_err(FetchError::Refused)?;
        let whole = async {
            let connecting = self.connect(&network, &target, settings, pins);
            let stream = timeout(self.limits.connect, connecting)
                .await
                .map_err(|_| FetchError::Timeout(Stage::Connect))??;
            match stream {
                Stream::Plain(stream) => self.exchange(&target, stream, None).await,
                Stream::Tls(stream, accepted) => {
                    self.exchange(&target, *stream, Some(accepted)).await
                }
            }
        };
        timeout(self.limits.total, whole).await.map_err(|_| FetchError::Timeout(Stage::Total))?
    }

    async fn connect(
        &self,
        network: &NetworkPolicy,
        target: &Target,
        settings: &ProviderSettings,
        pins: Pins<'_>,
    ) -> Result<Stream, FetchError> {
        let found = match target.literal {
            Some(address) => vec![address],
            None => self.resolver.resolve(&target.host).await.map_err(|_| FetchError::Dns)?,
        };
        if found.is_empty() {
            return Err(FetchError::Dns);
        }
        let vetted = network.vet(target, &found).map_err(FetchError::Refused)?;
        let stream = connect_any(&vetted).await.map_err(FetchError::Connect)?;
        if target.plain {
            return Ok(Stream::Plain(stream));
        }
        let name = ServerName::try_from(target.host.to_string())
            .map_err(|_| FetchError::Refused(Refusal::BadUrl))?;
        let ca_pem = settings.ca_pem.as_deref();
        let anchors =
            Anchors::new(Arc::clone(&self.public_roots), ca_pem, pins).map_err(FetchError::Tls)?;
        let config = anchors.client(&self.clock).map_err(FetchError::Tls)?;
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        match (handshake, anchors.verdict()) {
            (Ok(stream), Some(Ok(accepted))) => Ok(Stream::Tls(Box::new(stream), accepted)),
            (_, Some(Err(failure))) => Err(FetchError::Tls(failure)),
            (Err(error), _) => {
                Err(FetchError::Tls(TlsFailure::Handshake(error.to_string().into())))
            }
            // INVARIANT: a connection whose certificate nobody judged is not used.
            (Ok(_), None) => {
                Err(FetchError::Tls(TlsFailure::Handshake("no certificate was judged".into())))
            }
        }
    }

    async fn exchange<S>(
        &self,
        target: &Target,
        stream: S,
        accepted: Option<Acceptance>,
    ) -> Result<Fetched, FetchError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let request = request(target).map_err(|_| FetchError::Refused(Refusal::BadUrl))?;
        let (mut sender, connection) = http1::Builder::new()
            .max_headers(100)
            .max_buf_size(64 * 1024)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| FetchError::Http)?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(|_| FetchError::Http)?;
            let max_age = usable(&answer, self.limits.body)?;
            let body = read(answer.into_body(), self.limits.body).await?;
            Ok(Fetched {
                body,
                verified_by: accepted.and_then(|accepted| accepted.by),
                thumbprint: accepted.map(|accepted| accepted.thumbprint),
                max_age,
            })
        };
        drive(exchange, connection).await
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>, Acceptance),
}

async fn connect_any(addresses: &[SocketAddr]) -> Result<TcpStream, io::ErrorKind> {
    let mut last = io::ErrorKind::AddrNotAvailable;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error.kind(),
        }
    }
    Err(last)
}

fn request(target: &Target) -> http::Result<Request<Empty<Bytes>>> {
    let url = &target.url;
    let path = url.path();
    let path = url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    Request::get(path)
        .header(header::HOST, host)
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("vestibule/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Empty::new())
}

/// Judges an answer's head; gives back how long the document may be kept.
fn usable(answer: &Response<Incoming>, limit: usize) -> Result<Option<Duration>, FetchError> {
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status().as_u16()));
    }
    let encoding = answer.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(FetchError::Encoded);
    }
    let declared = hyper::body::Body::size_hint(answer.body()).lower();
    if usize::try_from(declared).map_or(true, |declared| declared > limit) {
        return Err(FetchError::TooLarge(limit));
    }
    Ok(max_age(answer.headers()))
}

async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, FetchError> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| FetchError::Http)?.into_data() else { continue };
        if piece.len() > limit.saturating_sub(read.len()) {
            return Err(FetchError::TooLarge(limit));
        }
        read.extend_from_slice(&piece);
    }
    Ok(read.freeze())
}

/// Runs an exchange while driving its connection; neither outlives this call.
async fn drive<T>(
    exchange: impl Future<Output = Result<T, FetchError>>,
    connection: impl Future,
) -> Result<T, FetchError> {
    let (mut exchange, connection) = (pin!(exchange), pin!(connection));
    tokio::select! {
        biased;
        done = &mut exchange => done,
        // A connection that has ended may have left a complete body behind.
        _ = connection => exchange.await,
    }
}

/// RFC 9111, 5.2.2, as far as a private cache of two documents needs it.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let mut found = None;
    for value in headers.get_all(header::CACHE_CONTROL) {
        for directive in value.to_str().unwrap_or_default().split(',') {
            let directive = directive.trim().to_ascii_lowercase();
            if directive == "no-store" || directive == "no-cache" {
                return Some(Duration::ZERO);
            }
            if let Some(seconds) = directive.strip_prefix("max-age=") {
                found = seconds.trim_matches('"').parse().ok().map(Duration::from_secs);
            }
        }
    }
    let age = headers.get(header::AGE).and_then(|age| age.to_str().ok()?.parse().ok());
    found.map(|found| found.saturating_sub(Duration::from_secs(age.unwrap_or(0))))
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "refused by the network policy: {refusal}"),
            Self::Dns => f.write_str("the host's name could not be resolved"),
            Self::Connect(kind) => write!(f, "no connection: {kind}"),
            Self::Tls(failure) => write!(f, "{failure}"),
            Self::Timeout(Stage::Connect) => f.write_str("no connection in time"),
            Self::Timeout(Stage::Total) => f.write_str("no complete answer in time"),
            Self::Http => f.write_str("the server broke off or does not speak HTTP"),
            Self::Status(code @ 300..=399) => write!(f, "status {code}; redirects are refused"),
            Self::Status(code) => write!(f, "status {code}"),
            Self::TooLarge(limit) => write!(f, "the answer is longer than {limit} bytes"),
            Self::Encoded => f.write_str("the answer is compressed"),
        }
    }
}

impl std::error::Error for FetchError {}

#[cfg(test)]
mod tests;

//! The listener: own accept loop, TLS, limits, trusted proxies, graceful drain.
//!
//! It hands complete requests to a [`Door`] and knows nothing about AWS. What can go wrong here
//! (slow, oversized or broken requests, no memory for another body) gets its status here; the door
//! puts it into words.

mod body;
mod budget;
pub mod forwarded;
pub mod tls;

#[cfg(test)]
mod tests;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Response, StatusCode, request::Parts};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};

use crate::config::Listen;

use self::budget::Budget;
pub use self::{
    budget::Share,
    forwarded::TrustedProxies,
    tls::{Identity, TlsDetails},
};

/// Largest body, in bytes, that is read; AWS answers a larger one with 413 and an empty body.
pub const MAX_BODY: u64 = 10_000_000;

/// What hyper itself allows; asking for exactly this keeps its quicker, allocation-free path.
const HYPER_MAX_HEADERS: usize = 100;

/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 32;

/// Bytes that an HTTP/2 connection, and each of its streams, may send before they are read: what is
/// read is charged to the budget, what waits in a connection's buffers is not.
const WINDOW: u32 = 64 << 10;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A complete request, and what is known of who sent it.
#[derive(Debug)]
pub struct Request {
    /// Method, target, version, headers.
    pub parts: Parts,
    /// At most [`MAX_BODY`] bytes.
    pub body: Bytes,
    /// Its part of the memory for bodies; whoever keeps the body keeps this.
    pub share: Share,
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// The client, after trusted proxies: `aws:SourceIp`.
    pub source_ip: IpAddr,
    /// Whether every hop was encrypted: `aws:SecureTransport`.
    pub secure: bool,
    /// What this connection agreed on, when it is TLS itself.
    pub tls: Option<Arc<TlsDetails>>,
}

/// What goes back.
pub type Answer = Response<Full<Bytes>>;

/// Whatever answers requests.
pub trait Door: Send + Sync + 'static {
    /// Answers one request.
    fn answer(&self, request: Request) -> impl Future<Output = Answer> + Send;

    /// Answers a request that is refused before it was read whole; its body is empty.
    fn unread(&self, request: Request, status: StatusCode) -> impl Future<Output = Answer> + Send;
}

/// What the listener counts; a copy counts the same.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Connections that are open.
    pub connections: Gauge,
    /// Requests that were refused because others' bodies had taken all the memory for them.
    pub no_room: Counter,
}

/// How the listener ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every request under way was answered.
    Whole,
    /// The deadline passed; these connections were cut.
    Cut(usize),
}

/// A bound socket.
pub struct Listener {
    socket: TcpListener,
    settings: Listen,
    identity: Option<Arc<Identity>>,
    figures: Figures,
}

impl Listener {
    /// Binds the address of `settings`. With an `identity` it speaks TLS only.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn bind(settings: Listen, identity: Option<Arc<Identity>>) -> io::Result<Listener> {
        let socket = TcpListener::bind(settings.address).await?;
        Ok(Listener { socket, settings, identity, figures: Figures::default() })
    }

    /// The bound address, with the real port.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// What it counts, for the metrics.
    pub fn figures(&self) -> Figures {
        self.figures.clone()
    }

    /// Accepts until `stop` resolves, then drains.
    pub async fn serve<D: Door>(self, door: Arc<D>, stop: impl Future<Output = ()>) -> Drained {
        let Listener { socket, settings, identity, figures } = self;
        let Figures { connections, no_room } = figures;
        let drain = settings.drain;
        let slots = Arc::new(Semaphore::new(settings.max_connections));
        let graceful = GracefulShutdown::new();
        let protocol = protocol(&settings);
        let shared = Arc::new(Shared {
            door,
            proxies: TrustedProxies::new(settings.trusted_proxies.clone()),
            body_timeout: settings.body_timeout,
            budget: Budget::new(settings.body_memory, settings.body_patience, no_room),
            max_headers: settings.max_headers,
        });

        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = async {
                // The semaphore is never closed, so that this only waits.
                let slot = slots.clone().acquire_owned().await;
                (slot, socket.accept().await)
            };
            let (slot, accepted) = tokio::select! {
                () = &mut stop => break,
                pair = accepted => pair,
            };
            let (stream, peer) = match accepted {
                Ok(pair) => pair,
                Err(error) => {
                    // Out of file descriptors, or a client gone before it was accepted.
                    tracing::debug!(%error, "accept");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            };
            let connection = Connection {
                shared: Arc::clone(&shared),
                protocol: protocol.clone(),
                head_timeout: settings.header_timeout,
                identity: identity.clone(),
                peer,
                watcher: graceful.watcher(),
            };
            let open = connections.clone();
            open.inc();
            tokio::spawn(async move {
                connection.run(stream).await;
                open.dec();
                drop(slot);
            });
        }

        drop(socket);
        tracing::info!(connections = graceful.count(), "draining");
        let left = connections;
        match timeout(drain, graceful.shutdown()).await {
            Ok(()) => Drained::Whole,
            Err(_) => Drained::Cut(usize::try_from(left.get()).unwrap_or(0)),
        }
    }
}

fn protocol(settings: &Listen) -> auto::Builder<TokioExecutor> {
    let max_head = usize::try_from(settings.max_header_bytes).unwrap_or(usize::MAX);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    let mut http1 = builder.http1();
    http1
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_buf_size(max_head);
    if settings.max_headers != HYPER_MAX_HEADERS {
        http1.max_headers(settings.max_headers);
    }
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(settings.header_timeout)
        // Every stream may hold a body in memory before anybody is proven.
        .max_concurrent_streams(MAX_STREAMS)
        .initial_connection_window_size(WINDOW)
        .initial_stream_window_size(WINDOW)
        .max_header_list_size(u32::try_from(max_head).unwrap_or(u32::MAX));
    builder
}

/// What all connections have in common.
struct Shared<D> {
    door: Arc<D>,
    proxies: TrustedProxies,
    body_timeout: Duration,
    budget: Budget,
    max_headers: usize,
}

/// One accepted connection.
struct Connection<D> {
    shared: Arc<Shared<D>>,
    protocol: auto::Builder<TokioExecutor>,
    head_timeout: Duration,
    identity: Option<Arc<Identity>>,
    peer: SocketAddr,
    watcher: Watcher,
}

impl<D: Door> Connection<D> {
    async fn run(self, stream: TcpStream) {
        // Answers are small and complete: waiting to fill a segment only costs time.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let Some(identity) = &self.identity else { return self.speak(stream, None).await };
        match timeout(HANDSHAKE, identity.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => {
                let details = tls_details(stream.get_ref().1).map(Arc::new);
                self.speak(stream, details).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, peer = %self.peer, "TLS handshake"),
            Err(_) => tracing::debug!(peer = %self.peer, "TLS handshake took too long"),
        }
    }

    async fn speak<S>(self, stream: S, tls: Option<Arc<TlsDetails>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Connection { shared, protocol, head_timeout, peer, watcher, .. } = self;
        let asked = Arc::new(AtomicBool::new(false));
        let service = service_fn(|request| {
            asked.store(true, Ordering::Relaxed);
            let (shared, tls) = (Arc::clone(&shared), tls.clone());
            async move { Ok::<_, std::convert::Infallible>(shared.answer(request, peer, tls).await) }
        });
        let connection = protocol.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(watcher.watch(connection));
        // ATTACK: a client that sends nothing, or a few bytes of a protocol's preface, is under no
        // timer of hyper's yet and would hold its slot for ever
        // (test a_client_that_sends_no_request_loses_its_connection).
        let finished = tokio::select! {
            outcome = &mut connection => Some(outcome),
            () = tokio::time::sleep(head_timeout) => None,
        };
        let outcome = match finished {
            Some(outcome) => outcome,
            None if asked.load(Ordering::Relaxed) => connection.await,
            None => return,
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, %peer, "connection");
        }
    }
}

impl<D: Door> Shared<D> {
    async fn answer(
        &self,
        request: http::Request<Incoming>,
        peer: SocketAddr,
        tls: Option<Arc<TlsDetails>>,
    ) -> Answer {
        let (parts, incoming) = request.into_parts();
        let origin = self.proxies.origin(peer, tls.is_some(), &parts.headers);
        let (source_ip, secure) = (origin.address, origin.secure);
        let body = match parts.headers.len() > self.max_headers {
            true => Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            false => self.body(incoming).await,
        };
        match body {
            Ok((body, share)) => {
                let request = Request { parts, body, share, peer, source_ip, secure, tls };
                self.door.answer(request).await
            }
            Err(status) => {
                let (body, share) = (Bytes::new(), Share::default());
                let request = Request { parts, body, share, peer, source_ip, secure, tls };
                let mut answer = self.door.unread(request, status).await;
                // What follows on this connection cannot be told apart from the body that was not
                // read.
                let close = http::HeaderValue::from_static("close");
                answer.headers_mut().insert(http::header::CONNECTION, close);
                answer
            }
        }
    }

    async fn body(&self, incoming: Incoming) -> Result<(Bytes, Share), StatusCode> {
        let collected = body::collect(incoming, MAX_BODY, &self.budget);
        match timeout(self.body_timeout, collected).await {
            Ok(Ok(taken)) => Ok(taken),
            Ok(Err(body::Refused::TooLarge)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
            Ok(Err(body::Refused::Broken)) => Err(StatusCode::BAD_REQUEST),
            Ok(Err(body::Refused::NoRoom)) => Err(StatusCode::SERVICE_UNAVAILABLE),
            Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
        }
    }
}

fn tls_details(connection: &rustls::ServerConnection) -> Option<TlsDetails> {
    let version = match connection.protocol_version()? {
        rustls::ProtocolVersion::TLSv1_2 => "TLSv1.2",
        rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3",
        _ => return None,
    };
    let suite = connection.negotiated_cipher_suite()?.suite();
    // rustls spells TLS 1.3 suites TLS13_AES_…; CloudTrail, like the RFC, TLS_AES_….
    let cipher_suite = match suite.as_str()? {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    };
    Some(TlsDetails { version, cipher_suite })
}

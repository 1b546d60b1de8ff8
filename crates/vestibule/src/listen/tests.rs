use std::{future::Future, path::Path};

use http_body_util::BodyExt as _;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{Notify, oneshot},
    task::JoinHandle,
};

use super::*;

/// Says what it saw; holds requests to `/hold` until told.
#[derive(Default)]
struct Echo {
    arrived: Notify,
    go: Notify,
}

impl Door for Echo {
    async fn answer(&self, request: Request) -> Answer {
        if request.parts.uri.path() == "/hold" {
            self.arrived.notify_one();
            self.go.notified().await;
        }
        let tls = request.tls.map_or("plain", |tls| tls.version);
        let seen = format!(
            "{} {:?} {} bytes from {} secure={} {tls}",
            request.parts.method,
            request.parts.version,
            request.body.len(),
            request.source_ip,
            request.secure,
        );
        Response::new(Full::from(seen))
    }

    async fn unread(&self, _request: Request, status: StatusCode) -> Answer {
        let mut answer = Answer::default();
        *answer.status_mut() = status;
        answer
    }
}

struct Server {
    address: SocketAddr,
    door: Arc<Echo>,
    figures: Figures,
    stop: oneshot::Sender<()>,
    end: JoinHandle<Drained>,
}

fn settings() -> Listen {
    Listen { address: SocketAddr::from(([127, 0, 0, 1], 0)), ..Listen::default() }
}

async fn start(settings: Listen, identity: Option<Arc<Identity>>) -> Server {
    let listener = Listener::bind(settings, identity).await.unwrap();
    let address = listener.address().unwrap();
    let (door, figures) = (Arc::new(Echo::default()), listener.figures());
    let (stop, stopped) = oneshot::channel();
    let end = tokio::spawn(listener.serve(Arc::clone(&door), async move {
        let _ = stopped.await;
    }));
    Server { address, door, figures, stop, end }
}

/// Writes `bytes` and reads until the server closes.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn ask(extra: &str) -> String {
    format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{extra}\r\n")
}

#[tokio::test]
async fn plain_http_1_is_answered() {
    let server = start(settings(), None).await;
    let answer = exchange(
        server.address,
        b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.ends_with("POST HTTP/1.1 5 bytes from 127.0.0.1 secure=false plain"),
        "{answer}"
    );
}

#[tokio::test]
async fn forwarding_headers_count_from_a_trusted_peer_only() {
    let forwarded = ask("x-forwarded-for: 203.0.113.7\r\nx-forwarded-proto: https\r\n");
    let trusting = Listen { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..settings() };
    let server = start(trusting, None).await;
    let answer = exchange(server.address, forwarded.as_bytes()).await;
    assert!(answer.ends_with("from 203.0.113.7 secure=true plain"), "{answer}");

    let server = start(settings(), None).await;
    let answer = exchange(server.address, forwarded.as_bytes()).await;
    assert!(answer.ends_with("from 127.0.0.1 secure=false plain"), "{answer}");
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken_and_one_byte_more_is_not() {
    let server = start(settings(), None).await;
    for (size, wanted) in [(10_000_000, "HTTP/1.1 200"), (10_000_001, "HTTP/1.1 413")] {
        let mut sent = format!(
            "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n"
        )
        .into_bytes();
        sent.resize(sent.len() + size, b'a');
        let answer = exchange(server.address, &sent).await;
        assert!(answer.starts_with(wanted), "{size}: {answer}");
        let whole = answer.ends_with(&format!("{size} bytes from 127.0.0.1 secure=false plain"));
        assert_eq!(whole, wanted.ends_with("200"), "{answer}");
        assert_eq!(answer.ends_with("\r\n\r\n"), wanted.ends_with("413"), "empty body: {answer}");
    }
}

#[tokio::test]
async fn an_announced_flood_is_refused_without_reading_it() {
    let server = start(settings(), None).await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n";
    let answer = exchange(server.address, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_chunked_body_has_the_same_limit() {
    let server = start(settings(), None).await;
    let mut sent =
        b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec();
    for _ in 0..11 {
        sent.extend_from_slice(b"F4240\r\n"); // a million
        sent.resize(sent.len() + 1_000_000, b'a');
        sent.extend_from_slice(b"\r\n");
    }
    sent.extend_from_slice(b"0\r\n\r\n");
    let answer = exchange(server.address, &sent).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn heads_have_a_number_and_a_size() {
    let server = start(Listen { max_headers: 10, ..settings() }, None).await;
    let few: String = (0..8).map(|i| format!("h{i}: x\r\n")).collect();
    let many: String = (0..9).map(|i| format!("h{i}: x\r\n")).collect();
    assert!(exchange(server.address, ask(&few).as_bytes()).await.starts_with("HTTP/1.1 200"));
    assert!(exchange(server.address, ask(&many).as_bytes()).await.starts_with("HTTP/1.1 431"));

    let server = start(Listen { max_header_bytes: 8 << 10, ..settings() }, None).await;
    let large = ask(&format!("h: {}\r\n", "x".repeat(9 << 10)));
    assert!(exchange(server.address, large.as_bytes()).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn a_client_that_sends_no_request_loses_its_connection() {
    let hasty = Listen { header_timeout: Duration::from_millis(50), ..settings() };
    let server = start(hasty, None).await;
    // Nothing at all, and the beginning of HTTP/2's preface, and half a head.
    assert_eq!(exchange(server.address, b"").await, "");
    assert_eq!(exchange(server.address, b"PRI * HTT").await, "");
    let half = exchange(server.address, b"GET / HTTP/1.1\r\nhost: x\r\n").await;
    assert!(half.is_empty() || half.starts_with("HTTP/1.1 408"), "{half}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let hasty = Listen { body_timeout: Duration::from_millis(50), ..settings() };
    let server = start(hasty, None).await;
    let head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhe";
    assert!(exchange(server.address, head).await.starts_with("HTTP/1.1 408"));
}

/// The head of a request with a body, and the body.
fn post(path: &str, size: usize) -> (Vec<u8>, Vec<u8>) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n"
    );
    (head.into_bytes(), vec![b'a'; size])
}

/// A listener whose bodies may take 64 KiB together.
async fn narrow(patience: Duration) -> Server {
    start(Listen { body_memory: 64 << 10, body_patience: patience, ..settings() }, None).await
}

#[tokio::test]
async fn bodies_share_one_memory_and_give_it_back_with_the_answer() {
    let server = narrow(Duration::from_millis(1)).await;
    let (address, door) = (server.address, Arc::clone(&server.door));
    let send = |path: &str, size| {
        let (head, body) = post(path, size);
        async move { exchange(address, &[head, body].concat()).await }
    };
    for _ in 0..3 {
        assert!(send("/", 64 << 10).await.starts_with("HTTP/1.1 200"));
    }
    assert!(send("/", (64 << 10) + 1).await.starts_with("HTTP/1.1 503"), "it never fits");

    let held = tokio::spawn(send("/hold", 40 << 10));
    door.arrived.notified().await;
    assert!(send("/", 40 << 10).await.starts_with("HTTP/1.1 503"));
    assert!(send("/", 20 << 10).await.starts_with("HTTP/1.1 200"), "what is left serves others");
    assert_eq!(server.figures.no_room.get(), 2);
    door.go.notify_one();
    assert!(held.await.unwrap().starts_with("HTTP/1.1 200"));
    assert!(send("/", 64 << 10).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_hangs_up_gives_its_memory_back() {
    let server = narrow(Duration::from_secs(3600)).await;
    let whole = post("/", 64 << 10);
    let half = [&whole.0[..], &whole.1[..60 << 10]].concat();
    let held = post("/hold", 60 << 10).0;
    for (sent, arrives) in [(half, false), ([&held[..], &vec![b'a'; 60 << 10]].concat(), true)] {
        let mut gone = TcpStream::connect(server.address).await.unwrap();
        gone.write_all(&sent).await.unwrap();
        if arrives {
            server.door.arrived.notified().await;
        }
        drop(gone);
        // It waits for as long as the other has its part, and no longer.
        let answer = exchange(server.address, &[&whole.0[..], &whole.1[..]].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert_eq!(server.figures.no_room.get(), 0);
}

#[tokio::test]
async fn an_announcement_takes_no_memory() {
    let server = narrow(Duration::from_millis(1)).await;
    let mut announced = TcpStream::connect(server.address).await.unwrap();
    announced.write_all(&post("/", 64 << 10).0).await.unwrap();
    let (head, body) = post("/", 64 << 10);
    let answer = exchange(server.address, &[head, body].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_drain_answers_what_is_under_way_and_accepts_nothing_new() {
    let server = start(settings(), None).await;
    let address = server.address;
    let under_way =
        tokio::spawn(
            async move { exchange(address, b"GET /hold HTTP/1.1\r\nhost: x\r\n\r\n").await },
        );
    server.door.arrived.notified().await;
    server.stop.send(()).unwrap();
    // The socket is closed before the drain begins; until then connecting may still succeed.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.end.is_finished());
    server.door.go.notify_one();
    let answer = under_way.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.end.await.unwrap(), Drained::Whole);
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline() {
    let short = Listen { drain: Duration::from_millis(50), ..settings() };
    let server = start(short, None).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /hold HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    server.door.arrived.notified().await;
    server.stop.send(()).unwrap();
    assert_eq!(server.end.await.unwrap(), Drained::Cut(1));
}

#[tokio::test]
async fn connections_past_the_limit_wait_for_a_free_slot() {
    let narrow = Listen { max_connections: 1, ..settings() };
    let server = start(narrow, None).await;
    let mut held = TcpStream::connect(server.address).await.unwrap();
    held.write_all(b"GET /hold HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    server.door.arrived.notified().await;
    let address = server.address;
    let waiting = tokio::spawn(async move { exchange(address, ask("").as_bytes()).await });
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    server.door.go.notify_one();
    assert!(waiting.await.unwrap().starts_with("HTTP/1.1 200"));
}

// TLS --------------------------------------------------------------------------------------------

fn now() -> jiff::Timestamp {
    crate::clock::Clock::system().now()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn tls_client(
    address: SocketAddr,
    authority: &Path,
    alpn: &str,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await?;
    tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("vestibule.test").unwrap(), stream)
        .await
}

async fn spoken<B, F>(request: F) -> String
where
    F: Future<Output = hyper::Result<Response<B>>>,
    B: hyper::body::Body<Data = Bytes, Error = hyper::Error>,
{
    let body = request.await.unwrap().into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn tls_speaks_http_1_and_2_under_a_generated_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let files = tls::development(folder.path(), &names(&["vestibule.test"]), now()).unwrap();
    let server = start(settings(), Some(Arc::new(Identity::load(files).unwrap()))).await;
    let authority = folder.path().join("ca.pem");
    let request =
        || http::Request::get("https://vestibule.test/").body(Full::<Bytes>::default()).unwrap();

    let stream = tls_client(server.address, &authority, "http/1.1").await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let seen = spoken(sender.send_request(request())).await;
    assert_eq!(seen, "GET HTTP/1.1 0 bytes from 127.0.0.1 secure=true TLSv1.3");

    let stream = tls_client(server.address, &authority, "h2").await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let seen = spoken(sender.send_request(request())).await;
    assert_eq!(seen, "GET HTTP/2.0 0 bytes from 127.0.0.1 secure=true TLSv1.3");
}

#[tokio::test]
async fn a_tls_listener_does_not_speak_plain_http() {
    let folder = tempfile::tempdir().unwrap();
    let files = tls::development(folder.path(), &names(&["vestibule.test"]), now()).unwrap();
    let server = start(settings(), Some(Arc::new(Identity::load(files).unwrap()))).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(ask("").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_reload_takes_the_new_certificate_and_a_broken_one_is_not_taken() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let wanted = names(&["vestibule.test"]);
    let files = tls::development(old.path(), &wanted, now()).unwrap();
    let old_authority = old.path().join("ca.pem");
    let renewed = tls::development(new.path(), &wanted, now()).unwrap();
    let new_authority = new.path().join("ca.pem");
    let identity = Arc::new(Identity::load(files.clone()).unwrap());
    let server = start(settings(), Some(Arc::clone(&identity))).await;
    assert!(tls_client(server.address, &old_authority, "h2").await.is_ok());

    // Half-way through a renewal: the new certificate beside the old key.
    std::fs::copy(&renewed.certificate, &files.certificate).unwrap();
    let refused = identity.reload().unwrap_err().to_string();
    assert!(refused.contains("server.pem"), "{refused}");
    assert!(tls_client(server.address, &old_authority, "h2").await.is_ok());

    std::fs::copy(&renewed.key, &files.key).unwrap();
    identity.reload().unwrap();
    assert!(tls_client(server.address, &new_authority, "h2").await.is_ok());
    assert!(tls_client(server.address, &old_authority, "h2").await.is_err());
}

#[test]
fn a_development_certificate_is_kept_until_it_no_longer_serves() {
    let folder = tempfile::tempdir().unwrap();
    let made = |wanted: &[&str], at: jiff::Timestamp| {
        let files = tls::development(folder.path(), &names(wanted), at).unwrap();
        std::fs::read(files.certificate).unwrap()
    };
    let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let days = |days: i64| start + jiff::SignedDuration::from_hours(24 * days);
    let first = made(&["localhost"], start);
    assert!(made(&["localhost"], days(300)) == first);
    assert!(made(&["localhost"], days(390)) != first, "about to expire");
    let second = made(&["localhost"], start);
    assert!(made(&["other.test"], start) != second, "other names");
    assert!(tls::development(folder.path(), &names(&["ö b"]), start).is_err());
}

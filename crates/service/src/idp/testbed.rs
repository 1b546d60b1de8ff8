//! What the tests of this module share: certificate chains, a real TLS server on a free port, a
//! name server under the test's control, and a clock.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs::{default_provider, sign::any_supported_type},
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;

use super::{
    Clock, ProviderSettings,
    fetch::Fetcher,
    network::{NetworkPolicy, Resolver, Resolving},
};

/// The host name that the test servers' certificates are for.
pub const HOST: &str = "idp.example";

/// 2026-01-01T00:00:00Z; certificates are valid from 2025 to 2030 unless they say otherwise.
pub const NOW: u64 = 1_767_225_600_000;

/// A clock that the test sets.
pub fn clock() -> (Arc<AtomicU64>, Clock) {
    let time = Arc::new(AtomicU64::new(NOW));
    let read = Arc::clone(&time);
    (time, Arc::new(move || read.load(SeqCst)))
}

/// A root and an intermediate under it.
pub struct Authority {
    pub root: CertifiedIssuer<'static, KeyPair>,
    pub intermediate: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let root = CertifiedIssuer::self_signed(ca_params(&format!("{name} root")), key()).unwrap();
        let params = ca_params(&format!("{name} intermediate"));
        let intermediate = CertifiedIssuer::signed_by(params, key(), &root).unwrap();
        Self { root, intermediate }
    }

    /// Leaf and intermediate, as most servers send them.
    pub fn chain(&self, host: &str) -> Chain {
        self.chain_of(params(host))
    }

    pub fn chain_of(&self, params: CertificateParams) -> Chain {
        let leaf = issue(params, &self.intermediate);
        leaf.and(self.intermediate.der())
    }

    /// A store with this root in it.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.der().clone()).unwrap();
        roots
    }
}

/// What a server shows and the key it proves it with.
#[derive(Debug)]
pub struct Chain {
    pub certificates: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl Chain {
    /// The chain with one more certificate sent after the others.
    pub fn and(mut self, certificate: &CertificateDer<'static>) -> Self {
        self.certificates.push(certificate.clone());
        self
    }

    pub fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }
}

pub fn params(host: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2030, 1, 1);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

pub fn ca_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2030, 1, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

pub fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

/// A server certificate alone.
pub fn issue(params: CertificateParams, issuer: &Issuer<'_, KeyPair>) -> Chain {
    let key = key();
    let leaf = params.signed_by(&key, issuer).unwrap();
    Chain { certificates: vec![leaf.der().clone()], key: private(&key) }
}

pub fn self_signed(params: &CertificateParams) -> Chain {
    let key = key();
    let leaf = params.self_signed(&key).unwrap();
    Chain { certificates: vec![leaf.der().clone()], key: private(&key) }
}

pub fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(key.serialize_der().into())
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Answer {
    Body(u16, Vec<(&'static str, String)>, Bytes),
    /// In pieces, without a declared length.
    Chunked(Vec<Bytes>),
    /// Never.
    Hang,
}

impl Answer {
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::Body(200, Vec::new(), body.into())
    }
}

type Answers = Arc<dyn Fn(&str) -> Answer + Send + Sync>;

/// A server; it ends when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub requests: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub async fn https(
        chain: &Chain,
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let provider = Arc::new(default_provider());
        let key = any_supported_type(&chain.key()).unwrap();
        // Not checked on purpose: one test proves itself with a key that is not the certificate's.
        let certified = CertifiedKey::new(chain.certificates.clone(), key);
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        Self::start(Some(TlsAcceptor::from(Arc::new(config))), Arc::new(answer)).await
    }

    pub async fn http(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(None, Arc::new(answer)).await
    }

    async fn start(tls: Option<TlsAcceptor>, answers: Answers) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, answers) = (tls.clone(), Arc::clone(&answers));
                let counted = Arc::clone(&counted);
                connections.spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        counted.fetch_add(1, SeqCst);
                        respond(answers(request.uri().path()))
                    });
                    match tls {
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            let io = TokioIo::new(stream);
                            let _ = http1::Builder::new().serve_connection(io, service).await;
                        }
                        None => {
                            let io = TokioIo::new(stream);
                            let _ = http1::Builder::new().serve_connection(io, service).await;
                        }
                    }
                });
            }
        });
        Self { address, requests, _tasks: tasks }
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://{HOST}:{}{path}", self.address.port())
    }

    pub fn requests(&self) -> usize {
        self.requests.load(SeqCst)
    }

    /// Settings under which this server may be reached: its address and its port, nothing else.
    pub fn settings(&self) -> ProviderSettings {
        ProviderSettings {
            network: NetworkPolicy {
                allow: vec!["127.0.0.1/32".parse().unwrap()],
                ports: vec![self.address.port()],
            },
            ..ProviderSettings::default()
        }
    }
}

async fn respond(
    answer: Answer,
) -> Result<Response<http_body_util::Either<Full<Bytes>, Pieces>>, Infallible> {
    use http_body_util::Either;
    Ok(match answer {
        Answer::Body(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Either::Left(Full::new(body))).unwrap()
        }
        Answer::Chunked(pieces) => Response::new(Either::Right(Pieces(pieces.into_iter()))),
        Answer::Hang => std::future::pending().await,
    })
}

/// A body of unknown length.
pub struct Pieces(std::vec::IntoIter<Bytes>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(self.0.next().map(|piece| Ok(hyper::body::Frame::data(piece))))
    }
}

/// A name server: every name has a list of answers, the last of which is repeated.
#[derive(Default)]
pub struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    pub asked: AtomicUsize,
}

impl Names {
    /// `HOST` and its namesakes are this machine.
    pub fn loopback() -> Arc<Self> {
        let names = Arc::new(Self::default());
        names.set(HOST, &[&["127.0.0.1"]]);
        names
    }

    pub fn set(&self, host: &str, answers: &[&[&str]]) {
        let read = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        let answers = answers.iter().map(read).collect();
        self.answers.lock().unwrap().insert(host.to_owned(), answers);
    }
}

impl Resolver for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        self.asked.fetch_add(1, SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.get_mut(host).map(|answers| match answers.len() {
            1 => answers[0].clone(),
            _ => answers.remove(0),
        });
        Box::pin(async move { answer.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound)) })
    }
}

/// A fetcher that trusts `public` as the public root and asks `names`.
pub fn fetcher(public: &Authority, names: Arc<Names>, clock: Clock) -> Fetcher {
    Fetcher {
        resolver: names,
        public_roots: Arc::new(public.roots()),
        ..Fetcher::new(NetworkPolicy::default(), clock)
    }
}

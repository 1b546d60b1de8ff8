use std::sync::atomic::Ordering::SeqCst;

use super::*;
use crate::idp::{
    network::Range,
    testbed::{Answer, Authority, HOST, Names, Server, clock, fetcher},
};

const BODY: &str = r#"{"keys":[]}"#;

/// A trusted server that answers everything alike, and a fetcher that can reach it.
struct Bed {
    server: Server,
    fetcher: Fetcher,
    names: Arc<Names>,
    settings: ProviderSettings,
}

impl Bed {
    async fn new(answer: Answer) -> Self {
        let authority = Authority::new("public");
        let server = Server::https(&authority.chain(HOST), move |_| answer.clone()).await;
        let names = Names::loopback();
        let fetcher = fetcher(&authority, Arc::clone(&names), clock().1);
        let settings = server.settings();
        Self { server, fetcher, names, settings }
    }

    async fn get(&self) -> Result<Fetched, FetchError> {
        let url = self.server.url("/keys");
        self.fetcher.get(&url, &self.settings, Pins::Registered(&[])).await
    }
}

#[tokio::test]
async fn a_document_comes_with_what_vouched_for_it() {
    let bed = Bed::new(Answer::ok(BODY)).await;
    let fetched = bed.get().await.unwrap();
    assert_eq!(fetched.body, BODY);
    assert_eq!(fetched.verified_by, Some(VerifiedBy::IamTrustStore));
    assert!(fetched.thumbprint.is_some());
    assert_eq!(fetched.max_age, None);
}

#[tokio::test]
async fn a_thumbprint_decides_over_a_real_handshake() {
    let authority = Authority::new("private");
    let server = Server::https(&authority.chain(HOST), |_| Answer::ok(BODY)).await;
    let fetcher = fetcher(&Authority::new("public"), Names::loopback(), clock().1);
    let (url, settings) = (server.url("/"), server.settings());
    let right = [Thumbprint::of(authority.intermediate.der())];
    let wrong = [Thumbprint::of(b"another")];

    let fetched = fetcher.get(&url, &settings, Pins::Registered(&right)).await.unwrap();
    assert_eq!(fetched.verified_by, Some(VerifiedBy::Thumbprint));
    let [sent] = right;
    let refused = fetcher.get(&url, &settings, Pins::Registered(&wrong)).await.unwrap_err();
    assert_eq!(refused, FetchError::Tls(TlsFailure::ThumbprintMismatch { sent }));
    let refused = fetcher.get(&url, &settings, Pins::Registered(&[])).await.unwrap_err();
    assert_eq!(refused, FetchError::Tls(TlsFailure::UntrustedIssuer { sent }));
    assert_eq!(server.requests(), 1, "nothing is sent to a server that is not trusted");

    let ca_pem = Some(authority.root.pem().into());
    let settings = ProviderSettings { ca_pem, ..settings };
    let fetched = fetcher.get(&url, &settings, Pins::Registered(&wrong)).await.unwrap();
    assert_eq!(fetched.verified_by, Some(VerifiedBy::PrivateCa));

    let settings = ProviderSettings { ca_pem: Some("nothing".into()), ..settings };
    let refused = fetcher.get(&url, &settings, Pins::Registered(&right)).await.unwrap_err();
    assert_eq!(refused, FetchError::Tls(TlsFailure::BadCaBundle));
}

#[tokio::test]
async fn the_right_chain_without_its_key_is_refused() {
    let authority = Authority::new("public");
    let mut chain = authority.chain(HOST);
    let fetcher = fetcher(&authority, Names::loopback(), clock().1);
    let honest = Server::https(&chain, |_| Answer::ok(BODY)).await;
    let get = |server: &Server| {
        let (url, settings) = (server.url("/"), server.settings());
        let fetcher = &fetcher;
        async move { fetcher.get(&url, &settings, Pins::Registered(&[])).await }
    };
    assert!(get(&honest).await.is_ok());
    chain.key = authority.chain(HOST).key;
    let thief = Server::https(&chain, |_| Answer::ok(BODY)).await;
    let refused = get(&thief).await.unwrap_err();
    assert!(matches!(refused, FetchError::Tls(TlsFailure::Handshake(_))), "{refused:?}");
}

#[tokio::test]
async fn the_vetted_address_is_the_one_connected_to() {
    // The second answer of the name server is not asked for: it would lead elsewhere.
    let bed = Bed::new(Answer::ok(BODY)).await;
    bed.names.set(HOST, &[&["127.0.0.1"], &["169.254.169.254"]]);
    assert!(bed.get().await.is_ok());
    assert_eq!(bed.names.asked.load(SeqCst), 1);
    let refused = bed.get().await.unwrap_err();
    let address = "169.254.169.254".parse().unwrap();
    let range = Range::Metadata;
    assert_eq!(refused, FetchError::Refused(Refusal::Address { address, range }));
    assert_eq!(bed.server.requests(), 1);
}

#[tokio::test]
async fn a_name_for_an_inner_address_is_refused() {
    let mut bed = Bed::new(Answer::ok(BODY)).await;
    bed.settings.network.allow.clear();
    let refused = bed.get().await.unwrap_err();
    let address = "127.0.0.1".parse().unwrap();
    let range = Range::Loopback;
    assert_eq!(refused, FetchError::Refused(Refusal::Address { address, range }));
    assert_eq!(bed.server.requests(), 0);
    // The installation's policy permits as well as the provider's own.
    bed.fetcher.network.allow.push(HOST.parse().unwrap());
    assert!(bed.get().await.is_ok());
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_is_silent() {
    let mut bed = Bed::new(Answer::ok(BODY)).await;
    bed.settings.network.allow.push("127.0.0.2".parse().unwrap());
    bed.names.set(HOST, &[&["127.0.0.2", "127.0.0.1"]]);
    assert!(bed.get().await.is_ok());
}

#[tokio::test]
async fn plain_http_needs_the_mark() {
    let server = Server::http(|_| Answer::ok(BODY)).await;
    let fetcher = fetcher(&Authority::new("public"), Names::loopback(), clock().1);
    let url = format!("http://127.0.0.1:{}/", server.address.port());
    let marked = ProviderSettings { allow_http_loopback: true, ..ProviderSettings::default() };
    let fetched = fetcher.get(&url, &marked, Pins::Registered(&[])).await.unwrap();
    assert_eq!((fetched.verified_by, fetched.thumbprint), (None, None));
    let refused = fetcher.get(&url, &server.settings(), Pins::Registered(&[])).await.unwrap_err();
    assert_eq!(refused, FetchError::Refused(Refusal::Scheme));
}

#[tokio::test]
async fn only_status_200_is_taken_and_redirects_are_not_followed() {
    for status in [201, 204, 301, 302, 307, 308, 401, 404, 500, 503] {
        let location = vec![("location", format!("https://{HOST}/elsewhere"))];
        let bed = Bed::new(Answer::Body(status, location, BODY.into())).await;
        assert_eq!(bed.get().await.unwrap_err(), FetchError::Status(status));
        assert_eq!(bed.server.requests(), 1);
    }
}

#[tokio::test]
async fn a_body_is_read_up_to_the_limit() {
    let limit = Limits::default().body;
    let half = Bytes::from(vec![b' '; limit / 2]);
    let whole = [half.clone(), half.clone()];
    let more = [half.clone(), half, Bytes::from_static(b" ")];
    for (answer, fits) in [
        (Answer::ok(whole.concat()), true),
        (Answer::Chunked(whole.to_vec()), true),
        (Answer::ok(more.concat()), false),
        (Answer::Chunked(more.to_vec()), false),
    ] {
        match Bed::new(answer).await.get().await {
            Ok(fetched) => assert!(fits && fetched.body.len() == limit),
            Err(error) => assert!(!fits && error == FetchError::TooLarge(limit), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    let encoded = |how: &str| vec![("content-encoding", how.to_owned())];
    let bed = Bed::new(Answer::Body(200, encoded("gzip"), BODY.into())).await;
    assert_eq!(bed.get().await.unwrap_err(), FetchError::Encoded);
    let bed = Bed::new(Answer::Body(200, encoded("identity"), BODY.into())).await;
    assert!(bed.get().await.is_ok());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let mut bed = Bed::new(Answer::Hang).await;
    bed.fetcher.limits.total = Duration::from_millis(200);
    assert_eq!(bed.get().await.unwrap_err(), FetchError::Timeout(Stage::Total));
}

#[tokio::test]
async fn a_server_that_does_not_shake_hands_is_given_up() {
    let mut bed = Bed::new(Answer::ok(BODY)).await;
    bed.fetcher.limits.connect = Duration::from_millis(100);
    // A socket that listens and never accepts: the kernel connects, and nobody speaks.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = mute.local_addr().unwrap().port();
    bed.settings.network.ports.push(port);
    let url = format!("https://{HOST}:{port}/");
    let given_up = bed.fetcher.get(&url, &bed.settings, Pins::Registered(&[])).await.unwrap_err();
    assert_eq!(given_up, FetchError::Timeout(Stage::Connect));
    assert!(bed.get().await.is_ok());
}

#[tokio::test]
async fn unknown_names_and_closed_ports_are_told_apart() {
    let bed = Bed::new(Answer::ok(BODY)).await;
    let port = bed.server.address.port();
    let pins = Pins::Registered(&[]);
    let url = format!("https://nowhere.example:{port}/");
    assert_eq!(bed.fetcher.get(&url, &bed.settings, pins).await.unwrap_err(), FetchError::Dns);
    bed.names.set("empty.example", &[&[]]);
    let url = format!("https://empty.example:{port}/");
    assert_eq!(bed.fetcher.get(&url, &bed.settings, pins).await.unwrap_err(), FetchError::Dns);
    let url = bed.server.url("/");
    drop(bed.server);
    // The listener's task ends at the next turn of the runtime.
    tokio::task::yield_now().await;
    let closed = bed.fetcher.get(&url, &bed.settings, pins).await.unwrap_err();
    assert_eq!(closed, FetchError::Connect(io::ErrorKind::ConnectionRefused));
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_not_distrusted_but_unusable() {
    let server = Server::http(|_| Answer::ok(BODY)).await;
    let fetcher = fetcher(&Authority::new("public"), Names::loopback(), clock().1);
    let settings = server.settings();
    let outcome = fetcher.get(&server.url("/"), &settings, Pins::Registered(&[])).await;
    let FetchError::Tls(failure) = outcome.unwrap_err() else { panic!("not TLS") };
    assert!(matches!(failure, TlsFailure::Handshake(_)) && !failure.is_distrust(), "{failure}");
}

#[test]
fn freshness_is_read_from_the_answer() {
    for (headers, seconds) in [
        (vec![], None),
        (vec![("cache-control", "max-age=600")], Some(600)),
        (vec![("cache-control", "public, Max-Age=600, must-revalidate")], Some(600)),
        (vec![("cache-control", "max-age=\"600\"")], Some(600)),
        (vec![("cache-control", "max-age=600"), ("age", "100")], Some(500)),
        (vec![("cache-control", "max-age=600"), ("age", "700")], Some(0)),
        (vec![("cache-control", "max-age=600, no-cache")], Some(0)),
        (vec![("cache-control", "no-store")], Some(0)),
        (vec![("cache-control", "max-age=soon")], None),
        (vec![("cache-control", "s-maxage=600")], None),
        (vec![("age", "100")], None),
    ] {
        let mut map = HeaderMap::new();
        for (name, value) in &headers {
            map.append(*name, value.parse().unwrap());
        }
        assert_eq!(max_age(&map), seconds.map(Duration::from_secs), "{headers:?}");
    }
}

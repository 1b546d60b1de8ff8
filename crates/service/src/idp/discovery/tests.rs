use std::sync::Arc;

use super::*;
use crate::idp::{
    fetch::FetchError,
    testbed::{Answer, Authority, HOST, Names, Server, clock, fetcher},
};

const KEYS_HOST: &str = "keys.example";

fn discovery_document(issuer: &str, jwks_uri: &str) -> Answer {
    Answer::ok(format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks_uri}"}}"#))
}

/// An issuer's server and a server of its keys, under two authorities.
struct Bed {
    issuer: Issuer,
    fetcher: Fetcher,
    settings: ProviderSettings,
    names: Arc<Names>,
    _servers: [Server; 2],
}

impl Bed {
    async fn new(public: &Authority, issuers: &Authority, keys: &Authority) -> Self {
        let keys = Server::https(&keys.chain(KEYS_HOST), |_| Answer::ok("{}")).await;
        let jwks_uri = format!("https://{KEYS_HOST}:{}/keys", keys.address.port());
        let port = Arc::new(std::sync::OnceLock::new());
        let known = Arc::clone(&port);
        let server = Server::https(&issuers.chain(HOST), move |_| {
            discovery_document(&format!("https://{HOST}:{}", known.get().unwrap()), &jwks_uri)
        })
        .await;
        port.set(server.address.port()).unwrap();
        let names = Names::loopback();
        names.set(KEYS_HOST, &[&["127.0.0.1"]]);
        let mut settings = server.settings();
        settings.network.ports.push(keys.address.port());
        Self {
            issuer: Issuer::from_url(server.url("")),
            fetcher: fetcher(public, Arc::clone(&names), clock().1),
            settings,
            names,
            _servers: [server, keys],
        }
    }

    async fn thumbprints(&self) -> Result<Vec<Thumbprint>, IdpError> {
        thumbprints(&self.fetcher, &self.issuer, &self.settings).await
    }
}

fn print(authority: &Authority) -> Thumbprint {
    Thumbprint::of(authority.intermediate.der())
}

#[tokio::test]
async fn the_thumbprint_is_of_the_server_of_the_keys() {
    let (public, private) = (Authority::new("public"), Authority::new("private"));
    let found = Bed::new(&public, &public, &public).await.thumbprints().await.unwrap();
    assert_eq!(found, [print(&public)]);
    let found = Bed::new(&public, &public, &private).await.thumbprints().await.unwrap();
    assert_eq!(found, [print(&private)]);
}

#[tokio::test]
async fn an_unknown_authority_of_the_issuers_server_is_stored_too() {
    let (public, private) = (Authority::new("public"), Authority::new("private"));
    let other = Authority::new("other");
    let found = Bed::new(&public, &private, &other).await.thumbprints().await.unwrap();
    assert_eq!(found, [print(&other), print(&private)]);
    let found = Bed::new(&public, &private, &private).await.thumbprints().await.unwrap();
    assert_eq!(found, [print(&private)]);
}

#[tokio::test]
async fn what_was_stored_is_what_is_accepted_later() {
    let (public, private) = (Authority::new("public"), Authority::new("private"));
    let bed = Bed::new(&public, &private, &Authority::new("other")).await;
    let found = bed.thumbprints().await.unwrap();
    let pinned = discover(&bed.fetcher, &bed.issuer, &bed.settings, Pins::Registered(&found)).await;
    assert!(pinned.is_ok());
    let unpinned = discover(&bed.fetcher, &bed.issuer, &bed.settings, Pins::Registered(&[])).await;
    assert!(matches!(unpinned.unwrap_err(), IdpError::Certificate { .. }));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_has_no_thumbprint() {
    let public = Authority::new("public");
    let bed = Bed::new(&public, &public, &public).await;
    bed.names.set(KEYS_HOST, &[&["10.0.0.1"]]);
    let refused = bed.thumbprints().await.unwrap_err();
    assert!(
        matches!(
            refused,
            IdpError::Unreachable { document: Document::Keys, cause: FetchError::Refused(_) }
        ),
        "{refused}"
    );
}

#[tokio::test]
async fn a_providers_words_in_a_reason_are_clipped() {
    let public = Authority::new("public");
    let server =
        Server::https(&public.chain(HOST), |_| discovery_document(&"x".repeat(9000), "y")).await;
    let fetcher = fetcher(&public, Names::loopback(), clock().1);
    let issuer = Issuer::from_url(server.url(""));
    let refused = thumbprints(&fetcher, &issuer, &server.settings()).await.unwrap_err();
    let IdpError::BadDocument { document: Document::Discovery, reason } = refused else {
        panic!("{refused}")
    };
    assert_eq!(reason.chars().count(), 300);
}

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use claims::oidc::Issuer;
use policy::{AccountId, Arn};

use super::*;
use crate::idp::{
    network::Refusal,
    testbed::{Answer, Authority, HOST, Names, Server, clock, fetcher},
    tls::{Thumbprint, TlsFailure},
};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// What the provider says at the moment.
struct Idp {
    issuer: Mutex<String>,
    jwks_uri: Mutex<String>,
    kids: Mutex<Vec<String>>,
    max_age: Mutex<Option<u64>>,
    down: AtomicBool,
    jwks_fetches: AtomicUsize,
}

impl Idp {
    fn answer(&self, path: &str) -> Answer {
        if self.down.load(SeqCst) {
            return Answer::Body(503, Vec::new(), "".into());
        }
        if path == "/.well-known/openid-configuration" {
            let (issuer, jwks_uri) = (self.issuer.lock().unwrap(), self.jwks_uri.lock().unwrap());
            let document = serde_json::json!({ "issuer": *issuer, "jwks_uri": *jwks_uri });
            return Answer::ok(document.to_string());
        }
        self.jwks_fetches.fetch_add(1, SeqCst);
        let key = |kid: &String| serde_json::json!({ "kty": "RSA", "kid": kid });
        let keys: Vec<_> = self.kids.lock().unwrap().iter().map(key).collect();
        let body = serde_json::json!({ "keys": keys }).to_string();
        let max_age = self.max_age.lock().unwrap();
        let headers = max_age.map(|age| ("cache-control", format!("max-age={age}")));
        Answer::Body(200, headers.into_iter().collect(), body.into())
    }
}

struct Bed {
    idp: Arc<Idp>,
    server: Server,
    names: Arc<Names>,
    time: Arc<AtomicU64>,
    keys: Keys,
    provider: Provider,
}

impl Bed {
    async fn new() -> Self {
        Self::with(1024).await
    }

    async fn with(capacity: usize) -> Self {
        let authority = Authority::new("public");
        let idp = Arc::new(Idp {
            issuer: Mutex::default(),
            jwks_uri: Mutex::default(),
            kids: Mutex::new(vec!["one".into()]),
            max_age: Mutex::default(),
            down: AtomicBool::new(false),
            jwks_fetches: AtomicUsize::new(0),
        });
        let answering = Arc::clone(&idp);
        let server =
            Server::https(&authority.chain(HOST), move |path| answering.answer(path)).await;
        *idp.issuer.lock().unwrap() = server.url("");
        *idp.jwks_uri.lock().unwrap() = server.url("/keys");
        let (names, (time, clock)) = (Names::loopback(), clock());
        let keys = Keys::new(fetcher(&authority, Arc::clone(&names), clock), capacity);
        let provider = Provider {
            key: key("111122223333", 1),
            issuer: Arc::new(Issuer::from_url(server.url(""))),
            thumbprints: Arc::new([]),
            settings: Arc::new(server.settings()),
        };
        Self { idp, server, names, time, keys, provider }
    }

    async fn find(&self, kid: &str) -> Result<Arc<Held>, IdpError> {
        self.keys.find(&self.provider, Some(kid)).await
    }

    /// Whether the keys that come back hold `kid`.
    async fn has(&self, kid: &str) -> bool {
        self.find(kid).await.unwrap().keys.knows(kid)
    }

    fn set(&mut self, change: impl FnOnce(&mut ProviderSettings)) {
        change(Arc::make_mut(&mut self.provider.settings));
    }

    fn later(&self, millis: u64) {
        self.time.fetch_add(millis, SeqCst);
    }

    fn rotate(&self, kids: &[&str]) {
        *self.idp.kids.lock().unwrap() = kids.iter().map(|kid| (*kid).to_owned()).collect();
    }

    fn down(&self, down: bool) {
        self.idp.down.store(down, SeqCst);
    }

    fn fetches(&self) -> u64 {
        self.keys.statistics().fetches
    }

    /// Waits until no fetch is under way.
    async fn settled(&self) {
        let shelves: Vec<_> = self.keys.read_shelves().values().cloned().collect();
        for shelf in shelves {
            let flight = shelf.lock().flight.clone();
            if let Some(mut flight) = flight {
                let _ = flight.wait_for(|ended| *ended).await;
            }
        }
    }
}

fn key(account: &str, revision: u64) -> Arc<ProviderKey> {
    let arn = format!("arn:aws:iam::{account}:oidc-provider/{HOST}");
    Arc::new(ProviderKey {
        account: AccountId::parse(account).unwrap(),
        arn: Arn::parse(&arn).unwrap(),
        revision,
    })
}

fn other_arn(provider: &Provider, name: &str) -> Provider {
    let arn = Arn::parse(&format!("arn:aws:iam::111122223333:oidc-provider/{name}")).unwrap();
    let key = ProviderKey { arn, ..(*provider.key).clone() };
    Provider { key: Arc::new(key), ..provider.clone() }
}

#[tokio::test]
async fn keys_are_fetched_at_first_use_and_kept() {
    let bed = Bed::new().await;
    assert_eq!(bed.server.requests(), 0);
    let first = bed.find("one").await.unwrap();
    assert!(first.keys.knows("one"));
    assert_eq!(first.verified_by, Some(VerifiedBy::IamTrustStore));
    assert_eq!(first.fetched_at, bed.time.load(SeqCst));
    assert_eq!(bed.server.requests(), 2, "discovery and key set");
    let second = bed.find("one").await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert!(bed.keys.find(&bed.provider, None).await.is_ok());
    assert_eq!(bed.server.requests(), 2);
}

#[tokio::test]
async fn concurrent_callers_share_one_fetch() {
    let bed = Arc::new(Bed::new().await);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let bed = Arc::clone(&bed);
        callers.spawn(async move { bed.has("one").await });
    }
    assert!(callers.join_all().await.into_iter().all(|found| found));
    assert_eq!((bed.fetches(), bed.server.requests()), (1, 2));
}

#[tokio::test]
async fn concurrent_callers_share_one_failure() {
    let bed = Arc::new(Bed::new().await);
    bed.down(true);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let bed = Arc::clone(&bed);
        callers.spawn(async move { bed.find("one").await.unwrap_err() });
    }
    let cause = FetchError::Status(503);
    let failure = IdpError::Unreachable { document: Document::Discovery, cause };
    assert!(callers.join_all().await.into_iter().all(|error| error == failure));
    assert_eq!((bed.fetches(), bed.server.requests()), (1, 1));
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_take_the_fetch_along() {
    let bed = Bed::new().await;
    {
        let mut leaving = std::pin::pin!(bed.find("one"));
        let waiting = std::future::poll_fn(|cx| {
            std::task::Poll::Ready(leaving.as_mut().poll(cx).is_pending())
        });
        assert!(waiting.await);
    }
    assert!(bed.has("one").await);
    assert_eq!(bed.fetches(), 1);
}

#[tokio::test]
async fn a_rotated_key_is_found_at_once() {
    let bed = Bed::new().await;
    assert!(bed.has("one").await);
    bed.rotate(&["two"]);
    assert!(bed.has("two").await);
    assert!(!bed.has("one").await, "the old key is gone with the old set");
    assert_eq!(bed.keys.statistics().unknown_kid_fetches, 1);
}

#[tokio::test]
async fn a_flood_of_unknown_key_ids_does_not_reach_the_provider() {
    let bed = Bed::new().await;
    for n in 0..10_000 {
        assert!(!bed.has(&format!("invented-{n}")).await);
    }
    assert_eq!(bed.idp.jwks_fetches.load(SeqCst), 2, "the first use and one more look");
    assert_eq!(bed.keys.statistics().unknown_kid_suppressed, 9_998);
    let state = bed.keys.states().pop().unwrap();
    assert_eq!(state.failure, None);
    assert!(bed.has("one").await);
    // Over a quarter of an hour, one invented id per second: one fetch per interval, and what is
    // remembered stays bounded.
    for n in 0..900 {
        bed.later(SECOND);
        assert!(!bed.has(&format!("later-{n}")).await);
    }
    assert_eq!(bed.idp.jwks_fetches.load(SeqCst), 2 + 90);
    let shelf = bed.keys.shelf(&bed.provider.key, 0);
    assert!(shelf.lock().unknown.len() <= UNKNOWN_KIDS);
}

#[tokio::test]
async fn an_id_that_was_looked_for_in_vain_is_remembered_for_a_minute() {
    let bed = Bed::new().await;
    assert!(!bed.has("two").await);
    let after_first = bed.fetches();
    assert_eq!(after_first, 1, "the first use has just looked");
    bed.later(11 * SECOND);
    assert!(!bed.has("two").await);
    assert_eq!(bed.fetches(), after_first);
    assert!(!bed.has("three").await);
    assert_eq!(bed.fetches(), after_first + 1, "another id is looked for");
    bed.rotate(&["two"]);
    bed.later(MINUTE);
    assert!(bed.has("two").await);
}

#[tokio::test]
async fn memory_of_unknown_ids_is_bounded() {
    let mut bed = Bed::new().await;
    bed.set(|settings| settings.refetch_interval = Duration::ZERO);
    for n in 0..3 * UNKNOWN_KIDS {
        assert!(!bed.has(&format!("invented-{n}")).await);
    }
    let shelf = bed.keys.shelf(&bed.provider.key, 0);
    assert_eq!(shelf.lock().unknown.len(), UNKNOWN_KIDS);
}

#[tokio::test]
async fn keys_are_refreshed_in_the_background_before_they_are_stale() {
    let bed = Bed::new().await;
    assert!(bed.has("one").await);
    bed.rotate(&["one", "two"]);
    bed.later(44 * MINUTE);
    assert!(bed.has("one").await);
    bed.settled().await;
    assert_eq!(bed.fetches(), 1, "three quarters of the hour are not over");
    bed.later(2 * MINUTE);
    let served = bed.find("one").await.unwrap();
    assert!(!served.keys.knows("two"), "served at once from memory");
    bed.settled().await;
    assert_eq!(bed.fetches(), 2);
    assert!(bed.has("two").await);
    assert_eq!(bed.keys.statistics().unknown_kid_fetches, 0);
}

#[tokio::test]
async fn stale_keys_are_not_used_while_the_provider_answers() {
    let bed = Bed::new().await;
    assert!(bed.has("one").await);
    bed.rotate(&["two"]);
    bed.later(HOUR);
    assert!(!bed.has("one").await, "a withdrawn key counts no longer than the keys are fresh");
    assert_eq!(bed.fetches(), 2);
}

#[tokio::test]
async fn the_providers_max_age_counts_within_bounds() {
    for (said, fresh) in
        [(None, HOUR), (Some(7200), 2 * HOUR), (Some(0), 5 * MINUTE), (Some(1_000_000), 24 * HOUR)]
    {
        let mut bed = Bed::new().await;
        bed.set(|settings| settings.max_stale = Duration::from_secs(48 * 3600));
        *bed.idp.max_age.lock().unwrap() = said;
        assert_eq!(bed.find("one").await.unwrap().fresh, fresh, "{said:?}");
        // Never fresher than keys may be used at all.
        let mut bed = Bed::new().await;
        bed.set(|settings| settings.max_stale = Duration::from_secs(60));
        *bed.idp.max_age.lock().unwrap() = said;
        assert_eq!(bed.find("one").await.unwrap().fresh, MINUTE, "{said:?}");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_serves_cached_keys_up_to_their_greatest_age() {
    let bed = Bed::new().await;
    assert!(bed.has("one").await);
    bed.down(true);
    bed.later(23 * HOUR);
    assert!(bed.has("one").await);
    let tried = bed.fetches();
    for _ in 0..100 {
        assert!(bed.has("one").await, "no waiting for a provider that is down");
    }
    assert_eq!(bed.fetches(), tried, "and no more tries within the interval");
    assert_eq!(bed.keys.statistics().stale_answers, 100);
    bed.later(11 * SECOND);
    assert!(bed.has("one").await);
    assert_eq!(bed.fetches(), tried + 1);

    bed.later(HOUR);
    let refused = bed.find("one").await.unwrap_err();
    let cause = FetchError::Status(503);
    let failure = IdpError::Unreachable { document: Document::Discovery, cause };
    assert_eq!(refused, failure);
    let tried = bed.fetches();
    assert_eq!(bed.find("one").await.unwrap_err(), failure);
    assert_eq!(bed.fetches(), tried, "failures are remembered for the interval");
    let state = bed.keys.states().pop().unwrap();
    assert_eq!(state.failure, Some(failure));
    assert!(state.age.unwrap() >= 24 * HOUR);

    bed.down(false);
    bed.later(11 * SECOND);
    assert!(bed.has("one").await);
    assert_eq!(bed.keys.states().pop().unwrap().failure, None);
}

#[tokio::test]
async fn static_keys_need_no_connection() {
    let mut bed = Bed::new().await;
    bed.set(|settings| settings.static_jwks = Some(r#"{"keys":[{"kid":"s"}]}"#.into()));
    let held = bed.find("s").await.unwrap();
    assert!(held.keys.knows("s"));
    assert_eq!(held.verified_by, None);
    assert!(!bed.has("unknown").await);
    bed.later(1000 * HOUR);
    assert!(bed.has("s").await);
    assert_eq!((bed.fetches(), bed.names.asked.load(SeqCst), bed.server.requests()), (0, 0, 0));

    let mut bed = Bed::new().await;
    bed.set(|settings| settings.static_jwks = Some("not JSON".into()));
    let refused = bed.find("s").await.unwrap_err();
    assert!(matches!(refused, IdpError::BadDocument { document: Document::Keys, .. }));
    assert_eq!(bed.server.requests(), 0);
}

#[tokio::test]
async fn a_change_of_the_provider_empties_its_keys() {
    let mut bed = Bed::new().await;
    assert!(bed.has("one").await);
    let before = bed.provider.clone();
    bed.rotate(&["two"]);
    bed.provider.key = key("111122223333", 2);
    assert!(!bed.has("one").await);
    assert!(bed.has("two").await);
    assert_eq!(bed.fetches(), 2);
    assert_eq!(bed.keys.statistics().providers, 1);
    // A request still under way with the older revision leaves the newer one's keys alone.
    assert!(bed.keys.find(&before, None).await.is_ok());
    assert_eq!(bed.keys.states().pop().unwrap().key.revision, 2);
    assert_eq!(bed.fetches(), 3);
    assert!(bed.has("two").await);
    assert_eq!(bed.fetches(), 3);
}

#[tokio::test]
async fn another_accounts_registration_of_the_issuer_has_keys_of_its_own() {
    let private = Authority::new("private");
    let (_, clock) = clock();
    let server = Server::https(&private.chain(HOST), |_| Answer::ok("{}")).await;
    let keys = Keys::new(fetcher(&Authority::new("public"), Names::loopback(), clock), 8);
    let ours = Provider {
        key: key("111122223333", 1),
        issuer: Arc::new(Issuer::from_url(server.url(""))),
        thumbprints: Arc::new([Thumbprint::of(private.intermediate.der())]),
        settings: Arc::new(server.settings()),
    };
    // The handshake is accepted; the document is of no use.
    let refused = keys.find(&ours, None).await.unwrap_err();
    assert!(matches!(refused, IdpError::BadDocument { document: Document::Discovery, .. }));
    // The other account pinned something else.
    let theirs = Provider {
        key: key("444455556666", 1),
        thumbprints: Arc::new([Thumbprint::of(b"another")]),
        ..ours
    };
    let refused = keys.find(&theirs, None).await.unwrap_err();
    let sent = Thumbprint::of(private.intermediate.der());
    let failure = TlsFailure::ThumbprintMismatch { sent };
    assert_eq!(refused, IdpError::Certificate { document: Document::Discovery, failure });
    assert_eq!(keys.statistics().providers, 2);
}

#[tokio::test]
async fn two_accounts_never_share_a_fetch() {
    let bed = Bed::new().await;
    assert!(bed.has("one").await);
    let theirs = Provider { key: key("444455556666", 1), ..bed.provider.clone() };
    bed.rotate(&["two"]);
    assert!(bed.keys.find(&theirs, None).await.unwrap().keys.knows("two"));
    assert!(bed.has("one").await);
    assert_eq!(bed.fetches(), 2);
}

#[tokio::test]
async fn the_least_recently_used_provider_makes_room() {
    let bed = Bed::with(2).await;
    let [a, b, c] = ["a", "b", "c"].map(|name| other_arn(&bed.provider, name));
    for provider in [&a, &b, &a, &c] {
        bed.later(1);
        bed.keys.find(provider, None).await.unwrap();
    }
    assert_eq!((bed.keys.statistics().providers, bed.fetches()), (2, 3));
    bed.keys.find(&a, None).await.unwrap();
    assert_eq!(bed.fetches(), 3, "a was used after b");
    bed.keys.find(&b, None).await.unwrap();
    assert_eq!((bed.keys.statistics().providers, bed.fetches()), (2, 4));
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_refused() {
    let bed = Bed::new().await;
    *bed.idp.issuer.lock().unwrap() = format!("{}/", bed.server.url(""));
    let refused = bed.find("one").await.unwrap_err();
    assert!(matches!(refused, IdpError::BadDocument { document: Document::Discovery, .. }));
    *bed.idp.issuer.lock().unwrap() = bed.server.url("");
    bed.later(11 * SECOND);
    assert!(bed.has("one").await);
}

#[tokio::test]
async fn the_place_of_the_keys_is_under_the_same_policy() {
    let bed = Bed::new().await;
    *bed.idp.jwks_uri.lock().unwrap() = "https://169.254.169.254/latest/meta-data/".into();
    let refused = bed.find("one").await.unwrap_err();
    let document = Document::Keys;
    assert!(
        matches!(
            &refused,
            IdpError::Unreachable { document: at, cause: FetchError::Refused(Refusal::Address { .. }) }
                if *at == document
        ),
        "{refused}"
    );
    bed.later(11 * SECOND);
    *bed.idp.jwks_uri.lock().unwrap() = bed.server.url("/keys").replace("https:", "http:");
    let refused = bed.find("one").await.unwrap_err();
    assert!(matches!(refused, IdpError::BadDocument { document: Document::Discovery, .. }));
    bed.later(11 * SECOND);
    *bed.idp.jwks_uri.lock().unwrap() = bed.server.url("/keys");
    assert!(bed.has("one").await);
}

#[tokio::test]
async fn a_certificate_that_is_no_longer_trusted_is_a_failure_like_any_other() {
    let bed = Bed::new().await;
    assert!(bed.has("one").await);
    // Keys fetched when the certificate was good outlive it, up to their greatest age.
    let years = 10 * 365 * 24 * HOUR;
    let mut patient = bed.provider.clone();
    Arc::make_mut(&mut patient.settings).max_stale = Duration::from_millis(2 * years);
    bed.later(years);
    let held = bed.keys.find(&patient, Some("one")).await.unwrap();
    assert!(held.keys.knows("one"));
    bed.later(11 * SECOND);
    let refused = bed.find("one").await.unwrap_err();
    let failure = TlsFailure::Expired;
    assert_eq!(refused, IdpError::Certificate { document: Document::Discovery, failure });
}

//! The signing keys of every provider in use, fetched when first needed and kept.
//!
//! [`Keys::find`] is the one entry. It answers from memory whenever it may; what it does otherwise
//! is decided in one place, [`Shelf::step`]. Rules:
//!
//! - one fetch per provider at a time; callers who need its outcome share it;
//! - keys are fresh for as long as the provider says, within bounds; in the last quarter of that
//!   time the next caller starts a refresh in the background and is served at once;
//! - an unknown key id gives rise to at most one fetch per interval and provider, and none while
//!   the same id is remembered as unknown;
//! - a provider that is down serves its cached keys up to the greatest permitted age, and is
//!   tried again at most once per interval.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use claims::{Checks, jose::KeySet};
use tokio::sync::watch;

use super::{
    Document, IdpError, Provider, ProviderKey, ProviderSettings,
    discovery::discover,
    fetch::{FetchError, Fetcher},
    tls::{Pins, VerifiedBy},
};

/// How long a key id counts as unknown once a fetch did not bring it.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);

/// How many unknown key ids are remembered per provider.
const UNKNOWN_KIDS: usize = 64;

/// A key set and where it came from.
#[derive(Debug)]
pub struct Held {
    /// The keys.
    pub keys: KeySet,
    /// What vouched for the server that sent them; `None` for static keys and plain loopback http.
    pub verified_by: Option<VerifiedBy>,
    /// When they were fetched, in milliseconds since the epoch; static keys: when they were read.
    pub fetched_at: u64,
    fresh: u64,
}

/// Counters since the start, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Fetches begun (discovery and key set together count once).
    pub fetches: u64,
    /// Fetches that failed.
    pub failures: u64,
    /// Fetches of [`Statistics::fetches`] that an unknown key id gave rise to.
    pub unknown_kid_fetches: u64,
    /// Unknown key ids answered from memory because of the interval or because they are remembered.
    pub unknown_kid_suppressed: u64,
    /// Answers with keys past their freshness, because the provider is down.
    pub stale_answers: u64,
    /// Providers in memory.
    pub providers: u64,
}

/// The state of one provider's keys.
#[derive(Debug, Clone)]
pub struct ProviderState {
    /// Whose keys.
    pub key: Arc<ProviderKey>,
    /// Their age in milliseconds; `None` if there are none.
    pub age: Option<u64>,
    /// Why the last fetch failed, if it did.
    pub failure: Option<IdpError>,
}

/// The key sets of all providers in use. Cheap to clone.
pub struct Keys(Arc<Inner>);

struct Inner {
    fetcher: Fetcher,
    capacity: usize,
    shelves: RwLock<HashMap<Arc<ProviderKey>, Arc<Shelf>>>,
    hasher: RandomState,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    fetches: AtomicU64,
    failures: AtomicU64,
    unknown_kid_fetches: AtomicU64,
    unknown_kid_suppressed: AtomicU64,
    stale_answers: AtomicU64,
}

/// The place of one provider.
struct Shelf {
    key: Arc<ProviderKey>,
    used_at: AtomicU64,
    state: Mutex<State>,
}

struct State {
    held: Option<Arc<Held>>,
    /// The last fetch's failure and when; cleared by a success.
    failure: Option<(IdpError, u64)>,
    /// When an unknown key id last gave rise to a fetch.
    unknown_fetch_at: Option<u64>,
    /// Hashes of unknown key ids and until when they are remembered; oldest first.
    unknown: VecDeque<(u64, u64)>,
    /// The fetch under way; turns true when it has ended.
    flight: Option<watch::Receiver<bool>>,
}

/// What to do for one caller.
enum Step {
    Serve(Arc<Held>),
    ServeAndRefresh(Arc<Held>),
    /// Answer from memory; the key id stays unknown.
    ServeWithout(Arc<Held>),
    ServeStale(Arc<Held>),
    Fetch,
    FetchUnknown,
    Fail(IdpError),
}

impl Clone for Keys {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl Keys {
    /// An empty cache for at most `capacity` providers; the least recently used one makes room.
    #[must_use]
    pub fn new(fetcher: Fetcher, capacity: usize) -> Self {
        Self(Arc::new(Inner {
            fetcher,
            capacity: capacity.max(1),
            shelves: RwLock::default(),
            hasher: RandomState::new(),
            counters: Counters::default(),
        }))
    }

    /// The keys of a provider, for a token that names the key `kid`.
    ///
    /// That the key id is unknown is not an error here: the keys that there are come back, and
    /// verification says so with everything else it finds.
    ///
    /// # Errors
    /// There are no keys young enough to be used, and none could be fetched.
    pub async fn find(
        &self,
        provider: &Provider,
        kid: Option<&str>,
    ) -> Result<Arc<Held>, IdpError> {
        let now = self.now();
        let shelf = self.shelf(&provider.key, now);
        if let Some(text) = &provider.settings.static_jwks {
            return shelf.read_static(text, provider.settings.checks, now);
        }
        let kid = kid.map(|kid| (kid, self.0.hasher.hash_one(kid)));
        let mut flight = {
            let mut state = shelf.lock();
            let counters = &self.0.counters;
            match state.step(now, kid, &provider.settings) {
                Step::Serve(held) => return Ok(held),
                Step::ServeAndRefresh(held) => {
                    self.launch(&shelf, &mut state, provider);
                    return Ok(held);
                }
                Step::ServeWithout(held) => {
                    counters.unknown_kid_suppressed.fetch_add(1, Relaxed);
                    return Ok(held);
                }
                Step::ServeStale(held) => {
                    counters.stale_answers.fetch_add(1, Relaxed);
                    return Ok(held);
                }
                Step::Fail(error) => return Err(error),
                Step::Fetch => self.launch(&shelf, &mut state, provider),
                Step::FetchUnknown => {
                    if state.flight.is_none() {
                        counters.unknown_kid_fetches.fetch_add(1, Relaxed);
                        state.unknown_fetch_at = Some(now);
                    }
                    self.launch(&shelf, &mut state, provider)
                }
            }
        };
        // An error means that the fetch ended without a word; the state tells all the same.
        let _ = flight.wait_for(|ended| *ended).await;
        let now = self.now();
        shelf.lock().landed(now, kid, &provider.settings)
    }

    /// Whether these are still the provider's keys, and fresh enough that nobody has to look after
    /// them: then what was verified with them counts without asking.
    #[must_use]
    pub fn are_current(&self, provider: &ProviderKey, keys: &Arc<Held>) -> bool {
        let now = self.now();
        let shelves = self.read_shelves();
        let Some(shelf) = shelves.get(provider) else { return false };
        shelf.used_at.store(now, Relaxed);
        let same = shelf.lock().held.as_ref().is_some_and(|held| Arc::ptr_eq(held, keys));
        same && since(now, keys.fetched_at) < keys.refresh_at()
    }

    /// What fetches: for whoever needs a provider's documents without its keys.
    #[must_use]
    pub fn fetcher(&self) -> &Fetcher {
        &self.0.fetcher
    }

    /// Counters since the start.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let counters = &self.0.counters;
        Statistics {
            fetches: counters.fetches.load(Relaxed),
            failures: counters.failures.load(Relaxed),
            unknown_kid_fetches: counters.unknown_kid_fetches.load(Relaxed),
            unknown_kid_suppressed: counters.unknown_kid_suppressed.load(Relaxed),
            stale_answers: counters.stale_answers.load(Relaxed),
            providers: self.read_shelves().len() as u64,
        }
    }

    /// The state of every provider in memory, in no order.
    #[must_use]
    pub fn states(&self) -> Vec<ProviderState> {
        let now = self.now();
        let shelves: Vec<_> = self.read_shelves().values().cloned().collect();
        let state_of = |shelf: Arc<Shelf>| {
            let state = shelf.lock();
            ProviderState {
                key: Arc::clone(&shelf.key),
                age: state.held.as_ref().map(|held| since(now, held.fetched_at)),
                failure: state.failure.as_ref().map(|(error, _)| error.clone()),
            }
        };
        shelves.into_iter().map(state_of).collect()
    }

    fn now(&self) -> u64 {
        (self.0.fetcher.clock)()
    }

    fn read_shelves(
        &self,
    ) -> std::sync::RwLockReadGuard<'_, HashMap<Arc<ProviderKey>, Arc<Shelf>>> {
        self.0.shelves.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shelf of a provider at one revision, made if there is none.
    fn shelf(&self, key: &Arc<ProviderKey>, now: u64) -> Arc<Shelf> {
        if let Some(shelf) = self.read_shelves().get(key) {
            shelf.used_at.store(now, Relaxed);
            return Arc::clone(shelf);
        }
        let mut shelves = self.0.shelves.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(shelf) = shelves.get(key) {
            return Arc::clone(shelf);
        }
        let shelf = Arc::new(Shelf::new(Arc::clone(key), now));
        let same = |other: &ProviderKey| other.account == key.account && other.arn == key.arn;
        // A request that still runs on an older revision gets keys of its own and leaves no trace.
        if shelves.keys().any(|other| same(other) && other.revision > key.revision) {
            return shelf;
        }
        shelves.retain(|other, _| !same(other));
        if shelves.len() >= self.0.capacity {
            let oldest = shelves.values().min_by_key(|shelf| shelf.used_at.load(Relaxed));
            if let Some(oldest) = oldest.map(|shelf| Arc::clone(&shelf.key)) {
                shelves.remove(&oldest);
            }
        }
        shelves.insert(Arc::clone(key), Arc::clone(&shelf));
        shelf
    }

    /// Starts a fetch, or joins the one under way. The fetch is a task of its own: a caller who
    /// goes away does not take it along.
    fn launch(
        &self,
        shelf: &Arc<Shelf>,
        state: &mut State,
        provider: &Provider,
    ) -> watch::Receiver<bool> {
        if let Some(flight) = &state.flight {
            return flight.clone();
        }
        let (ended, flight) = watch::channel(false);
        state.flight = Some(flight.clone());
        self.0.counters.fetches.fetch_add(1, Relaxed);
        let keys = self.clone();
        let provider = provider.clone();
        let landing = Landing { shelf: Arc::clone(shelf), ended };
        tokio::spawn(async move {
            let outcome = keys.load(&provider).await;
            if let Err(error) = &outcome {
                keys.0.counters.failures.fetch_add(1, Relaxed);
                tracing::warn!(provider = %provider.key.arn, %error, "no keys from the provider");
            }
            landing.land(outcome, keys.now());
        });
        flight
    }

    async fn load(&self, provider: &Provider) -> Result<Held, IdpError> {
        let Provider { issuer, thumbprints, settings, .. } = provider;
        let pins = Pins::Registered(thumbprints);
        let (discovery, _) = discover(&self.0.fetcher, issuer, settings, pins).await?;
        let document = Document::Keys;
        let fetched = self
            .0
            .fetcher
            .get(&discovery.jwks_uri, settings, pins)
            .await
            .map_err(|cause| IdpError::of(document, cause))?;
        Ok(Held {
            keys: parse(&fetched.body, settings.checks)?,
            verified_by: fetched.verified_by,
            fetched_at: self.now(),
            fresh: freshness(fetched.max_age, settings),
        })
    }
}

impl Shelf {
    fn new(key: Arc<ProviderKey>, now: u64) -> Self {
        let state = State {
            held: None,
            failure: None,
            unknown_fetch_at: None,
            unknown: VecDeque::new(),
            flight: None,
        };
        Self { key, used_at: AtomicU64::new(now), state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_static(&self, text: &str, checks: Checks, now: u64) -> Result<Arc<Held>, IdpError> {
        let mut state = self.lock();
        if let Some(held) = &state.held {
            return Ok(Arc::clone(held));
        }
        let keys = parse(text.as_bytes(), checks)?;
        let held = Arc::new(Held { keys, verified_by: None, fetched_at: now, fresh: u64::MAX });
        state.held = Some(Arc::clone(&held));
        Ok(held)
    }
}

impl State {
    /// Decides what to do for a caller who wants `kid` (and its hash) at `now`.
    fn step(&mut self, now: u64, kid: Option<(&str, u64)>, settings: &ProviderSettings) -> Step {
        let interval = millis(settings.refetch_interval);
        let resting = match &self.failure {
            Some((error, at)) if since(now, *at) < interval => Some(error.clone()),
            _ => None,
        };
        let held = self.held.as_ref().filter(|held| held.usable(now, settings));
        let Some(held) = held.cloned() else {
            return resting.map_or(Step::Fetch, Step::Fail);
        };
        let age = since(now, held.fetched_at);
        if age >= held.fresh {
            return if resting.is_some() { Step::ServeStale(held) } else { Step::Fetch };
        }
        if let Some((kid, hash)) = kid
            && !held.keys.knows(kid)
        {
            // ATTACK: a flood of tokens with invented key ids must not become a flood of fetches
            // at the provider, nor of memory here (proof: `jwks/tests.rs`, `a_flood_…`).
            while self.unknown.front().is_some_and(|(_, until)| *until <= now) {
                self.unknown.pop_front();
            }
            let rested = self.unknown_fetch_at.is_none_or(|at| since(now, at) >= interval);
            let known_unknown = self.unknown.iter().any(|(other, _)| *other == hash);
            let joins = self.flight.is_some();
            let fetch = joins || (rested && !known_unknown && resting.is_none());
            return if fetch { Step::FetchUnknown } else { Step::ServeWithout(held) };
        }
        if age >= held.refresh_at() && resting.is_none() && self.flight.is_none() {
            return Step::ServeAndRefresh(held);
        }
        Step::Serve(held)
    }

    /// What a caller gets who waited for a fetch.
    fn landed(
        &mut self,
        now: u64,
        kid: Option<(&str, u64)>,
        settings: &ProviderSettings,
    ) -> Result<Arc<Held>, IdpError> {
        let Some(held) = self.held.as_ref().filter(|held| held.usable(now, settings)).cloned()
        else {
            return Err(self.failure.as_ref().map_or_else(broken_off, |(error, _)| error.clone()));
        };
        if let Some((kid, hash)) = kid
            && self.failure.is_none()
            && !held.keys.knows(kid)
            && !self.unknown.iter().any(|(other, _)| *other == hash)
        {
            if self.unknown.len() >= UNKNOWN_KIDS {
                self.unknown.pop_front();
            }
            self.unknown.push_back((hash, now.saturating_add(millis(UNKNOWN_FOR))));
        }
        Ok(held)
    }
}

impl Held {
    /// The age at which the next caller starts a refresh.
    const fn refresh_at(&self) -> u64 {
        self.fresh.saturating_sub(self.fresh / 4)
    }

    fn usable(&self, now: u64, settings: &ProviderSettings) -> bool {
        since(now, self.fetched_at) < millis(settings.max_stale)
    }
}

/// The end of a fetch, also of one that panicked.
struct Landing {
    shelf: Arc<Shelf>,
    ended: watch::Sender<bool>,
}

impl Landing {
    fn land(self, outcome: Result<Held, IdpError>, now: u64) {
        let mut state = self.shelf.lock();
        match outcome {
            Ok(held) => {
                state.held = Some(Arc::new(held));
                state.failure = None;
            }
            Err(error) => state.failure = Some((error, now)),
        }
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut state = self.shelf.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.flight = None;
        drop(state);
        self.ended.send_replace(true);
    }
}

fn parse(body: &[u8], checks: Checks) -> Result<KeySet, IdpError> {
    KeySet::from_jwks(body, checks).map_err(|fault| IdpError::bad(Document::Keys, &fault))
}

/// How long keys are fresh: what the provider says within the bounds, never past their end.
fn freshness(max_age: Option<Duration>, settings: &ProviderSettings) -> u64 {
    let (least, most) = settings.fresh_bounds;
    let fresh = max_age.map_or(settings.fresh, |said| said.min(most).max(least));
    millis(fresh.min(settings.max_stale))
}

fn broken_off() -> IdpError {
    IdpError::Unreachable { document: Document::Keys, cause: FetchError::Http }
}

/// The time from `then` to `now`; none if the clock was set back.
const fn since(now: u64, then: u64) -> u64 {
    now.saturating_sub(then)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

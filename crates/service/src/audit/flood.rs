//! The flood limit: strangers cannot fill the log book.
//!
//! Refusals of callers that were not proven are limited for each source network, account and
//! reason by a token bucket. What is above the limit is counted and written as one event per
//! window. Nothing is uncounted: full events and counts add up to the calls. Counts not written
//! yet (at most one window) are lost with the process.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use jiff::Timestamp;

use super::event::{Event, Text, derived_id};
use super::ours::{Aggregate, Ours, Outcome};

/// How much a stranger may write.
#[derive(Debug, Clone, Copy)]
pub struct FloodLimits {
    /// Events in full per second, for one source and reason.
    pub per_second: u32,
    /// How many may come at once before that rate counts.
    pub burst: u32,
    /// How long calls are gathered into one event, in seconds.
    pub window: u32,
    /// Most sources and reasons told apart; the rest share one bucket.
    pub sources: usize,
}

impl Default for FloodLimits {
    fn default() -> Self {
        Self { per_second: 50, burst: 500, window: 10, sources: 4096 }
    }
}

/// Most request ids named in an aggregate.
const NAMED: usize = 5;
/// In place of a network when too many are told apart already.
const MANY: &str = "many";

/// What calls have in common that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    source: String,
    account: Option<String>,
    outcome: Outcome,
    code: Option<Text>,
}

#[derive(Debug)]
struct Bucket {
    /// Millionths of events that may still be written in full.
    credit: u64,
    /// When `credit` was right, in microseconds since 1970.
    at: i64,
    counted: Option<Counted>,
}

#[derive(Debug)]
struct Counted {
    count: u64,
    from: i64,
    to: i64,
    ids: Vec<String>,
    sample: Box<Event>,
}

/// The buckets.
#[derive(Debug)]
pub(super) struct Flood {
    limits: FloodLimits,
    buckets: HashMap<Key, Bucket>,
}

impl Flood {
    pub(super) fn new(limits: FloodLimits) -> Self {
        Self { limits, buckets: HashMap::new() }
    }

    /// Whether `event` is to be written in full. If not, it has been counted.
    pub(super) fn admits(&mut self, event: &Event) -> bool {
        let ours = &event.vestibule;
        if ours.proven || !ours.outcome.refused() {
            return true;
        }
        let limits = self.limits;
        let now = ours.at_micros;
        let full = u64::from(limits.burst.max(1)) * 1_000_000;
        let mut key = Key {
            source: network(&event.source_ip_address),
            account: event.recipient_account_id.clone(),
            outcome: ours.outcome,
            code: event.error_code.clone(),
        };
        if self.buckets.len() >= limits.sources && !self.buckets.contains_key(&key) {
            key.source = MANY.to_owned();
            key.account = None;
        }
        let bucket = match self.buckets.entry(key) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(free) => free.insert(Bucket { credit: full, at: now, counted: None }),
        };
        let passed = u64::try_from(now.saturating_sub(bucket.at)).unwrap_or(0);
        let earned = passed.saturating_mul(u64::from(limits.per_second));
        bucket.credit = bucket.credit.saturating_add(earned).min(full);
        bucket.at = bucket.at.max(now);
        if bucket.credit >= 1_000_000 {
            bucket.credit -= 1_000_000;
            return true;
        }
        match &mut bucket.counted {
            Some(counted) => {
                counted.count += 1;
                counted.from = counted.from.min(now);
                counted.to = counted.to.max(now);
                if counted.ids.len() < NAMED {
                    counted.ids.push(event.request_id.clone());
                }
            }
            none => {
                *none = Some(Counted {
                    count: 1,
                    from: now,
                    to: now,
                    ids: vec![event.request_id.clone()],
                    sample: Box::new(common(event)),
                });
            }
        }
        false
    }

    /// The aggregates whose window has passed, or all of them with `all`; forgets idle sources.
    pub(super) fn due(&mut self, now: Timestamp, all: bool) -> Vec<Event> {
        let limits = self.limits;
        let now = now.as_microsecond();
        let window = i64::from(limits.window) * 1_000_000;
        let refill = i64::from(limits.burst) * 1_000_000 / i64::from(limits.per_second.max(1));
        let mut events = Vec::new();
        self.buckets.retain(|key, bucket| {
            let ripe = |c: &mut Counted| all || now.saturating_sub(c.from) >= window;
            if let Some(counted) = bucket.counted.take_if(ripe) {
                events.push(counted.into_event(&key.source));
            }
            bucket.counted.is_some() || now.saturating_sub(bucket.at) < refill
        });
        events
    }

    /// How many calls are counted and not written yet.
    pub(super) fn waiting(&self) -> u64 {
        self.buckets.values().filter_map(|b| b.counted.as_ref()).map(|c| c.count).sum()
    }
}

impl Counted {
    fn into_event(self, source: &str) -> Event {
        let mut event = *self.sample;
        let time = |micros| Timestamp::from_microsecond(micros).unwrap_or(event.event_time);
        let aggregate = Aggregate {
            count: self.count,
            from: time(self.from),
            to: time(self.to),
            source: source.to_owned(),
            request_ids: self.ids,
        };
        event.event_id = derived_id(&["flood", &event.request_id]);
        event.vestibule.aggregate = Some(Box::new(aggregate));
        event
    }
}

/// What a flood's events have in common, taken from its first.
fn common(event: &Event) -> Event {
    let ours = &event.vestibule;
    Event {
        user_identity: super::UserIdentity::unknown(),
        request_parameters: None,
        response_elements: None,
        additional_event_data: None,
        resources: Vec::new(),
        tls_details: None,
        shared_event_id: None,
        vestibule: Ours {
            outcome: ours.outcome,
            at_micros: ours.at_micros,
            provider: ours.provider.clone(),
            ..Ours::default()
        },
        ..event.clone()
    }
}

/// The /24 of an IPv4 address, the /48 of an IPv6 one: what one stranger can easily own.
fn network(address: &str) -> String {
    match address.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(IpAddr::V6(ip)) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
        Err(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Draft, UserIdentity};

    const LIMITS: FloodLimits = FloodLimits { per_second: 2, burst: 5, window: 10, sources: 8 };

    fn refused(id: usize, ip: &str, micros: i64, proven: bool) -> Box<Event> {
        let at = Timestamp::from_microsecond(micros).unwrap();
        let mut draft = Draft::new(&format!("r{id}"), at);
        draft.from(ip, "curl", None);
        draft.caller(UserIdentity::unknown(), proven);
        draft.refused(Outcome::Unauthenticated, "InvalidClientTokenId", "no");
        draft.finish(at)
    }

    fn seconds(s: i64) -> Timestamp {
        Timestamp::from_second(s).unwrap()
    }

    #[test]
    fn full_events_and_counts_add_up_to_the_calls() {
        let mut flood = Flood::new(LIMITS);
        let (mut full, mut counted) = (0, 0);
        for i in 0..1000 {
            // 100 calls a second for 10 seconds, from two networks.
            let ip = if i % 2 == 0 { "203.0.113.9" } else { "198.51.100.1" };
            full += u64::from(flood.admits(&refused(i, ip, i as i64 * 10_000, false)));
        }
        assert_eq!(full + flood.waiting(), 1000);
        // Each network: 5 at once and 2 a second for 10 seconds.
        assert!((48..=52).contains(&full), "{full}");
        for event in flood.due(seconds(20), false) {
            let many = event.vestibule.aggregate.unwrap();
            assert!(many.source.ends_with(".0/24"));
            assert_eq!(many.request_ids.len(), 5);
            counted += many.count;
        }
        assert_eq!(full + counted, 1000);
        assert_eq!(flood.waiting(), 0);
    }

    #[test]
    fn proven_callers_and_allowed_calls_are_never_counted() {
        let mut flood = Flood::new(LIMITS);
        for i in 0..100 {
            assert!(flood.admits(&refused(i, "203.0.113.9", 0, true)));
        }
        let mut allowed = refused(0, "203.0.113.9", 0, false);
        allowed.vestibule.outcome = Outcome::Allowed;
        for _ in 0..100 {
            assert!(flood.admits(&allowed));
        }
        let strangers = (0..100).filter(|i| flood.admits(&refused(*i, "203.0.113.9", 0, false)));
        assert_eq!(strangers.count(), 5);
    }

    #[test]
    fn many_networks_share_one_bucket_and_memory_stays_bounded() {
        let mut flood = Flood::new(LIMITS);
        let mut full = 0;
        for i in 0..5000 {
            let ip = format!("10.{}.{}.1", i / 250, i % 250);
            full += u64::from(flood.admits(&refused(i, &ip, 0, false)));
        }
        assert!(flood.buckets.len() <= LIMITS.sources + 1);
        assert_eq!(full + flood.waiting(), 5000);
        let events = flood.due(seconds(60), false);
        assert!(events.iter().any(|e| e.vestibule.aggregate.as_ref().unwrap().source == MANY));
        assert!(flood.buckets.is_empty(), "idle sources are forgotten");
    }

    #[test]
    fn nothing_is_due_before_its_window_unless_all_is_asked() {
        let mut flood = Flood::new(LIMITS);
        (0..10).for_each(|i| _ = flood.admits(&refused(i, "::1", 0, false)));
        assert!(flood.due(seconds(9), false).is_empty());
        let all = flood.due(seconds(9), true);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].vestibule.aggregate.as_ref().unwrap().count, 5);
        assert_eq!(all[0].vestibule.aggregate.as_ref().unwrap().source, "0:0:0::/48");
    }
}

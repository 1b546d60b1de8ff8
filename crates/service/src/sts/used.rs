//! Assertions that credentials were issued for: in strict mode each is good for one session per
//! role.
//!
//! What was used is in the log book, because nothing is issued without its event: that is how it
//! survives a restart and a kill, and why nothing else is written. An entry goes when its assertion
//! has ended anyway, and no assertion is taken that ends later than [`LONGEST`] from now, so the
//! cache is bounded by what identity providers sign in a day, and in any case by [`ROOM`].
//!
//! It holds for whoever shares a log book, which is one server: a data folder's lock keeps a second
//! one out (`docs/unsure.md`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use claims::UnixTime;
use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::audit::Reader;
use crate::audit::ours::AssertionUse;
use crate::audit::query::{Attribute, Query, Scope};

/// Seconds that an assertion may have before it, to be taken.
pub(super) const LONGEST: i64 = 86_400;
/// Seconds within which the same request is answered again: a client that never saw the answer.
const RETRY: i64 = 60;
/// Entries, at most. Past it no assertion is taken, rather than one twice.
const ROOM: usize = 1 << 18;

/// SHA-256, its first half.
pub(super) type Digest = [u8; 16];

#[derive(Clone, Copy, Debug)]
struct Use {
    request: Digest,
    first: i64,
    until: i64,
}

#[derive(Debug, Default)]
struct Uses {
    by_assertion: HashMap<Digest, Use>,
    /// When the next entry may go.
    next_end: i64,
}

impl Uses {
    fn standing(&self, assertion: &Digest, request: &Digest, now: UnixTime) -> Standing {
        match self.by_assertion.get(assertion) {
            None if self.by_assertion.len() >= ROOM => Standing::Full,
            None => Standing::Fresh,
            Some(it) if it.request == *request && now.0 < it.first + RETRY => Standing::Retried,
            Some(_) => Standing::Used,
        }
    }

    /// Lets go what has ended. Ends are whole seconds, so this is work once a second at most.
    fn forget(&mut self, now: UnixTime) {
        if self.next_end <= now.0 {
            self.by_assertion.retain(|_, it| it.until > now.0);
            let ends = self.by_assertion.values().map(|it| it.until);
            self.next_end = ends.min().unwrap_or(i64::MAX);
        }
    }

    fn take_up(&mut self, uses: impl IntoIterator<Item = (Digest, Use)>) {
        for (assertion, one) in uses {
            self.next_end = self.next_end.min(one.until);
            self.by_assertion.insert(assertion, one);
        }
    }
}

/// How an assertion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not used yet.
    Fresh,
    /// Used a moment ago, by this very request.
    Retried,
    /// Used.
    Used,
    /// There is no room to remember it.
    Full,
}

/// The assertions that were used.
#[derive(Debug, Default)]
pub(crate) struct UsedAssertions {
    uses: Mutex<Uses>,
    recalled: OnceCell<()>,
}

impl UsedAssertions {
    /// How an assertion stands; nothing is noted.
    pub(super) fn standing(&self, assertion: &Digest, request: &Digest, now: UnixTime) -> Standing {
        let mut uses = self.uses();
        uses.forget(now);
        uses.standing(assertion, request, now)
    }

    /// Notes the use of an assertion, unless it is used already: of two at once one wins.
    pub(super) fn claim(
        &self,
        assertion: Digest,
        request: Digest,
        until: UnixTime,
        now: UnixTime,
    ) -> Standing {
        let mut uses = self.uses();
        uses.forget(now);
        let standing = uses.standing(&assertion, &request, now);
        if standing == Standing::Fresh {
            uses.take_up([(assertion, Use { request, first: now.0, until: until.0 })]);
        }
        standing
    }

    /// Takes up what the log book knows of the last day, the first time that somebody asks: most
    /// servers never see an assertion, and the others need not wait for it to start.
    ///
    /// # Errors
    /// If the log book cannot be read: then nobody knows what was used.
    pub(super) async fn recall(&self, reader: Reader, now: Timestamp) -> Result<(), String> {
        let recall = async || {
            let read = tokio::task::spawn_blocking(move || last_day(&reader, now)).await;
            self.uses().take_up(read.map_err(|error| error.to_string())??);
            Ok(())
        };
        self.recalled.get_or_try_init(recall).await.map(|_| ())
    }

    fn uses(&self) -> MutexGuard<'_, Uses> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn last_day(reader: &Reader, now: Timestamp) -> Result<HashMap<Digest, Use>, String> {
    let mut query = Query::all(Scope::Operator);
    query.from = Some(now.as_microsecond().saturating_sub(LONGEST.saturating_mul(1_000_000)));
    query.attributes.push(Attribute::EventName("AssumeRoleWithSAML".to_owned()));
    let (mut uses, mut token) = (HashMap::new(), None);
    loop {
        let page = reader.page(&query, 1000, token.as_deref()).map_err(|e| e.to_string())?;
        for event in page.events.iter().filter(|event| !event.refused()) {
            let at = event.vestibule.at_micros.div_euclid(1_000_000);
            let read = event.vestibule.used.iter().filter_map(|used| noted(used, at));
            // Events come newest first; the oldest is the first use.
            uses.extend(read.filter(|(_, it)| it.until > now.as_second()));
        }
        match page.next {
            Some(next) => token = Some(next),
            None => return Ok(uses),
        }
    }
}

fn noted(used: &AssertionUse, first: i64) -> Option<(Digest, Use)> {
    let digest = |text: &str| {
        let mut digest = Digest::default();
        hex::decode_to_slice(text, &mut digest).ok().map(|()| digest)
    };
    let (assertion, request) = (digest(&used.assertion)?, digest(&used.request)?);
    Some((assertion, Use { request, first, until: used.until }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_is_good_once_and_its_request_a_minute_longer() {
        let used = UsedAssertions::default();
        let (assertion, request, other) = ([1; 16], [2; 16], [3; 16]);
        let (now, until) = (UnixTime(1000), UnixTime(2000));
        assert_eq!(used.claim(assertion, request, until, now), Standing::Fresh);
        assert_eq!(used.claim(assertion, request, until, now.plus(59)), Standing::Retried);
        assert_eq!(used.claim(assertion, request, until, now.plus(60)), Standing::Used);
        assert_eq!(used.claim(assertion, other, until, now), Standing::Used);
        assert_eq!(used.claim([4; 16], request, until, now), Standing::Fresh);
    }

    #[test]
    fn what_has_ended_makes_room_and_what_has_not_does_not() {
        let used = UsedAssertions::default();
        let digest = |n: usize| (n as u128).to_be_bytes();
        for n in 0..ROOM {
            let until = UnixTime(if n == 0 { 1500 } else { 2000 });
            used.claim(digest(n), [0; 16], until, UnixTime(1000));
        }
        let late = digest(ROOM);
        let standing = |now| used.standing(&late, &[0; 16], UnixTime(now));
        let claim = |now| used.claim(late, [0; 16], UnixTime(3000), UnixTime(now));
        assert_eq!((standing(1499), claim(1499)), (Standing::Full, Standing::Full));
        assert_eq!((standing(1500), claim(1500)), (Standing::Fresh, Standing::Fresh));
        assert_eq!(used.standing(&digest(ROOM + 1), &[0; 16], UnixTime(1999)), Standing::Full);
        assert_eq!(used.standing(&digest(ROOM + 1), &[0; 16], UnixTime(2000)), Standing::Fresh);
        assert_eq!(used.uses().by_assertion.len(), 1);
    }
}

//! Tokens that were verified: the same one presented again need not be verified again.
//!
//! ATTACK: an entry belongs to account, provider ARN and provider revision besides the token, so
//! that another account's registration of the same issuer opens nothing here, and any change of
//! the provider empties what was verified under it: whoever finds an entry must hold its provider
//! against the present one. It also belongs to the key set that verified it: whoever finds it must
//! hold that against the one in force, since the provider may have withdrawn the key (test
//! a_withdrawn_key_opens_nothing_although_its_token_was_verified). An entry never outlives the
//! token's `exp`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use claims::UnixTime;
use claims::oidc::Verified;
use serde_json::Value;

use crate::audit::Check;
use crate::idp::ProviderKey;
use crate::idp::jwks::Held;

/// Seconds that clocks may differ, as for the token's own check.
const LEEWAY: i64 = 300;

/// Shards, so that callers seldom wait for each other.
const SHARDS: usize = 16;
/// Tokens per shard and generation.
const ROOM: usize = 128;

/// What a token was verified for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// SHA-256 of the token's text.
    pub fingerprint: [u8; 32],
    /// The role's ARN: the roles claim is checked against it, and it names the account.
    pub role: Box<str>,
}

/// A verdict that holds as long as its provider and the provider's keys stay as they are.
#[derive(Debug)]
pub(crate) struct Proven {
    /// Whose registration of the issuer.
    pub provider: Arc<ProviderKey>,
    /// The token's claims.
    pub verified: Verified,
    /// What every receipt says of it.
    pub receipt: TokenReceipt,
    /// The keys, one of which signed it, and what vouched for the server that sent them.
    pub held: Arc<Held>,
}

/// A token's part of a receipt, made once for all that present the token again.
#[derive(Debug)]
pub(crate) struct TokenReceipt {
    /// Its claims, bounded.
    pub claims: Arc<BTreeMap<String, Value>>,
    /// The checks that were made.
    pub checks: Vec<Arc<Check>>,
}

#[derive(Default)]
struct Shard {
    young: HashMap<Key, Arc<Proven>>,
    old: HashMap<Key, Arc<Proven>>,
}

/// A bounded cache of verified tokens. Two generations: the older one goes when the younger is
/// full, so what is used stays and nothing has to be counted.
#[derive(Default)]
pub struct TokenCache {
    shards: [Mutex<Shard>; SHARDS],
}

impl TokenCache {
    /// The verdict on this token, if it is still in time.
    pub(crate) fn find(&self, key: &Key, now: UnixTime) -> Option<Arc<Proven>> {
        let mut shard = self.shard(key)?.lock().unwrap_or_else(PoisonError::into_inner);
        let proven = match shard.young.get(key) {
            Some(proven) => Arc::clone(proven),
            None => {
                let proven = shard.old.remove(key)?;
                shard.keep(key.clone(), Arc::clone(&proven));
                proven
            }
        };
        let timely = now <= proven.verified.expires_at
            && proven.verified.issued_at <= now.plus(LEEWAY)
            && proven.verified.not_before.is_none_or(|nbf| nbf <= now.plus(LEEWAY));
        timely.then_some(proven)
    }

    /// Keeps a verdict.
    pub(crate) fn keep(&self, key: Key, proven: Arc<Proven>) {
        if let Some(shard) = self.shard(&key) {
            shard.lock().unwrap_or_else(PoisonError::into_inner).keep(key, proven);
        }
    }

    fn shard(&self, key: &Key) -> Option<&Mutex<Shard>> {
        let [first, ..] = key.fingerprint;
        self.shards.get(usize::from(first) % SHARDS)
    }
}

impl Shard {
    fn keep(&mut self, key: Key, proven: Arc<Proven>) {
        if self.young.len() >= ROOM {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, proven);
    }
}

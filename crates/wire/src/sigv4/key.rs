//! Signing keys: derived from a secret for one day, region and service; cached, because deriving
//! costs more than verifying.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::{digest, hmac};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Presented, SecretKey, TERMINATOR};

/// A bounded cache of signing keys, shared by all requests.
///
/// An entry counts only for the very secret it was derived from, so that a replaced secret takes
/// effect at once. Only keys that verified a signature are kept, so that requests which cannot
/// sign push nothing out. Keys are overwritten when they leave (the crypto library cleanses its
/// HMAC states).
pub struct SigningKeys {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    /// Entries per shard and generation.
    capacity: usize,
}

const SHARDS: usize = 16;

/// Two generations: when the young one is full it becomes the old one, and the old one goes. What
/// is used again moves to the young one. Bounded, and nothing to keep in order on a hit.
#[derive(Default)]
struct Shard {
    young: HashMap<u64, Arc<Entry>>,
    old: HashMap<u64, Arc<Entry>>,
}

struct Entry {
    access_key_id: Box<str>,
    date: Box<str>,
    region: Box<str>,
    service: Box<str>,
    /// SHA-256 of the secret.
    secret: [u8; 32],
    key: hmac::Key,
}

impl SigningKeys {
    /// A cache of at most about `capacity` keys (some 600 bytes each).
    pub fn new(capacity: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
            capacity: (capacity / SHARDS / 2).max(1),
        }
    }

    /// How many keys are held.
    pub fn held(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| {
                let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
                shard.young.len() + shard.old.len()
            })
            .sum()
    }

    /// Runs `verify` with the signing key, and keeps a newly derived key when `verify` says yes.
    pub(super) fn with_key(
        &self,
        presented: &Presented,
        secret: &SecretKey,
        verify: impl FnOnce(&hmac::Key) -> bool,
    ) -> bool {
        let slot = self.slot(presented);
        let secret_digest = sha256(secret.expose().as_bytes());
        if let Some(entry) = self.find(slot, presented, &secret_digest) {
            return verify(&entry.key);
        }
        let scope = &presented.scope;
        let key = derive(secret, &scope.date, &scope.region, &scope.service);
        let verified = verify(&key);
        if verified {
            let entry = Entry {
                access_key_id: presented.access_key_id.as_str().into(),
                date: scope.date.as_str().into(),
                region: scope.region.as_str().into(),
                service: scope.service.as_str().into(),
                secret: secret_digest,
                key,
            };
            self.keep(slot, Arc::new(entry));
        }
        verified
    }

    fn slot(&self, presented: &Presented) -> u64 {
        let scope = &presented.scope;
        self.hasher.hash_one((
            presented.access_key_id.as_str(),
            &scope.date,
            &scope.region,
            &scope.service,
        ))
    }

    fn find(&self, slot: u64, presented: &Presented, secret: &[u8; 32]) -> Option<Arc<Entry>> {
        let mut shard = self.shard(slot)?.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match shard.young.get(&slot) {
            Some(entry) => Arc::clone(entry),
            None => {
                let entry = shard.old.remove(&slot)?;
                self.insert(&mut shard, slot, Arc::clone(&entry));
                entry
            }
        };
        let scope = &presented.scope;
        // INVARIANT: a 64-bit slot may collide; an entry serves only the scope and secret it was
        // made for.
        let same = *found.access_key_id == *presented.access_key_id.as_str()
            && *found.date == *scope.date
            && *found.region == *scope.region
            && *found.service == *scope.service
            && bool::from(found.secret.ct_eq(secret));
        same.then_some(found)
    }

    fn keep(&self, slot: u64, entry: Arc<Entry>) {
        if let Some(shard) = self.shard(slot) {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            self.insert(&mut shard, slot, entry);
        }
    }

    fn insert(&self, shard: &mut Shard, slot: u64, entry: Arc<Entry>) {
        if shard.young.len() >= self.capacity {
            shard.old = std::mem::take(&mut shard.young);
        }
        shard.old.remove(&slot);
        shard.young.insert(slot, entry);
    }

    fn shard(&self, slot: u64) -> Option<&Mutex<Shard>> {
        self.shards.get(usize::try_from(slot % SHARDS as u64).unwrap_or(0))
    }
}

impl Default for SigningKeys {
    /// Room for about 8192 keys, some 5 MB when full.
    fn default() -> Self {
        Self::new(8192)
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeys").field("held", &self.held()).finish_non_exhaustive()
    }
}

/// The signing key of one day, region and service.
pub(super) fn derive(secret: &SecretKey, date: &str, region: &str, service: &str) -> hmac::Key {
    let mut start = Zeroizing::new(Vec::with_capacity(4 + secret.expose().len()));
    start.extend_from_slice(b"AWS4");
    start.extend_from_slice(secret.expose().as_bytes());
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, &start);
    for step in [date, region, service, TERMINATOR] {
        let mut tag = Zeroizing::new([0_u8; 32]);
        let signed = hmac::sign(&key, step.as_bytes());
        for (to, from) in tag.iter_mut().zip(signed.as_ref()) {
            *to = *from;
        }
        key = hmac::Key::new(hmac::HMAC_SHA256, tag.as_slice());
    }
    key
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    let digest = digest::digest(&digest::SHA256, bytes);
    for (to, from) in out.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    out
}

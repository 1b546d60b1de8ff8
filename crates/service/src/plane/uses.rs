//! When access keys and roles were last used, and where.
//!
//! Each signed call that proves its caller notes it here, in memory; [`Plane::tend`] writes what is
//! new beside the configuration once a minute, and [`Plane::finish`] at the end. So a use makes no
//! revision, and a killed process forgets a minute of it at most.
//!
//! [`Plane::tend`]: super::Plane::tend
//! [`Plane::finish`]: super::Plane::finish

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use policy::{AccountId, Principal};
use serde::{Deserialize, Serialize};
use store::{Kind, Note, Store};

use crate::caller::Caller;
use crate::ids::AccessKeyId;
use crate::record::Millis;
use crate::world::World;

const KIND: Kind = Kind::new("last-used");

/// Calls of different keys rarely wait for each other.
const SHARDS: usize = 16;

/// One use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// Whose key or role it is.
    account: AccountId,
    /// When.
    pub at: Millis,
    /// The service that was called, as signatures name it.
    pub service: Cow<'static, str>,
    /// The region that the call was signed for.
    pub region: String,
}

/// The last use of each access key and role that has been used.
#[derive(Default)]
pub struct Uses {
    shards: [Mutex<Shard>; SHARDS],
}

/// By the id of a key (`AKIA…`) or of a role (`AROA…`).
type Shard = HashMap<String, Entry>;

struct Entry {
    last: Use,
    /// Whether the store does not know it yet.
    fresh: bool,
}

impl Uses {
    /// What was noted before this process began.
    pub(super) async fn load(store: &dyn Store) -> store::Result<Self> {
        let uses = Self::default();
        for note in store.notes(&KIND).await? {
            let last = note.body.and_then(|body| serde_json::from_slice(&body).ok());
            if let Some(last) = last {
                let id = note.id.as_str();
                uses.shard(id).insert(id.to_owned(), Entry { last, fresh: false });
            }
        }
        Ok(uses)
    }

    /// Notes that a proven caller called a service.
    pub(crate) fn note(&self, caller: &Caller, service: &'static str, now: Timestamp) {
        let id = match (&caller.principal, &caller.access_key) {
            (Principal::RoleSession { role_id, .. }, _) => role_id.as_str(),
            (_, Some(key)) if !key.is_temporary() => key.as_str(),
            _ => return,
        };
        let Some(account) = caller.principal.account() else { return };
        let (at, region) = (now.as_millisecond(), caller.region.as_deref().unwrap_or_default());
        let mut shard = self.shard(id);
        match shard.get_mut(id) {
            Some(Entry { last, fresh }) => {
                last.at = last.at.max(at);
                last.service = Cow::Borrowed(service);
                if last.region != region {
                    region.clone_into(&mut last.region);
                }
                *fresh = true;
            }
            None => {
                let (service, region) = (Cow::Borrowed(service), region.to_owned());
                let last = Use { account, at, service, region };
                shard.insert(id.to_owned(), Entry { last, fresh: true });
            }
        }
    }

    /// The last use of a key or a role, if there was one.
    pub fn of(&self, id: &str) -> Option<Use> {
        self.shard(id).get(id).map(|entry| entry.last.clone())
    }

    /// Writes what is new, and forgets those who are gone.
    ///
    /// # Errors
    /// The store's; what could not be written is tried again the next time.
    pub(super) async fn flush(&self, store: &dyn Store, world: &World) -> store::Result<()> {
        let notes = self.take_fresh(world);
        for some in notes.chunks(Note::MAX_AT_ONCE) {
            if let Err(error) = store.keep_notes(some).await {
                self.put_back(&notes);
                return Err(error);
            }
        }
        Ok(())
    }

    fn take_fresh(&self, world: &World) -> Vec<Note> {
        let mut notes = Vec::new();
        let note = |id: &str, at, body| Note { kind: KIND, id: id.to_owned().into(), at, body };
        for shard in &self.shards {
            lock(shard).retain(|id, Entry { last, fresh }| {
                let lives = lives(world, last.account, id);
                if !lives {
                    notes.push(note(id, last.at, None));
                } else if std::mem::take(fresh) {
                    notes.extend(
                        serde_json::to_vec(last).ok().map(|body| note(id, last.at, Some(body))),
                    );
                }
                lives
            });
        }
        notes
    }

    fn put_back(&self, notes: &[Note]) {
        for note in notes {
            if let Some(entry) = self.shard(note.id.as_str()).get_mut(note.id.as_str()) {
                entry.fresh = true;
            }
        }
    }

    fn shard(&self, id: &str) -> MutexGuard<'_, Shard> {
        // The ids are random: their last characters part them evenly.
        let place = id.bytes().last().map_or(0, usize::from) % SHARDS;
        let [first, ..] = &self.shards;
        lock(self.shards.get(place).unwrap_or(first))
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lives(world: &World, account: AccountId, id: &str) -> bool {
    world.access_key(&AccessKeyId::from(id)).is_some()
        || world
            .account(&account)
            .is_some_and(|account| account.role_by_id(&id.to_owned().into()).is_some())
}

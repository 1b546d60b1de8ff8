//! When access keys, users and roles were last used, where, and for what.
//!
//! Each signed call that proves its caller notes it here, in memory; [`Plane::tend`] writes what is
//! new beside the configuration once a minute, and [`Plane::finish`] at the end. So a use makes no
//! revision, and a killed process forgets a minute of it at most.
//!
//! [`Plane::tend`]: super::Plane::tend
//! [`Plane::finish`]: super::Plane::finish

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
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

/// What a user or a role did with one service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceUse {
    /// When it last called.
    pub at: Millis,
    /// The region that the call was signed for.
    pub region: String,
    /// When it last called each action.
    pub actions: BTreeMap<Cow<'static, str>, Millis>,
}

/// By service, as signatures name it.
pub type Services = BTreeMap<Cow<'static, str>, ServiceUse>;

/// What the store keeps of one.
#[derive(Serialize, Deserialize)]
struct Kept<U, S> {
    #[serde(flatten)]
    last: U,
    #[serde(default)]
    services: S,
}

/// The last use of each access key, user and role that has been used.
#[derive(Default)]
pub struct Uses {
    shards: [Mutex<Shard>; SHARDS],
}

/// By the id of a key (`AKIA…`), of a user (`AIDA…`) or of a role (`AROA…`).
type Shard = HashMap<String, Entry>;

struct Entry {
    last: Use,
    /// None of a key: they are its user's.
    services: Services,
    /// Whether the store does not know it yet.
    fresh: bool,
}

impl Uses {
    /// What was noted before this process began.
    pub(super) async fn load(store: &dyn Store) -> store::Result<Self> {
        let uses = Self::default();
        for note in store.notes(&KIND).await? {
            let kept = note.body.and_then(|body| serde_json::from_slice(&body).ok());
            if let Some(Kept { last, services }) = kept {
                let id = note.id.as_str();
                uses.shard(id).insert(id.to_owned(), Entry { last, services, fresh: false });
            }
        }
        Ok(uses)
    }

    /// Notes that a proven caller called an action of a service.
    pub(crate) fn note(
        &self,
        caller: &Caller,
        service: &'static str,
        action: &'static str,
        now: Timestamp,
    ) {
        let Some(account) = caller.principal.account() else { return };
        let (at, region) = (now.as_millisecond(), caller.region.as_deref().unwrap_or_default());
        let key = caller.access_key.as_ref().filter(|key| !key.is_temporary());
        let who = match &caller.principal {
            Principal::RoleSession { role_id, .. } => Some(role_id),
            Principal::User { id, .. } => Some(id),
            _ => None,
        };
        if let Some(key) = key {
            self.put(key.as_str(), account, (at, service, region), None);
        }
        if let Some(id) = who {
            self.put(id.as_str(), account, (at, service, region), Some(action));
        }
    }

    fn put(
        &self,
        id: &str,
        account: AccountId,
        (at, service, region): (Millis, &'static str, &str),
        action: Option<&'static str>,
    ) {
        let mut shard = self.shard(id);
        if !shard.contains_key(id) {
            let region = region.to_owned();
            let last = Use { account, at, service: Cow::Borrowed(service), region };
            let entry = Entry { last, services: Services::new(), fresh: true };
            shard.insert(id.to_owned(), entry);
        }
        let Some(entry) = shard.get_mut(id) else { return };
        entry.fresh = true;
        let last = &mut entry.last;
        last.at = last.at.max(at);
        last.service = Cow::Borrowed(service);
        set(&mut last.region, region);
        if let Some(action) = action {
            let used = entry.services.entry(Cow::Borrowed(service)).or_insert_with(|| ServiceUse {
                at,
                region: region.to_owned(),
                actions: BTreeMap::new(),
            });
            used.at = used.at.max(at);
            set(&mut used.region, region);
            let when = used.actions.entry(Cow::Borrowed(action)).or_insert(at);
            *when = at.max(*when);
        }
    }

    /// What a user or a role did with each service that it has called.
    pub fn services_of(&self, id: &str) -> Services {
        self.shard(id).get(id).map(|entry| entry.services.clone()).unwrap_or_default()
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
            lock(shard).retain(|id, Entry { last, services, fresh }| {
                let lives = lives(world, last.account, id);
                if !lives {
                    notes.push(note(id, last.at, None));
                } else if std::mem::take(fresh) {
                    let kept = serde_json::to_vec(&Kept { last: &*last, services });
                    notes.extend(kept.ok().map(|body| note(id, last.at, Some(body))));
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
        || world.account(&account).is_some_and(|account| {
            let id = id.to_owned().into();
            account.role_by_id(&id).is_some() || account.user_by_id(&id).is_some()
        })
}

/// Without making the text anew where it is the same.
fn set(text: &mut String, now: &str) {
    if text != now {
        now.clone_into(text);
    }
}

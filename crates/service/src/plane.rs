//! One installation: its world, its keys, its log book, and the way to change it.

mod bootstrap;
mod organization;
mod uses;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use store::seal::{Keyring, Purpose};
use store::{Commit, Store};
use tokio::sync::{Mutex, MutexGuard};
use wire::sigv4::SigningKeys;

pub use self::bootstrap::{Admin, BootstrapError};
pub use self::organization::{Organization, OrganizationPolicy};
pub use self::uses::Use;
pub(crate) use self::uses::{Services, Uses};
use crate::audit::{Event, LogBook};
use crate::idp;
use crate::settings::Settings;
use crate::world::{Change, Entity, Kind, World};

/// The sub-key that seals secret access keys in the store.
pub const ACCESS_KEY: Purpose = Purpose::new("secret access key");

/// The sub-key that seals private keys of SAML providers in the store.
pub const SAML_PRIVATE_KEY: Purpose = Purpose::new("SAML private key");

/// Signing keys that stay derived: one per access key, day, region and service.
const SIGNING_KEYS: usize = 4096;

/// What tells the time. The binary owns the only clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What an installation is made of.
pub struct Parts {
    /// Choices of the operator.
    pub settings: Settings,
    /// Master keys.
    pub keyring: Keyring,
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// The log book.
    pub book: Arc<LogBook>,
    /// The way to identity providers.
    pub idp: idp::jwks::Keys,
    /// The clock.
    pub clock: Clock,
}

/// One installation of the access-claims plane.
pub struct Plane {
    /// Choices of the operator.
    pub settings: Settings,
    /// Master keys.
    pub keyring: Keyring,
    /// Keys of identity providers.
    pub idp: idp::jwks::Keys,
    /// Derived SigV4 keys.
    pub signing_keys: SigningKeys,
    /// Tokens that were verified, so that the same one need not be again.
    pub(crate) tokens: crate::sts::TokenCache,
    /// Wrong codes of MFA devices.
    pub(crate) guesses: crate::iam::mfa::Guesses,
    /// When keys and roles were last used.
    pub(crate) uses: Uses,
    /// Questions what principals last used.
    pub(crate) jobs: crate::iam::Jobs,
    /// Assertions that were used, which are not taken twice.
    pub(crate) used: crate::sts::UsedAssertions,
    /// Opened private keys of SAML providers.
    pub(crate) saml_keys: crate::sts::SamlKeys,
    /// The log book.
    pub book: Arc<LogBook>,
    store: Arc<dyn Store>,
    clock: Clock,
    world: ArcSwap<World>,
    /// Receipts that the store has not yet been told of.
    delivered: std::sync::Mutex<Vec<store::EventId>>,
    /// Set once calls are served: from then on young receipts are left to their calls.
    tended: AtomicBool,
    /// Held from reading the world to committing on it, once an optimistic try has failed.
    writer: Mutex<()>,
}

/// Why a commit did not happen. Nothing was changed.
#[derive(Debug)]
pub enum CommitError {
    /// The world is newer than the one that the change was decided on.
    Stale,
    /// The change does not compile: a mistake of ours.
    Corrupt(String),
    /// The store refuses.
    Store(store::Error),
}

impl Plane {
    /// Opens an installation: reads and compiles all that is stored, and delivers receipts that a
    /// crash kept from the log book.
    ///
    /// # Errors
    /// If the store cannot be read, or holds what does not compile.
    pub async fn open(parts: Parts) -> Result<Self, BootstrapError> {
        let world = load(&*parts.store).await?;
        let uses = Uses::load(&*parts.store).await?;
        let plane = Self {
            settings: parts.settings,
            keyring: parts.keyring,
            idp: parts.idp,
            signing_keys: SigningKeys::new(SIGNING_KEYS),
            tokens: crate::sts::TokenCache::default(),
            uses,
            guesses: crate::iam::mfa::Guesses::default(),
            jobs: crate::iam::Jobs::default(),
            used: crate::sts::UsedAssertions::default(),
            saml_keys: crate::sts::SamlKeys::default(),
            book: parts.book,
            store: parts.store,
            clock: parts.clock,
            world: ArcSwap::from_pointee(world),
            delivered: std::sync::Mutex::default(),
            tended: AtomicBool::new(false),
            writer: Mutex::new(()),
        };
        plane.deliver_receipts().await?;
        Ok(plane)
    }

    /// The snapshot in force.
    pub fn world(&self) -> Arc<World> {
        self.world.load_full()
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Waits until no one else is between reading the world and committing on it.
    pub(crate) async fn writer(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().await
    }

    /// Commits changes that were decided on `base`, with their receipt, and swaps the world.
    ///
    /// # Errors
    /// [`CommitError::Stale`] if the world moved on; then nothing happened.
    pub(crate) async fn commit(
        &self,
        base: &World,
        changes: &[Change],
        event: &Event,
    ) -> Result<(), CommitError> {
        let mut next = base
            .apply(base.revision, changes)
            .map_err(|corrupt| CommitError::Corrupt(corrupt.reason))?;
        let body = serde_json::to_vec(event).map_err(|e| CommitError::Corrupt(e.to_string()))?;
        let mut commit = Commit::on(base.revision).receipt(event.event_id.clone(), body);
        for change in changes {
            commit = commit.change(stored(change)?);
        }
        match self.store.commit(commit).await {
            Ok(revision) => {
                next.revision = revision;
                self.swap(next);
                Ok(())
            }
            Err(store::Error::Conflict(_)) => {
                self.refresh().await?;
                Err(CommitError::Stale)
            }
            Err(error) => Err(CommitError::Store(error)),
        }
    }

    /// Takes in what others have committed.
    ///
    /// # Errors
    /// If the store cannot be read, or holds what does not compile.
    pub async fn refresh(&self) -> Result<(), CommitError> {
        let world = self.world();
        let found = self.store.changes_since(world.revision).await.map_err(CommitError::Store)?;
        if found.revision <= world.revision {
            return Ok(());
        }
        let base = if found.reset { Arc::default() } else { world };
        let mut changes = read_all(&found.documents).map_err(CommitError::Corrupt)?;
        changes.splice(
            0..0,
            found.deleted.into_iter().filter_map(|deletion| {
                let kind = Kind::parse(deletion.kind.as_str())?;
                Some(Change::Delete(kind, deletion.id.as_str().to_owned()))
            }),
        );
        let next = base
            .apply(found.revision, &changes)
            .map_err(|corrupt| CommitError::Corrupt(corrupt.reason))?;
        self.swap(next);
        Ok(())
    }

    /// Follows commits of other processes for ever; run it beside the server.
    pub async fn follow(self: Arc<Self>) {
        loop {
            let since = self.world().revision;
            match self.store.wait_for_change(since).await {
                Ok(_) => {
                    if let Err(error) = self.refresh().await {
                        tracing::error!(?error, "the configuration cannot be followed");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the store cannot be followed");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Remembers that a receipt is safe in the log book, until [`Plane::tend`] tells the store.
    pub(crate) fn delivered(&self, event_id: String) {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner).push(event_id.into());
    }

    /// Keeps house for ever: the log book's retention and flood counts, receipts that the store need
    /// not keep any longer, and the last uses of keys and roles. Run it beside the server.
    pub async fn tend(self: Arc<Self>) {
        self.tended.store(true, Ordering::Relaxed);
        for second in 1_u64.. {
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.settle().await;
            self.book.tick(self.now()).await;
            if second % 30 == 0
                && let Err(error) = self.deliver_receipts().await
            {
                tracing::warn!(%error, "receipts wait for the log book");
            }
            if second % 60 == 0 {
                self.write_uses().await;
            }
        }
    }

    /// Ends in good order: nothing that was counted, noted or delivered is left behind.
    pub async fn finish(&self) {
        self.settle().await;
        self.write_uses().await;
        self.book.finish(self.now()).await;
    }

    async fn settle(&self) {
        let delivered =
            std::mem::take(&mut *self.delivered.lock().unwrap_or_else(PoisonError::into_inner));
        if delivered.is_empty() {
            return;
        }
        if let Err(error) = self.store.mark_delivered(&delivered).await {
            tracing::warn!(%error, "receipts will be delivered again");
        }
    }

    async fn write_uses(&self) {
        if let Err(error) = self.uses.flush(&*self.store, &self.world()).await {
            tracing::warn!(%error, "the last uses of keys and roles wait to be written");
        }
    }

    async fn deliver_receipts(&self) -> Result<(), BootstrapError> {
        const BATCH: usize = 256;
        loop {
            let mut waiting = self.store.undelivered_receipts(BATCH).await?;
            // Those of calls under way are on their own way into the log book.
            waiting.retain(|stored| !self.is_under_way(stored));
            if waiting.is_empty() {
                return Ok(());
            }
            self.book.deliver(&waiting).await.map_err(|e| BootstrapError::Book(e.to_string()))?;
            let ids: Vec<_> = waiting.into_iter().map(|stored| stored.receipt.event).collect();
            self.store.mark_delivered(&ids).await?;
        }
    }

    /// Whether a receipt is so young that its own call still delivers it.
    fn is_under_way(&self, stored: &store::StoredReceipt) -> bool {
        const CALL: i64 = 10_000_000;
        let at = serde_json::from_slice::<Event>(&stored.receipt.body)
            .map_or(0, |event| event.vestibule.at_micros);
        self.tended.load(Ordering::Relaxed) && self.now().as_microsecond() - at < CALL
    }

    /// The newer world wins: two commits may end in either order here.
    fn swap(&self, next: World) {
        let next = Arc::new(next);
        self.world.rcu(|now| {
            if now.revision < next.revision { Arc::clone(&next) } else { Arc::clone(now) }
        });
    }
}

async fn load(store: &dyn Store) -> Result<World, BootstrapError> {
    let snapshot = store.load(&[]).await?;
    let changes = read_all(&snapshot.documents).map_err(BootstrapError::Corrupt)?;
    World::default().apply(snapshot.revision, &changes).map_err(|corrupt| {
        BootstrapError::Corrupt(format!("{}: {}", corrupt.document, corrupt.reason))
    })
}

fn read_all(documents: &[store::Document]) -> Result<Vec<Change>, String> {
    let mut entities = documents.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    // Accounts first: everything else lives in one.
    entities.sort_by_key(|entity| entity.kind() != Kind::Account);
    Ok(entities.into_iter().map(Change::Put).collect())
}

fn read(document: &store::Document) -> Result<Entity, String> {
    let kind = document.kind.as_str();
    let known = Kind::parse(kind).ok_or_else(|| format!("a document of unknown kind {kind}"))?;
    Entity::read(known, &document.body)
        .map_err(|error| format!("{kind} {}: {error}", document.id.as_str()))
}

fn stored(change: &Change) -> Result<store::Change, CommitError> {
    Ok(match change {
        Change::Put(entity) => {
            let document = entity.document().map_err(|e| CommitError::Corrupt(e.to_string()))?;
            store::Change::put(document)
        }
        Change::Delete(kind, id) => {
            store::Change::delete(store::Kind::new(kind.text()), id.as_str())
        }
    })
}

impl From<CommitError> for crate::error::Error {
    fn from(error: CommitError) -> Self {
        use crate::error::code;
        match error {
            CommitError::Stale => Self::new(
                code::CONCURRENT_MODIFICATION,
                "The request was rejected because multiple requests to change this object were submitted simultaneously. Wait a few minutes and submit your request again.",
            ),
            CommitError::Corrupt(why) => Self::internal(why),
            CommitError::Store(error) => Self::unavailable(error.to_string()),
        }
    }
}

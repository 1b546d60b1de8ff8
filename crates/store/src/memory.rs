//! The store that lives in this process and goes with it: for tests, and for a vestibule that is
//! configured from files at every start.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::{
    Change, Changes, Commit, Conflict, Deletion, Document, DocumentId, Error, EventId, Kind, Note,
    Receipt, Reply, Result, Revision, Snapshot, Store, StoredReceipt, Term,
    commit::{deletions_told, oldest_deletion_told},
};

/// A [`Store`] in memory.
pub struct MemoryStore {
    state: Mutex<State>,
    newest: watch::Sender<Revision>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self { state: Mutex::default(), newest: watch::Sender::new(Revision::ZERO) }
    }

    // INVARIANT: a commit is checked whole before its first change is made, so a poisoned lock can
    // only mean that a reader panicked; the state is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    fn revision(&self) -> Reply<'_, Revision> {
        Box::pin(async { Ok(self.state().revision) })
    }

    fn load<'a>(&'a self, kinds: &'a [Kind]) -> Reply<'a, Snapshot> {
        Box::pin(async { Ok(self.state().load(kinds)) })
    }

    fn changes_since(&self, since: Revision) -> Reply<'_, Changes> {
        Box::pin(async move { Ok(self.state().changes_since(since)) })
    }

    fn get<'a>(&'a self, kind: &'a Kind, id: &'a DocumentId) -> Reply<'a, Option<Document>> {
        Box::pin(async { Ok(self.state().documents.get(&(kind.clone(), id.clone())).cloned()) })
    }

    fn find<'a>(
        &'a self,
        kind: &'a Kind,
        term: &'a str,
        value: &'a str,
    ) -> Reply<'a, Vec<Document>> {
        Box::pin(async move {
            let state = self.state();
            let ids = state.found.get(&(kind.clone(), term.to_owned(), value.to_owned()));
            let document = |id: &DocumentId| state.documents.get(&(kind.clone(), id.clone()));
            Ok(ids.into_iter().flatten().filter_map(document).cloned().collect())
        })
    }

    fn commit(&self, mut commit: Commit) -> Reply<'_, Revision> {
        Box::pin(async move {
            commit.normalize()?;
            let mut state = self.state();
            state.check(&commit)?;
            let revision = state.apply(commit);
            self.newest.send_replace(revision);
            Ok(revision)
        })
    }

    fn undelivered_receipts(&self, limit: usize) -> Reply<'_, Vec<StoredReceipt>> {
        Box::pin(async move { Ok(self.state().receipts.iter().take(limit).cloned().collect()) })
    }

    fn mark_delivered<'a>(&'a self, events: &'a [EventId]) -> Reply<'a, ()> {
        Box::pin(async move {
            let events: HashSet<&EventId> = events.iter().collect();
            self.state().receipts.retain(|stored| !events.contains(&stored.receipt.event));
            Ok(())
        })
    }

    fn keep_notes<'a>(&'a self, notes: &'a [Note]) -> Reply<'a, ()> {
        Box::pin(async move {
            Note::check(notes)?;
            let mut state = self.state();
            notes.iter().for_each(|note| state.note(note));
            Ok(())
        })
    }

    fn notes<'a>(&'a self, kind: &'a Kind) -> Reply<'a, Vec<Note>> {
        Box::pin(async move {
            let state = self.state();
            Ok(state.notes.values().filter(|note| note.kind == *kind).cloned().collect())
        })
    }

    fn wait_for_change(&self, since: Revision) -> Reply<'_, Revision> {
        Box::pin(async move {
            let mut newest = self.newest.subscribe();
            let revision = newest.wait_for(|revision| *revision > since).await;
            revision.map(|revision| *revision).map_err(Error::unavailable)
        })
    }
}

type Found = (Kind, String, String);

#[derive(Default)]
struct State {
    revision: Revision,
    documents: BTreeMap<(Kind, DocumentId), Document>,
    /// Who carries a term.
    found: HashMap<Found, BTreeSet<DocumentId>>,
    /// Who carries a term as unique.
    unique: HashMap<Found, DocumentId>,
    deleted: BTreeMap<(Kind, DocumentId), Revision>,
    receipts: VecDeque<StoredReceipt>,
    notes: BTreeMap<(Kind, DocumentId), Note>,
}

impl State {
    fn load(&self, kinds: &[Kind]) -> Snapshot {
        let wanted = |d: &&Document| kinds.is_empty() || kinds.contains(&d.kind);
        let documents = self.documents.values().filter(wanted).cloned().collect();
        Snapshot { revision: self.revision, documents }
    }

    fn changes_since(&self, since: Revision) -> Changes {
        let reset = !deletions_told(since, self.revision);
        let newer = |d: &&Document| reset || d.revision > since;
        let mut documents: Vec<_> = self.documents.values().filter(newer).cloned().collect();
        documents.sort_by_key(|d| d.revision);
        let mut deleted: Vec<_> = (self.deleted.iter())
            .filter(|(_, at)| !reset && **at > since)
            .map(|((kind, id), at)| Deletion { revision: *at, kind: kind.clone(), id: id.clone() })
            .collect();
        deleted.sort();
        Changes { revision: self.revision, reset, documents, deleted }
    }

    /// Whether the whole commit can be made.
    fn check(&self, commit: &Commit) -> Result<()> {
        if commit.expected != self.revision {
            return Err(Error::Conflict(Conflict::Revision { current: self.revision }));
        }
        for change in &commit.changes {
            let (kind, id) = change.target();
            let stored = self.documents.get(&(kind.clone(), id.clone()));
            if !change.only_if().holds(stored.map(|d| d.revision)) {
                let (kind, id) = (kind.clone(), id.clone());
                return Err(Error::Conflict(Conflict::Document { kind, id }));
            }
            if stored.is_none() && matches!(change, Change::Delete { .. }) {
                return Err(Error::NotFound { kind: kind.clone(), id: id.clone() });
            }
        }
        self.check_terms(commit)?;
        let mut events: HashSet<&EventId> =
            self.receipts.iter().map(|stored| &stored.receipt.event).collect();
        match commit.receipts.iter().find(|receipt| !events.insert(&receipt.event)) {
            Some(twice) => Err(Error::Conflict(Conflict::Event(twice.event.clone()))),
            None => Ok(()),
        }
    }

    /// Whether every unique term has one owner once the commit is made.
    fn check_terms(&self, commit: &Commit) -> Result<()> {
        let changed: HashSet<_> = commit.changes.iter().map(Change::target).collect();
        let mut taken = HashSet::new();
        for change in &commit.changes {
            let Change::Put { document, .. } = change else { continue };
            for term in document.terms.iter().filter(|term| term.unique) {
                let key = found(&document.kind, term);
                let owner = self.unique.get(&key);
                let kept = owner.is_some_and(|owner| !changed.contains(&(&document.kind, owner)));
                if kept || !taken.insert(key) {
                    return Err(Error::Conflict(Conflict::Term {
                        kind: document.kind.clone(),
                        name: term.name.clone(),
                        value: term.value.clone(),
                    }));
                }
            }
        }
        Ok(())
    }

    fn apply(&mut self, commit: Commit) -> Revision {
        let revision = self.revision.next();
        self.revision = revision;
        for change in &commit.changes {
            let (kind, id) = change.target();
            self.forget(&(kind.clone(), id.clone()));
        }
        for change in commit.changes {
            match change {
                Change::Put { document, .. } => self.keep(Document { revision, ..document }),
                Change::Delete { kind, id, .. } => {
                    self.deleted.insert((kind, id), revision);
                }
            }
        }
        let oldest = oldest_deletion_told(revision);
        self.deleted.retain(|_, at| *at >= oldest);
        let stored = |receipt: Receipt| StoredReceipt { revision, receipt };
        self.receipts.extend(commit.receipts.into_iter().map(stored));
        revision
    }

    fn keep(&mut self, document: Document) {
        for term in &document.terms {
            let key = found(&document.kind, term);
            if term.unique {
                self.unique.insert(key.clone(), document.id.clone());
            }
            self.found.entry(key).or_default().insert(document.id.clone());
        }
        let key = (document.kind.clone(), document.id.clone());
        self.deleted.remove(&key);
        self.documents.insert(key, document);
    }

    fn note(&mut self, note: &Note) {
        let key = (note.kind.clone(), note.id.clone());
        let newer = self.notes.get(&key).is_none_or(|known| known.at <= note.at);
        if note.body.is_none() {
            self.notes.remove(&key);
        } else if newer {
            self.notes.insert(key, note.clone());
        }
    }

    fn forget(&mut self, key: &(Kind, DocumentId)) {
        let Some(document) = self.documents.remove(key) else { return };
        for term in &document.terms {
            let key = found(&document.kind, term);
            if term.unique {
                self.unique.remove(&key);
            }
            if let Some(ids) = self.found.get_mut(&key) {
                ids.remove(&document.id);
                if ids.is_empty() {
                    self.found.remove(&key);
                }
            }
        }
    }
}

fn found(kind: &Kind, term: &Term) -> Found {
    (kind.clone(), term.name.clone(), term.value.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    #[tokio::test(flavor = "multi_thread")]
    async fn conforms() {
        crate::conformance::run(|| Arc::new(super::MemoryStore::new())).await;
    }
}

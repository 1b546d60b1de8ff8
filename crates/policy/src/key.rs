//! Catalogue of condition keys.

//! Secure-by-default.

//! Append-only log segments.

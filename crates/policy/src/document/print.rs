//! Document → text.
use super::Document;

pub(super) fn print(document: &Document) -> String {
    document.source.to_string()
}

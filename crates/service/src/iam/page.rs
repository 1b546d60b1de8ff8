//! Pages of a list: `MaxItems`, `Marker`, `IsTruncated`, as every IAM list has them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::entity::INVALID_INPUT;
use crate::error::{Error, Result};

/// How many items a page has when the caller does not say. Source: IAM API Reference.
const DEFAULT_ITEMS: i64 = 100;

/// What a caller says about the page that it wants.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Wanted {
    /// Where the last page ended, as it was given.
    pub marker: Option<String>,
    /// 1 to 1000.
    pub max_items: Option<i64>,
}

/// One page.
#[derive(Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Whether there is more.
    pub is_truncated: bool,
    /// Where to go on.
    pub marker: Option<String>,
}

impl<T> Page<T> {
    /// The same page of other things.
    pub fn map<U>(self, see: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(see).collect(),
            is_truncated: self.is_truncated,
            marker: self.marker,
        }
    }
}

/// Cuts a page out of items that come in the order of their keys. A marker names the last key
/// that was given, so entities made or removed between two pages are neither repeated nor skipped.
///
/// # Errors
/// `InvalidInput` for a marker that is none of ours.
pub fn page<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    wanted: &Wanted,
) -> Result<Page<T>> {
    let after = wanted.marker.as_deref().map(read_marker).transpose()?;
    let size = usize::try_from(wanted.max_items.unwrap_or(DEFAULT_ITEMS)).unwrap_or(1).max(1);
    let mut found = Vec::new();
    let mut last = None;
    for item in items {
        let key = key(&item);
        if after.as_ref().is_some_and(|after| key <= *after) {
            continue;
        }
        if found.len() == size {
            let marker = last.map(|key: String| URL_SAFE_NO_PAD.encode(key));
            return Ok(Page { items: found, is_truncated: true, marker });
        }
        last = Some(key);
        found.push(item);
    }
    Ok(Page { items: found, is_truncated: false, marker: None })
}

fn read_marker(marker: &str) -> Result<String> {
    let invalid = || Error::new(INVALID_INPUT, format!("Invalid marker: {marker}"));
    let bytes = URL_SAFE_NO_PAD.decode(marker).map_err(|_| invalid())?;
    String::from_utf8(bytes).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_complete_and_do_not_repeat() {
        let names = ["a", "b", "c", "d", "e"];
        let mut wanted = Wanted { marker: None, max_items: Some(2) };
        let mut seen = Vec::new();
        loop {
            let page = page(names, |name| (*name).to_owned(), &wanted).unwrap();
            seen.extend(page.items);
            assert_eq!(page.is_truncated, page.marker.is_some());
            match page.marker {
                Some(marker) => wanted.marker = Some(marker),
                None => break,
            }
        }
        assert_eq!(seen, names);
        let error = page(
            names,
            |name| (*name).to_owned(),
            &Wanted { marker: Some("%".into()), max_items: None },
        );
        assert_eq!(error.unwrap_err().code.name, "InvalidInput");
    }
}

//! Pages of a list: `MaxItems`, `Marker`, `IsTruncated`, as every IAM list has them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::error::{Error, Result, code};

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

    /// The page as an answer that calls its list so.
    pub fn listed(self, field: &'static str) -> Listing<T> {
        Listing { field, page: self }
    }
}

/// A page as answers write it: the list under its own name.
#[derive(Debug)]
pub struct Listing<T> {
    field: &'static str,
    page: Page<T>,
}

impl<T: Serialize> Serialize for Listing<T> {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let mut out = to.serialize_struct("List", 3)?;
        out.serialize_field(self.field, &self.page.items)?;
        out.serialize_field("IsTruncated", &self.page.is_truncated)?;
        if let Some(marker) = &self.page.marker {
            out.serialize_field("Marker", marker)?;
        }
        out.end()
    }
}

/// Cuts a page out of items that come in the order of their keys. A marker names the operation and the
/// last key that was given, so entities made or removed between two pages are neither repeated nor skipped.
///
/// # Errors
/// `ValidationError` for a marker that is none of this operation's.
pub fn page<T>(
    operation: &str,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    wanted: &Wanted,
) -> Result<Page<T>> {
    let after = wanted.marker.as_deref().map(|it| read_marker(operation, it)).transpose()?;
    let size = usize::try_from(wanted.max_items.unwrap_or(DEFAULT_ITEMS)).unwrap_or(1).max(1);
    let mut found = Vec::new();
    let mut last = None;
    for item in items {
        let key = key(&item);
        if after.as_ref().is_some_and(|after| key <= *after) {
            continue;
        }
        if found.len() == size {
            let marker =
                last.map(|key: String| URL_SAFE_NO_PAD.encode(format!("{operation}\n{key}")));
            return Ok(Page { items: found, is_truncated: true, marker });
        }
        last = Some(key);
        found.push(item);
    }
    Ok(Page { items: found, is_truncated: false, marker: None })
}

fn read_marker(operation: &str, marker: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(marker).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let key = text.as_deref().and_then(|text| text.strip_prefix(operation)?.strip_prefix('\n'));
    key.map(str::to_owned).ok_or_else(|| Error::new(code::VALIDATION_ERROR, "Invalid Marker."))
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
            let page = page("ListNames", names, |name| (*name).to_owned(), &wanted).unwrap();
            seen.extend(page.items);
            assert_eq!(page.is_truncated, page.marker.is_some());
            match page.marker {
                Some(marker) => wanted.marker = Some(marker),
                None => break,
            }
        }
        assert_eq!(seen, names);
        wanted = Wanted { marker: None, max_items: Some(2) };
        let marker = page("ListOthers", names, |name| (*name).to_owned(), &wanted).unwrap().marker;
        for marker in [Some("%".into()), marker] {
            let wanted = Wanted { marker, max_items: None };
            let error = page("ListNames", names, |name| (*name).to_owned(), &wanted).unwrap_err();
            assert_eq!(error.code.name, "ValidationError");
        }
    }
}

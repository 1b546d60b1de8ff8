//! Session tags that an issuer puts into its tokens, in the two forms that AWS reads.
//!
//! ```text
//! nested      "https://aws.amazon.com/tags":
//!                 {"principal_tags": {"K": ["v"]}, "transitive_tag_keys": ["K"]}
//! flattened   "https://aws.amazon.com/tags/principal_tags/K": "v"
//!             "https://aws.amazon.com/tags/transitive_tag_keys": ["K"]
//! ```
//! Only the shape is judged here. Numbers, lengths, characters and case-insensitive uniqueness are
//! the same for tags from everywhere and are judged by STS.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Claims;
use crate::claim_set::kind_of;

const TAGS: &str = "https://aws.amazon.com/tags";
const FLAT_TAG: &str = "https://aws.amazon.com/tags/principal_tags/";
const FLAT_TRANSITIVE: &str = "https://aws.amazon.com/tags/transitive_tag_keys";

/// The tags that a token asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTags {
    /// Key and value of each tag, keys as written.
    pub principal: Vec<(String, String)>,
    /// Keys of the tags that are passed on along a chain of roles.
    pub transitive: Vec<String>,
}

/// What is wrong with the shape of a tag claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TagsFault {
    /// The claim, and within it the member.
    pub at: String,
    /// What should be there.
    pub wanted: &'static str,
    /// What kind of value is.
    pub had: &'static str,
}

impl TagsFault {
    /// AWS's one sentence for all of them.
    #[must_use]
    pub fn client_text(&self) -> &'static str {
        "principal_tags passed in claim is not in correct format."
    }
}

impl SessionTags {
    /// The tags of a token with these claims; none if it has no tag claim.
    ///
    /// # Errors
    /// The first claim that has not its documented shape.
    pub fn from_claims(claims: &Claims) -> Result<Self, TagsFault> {
        let mut tags = Self::default();
        if let Some(nested) = claims.value(TAGS) {
            tags.read_nested(nested)?;
        }
        for (name, value) in claims.iter() {
            if let Some(key) = name.strip_prefix(FLAT_TAG) {
                let Value::String(text) = value else {
                    return Err(fault(name, "a string", value));
                };
                if tags.principal.iter().any(|(other, _)| other == key) {
                    return Err(TagsFault {
                        at: name.to_owned(),
                        wanted: "each tag once",
                        had: "the same tag in the nested claim",
                    });
                }
                tags.principal.push((key.to_owned(), text.clone()));
            }
        }
        if let Some(keys) = claims.value(FLAT_TRANSITIVE) {
            tags.read_transitive(FLAT_TRANSITIVE, keys)?;
        }
        Ok(tags)
    }

    /// Whether the token asks for no tags at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.principal.is_empty() && self.transitive.is_empty()
    }

    fn read_nested(&mut self, claim: &Value) -> Result<(), TagsFault> {
        let Value::Object(members) = claim else {
            return Err(fault(TAGS, "an object", claim));
        };
        if let Some(tags) = members.get("principal_tags") {
            let Value::Object(tags) = tags else {
                return Err(fault(&format!("{TAGS} principal_tags"), "an object", tags));
            };
            for (key, value) in tags {
                let only = match value {
                    Value::Array(values) => match values.as_slice() {
                        [Value::String(only)] => Some(only),
                        _ => None,
                    },
                    _ => None,
                };
                let Some(only) = only else {
                    let at = format!("{TAGS} principal_tags {key}");
                    return Err(fault(&at, "an array of one string", value));
                };
                self.principal.push((key.clone(), only.clone()));
            }
        }
        match members.get("transitive_tag_keys") {
            Some(keys) => self.read_transitive(&format!("{TAGS} transitive_tag_keys"), keys),
            None => Ok(()),
        }
    }

    fn read_transitive(&mut self, at: &str, keys: &Value) -> Result<(), TagsFault> {
        let texts: Option<Vec<String>> = keys
            .as_array()
            .and_then(|keys| keys.iter().map(|key| key.as_str().map(str::to_owned)).collect());
        match texts {
            Some(texts) => {
                self.transitive.extend(texts);
                Ok(())
            }
            None => Err(fault(at, "an array of strings", keys)),
        }
    }
}

fn fault(at: &str, wanted: &'static str, had: &Value) -> TagsFault {
    let had = match had {
        Value::Array(items) if items.len() == 1 => "an array of one value that is not a string",
        Value::Array(items) if items.is_empty() => "an empty array",
        Value::Array(_) => "an array of several values",
        other => kind_of(other),
    };
    TagsFault { at: at.to_owned(), wanted, had }
}

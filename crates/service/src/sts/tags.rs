//! Session tags: what may be passed, what is inherited, and what the session ends up with.
//!
//! Source: IAM User Guide, "Pass session tags in AWS STS"; texts as captured (see `docs/unsure.md`).

use policy::Tag;

use crate::audit::ours::check;
use crate::error::{Error, Result, code};

/// The most tags that a session may have, the inherited ones among them.
pub const MAX_TAGS: usize = 50;

/// The tags of a new session, and which of them go on to the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionTags {
    /// Passed and inherited tags.
    pub tags: Vec<Tag>,
    /// Keys that go on in a chain.
    pub transitive: Vec<String>,
}

/// Merges the tags of this call with those that the calling session hands on.
///
/// # Errors
/// A reserved or duplicate key, a transitive key that is no tag, a key that is already inherited,
/// or too many.
pub fn merge(
    passed: &[Tag],
    transitive: &[String],
    inherited: &SessionTags,
) -> Result<SessionTags> {
    check_passed(passed)?;
    let inherits = |key: &str| inherited.tags.iter().any(|tag| same(&tag.key, key));
    for key in transitive {
        if inherits(key) {
            return Err(conflict(key));
        }
        if !passed.iter().any(|tag| same(&tag.key, key)) {
            return Err(Error::new(
                code::INVALID_PARAMETER_VALUE,
                "The specified transitive tag key must be included in the requested tags.",
            ));
        }
    }
    if let Some(tag) = passed.iter().find(|tag| inherits(&tag.key)) {
        return Err(conflict(&tag.key));
    }

    let mut merged = SessionTags {
        tags: passed.to_vec(),
        transitive: Vec::with_capacity(transitive.len() + inherited.transitive.len()),
    };
    merged.tags.extend(inherited.tags.iter().cloned());
    // A key listed twice is one key.
    for key in transitive.iter().chain(&inherited.transitive) {
        if !merged.transitive.iter().any(|known| same(known, key)) {
            merged.transitive.push(key.clone());
        }
    }
    if merged.tags.len() > MAX_TAGS {
        return Err(Error::new(
            code::VALIDATION_ERROR,
            format!(
                "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to {MAX_TAGS}"
            ),
        ));
    }
    Ok(merged)
}

/// The tags that a session hands on to the next one in a chain.
pub fn inherited(tags: &[Tag], transitive: &[String]) -> SessionTags {
    let handed_on = |tag: &&Tag| transitive.iter().any(|key| same(key, &tag.key));
    SessionTags {
        tags: tags.iter().filter(handed_on).cloned().collect(),
        transitive: transitive.to_vec(),
    }
}

/// Keys compare without regard to case.
pub fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
        || (!(a.is_ascii() && b.is_ascii()) && a.to_lowercase() == b.to_lowercase())
}

fn check_passed(passed: &[Tag]) -> Result<()> {
    if Tag::duplicate(passed).is_some() {
        return Err(Error::new(
            code::INVALID_PARAMETER_VALUE,
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ));
    }
    // Tags of a token or of a mapping have passed no model: what a workload can choose is measured
    // here.
    if let Some(tag) = passed.iter().find(|tag| !is_well_formed(tag)) {
        return Err(Error::new(
            code::VALIDATION_ERROR,
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: a tag has a key of 1 to 128 and a value of at most 256 permitted characters",
        )
        .failing(check::SESSION_TAGS, "permitted characters and lengths", tag.key.clone()));
    }
    match passed.iter().position(Tag::is_reserved) {
        None => Ok(()),
        Some(at) => Err(Error::new(
            code::VALIDATION_ERROR,
            format!(
                "1 validation error detected: Value at 'tags.{}.member.key' failed to satisfy constraint: Tag keys starting with 'aws:' are reserved for system use",
                at + 1
            ),
        )),
    }
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]`: 1 to 128 of them in a key, at most 256 in a value, which may have
/// `*` besides. Source: STS API Reference, Tag; its published model lets a value hold `*`.
fn is_well_formed(tag: &Tag) -> bool {
    let plain = |c: char| {
        c.is_alphanumeric()
            || is_separator(c)
            || matches!(c, '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
    };
    let (key, value) = (tag.key.chars().count(), tag.value.chars().count());
    (1..=128).contains(&key)
        && value <= 256
        && tag.key.chars().all(plain)
        && tag.value.chars().all(|c| plain(c) || c == '*')
}

/// Unicode's separators (`Z`): spaces of all kinds, and nothing that ends a line in a terminal.
fn is_separator(c: char) -> bool {
    c == ' ' || (c.is_whitespace() && !c.is_control())
}

fn conflict(key: &str) -> Error {
    Error::new(
        code::INVALID_PARAMETER_VALUE,
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    )
    .failing(check::SESSION_TAGS, "other keys than those that the calling session hands on", key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag::new(key, value)
    }

    fn refused(passed: &[Tag], transitive: &[&str], inherited: &SessionTags) -> String {
        let transitive: Vec<String> = transitive.iter().map(ToString::to_string).collect();
        let error = merge(passed, &transitive, inherited).unwrap_err();
        format!("{}: {}", error.code.name, error.message.unwrap_or_default())
    }

    #[test]
    fn transitive_tags_go_on_and_cannot_be_passed_again() {
        let first = merge(
            &[tag("project", "heart"), tag("cost", "1")],
            &["Project".to_owned()],
            &SessionTags::default(),
        )
        .unwrap();
        let handed_on = inherited(&first.tags, &first.transitive);
        assert_eq!(handed_on.tags, [tag("project", "heart")]);

        let second = merge(&[tag("cost", "2")], &[], &handed_on).unwrap();
        assert_eq!(second.tags, [tag("cost", "2"), tag("project", "heart")]);
        assert_eq!(second.transitive, ["Project"]);

        let refusal = refused(&[tag("PROJECT", "heart")], &[], &handed_on);
        assert!(refusal.contains("conflicts with a transitive tag key"), "{refusal}");
    }

    #[test]
    fn keys_are_unique_without_regard_to_case() {
        let none = SessionTags::default();
        assert!(merge(&[tag("a", "1"), tag("b", "1")], &[], &none).is_ok());
        let refusal = refused(&[tag("a", "1"), tag("A", "2")], &[], &none);
        assert_eq!(
            refusal,
            "InvalidParameterValue: Duplicate tag keys found. Please note that Tag keys are case insensitive."
        );
    }

    #[test]
    fn a_transitive_key_must_be_a_tag_of_the_call() {
        let none = SessionTags::default();
        let refusal = refused(&[tag("a", "1")], &["b"], &none);
        assert!(refusal.contains("must be included in the requested tags"), "{refusal}");
    }

    #[test]
    fn what_a_workload_may_choose_is_measured() {
        let none = SessionTags::default();
        assert!(merge(&[tag("repo", "acme/api:main @x"), tag("é", "")], &[], &none).is_ok());
        let (long_key, long_value) = ("k".repeat(129), "v".repeat(257));
        for wrong in [
            tag("", "v"),
            tag(&long_key, "v"),
            tag("k", &long_value),
            tag("k", "line\nbreak"),
            tag("k*", "v"),
        ] {
            assert!(refused(&[wrong], &[], &none).starts_with("ValidationError"));
        }
    }

    #[test]
    fn reserved_keys_are_refused() {
        let none = SessionTags::default();
        assert!(refused(&[tag("aws:x", "1")], &[], &none).starts_with("ValidationError"));
        assert!(merge(&[tag("awsx", "1")], &[], &none).is_ok());
    }
}

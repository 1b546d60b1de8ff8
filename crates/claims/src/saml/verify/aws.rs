//! AWS's own attributes: which roles, under which name, how long, and with which tags.

use super::Record;
use crate::Check;
use crate::saml::attribute::{Attributes, Held};
use crate::saml::diagnose;
use crate::saml::failure::Failure;
use crate::tags::SessionTags;

impl Record<'_> {
    /// The pairs of role and provider, of which the wanted one must be one.
    pub(super) fn roles(&mut self, attributes: &Attributes) -> Option<Vec<(String, String)>> {
        let written = match attributes.aws("Role") {
            Held::Values(values) => values,
            Held::Absent | Held::Unreadable => &[],
        };
        let pairs: Vec<(String, String)> = written.iter().filter_map(|text| pair(text)).collect();
        let Some(wanted) = self.input.wanted else {
            self.skip(Check::Roles, "no role is asked for");
            return Some(pairs);
        };
        let is_wanted =
            |pair: &(String, String)| *pair == (wanted.role.to_owned(), wanted.provider.to_owned());
        let text = format!("{},{}", wanted.role, wanted.provider);
        if pairs.iter().any(is_wanted) {
            self.pass(Check::Roles, text.clone(), text);
            return Some(pairs);
        }
        let had = if written.is_empty() { "no Role".to_owned() } else { written.join(" ") };
        let note = diagnose::role(attributes, &wanted);
        self.fail_noted(text, had, note, Failure::Role { had: written.to_vec() });
        None
    }

    /// The session's name.
    pub(super) fn session_name(&mut self, attributes: &Attributes) -> Option<String> {
        const WANTED: &str = "one RoleSessionName of 2 to 64 of [a-zA-Z_0-9+=,.@-]";
        let failure = match attributes.aws("RoleSessionName") {
            Held::Values([one]) if is_name(one) => {
                self.pass(Check::SessionName, WANTED, one.clone());
                return Some(one.clone());
            }
            Held::Absent | Held::Values([]) => Failure::NoSessionName,
            Held::Values(_) | Held::Unreadable => Failure::SessionName,
        };
        let had = shown(attributes.aws("RoleSessionName"));
        let note = diagnose::misnamed(attributes, "RoleSessionName");
        self.fail_noted(WANTED, had, note, failure);
        None
    }

    /// How long the session may last.
    pub(super) fn session_duration(&mut self, attributes: &Attributes) -> Option<Option<i64>> {
        const WANTED: &str = "a whole number of seconds from 900 to 43200";
        let seconds = |text: &String| {
            let number = text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 5;
            text.parse().ok().filter(|it| number && (900..=43_200).contains(it))
        };
        match attributes.aws("SessionDuration") {
            Held::Absent => {
                self.skip(Check::SessionDuration, "no SessionDuration");
                Some(None)
            }
            Held::Values([one]) if seconds(one).is_some() => {
                self.pass(Check::SessionDuration, WANTED, one.clone());
                Some(seconds(one))
            }
            held => {
                self.fail(WANTED, shown(held), Failure::SessionDuration);
                None
            }
        }
    }

    /// Who it is all along a chain.
    pub(super) fn source_identity(&mut self, attributes: &Attributes) -> Option<Option<String>> {
        const WANTED: &str = "2 to 64 of [a-zA-Z_0-9+=,.@-], not aws:";
        match attributes.aws("SourceIdentity") {
            Held::Absent => {
                self.skip(Check::SourceIdentity, "no SourceIdentity");
                Some(None)
            }
            Held::Values([one]) if is_name(one) => {
                self.pass(Check::SourceIdentity, WANTED, one.clone());
                Some(Some(one.clone()))
            }
            held => {
                self.fail(WANTED, shown(held), Failure::SourceIdentity);
                None
            }
        }
    }

    /// Session tags: one value each.
    pub(super) fn tags(&mut self, attributes: &Attributes) -> Option<SessionTags> {
        const WANTED: &str = "one value for each PrincipalTag";
        let mut tags = SessionTags::default();
        let mut fault = None;
        for (key, held) in attributes.tags() {
            match held {
                Held::Values([one]) => tags.principal.push((key.to_owned(), one.clone())),
                Held::Values(many) => fault = fault.or(Some((key.to_owned(), many.len()))),
                Held::Absent | Held::Unreadable => fault = fault.or(Some((key.to_owned(), 0))),
            }
        }
        match attributes.aws("TransitiveTagKeys") {
            Held::Values(keys) => tags.transitive.extend(keys.iter().cloned()),
            Held::Unreadable => fault = fault.or(Some(("TransitiveTagKeys".to_owned(), 0))),
            Held::Absent => {}
        }
        if let Some((key, values)) = fault {
            let note = format!(
                "release attribute PrincipalTag:{key} with exactly one value at the identity \
                 provider: a session tag cannot be a list"
            );
            let had = format!("{key} with {values} values");
            self.fail_noted(WANTED, had, note, Failure::Tag { key, values });
            return None;
        }
        match tags.is_empty() {
            true => self.skip(Check::Tags, diagnose::or_none(attributes, "PrincipalTag:")),
            false => {
                let keys: Vec<&str> = tags.principal.iter().map(|(key, _)| key.as_str()).collect();
                self.pass(Check::Tags, WANTED, keys.join(", "));
            }
        }
        Some(tags)
    }
}

/// `role,provider` in either order.
pub(in crate::saml) fn pair(text: &str) -> Option<(String, String)> {
    let (first, second) = text.split_once(',')?;
    let is = |arn: &str, kind: &str| arn.starts_with("arn:") && arn.contains(kind);
    if is(first, ":role/") && is(second, ":saml-provider/") {
        Some((first.to_owned(), second.to_owned()))
    } else if is(first, ":saml-provider/") && is(second, ":role/") {
        Some((second.to_owned(), first.to_owned()))
    } else {
        None
    }
}

/// As `RoleSessionName` and `SourceIdentity` are constrained.
fn is_name(text: &str) -> bool {
    let permitted = |c: u8| c.is_ascii_alphanumeric() || b"_+=,.@-".contains(&c);
    (2..=64).contains(&text.len()) && text.bytes().all(permitted)
}

fn shown(held: Held<'_>) -> String {
    match held {
        Held::Absent => "none".to_owned(),
        Held::Unreadable => "a value that is not plain text".to_owned(),
        Held::Values([]) => "an attribute without a value".to_owned(),
        Held::Values(values) => values.join(", "),
    }
}
